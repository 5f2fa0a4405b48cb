from dataclasses import fields, replace

import numpy as np
import pytest

from gridtwin.records import ComputeState, QueueAxes
from gridtwin.workload.forecasts import (
    believed_work,
    estimates_s,
    repeated_arrivals,
    resampled_arrivals,
    with_estimates,
)
from gridtwin.workload.jobs import JobTable

STEP_S = 10


def table(submit_s, runtime_s, estimate_s) -> JobTable:
    count = len(submit_s)
    zero, none = np.zeros(count, np.int64), np.zeros(count, bool)
    submit, runtime = np.array(submit_s), np.array(runtime_s)
    columns = {field.name: zero for field in fields(JobTable)[1:]} | {
        "job": np.arange(count) + 100,
        "submit_s": submit,
        "runtime_s": runtime,
        "estimate_s": np.array(estimate_s),
        "nodes": zero + 1,
        "due_s": submit + runtime + 50,
        "preemptible": none,
        "migratable": none,
    }
    return JobTable(QueueAxes(("o",), ("c",), ("d",), (40, 1000)), **columns)


def state(now_s, waiting=(), running=(), suspended=()) -> ComputeState:
    """Running jobs are (row, start, left); suspended ones (row, left)."""
    rows, starts, lefts = (np.array([job[i] for job in running], np.int64) for i in range(3))
    return ComputeState(
        now_s=now_s,
        next_row=4,
        waiting_row=np.array(waiting, np.int64),
        running_row=rows,
        running_site=np.zeros_like(rows),
        running_start_s=starts,
        running_left_s=lefts,
        suspended_row=np.array([job[0] for job in suspended], np.int64),
        suspended_site=np.zeros(len(suspended), np.int64),
        suspended_left_s=np.array([job[1] for job in suspended], np.int64),
        suspended_free_s=np.full(len(suspended), now_s),
        release_nodes=np.zeros(2),
        route_nodes=np.zeros((1, 1, 2, 1)),
        preemptible_carry_nodes=np.zeros((1, 1)),
        link_free_s=np.zeros((1, 1)),
    )


def test_without_sigma_nothing_is_drawn():
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    runtime_s = np.array([5, 7])
    assert estimates_s(rng, runtime_s, 0.0, 100) is runtime_s
    assert rng.random() == other.random()


def test_estimates_are_log_normal_about_the_runtime():
    runtime_s = np.full(50_000, 10_000)
    log = np.log(estimates_s(np.random.default_rng(3), runtime_s, 0.5, 10**9) / runtime_s)
    assert (log.mean(), log.std()) == pytest.approx((0.0, 0.5), abs=0.01)


def test_estimates_stay_within_the_bins():
    drawn = estimates_s(np.random.default_rng(3), np.full(1000, 2), 3.0, 100)
    assert (drawn.min(), drawn.max()) == (1, 100)


def test_bins_and_latest_start_go_by_the_estimate():
    jobs = table([0, 0], [30, 30], [60, 10])
    assert jobs.duration_bin.tolist() == [1, 0]
    assert jobs.latest_start_s.tolist() == [20, 70]
    assert with_estimates(jobs).runtime_s.tolist() == [60, 10]


def test_arrivals_of_the_last_day_are_repeated():
    row, submit_s = repeated_arrivals(np.array([0, 3, 12, 18]), now_s=20, until_s=40, periods_s=(10, 70))
    assert (row.tolist(), submit_s.tolist()) == ([2, 3, 2, 3], [22, 28, 32, 38])


def test_arrivals_of_the_last_week_once_there_is_one():
    row, submit_s = repeated_arrivals(np.array([0, 3, 12, 18, 31]), now_s=30, until_s=60, periods_s=(10, 30))
    assert (row.tolist(), submit_s.tolist()) == ([0, 1, 2, 3], [30, 33, 42, 48])


def test_within_the_first_day_its_rest_is_expected_and_its_beginning_again():
    row, submit_s = repeated_arrivals(np.array([1, 7, 12]), now_s=4, until_s=14, periods_s=(10, 70))
    assert (row.tolist(), submit_s.tolist()) == ([1, 0], [7, 11])


def test_nothing_is_expected_after_the_end():
    row, submit_s = repeated_arrivals(np.array([1, 7, 12]), now_s=20, until_s=20, periods_s=(10, 70))
    assert (len(row), len(submit_s)) == (0, 0)


def test_counts_follow_the_factor_of_their_step():
    submit_s = np.sort(np.random.default_rng(0).integers(0, 2 * STEP_S, 40_000))
    row = np.arange(len(submit_s))
    drawn = resampled_arrivals(np.random.default_rng(1), submit_s, row, 0, STEP_S, np.array([0.7, 1.6]))
    first = submit_s < STEP_S
    counts = np.bincount(drawn, minlength=len(row))
    assert counts[first].mean() == pytest.approx(0.7, abs=0.02)
    assert counts[~first].mean() == pytest.approx(1.6, abs=0.02)
    assert set(counts[first]) == {0, 1}
    assert set(counts[~first]) == {1, 2}
    assert (np.diff(drawn) >= 0).all()


def test_what_is_believed_of_each_job():
    jobs = table([0, 1, 2, 3, 20], [100, 100, 100, 100, 30], [90, 15, 60, 70, 25])
    seen = state(40, waiting=[3], running=[(2, 30, 50), (1, 10, 100)], suspended=[(0, 5)])
    believed, compute = believed_work(jobs, seen, np.array([4, 4]), np.array([45, 65]), STEP_S)
    assert believed.job.tolist() == [100, 101, 102, 103, -1, -2]
    assert believed.submit_s.tolist() == [0, 1, 2, 3, 45, 65]
    assert (believed.due_s - believed.submit_s).tolist() == (jobs.due_s - jobs.submit_s)[[0, 1, 2, 3, 4, 4]].tolist()
    assert compute.next_row == 4
    assert (compute.waiting_row.tolist(), compute.running_row.tolist()) == ([3], [2, 1])
    # row 0 has worked 95 s, longer than the 90 s expected; row 1 30 of 15 s; row 2 50 s before and 10 s since, of 60 s
    assert believed.runtime_s.tolist() == [105, 40, 70, 70, 25, 25]
    assert compute.suspended_left_s.tolist() == [10]
    assert compute.running_left_s.tolist() == [20, 40]
    assert believed.estimate_s.tolist() == [90, 15, 60, 70, 25, 25]


def test_believing_the_truth_changes_nothing_but_the_rows():
    jobs = table([0, 1, 2, 3, 20], [100, 100, 100, 100, 30], [100, 100, 100, 100, 30])
    seen = state(15, waiting=[3], running=[(2, 30, 50), (1, 10, 100)], suspended=[(0, 5)])
    believed, compute = believed_work(jobs, seen, np.array([4]), np.array([20]), STEP_S)
    for field in fields(JobTable)[1:]:
        if field.name != "job":
            np.testing.assert_array_equal(getattr(believed, field.name), getattr(jobs, field.name), err_msg=field.name)
    assert replace(compute, next_row=4).running_left_s.tolist() == seen.running_left_s.tolist()
    assert compute.suspended_left_s.tolist() == seen.suspended_left_s.tolist()
