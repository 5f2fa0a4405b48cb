"""Whether runs may be told apart by their layout alone: the same seed, work, weather and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np

from gridtwin.compare.layout.run_view import RunView
from gridtwin.compare.scenario_diff import scenario_changes
from gridtwin.errors import ResultsError
from gridtwin.units import IntArray

__all__ = ["require_noise", "require_paired"]

SERVICE_KEYS = ("name", "compute_class", "requests_per_s", "diurnal", "throughput_per_node", "target_utilization")
SAME = 1e-9  # relative: availability is a profile times a rating


def require_paired(base: RunView, other: RunView) -> None:
    """Check that a run has the seed, jobs, requests, weather and time of the base.

    Raises
    ------
    ResultsError
        With everything that differs.
    """
    _refuse(base, other, list(_reasons(base, other)), "layouts are compared on the same work in the same weather")


def require_noise(base: RunView, other: RunView) -> None:
    """Check that a run differs from the base in the order of its programs alone.

    Raises
    ------
    ResultsError
        With everything else that differs.
    """
    changes = scenario_changes(base.series.run.scenario, other.series.run.scenario)
    reasons = [change.text for change in changes if not change.path.startswith("solver.")]
    if not any(change.path == "solver.permute" for change in changes):
        reasons.append("solver.permute is the same, so nothing can differ; give it another value")
    here, there = (view.series.run.facts.model_hashes for view in (base, other))
    reasons += [f"{name} differs" for name in here if here[name] != there.get(name)]
    _refuse(
        base, other, reasons, "chance is measured by runs of the base with another solver.permute, and nothing else"
    )


def _refuse(base: RunView, other: RunView, reasons: list[str], rule: str) -> None:
    if reasons:
        told = "\n  ".join(reasons)
        raise ResultsError(f"{other.series.card.path} against {base.series.card.path}: {rule}; here\n  {told}")


def _reasons(base: RunView, other: RunView) -> Iterator[str]:
    here, there = base.series.card, other.series.card
    for name in ("seed", "currency", "start", "step_h"):
        if getattr(here, name) != getattr(there, name):
            yield f"{name} is {getattr(there, name)}, not {getattr(here, name)}"
    if base.arrival_steps != other.arrival_steps:
        yield f"jobs arrive in {other.arrival_steps:,} steps, not {base.arrival_steps:,}"
    yield from _other_jobs(base, other)
    yield from _other_requests(base, other)
    if here.step_h == there.step_h and here.start == there.start:
        yield from _other_weather(base, other)


def _other_jobs(base: RunView, other: RunView) -> Iterator[str]:
    """Compare node-seconds by origin, class, submission and due time: a job may be split to fit other pools."""
    (key, node_s), (changed, changed_node_s) = (_jobs(view) for view in (base, other))
    if key.shape == changed.shape and (key == changed).all() and (node_s == changed_node_s).all():
        return
    distinct, which = np.unique(np.hstack([key, changed]), axis=1, return_inverse=True)
    apart = np.zeros(distinct.shape[1], dtype=np.int64)
    np.add.at(apart, which.ravel(), np.concatenate([node_s, -changed_node_s]))
    if unlike := int((apart != 0).sum()):
        yield (
            f"{unlike:,} of {len(apart):,} jobs have another size, origin, class, submission or due time; give both "
            "runs the same workload, traces and seed"
        )


def _jobs(view: RunView) -> tuple[IntArray, IntArray]:
    """Origin, class, submission and due time of each job (4, job), and its node-seconds; origins as the model has them.

    Names stand for themselves by their checksum, as their places may differ between two runs.
    """
    jobs, classes = view.jobs, view.series.run.facts.coords["compute_class"]
    whole = _checksums(view.series.inputs["origins"]["whole"].tolist())
    key = np.stack(
        [
            whole[jobs["origin_index"]],
            _checksums(classes)[jobs["class_index"]],
            jobs["submit_s"].astype(np.int64),
            jobs["due_s"].astype(np.int64),
        ]
    )
    return key, jobs["nodes"].astype(np.int64) * jobs["runtime_s"]


def _checksums(names: Sequence[str]) -> IntArray:
    return np.array([crc32(name.encode()) for name in names], dtype=np.int64)


def _other_requests(base: RunView, other: RunView) -> Iterator[str]:
    here, there = (
        {service["name"]: {key: service[key] for key in SERVICE_KEYS} for service in services}
        for services in (view.series.run.scenario["workload"]["services"] for view in (base, other))
    )
    for name in dict.fromkeys([*here, *there]):
        if here.get(name) != there.get(name):
            yield f"service {name!r} is asked for otherwise"


def _other_weather(base: RunView, other: RunView) -> Iterator[str]:
    """Compare demand and what weather lets units give, of the buses and units that both runs have."""
    steps = min(base.series.card.steps, other.series.card.steps)
    for variable, dim, what in (
        ("load_mw", "bus", "demand of buses"),
        ("available_mw", "unit", "what units could give"),
    ):
        here, there = (_of_weather(view, variable, dim, steps) for view in (base, other))
        unlike = [name for name in here.keys() & there.keys() if not np.allclose(here[name], there[name], SAME, SAME)]
        if unlike:
            shown = ", ".join(sorted(unlike)[:5])
            yield f"{what} differs at {len(unlike):,} of {len(here):,}: {shown}"


def _of_weather(view: RunView, variable: str, dim: str, steps: int) -> dict[str, np.ndarray]:
    values, units = view.series.v[variable][:steps], view.series.inputs["units"]
    counted = units["profiled"] & (units["store_index"] < 0)
    names = view.series.run.facts.coords[dim]
    return {name: values[:, at] for at, name in enumerate(names) if dim == "bus" or counted[at]}
