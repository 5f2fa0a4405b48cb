"""Small cases whose outcome was worked out on paper."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.compute.disciplines import data_lead_s
from gridtwin.compute.engine import execute, initial_state
from gridtwin.errors import ComputeError
from gridtwin.records import QueueAxes

SLACK = 10_000


def test_an_arrival_with_room_starts_at_the_same_instant(hand, starts):
    state, record = hand.run(hand.fleet([4]), hand.jobs((7, 50, 4, SLACK)))
    assert starts(record) == {0: (7, 0)}
    assert record.finish_s.tolist() == [57]
    assert record.busy_node_s[:, 0, 0].tolist() == [200, 0, 0, 0]
    assert len(state.running_row) == len(state.waiting_row) == 0


def test_nodes_freed_at_an_instant_serve_the_arrival_of_that_instant(hand, starts):
    _, record = hand.run(hand.fleet([4]), hand.jobs((0, 50, 4, SLACK), (50, 10, 4, SLACK)))
    assert starts(record) == {0: (0, 0), 1: (50, 0)}


def test_fcfs_never_lets_a_narrow_job_pass_the_head(hand, starts):
    jobs = hand.jobs((0, 100, 3, SLACK), (1, 50, 4, SLACK), (2, 10, 1, SLACK))
    _, record = hand.run(hand.fleet([4]), jobs)
    assert starts(record) == {0: (0, 0), 1: (100, 0), 2: (150, 0)}


def test_edf_serves_the_earliest_latest_start_first(hand, starts):
    jobs = hand.jobs((0, 100, 4, SLACK), (1, 50, 4, SLACK), (2, 10, 4, 500))
    _, fcfs = hand.run(hand.fleet([4]), jobs, discipline="fcfs")
    _, edf = hand.run(hand.fleet([4]), jobs, discipline="edf")
    assert starts(fcfs) == {0: (0, 0), 1: (100, 0), 2: (150, 0)}
    assert starts(edf) == {0: (0, 0), 2: (100, 0), 1: (110, 0)}


def test_edf_lets_an_urgent_arrival_become_the_head(hand, starts):
    jobs = hand.jobs((0, 100, 3, SLACK), (1, 50, 4, SLACK), (2, 10, 1, 5))
    _, record = hand.run(hand.fleet([4]), jobs, discipline="edf")
    assert starts(record)[2] == (2, 0)


def test_sites_are_tried_in_order_of_preference(hand, starts):
    fleet = replace(hand.fleet([2, 4, 4]), preference=np.array([[[2, 0, -1]]]))
    _, record = hand.run(fleet, hand.jobs((0, 500, 3, SLACK), (1, 500, 2, SLACK), (2, 500, 1, SLACK)))
    assert starts(record) == {0: (0, 2), 1: (1, 0), 2: (2, 2)}


def test_services_take_nodes_first_but_not_from_running_jobs(hand, starts):
    services = np.array([0, 3, 4, 1])[:, None, None]
    jobs = hand.jobs((0, 150, 2, SLACK), (100, 10, 2, SLACK))
    _, record = hand.run(hand.fleet([4]), jobs, services=services)
    assert record.service_nodes[:, 0, 0].tolist() == [0, 2, 4, 1]
    assert record.unserved_service_nodes[:, 0, 0].tolist() == [0, 1, 0, 0]
    assert starts(record) == {0: (0, 0), 1: (300, 0)}
    assert record.waiting_nodes.sum(axis=1).tolist() == [0, 2, 2, 0]


def test_transfers_over_a_link_queue_up_and_nodes_wait_idle(hand, starts):
    fleet = hand.fleet([4], gbps=8.0, latency_s=0.25)  # 10 GB take 10 s
    state, record = hand.run(fleet, hand.jobs((0, 50, 1, SLACK), (0, 50, 1, SLACK), (95, 50, 1, SLACK), data_gb=10.0))
    assert starts(record) == {0: (11, 0), 1: (21, 0), 2: (106, 0)}
    assert state.link_free_s.tolist() == [[105.0]]
    assert record.busy_node_s[:, 0, 0].tolist() == [100, 50, 0, 0]
    assert record.moved_gb[:, 0, 0].tolist() == [30.0, 0.0, 0.0, 0.0]


def test_parts_of_an_origin_queue_for_the_same_link(hand, starts):
    axes = QueueAxes(("home", "home/resident", "away"), ("general",), ("prompt", "day"), (100, 1000), (0, 0, 2))
    hand = replace(hand, axes=axes)
    one = hand.fleet([4], gbps=8.0)
    links = {
        name: np.tile(getattr(one, name), (3, 1)) for name in ("bandwidth_gbps", "latency_oneway_s", "price_per_gb")
    }
    fleet = replace(one, preference=np.zeros((3, 1, 1), np.int64), **links)
    jobs = hand.jobs(*[(0, 50, 1, SLACK)] * 3, data_gb=10.0, origin=[1, 0, 2])
    state, record = hand.run(fleet, jobs)
    assert starts(record) == {0: (10, 0), 1: (20, 0), 2: (10, 0)}
    assert state.link_free_s.tolist() == [[20.0], [0.0], [10.0]]
    assert record.moved_gb[0, :, 0].tolist() == [10.0, 10.0, 10.0]


def test_jobs_without_data_do_not_wait_for_a_link(hand, starts):
    _, record = hand.run(hand.fleet([4], gbps=1.0, latency_s=5.0), hand.jobs((3, 50, 1, SLACK)))
    assert starts(record) == {0: (3, 0)}
    assert record.moved_gb.sum() == 0.0


def test_a_transfer_survives_the_window_boundary(hand):
    fleet, jobs = hand.fleet([4], gbps=8.0), hand.jobs((90, 50, 2, SLACK), data_gb=30.0)
    state, first = hand.run(fleet, jobs, steps=1)
    assert (first.start_s.tolist(), state.running_start_s.tolist()) == ([120], [120])
    _, second = hand.run(fleet, jobs, steps=1, state=state)
    assert (first.busy_node_s.sum(), second.busy_node_s.sum(), second.finish_s.tolist()) == (0, 100, [170])


def test_a_job_that_ends_with_the_window_ends_in_it(hand):
    state, record = hand.run(hand.fleet([1]), hand.jobs((0, 100, 1, SLACK)), steps=1)
    assert record.finish_s.tolist() == [100]
    assert len(state.running_row) == 0


def test_a_planned_job_waits_for_its_grant_and_goes_where_the_plan_says(hand, starts):
    plan = hand.plan({(2, 2): 1.5}, {(2, 0, 1): 1.5}, steps=4, sites=2)
    state, record = hand.run(hand.fleet([4, 4]), hand.jobs((0, 50, 2, SLACK), (0, 50, 1, SLACK)), plan=plan)
    assert starts(record) == {0: (200, 1)}
    assert state.release_nodes.tolist() == [0.0, 0.0, -0.5, 0.0]
    assert state.route_nodes[0, 0, 0].tolist() == [0.0, -0.5]
    assert record.forced_nodes.sum() == 0


def test_grants_add_up_to_the_plan_over_time(hand, starts):
    plan = hand.plan({(s, 2): 1.0 for s in range(4)}, {(s, 0, 0): 1.0 for s in range(4)}, steps=4, sites=1)
    _, record = hand.run(hand.fleet([9]), hand.jobs(*[(0, 10, 2, SLACK)] * 4), plan=plan)
    assert starts(record) == {0: (0, 0), 1: (200, 0)}


def test_an_arrival_may_use_the_grant_of_its_step(hand, starts):
    plan = hand.plan({(1, 2): 1.0}, {}, steps=4, sites=1)
    _, record = hand.run(hand.fleet([9]), hand.jobs((130, 10, 1, SLACK)), plan=plan)
    assert starts(record) == {0: (130, 0)}


def test_an_empty_queue_loses_its_unused_grant(hand, starts):
    plan = hand.plan({(0, 2): 5.0, (0, 3): 5.0}, {(0, 0, 0): 5.0}, steps=4, sites=1)
    state, record = hand.run(hand.fleet([9]), hand.jobs((130, 10, 1, SLACK)), plan=plan)
    assert starts(record) == {}
    assert state.release_nodes.tolist() == [0.0] * 4
    assert state.route_nodes.sum() == 0.0


def test_a_grant_without_room_is_kept_for_those_who_wait(hand, starts):
    plan = hand.plan({(0, 2): 3.0}, {}, steps=4, sites=1)
    _, record = hand.run(hand.fleet([2]), hand.jobs((0, 60, 2, SLACK), (1, 70, 2, SLACK)), plan=plan)
    assert starts(record) == {0: (0, 0), 1: (60, 0)}


def test_urgent_jobs_start_without_a_grant_and_are_counted(hand, starts):
    plan = hand.plan({}, {(0, 0, 1): 1.0}, steps=4, sites=2)
    jobs = hand.jobs((10, 50, 2, 60), (20, 50, 1, 250))
    state, record = hand.run(hand.fleet([4, 4]), jobs, plan=plan)
    assert starts(record) == {0: (10, 1), 1: (200, 0)}
    assert record.forced_nodes[:, :, 0].tolist() == [[0, 2], [0, 0], [1, 0], [0, 0]]
    assert state.release_nodes.tolist() == [-2.0, 0.0, -1.0, 0.0]


def test_an_urgent_job_without_room_heads_the_line(hand, starts):
    plan = hand.plan({(0, 2): 99.0}, {}, steps=4, sites=1)
    jobs = hand.jobs((0, 80, 3, SLACK), (10, 50, 4, 20), (11, 10, 1, SLACK))
    _, record = hand.run(hand.fleet([4]), jobs, plan=plan)
    assert starts(record) == {0: (0, 0), 1: (80, 0), 2: (130, 0)}


def test_an_urgent_job_without_room_stops_nobody_at_other_sites(hand, starts):
    """Job 1 waits for site 0: job 2, granted there, starts at site 1; job 3, too wide for that, waits behind."""
    plan = hand.plan({(0, 2): 99.0}, {(0, 0, 0): 99.0}, steps=4, sites=2)
    jobs = hand.jobs((0, 80, 4, SLACK), (10, 50, 8, 20), (11, 10, 1, SLACK), (12, 10, 3, SLACK))
    _, record = hand.run(hand.fleet([8, 2]), jobs, plan=plan)
    assert starts(record) == {0: (0, 0), 2: (11, 1), 1: (80, 0), 3: (130, 0)}


@pytest.mark.parametrize(("longest_s", "site"), [(80, 0), (300, 1)])
def test_the_site_kept_for_an_urgent_job_is_the_one_with_room_first(hand, starts, longest_s, site):
    """Site 1 has room at 90; job 3 finds the other site open."""
    plan = hand.plan({(0, 2): 99.0, (0, 3): 99.0}, {}, steps=4, sites=2)
    jobs = hand.jobs((0, longest_s, 3, SLACK), (0, 90, 3, SLACK), (10, 50, 4, 20), (11, 10, 1, SLACK))
    _, record = hand.run(hand.fleet([4, 4]), jobs, plan=plan)
    assert starts(record) == {0: (0, 0), 1: (0, 1), 3: (11, 1 - site), 2: (min(longest_s, 90), site)}


def test_room_is_expected_when_estimates_end(hand, starts):
    """Site 1 is kept for job 2, as job 0 is believed to end at 80, but job 2 takes the other one at 120."""
    plan = hand.plan({(0, 2): 99.0, (0, 3): 99.0}, {(0, 0, 1): 9.0, (0, 1, 0): 9.0}, steps=4, sites=2)
    rows = (0, 300, 3, SLACK), (0, 120, 3, SLACK), (10, 50, 4, 20), (11, 50, 1, SLACK)
    _, record = hand.run(hand.fleet([4, 4]), guessed(hand, [80, 120, 50, 50], *rows), plan=plan)
    assert starts(record) == {0: (0, 1), 1: (0, 0), 3: (11, 0), 2: (120, 0)}


def test_urgent_jobs_wait_at_different_sites_where_that_is_sooner(hand, starts):
    plan = hand.plan({(0, 2): 99.0, (0, 3): 99.0}, {}, steps=4, sites=2)
    rows = (0, 80, 4, SLACK), (0, 90, 4, SLACK), (10, 50, 3, 20), (11, 50, 3, 20), (12, 50, 1, 20), (85, 5, 1, SLACK)
    _, record = hand.run(hand.fleet([4, 4]), hand.jobs(*rows), plan=plan)
    assert starts(record) == {0: (0, 0), 1: (0, 1), 2: (80, 0), 4: (80, 0), 3: (90, 1), 5: (90, 1)}


def test_a_lead_makes_jobs_urgent_one_step_earlier(hand, starts):
    fleet, jobs = hand.fleet([4], gbps=8.0), hand.jobs((0, 50, 1, 105), data_gb=20.0)
    plan = hand.plan({}, {}, steps=4, sites=1)
    _, late = hand.run(fleet, jobs, plan=plan)
    _, punctual = hand.run(fleet, jobs, plan=plan, lead_s=np.array([20]))
    assert starts(late) == {0: (120, 0)}
    assert starts(punctual) == {0: (20, 0)}


def test_the_lead_covers_a_job_twice_and_the_longest_before_it(hand):
    """At 8 Gbit/s a GB takes a second: 20 and 50 GB; a transfer before them counts up to a step of 30 s."""
    fleet, jobs = hand.fleet([4], gbps=8.0), hand.jobs((0, 50, 1, 105), (0, 50, 1, 105), data_gb=[20.0, 50.0])
    assert data_lead_s(jobs, fleet, step_s=100).tolist() == [90, 150]
    assert data_lead_s(jobs, fleet, step_s=30).tolist() == [70, 130]


def test_queues_are_served_by_latest_start(hand, starts):
    plan = hand.plan({(1, 2): 9.0, (1, 3): 9.0}, {}, steps=4, sites=1)
    jobs = hand.jobs((0, 50, 4, 9000), (1, 150, 4, 5000), (2, 60, 4, 9000))
    _, record = hand.run(hand.fleet([4]), jobs, plan=plan)
    assert starts(record) == {1: (100, 0), 0: (250, 0), 2: (300, 0)}


def test_the_plan_order_within_a_queue_follows_the_discipline(hand, starts):
    plan = hand.plan({(1, 2): 9.0}, {}, steps=4, sites=1)
    jobs = hand.jobs((0, 50, 4, 9000), (1, 50, 4, 8000))
    _, fcfs = hand.run(hand.fleet([4]), jobs, plan=plan, discipline="fcfs")
    _, edf = hand.run(hand.fleet([4]), jobs, plan=plan, discipline="edf")
    assert list(starts(fcfs)) == [0, 1]
    assert list(starts(edf)) == [1, 0]


def test_without_a_plan_carried_grants_are_left_alone(hand):
    fleet, jobs = hand.fleet([4]), hand.jobs((0, 50, 1, SLACK))
    state = replace(initial_state(jobs, fleet), release_nodes=np.array([1.0, -2.0, 3.0, 0.0]))
    after, _ = hand.run(fleet, jobs, state=state)
    assert after.release_nodes.tolist() == [1.0, -2.0, 3.0, 0.0]


def test_a_window_without_jobs_meters_nothing(hand):
    state, record = hand.run(hand.fleet([4]), hand.jobs())
    assert (state.now_s, record.busy_node_s.sum(), record.waiting_nodes.shape) == (400, 0, (4, 4))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(5, 10, 1, 0), (4, 10, 1, 0)], "ascending order"),
        ([(-1, 10, 1, 0)], ">= 0"),
        ([(0, 0, 1, 0)], "1 of 1 have a runtime of 0 s"),
        ([(0, 10, 0, 0)], "ask for no nodes"),
        ([(0, 10, 4, 0), (0, 10, 5, 0)], r"1 of 2 are wider than any site.*first: job 1, 5 nodes"),
        ([(0, 1001, 1, 0)], "longer than the last duration bin, 1000 s"),
    ],
)
def test_jobs_that_cannot_run_are_refused(hand, rows, message):
    with pytest.raises(ComputeError, match=message):
        initial_state(hand.jobs(*rows), hand.fleet([4, 3]))


def test_data_that_are_not_a_number_are_refused(hand):
    with pytest.raises(ComputeError, match="data_gb"):
        initial_state(hand.jobs((0, 10, 1, 0), data_gb=np.nan), hand.fleet([4]))


def test_a_job_with_no_allowed_site_is_refused(hand):
    fleet = replace(hand.fleet([4]), preference=np.array([[[-1]]]))
    with pytest.raises(ComputeError, match="relax the latency limit"):
        initial_state(hand.jobs((0, 10, 1, 0)), fleet)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"discipline": "lifo"}, "expected one of fcfs, edf"),
        ({"steps": 0}, "got 0 steps"),
        ({"services": np.zeros((4, 2, 1), np.int64)}, r"service_nodes: got shape \(4, 2, 1\)"),
        ({"services": np.full((4, 1, 1), -1)}, r"service_nodes: got -1 at \(0, 0, 0\)"),
        ({"services": np.zeros((3, 1, 1), np.int64)}, "at least 4 steps"),
    ],
)
def test_windows_that_do_not_fit_are_refused(hand, changes, message):
    with pytest.raises(ComputeError, match=message):
        hand.run(hand.fleet([4]), hand.jobs((0, 10, 1, 0)), **changes)


def test_a_plan_that_is_not_a_number_is_refused(hand):
    plan = hand.plan({(1, 2): np.nan}, {}, steps=4, sites=1)
    with pytest.raises(ComputeError, match=r"plan.release_nodes: got nan at \(1, 2\)"):
        hand.run(hand.fleet([4]), hand.jobs((0, 10, 1, 0)), plan=plan)


def test_a_site_that_shrank_below_its_running_jobs_is_refused(hand):
    jobs = hand.jobs((0, 500, 4, SLACK))
    state, _ = hand.run(hand.fleet([4]), jobs, steps=1)
    with pytest.raises(ComputeError, match="site_0/general: running jobs hold 1 nodes more"):
        execute(state, jobs, hand.fleet([3]), None, np.zeros((1, 1, 1), np.int64), 1, 100, "fcfs")


def guessed(hand, estimates_s, *rows):
    return replace(hand.jobs(*rows), estimate_s=np.array(estimates_s))


def test_edf_goes_by_estimates_and_jobs_run_as_long_as_they_do(hand, starts):
    jobs = guessed(hand, [100, 50, 900], (0, 100, 4, SLACK), (1, 50, 4, 500), (2, 10, 4, 1000))
    _, record = hand.run(hand.fleet([4]), jobs, discipline="edf", steps=20)
    assert starts(record) == {0: (0, 0), 2: (100, 0), 1: (110, 0)}  # job 2 must start by 112 if it takes 900 s
    assert record.finish_s.tolist() == [100, 110, 160]


@pytest.mark.parametrize(("estimate_s", "start_s"), [(50, 300), (250, 100)])
def test_a_planned_job_is_urgent_by_its_estimate(hand, starts, estimate_s, start_s):
    plan = hand.plan({}, {}, steps=4, sites=1)
    _, record = hand.run(hand.fleet([4]), guessed(hand, [estimate_s], (0, 50, 1, 350)), plan=plan)
    assert starts(record) == {0: (start_s, 0)}
    assert record.forced_nodes.sum() == 1


def test_an_estimate_beyond_the_bins_is_refused(hand):
    with pytest.raises(ComputeError, match="estimated longer than the last duration bin, 1000 s"):
        initial_state(guessed(hand, [1001], (0, 50, 1, 350)), hand.fleet([4]))
