"""What a policy is told of the coming steps, as the scenario's `forecast` has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from gridtwin.profiles.forecasts import last_day, relative_error, with_error
from gridtwin.profiles.series import Profiles
from gridtwin.records import ComputeState, UnitData
from gridtwin.scenario.forecast import Forecasts
from gridtwin.timegrid import TimeGrid
from gridtwin.units import DAY_S, FloatArray, IntArray
from gridtwin.workload.forecasts import believed_work, repeated_arrivals, resampled_arrivals
from gridtwin.workload.jobs import JobTable

__all__ = ["Forecaster", "Told"]

WEEK_S = 7 * DAY_S


class _Stream(IntEnum):
    """Random numbers of their own for each thing foretold."""

    SERIES = 1
    ARRIVALS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is expected from a window's first step on."""

    series: Profiles
    jobs: JobTable  # rows before `compute.next_row` are there, the others are expected
    compute: ComputeState  # in terms of `jobs`
    clipped: IntArray  # (time,) values that an error would have taken beyond what can be


@dataclass(frozen=True, slots=True, eq=False)
class Forecaster:
    """Tells the future from what comes true, with the errors that a scenario states.

    Errors are drawn anew in every window, from the run's seed and the window's number, so that a run that is resumed
    is told the same. Power usage effectiveness, services and required reserves are always told as they come true.

    Parameters
    ----------
    spec : Forecasts
    time : TimeGrid
    actual : Profiles
        What comes true.
    day_ahead : Profiles or None
        What was scheduled; needed by `series: file`.
    jobs : JobTable
        The run.
    units : UnitData
        Profiles of one technology share their error; no profile is told beyond the size of its units.
    seed : int
    """

    spec: Forecasts
    time: TimeGrid
    actual: Profiles
    day_ahead: Profiles | None
    jobs: JobTable
    units: UnitData
    seed: int

    def tell(self, window: int, compute: ComputeState, steps: int) -> Told:
        """Return what is expected of the `steps` steps from the start of `window` on, which the fleet is in."""
        first = window * self.time.window_steps
        series, clipped = self._series(window, first, steps)
        if self.spec.arrivals.kind == self.spec.runtimes.kind == "perfect":
            return Told(series, self.jobs, compute, clipped)
        row, submit_s, clipped_arrivals = self._arrivals(window, compute, steps)
        jobs, believed = believed_work(self.jobs, compute, row, submit_s, self.time.step_s)
        return Told(series, jobs, believed, clipped + clipped_arrivals)

    def _series(self, window: int, first: int, steps: int) -> tuple[Profiles, IntArray]:
        at = np.arange(first, first + steps)
        actual, exact = self.actual.at(at), np.zeros(steps, np.int64)
        match self.spec.series.kind:
            case "persistence":
                before = last_day(first, steps, self.time.steps_per_day)
                return _with_weather(actual, self.actual.at(before)), exact
            case "file":
                assert self.day_ahead is not None  # `inputs` refuses a scenario without
                return _with_weather(actual, self.day_ahead.at(at)), exact
            case "noisy":
                return self._noisy(window, actual)
        return actual, exact

    def _noisy(self, window: int, actual: Profiles) -> tuple[Profiles, IntArray]:
        """One error for all load, one for all inflow, one for the profiles of each technology: weather is wide."""
        spec, steps = self.spec.series, actual.steps
        assert spec.error is not None
        assert spec.correlation_h is not None
        technology, most_mw = _profile_kinds(self.units, len(actual.profile))
        kinds = int(technology.max(initial=-1)) + 1
        drawn = relative_error(
            self._random(window, _Stream.SERIES), steps, 2 + kinds, 1.0, spec.correlation_h / self.time.step_h
        )
        load_error = drawn[:, :1] * (spec.load_error or spec.error)
        factor, cut_load = with_error(np.ones((steps, 1)), load_error, np.inf)
        inflow_mw, cut_inflow = with_error(actual.inflow_mw, drawn[:, 1:2] * spec.error, np.inf)
        available_mw, cut = with_error(actual.available_mw, drawn[:, 2 + technology] * spec.error, most_mw)
        told = replace(
            actual,
            load_mw=actual.load_mw * factor,
            load_mvar=actual.load_mvar * factor,
            available_mw=available_mw,
            inflow_mw=inflow_mw,
        )
        return told, cut_load + cut_inflow + cut

    def _arrivals(self, window: int, compute: ComputeState, steps: int) -> tuple[IntArray, IntArray, IntArray]:
        """Return rows like which jobs are expected, when, and what was clipped; nobody submits after the run's end."""
        spec, step_s, submit_s = self.spec.arrivals, self.time.step_s, self.jobs.submit_s
        until_s = compute.now_s + steps * step_s
        exact = np.zeros(steps, np.int64)
        if spec.kind == "persistence":
            until_s = min(until_s, self.time.submit_steps * step_s)
            return *repeated_arrivals(submit_s, compute.now_s, until_s, (DAY_S, WEEK_S)), exact
        row = np.arange(compute.next_row, np.searchsorted(submit_s, until_s), dtype=np.int64)
        if spec.kind == "perfect":
            return row, submit_s[row], exact
        assert spec.error is not None
        assert spec.correlation_h is not None
        rng = self._random(window, _Stream.ARRIVALS)
        error = relative_error(rng, steps, 1, spec.error, spec.correlation_h / self.time.step_h)
        factor, clipped = with_error(np.ones((steps, 1)), error, np.inf)
        row = resampled_arrivals(rng, submit_s, row, compute.now_s, step_s, factor[:, 0])
        return row, submit_s[row], clipped

    def _random(self, window: int, stream: _Stream) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(stream, window)))


def _with_weather(actual: Profiles, expected: Profiles) -> Profiles:
    """Take from `expected` what is foretold at all."""
    foretold = ("load_mw", "load_mvar", "available_mw", "inflow_mw")
    return replace(actual, **{name: getattr(expected, name) for name in foretold})


def _profile_kinds(units: UnitData, profiles: int) -> tuple[IntArray, FloatArray]:
    """Return number of the technology and size of the largest unit (profile,); unused profiles go with the first."""
    technology, most_mw = np.zeros(profiles, np.int64), np.zeros(profiles)
    profiled = np.flatnonzero(units.profile >= 0)
    names = sorted({units.technology[unit] for unit in profiled})
    for unit in profiled:
        technology[units.profile[unit]] = names.index(units.technology[unit])
    np.maximum.at(most_mw, units.profile[profiled], units.p_max_mw[profiled])
    return technology, most_mw
