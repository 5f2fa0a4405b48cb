"""Same-window feedback: AC looks at a plan before it is carried out, and says what the linear program missed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from gridtwin.dispatch import GridPlan, InjectionCuts, ReviewRecord, Tightening
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.sensitivity import voltage_sensitivity
from gridtwin.policies.ac_check import ac_injections, by_headroom
from gridtwin.policies.base import Forecast, Observation, System
from gridtwin.policies.grid_problem import unit_floor_mw
from gridtwin.records import AcInjections, AcSolution, GridData
from gridtwin.units import BoolArray, FloatArray

__all__ = ["Feedback", "WindowReview", "active_rate_mw", "reviewer"]

MAX_PASSES: Final = 2
NEAR_PERCENT: Final = 75.0  # lines loaded less keep the limit they have
AIM: Final = 0.998  # of the rating, so that what the next linear solution misses stays within it
LOADING_TOLERANCE_PERCENT: Final = 1e-6
VM_TOLERANCE_PU: Final = 1e-6
WORTH_SHARE: Final = (1e-5, 0.02)  # of a rating: a limit that falls by less is no reason for a first, a second pass
MOST_MW: Final = 20.0  # a voltage that would need more than this at its most effective bus is beyond cure


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """What a review of plans needs beside the plan."""

    system: System
    ac_grid: AcGrid
    steps: int  # of each plan that are carried out, and so reviewed
    voltage_per_mwh: float  # price of an MW that is missing at the bus where it would cure a voltage best


def reviewer(feedback: Feedback | None, observation: Observation) -> WindowReview | None:
    """Return what reviews the plans of one window, if anything does."""
    if feedback is None:
        return None
    return WindowReview(feedback, observation.forecast.head(min(feedback.steps, observation.forecast.steps)))


@dataclass(slots=True, eq=False)
class WindowReview:
    """Reviews the plans of one window, one after the other; call it with each and the draw of the sites."""

    feedback: Feedback
    conditions: Forecast
    _seen: list[_Seen] = field(default_factory=list, init=False)
    _missed_mw: FloatArray = field(init=False)  # (time,) what the plans' losses fall short of AC's
    _given_up: BoolArray = field(init=False)  # (time,) steps that no correction is tried on any more

    def __post_init__(self) -> None:
        self._missed_mw = np.zeros(self.conditions.steps)
        self._given_up = np.zeros(self.conditions.steps, dtype=bool)

    def __call__(self, plan: GridPlan, site_mw: FloatArray) -> Tightening | None:
        """Return other limits, or None where all is well, nothing can be done, or enough has been tried.

        Steps that a correction has left without a solution get back the limits that they began with, for good.
        """
        solution = self._solve(plan, site_mw)
        lost = self._lost(solution)
        rate_mw, thermal, lowered = self._rates(solution, plan)
        cuts, beyond = self._voltage_cuts(solution, plan) if not self._seen else (InjectionCuts.none(), 0)
        outside = int(np.count_nonzero(_outside(solution.vm_pu, self.feedback.system.grid)))
        self._seen.append(_Seen(plan, solution.converged, thermal, outside, beyond))
        retreat = np.zeros(len(plan.rate_mw), dtype=bool)
        retreat[: len(lost)] = lost
        rate_mw[retreat] = self._seen[0].plan.rate_mw[retreat]
        if len(self._seen) <= MAX_PASSES and (lowered or len(cuts) or lost.any()):
            return Tightening(rate_mw, cuts, retreat)
        if len(self._seen) == MAX_PASSES + 1 and lost.any():
            return Tightening(np.where(retreat[:, None], rate_mw, plan.rate_mw), InjectionCuts.none(), retreat)
        return None

    def _lost(self, solution: AcSolution) -> BoolArray:
        """Steps (time,) that had a solution before they were corrected; they are corrected no more."""
        lost: BoolArray = self._seen[0].converged & ~solution.converged if self._seen else np.zeros_like(self._given_up)
        self._given_up |= lost
        return lost

    def _rates(self, solution: AcSolution, plan: GridPlan) -> tuple[FloatArray, int, bool]:
        """Limits for what AC found, how many ratings it found broken, and whether these limits help any of them."""
        grid, steps = self.feedback.system.grid, self.conditions.steps
        in_force = plan.rate_mw[:steps]
        found_mw = active_rate_mw(solution, plan.flow_mw[:steps], in_force, grid)
        if self._seen:  # only yesterday's margins may be relaxed; to and fro would not settle
            found_mw = np.minimum(found_mw, in_force)
        found_mw = np.where(self._given_up[:, None], in_force, found_mw)
        thermal = solution.loading_percent > 100.0 + LOADING_TOLERANCE_PERCENT
        rated_mw = np.where(np.isfinite(grid.rate_mw), grid.rate_mw, 0.0)
        least_mw = WORTH_SHARE[min(len(self._seen), 1)] * rated_mw
        lowered = bool((thermal & (found_mw < in_force - least_mw)).any())
        return np.vstack([found_mw, plan.rate_mw[steps:]]), int(thermal.sum()), lowered

    def record(self) -> ReviewRecord:
        """Say what became of the window."""
        first, last = self._seen[0], self._seen[-1]
        rating = self.feedback.system.network.rate_mw
        return ReviewRecord(
            passes=min(len(self._seen) - 1, MAX_PASSES),
            given_up=int(self._given_up.sum()),
            tightened=int((last.plan.rate_mw[: self.conditions.steps] < rating).sum()),
            cuts=len(last.plan.cuts),
            thermal_before=first.thermal,
            thermal_after=last.thermal,
            voltage_before=first.voltage,
            voltage_after=last.voltage,
            voltage_beyond_cure=first.beyond_cure,
        )

    def _solve(self, plan: GridPlan, site_mw: FloatArray) -> AcSolution:
        """Solve a plan by AC, what its losses fall short of given by headroom as far as it is known by now."""
        system, conditions = self.feedback.system, self.conditions
        available_mw = conditions.unit_available_mw
        asked = _planned_injections(system, conditions, plan, site_mw)
        fed = system.units.store >= 0
        floor_mw = np.where(fed, asked.unit_mw, unit_floor_mw(system, self.conditions))
        ceiling_mw = np.where(fed, asked.unit_mw, available_mw)
        for _ in range(1 if self._seen else 2):
            given = by_headroom(asked.unit_mw, floor_mw, ceiling_mw, self._missed_mw)
            solution = self.feedback.ac_grid.solve(replace(asked, unit_mw=asked.unit_mw + given))
            self._missed_mw = self._missed_mw + np.nan_to_num(solution.slack_excess_mw)
        return solution

    def _voltage_cuts(self, solution: AcSolution, plan: GridPlan) -> tuple[InjectionCuts, int]:
        """Cuts for voltages outside their band, and how many of these active power cannot cure."""
        outside = _outside(solution.vm_pu, self.feedback.system.grid)
        cuts, beyond = InjectionCuts.none(), 0
        for step in np.flatnonzero(outside.any(axis=1)).tolist():
            own, incurable = self._cuts_of_step(solution, plan, outside[step], step)
            cuts, beyond = cuts.and_also(own), beyond + incurable
        return cuts, beyond

    def _cuts_of_step(
        self, solution: AcSolution, plan: GridPlan, outside_pu: FloatArray, step: int
    ) -> tuple[InjectionCuts, int]:
        system = self.feedback.system
        bus = np.flatnonzero(outside_pu)
        v_pu = solution.vm_pu[step] * np.exp(1j * np.deg2rad(solution.va_deg[step]))
        per_pu = voltage_sensitivity(
            self.feedback.ac_grid.ybus, v_pu, solution.holds_voltage[step], system.grid.slack, bus
        )
        weight = -np.sign(outside_pu[bus])[:, None] * np.where(_movable(system), per_pu, 0.0)
        strength = np.abs(weight).max(axis=1)
        needed_mw = np.abs(outside_pu[bus]) * system.grid.base_mva / np.maximum(strength, 1e-12)
        curable = needed_mw <= MOST_MW
        weight = -np.sign(outside_pu[bus[curable]])[:, None] * per_pu[curable] / strength[curable, None]
        lower_mw = weight @ plan.injection_mw[step] + needed_mw[curable]
        number = int(curable.sum())
        price = np.full(number, self.feedback.voltage_per_mwh)
        return InjectionCuts(np.full(number, step), weight, lower_mw, price), len(bus) - number


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What one look at a plan found."""

    plan: GridPlan
    converged: BoolArray  # (time,)
    thermal: int
    voltage: int
    beyond_cure: int


def active_rate_mw(solution: AcSolution, flow_mw: FloatArray, limit_mw: FloatArray, grid: GridData) -> FloatArray:
    """Active power that the linear program may let a line carry so that its apparent power stays within the rating.

    √(S² − Q²) of the end where that leaves less, with Q of the AC solution, less what active power there exceeds the
    linear flow by.

    Parameters
    ----------
    solution : AcSolution
    flow_mw : ndarray (time, line)
        Of the linear program that was solved by AC.
    limit_mw : ndarray (time, line)
        In force; kept where a line is loaded less than `NEAR_PERCENT`, or AC has no solution.
    grid : GridData

    Returns
    -------
    ndarray (time, line)
        Between 0 and the rating.
    """
    rating = AIM * grid.rate_mw
    rooms = [
        np.sqrt(np.maximum(rating**2 - q_mvar**2, 0.0)) - (np.abs(p_mw) - np.abs(flow_mw))
        for p_mw, q_mvar in ((solution.from_mw, solution.from_mvar), (solution.to_mw, solution.to_mvar))
    ]
    near = solution.loading_percent >= NEAR_PERCENT
    return np.where(near, np.clip(np.minimum(*rooms), 0.0, grid.rate_mw), limit_mw)


def _planned_injections(system: System, conditions: Forecast, plan: GridPlan, site_mw: FloatArray) -> AcInjections:
    """What a plan asks of AC in the steps of `conditions`."""
    part = slice(0, conditions.steps)
    link_mw = np.tile(system.grid.link_schedule_mw, (conditions.steps, 1))
    link_mw[:, system.grid.link_dispatched] = plan.link_mw[part]
    stores_mw = plan.charge_mw[part] - plan.discharge_mw[part]
    return ac_injections(system, conditions, plan, site_mw[part], stores_mw, link_mw)


def _outside(vm_pu: FloatArray, grid: GridData) -> FloatArray:
    """How far voltages are above (positive) or below (negative) their band; 0 within it and where there is none."""
    above, below = vm_pu - grid.vm_max_pu, vm_pu - grid.vm_min_pu
    return np.where(above > VM_TOLERANCE_PU, above, np.where(below < -VM_TOLERANCE_PU, below, 0.0))


def _movable(system: System) -> BoolArray:
    """Buses (bus,) where units or sites stand, whose power the dispatch may move."""
    there = np.zeros(len(system.grid.bus), dtype=bool)
    there[system.units.bus] = there[system.fleet.bus] = True
    return there
