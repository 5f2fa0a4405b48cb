"""What a linear dispatch needs to know of jobs: when their node starts fall due, how long they last, how wide they are.

Jobs enter as parallel arrays; a *queue* is any grouping of them by index. Steps are [first_s + k step_s,
first_s + (k + 1) step_s), k = 0 … steps - 1. Node-seconds are exact integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = [
    "WorkEnvelope",
    "committed_node_s",
    "due_nodes",
    "occupancy",
    "occupancy_from_boundary",
    "released_nodes",
    "work_envelope",
]

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class WorkEnvelope:
    """Bounds on the work that malleable jobs may have received; lower <= upper everywhere."""

    upper_node_s: IntArray  # (step, queue) done by the end of each step if all work runs as early as it can
    lower_node_s: IntArray  # (step, queue) the same as late as it may
    width_nodes: FloatArray  # (step, queue) nodes that live jobs can use, mean over the step
    work_node_s: IntArray  # (queue,) all work, also beyond the last step


def released_nodes(
    submit_s: IntArray, nodes: IntArray, queue: IntArray, queues: int, first_s: int, step_s: int, steps: int
) -> IntArray:
    """Node starts that become possible in each step.

    Jobs submitted before `first_s` count in step 0, those submitted after the last step not at all.

    Parameters
    ----------
    submit_s : ndarray (job,), s
    nodes, queue : ndarray (job,)
    queues : int
        Length of the second axis.
    first_s, step_s : int, s
    steps : int

    Returns
    -------
    ndarray (step, queue), nodes
    """
    return _nodes_by_step(submit_s, nodes, queue, queues, first_s, step_s, steps)


def due_nodes(
    latest_start_s: IntArray, nodes: IntArray, queue: IntArray, queues: int, first_s: int, step_s: int, steps: int
) -> IntArray:
    """Node starts whose latest start falls within each step, so that they must have happened by its end.

    Overdue ones count in step 0, those due after the last step not at all. The cumulative sum never exceeds that of
    `released_nodes` as long as no job is due before it is submitted. Parameters as there.

    Returns
    -------
    ndarray (step, queue), nodes
    """
    return _nodes_by_step(latest_start_s, nodes, queue, queues, first_s, step_s, steps)


def work_envelope(
    release_s: IntArray,
    due_s: IntArray,
    remaining_s: IntArray,
    nodes: IntArray,
    queue: IntArray,
    queues: int,
    first_s: int,
    step_s: int,
    steps: int,
) -> WorkEnvelope:
    """Envelopes of work that may be interrupted: each job needs `nodes * remaining_s`, at most `nodes` at a time.

    Parameters
    ----------
    release_s, due_s : ndarray (job,), s
        When a job may first run and when it should have ended. A job that cannot end in time is taken to run at once.
    remaining_s : ndarray (job,), s
        Time it still needs on all its nodes.
    nodes, queue : ndarray (job,)
    queues : int
    first_s, step_s : int, s
    steps : int

    Returns
    -------
    WorkEnvelope
        Upper: the sum of earliest runs, at rate `nodes` from the release. Lower: the sum of latest runs, at rate
        `nodes` ending when due. Width: nodes of the jobs between release and due time.
    """
    earliest_s = np.maximum(release_s, first_s)
    latest_s = np.maximum(due_s - remaining_s, earliest_s)
    edges_s = first_s + step_s * np.arange(1, steps + 1)

    def done_node_s(start_s: IntArray, end_s: IntArray) -> IntArray:
        return _ramp(start_s, nodes, queue, queues, edges_s) - _ramp(end_s, nodes, queue, queues, edges_s)

    live_node_s = done_node_s(earliest_s, latest_s + remaining_s)
    return WorkEnvelope(
        upper_node_s=done_node_s(earliest_s, earliest_s + remaining_s),
        lower_node_s=done_node_s(latest_s, latest_s + remaining_s),
        width_nodes=np.diff(live_node_s, axis=0, prepend=0) / step_s,
        work_node_s=_sum_by(queue, nodes * remaining_s, queues),
    )


def occupancy(
    runtime_s: IntArray,
    nodes: IntArray,
    compute_class: IntArray,
    duration_bin: IntArray,
    classes: int,
    bins: int,
    step_s: int,
    lags: int,
) -> FloatArray:
    """Mean share of a step that a node is busy, `lag` steps after the step in which its job started.

    Starts are taken as uniform within their step. Weighted by nodes over the jobs of each (class, bin). A cell without
    jobs is 0.

    Parameters
    ----------
    runtime_s, nodes, compute_class, duration_bin : ndarray (job,)
    classes, bins : int
    step_s : int, s
    lags : int
        Length of the last axis; what is busy later is left out.

    Returns
    -------
    ndarray (class, bin, lag), 0 to 1

    Notes
    -----
    A job started at u ~ U(0, Δ) that runs for p has worked E[(y - u)⁺] - E[(y - u - p)⁺] by time y, where
    E[(y - u)⁺] is 0 for y <= 0, y²/2Δ within the first step and y - Δ/2 after it. With p = mΔ + r the second term
    begins in step m, so jobs are binned by m and only sums of 1, r and r² are kept.

    Examples
    --------
    A job of one step, started half-way on average, is busy for half of either step:

    >>> occupancy(np.array([3600]), np.array([1]), np.array([0]), np.array([0]), 1, 1, 3600, 3)[0, 0].tolist()
    [0.5, 0.5, 0.0]
    """
    cells = classes * bins
    cell = compute_class * bins + duration_bin
    whole, rest = np.divmod(runtime_s, step_s)
    whole, beyond = np.minimum(whole, lags), whole >= lags
    rest_pu: FloatArray = np.where(beyond, 0.0, rest / step_s)
    index = cell * (lags + 1) + whole

    def by_whole(weight: FloatArray) -> FloatArray:
        sums = np.bincount(index, nodes * weight, minlength=cells * (lags + 1))
        return sums.reshape(cells, lags + 1)[:, :lags].astype(np.float64)

    count, first, second = by_whole(np.ones_like(rest_pu)), by_whole(rest_pu), by_whole(rest_pu**2)
    total = np.bincount(cell, nodes, minlength=cells)[:, None]
    # Share of the step that is no longer worked: (1 - r)²/2 in step m, 1 - r²/2 in step m + 1, 1 from then on.
    at_m = (count - 2.0 * first + second) / 2.0
    after_m = count - second / 2.0
    ended = np.cumsum(count, axis=1)
    idle = at_m
    idle[:, 1:] += after_m[:, :-1]
    idle[:, 2:] += ended[:, :-2]
    begun = np.where(np.arange(lags) == 0, 0.5, 1.0)
    busy = total * begun - idle
    share = ratio_or_zero(busy, total)
    share[np.abs(share) < _ROUNDING] = 0.0
    return share.reshape(classes, bins, lags)


def occupancy_from_boundary(
    runtime_s: IntArray,
    nodes: IntArray,
    compute_class: IntArray,
    duration_bin: IntArray,
    classes: int,
    bins: int,
    step_s: int,
    lags: int,
) -> FloatArray:
    """Return the same as `occupancy` for jobs that start at the very beginning of a step.

    Examples
    --------
    A job of a step and a half:

    >>> occupancy_from_boundary(np.array([5400]), np.array([1]), np.array([0]), np.array([0]), 1, 1, 3600, 3)[0, 0]
    array([1. , 0.5, 0. ])
    """
    cell = compute_class * bins + duration_bin
    whole, rest = np.divmod(runtime_s, step_s)
    last = np.minimum(whole, lags)
    size = classes * bins * (lags + 1)
    index = cell * (lags + 1) + last
    ending = np.bincount(index, nodes, minlength=size).reshape(-1, lags + 1)
    partial = np.bincount(index, nodes * rest / step_s, minlength=size).reshape(-1, lags + 1)[:, :lags]
    total = ending.sum(axis=1, keepdims=True)
    whole_steps = total - np.cumsum(ending, axis=1)[:, :lags]
    return ratio_or_zero(whole_steps + partial, total).reshape(classes, bins, lags)


def committed_node_s(
    start_s: IntArray,
    left_s: IntArray,
    nodes: IntArray,
    site: IntArray,
    compute_class: IntArray,
    first_s: int,
    step_s: int,
    steps: int,
    sites: int,
    classes: int,
) -> IntArray:
    """Exact node-seconds that running jobs will work in the coming steps.

    Parameters
    ----------
    start_s : ndarray (job,), s
        First second of work; after `first_s` while the data of a job still move or it restarts.
    left_s : ndarray (job,), s
        Work left at that second.
    nodes, site, compute_class : ndarray (job,)
    first_s, step_s : int, s
    steps, sites, classes : int

    Returns
    -------
    ndarray (step, site, class), node-s
    """
    edges_s = first_s + step_s * np.arange(steps + 1)
    pool, pools = site * classes + compute_class, sites * classes
    begun = _ramp(start_s, nodes, pool, pools, edges_s)
    ended = _ramp(start_s + left_s, nodes, pool, pools, edges_s)
    return np.diff(begun - ended, axis=0).reshape(steps, sites, classes)


def _nodes_by_step(
    instant_s: IntArray, nodes: IntArray, queue: IntArray, queues: int, first_s: int, step_s: int, steps: int
) -> IntArray:
    step = np.maximum((instant_s - first_s) // step_s, 0)
    inside = step < steps
    return _sum_by(step[inside] * queues + queue[inside], nodes[inside], steps * queues).reshape(steps, queues)


def _ramp(from_s: IntArray, nodes: IntArray, queue: IntArray, queues: int, edges_s: IntArray) -> IntArray:
    """Return Σ nodes · (edge - from)⁺ by (edge, queue): edge · Σ nodes - Σ nodes · from over those before the edge."""
    edge = np.searchsorted(edges_s, from_s)
    inside: BoolArray = edge < len(edges_s)
    index = edge[inside] * queues + queue[inside]
    shape = (len(edges_s), queues)
    size = shape[0] * shape[1]
    since_s = from_s[inside] - edges_s[0]
    slope = _sum_by(index, nodes[inside], size).reshape(shape).cumsum(axis=0)
    moment = _sum_by(index, nodes[inside] * since_s, size).reshape(shape).cumsum(axis=0)
    ramp: IntArray = (edges_s - edges_s[0])[:, None] * slope - moment
    return ramp


def _sum_by(index: IntArray, values: IntArray, size: int) -> IntArray:
    """Sum integers by index; exact, because 2⁵³ node-seconds are 285 million node-years."""
    return np.bincount(index, values, minlength=size).astype(np.int64)
