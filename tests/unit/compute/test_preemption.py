"""Preemptible jobs under caps: small cases whose outcome was worked out on paper. Steps last 100 s."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.compute.engine import initial_state, without_grants
from gridtwin.errors import ComputeError

SLACK = 10_000
PREEMPTIBLE = {"preemptible": True, "checkpoint_s": 10, "restart_s": 20}


def spells(record):
    """Starts as (row, site, start_s, restart_s) and stops as (row, stop_s, checkpoint_s, left_s)."""
    starts = (record.started_row, record.started_site, record.start_s, record.restart_s)
    stops = (record.stopped_row, record.stop_s, record.checkpoint_s, record.stopped_left_s)
    return [list(zip(*(column.tolist() for column in columns), strict=True)) for columns in (starts, stops)]


def test_a_job_is_suspended_and_resumed_as_the_cap_says(hand):
    jobs = hand.jobs((0, 150, 2, SLACK), **PREEMPTIBLE)
    state, record = hand.run(hand.fleet([4]), jobs, plan=hand.caps([2], [1], [2], [2]))
    starts, stops = spells(record)
    assert starts == [(0, 0, 0, 0), (0, 0, 220, 20)]
    assert stops == [(0, 100, 10, 50)]
    assert record.finish_s.tolist() == [270]
    assert record.busy_node_s[:, 0, 0].tolist() == [200, 20, 140, 0]
    assert record.checkpoint_node_s[:, 0, 0].tolist() == [0, 20, 0, 0]
    assert record.restart_node_s[:, 0, 0].tolist() == [0, 0, 40, 0]
    assert record.suspended_nodes[:, 0, 0].tolist() == [0, 2, 0, 0]
    assert record.forced_nodes.sum() == record.overrun_nodes.sum() == 0
    assert len(state.suspended_row) == 0


def test_jobs_with_most_slack_give_way_and_the_least_is_kept(hand):
    jobs = hand.jobs((0, 900, 1, 8000), (0, 900, 1, 9000), (0, 900, 2, 7000), **PREEMPTIBLE)
    _, record = hand.run(hand.fleet([4]), jobs, plan=hand.caps([4], [3], [1], [0]))
    _, stops = spells(record)
    assert [stop[:2] for stop in stops] == [(1, 100), (2, 200), (0, 300)]


def test_a_job_that_cannot_wait_overruns_the_cap(hand):
    """It has to go on at 190, before the step ends, so it is not suspended; nor is it held up when it starts."""
    jobs = hand.jobs((0, 400, 2, 110), (100, 150, 1, 50), **PREEMPTIBLE)
    _, record = hand.run(hand.fleet([4]), jobs, plan=hand.caps([2], [0], [0], [0]))
    starts, stops = spells(record)
    assert (starts, stops) == ([(0, 0, 0, 0), (1, 0, 100, 0)], [])
    assert record.overrun_nodes[:, 0, 0].tolist() == [0, 3, 3, 2]
    assert record.forced_nodes[:, 0, 0].tolist() == [0, 1, 0, 0]


def test_a_suspended_job_goes_on_in_time_whatever_the_cap(hand):
    jobs = hand.jobs((0, 150, 2, 250), **PREEMPTIBLE)  # after 100 s of work it must be loaded from 330 on
    _, record = hand.run(hand.fleet([4]), jobs, plan=hand.caps([2], [0], [0], [0]))
    starts, _ = spells(record)
    assert starts[1] == (0, 0, 320, 20)
    assert record.finish_s.tolist() == [370]
    assert record.forced_nodes[:, 0, 0].tolist() == [0, 0, 0, 2]


def test_only_a_migratable_job_moves_and_its_state_takes_time(hand):
    fleet = hand.fleet([2, 2], gbps=8.0)  # 30 GB take 30 s
    jobs = hand.jobs((0, 300, 2, SLACK), **PREEMPTIBLE, checkpoint_gb=30.0)
    caps = hand.caps([2, 0], [0, 2], [0, 2], [0, 2])
    stays, at_home = hand.run(fleet, jobs, plan=caps)
    _, moved = hand.run(fleet, replace(jobs, migratable=np.array([True])), plan=caps)
    assert spells(at_home)[0] == [(0, 0, 0, 0)]
    assert stays.suspended_site.tolist() == [0]
    assert spells(moved)[0] == [(0, 0, 0, 0), (0, 1, 160, 20)]  # saved 110, moved 140, loaded 160
    assert moved.moved_gb[:, 0].tolist() == moved.migrated_gb[:, 0].tolist() == [[0, 0], [0, 30], [0, 0], [0, 0]]
    assert moved.busy_node_s[1, :, 0].tolist() == [20, 2 * 20 + 2 * 40]


def test_a_migratable_job_prefers_the_site_where_it_ran(hand):
    jobs = hand.jobs((0, 300, 2, SLACK), **PREEMPTIBLE, migratable=True)
    _, record = hand.run(hand.fleet([2, 9]), jobs, plan=hand.caps([2, 0], [0, 0], [2, 9], [2, 9]))
    assert [start[1] for start in spells(record)[0]] == [0, 0]


def test_jobs_take_nodes_that_come_free_within_the_cap(hand):
    jobs = hand.jobs((0, 30, 2, SLACK), (1, 50, 2, SLACK), (2, 50, 2, SLACK), **PREEMPTIBLE)
    _, record = hand.run(hand.fleet([9]), jobs, plan=hand.caps([2], [2], [2], [2]))
    assert [start[2] for start in spells(record)[0]] == [0, 30, 80]


def test_a_wide_job_saves_up_and_nothing_piles_up_for_nobody(hand):
    jobs = hand.jobs((300, 50, 4, SLACK), **PREEMPTIBLE)
    state, record = hand.run(hand.fleet([9]), jobs, plan=hand.caps(*[[1.5]] * 6), steps=6)
    assert spells(record)[0] == [(0, 0, 500, 0)]
    assert state.preemptible_carry_nodes.tolist() == [[0.0]]
    state, _ = hand.run(hand.fleet([9]), jobs, plan=hand.caps(*[[1.5]] * 5), steps=5)
    assert state.preemptible_carry_nodes.tolist() == [[3.0]]
    assert without_grants(state).preemptible_carry_nodes.tolist() == [[0.0]]


def test_an_urgent_job_without_room_has_others_suspended(hand):
    """The urgent one comes at 50: of the two that work there, the wide one with most slack saves and makes room."""
    rows = (0, 900, 3, SLACK), (0, 900, 1, SLACK - 1), (50, 40, 2, 30)
    jobs = replace(hand.jobs(*rows, **PREEMPTIBLE), preemptible=np.array([True, True, False]))
    _, record = hand.run(hand.fleet([4]), jobs, plan=hand.caps([4], [4], [4], [4]))
    starts, stops = spells(record)
    assert [stop[:2] for stop in stops] == [(0, 50)]
    assert starts[2:] == [(2, 0, 60, 0), (0, 0, 120, 20)]


def test_who_makes_room_may_go_on_elsewhere_at_once(hand):
    jobs = hand.jobs((0, 900, 2, SLACK), (50, 40, 3, 30), restart_s=20, migratable=True)
    jobs = replace(jobs, preemptible=np.array([True, False]))
    _, record = hand.run(hand.fleet([3, 2]), jobs, plan=hand.caps([3, 2], [3, 2], [3, 2], [3, 2]))
    starts, stops = spells(record)
    assert stops == [(0, 50, 0, 850)]
    assert starts == [(0, 0, 0, 0), (1, 0, 50, 0), (0, 1, 70, 20)]


def test_a_checkpoint_survives_the_window_boundary(hand):
    fleet, jobs = hand.fleet([2]), hand.jobs((0, 300, 2, SLACK), **(PREEMPTIBLE | {"checkpoint_s": 130}))
    first, _ = hand.run(fleet, jobs, plan=hand.caps([2], [0]), steps=2)
    assert (first.suspended_row.tolist(), first.suspended_free_s.tolist()) == ([0], [230])
    second, record = hand.run(fleet, jobs, plan=hand.caps([2], [2]), steps=2, state=first)
    assert record.checkpoint_node_s[:, 0, 0].tolist() == [60, 0]
    assert (second.running_start_s.tolist(), second.running_left_s.tolist()) == ([250], [200])


def test_without_a_plan_nobody_is_suspended_and_suspended_jobs_go_on_first(hand):
    fleet, jobs = hand.fleet([2]), hand.jobs((0, 300, 2, SLACK), (50, 10, 2, SLACK), **PREEMPTIBLE)
    state, _ = hand.run(fleet, jobs, plan=hand.caps([2], [0]), steps=2)
    for discipline in ("fcfs", "edf"):
        _, record = hand.run(fleet, jobs, state=state, steps=5, discipline=discipline)
        assert spells(record) == [[(0, 0, 220, 20), (1, 0, 420, 0)], []]


def test_preemptible_jobs_leave_grants_to_the_others(hand):
    plan = replace(hand.caps([1], [1], [1], [1]), release_nodes=np.full((4, 4), 1.0))
    jobs = replace(hand.jobs((0, 50, 1, SLACK), (0, 50, 1, SLACK)), preemptible=np.array([True, False]))
    state, record = hand.run(hand.fleet([9]), jobs, plan=plan, steps=1)
    assert spells(record)[0] == [(1, 0, 0, 0), (0, 0, 0, 0)]
    assert state.release_nodes.tolist() == [1.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"checkpoint_s": -1}, "checkpoint_s or restart_s below 0 s"),
        ({"restart_s": -1}, "checkpoint_s or restart_s below 0 s"),
        ({"checkpoint_gb": np.nan}, "checkpoint_gb that is negative or not a number"),
    ],
)
def test_impossible_checkpoints_are_refused(hand, columns, message):
    with pytest.raises(ComputeError, match=message):
        initial_state(hand.jobs((0, 10, 1, 0), **columns), hand.fleet([4]))


def test_a_cap_that_is_not_a_number_is_refused(hand):
    with pytest.raises(ComputeError, match=r"plan.preemptible_nodes: got nan at \(1, 0, 0\)"):
        hand.run(hand.fleet([4]), hand.jobs((0, 10, 1, 0)), plan=hand.caps([1], [np.nan], [1], [1]))
