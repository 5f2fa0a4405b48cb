"""What a scenario's forecasts need of the series."""

from __future__ import annotations

from collections.abc import Iterator

from gridtwin.errors import Issue
from gridtwin.profiles.series import Profiles
from gridtwin.scenario.load import LocatedScenario
from gridtwin.timegrid import TimeGrid

__all__ = ["forecast_issues"]


def forecast_issues(
    scenario: LocatedScenario, time: TimeGrid, actual: Profiles, day_ahead: Profiles | None
) -> Iterator[Issue]:
    """Check that what is to be told is there."""
    assert scenario.value is not None
    kind = scenario.value.forecast.series.kind
    if kind == "file" and day_ahead is None:
        message = "file tells what was scheduled while something else comes true, but what was scheduled comes true"
        yield scenario.issue(f"{message}; set series: real_time, or tell it perfect", "forecast")
    if kind == "persistence" and actual.steps < time.steps_per_day:
        message = f"persistence repeats a day, but the series go on for {actual.steps} steps"
        yield scenario.issue(f"{message}; start earlier", "forecast")
