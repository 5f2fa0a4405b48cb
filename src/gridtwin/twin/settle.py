"""Real time: redispatch for what the sites really draw, then AC until no slack is left."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridtwin.arrays import link_injection_mw, sum_at
from gridtwin.compute.power import it_power_mw
from gridtwin.dispatch import Bundles, DispatchPlan, GridPlan, GridProblem, LinkProblem, StoreProblem, dispatch_grid
from gridtwin.grid.losses import loss_estimate
from gridtwin.policies.ac_check import COMMITTED_MW, ac_injections, by_headroom
from gridtwin.policies.base import Observation, PowerFlow, System
from gridtwin.policies.feedback import active_rate_mw
from gridtwin.policies.grid_problem import pose_grid, pose_links, unit_floor_mw
from gridtwin.policies.losses import remembered_fit
from gridtwin.records import AcInjections, AcSolution, ComputeRecord, LossEstimate
from gridtwin.twin.schedule import Schedule, follow_schedule
from gridtwin.units import BoolArray, FloatArray

__all__ = ["Settled", "settle"]

BALANCED_MW = 1e-7
MAX_PASSES = 12


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What the grid really did in one window."""

    facility_mw: FloatArray  # (time, site) equipment, cooling and conversion
    site_mw: FloatArray  # (time, site) at the meter: facility and what stores behind it draw or give
    it_mw: FloatArray  # (time, site)
    unit_mw: FloatArray  # (time, unit)
    available_mw: FloatArray  # (time, unit)
    load_mw: FloatArray  # (time, bus) what was served, sites apart
    shed_mw: FloatArray  # (time, bus)
    dumped_mw: FloatArray  # (time, bus) surplus that nothing takes
    online_mw: FloatArray  # (time, unit) capacity online, NaN where it is not decided
    committed: BoolArray  # (time, unit)
    schedule: Schedule
    moved_mw: FloatArray  # (time,) moved by units, up and down added, so that the slack moves nothing
    injections: AcInjections
    posed: GridProblem  # what the redispatch was asked
    redispatch: GridPlan
    ac: AcSolution


def settle(
    system: System, ac_grid: PowerFlow, actual: Observation, plan: DispatchPlan, record: ComputeRecord
) -> Settled:
    """Settle the steps of `actual.forecast`, which holds the conditions that came true.

    Stores, the units that feed on them, and HVDC follow their schedule, and what is online by the day stays so. Flows
    between parts of one AC grid, and off contracts that have a price, move with the rest. Other units that the plan
    runs move at segment cost within limits and ramps; of the rest only quick starters may come. Limits that the review
    of the plan found hold again. The redispatch is solved twice, the second time with what AC showed the first to have
    missed: losses, and reactive power in lines of a reviewed plan; once more where that leaves steps without a
    solution, which then get wider limits. What is left over goes to running units by headroom, not to the slack bus.
    """
    conditions = actual.forecast
    it_mw = it_power_mw(record.busy_node_s / system.step_s, record.service_nodes, system.fleet)
    facility_mw = it_mw * conditions.pue
    planned_mw = plan.unit_mw[: conditions.steps]
    schedule = follow_schedule(system, plan, actual.memory.stored_mwh, conditions)
    available = np.where(system.units.store >= 0, schedule.unit_mw, _available_in_real_time(system, actual, planned_mw))
    real_time = replace(actual, forecast=replace(conditions, unit_available_mw=available))
    losses = _planned_losses(system, actual, plan)

    def asked_of_ac(found: GridPlan) -> AcInjections:
        stores_mw = schedule.charge_mw - schedule.discharge_mw
        link_mw = _link_mw(schedule, problem.links, found)
        return ac_injections(system, real_time.forecast, found, facility_mw, stores_mw, link_mw)

    online_mw = _online_mw(system, plan, conditions.unit_available_mw)
    problem = _real_time_problem(system, real_time, losses, facility_mw, schedule, plan)
    floor_mw = np.where(system.units.store >= 0, available, unit_floor_mw(system, real_time.forecast))
    floor_mw = np.fmax(floor_mw, system.unit_terms.least_share * online_mw)
    posed, seen = problem, None
    if not system.grid.transport:
        first = dispatch_grid(problem)
        seen = ac_grid.solve(asked_of_ac(first))
        posed = _corrected(system, problem, first, seen, plan)
    redispatch = dispatch_grid(posed, explain=True)
    balanced, solution, moved = _balance(ac_grid, asked_of_ac(redispatch), floor_mw, available)
    if plan.review is not None and seen is not None and not solution.converged.all():
        posed = _eased(system, posed, problem, ~solution.converged, seen.converged)
        redispatch = dispatch_grid(posed, explain=True)
        balanced, solution, moved = _balance(ac_grid, asked_of_ac(redispatch), floor_mw, available)
    return Settled(
        facility_mw=facility_mw,
        site_mw=facility_mw + behind_meters(system, schedule.charge_mw - schedule.discharge_mw),
        it_mw=it_mw,
        unit_mw=balanced.unit_mw,
        available_mw=conditions.unit_available_mw,
        load_mw=conditions.load_mw,
        shed_mw=redispatch.shed_mw,
        dumped_mw=redispatch.dumped_mw,
        online_mw=online_mw,
        committed=balanced.committed,
        schedule=replace(schedule, link_mw=_link_mw(schedule, problem.links, redispatch)),
        moved_mw=moved,
        injections=balanced,
        posed=posed,
        redispatch=redispatch,
        ac=solution,
    )


def behind_meters(system: System, store_mw: FloatArray) -> FloatArray:
    """Sum of (time, store) over the stores behind each site's meter (time, site)."""
    own = system.stores.site >= 0
    return sum_at(store_mw[:, own], system.stores.site[own], len(system.fleet.site))


def _real_time_problem(
    system: System,
    real_time: Observation,
    losses: LossEstimate,
    facility_mw: FloatArray,
    schedule: Schedule,
    plan: DispatchPlan,
) -> GridProblem:
    """Dispatch of what may still move; stores, the units they feed and links stand where their schedule puts them."""
    problem = pose_grid(system, real_time, losses, facility_mw, plan.grid)
    steps, groups = len(facility_mw), system.groups
    fed, scheduled_mw = groups.store >= 0, groups.total(schedule.unit_mw)
    online_mw = plan.grid.online_mw[:steps]
    lower_mw = np.fmax(problem.lower_mw, groups.least_share * online_mw)
    upper_mw = np.fmin(problem.upper_mw, online_mw)
    links = _moving_links(system, real_time, schedule)
    return replace(
        problem,
        groups=replace(
            groups,
            store=np.full_like(groups.store, -1),
            ramp_mw_per_h=np.where(fed | groups.daily, np.inf, groups.ramp_mw_per_h),
        ),
        lower_mw=np.where(fed, scheduled_mw, np.minimum(lower_mw, upper_mw)),
        upper_mw=np.where(fed, scheduled_mw, upper_mw),
        injection_mw=problem.injection_mw + _scheduled_injection(system, schedule, links),
        stores=StoreProblem.none(steps),
        links=links,
        bundles=_settled_bundles(problem, schedule, links),
        commitment=None,
        reserve_mw=np.zeros(steps),
    )


def _moving_links(system: System, real_time: Observation, schedule: Schedule) -> LinkProblem:
    """Flows that real time moves: between parts of one AC grid, and off a contract that has a price for it."""
    terms, links = system.link_terms, pose_links(system, real_time)
    contracted = terms.contract >= 0
    moves = np.where(contracted, np.isfinite(terms.deviation_per_mwh), terms.is_interface)
    kept = np.flatnonzero(moves[links.index])
    index = links.index[kept]
    under_contract = contracted[index]
    return LinkProblem(
        index=index,
        from_bus=links.from_bus[kept],
        to_bus=links.to_bus[kept],
        rate_mw=links.rate_mw[:, kept],
        loss=links.loss[kept],
        back_mw=np.tile(terms.back_mw[index], (len(schedule.link_mw), 1)),
        least_mw=np.tile(terms.least_mw[index], (len(schedule.link_mw), 1)),
        contract_mw=np.where(under_contract, schedule.link_mw[:, index], np.nan),
        deviation_per_mwh=terms.deviation_per_mwh[index],
        cost_per_mwh=terms.cost_per_mwh[index],
    )


def _settled_bundles(problem: GridProblem, schedule: Schedule, links: LinkProblem) -> Bundles | None:
    """Plants that serve a link, within what it carries by its schedule."""
    if problem.bundles is None:
        return None
    bundled, carrier = problem.bundles.group, problem.groups.link[problem.bundles.group]
    place = np.full(schedule.link_mw.shape[1], -1, dtype=np.int64)
    place[links.index] = np.arange(len(links.index))
    return Bundles(bundled, place[carrier], np.maximum(schedule.link_mw[:, carrier], 0.0))


def _link_mw(schedule: Schedule, moving: LinkProblem, found: GridPlan) -> FloatArray:
    """Flow of every link (time, link): its schedule, or what real time made of it."""
    link_mw = schedule.link_mw.copy()
    link_mw[:, moving.index] = found.link_mw
    return link_mw


def _online_mw(system: System, plan: DispatchPlan, available_mw: FloatArray) -> FloatArray:
    """Capacity of each unit that is online (time, unit); NaN where that is not decided by the day."""
    online_mw = system.groups.split(np.nan_to_num(plan.grid.online_mw[: len(available_mw)]), available_mw)
    return np.where(system.unit_terms.daily, online_mw, np.nan)


def _corrected(
    system: System, problem: GridProblem, first: GridPlan, seen: AcSolution, plan: DispatchPlan
) -> GridProblem:
    """Add what AC showed the first redispatch to have missed."""
    missed_mw = np.nan_to_num(seen.slack_excess_mw)
    losses = replace(problem.losses, losses_mw=problem.losses.losses_mw + missed_mw)
    if plan.review is None:
        return replace(problem, losses=losses)
    left_mw = active_rate_mw(seen, first.flow_mw, problem.rate_mw, system.grid)
    return replace(problem, losses=losses, rate_mw=np.minimum(problem.rate_mw, left_mw))


def _eased(
    system: System, corrected: GridProblem, problem: GridProblem, lost: BoolArray, before: BoolArray
) -> GridProblem:
    """Give steps (time,) that AC has no solution of the limits of `problem` if these had one, and else the ratings."""
    rate_mw = np.where((lost & before)[:, None], problem.rate_mw, corrected.rate_mw)
    rate_mw = np.where((lost & ~before)[:, None], system.network.rate_mw, rate_mw)
    return replace(corrected, rate_mw=rate_mw, cuts=problem.cuts.within(before | ~lost))


def _scheduled_injection(system: System, schedule: Schedule, moving: LinkProblem) -> FloatArray:
    """Stores and dispatched links that keep their schedule at their buses (time, bus), MW, signed into the grid."""
    grid, buses = system.grid, len(system.grid.bus)
    link_mw = np.where(grid.link_dispatched, schedule.link_mw, 0.0)
    link_mw[:, moving.index] = 0.0
    links = link_injection_mw(link_mw, grid.link_from, grid.link_to, grid.link_loss, buses)
    return links + sum_at(schedule.discharge_mw - schedule.charge_mw, system.stores.bus, buses)


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
    """Losses about the planned flows, as AC losses were at the same time of day before."""
    flow_mw = plan.grid.flow_mw[: actual.forecast.steps]
    return loss_estimate(flow_mw, system.network, remembered_fit(actual))


def _balance(
    ac_grid: PowerFlow, injections: AcInjections, floor_mw: FloatArray, available_mw: FloatArray
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
