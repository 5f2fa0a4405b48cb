"""A fleet that takes prices as given: the work of `compute_block` against an electricity bill instead of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.dispatch.compute_block import add_compute
from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.problem import ComputeProblem, Penalties, PooledWork
from gridtwin.dispatch.solve import pooled_work
from gridtwin.dispatch.store_block import StoreMeters
from gridtwin.optim import Program, Rows, Session
from gridtwin.units import FloatArray, IntArray

__all__ = ["Bill", "minimise_bill"]


@dataclass(frozen=True, slots=True, eq=False)
class Bill:
    """What electricity costs at each bus; sites at one bus share a meter."""

    price_per_mwh: FloatArray  # (time, bus)
    demand_charge_per_mw: float
    month: IntArray  # (time,) calendar month
    peak_so_far_mw: FloatArray  # (bus,) in the month of the first step
    permute: int = 0  # order in which the solver gets the program


def minimise_bill(compute: ComputeProblem, bill: Bill, penalties: Penalties, step_h: float) -> PooledWork:
    """Decide when and where work starts so that bill, data and lateness cost least.

    Parameters
    ----------
    compute : ComputeProblem
    bill : Bill
    penalties : Penalties
    step_h : float, h

    Returns
    -------
    PooledWork

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    program, injection = Program(), InjectionMap.fixed(np.zeros_like(bill.price_per_mwh))
    work = add_compute(program, compute, penalties, step_h, injection, StoreMeters.none(len(bill.price_per_mwh)))
    draw = _add_draw(program, injection, compute.site_bus, bill.price_per_mwh * step_h)
    if bill.demand_charge_per_mw > 0:
        _add_peaks(program, bill, draw, np.unique(compute.site_bus))
    return pooled_work(Session(program, bill.permute).solve(), work)


def _add_draw(program: Program, injection: InjectionMap, site_bus: IntArray, cost: FloatArray) -> IntArray:
    """Columns (time, bus with sites): what the sites draw there, at its price."""
    bus, (steps, buses) = np.unique(site_bus), cost.shape
    draw = program.columns((steps, len(bus)), lower=-np.inf, cost=cost[:, bus])
    injection.add(draw, bus, 1.0)  # drawn by sites, given by the meter: nothing is left over
    kept = (np.arange(steps)[:, None] * buses + bus).ravel()
    balance = injection.matrix(program.n_columns)[kept]
    target = -injection.constant.ravel()[kept]
    program.append(Rows(balance, target, target))
    return draw


def _add_peaks(program: Program, bill: Bill, draw: IntArray, bus: IntArray) -> None:
    """Peak of each month >= draw in each of its steps; what was reached before is paid for."""
    months, place = np.unique(bill.month, return_inverse=True)
    reached = np.zeros((len(months), len(bus)))
    reached[0] = bill.peak_so_far_mw[bus]
    peak = program.columns(reached.shape, lower=reached, cost=bill.demand_charge_per_mw)
    rows = program.rows(draw.shape, 0.0, np.inf)
    program.entries(rows, peak[place], 1.0)
    program.entries(rows, draw, -1.0)
