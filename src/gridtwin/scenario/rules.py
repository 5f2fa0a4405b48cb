"""Rules between the keys of a scenario; what needs the model is checked in `inputs`."""

from __future__ import annotations

from collections.abc import Iterator

from gridtwin.errors import Issue
from gridtwin.located import did_you_mean
from gridtwin.scenario.check import Checked
from gridtwin.scenario.kinds import duration_text
from gridtwin.scenario.schema import Scenario, Service
from gridtwin.units import DAY_S

__all__ = ["scenario_issues"]


def scenario_issues(scenario: Checked[Scenario]) -> list[Issue]:
    """Return everything that the keys of a scenario say against each other."""
    if scenario.value is None:
        return []
    return [
        *_time(scenario, scenario.value),
        *_streams(scenario, scenario.value),
        *_services(scenario, scenario.value),
    ]


def _time(located: Checked[Scenario], scenario: Scenario) -> Iterator[Issue]:
    time = scenario.time
    step = duration_text(time.step)
    if located.sound("time", "step") and DAY_S % time.step:
        message = f"a day is no whole number of steps of {step}; choose one that divides 24h, such as 15min, 1h, 4h"
        yield located.issue(f"{message} or 1d", "time", "step")
        return
    for name in ("duration", "window", "horizon"):
        length = getattr(time, name)
        if located.sound("time", name) and located.sound("time", "step") and length % time.step:
            message = f"{duration_text(length)} is not a multiple of time.step = {step}"
            yield located.issue(message, "time", name)
    rhythm_sound = located.sound("time", "window") and located.sound("time", "horizon")
    if rhythm_sound and time.horizon < time.window:
        message = f"{duration_text(time.horizon)} is shorter than time.window = {duration_text(time.window)}"
        yield located.issue(f"{message}; a decision must see all it fixes", "time", "horizon")


def _streams(located: Checked[Scenario], scenario: Scenario) -> Iterator[Issue]:
    workload = scenario.workload
    for key in ("batch", "services"):
        names: list[str] = []
        for i, stream in enumerate(getattr(workload, key)):
            if stream.name in names:
                yield located.issue(f"{stream.name!r} is already the name of another", "workload", key, i, "name")
            names.append(stream.name)
    if not located.sound("workload", "delay_classes"):
        return
    for i, stream in enumerate(workload.batch):
        path = ("workload", "batch", i, "delay_shares")
        for name in stream.delay_shares if located.sound(*path) else ():
            if name not in workload.delay_classes:
                message = f"unknown delay class {name!r}{did_you_mean(name, workload.delay_classes)}"
                yield located.document.at_key(*path, name).issue(message)


def _services(located: Checked[Scenario], scenario: Scenario) -> Iterator[Issue]:
    """Services of a class share its nodes, which therefore run at one utilisation."""
    first: dict[str, Service] = {}
    for i, service in enumerate(scenario.workload.services):
        other = first.setdefault(service.compute_class, service)
        path = ("workload", "services", i)
        if located.sound(*path) and service.target_utilization != other.target_utilization:
            message = (
                f"{service.target_utilization:g}, but service {other.name!r} of class {service.compute_class!r} has "
                f"{other.target_utilization:g}; give both the same, or classes of their own"
            )
            yield located.issue(message, *path, "target_utilization")
