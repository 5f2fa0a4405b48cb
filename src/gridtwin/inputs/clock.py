"""The clock of a run against the series of its model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, timedelta

from gridtwin.errors import Issue
from gridtwin.inputs.tables import ModelFolder
from gridtwin.profiles.files import Series
from gridtwin.scenario.kinds import duration_text
from gridtwin.scenario.load import LocatedScenario
from gridtwin.scenario.schema import Scenario, Time
from gridtwin.timegrid import TimeGrid
from gridtwin.units import DAY_S

__all__ = ["clock_issues", "coverage_issues", "shortest", "skipped_s", "time_grid", "wanted_steps"]

SPARE_S = 7 * DAY_S  # for jobs that end late, beyond the last one's due time


def time_grid(scenario: Scenario) -> TimeGrid:
    """Return the clock of a scenario without issues."""
    time = scenario.time
    return TimeGrid(
        start=time.start.astimezone(UTC),
        step_s=time.step,
        submit_steps=time.duration // time.step,
        window_steps=time.window // time.step,
        horizon_steps=time.horizon // time.step,
    )


def skipped_s(scenario: Scenario, model: ModelFolder) -> int:
    """Return how long after the first value of the model's series the run starts, s."""
    return int((scenario.time.start - model.spec.profiles.start).total_seconds())


def shortest(series: Iterable[Series]) -> Series:
    """Return the series that ends first; all start together."""
    return min(series, key=lambda one: one.length_s)


def wanted_steps(time: TimeGrid, last_due_s: int) -> int:
    """Return how far series must reach: to the last job's due time, a week more for late ones, and a horizon."""
    return time.windows_until(last_due_s) * time.window_steps + SPARE_S // time.step_s + time.horizon_steps


def clock_issues(scenario: LocatedScenario, model: ModelFolder) -> Iterator[Issue]:
    """Check that the run's step fits the series, and that they cover the time in which jobs arrive."""
    assert scenario.value is not None
    time, spec = scenario.value.time, model.spec.profiles
    if not scenario.sound("time", "step") or not model.model.sound("profiles"):
        return
    finer_s = min(time.step, spec.step)
    if time.step % finer_s or spec.step % finer_s:
        message = (
            f"{duration_text(time.step)} does not fit the model's series with a step of {duration_text(spec.step)}"
        )
        yield scenario.issue(f"{message}; one must be a multiple of the other", "time", "step")
    if not model.series or not scenario.sound("time", "start"):
        return
    begin = spec.start
    first = shortest(model.series.values())
    end = first.clock.instant(len(first.values))
    if not begin <= time.start < end:
        message = f"{time.start.isoformat()} is outside the model's series, {begin.isoformat()} to {end.isoformat()}"
        yield scenario.issue(message, "time", "start")
    elif skipped_s(scenario.value, model) % finer_s:
        message = f"{time.start.isoformat()} is not on a step of the model's series, which start {begin.isoformat()}"
        yield scenario.issue(f"{message} every {duration_text(spec.step)}", "time", "start")
    elif time.wrap:
        yield from _wrap_issues(scenario, time, model)
    elif scenario.sound("time", "duration") and time.start + timedelta(seconds=time.duration) > end:
        short_s = int((time.start + timedelta(seconds=time.duration) - end).total_seconds())
        message = f"the run outlasts {first.file}, which ends {end.isoformat()}, by {duration_text(short_s)}"
        yield scenario.issue(f"{message}; start earlier or shorten it", "time", "duration")


def _wrap_issues(scenario: LocatedScenario, time: Time, model: ModelFolder) -> Iterator[Issue]:
    """Check that series which wrap round stay in step with each other and the day, and that no hour has jobs twice."""
    first = shortest(model.series.values())
    longer = next((series.file for series in model.series.values() if series.length_s > first.length_s), None)
    length = duration_text(first.length_s)
    if longer is not None:
        message = f"{first.file} covers {length}, {longer} more; series that wrap round must end together"
        yield scenario.issue(message, "time", "wrap")
    elif first.length_s % DAY_S:
        message = f"the model's series cover {length}, no whole number of days; wrapped, noon would not be noon"
        yield scenario.issue(message, "time", "wrap")
    elif scenario.sound("time", "duration") and time.duration > first.length_s:
        message = f"{duration_text(time.duration)} is longer than the model's series, {length}"
        yield scenario.issue(f"{message}; they wrap round only for the last jobs to end", "time", "duration")


def coverage_issues(scenario: LocatedScenario, time: TimeGrid, last_due_s: int, profile_steps: int) -> Iterator[Issue]:
    """Check that the series also cover the time in which the last jobs end, and one window more."""
    window_s = time.window_steps * time.step_s
    needed_s = (time.windows_until(last_due_s) + 1) * window_s
    short_s = needed_s - profile_steps * time.step_s
    if short_s > 0:
        assert scenario.value is not None
        last_due = scenario.value.time.start + timedelta(seconds=last_due_s)
        yield scenario.issue(
            f"the last job may end {last_due.isoformat()}; up to then and one window more the model's series are "
            f"{duration_text(short_s)} short: start earlier, shorten time.duration, workload.delay_classes or "
            "workload.duration_bins, or set time.wrap",
            "time",
            "duration",
        )
