"""Waiting and coming jobs in the terms of a linear dispatch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.policies.base import Observation, System
from gridtwin.records import ComputeState
from gridtwin.units import HOUR_S, FloatArray, IntArray
from gridtwin.workload.envelopes import (
    committed_node_s,
    due_nodes,
    occupancy,
    occupancy_from_boundary,
    released_nodes,
    work_envelope,
)
from gridtwin.workload.jobs import JobTable
from gridtwin.workload.remaining import remaining_work

__all__ = ["ExpectedPreemptible", "ExpectedWork", "WorkShape", "expected_preemptible", "expected_work", "work_shape"]

SLACK_UPPER_S = np.array([1, 4, 8, 16, 32, 64]) * HOUR_S  # of each slack class; the last has no upper bound


@dataclass(frozen=True, slots=True, eq=False)
class WorkShape:
    """How long and how heavy jobs are, by class and duration bin; node-weighted means over the run's jobs.

    The first three are of jobs that cannot be interrupted, the next two of those that can.
    """

    occupancy: FloatArray  # (class, bin, lag) share of a step that a node started at lag 0 is busy
    mean_runtime_h: FloatArray  # (class, bin)
    gb_per_node: FloatArray  # (class,) data of one node start
    gb_per_node_h: FloatArray  # (class,) data of one node-hour
    interruption_h: FloatArray  # (class,) time that a node loses when its job is suspended and resumed
    delay_steps: IntArray  # (delay class,) how much later than its earliest each may run; 0 for no longer than a step


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedWork:
    """What the coming steps bring. `q` runs over (origin, class, delay class, bin)."""

    released_nodes: FloatArray  # (time, q)
    due_nodes: FloatArray  # (time, q)
    committed_nodes: FloatArray  # (time, site, class) mean nodes busy with jobs that run already to their end


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedPreemptible:
    """What the coming steps bring of work that may be interrupted; `w` as in `PreemptibleProblem`."""

    arriving_node_h: FloatArray  # (time, w, class, slack class)
    due_node_h: FloatArray  # (time, w, class, slack class)
    width_nodes: FloatArray  # (time, class, slack class)
    held_nodes: FloatArray  # (site, class) now


def work_shape(jobs: JobTable, step_s: int) -> WorkShape:
    """Measure the jobs of a run.

    Jobs that may wait are taken to start when a step begins, for that is when grants arrive; the others at any moment.
    """
    whole, parted = jobs.take(np.flatnonzero(~jobs.preemptible)), jobs.take(np.flatnonzero(jobs.preemptible))
    _, classes, _, bins = jobs.axes.shape
    lags = -(-int(whole.runtime_s.max(initial=step_s)) // step_s) + 1
    cell = whole.compute_class * bins + whole.duration_bin
    size = classes * bins
    runtime_h = _mean(whole.runtime_s / HOUR_S, whole.nodes, cell, size).reshape(classes, bins)
    lots = (whole.runtime_s, whole.nodes, whole.compute_class, whole.duration_bin, classes, bins, step_s, lags)
    may_wait = whole.latest_start_s - whole.submit_s > step_s
    held = _mean(may_wait.astype(np.float64), whole.nodes, cell, size).reshape(classes, bins, 1)
    node_s = parted.nodes * parted.runtime_s
    lost_h = (parted.checkpoint_s + parted.restart_s) / HOUR_S
    return WorkShape(
        occupancy=held * occupancy_from_boundary(*lots) + (1.0 - held) * occupancy(*lots),
        mean_runtime_h=runtime_h,
        gb_per_node=_mean(whole.data_gb / whole.nodes, whole.nodes, whole.compute_class, classes),
        gb_per_node_h=_mean(HOUR_S * parted.data_gb / node_s, node_s, parted.compute_class, classes),
        interruption_h=_mean(lost_h, parted.nodes, parted.compute_class, classes),
        delay_steps=_delay_steps(jobs, step_s),
    )


def _delay_steps(jobs: JobTable, step_s: int) -> IntArray:
    delay_s = np.zeros(len(jobs.axes.delay_class), dtype=np.int64)
    np.maximum.at(delay_s, jobs.delay_class, jobs.due_s - jobs.submit_s - jobs.runtime_s)
    return np.where(delay_s > step_s, delay_s // step_s, 0)


def expected_work(observation: Observation, system: System) -> ExpectedWork:
    """Describe waiting, coming and running jobs that cannot be interrupted, over the steps of the forecast.

    A job whose latest start has passed is due in the first step, one that may wait no longer than a step in the step of
    its submission. Jobs that are submitted after the last step are left to later windows.
    """
    state, jobs, steps = observation.compute, observation.jobs, observation.forecast.steps
    rows = np.concatenate([state.waiting_row, _coming(state, jobs, state.now_s + steps * system.step_s)])
    rows = rows[~jobs.preemptible[rows]]
    grid = (state.now_s, system.step_s, steps)
    known = jobs.take(rows)
    nodes, queue, queues = known.nodes, known.queue, jobs.axes.size
    sites, classes = system.fleet.capacity_nodes.shape
    whole = ~jobs.preemptible[state.running_row]
    running = state.running_row[whole]
    committed = committed_node_s(
        state.running_start_s[whole],
        state.running_left_s[whole],
        jobs.nodes[running],
        state.running_site[whole],
        jobs.compute_class[running],
        *grid,
        sites,
        classes,
    )
    return ExpectedWork(
        released_nodes=released_nodes(known.submit_s, nodes, queue, queues, *grid).astype(np.float64),
        due_nodes=due_nodes(_due_start_s(known, system.step_s), nodes, queue, queues, *grid).astype(np.float64),
        committed_nodes=committed / system.step_s,
    )


def expected_preemptible(
    state: ComputeState, jobs: JobTable, sites: int, step_s: int, steps: int
) -> ExpectedPreemptible:
    """Describe waiting, coming, running and suspended jobs that can be interrupted, over the coming steps.

    They are pooled by the slack that they have now, or will have when they are submitted: what one job has done ahead
    of time does not help another that is late.

    Work that has begun and may not migrate stays at its site; that which may counts as if it were at its origin. A
    job whose slack is no longer than a step runs from its release on.
    """
    lots = _lots(state, jobs, state.now_s + steps * step_s)
    slack_s = jobs.due_s[lots.row] - lots.release_s - lots.left_s
    due_s = np.where(slack_s <= step_s, lots.release_s + lots.left_s, jobs.due_s[lots.row])
    shape = (jobs.axes.shape[0] + sites, jobs.axes.shape[1], len(SLACK_UPPER_S) + 1)
    slack_class = np.searchsorted(SLACK_UPPER_S, slack_s)
    pool = np.ravel_multi_index((lots.whence, jobs.compute_class[lots.row], slack_class), shape)
    grid = (state.now_s, step_s, steps)
    nodes, pools = jobs.nodes[lots.row], int(np.prod(shape))
    envelope = work_envelope(lots.release_s, due_s, lots.left_s, nodes, pool.astype(np.int64), pools, *grid)
    return ExpectedPreemptible(
        arriving_node_h=(np.diff(envelope.upper_node_s, axis=0, prepend=0) / HOUR_S).reshape(steps, *shape),
        due_node_h=(np.diff(envelope.lower_node_s, axis=0, prepend=0) / HOUR_S).reshape(steps, *shape),
        width_nodes=envelope.width_nodes.reshape(steps, *shape).sum(axis=1),
        held_nodes=_held_nodes(state, jobs, sites),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lots:
    """Jobs that can be interrupted."""

    row: IntArray
    whence: IntArray  # origin, or number of origins + site to which it is bound
    release_s: IntArray  # when it can run, or go on
    left_s: IntArray  # time that it needs from then on


def _lots(state: ComputeState, jobs: JobTable, end_s: int) -> _Lots:
    """Live jobs, then those that are submitted before `end_s`."""
    live = remaining_work(state, jobs)
    new = _coming(state, jobs, end_s)
    new = new[jobs.preemptible[new]]
    whence = np.where(live.bound, jobs.axes.shape[0] + live.site, jobs.origin[live.row])
    return _Lots(
        row=np.concatenate([live.row, new]),
        whence=np.concatenate([whence, jobs.origin[new]]),
        release_s=np.concatenate([live.release_s, jobs.submit_s[new]]),
        left_s=np.concatenate([live.remaining_s, jobs.runtime_s[new]]),
    )


def _held_nodes(state: ComputeState, jobs: JobTable, sites: int) -> FloatArray:
    """Nodes (site, class) of running jobs that can be interrupted."""
    running = jobs.preemptible[state.running_row]
    row, site = state.running_row[running], state.running_site[running]
    held = np.zeros((sites, jobs.axes.shape[1]))
    np.add.at(held, (site, jobs.compute_class[row]), jobs.nodes[row])
    return held


def _coming(state: ComputeState, jobs: JobTable, end_s: int) -> IntArray:
    """Rows of jobs that are submitted before `end_s`."""
    return np.arange(state.next_row, np.searchsorted(jobs.submit_s, end_s), dtype=np.int64)


def _due_start_s(jobs: JobTable, step_s: int) -> IntArray:
    latest = jobs.latest_start_s
    no_choice = latest - jobs.submit_s <= step_s
    return np.where(no_choice, jobs.submit_s, latest)


def _mean(value: FloatArray, weight: IntArray, index: IntArray, size: int) -> FloatArray:
    total = np.bincount(index, weights=weight, minlength=size)
    summed = np.bincount(index, weights=value * weight, minlength=size)
    return ratio_or_zero(summed, total)
