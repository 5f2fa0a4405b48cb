"""What preemptible jobs still need, wherever they are in their life: the terms in which a plan counts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.records import ComputeState
from gridtwin.units import BoolArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["RemainingWork", "remaining_work"]


@dataclass(frozen=True, slots=True, eq=False)
class RemainingWork:
    """Live preemptible jobs at a step boundary: first those that run, then suspended ones, then those that wait."""

    row: IntArray  # (job,) of the run's job table
    site: IntArray  # (job,) where it runs or ran last, -1 where it has not begun
    running: BoolArray  # (job,) holds nodes now; its data may still move
    bound: BoolArray  # (job,) has begun and may not migrate: it can go on only at `site`
    release_s: IntArray  # (job,) when it can be on its nodes next; not before now
    remaining_s: IntArray  # (job,) time that it still needs on them


def remaining_work(state: ComputeState, jobs: JobTable) -> RemainingWork:
    """Describe the jobs that a cap on preemptible nodes governs, for `work_envelope`.

    Parameters
    ----------
    state : ComputeState
        At a step boundary.
    jobs : JobTable
        The whole run.

    Returns
    -------
    RemainingWork
        A running job needs its nodes until it ends, the transfer of its data and its restart included. A suspended one
        needs a restart and the work that is left, once its state is saved. A waiting one needs its runtime; its first
        transfer is left out, as `data_lead_s` counts it. Jobs that are not submitted yet are left out: they need
        `runtime_s` from `submit_s` on.
    """
    row = np.concatenate([state.running_row, state.suspended_row, state.waiting_row])
    lengths = (len(state.running_row), len(state.suspended_row), len(state.waiting_row))
    kind = np.repeat(np.arange(3), lengths)
    release_s, site = np.full(len(row), state.now_s), np.full(len(row), -1)
    release_s[kind == 1] = np.maximum(state.suspended_free_s, state.now_s)
    site[kind == 0], site[kind == 1] = state.running_site, state.suspended_site
    remaining_s = jobs.runtime_s[row]
    remaining_s[kind == 0] = state.running_start_s + state.running_left_s - state.now_s
    remaining_s[kind == 1] = state.suspended_left_s + jobs.restart_s[state.suspended_row]
    governed = jobs.preemptible[row]
    columns = (row, site, kind == 0, (site >= 0) & ~jobs.migratable[row], release_s, remaining_s)
    return RemainingWork(*(column[governed] for column in columns))
