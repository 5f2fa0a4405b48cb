"""Work that nobody may do: no site with nodes of its class, near enough, with hardware that fits, in its region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gridtwin.errors import Issue
from gridtwin.inputs.fleet import MS_PER_S, at_home, fitting, near_enough
from gridtwin.inputs.origins import Part, parts_of
from gridtwin.inputs.tables import ModelFolder
from gridtwin.records import Fleet
from gridtwin.scenario.load import LocatedScenario
from gridtwin.units import BoolArray

__all__ = ["unserved_issues"]

Condition = tuple[BoolArray, str]  # sites that meet it, and what is said where none is left


def unserved_issues(scenario: LocatedScenario, model: ModelFolder, fleet: Fleet) -> Iterator[Issue]:
    """Yield every origin whose jobs or requests have no site, and why; unknown names are reported elsewhere."""
    assert scenario.value is not None
    workload, origins = scenario.value.workload, model.tables["origins"].text("origin")
    for i, stream in enumerate(workload.batch):
        if stream.compute_class in fleet.axes.compute_class and scenario.sound("workload", "batch", i):
            for part in [part for part, share in parts_of(stream).items() if share and part.origin in origins]:
                met = [
                    *_near(model, fleet, part.origin, stream.compute_class),
                    *_fits(model, part, stream.compute_class),
                    *_home(scenario, model, part.origin, stays=part.resident),
                ]
                path = ("workload", "batch", i, "origin_shares", part.origin)
                yield from _unmet(scenario, path, stream.compute_class, met)
    for i, service in enumerate(workload.services):
        if service.compute_class in fleet.axes.compute_class and scenario.sound("workload", "services", i):
            for origin in [origin for origin, rate in service.requests_per_s.items() if rate and origin in origins]:
                met = [
                    *_near(model, fleet, origin, service.compute_class),
                    *_nearer(fleet, origin, service.max_latency_oneway_ms),
                    *_home(scenario, model, origin, stays=service.resident_share > 0),
                ]
                path = ("workload", "services", i, "requests_per_s", origin)
                yield from _unmet(scenario, path, service.compute_class, met)


def _unmet(
    scenario: LocatedScenario, path: tuple[str | int, ...], compute_class: str, conditions: Sequence[Condition]
) -> Iterator[Issue]:
    """Yield the first condition that leaves no site."""
    left = np.ones(len(conditions[0][0]), dtype=bool)
    for met, message in conditions:
        left = left & met
        if not left.any():
            where = scenario.document.at_key(*path)
            yield where.issue(f"nobody serves class {compute_class!r} for origin {path[-1]!r}: {message}")
            return


def _near(model: ModelFolder, fleet: Fleet, origin: str, compute_class: str) -> Iterator[Condition]:
    c, o = fleet.axes.compute_class.index(compute_class), fleet.axes.origin.index(origin)
    yield fleet.capacity_nodes[:, c] > 0, "no site has nodes of that class"
    message = "it reaches no site with nodes of that class; see max_latency_oneway_ms of the class and the WAN table"
    yield near_enough(model, fleet.latency_oneway_s)[o, c], message


def _nearer(fleet: Fleet, origin: str, limit_ms: float | None) -> Iterator[Condition]:
    if limit_ms is not None:
        near = fleet.latency_oneway_s[fleet.axes.origin.index(origin)] <= limit_ms / MS_PER_S
        yield near, f"no site within reach answers within max_latency_oneway_ms = {limit_ms:g} of the service"


def _fits(model: ModelFolder, part: Part, compute_class: str) -> Iterator[Condition]:
    wanted = [
        f"{what} {' or '.join(sorted(names))}"
        for what, names in (("instruction set", part.requires.instruction_set), ("stack", part.requires.stack))
        if names
    ]
    c = list(model.spec.compute.classes).index(compute_class)
    yield fitting(model, [part])[0, c], f"no site within reach has hardware of {' and '.join(wanted)}"


def _home(scenario: LocatedScenario, model: ModelFolder, origin: str, *, stays: bool) -> Iterator[Condition]:
    assert scenario.value is not None
    kept = scenario.value.compute.reach == "region"
    if kept or stays:
        table = model.tables["origins"]
        region = table.text("region")[table.text("origin").index(origin)]
        why = "compute.reach keeps its work there" if kept else "its residents may not leave it"
        none = f"its region {region!r} has no such site" if region else f"{table.file} gives it no region"
        yield at_home(model, [origin])[0], f"{none}, and {why}"
