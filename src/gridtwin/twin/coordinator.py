"""The loop: observe, decide, apply, settle, record; once each per window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypedDict

import numpy as np

from gridtwin.compute.engine import execute, without_grants
from gridtwin.dispatch import DispatchPlan
from gridtwin.economics.tariffs import local_months, monthly_peaks_mw
from gridtwin.grid.losses import fit_losses
from gridtwin.policies import Forecast, GridMemory, Observation, Policy, PowerFlow, System
from gridtwin.policies.terminal import site_price, store_price
from gridtwin.profiles.series import Profiles
from gridtwin.records import ComputeRecord, ComputeState
from gridtwin.timegrid import TimeGrid
from gridtwin.twin.forecaster import Forecaster, Told
from gridtwin.twin.memory import give_back
from gridtwin.twin.recorder import Recorder
from gridtwin.twin.settle import Settled, settle
from gridtwin.twin.state import TwinState
from gridtwin.units import FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["Coordinator", "Progress"]


class PeakSoFar(TypedDict):
    """What demand charges carry over a window boundary."""

    peak_mw: FloatArray
    peak_month: int


Progress = Callable[[int, int], None]
MARGIN_FLOOR = 0.8  # reactive power of one day takes no more than the rest off tomorrow's ratings
WATCHED_SHARE = 0.9  # a limit that is used less today is not written from the start tomorrow


@dataclass(slots=True, eq=False)
class Coordinator:
    """One run: fixed parts around a state that moves from window to window."""

    time: TimeGrid
    jobs: JobTable
    profiles: Profiles
    forecaster: Forecaster
    lead_s: IntArray  # (job,) time that its data may take
    system: System
    ac_grid: PowerFlow
    policy: Policy
    recorder: Recorder
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def planned_windows(self) -> int:
        """Windows until the last job is due; more follow only while jobs are left and the profiles go on."""
        return min(self.time.windows_until(int(self.jobs.due_s.max(initial=0))), self._profile_windows)

    def run(self, state: TwinState, until: int | None = None, progress: Progress | None = None) -> TwinState:
        """Advance until every job has ended, the profiles end, or `until` windows are done.

        `progress` is called at the start and after each window, once that is on disk: what it raises stops the run
        where it can be taken up again.
        """
        self._tell(state, progress)
        while not self._finished(state) and (until is None or state.window < until):
            state = self.advance(state)
            self._tell(state, progress)
        return state

    def _tell(self, state: TwinState, progress: Progress | None) -> None:
        if progress is not None:
            progress(state.window, max(self.planned_windows, state.window))

    def advance(self, state: TwinState) -> TwinState:
        """Run one window from a frozen state to the next."""
        observation, kept = self._observe(state), self._kept(state)
        with self._timed("decide"):
            plan = self.policy.decide(observation)
        with self._timed("apply"):
            compute, record = self._apply(plan, kept)
        with self._timed("settle"):
            settled = settle(self.system, self.ac_grid, kept, plan, record)
        with self._timed("record"):
            after = TwinState(state.window + 1, compute, self._remember(state.memory, observation, plan, settled))
            self.recorder.write(observation.forecast, kept, plan, after, record, settled)
            give_back()
        return after

    def _apply(self, plan: DispatchPlan, kept: Observation) -> tuple[ComputeState, ComputeRecord]:
        """Let the fleet carry the plan out; what earlier plans granted lapses, for this one knows what has started."""
        return execute(
            without_grants(kept.compute),
            self.jobs,
            self.system.fleet,
            plan.fleet.compute,
            kept.forecast.service_nodes,
            kept.forecast.steps,
            self.system.step_s,
            self.system.discipline,
            self.lead_s,
        )

    def _finished(self, state: TwinState) -> bool:
        compute = state.compute
        idle = not any(len(row) for row in (compute.waiting_row, compute.running_row, compute.suspended_row))
        drained = state.window >= self.planned_windows and idle and compute.next_row == len(self.jobs)
        return drained or state.window >= self._profile_windows

    @property
    def _profile_windows(self) -> int:
        """Windows that the profiles fill to the last step."""
        return self.profiles.steps // self.time.window_steps

    def _observe(self, state: TwinState) -> Observation:
        """Return what the policy sees."""
        left = self.profiles.steps - state.window * self.time.window_steps
        told = self.forecaster.tell(state.window, state.compute, min(self.time.horizon_steps, left))
        return self._seen(state, told)

    def _kept(self, state: TwinState) -> Observation:
        """Return what comes true in the steps that this window keeps."""
        return self.as_it_comes(state, self.time.window_steps)

    def as_it_comes(self, state: TwinState, steps: int) -> Observation:
        """Return what comes true in the `steps` steps from a state on."""
        at = state.window * self.time.window_steps + np.arange(steps)
        return self._seen(state, Told(self.profiles.at(at), self.jobs, state.compute, np.zeros(steps, np.int64)))

    def _seen(self, state: TwinState, told: Told) -> Observation:
        first, series, units = state.window * self.time.window_steps, told.series, self.system.units
        available = np.tile(units.p_max_mw, (series.steps, 1))
        profiled = units.profile >= 0
        available[:, profiled] = series.available_mw[:, units.profile[profiled]]
        return Observation(
            instants=self.time.instants(first, series.steps),
            step_of_day=self._step_of_day(first, series.steps),
            jobs=told.jobs,
            compute=told.compute,
            memory=state.memory,
            forecast=Forecast(
                load_mw=series.load_mw,
                load_mvar=series.load_mvar,
                unit_available_mw=available,
                inflow_mw=_by_column(series.inflow_mw, self.system.stores.inflow, 0.0),
                minimum_mw=_by_column(series.minimum_mw, self.system.unit_terms.minimum, 0.0),
                contract_mw=_by_column(series.contract_mw, self.system.link_terms.contract, np.nan),
                reserve_mw=series.reserve_mw,
                area_reserve_mw=series.area_reserve_mw,
                pue=series.pue,
                service_nodes=series.service_nodes,
                clipped=told.clipped,
            ),
        )

    def _step_of_day(self, first: int, steps: int) -> IntArray:
        return np.array([self.time.step_of_day(step) for step in range(first, first + steps)], dtype=np.int64)

    def _remember(
        self, memory: GridMemory, observation: Observation, plan: DispatchPlan, settled: Settled
    ) -> GridMemory:
        """Keep, by time of day, what the next windows plan with; steps without an AC solution change nothing."""
        steps = len(settled.unit_mw)
        usable = settled.ac.converged
        at = observation.step_of_day[:steps][usable]
        flow, scale, rest_mw = memory.flow_mw.copy(), memory.loss_scale.copy(), memory.loss_rest_mw.copy()
        flow[at] = (settled.ac.from_mw - settled.ac.to_mw)[usable] / 2.0
        fit = fit_losses(settled.ac.losses_mw[usable], flow[at], self.system.network)
        scale[at], rest_mw[at] = fit.scale, fit.rest_mw
        binding = memory.binding.copy()
        near_limit = np.abs(plan.grid.flow_mw[:steps]) > WATCHED_SHARE * plan.grid.rate_mw[:steps]
        binding[observation.step_of_day[:steps]] = plan.grid.binding[:steps] & near_limit
        share = memory.rate_share.copy()
        share[observation.step_of_day[:steps]] = self._rate_share(plan.grid.rate_mw[:steps])
        return GridMemory(
            unit_mw=settled.unit_mw[-1],
            flow_mw=flow,
            loss_scale=scale,
            loss_rest_mw=rest_mw,
            price_per_mwh=site_price(self.system, plan.grid),
            binding=binding,
            rate_share=share,
            stored_mwh=settled.schedule.stored_mwh[-1],
            store_price_per_mwh=store_price(self.system, plan.grid),
            **self._peaks(memory, observation, settled),
        )

    def _rate_share(self, rate_mw: FloatArray) -> FloatArray:
        """What tomorrow begins with: half of what reactive power took off the ratings today (time, line)."""
        rating = self.system.network.rate_mw
        limited = np.isfinite(rating)
        share = np.ones_like(rate_mw)
        share[:, limited] = (1.0 + rate_mw[:, limited] / rating[limited]) / 2.0
        return np.maximum(share, MARGIN_FLOOR)

    def _peaks(self, memory: GridMemory, observation: Observation, settled: Settled) -> PeakSoFar:
        """Highest draw of each site in the month that the window ends in."""
        month = local_months(observation.instants[: len(settled.site_mw)], self.system.zone_s)
        last = int(month[-1])
        peak_mw = monthly_peaks_mw(settled.site_mw, month)[-1]
        return {
            "peak_mw": np.maximum(peak_mw, memory.peak_mw) if memory.peak_month == last else peak_mw,
            "peak_month": last,
        }

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + perf_counter() - start


def _by_column(series: FloatArray, column: IntArray, none: float) -> FloatArray:
    """Column of the series that belongs to each item (time, item); `none` where that is -1."""
    values = np.full((len(series), len(column)), none)
    values[:, column >= 0] = series[:, column[column >= 0]]
    return values
