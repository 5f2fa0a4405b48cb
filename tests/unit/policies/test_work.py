"""Preemptible jobs as node-hours between envelopes, worked out on paper. Steps are hours; an origin, two sites."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.compute.engine import initial_state
from gridtwin.policies.work import SLACK_UPPER_S, expected_preemptible, work_shape
from gridtwin.records import Fleet, QueueAxes
from gridtwin.workload.jobs import JobTable

HOUR = 3600
AXES = QueueAxes(("east",), ("ai",), ("prompt", "week"), (HOUR, 100 * HOUR))
SITES, STEPS = 2, 4
NO_CHOICE, HOURS, WEEK = 0, 1, len(SLACK_UPPER_S)  # slack up to an hour, to four, beyond 64


@pytest.fixture
def jobs():
    """Widths 2, 3, 5, 7; the last one cannot be interrupted."""
    return JobTable(
        axes=AXES,
        job=np.arange(4),
        submit_s=np.array([0, HOUR // 2, 2 * HOUR, 2 * HOUR]),
        runtime_s=np.array([3 * HOUR, HOUR, 2 * HOUR, HOUR]),
        nodes=np.array([2, 3, 5, 7]),
        due_s=np.array([168 * HOUR, 2 * HOUR, 6 * HOUR, 6 * HOUR]),
        origin=np.zeros(4, np.int64),
        compute_class=np.zeros(4, np.int64),
        delay_class=np.array([1, 0, 1, 1]),
        data_gb=np.array([12.0, 0.0, 10.0, 70.0]),
        preemptible=np.array([True, True, True, False]),
        migratable=np.zeros(4, bool),
        checkpoint_s=np.full(4, 300),
        restart_s=np.full(4, 600),
        checkpoint_gb=np.zeros(4),
        estimate_s=np.array([3 * HOUR, HOUR, 2 * HOUR, HOUR]),
    )


@pytest.fixture
def blank(jobs):
    nodes = np.full((SITES, 1), 100)
    fleet = Fleet(
        site=("a", "b"), bus=np.zeros(2, np.int64), axes=AXES, capacity_nodes=nodes, idle_w=nodes * 1.0,
        peak_w=nodes * 2.0, power_factor=np.ones(2), connection_mw=np.full(2, np.inf),
        preference=np.array([[[0, 1]]]), bandwidth_gbps=np.full((1, 2), np.inf), latency_oneway_s=np.zeros((1, 2)),
        price_per_gb=np.zeros((1, 2)), service_utilization=np.ones(1),
    )  # fmt: skip
    return initial_state(jobs, fleet)


def expected(state, jobs):
    return expected_preemptible(state, jobs, SITES, HOUR, STEPS)


def test_a_week_is_due_after_the_horizon(blank, jobs):
    work = expected(blank, jobs)
    assert work.arriving_node_h[:, 0, 0, WEEK].tolist() == [2, 2, 2, 0]
    assert work.due_node_h[:, 0, 0, WEEK].sum() == 0
    assert work.width_nodes[:, 0, WEEK].tolist() == [2, 2, 2, 2]


def test_jobs_are_pooled_by_their_slack(blank, jobs):
    """Job 2 comes at two and may pause two hours; the horizon ends at four."""
    work = expected(blank, jobs)
    assert work.arriving_node_h[:, 0, 0, HOURS].tolist() == [0, 0, 5, 5]
    assert work.due_node_h[:, 0, 0, HOURS].sum() == 0
    assert work.arriving_node_h.sum() == 6 + 3 + 10


def test_a_job_that_may_wait_no_longer_than_a_step_has_no_choice(blank, jobs):
    """Half an hour of slack: it runs from half past on, although it may be due later."""
    work = expected(blank, jobs)
    assert work.arriving_node_h[:, 0, 0, NO_CHOICE].tolist() == [1.5, 1.5, 0, 0]
    np.testing.assert_array_equal(work.due_node_h[..., NO_CHOICE], work.arriving_node_h[..., NO_CHOICE])


def test_running_work_goes_on_at_its_site(blank, jobs):
    """Job 0 began half an hour ago at site 1, whole hours of it are 3; the state is that of hour 2."""
    state = replace(
        blank, now_s=2 * HOUR, next_row=2, running_row=np.array([0, 3]), running_site=np.array([1, 0]),
        running_start_s=np.array([3 * HOUR // 2, 2 * HOUR]), running_left_s=np.array([3 * HOUR, HOUR]),
    )  # fmt: skip
    work = expected(state, jobs)
    assert work.arriving_node_h[:, 2, 0, WEEK].tolist() == [2, 2, 1, 0]
    assert work.arriving_node_h[:, 1].sum() == 0
    assert work.held_nodes.tolist() == [[0], [2]]


def test_work_whose_data_still_move_holds_its_nodes(blank, jobs):
    state = replace(
        blank, next_row=1, running_row=np.array([0]), running_site=np.array([0]),
        running_start_s=np.array([HOUR // 2]), running_left_s=np.array([3 * HOUR]),
    )  # fmt: skip
    assert expected(state, jobs).arriving_node_h[:, 1, 0, WEEK].tolist() == [2, 2, 2, 1]


def test_suspended_work_loads_its_state_again(blank, jobs):
    """Job 2 has an hour left and needs ten minutes to restart; due at six, it is now two."""
    state = replace(
        blank, now_s=2 * HOUR, next_row=4, suspended_row=np.array([2]), suspended_site=np.array([0]),
        suspended_left_s=np.array([HOUR]), suspended_free_s=np.array([0]),
    )  # fmt: skip
    work = expected(state, jobs)
    np.testing.assert_allclose(work.arriving_node_h[:, 1, 0, HOURS], [5, 5 / 6, 0, 0])
    np.testing.assert_allclose(work.due_node_h[:, 1, 0, HOURS], [0, 0, 5 / 6, 5])
    np.testing.assert_allclose(work.width_nodes[:, 0, HOURS], 5)
    assert work.held_nodes.sum() == 0


def test_work_that_may_migrate_is_bound_to_no_site(blank, jobs):
    movable = replace(jobs, migratable=np.array([True, False, False, False]))
    state = replace(
        blank, next_row=1, running_row=np.array([0]), running_site=np.array([1]),
        running_start_s=np.array([0]), running_left_s=np.array([3 * HOUR]),
    )  # fmt: skip
    work = expected(state, movable)
    assert work.arriving_node_h[:2, 0, 0, WEEK].tolist() == [2, 2]
    assert work.arriving_node_h[:, 1:].sum() == 0
    assert work.held_nodes.tolist() == [[0], [2]]


def test_shapes_of_jobs_that_can_be_interrupted_and_of_those_that_cannot(jobs):
    shape = work_shape(jobs, HOUR)
    assert shape.mean_runtime_h.tolist() == [[1.0, 0.0]]
    assert shape.gb_per_node.tolist() == [10.0]
    np.testing.assert_allclose(shape.gb_per_node_h, (12 + 10) / (6 + 3 + 10))
    np.testing.assert_allclose(shape.interruption_h, 0.25)
