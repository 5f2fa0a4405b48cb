import numpy as np

from gridtwin.records import QueueAxes
from gridtwin.workload.jobs import JobTable

AXES = QueueAxes(("west", "east"), ("general", "super"), ("prompt", "day"), (60, 3600))
JOBS = JobTable(
    axes=AXES,
    job=np.array([10, 11, 12]),
    submit_s=np.array([0, 5, 9]),
    runtime_s=np.array([60, 61, 3600]),
    nodes=np.array([1, 2, 3]),
    due_s=np.array([100, 200, 4000]),
    origin=np.array([0, 1, 1]),
    compute_class=np.array([1, 0, 1]),
    delay_class=np.array([0, 1, 1]),
    data_gb=np.array([0.0, 1.5, 2.5]),
    preemptible=np.array([True, False, True]),
    migratable=np.array([True, False, False]),
    checkpoint_s=np.array([60, 0, 30]),
    restart_s=np.array([120, 0, 60]),
    checkpoint_gb=np.array([5.0, 0.0, 1.0]),
    estimate_s=np.array([60, 61, 3600]),
)


def test_bins_include_their_upper_runtime():
    assert JOBS.duration_bin.tolist() == [0, 1, 1]


def test_queues_are_flat_over_the_axes():
    assert JOBS.queue.tolist() == [4, 8 + 2 + 1, 8 + 4 + 2 + 1]
    assert JOBS.queue.max() == AXES.size - 1


def test_latest_start_leaves_room_for_the_runtime():
    assert JOBS.latest_start_s.tolist() == [40, 139, 400]


def test_take_keeps_rows_together():
    taken = JOBS.take(np.array([2, 0]))
    assert len(taken) == 2
    assert taken.axes is AXES
    assert (taken.job.tolist(), taken.data_gb.tolist(), taken.preemptible.tolist()) == (
        [12, 10],
        [2.5, 0.0],
        [True] * 2,
    )
