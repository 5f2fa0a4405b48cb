"""Columns and rows of stores: what they take, give and hold.

Energy is counted behind the converter. What a store is worth at the end rises in segments whose value falls, so that
they fill in order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.problem import GridProblem, StoreProblem
from gridtwin.optim import Program
from gridtwin.units import FloatArray, IntArray

__all__ = ["StoreColumns", "StoreMeters", "add_stores", "fed_pairs"]


@dataclass(frozen=True, slots=True, eq=False)
class StoreColumns:
    """Where the stores' columns are; -1 stands for a column that cannot be used and was left out."""

    charge: IntArray  # (time, store)
    discharge: IntArray  # (time, store)
    spill: IntArray  # (time, store)
    level: IntArray  # (time, store) at the end of the step
    balance: IntArray  # (time, store) rows


@dataclass(frozen=True, slots=True, eq=False)
class StoreMeters:
    """Stores behind the meters of sites, whose connections they share."""

    stores: StoreProblem
    columns: StoreColumns

    @classmethod
    def none(cls, steps: int) -> StoreMeters:
        """No store behind any meter."""
        return cls(StoreProblem.none(steps), StoreColumns(*(np.zeros((steps, 0), np.int64),) * 5))

    def most_mw(self, sites: int) -> tuple[FloatArray, FloatArray]:
        """Return what the stores of each site draw and give at most (time, site)."""
        own = self.stores.site >= 0
        site = self.stores.site[own]
        return sum_at(self.stores.charge_mw[:, own], site, sites), sum_at(self.stores.discharge_mw[:, own], site, sites)

    def enter(self, program: Program, rows: IntArray) -> None:
        """Let charge and discharge count in the rows (time, site) of their site; -1 stands for no row."""
        own = self.stores.site >= 0
        for flow, sign in ((self.columns.charge[:, own], 1.0), (self.columns.discharge[:, own], -1.0)):
            row = rows[:, self.stores.site[own]]
            known = (row >= 0) & (flow >= 0)
            program.entries(row[known], flow[known], sign)


def add_stores(program: Program, problem: GridProblem, segment: IntArray, injection: InjectionMap) -> StoreColumns:
    """Add charge, discharge, spill and level; what passes the converters goes into `injection`.

    Parameters
    ----------
    program, injection : what is being written
    problem : GridProblem
    segment : ndarray (time, segment)
        Columns of the units' output above their floors.
    """
    stores = problem.stores
    level = program.columns(stores.charge_mw.shape, upper=stores.energy_mwh)
    columns = StoreColumns(
        charge=_usable(program, stores.charge_mw, stores.cost_per_mwh * problem.step_h),
        discharge=_usable(program, stores.discharge_mw, stores.cost_per_mwh * problem.step_h),
        spill=_usable(program, stores.inflow_mw, 0.0),
        level=level,
        balance=_balance_levels(program, problem, level, segment),
    )
    step_h, drawn = problem.step_h, 1.0 / stores.efficiency_discharge
    for flow, energy in ((columns.charge, -stores.efficiency_charge), (columns.discharge, drawn), (columns.spill, 1.0)):
        known = flow >= 0
        weight = np.broadcast_to(energy, flow.shape)[known] * step_h
        program.entries(columns.balance[known], flow[known], weight)
    injection.add(columns.charge, stores.bus, -1.0)
    injection.add(columns.discharge, stores.bus, 1.0)
    _value_what_is_left(program, stores, level)
    return columns


def fed_pairs(problem: GridProblem) -> tuple[IntArray, IntArray]:
    """Return the segments whose output takes energy from a store, and which store that is."""
    store = problem.groups.store[problem.groups.segment_group]
    segment = np.flatnonzero(store >= 0).astype(np.int64)
    return segment, store[segment]


def _usable(program: Program, most_mw: FloatArray, cost: FloatArray | float) -> IntArray:
    """Columns (time, store) in [0, most], at a cost (store,) each; none where there is no room."""
    columns = np.full(most_mw.shape, -1, dtype=np.int64)
    used = most_mw > 0
    dear = np.broadcast_to(cost, most_mw.shape)[used]
    columns[used] = program.columns((int(used.sum()),), upper=most_mw[used], cost=dear)
    return columns


def _balance_levels(program: Program, problem: GridProblem, level: IntArray, segment: IntArray) -> IntArray:
    """Level[t] = kept · level[t-1] + what flows in - output of the units fed; converters and spill come later."""
    stores, step_h = problem.stores, problem.step_h
    rhs = step_h * (stores.inflow_mw - _floor_draw_mw(problem))
    rhs[:1] += stores.kept_share * stores.initial_mwh
    rows = program.rows(level.shape, rhs, rhs)
    program.entries(rows, level, 1.0)
    program.entries(rows[1:], level[:-1], -stores.kept_share)
    fed, of_store = fed_pairs(problem)
    program.entries(rows[:, of_store], segment[:, fed], step_h / stores.efficiency_discharge[of_store])
    return rows


def _floor_draw_mw(problem: GridProblem) -> FloatArray:
    """What the floors of the units fed take from each store (time, store)."""
    stores, groups = problem.stores, problem.groups
    fed = groups.store >= 0
    return sum_at(problem.lower_mw[:, fed], groups.store[fed], len(stores.bus)) / stores.efficiency_discharge


def _value_what_is_left(program: Program, stores: StoreProblem, level: IntArray) -> None:
    """The last level is cut into segments, each with its value."""
    part = program.columns(stores.value_mwh.shape, upper=stores.value_mwh, cost=-stores.value_per_mwh)
    rows = program.rows((len(part),), 0.0, 0.0)
    program.entries(rows[:, None], part, 1.0)
    program.entries(rows, level[-1], -1.0)
