"""Node-seconds as the job records tell them, apart from the meters at the nodes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gridtwin.results.store import JOB_END, JOB_START, JOB_STOP, RunData
from gridtwin.units import IntArray

__all__ = ["NEVER_S", "NodeSeconds", "Spells", "job_spells", "node_seconds_of_jobs"]

NEVER_S = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """The times of jobs on nodes, from each start to the stop or end that follows, in order of job and start."""

    row: IntArray  # (spell,)
    site: IntArray  # (spell,)
    first: IntArray  # (spell,) 1 where it is the job's first, else 0
    start_s: IntArray  # (spell,) first second of work
    restart_s: IntArray  # (spell,) on the nodes before that
    stop_s: IntArray  # (spell,) first second without work, `NEVER_S` where nothing follows
    suspended: IntArray  # (spell,) 1 where it was suspended then, else 0
    checkpoint_s: IntArray  # (spell,) on the nodes after that
    left_before_s: IntArray  # (spell,) work left when it started
    left_after_s: IntArray  # (spell,) and when it stopped


@dataclass(frozen=True, slots=True, eq=False)
class NodeSeconds:
    """What nodes did for jobs (time, site, class), exact."""

    work: IntArray
    checkpoint: IntArray
    restart: IntArray

    @property
    def busy(self) -> IntArray:
        """All of it."""
        return self.work + self.checkpoint + self.restart


def job_spells(run: RunData) -> Spells:
    """Pair the starts of each job with its stops and its end, the first with the first and so on."""
    starts, stops, ends = (run.events[table] for table in (JOB_START, JOB_STOP, JOB_END))
    stopped, ended = len(stops["row"]), len(ends["row"])
    zero = np.zeros(ended, np.int64)
    close_row = np.concatenate([stops["row"], ends["row"]])
    close = {
        "stop_s": np.concatenate([stops["stop_s"], ends["end_s"]]),
        "suspended": np.concatenate([np.ones(stopped, np.int64), zero]),
        "checkpoint_s": np.concatenate([stops["checkpoint_s"], zero]),
        "left_after_s": np.concatenate([stops["left_s"], zero]),
    }
    by_start = np.lexsort((starts["start_s"], starts["row"]))
    by_close = np.lexsort((close["stop_s"], close_row))
    row = starts["row"][by_start]
    at, found = _match(row, close_row[by_close])
    closed = {name: np.where(found, np.append(values[by_close], 0)[at], 0) for name, values in close.items()}
    first = np.diff(row, prepend=-1) != 0
    before = np.concatenate([[0], closed["left_after_s"]])[:-1]
    return Spells(
        row=row,
        site=starts["site_index"][by_start],
        first=first.astype(np.int64),
        start_s=starts["start_s"][by_start],
        restart_s=starts["restart_s"][by_start],
        stop_s=np.where(found, closed["stop_s"], NEVER_S),
        suspended=closed["suspended"],
        checkpoint_s=closed["checkpoint_s"],
        left_before_s=np.where(first, run.jobs["runtime_s"][row], before),
        left_after_s=closed["left_after_s"],
    )


def node_seconds_of_jobs(run: RunData) -> NodeSeconds:
    """Spread each spell over the steps it covers.

    Work ends where the job was suspended or has none left. Nothing is lost: work is thrown away only by faults, and a
    suspension saves the state first.
    """
    spells, end_s = job_spells(run), len(run.time) * run.step_s
    work_end_s = np.where(spells.suspended == 1, spells.stop_s, spells.start_s + spells.left_before_s)
    save_end_s = np.where(spells.suspended == 1, spells.stop_s + spells.checkpoint_s, work_end_s)
    edges = (spells.start_s - spells.restart_s, spells.start_s, work_end_s, save_end_s)
    sites, classes = len(run.coords["site"]), len(run.coords["compute_class"])
    pool = spells.site * classes + run.jobs["class_index"][spells.row]
    nodes = run.jobs["nodes"][spells.row]
    restart, work, checkpoint = (
        _until_step_ends(
            np.minimum(start, end_s), np.minimum(end, end_s), nodes, pool, len(run.time), run.step_s, sites * classes
        ).reshape(len(run.time), sites, classes)
        for start, end in pairwise(edges)
    )
    return NodeSeconds(work=work, checkpoint=checkpoint, restart=restart)


def _match(row: IntArray, other: IntArray) -> tuple[IntArray, IntArray]:
    """Find for the k-th entry of each value in sorted `row` the k-th in sorted `other`: its place, whether it is."""
    at = np.searchsorted(other, row) + np.arange(len(row)) - np.searchsorted(row, row)
    found = np.append(other, -1)[np.minimum(at, len(other))] == row
    return np.minimum(at, len(other)), found


def _until_step_ends(
    start: IntArray, end: IntArray, nodes: IntArray, pool: IntArray, steps: int, step_s: int, pools: int
) -> IntArray:
    """Node-seconds per step as differences of a running total known at every step's end.

    A start at s in step k adds n·(end of k − s) to step k and n·step to each later one; an end takes the same away.
    """
    partial = np.zeros((steps + 1, pools), dtype=np.int64)
    whole = np.zeros((steps + 1, pools), dtype=np.int64)
    for instant, sign in ((start, 1), (end, -1)):
        step = instant // step_s
        np.add.at(partial, (step, pool), sign * nodes * ((step + 1) * step_s - instant))
        np.add.at(whole, (np.minimum(step + 1, steps), pool), sign * nodes * step_s)
    return (partial + np.cumsum(whole, axis=0))[:steps]
