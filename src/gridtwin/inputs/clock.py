"""The clock of a run against the series of its model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta

from gridtwin.errors import Issue
from gridtwin.inputs.tables import ModelFolder
from gridtwin.scenario.kinds import duration_text
from gridtwin.scenario.load import LocatedScenario
from gridtwin.scenario.schema import Scenario
from gridtwin.timegrid import TimeGrid

__all__ = ["clock_issues", "coverage_issues", "skipped_s", "time_grid"]


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
    shortest = min(model.series.values(), key=lambda series: len(series.values))
    end = shortest.clock.instant(len(shortest.values))
    if not begin <= time.start < end:
        message = f"{time.start.isoformat()} is outside the model's series, {begin.isoformat()} to {end.isoformat()}"
        yield scenario.issue(message, "time", "start")
    elif skipped_s(scenario.value, model) % finer_s:
        message = f"{time.start.isoformat()} is not on a step of the model's series, which start {begin.isoformat()}"
        yield scenario.issue(f"{message} every {duration_text(spec.step)}", "time", "start")
    elif scenario.sound("time", "duration") and time.start + timedelta(seconds=time.duration) > end:
        short_s = int((time.start + timedelta(seconds=time.duration) - end).total_seconds())
        message = f"the run outlasts {shortest.file}, which ends {end.isoformat()}, by {duration_text(short_s)}"
        yield scenario.issue(f"{message}; start earlier or shorten it", "time", "duration")


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
            f"{duration_text(short_s)} short: start earlier, or shorten time.duration, workload.delay_classes or "
            "workload.duration_bins",
            "time",
            "duration",
        )
