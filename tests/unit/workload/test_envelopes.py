"""Single jobs, worked out on paper."""

import numpy as np
import pytest

from gridtwin.workload.envelopes import committed_node_s, due_nodes, occupancy, released_nodes, work_envelope

CLOCK = {"first_s": 1000, "step_s": 100, "steps": 4}


def one(value: int) -> np.ndarray:
    return np.array([value], np.int64)


@pytest.mark.parametrize(
    ("submit_s", "expected"),
    [(0, [3, 0, 0, 0]), (1000, [3, 0, 0, 0]), (1099, [3, 0, 0, 0]), (1100, [0, 3, 0, 0]), (1400, [0, 0, 0, 0])],
)
def test_starts_become_possible_in_the_step_of_submission(submit_s, expected):
    assert released_nodes(one(submit_s), one(3), one(1), 2, **CLOCK)[:, 1].tolist() == expected


@pytest.mark.parametrize(
    ("latest_s", "expected"), [(400, [3, 0, 0, 0]), (1199, [0, 3, 0, 0]), (1200, [0, 0, 3, 0]), (1400, [0] * 4)]
)
def test_starts_are_due_by_the_end_of_the_step_of_the_latest_start(latest_s, expected):
    assert due_nodes(one(latest_s), one(3), one(0), 2, **CLOCK)[:, 0].tolist() == expected


def test_work_of_one_job_between_release_and_due():
    envelope = work_envelope(one(1050), one(1400), one(120), one(2), one(0), 1, **CLOCK)
    assert envelope.upper_node_s[:, 0].tolist() == [100, 240, 240, 240]
    assert envelope.lower_node_s[:, 0].tolist() == [0, 0, 40, 240]
    assert envelope.width_nodes[:, 0].tolist() == [1.0, 2.0, 2.0, 2.0]
    assert envelope.work_node_s.tolist() == [240]


def test_overdue_work_runs_at_once():
    envelope = work_envelope(one(0), one(1010), one(150), one(2), one(0), 1, **CLOCK)
    assert envelope.upper_node_s[:, 0].tolist() == [200, 300, 300, 300]
    assert envelope.lower_node_s[:, 0].tolist() == [200, 300, 300, 300]
    assert envelope.width_nodes[:, 0].tolist() == [2.0, 1.0, 0.0, 0.0]


def test_committed_work_counts_seconds_exactly():
    start = np.array([0, 1110, 1350])
    node_s = committed_node_s(
        start, np.array([1030, 95, 500]), np.array([2, 3, 1]), np.array([0, 1, 1]), np.array([0, 0, 1]),
        **CLOCK, sites=2, classes=2,
    )  # fmt: skip
    assert node_s[:, 0, 0].tolist() == [60, 0, 0, 0]
    assert node_s[:, 1, 0].tolist() == [0, 270, 15, 0]
    assert node_s[:, 1, 1].tolist() == [0, 0, 0, 50]
    assert node_s[:, 0, 1].sum() == 0


@pytest.mark.parametrize(
    ("runtime_s", "expected"),
    [
        (100, [0.5, 0.5, 0.0, 0.0]),
        (50, [0.375, 0.125, 0.0, 0.0]),
        (250, [0.5, 1.0, 0.875, 0.125]),
        (900, [0.5, 1, 1, 1]),
    ],
)
def test_occupancy_of_one_job(runtime_s, expected):
    share = occupancy(one(runtime_s), one(4), one(1), one(0), 2, 1, step_s=100, lags=4)
    assert share[1, 0].tolist() == pytest.approx(expected)
    assert share[0].sum() == 0.0


def test_occupancy_is_weighted_by_nodes():
    share = occupancy(np.array([100, 300]), np.array([3, 1]), one(0).repeat(2), one(0).repeat(2), 1, 1, 100, 4)
    assert share[0, 0].tolist() == pytest.approx([0.5, 0.625, 0.25, 0.125])
