from dataclasses import replace

import numpy as np

from gridtwin.records import ComputeState, QueueAxes
from gridtwin.workload.jobs import JobTable
from gridtwin.workload.remaining import remaining_work

ZERO, NO_ROWS = np.zeros(6, np.int64), np.zeros(0, np.int64)
JOBS = JobTable(
    axes=QueueAxes(("o",), ("c",), ("k",), (1000,)),
    job=np.arange(6),
    submit_s=ZERO,
    runtime_s=np.array([100, 200, 300, 400, 500, 600]),
    nodes=ZERO + 1,
    due_s=ZERO + 5000,
    origin=ZERO,
    compute_class=ZERO,
    delay_class=ZERO,
    data_gb=np.zeros(6),
    preemptible=np.array([True, True, False, True, True, True]),
    migratable=np.array([False, True, True, False, True, False]),
    checkpoint_s=ZERO + 5,
    restart_s=ZERO + 7,
    checkpoint_gb=np.zeros(6),
    estimate_s=np.array([100, 200, 300, 400, 500, 600]),
)
STATE = ComputeState(
    now_s=1000,
    next_row=6,
    waiting_row=np.array([5]),
    running_row=np.array([1, 2, 0]),  # the first works, the second runs through, the third restarts
    running_site=np.array([3, 4, 6]),
    running_start_s=np.array([900, 950, 1003]),
    running_left_s=np.array([150, 300, 80]),
    suspended_row=np.array([4, 3]),
    suspended_site=np.array([8, 9]),
    suspended_left_s=np.array([111, 222]),
    suspended_free_s=np.array([990, 1004]),
    release_nodes=np.zeros(1),
    route_nodes=np.zeros((1, 1, 1, 10)),
    preemptible_carry_nodes=np.zeros((10, 1)),
    link_free_s=np.zeros((1, 10)),
)


def test_what_running_suspended_and_waiting_jobs_still_need():
    work = remaining_work(STATE, JOBS)
    assert work.row.tolist() == [1, 0, 4, 3, 5]
    assert work.site.tolist() == [3, 6, 8, 9, -1]
    assert work.running.tolist() == [True, True, False, False, False]
    assert work.bound.tolist() == [False, True, False, True, False]
    assert work.release_s.tolist() == [1000, 1000, 1000, 1004, 1000]
    assert work.remaining_s.tolist() == [50, 83, 118, 229, 600]


def test_nobody_is_left():
    none = dict.fromkeys(("waiting_row", "running_row", "running_site", "running_start_s"), NO_ROWS)
    none |= dict.fromkeys(("running_left_s", "suspended_row", "suspended_site"), NO_ROWS)
    none |= dict.fromkeys(("suspended_left_s", "suspended_free_s"), NO_ROWS)
    assert len(remaining_work(replace(STATE, **none), JOBS).row) == 0
