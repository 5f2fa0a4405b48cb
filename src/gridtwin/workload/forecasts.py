"""What a scheduler believes of jobs: how long they run, and which are still to come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.records import ComputeState
from gridtwin.units import FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["believed_work", "estimates_s", "repeated_arrivals", "resampled_arrivals", "with_estimates"]


def estimates_s(rng: np.random.Generator, runtime_s: IntArray, sigma: float, longest_s: int) -> IntArray:
    """Draw estimates of runtimes: runtime · exp(sigma · N(0, 1)), in [1 s, `longest_s`].

    Nothing is drawn when `sigma` is 0: the estimate is the runtime.

    Parameters
    ----------
    rng : Generator
    runtime_s : ndarray (job,), s
    sigma : float
    longest_s : int, s
        Users cannot ask for more; estimates beyond it are cut to it.

    Returns
    -------
    ndarray (job,), s
    """
    if sigma == 0.0:
        return runtime_s
    drawn = runtime_s * np.exp(sigma * rng.standard_normal(len(runtime_s)))
    return np.clip(np.ceil(drawn), 1, longest_s).astype(np.int64)


def with_estimates(jobs: JobTable) -> JobTable:
    """Return jobs that run as long as estimated."""
    return replace(jobs, runtime_s=jobs.estimate_s)


def repeated_arrivals(
    submit_s: IntArray, now_s: int, until_s: int, periods_s: tuple[int, ...]
) -> tuple[IntArray, IntArray]:
    """Expect the jobs of the last period again, as often as it fits.

    Parameters
    ----------
    submit_s : ndarray (job,), s
        Ascending.
    now_s, until_s : int, s
        Jobs are expected in [now_s, until_s).
    periods_s : tuple of int, s
        Ascending, such as a day and a week: the longest that has passed is repeated. Before the shortest has, the first
        of that length is, as if the one before it had been like it.

    Returns
    -------
    row, expected_submit_s : ndarray (expected,)
        In order of submission; ties keep the order of rows.

    Examples
    --------
    >>> repeated_arrivals(np.array([1, 7, 12]), now_s=10, until_s=25, periods_s=(10, 70))
    (array([0, 1, 0]), array([11, 17, 21]))
    """
    period_s = max((period for period in periods_s if period <= now_s), default=periods_s[0])
    from_s = max(now_s - period_s, 0)
    first, last = np.searchsorted(submit_s, (from_s, from_s + period_s))
    laps = np.arange(-(-(until_s - from_s) // period_s))
    row = np.tile(np.arange(first, last), len(laps))
    expected_s = submit_s[row] + np.repeat(laps * period_s, last - first)
    inside = (expected_s >= now_s) & (expected_s < until_s)
    return row[inside], expected_s[inside]


def resampled_arrivals(
    rng: np.random.Generator, submit_s: IntArray, row: IntArray, first_s: int, step_s: int, factor: FloatArray
) -> IntArray:
    """Expect `factor` times as many jobs in each step: leave some out, or expect them more than once.

    Parameters
    ----------
    rng : Generator
    submit_s : ndarray (job,), s
    row : ndarray (coming,)
        Jobs that come, in order of submission.
    first_s, step_s : int, s
    factor : ndarray (step,), >= 0

    Returns
    -------
    ndarray (expected,)
        Rows, in order of submission.
    """
    step = (submit_s[row] - first_s) // step_s
    copies = (factor[step] + rng.random(len(row))).astype(np.int64)
    return np.repeat(row, copies)


def believed_work(
    jobs: JobTable, state: ComputeState, coming_row: IntArray, coming_submit_s: IntArray, step_s: int
) -> tuple[JobTable, ComputeState]:
    """Jobs that are there and jobs that are expected, as a table and a state of their own.

    Parameters
    ----------
    jobs : JobTable
        The run.
    state : ComputeState
    coming_row, coming_submit_s : ndarray (expected,)
        Jobs like which more are expected, and when; in order of submission, after `state.now_s`.
    step_s : int, s
        A job that has outrun its estimate is believed to run for another step.

    Returns
    -------
    JobTable
        Jobs that wait, run or are suspended, then those expected, whose numbers are negative.
    ComputeState
        The same in terms of that table, work left as believed.
    """
    live = np.sort(np.concatenate([state.waiting_row, state.running_row, state.suspended_row]))
    table = jobs.take(np.concatenate([live, coming_row]))
    delay_s = np.concatenate([np.zeros_like(live), coming_submit_s - jobs.submit_s[coming_row]])
    running, suspended = (np.searchsorted(live, row) for row in (state.running_row, state.suspended_row))
    before_s = jobs.runtime_s[state.running_row] - state.running_left_s
    done_s = jobs.runtime_s[state.suspended_row] - state.suspended_left_s
    runtime_s = table.estimate_s.copy()
    worked_s = before_s + np.maximum(state.now_s - state.running_start_s, 0)
    runtime_s[running] = _outrun(runtime_s[running], worked_s, step_s)
    runtime_s[suspended] = _outrun(runtime_s[suspended], done_s, step_s)
    believed = replace(
        table,
        job=np.concatenate([table.job[: len(live)], -1 - np.arange(len(coming_row))]),
        submit_s=table.submit_s + delay_s,
        due_s=table.due_s + delay_s,
        runtime_s=runtime_s,
    )
    return believed, replace(
        state,
        next_row=len(live),
        waiting_row=np.searchsorted(live, state.waiting_row),
        running_row=running,
        running_left_s=runtime_s[running] - before_s,
        suspended_row=suspended,
        suspended_left_s=runtime_s[suspended] - done_s,
    )


def _outrun(estimate_s: IntArray, worked_s: IntArray, step_s: int) -> IntArray:
    return np.where(estimate_s > worked_s, estimate_s, worked_s + step_s)
