"""Real time: redispatch for what the sites really draw, then AC until no slack is left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridtwin.compute.power import it_power_mw
from gridtwin.dispatch import DispatchPlan, GridPlan, dispatch_grid
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.losses import loss_estimate
from gridtwin.policies.ac_check import COMMITTED_MW, ac_injections, by_headroom
from gridtwin.policies.base import Observation, System
from gridtwin.policies.feedback import active_rate_mw
from gridtwin.policies.grid_problem import pose_grid, unit_floor_mw
from gridtwin.records import AcInjections, AcSolution, ComputeRecord, LossEstimate
from gridtwin.units import BoolArray, FloatArray

__all__ = ["Settled", "settle"]

BALANCED_MW = 1e-7
MAX_PASSES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What the grid really did in one window."""

    site_mw: FloatArray  # (time, site) at the meter
    it_mw: FloatArray  # (time, site)
    unit_mw: FloatArray  # (time, unit)
    available_mw: FloatArray  # (time, unit)
    load_mw: FloatArray  # (time, bus) what was served, sites apart
    shed_mw: FloatArray  # (time, bus)
    spill_mw: FloatArray  # (time,)
    committed: BoolArray  # (time, unit)
    moved_mw: FloatArray  # (time,) moved by units, up and down added, so that the slack moves nothing
    injections: AcInjections
    redispatch: GridPlan
    ac: AcSolution


def settle(system: System, ac_grid: AcGrid, actual: Observation, plan: DispatchPlan, record: ComputeRecord) -> Settled:
    """Settle the steps of `actual.forecast`, which holds the conditions that came true.

    Units that the plan runs move at segment cost within limits and ramps; of the others only quick starters may come.
    The limits that the review of the plan found hold again. The redispatch is solved twice, the second time with what
    AC showed the first to have missed: losses, and reactive power in lines of a reviewed plan. What is left over then
    goes to running units by headroom, not to the slack bus.
    """
    conditions = actual.forecast
    it_mw = it_power_mw(record.busy_node_s / system.step_s, record.service_nodes, system.fleet)
    site_mw = it_mw * conditions.pue
    available = _available_in_real_time(system, actual, plan.unit_mw[: conditions.steps])
    real_time = replace(actual, forecast=replace(conditions, unit_available_mw=available))
    losses = _planned_losses(system, actual, plan)
    problem = pose_grid(system, real_time, losses, site_mw, plan.grid)
    first = dispatch_grid(problem)
    seen = ac_grid.solve(ac_injections(system, real_time.forecast, first, site_mw))
    rate_mw = problem.rate_mw
    if plan.review is not None:
        rate_mw = np.minimum(rate_mw, active_rate_mw(seen, first.flow_mw, rate_mw, system.grid))
    missed_mw = np.nan_to_num(seen.slack_excess_mw)
    losses = replace(losses, losses_mw=losses.losses_mw + missed_mw)
    redispatch = dispatch_grid(replace(problem, losses=losses, rate_mw=rate_mw))
    asked = ac_injections(system, real_time.forecast, redispatch, site_mw)
    balanced, solution, moved = _balance(ac_grid, asked, unit_floor_mw(system, available), available)
    return Settled(
        site_mw=site_mw,
        it_mw=it_mw,
        unit_mw=balanced.unit_mw,
        available_mw=conditions.unit_available_mw,
        load_mw=conditions.load_mw,
        shed_mw=redispatch.shed_mw,
        spill_mw=redispatch.spill_mw,
        committed=balanced.committed,
        moved_mw=moved,
        injections=balanced,
        redispatch=redispatch,
        ac=solution,
    )


def _available_in_real_time(system: System, actual: Observation, planned_mw: FloatArray) -> FloatArray:
    """What each unit can give (time, unit) without a start that takes longer than a step.

    A unit that runs when the window begins and is not planned to may still run down along its ramp.
    """
    units = system.units
    can_move = (planned_mw > COMMITTED_MW) | units.quick_start | (units.profile >= 0)
    hours = system.step_h * np.arange(1, len(planned_mw) + 1)[:, None]
    running_down = np.maximum(np.nan_to_num(actual.memory.unit_mw) - units.ramp_mw_per_h * hours, 0.0)
    return np.where(can_move, actual.forecast.unit_available_mw, running_down)


def _planned_losses(system: System, actual: Observation, plan: DispatchPlan) -> LossEstimate:
    """Losses about the planned flows, scaled as AC losses were at the same time of day before."""
    ratio = actual.memory.loss_ratio[actual.step_of_day]
    flow_mw = plan.grid.flow_mw[: actual.forecast.steps]
    return loss_estimate(flow_mw, system.network, np.where(np.isnan(ratio), 1.0, ratio))


def _balance(
    ac_grid: AcGrid, injections: AcInjections, floor_mw: FloatArray, available_mw: FloatArray
) -> tuple[AcInjections, AcSolution, FloatArray]:
    """Let running units take over what the slack would have to give, until it gives nothing.

    Steps without a solution, or without headroom, keep their excess; it is recorded with the solution.
    """
    moved = np.zeros(len(injections.unit_mw))
    solution = ac_grid.solve(injections)
    for _ in range(MAX_PASSES):
        excess = np.nan_to_num(solution.slack_excess_mw)
        taken = by_headroom(injections.unit_mw, floor_mw, available_mw, excess)
        if np.abs(excess).max() <= BALANCED_MW or not taken.any():
            break
        moved += np.abs(taken).sum(axis=1)
        injections = replace(injections, unit_mw=injections.unit_mw + taken)
        solution = ac_grid.solve(injections)
    return injections, solution, moved
