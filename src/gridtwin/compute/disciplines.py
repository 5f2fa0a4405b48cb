"""Who starts next, and where: decisions as pure functions. SimPy only carries them out."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.records import Fleet
from gridtwin.units import FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = [
    "DISCIPLINES",
    "cap_nodes",
    "carried_cap",
    "carried_grants",
    "data_lead_s",
    "first_with_room",
    "largest_grant_with_room",
    "order_keys",
    "to_suspend",
]

DISCIPLINES = ("fcfs", "edf")
SOLVER_TOLERANCE_NODES = 1e-6  # what a linear program may be off


def order_keys(discipline: str, latest_start_s: IntArray) -> IntArray:
    """Rank jobs, the smallest key first; keys are unique and `key % len(keys)` is the job.

    Parameters
    ----------
    discipline : {"fcfs", "edf"}
        First come first served, or earliest latest start first with ties in order of submission.
    latest_start_s : ndarray (job,), s
        Jobs in order of submission.

    Returns
    -------
    ndarray (job,)
    """
    index = np.arange(len(latest_start_s), dtype=np.int64)
    return index if discipline == "fcfs" else latest_start_s * len(index) + index


def data_lead_s(jobs: JobTable, fleet: Fleet, step_s: int) -> IntArray:
    """Time that each job should be ordered ahead of its start, so that its data arrive.

    Twice its own transfer over its slowest link, and the longest transfer of any job that may be under way before it,
    the latter no longer than a step.

    Returns
    -------
    ndarray (job,), s
    """
    reached = fleet.reachable
    s_per_gb = np.where(reached, ratio_or_zero(8.0, fleet.bandwidth_gbps)[:, None, :], 0.0).max(axis=2)
    latency_s = np.where(reached, fleet.latency_oneway_s[:, None, :], 0.0).max(axis=2)
    longest_s = jobs.data_gb * s_per_gb[jobs.origin, jobs.compute_class] + latency_s[jobs.origin, jobs.compute_class]
    before_s = min(float(longest_s.max(initial=0.0)), step_s)
    lead_s: IntArray = np.ceil(2 * longest_s + before_s).astype(np.int64)
    return lead_s


def first_with_room(pools: Sequence[int], free_nodes: Sequence[int], nodes: int) -> int:
    """Return the first of `pools` with room for `nodes`, or -1.

    Examples
    --------
    >>> first_with_room((2, 0, 1), free_nodes=[8, 9, 3], nodes=4)
    0
    """
    for pool in pools:
        if free_nodes[pool] >= nodes:
            return pool
    return -1


def largest_grant_with_room(
    pools: Sequence[int], free_nodes: Sequence[int], nodes: int, route_nodes: Sequence[float], offset: int
) -> int:
    """Return the pool with the largest route grant among those with room for `nodes`, or -1.

    The grant of `pool` is `route_nodes[offset + pool]`; equal grants go to the pool named first.

    Examples
    --------
    >>> largest_grant_with_room((2, 0, 1), [8, 9, 3], 4, route_nodes=[1.0, 6.0, 7.0], offset=0)
    1
    """
    best, best_grant = -1, -np.inf
    for pool in pools:
        if free_nodes[pool] >= nodes and route_nodes[offset + pool] > best_grant:
            best, best_grant = pool, route_nodes[offset + pool]
    return best


def carried_grants(
    release_nodes: FloatArray, route_nodes: FloatArray, waiting: IntArray, shape: tuple[int, int, int, int]
) -> tuple[FloatArray, FloatArray]:
    """Return the grants that outlive a step boundary.

    A queue without waiting jobs loses what it did not use, so that grants do not pile up; what it overdrew stays. The
    positive route grants of its (origin, class, bin) shrink by the same number of nodes, in proportion.

    Parameters
    ----------
    release_nodes : ndarray (queue,)
    route_nodes : ndarray (origin, class, bin, site)
    waiting : ndarray (queue,)
        Jobs that wait.
    shape : (origins, classes, delay classes, bins)

    Returns
    -------
    release_nodes, route_nodes : ndarray
        New arrays of the same shapes.
    """
    unused = np.where(waiting == 0, np.maximum(release_nodes, 0.0), 0.0)
    dropped = unused.reshape(shape).sum(axis=2)
    positive = np.maximum(route_nodes, 0.0)
    total = positive.sum(axis=-1)
    share = ratio_or_zero(np.minimum(dropped, total), total)
    return release_nodes - unused, route_nodes - positive * share[..., None]


def cap_nodes(planned_nodes: float, carry_nodes: float) -> int:
    """Return how many nodes preemptible jobs may hold in a step: whole ones of what is planned and carried.

    Examples
    --------
    >>> cap_nodes(3.4, 0.0), cap_nodes(3.4, 0.8), cap_nodes(2.9999999, 0.0)
    (3, 4, 3)
    """
    return max(0, floor(planned_nodes + carry_nodes + SOLVER_TOLERANCE_NODES))


def carried_cap(planned_nodes: float, carry_nodes: float, held_nodes: int, kept_waiting_nodes: int) -> float:
    """Return what the cap leaves to the next step: what is not held, up to the widest job that it keeps waiting.

    So whole jobs add up to the plan, and nothing piles up for jobs that are not there, or that lack room.

    Parameters
    ----------
    planned_nodes, carry_nodes : float
        Of the step that has begun.
    held_nodes : int
        By preemptible jobs, once it has begun.
    kept_waiting_nodes : int
        Width of the widest job that heads its queue and had room, but not under the cap; 0 where there is none.

    Examples
    --------
    A job of four nodes waits under a plan of 1.5 and then takes what has been saved up:

    >>> carried_cap(1.5, 0.0, 0, 4), carried_cap(1.5, 1.5, 0, 4), carried_cap(1.5, 3.0, 4, 0)
    (1.5, 3.0, 0.0)
    """
    return min(max(planned_nodes + carry_nodes - held_nodes, 0.0), float(kept_waiting_nodes))


def to_suspend(nodes: Sequence[int], excess_nodes: int) -> list[int]:
    """Choose the jobs to suspend so that at least `excess_nodes` are given up, or all where that is not enough.

    As many as it takes are chosen in the order given; then those chosen first are kept again, last one first, as far as
    the others suffice.

    Parameters
    ----------
    nodes : sequence of int
        Widths of the jobs that may be suspended, the one with most slack first.
    excess_nodes : int

    Returns
    -------
    list of int
        Places in `nodes`, ascending.

    Examples
    --------
    >>> to_suspend([1, 3, 8, 2], excess_nodes=5)
    [2]
    """
    chosen, given_up = [], 0
    for place, width in enumerate(nodes):
        if given_up >= excess_nodes:
            break
        chosen.append(place)
        given_up += width
    for place in chosen[-2::-1]:
        if given_up - nodes[place] >= excess_nodes:
            chosen.remove(place)
            given_up -= nodes[place]
    return chosen
