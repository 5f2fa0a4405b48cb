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

__all__ = ["ExpectedPreemptible", "ExpectedWork", "WorkShape", "expected_preemptible", "expected_work", "work_shape"]


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

    arriving_node_h: FloatArray  # (time, w, class, delay class)
    due_node_h: FloatArray  # (time, w, class, delay class)
    width_nodes: FloatArray  # (time, class, delay class)
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
    rows = _not_begun(observation, system)
    rows = rows[~jobs.preemptible[rows]]
    grid = (state.now_s, system.step_s, steps)
    nodes, queue, queues = jobs.nodes[rows], jobs.queue[rows], jobs.axes.size
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
        released_nodes=released_nodes(jobs.submit_s[rows], nodes, queue, queues, *grid).astype(np.float64),
        due_nodes=due_nodes(_due_start_s(jobs, rows, system.step_s), nodes, queue, queues, *grid).astype(np.float64),
        committed_nodes=committed / system.step_s,
    )


def expected_preemptible(observation: Observation, system: System) -> ExpectedPreemptible:
    """Describe waiting, coming, running and suspended jobs that can be interrupted, over the steps of the forecast.

    Work that has begun stays at its site. A job that may wait no longer than a step runs from its release on, as does
    one that cannot end in time.
    """
    state, jobs, fleet = observation.compute, observation.jobs, system.fleet
    begun = _begun(state, jobs)
    new = _not_begun(observation, system)
    new = new[jobs.preemptible[new]]
    row = np.concatenate([new, begun.row])
    release_s = np.concatenate([np.maximum(jobs.submit_s[new], state.now_s), begun.release_s])
    left_s = np.concatenate([jobs.runtime_s[new], begun.left_s])
    whence = np.concatenate([jobs.origin[new], jobs.axes.shape[0] + begun.site])
    no_choice = jobs.latest_start_s[row] - jobs.submit_s[row] <= system.step_s
    due_s = np.where(no_choice, release_s + left_s, jobs.due_s[row])
    origins, classes, delays, _ = jobs.axes.shape
    shape = (origins + len(fleet.site), classes, delays)
    pool = np.ravel_multi_index((whence, jobs.compute_class[row], jobs.delay_class[row]), shape).astype(np.int64)
    envelope = work_envelope(
        release_s, due_s, left_s, jobs.nodes[row], pool, int(np.prod(shape)),
        state.now_s, system.step_s, observation.forecast.steps,
    )  # fmt: skip
    by_step = (np.diff(node_s, axis=0, prepend=0) / HOUR_S for node_s in (envelope.upper_node_s, envelope.lower_node_s))
    arriving, due = (node_h.reshape(-1, *shape) for node_h in by_step)
    held = np.zeros(fleet.capacity_nodes.shape)
    running = state.running_row[jobs.preemptible[state.running_row]]
    at = state.running_site[jobs.preemptible[state.running_row]]
    np.add.at(held, (at, jobs.compute_class[running]), jobs.nodes[running])
    return ExpectedPreemptible(arriving, due, envelope.width_nodes.reshape(-1, *shape).sum(axis=1), held)


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """Interruptible jobs that run or are suspended."""

    row: IntArray
    site: IntArray
    release_s: IntArray  # when they can go on
    left_s: IntArray  # time that they need from then on


def _begun(state: ComputeState, jobs: JobTable) -> _Begun:
    running = np.flatnonzero(jobs.preemptible[state.running_row])
    start_s = state.running_start_s[running]
    release_s = np.maximum(start_s, state.now_s)
    suspended = state.suspended_row
    return _Begun(
        row=np.concatenate([state.running_row[running], suspended]),
        site=np.concatenate([state.running_site[running], state.suspended_site]),
        release_s=np.concatenate([release_s, np.full(len(suspended), state.now_s)]),
        left_s=np.concatenate(
            [state.running_left_s[running] - (release_s - start_s), state.suspended_left_s + jobs.restart_s[suspended]]
        ),
    )


def _not_begun(observation: Observation, system: System) -> IntArray:
    """Rows of jobs that wait or come before the end of the forecast."""
    state, jobs = observation.compute, observation.jobs
    end_s = state.now_s + observation.forecast.steps * system.step_s
    coming = np.arange(state.next_row, np.searchsorted(jobs.submit_s, end_s), dtype=np.int64)
    return np.concatenate([state.waiting_row, coming])


def _due_start_s(jobs: JobTable, rows: IntArray, step_s: int) -> IntArray:
    latest = jobs.latest_start_s[rows]
    no_choice = latest - jobs.submit_s[rows] <= step_s
    return np.where(no_choice, jobs.submit_s[rows], latest)


def _mean(value: FloatArray, weight: IntArray, index: IntArray, size: int) -> FloatArray:
    total = np.bincount(index, weights=weight, minlength=size)
    summed = np.bincount(index, weights=value * weight, minlength=size)
    return ratio_or_zero(summed, total)
