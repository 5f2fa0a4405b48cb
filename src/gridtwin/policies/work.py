"""Waiting and coming jobs in the terms of a linear dispatch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.policies.base import Observation, System
from gridtwin.units import HOUR_S, FloatArray, IntArray
from gridtwin.workload.envelopes import (
    committed_node_s,
    due_nodes,
    occupancy,
    occupancy_from_boundary,
    released_nodes,
)
from gridtwin.workload.jobs import JobTable

__all__ = ["ExpectedWork", "WorkShape", "expected_work", "work_shape"]


@dataclass(frozen=True, slots=True, eq=False)
class WorkShape:
    """How long and how heavy jobs are, by class and duration bin; node-weighted means over the run's jobs."""

    occupancy: FloatArray  # (class, bin, lag) share of a step that a node started at lag 0 is busy
    mean_runtime_h: FloatArray  # (class, bin)
    gb_per_node: FloatArray  # (class,) data of one node start


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedWork:
    """What the coming steps bring. `q` runs over (origin, class, delay class, bin)."""

    released_nodes: FloatArray  # (time, q)
    due_nodes: FloatArray  # (time, q)
    committed_nodes: FloatArray  # (time, site, class) mean nodes busy with jobs that run already


def work_shape(jobs: JobTable, step_s: int) -> WorkShape:
    """Measure the jobs of a run.

    Jobs that may wait are taken to start when a step begins, for that is when grants arrive; the others at any moment.
    """
    _, classes, _, bins = jobs.axes.shape
    lags = -(-int(jobs.runtime_s.max(initial=step_s)) // step_s) + 1
    cell = jobs.compute_class * bins + jobs.duration_bin
    size = classes * bins
    runtime_h = _mean(jobs.runtime_s / HOUR_S, jobs.nodes, cell, size).reshape(classes, bins)
    lots = (jobs.runtime_s, jobs.nodes, jobs.compute_class, jobs.duration_bin, classes, bins, step_s, lags)
    may_wait = jobs.latest_start_s - jobs.submit_s > step_s
    held = _mean(may_wait.astype(np.float64), jobs.nodes, cell, size).reshape(classes, bins, 1)
    return WorkShape(
        occupancy=held * occupancy_from_boundary(*lots) + (1.0 - held) * occupancy(*lots),
        mean_runtime_h=runtime_h,
        gb_per_node=_mean(jobs.data_gb / jobs.nodes, jobs.nodes, jobs.compute_class, classes),
    )


def expected_work(observation: Observation, system: System) -> ExpectedWork:
    """Describe waiting, coming and running jobs over the steps of the forecast.

    A job whose latest start has passed is due in the first step, one that may wait no longer than a step in the step of
    its submission. Jobs that are submitted after the last step are left to later windows.
    """
    state, jobs, steps = observation.compute, observation.jobs, observation.forecast.steps
    end_s = state.now_s + steps * system.step_s
    coming = np.arange(state.next_row, np.searchsorted(jobs.submit_s, end_s), dtype=np.int64)
    rows = np.concatenate([state.waiting_row, coming])
    grid = (state.now_s, system.step_s, steps)
    nodes, queue, queues = jobs.nodes[rows], jobs.queue[rows], jobs.axes.size
    sites, classes = system.fleet.capacity_nodes.shape
    running = state.running_row
    committed = committed_node_s(
        state.running_start_s,
        state.running_left_s,
        jobs.nodes[running],
        state.running_site,
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


def _due_start_s(jobs: JobTable, rows: IntArray, step_s: int) -> IntArray:
    latest = jobs.latest_start_s[rows]
    no_choice = latest - jobs.submit_s[rows] <= step_s
    return np.where(no_choice, jobs.submit_s[rows], latest)


def _mean(value: FloatArray, weight: IntArray, index: IntArray, size: int) -> FloatArray:
    total = np.bincount(index, weights=weight, minlength=size)
    summed = np.bincount(index, weights=value * weight, minlength=size)
    return ratio_or_zero(summed, total)
