"""Batch jobs of a run: a trace replicated to the size of a fleet by seeded resampling.

Number and submit times follow the trace's own arrivals from an offset into its period on, which wraps round when it
ends: each arrival becomes `replication` jobs on average, spread evenly over its hour. What such a job is (runtime and
width together) is drawn from the whole trace, so that copies differ. One stream draws from its own random numbers,
named after it: adding, removing or reordering streams leaves the jobs of the others as they were. So do bursts: what
they add or take is drawn apart, all other jobs stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

import numpy as np

from gridtwin.errors import InputError, Issue
from gridtwin.records import QueueAxes
from gridtwin.units import HOUR_S, BoolArray, FloatArray, IntArray
from gridtwin.workload.bursts import Burst, factor_at, surroundings
from gridtwin.workload.forecasts import estimates_s
from gridtwin.workload.jobs import JobTable
from gridtwin.workload.traces import Trace

__all__ = ["BatchStream", "WideJobs", "generate_jobs", "width_limit_nodes"]

WideJobs = Literal["split", "drop"] | None

_SHARE_TOLERANCE = 1e-6
_ROUNDING_NODES = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class BatchStream:
    """One kind of batch work.

    Parameters
    ----------
    name : str
        Unique; also names the stream's random numbers.
    trace : Trace
    compute_class : str
    jobs_per_day : float
        Mean over the period of the trace, bursts apart; single days follow the trace.
    nodes_per_core : float
        Nodes of the fleet that one core of the trace stands for; widths are rounded up.
    origin_shares, delay_shares : mapping of str to float
        Shares of the jobs by origin and delay class; each adds up to 1.
    preemptible_share, migratable_share : float
        In [0, 1]: of the jobs, those that may be suspended; of these, those that may be resumed at another site.
    checkpoint_s, restart_s : int, s
        Time that nodes of such a job need to save its state and to load it again.
    checkpoint_gb_per_node : float
        State to move when it is resumed at another site.
    data_gb_per_node_median, data_gb_per_node_sigma : float
        Log-normal input data of a job per node, GB, and the standard deviation of its logarithm.
    bursts : tuple of Burst
        Factors on the number of jobs that are submitted.
    """

    name: str
    trace: Trace
    compute_class: str
    jobs_per_day: float
    nodes_per_core: float
    origin_shares: Mapping[str, float]
    delay_shares: Mapping[str, float]
    preemptible_share: float
    migratable_share: float
    checkpoint_s: int
    restart_s: int
    checkpoint_gb_per_node: float
    data_gb_per_node_median: float
    data_gb_per_node_sigma: float
    bursts: tuple[Burst, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Draw:
    """Jobs of one stream before wide ones are dealt with."""

    submit_s: IntArray
    runtime_s: IntArray
    nodes: IntArray
    origin: IntArray
    compute_class: IntArray
    delay_class: IntArray
    data_gb_per_node: FloatArray
    preemptible: BoolArray
    migratable: BoolArray
    checkpoint_s: IntArray
    restart_s: IntArray
    checkpoint_gb_per_node: FloatArray
    estimate_s: IntArray

    def take(self, index: IntArray | BoolArray) -> dict[str, np.ndarray]:
        return {name: getattr(self, name)[index] for name in self.__slots__}


_DTYPES: Mapping[str, type] = {
    "data_gb_per_node": np.float64,
    "preemptible": np.bool_,
    "migratable": np.bool_,
    "checkpoint_gb_per_node": np.float64,
}


def generate_jobs(
    streams: Sequence[BatchStream],
    axes: QueueAxes,
    allowed_delay_s: Mapping[str, int],
    duration_s: int,
    trace_offset_s: int,
    pool_nodes: IntArray,
    max_share_of_pool: float,
    wide_jobs: WideJobs,
    seed: int,
    estimate_sigma: float = 0.0,
) -> tuple[JobTable, dict[str, int]]:
    """Draw the jobs of a run.

    Parameters
    ----------
    streams : sequence of BatchStream
    axes : QueueAxes
    allowed_delay_s : mapping of str to int, s
        By delay class: how much later than submit + runtime a job may end.
    duration_s : int, s
        Jobs are submitted in [0, duration_s).
    trace_offset_s : int, s
        Position in every trace at which the run begins; traces wrap round.
    pool_nodes : ndarray (origin, class), nodes
        Of the largest site that jobs of each may use; 0 where there is none.
    max_share_of_pool : float
        In (0, 1]: a job wider than this share of that site is wide.
    wide_jobs : {"split", "drop", None}
        Split wide jobs into near-equal parts with the same submit time, runtime and due time; leave them out; or take
        them as they are, which is an error if one is wider than that site.
    seed : int
    estimate_sigma : float
        Standard deviation of the logarithm of estimate / runtime. Estimates stay within the duration bins.

    Returns
    -------
    JobTable
        Sorted by submit time; ties keep the order of streams.
    counts : dict of str to int
        `jobs_drawn`, `jobs_split`, `parts_from_split`, `jobs_left_out`, with estimates `estimates_cut` (to the last
        bin), and per stream `jobs_<name>` and
        `replication_permille_<name>` (copies of a trace job per 1,000).

    Raises
    ------
    InputError
        If names are unknown or repeated, shares do not add up, or a job is wider than any site its origin may use or
        longer than the last duration bin.
    """
    issues = _issues(streams, axes, allowed_delay_s, pool_nodes)
    if issues:
        raise InputError(issues)
    counts = dict.fromkeys(("jobs_drawn", "jobs_split", "parts_from_split", "jobs_left_out"), 0)
    if estimate_sigma > 0.0:
        counts["estimates_cut"] = 0
    parts = []
    for stream in streams:
        draw = _draw(stream, axes, duration_s, trace_offset_s, seed, estimate_sigma)
        _check_longest(stream, draw, axes)
        pool = pool_nodes[:, axes.compute_class.index(stream.compute_class)]
        columns, wide = _resize(stream, draw, width_limit_nodes(pool, max_share_of_pool), pool, wide_jobs)
        counts["jobs_drawn"] += len(draw.submit_s)
        for name, value in wide.items():
            counts[name] += value
        if estimate_sigma > 0.0:
            counts["estimates_cut"] += int((columns["estimate_s"] == axes.bin_upper_s[-1]).sum())
        counts[f"jobs_{stream.name}"] = len(columns["nodes"])
        counts[f"replication_permille_{stream.name}"] = round(1000 * stream.jobs_per_day / stream.trace.jobs_per_day)
        parts.append(columns)
    return _table(parts, axes, np.asarray([allowed_delay_s[name] for name in axes.delay_class], np.int64)), counts


def width_limit_nodes(pool_nodes: IntArray, max_share_of_pool: float) -> IntArray:
    """Return the width beyond which jobs are wide, where the largest site they may use has `pool_nodes`; at least 1.

    Examples
    --------
    >>> width_limit_nodes(np.array([1050, 5]), 0.1)
    array([105,   1])
    """
    limit = np.floor(pool_nodes * max_share_of_pool + _ROUNDING_NODES).astype(np.int64)
    return np.asarray(np.maximum(limit, 1), np.int64)


def _draw(
    stream: BatchStream, axes: QueueAxes, duration_s: int, offset_s: int, seed: int, estimate_sigma: float
) -> _Draw:
    """Draw the jobs that the trace stands for, then what bursts add to them or take away."""
    rng = _random(stream, seed)
    hour_s = _arrivals_s(stream.trace, duration_s, offset_s) // HOUR_S * HOUR_S
    replication = stream.jobs_per_day / stream.trace.jobs_per_day
    copies = (replication + rng.random(len(hour_s))).astype(np.int64)
    hour_s = np.repeat(hour_s, copies)
    usual = _jobs_between(stream, axes, rng, hour_s, np.minimum(hour_s + HOUR_S, duration_s), estimate_sigma)
    if not stream.bursts:
        return usual
    rng = _random(stream, seed, 1)
    copies = (factor_at(stream.bursts, usual.submit_s, usual.origin) + rng.random(len(usual.origin))).astype(np.int64)
    like = np.repeat(np.arange(len(copies)), np.maximum(copies - 1, 0))
    submit_s = usual.submit_s[like]
    hour_s, (begin_s, end_s) = submit_s // HOUR_S * HOUR_S, surroundings(stream.bursts, submit_s)
    end_s = np.minimum(np.minimum(hour_s + HOUR_S, duration_s), end_s)
    further = _jobs_between(stream, axes, rng, np.maximum(hour_s, begin_s), end_s, estimate_sigma, usual.origin[like])
    kept = usual.take(copies > 0)
    return _Draw(**{name: np.concatenate([kept[name], getattr(further, name)]) for name in _Draw.__slots__})


def _random(stream: BatchStream, seed: int, *more: int) -> np.random.Generator:
    key = int.from_bytes(sha256(stream.name.encode()).digest()[:8], "big")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key, *more)))


def _jobs_between(
    stream: BatchStream,
    axes: QueueAxes,
    rng: np.random.Generator,
    begin_s: IntArray,
    end_s: IntArray,
    estimate_sigma: float,
    origin: IntArray | None = None,
) -> _Draw:
    """Draw a job for each span of time (job,) in which one is submitted, and its origin where that is not given."""
    count = len(begin_s)
    like = rng.integers(len(stream.trace), size=count)
    log_median = np.log(stream.data_gb_per_node_median) if stream.data_gb_per_node_median > 0.0 else -np.inf
    runtime_s = stream.trace.runtime_s[like]
    draw = _Draw(
        submit_s=begin_s + (rng.random(count) * (end_s - begin_s)).astype(np.int64),
        runtime_s=runtime_s,
        nodes=np.ceil(stream.trace.cores[like] * stream.nodes_per_core).astype(np.int64),
        origin=_choose(rng, count, axes.origin, stream.origin_shares) if origin is None else origin,
        compute_class=np.full(count, axes.compute_class.index(stream.compute_class)),
        delay_class=_choose(rng, count, axes.delay_class, stream.delay_shares),
        data_gb_per_node=np.exp(log_median + stream.data_gb_per_node_sigma * rng.standard_normal(count)),
        preemptible=rng.random(count) < stream.preemptible_share,
        migratable=rng.random(count) < stream.migratable_share,
        checkpoint_s=np.full(count, stream.checkpoint_s),
        restart_s=np.full(count, stream.restart_s),
        checkpoint_gb_per_node=np.full(count, stream.checkpoint_gb_per_node),
        estimate_s=runtime_s,
    )
    estimate_s = estimates_s(rng, runtime_s, estimate_sigma, axes.bin_upper_s[-1])
    return replace(draw, migratable=draw.migratable & draw.preemptible, estimate_s=estimate_s)


def _arrivals_s(trace: Trace, duration_s: int, offset_s: int) -> IntArray:
    """Submit times of the trace in [offset, offset + duration), from the offset on; the trace repeats without end."""
    period_s = trace.period_s
    laps = np.arange(offset_s // period_s, (offset_s + duration_s - 1) // period_s + 1)
    submit_s = (laps[:, None] * period_s + trace.submit_s - offset_s).ravel()
    return submit_s[(submit_s >= 0) & (submit_s < duration_s)]


def _choose(rng: np.random.Generator, count: int, names: Sequence[str], shares: Mapping[str, float]) -> IntArray:
    chosen = list(shares)
    bounds = np.cumsum([shares[name] for name in chosen])
    pick = np.searchsorted(bounds[:-1] / bounds[-1], rng.random(count), side="right")
    return np.asarray([names.index(name) for name in chosen], np.int64)[pick]


def _resize(
    stream: BatchStream, draw: _Draw, limit_nodes: IntArray, pool_nodes: IntArray, wide_jobs: WideJobs
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Split wide jobs, leave them out, or insist that every job fits; both limits are by origin."""
    limit = limit_nodes[draw.origin]
    wide = draw.nodes > limit
    if wide_jobs == "drop":
        return draw.take(~wide), {"jobs_left_out": int(wide.sum())}
    if wide_jobs is None:
        excess = draw.nodes - pool_nodes[draw.origin]
        if (excess > 0).any():
            raise InputError([_too_wide(stream, draw, pool_nodes, excess)])
        return draw.take(np.arange(len(wide))), {}
    parts = -(-draw.nodes // limit)
    index = np.repeat(np.arange(len(parts)), parts)
    columns = draw.take(index)
    rank = np.arange(len(index)) - np.repeat(np.cumsum(parts) - parts, parts)
    columns["nodes"] = draw.nodes[index] // parts[index] + (rank < draw.nodes[index] % parts[index])
    return columns, {"jobs_split": int(wide.sum()), "parts_from_split": int(parts[wide].sum())}


def _table(parts: Sequence[dict[str, np.ndarray]], axes: QueueAxes, allowed_delay_s: IntArray) -> JobTable:
    def merged(name: str) -> np.ndarray:
        """Join a column of the streams, which give it up: a year has millions of jobs."""
        return np.concatenate([np.zeros(0, _DTYPES.get(name, np.int64)), *(part.pop(name) for part in parts)])

    submit_s = merged("submit_s")
    order = np.argsort(submit_s, kind="stable")
    column = {"submit_s": submit_s[order]} | {name: merged(name)[order] for name in _Draw.__slots__[1:]}
    return JobTable(
        axes=axes,
        job=np.arange(len(order), dtype=np.int64),
        submit_s=column["submit_s"],
        runtime_s=column["runtime_s"],
        nodes=column["nodes"],
        due_s=column["submit_s"] + column["runtime_s"] + allowed_delay_s[column["delay_class"]],
        origin=column["origin"],
        compute_class=column["compute_class"],
        delay_class=column["delay_class"],
        data_gb=column["data_gb_per_node"] * column["nodes"],
        preemptible=column["preemptible"],
        migratable=column["migratable"],
        checkpoint_s=column["checkpoint_s"],
        restart_s=column["restart_s"],
        checkpoint_gb=column["checkpoint_gb_per_node"] * column["nodes"],
        estimate_s=column["estimate_s"],
    )


def _check_longest(stream: BatchStream, draw: _Draw, axes: QueueAxes) -> None:
    longest_s, bin_s = int(draw.runtime_s.max(initial=0)), axes.bin_upper_s[-1]
    if longest_s > bin_s:
        count = int((draw.runtime_s > bin_s).sum())
        message = f"{count} jobs run longer than the last bin, {bin_s} s; extend it to at least {longest_s} s"
        raise InputError([Issue("workload.duration_bins", 0, 0, f"stream {stream.name!r}: {message}")])


def _too_wide(stream: BatchStream, draw: _Draw, pool_nodes: IntArray, excess: IntArray) -> Issue:
    worst = int(np.argmax(excess))
    message = (
        f"{int((excess > 0).sum())} jobs are wider than the largest {stream.compute_class!r} site their origin may use "
        f"(one of {int(draw.nodes[worst])} nodes where it has {int(pool_nodes[draw.origin[worst]])}); "
        "set wide_jobs to split or drop, or lower nodes_per_core"
    )
    return Issue(f"workload.batch.{stream.name}", 0, 0, message)


def _issues(
    streams: Sequence[BatchStream],
    axes: QueueAxes,
    allowed_delay_s: Mapping[str, int],
    pool_nodes: IntArray,
) -> list[Issue]:
    names = [stream.name for stream in streams]
    repeated = sorted({name for name in names if names.count(name) > 1})
    unbounded = [name for name in axes.delay_class if name not in allowed_delay_s]
    return [
        *(issue for stream in streams for issue in _stream_issues(stream, axes, pool_nodes)),
        *(Issue(f"workload.batch.{name}", 0, 0, "duplicate name; every stream needs its own") for name in repeated),
        *(Issue("workload.delay_classes", 0, 0, f"no allowed delay for {name!r}") for name in unbounded),
    ]


def _stream_issues(stream: BatchStream, axes: QueueAxes, pool_nodes: IntArray) -> list[Issue]:
    messages = []
    if stream.compute_class not in axes.compute_class:
        messages.append(f"unknown compute_class {stream.compute_class!r}; expected {', '.join(axes.compute_class)}")
    else:
        pool = dict(zip(axes.origin, pool_nodes[:, axes.compute_class.index(stream.compute_class)], strict=True))
        stranded = [origin for origin, share in stream.origin_shares.items() if share > 0 and pool.get(origin, 1) < 1]
        if stranded:
            messages.append(f"{', '.join(stranded)}: no site with nodes of class {stream.compute_class!r} within reach")
    for field, shares, names in (
        ("origin_shares", stream.origin_shares, axes.origin),
        ("delay_shares", stream.delay_shares, axes.delay_class),
    ):
        unknown = [name for name in shares if name not in names]
        if unknown:
            messages.append(f"{field}: unknown {', '.join(unknown)}; expected {', '.join(names)}")
        if not all(share >= 0.0 for share in shares.values()) or not (
            abs(sum(shares.values()) - 1.0) <= _SHARE_TOLERANCE
        ):
            messages.append(f"{field}: shares are >= 0 and add up to 1, got {sum(shares.values()):g} in all")
    for field, value in (("jobs_per_day", stream.jobs_per_day), ("nodes_per_core", stream.nodes_per_core)):
        if not (np.isfinite(value) and value > 0.0):
            messages.append(f"{field}: got {value}, expected a number above 0")
    return [Issue(f"workload.batch.{stream.name}", 0, 0, message) for message in messages]
