"""What a scenario asks of the data centres, against what the model has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from gridtwin.catalogue.requirements import INSTRUCTION_SETS, STACKS
from gridtwin.errors import InputError, Issue
from gridtwin.inputs.bursts import bursts_of
from gridtwin.inputs.origins import shares_by_part
from gridtwin.inputs.places import find_trace, trace_names
from gridtwin.inputs.tables import ModelFolder
from gridtwin.located import KeyPath, did_you_mean, shown
from gridtwin.records import Fleet, QueueAxes
from gridtwin.scenario.kinds import duration_text
from gridtwin.scenario.load import LocatedScenario
from gridtwin.scenario.schema import Batch, Burst, Requires, Scenario
from gridtwin.units import IntArray
from gridtwin.workload.jobs import JobTable
from gridtwin.workload.reach import largest_pool_nodes
from gridtwin.workload.streams import BatchStream, generate_jobs
from gridtwin.workload.traces import Trace, read_trace

__all__ = ["draw_jobs", "find_traces", "fit_issues", "name_issues", "read_traces"]


def find_traces(scenario: LocatedScenario, near: Path, issues: list[Issue]) -> dict[str, Path]:
    """Return the files of the traces a scenario names; missing ones become issues."""
    assert scenario.value is not None
    found: dict[str, Path] = {}
    for i, stream in enumerate(scenario.value.workload.batch):
        key = ("workload", "batch", i, "trace")
        if not scenario.sound(*key):
            continue
        if path := find_trace(stream.trace, near):
            found[stream.trace] = path
        else:
            hint = did_you_mean(stream.trace, trace_names(near))
            issues.append(scenario.issue(f"no file and no shipped trace {stream.trace!r}{hint}", *key))
    return found


def read_traces(files: Mapping[str, Path], issues: list[Issue]) -> dict[str, Trace]:
    """Read traces; what is wrong with them becomes issues."""
    traces: dict[str, Trace] = {}
    for name, path in files.items():
        try:
            traces[name] = read_trace(shown(path))
        except InputError as error:
            issues.extend(error.issues)
    return traces


def name_issues(scenario: LocatedScenario, model: ModelFolder) -> Iterator[Issue]:
    """Check the classes and origins that streams and services name."""
    assert scenario.value is not None
    workload = scenario.value.workload
    for i, stream in enumerate(workload.batch):
        path = ("workload", "batch", i)
        yield from _class_issues(scenario, model, (*path, "compute_class"), stream.compute_class, service=False)
        yield from _origin_issues(scenario, model, (*path, "origin_shares"), stream.origin_shares)
        yield from _requirement_issues(scenario, path, stream.requires)
        yield from _burst_issues(scenario, model, path, stream.bursts)
    for i, service in enumerate(workload.services):
        path = ("workload", "services", i)
        yield from _class_issues(scenario, model, (*path, "compute_class"), service.compute_class, service=True)
        yield from _origin_issues(scenario, model, (*path, "requests_per_s"), service.requests_per_s)
        yield from _burst_issues(scenario, model, path, service.bursts)
        yield from _tier_issues(scenario, model, (*path, "tiers"), service.tiers)


def _class_issues(
    scenario: LocatedScenario, model: ModelFolder, path: KeyPath, name: str, *, service: bool
) -> Iterator[Issue]:
    if not scenario.sound(*path) or not model.model.sound("compute", "classes"):
        return
    classes = model.spec.compute.classes
    if name not in classes:
        yield scenario.issue(f"unknown compute class {name!r}{did_you_mean(name, classes)}", *path)
    elif classes[name].service != service:
        fitting = [other for other, spec in classes.items() if spec.service == service]
        kinds = ("batch jobs", "services") if service else ("services", "batch jobs")
        message = f"class {name!r} hosts {kinds[0]}, not {kinds[1]}; those that do: {', '.join(fitting) or 'none'}"
        yield scenario.issue(message, *path)


def _origin_issues(
    scenario: LocatedScenario, model: ModelFolder, path: KeyPath, names: Iterable[str]
) -> Iterator[Issue]:
    origins = model.tables.get("origins")
    if origins is None or not scenario.sound(*path):
        return
    known = origins.text("origin")
    for name in names:
        if name not in known:
            where = scenario.document.at_key(*path, name)
            yield where.issue(f"unknown origin {name!r}{did_you_mean(name, known)}")


def _requirement_issues(scenario: LocatedScenario, path: KeyPath, requires: Requires) -> Iterator[Issue]:
    for key, wanted, known in (
        ("instruction_set", requires.instruction_set, INSTRUCTION_SETS),
        ("stack", requires.stack, STACKS),
    ):
        for i, name in enumerate(wanted if scenario.sound(*path) else ()):
            if name not in known:
                message = f"unknown {key.replace('_', ' ')} {name!r}{did_you_mean(name, list(known))}"
                yield scenario.issue(message, *path, "requires", key, i)


def _burst_issues(
    scenario: LocatedScenario, model: ModelFolder, path: KeyPath, bursts: Sequence[Burst]
) -> Iterator[Issue]:
    """Check the origins that bursts name; a burst outside the run is none."""
    origins = model.tables.get("origins")
    for i, burst in enumerate(bursts if origins else ()):
        for j, name in enumerate(burst.origins):
            place = (*path, "bursts", i, "origins", j)
            if origins and name not in origins.text("origin") and scenario.sound(*place):
                yield scenario.issue(f"unknown origin {name!r}{did_you_mean(name, origins.text('origin'))}", *place)


def _tier_issues(scenario: LocatedScenario, model: ModelFolder, path: KeyPath, tiers: Sequence[str]) -> Iterator[Issue]:
    sites = model.tables.get("sites")
    known = tuple(dict.fromkeys(tier for tier in sites.text("tier") if tier)) if sites else ()
    for i, name in enumerate(tiers if sites and scenario.sound(*path) else ()):
        if name not in known:
            hint = did_you_mean(name, known) if known else "; the table of sites has no tiers"
            yield scenario.issue(f"no site is of tier {name!r}{hint}", *path, i)


def fit_issues(scenario: LocatedScenario, fleet: Fleet, traces: Mapping[str, Trace]) -> Iterator[Issue]:
    """Check that every job fits a pool and a duration bin."""
    assert scenario.value is not None
    largest = largest_pool_nodes(fleet)
    for i, stream in enumerate(scenario.value.workload.batch):
        trace = traces.get(stream.trace)
        if trace is not None and scenario.sound("workload", "batch", i):
            yield from _width_issues(scenario, i, stream, trace, _pools(stream, fleet.axes, largest))
            yield from _length_issues(scenario, stream, trace)


def _pools(stream: Batch, axes: QueueAxes, largest: IntArray) -> dict[str, int]:
    """Return the nodes of the largest site by origin, for the origins whose jobs of a stream reach one."""
    if stream.compute_class not in axes.compute_class:
        return {}
    nodes = dict(zip(axes.origin, largest[:, axes.compute_class.index(stream.compute_class)].tolist(), strict=True))
    return {origin: nodes[origin] for origin, share in shares_by_part(stream).items() if share and nodes.get(origin)}


def _width_issues(
    scenario: LocatedScenario, i: int, stream: Batch, trace: Trace, pools: Mapping[str, int]
) -> Iterator[Issue]:
    """Check the widest job of a trace against the smallest of its origins' largest sites."""
    assert scenario.value is not None
    widest = math.ceil(float(np.max(trace.cores)) * stream.nodes_per_core)
    origin = min(pools, key=pools.__getitem__, default=None)
    if origin is not None and scenario.value.workload.wide_jobs is None and widest > pools[origin]:
        message = (
            f"its widest job takes {widest} nodes of class {stream.compute_class!r}, the largest site that origin "
            f"{origin!r} may use has {pools[origin]}; set workload.wide_jobs to split or drop"
        )
        yield scenario.issue(message, "workload", "batch", i, "trace")


def _length_issues(scenario: LocatedScenario, stream: Batch, trace: Trace) -> Iterator[Issue]:
    """Check the longest job of a trace against the last duration bin."""
    assert scenario.value is not None
    workload = scenario.value.workload
    longest_s, last_s = math.ceil(float(np.max(trace.runtime_s))), workload.duration_bins[-1]
    if longest_s > last_s and scenario.sound("workload", "duration_bins"):
        message = f"the last bin ends at {duration_text(last_s)}, but trace {stream.trace!r} has a job of"
        yield scenario.issue(f"{message} {duration_text(longest_s)}; append a longer bin", "workload", "duration_bins")


def draw_jobs(
    scenario: Scenario, fleet: Fleet, traces: Mapping[str, Trace], trace_offset_s: int
) -> tuple[JobTable, dict[str, int]]:
    """Draw the jobs of a scenario without issues."""
    workload = scenario.workload
    streams = [
        BatchStream(
            name=batch.name,
            trace=traces[batch.trace],
            compute_class=batch.compute_class,
            jobs_per_day=batch.jobs_per_day,
            nodes_per_core=batch.nodes_per_core,
            origin_shares=shares_by_part(batch),
            delay_shares=batch.delay_shares,
            preemptible_share=batch.preemptible_share,
            migratable_share=batch.migratable_share,
            checkpoint_s=batch.checkpoint.save,
            restart_s=batch.checkpoint.restart,
            checkpoint_gb_per_node=batch.checkpoint.gb_per_node,
            data_gb_per_node_median=batch.data_gb_per_node.median,
            data_gb_per_node_sigma=batch.data_gb_per_node.sigma,
            bursts=bursts_of(batch.bursts, scenario.time.start, fleet.axes),
        )
        for batch in workload.batch
    ]
    return generate_jobs(
        streams,
        fleet.axes,
        allowed_delay_s=workload.delay_classes,
        duration_s=scenario.time.duration,
        trace_offset_s=trace_offset_s,
        pool_nodes=largest_pool_nodes(fleet),
        max_share_of_pool=workload.max_share_of_pool,
        wide_jobs=workload.wide_jobs,
        seed=scenario.seed,
        estimate_sigma=scenario.forecast.runtimes.sigma or 0.0,
    )
