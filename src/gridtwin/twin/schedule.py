"""Stores and links in real time: they do as planned, as far as the energy that is really there allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.dispatch import DispatchPlan
from gridtwin.policies.base import Forecast, System
from gridtwin.records import StoreData
from gridtwin.units import FloatArray

__all__ = ["Schedule", "StoreSteps", "follow_schedule", "step_stores"]


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """What stores, the units that feed on them, and HVDC links did."""

    charge_mw: FloatArray  # (time, store)
    discharge_mw: FloatArray  # (time, store) of its own converter
    inflow_mw: FloatArray  # (time, store)
    spill_mw: FloatArray  # (time, store) inflow that found no room
    stored_mwh: FloatArray  # (time, store) at the end of each step
    unit_mw: FloatArray  # (time, unit) of the units that feed on a store; 0 for the others
    link_mw: FloatArray  # (time, link) sent, positive from -> to


@dataclass(frozen=True, slots=True, eq=False)
class StoreSteps:
    """How far stores can do what is asked of them."""

    stored_mwh: FloatArray  # (time, store) at the end of each step
    spill_mwh: FloatArray  # (time, store)
    given_share: FloatArray  # (time, store) of the energy asked for that was there
    taken_share: FloatArray  # (time, store) of the charge offered that found room


def follow_schedule(system: System, plan: DispatchPlan, stored_mwh: FloatArray, actual: Forecast) -> Schedule:
    """Carry out a plan on the inflow that came true.

    Parameters
    ----------
    system : System
    plan : DispatchPlan
        Over at least the steps of `actual`.
    stored_mwh : ndarray (store,), MWh
        At the start of the first step.
    actual : Forecast
        Conditions that came true.

    Returns
    -------
    Schedule
        Where a store runs empty, its output and that of its units falls short in proportion. What finds no room is
        spilled if it flows in, and not charged otherwise.
    """
    stores, units, hours = system.stores, system.units, system.step_h
    fed, part = units.store >= 0, slice(0, actual.steps)
    unit_mw = np.where(fed, plan.unit_mw[part], 0.0)
    charge_mw, discharge_mw = plan.grid.charge_mw[part], plan.grid.discharge_mw[part]
    output_mw = discharge_mw + sum_at(unit_mw[:, fed], units.store[fed], len(stores.store))
    steps = step_stores(
        stores,
        stored_mwh,
        (1.0 - stores.standing_loss_per_h) ** hours,
        offered_mwh=stores.efficiency_charge * charge_mw * hours,
        inflow_mwh=actual.inflow_mw * hours,
        asked_mwh=output_mw / stores.efficiency_discharge * hours,
    )
    unit_mw[:, fed] *= steps.given_share[:, units.store[fed]]
    link_mw = np.tile(system.grid.link_schedule_mw, (actual.steps, 1))
    link_mw[:, system.grid.link_dispatched] = plan.grid.link_mw[part]
    return Schedule(
        charge_mw=charge_mw * steps.taken_share,
        discharge_mw=discharge_mw * steps.given_share,
        inflow_mw=actual.inflow_mw,
        spill_mw=steps.spill_mwh / hours,
        stored_mwh=steps.stored_mwh,
        unit_mw=unit_mw,
        link_mw=link_mw,
    )


def step_stores(
    stores: StoreData,
    stored_mwh: FloatArray,
    kept_share: FloatArray,
    *,
    offered_mwh: FloatArray,
    inflow_mwh: FloatArray,
    asked_mwh: FloatArray,
) -> StoreSteps:
    """Let stores run from step to step, never below empty nor above full.

    Parameters
    ----------
    stores : StoreData
    stored_mwh : ndarray (store,), MWh
    kept_share : ndarray (store,)
        Of the energy at the start of a step that is there at its end.
    offered_mwh, inflow_mwh, asked_mwh : ndarray (time, store), MWh
        Behind the converter; what a step brings is there for its output.
    """
    levels, spill, given, taken = (np.zeros_like(asked_mwh) for _ in range(4))
    level = stored_mwh
    for step, (offered, inflow, asked) in enumerate(zip(offered_mwh, inflow_mwh, asked_mwh, strict=True)):
        there = kept_share * level + inflow + offered
        out = np.minimum(asked, there)
        over = np.maximum(there - out - stores.energy_mwh, 0.0)
        spill[step] = np.minimum(over, inflow)
        given[step] = ratio_or_zero(out, asked)
        taken[step] = ratio_or_zero(offered - (over - spill[step]), offered)
        level = levels[step] = there - out - over
    return StoreSteps(levels, spill, given, taken)
