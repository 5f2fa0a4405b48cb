"""The blocks of the work, one linear program each."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import GreenTarget, StoreProblem, TerminalValue
from gridtwin.dispatch import compute_block as block
from gridtwin.dispatch import preemptible_block as preemptible
from gridtwin.dispatch.green_rows import add_green
from gridtwin.dispatch.store_block import StoreColumns, StoreMeters
from gridtwin.dispatch.wan_block import limit_bandwidth
from gridtwin.optim import Program


def test_queues(hand_work, check_golden):
    """start[time, class, delay class, bin], backlog[...]: three steps, two delay classes, two origins pooled.

    Delay class 0: 4 + 1 nodes are released, all due one step later. Delay class 1: 2, then 3 nodes are released, of
    which 1 is due in step 2; the rest may wait beyond. No more waits than is released and not yet due.
    """
    released = np.array([[3.0, 2.0, 1.0, 0.0], [0.0, 1.0, 1.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    due = np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]])
    work = hand_work(steps=3, shape=(2, 1, 2, 1), released_nodes=released, due_nodes=due)
    program = Program()
    start, backlog = block._add_queues(program, work)
    check_golden(program, {"start": start, "backlog": backlog})


def test_coarse_starts(hand_work, check_golden):
    """start[time, class, delay class, bin], backlog[slot, ...], placed[time, class, bin, site]: four steps.

    They are three slots: the last two steps are one, in which the two nodes released arrive at once, what is due in
    step 2 has started by the end of step 3, and the same number starts, and is placed, in either step.
    """
    released = np.array([[3.0], [1.0], [0.0], [2.0]])
    due = np.array([[0.0], [1.0], [2.0], [0.0]])
    work = hand_work(steps=4, released_nodes=released, due_nodes=due, coarse_after=2, coarse_steps=3)
    program = Program()
    start, backlog = block._add_queues(program, work)
    placed = block._add_places(program, work, start)
    assert (start[2] == start[3]).all()
    assert (placed[2] == placed[3]).all()
    check_golden(program, {"start": start, "backlog": backlog, "placed": placed})


def test_idle_queue_left_out(hand_work, check_golden):
    """start[time, class, delay class, bin], backlog[...]: delay class 1 gets no work and no columns."""
    work = hand_work(
        steps=1, shape=(1, 1, 2, 1), released_nodes=np.array([[4.0, 0.0]]), due_nodes=np.array([[1.0, 0.0]])
    )
    program = Program()
    start, backlog = block._add_queues(program, work)
    check_golden(program, {"start": start, "backlog": backlog})


def test_placement(hand_work, check_golden):
    """start[time, class, delay class, bin], placed[time, class, bin, site]: two delay classes share bins and sites.

    Sites 0 and 2 can be reached, site 1 cannot.
    """
    work = hand_work(
        steps=1,
        shape=(1, 1, 2, 2),
        sites=3,
        released_nodes=np.ones((1, 4)),
        route_allowed=np.array([[[True, False, True]]]),
    )
    program = Program()
    start = program.columns((1, 1, 2, 2))
    placed = block._add_places(program, work, start)
    check_golden(program, {"start": start, "placed": placed})


def test_busy_nodes(hand_work, check_golden):
    """placed[time, class, bin, site], run, busy, late[time, site, class]: four steps, two bins.

    A start of bin 0 keeps half a node busy in its own step and in the next, one of bin 1 half, one, one, a quarter.
    Preemptible work that runs takes its nodes in the same step.
    Of 10 nodes running jobs take 4, then 1, then 12, then none; what finds no node costs 40 a node-hour, 20 a step.
    """
    work = hand_work(
        steps=4,
        shape=(1, 1, 1, 2),
        occupancy=np.array([[[0.5, 0.5, 0.0, 0.0], [0.5, 1.0, 1.0, 0.25]]]),
        committed_nodes=np.array([4.0, 1.0, 12.0, 0.0])[:, None, None],
    )
    program = Program()
    placed, run = program.columns((4, 1, 2, 1)), program.columns((4, 1, 1))
    busy, late, _ = block._add_busy(program, work, placed, run, np.full((4, *work.committed_nodes.shape[1:]), 20.0))
    check_golden(program, {"placed": placed, "run": run, "busy": busy, "late": late})


def test_wan_blocks(hand_work, check_golden):
    """moved[block, origin, class, site], placed[time, class, bin, site], total[...]: three steps in blocks of two.

    Origin 0 releases 3, 1, 2 nodes, of which 1 is due in step 0 and 2 in step 2; origin 1 releases 5 nodes in step 2
    and cannot reach site 1. By the end of block 0 origin 0 has given 1 to 4, of block 1 3 to 6. A node from origin 0
    costs 2 to site 0 and 7 to site 1, from origin 1 it costs 4.
    """
    work = hand_work(
        steps=3,
        shape=(2, 1, 1, 1),
        sites=2,
        block_steps=2,
        released_nodes=np.array([[3.0, 0.0], [1.0, 0.0], [2.0, 5.0]]),
        due_nodes=np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 0.0]]),
        route_allowed=np.array([[[True, True]], [[True, False]]]),
        route_cost=np.array([[[2.0, 7.0]], [[4.0, 9.0]]]),
    )
    program = Program()
    placed = program.columns((3, 1, 1, 2))
    moved, _, _ = block._add_wan(program, work, placed, np.full((3, 2, 1), -1), step_h=1.0, price_per_gb=5.0)
    check_golden(program, {"placed": placed, "moved": moved}, rest="total")


def test_bandwidth(hand_work, check_golden):
    """moved[block, origin, class, site]: three steps in blocks of two, two classes of 1.5 and 4 GB a node.

    The link to site 0 carries 6 GB a step, so 12 in the first block and 6 in the second; those to site 1 and from
    origin 1 could carry all work at once and get no row. What is over[...] pays 5 per GB.
    """
    work = hand_work(
        steps=3,
        shape=(2, 2, 1, 1),
        sites=2,
        block_steps=2,
        released_nodes=np.array([[4.0, 2.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]),
        route_gb=np.array([1.5, 4.0]),
        bandwidth_gb=np.array([[6.0, np.inf], [6.0, 100.0]]),
    )
    program = Program()
    moved = program.columns((2, 2, 2, 2))
    limit_bandwidth(program, work, [(moved, work.route_gb)], price_per_gb=5.0)
    check_golden(program, {"moved": moved}, rest="over")


def test_shared_bandwidth(hand_work, check_golden):
    """moved[block, origin, class, site]: one step, one class of 2 GB a node; origin 1 is a part of origin 0.

    Both share the 6 GB of each link of origin 0, so there is one row for the two at site 0. At site 1, which origin 1
    may not use, origin 0 has a row of its own. Origin 2 has links that carry everything.
    """
    allowed = np.array([[[True, True]], [[True, False]], [[True, True]]])
    work = hand_work(
        steps=1,
        shape=(3, 1, 1, 1),
        sites=2,
        released_nodes=np.array([[4.0, 3.0, 1.0]]),
        route_gb=np.array([2.0]),
        route_allowed=allowed,
        bandwidth_gb=np.array([[6.0, 6.0], [6.0, 6.0], [np.inf, 100.0]]),
        part_of=(0, 0, 2),
    )
    program = Program()
    moved = np.where(allowed[None], program.columns((1, 3, 1, 2)), -1)
    limit = limit_bandwidth(program, work, [(moved, work.route_gb)], price_per_gb=5.0)
    assert limit[0].tolist() == [[0, 1], [0, 1], [-1, -1]]
    check_golden(program, {"moved": moved}, rest="over")


@pytest.fixture
def hand_preemptible(hand_work):
    """One origin, two sites, one class, two delay classes, three steps of half an hour; all may go everywhere."""

    def make(**changes):
        work = hand_work(steps=3, shape=(1, 1, 2, 1), sites=2, block_steps=2)
        arriving, due = np.zeros((3, 3, 1, 2)), np.zeros((3, 3, 1, 2))
        arriving[:, 0, 0, 0], due[:, 0, 0, 0] = (2.0, 3.0, 0.0), (0.0, 2.0, 2.0)
        arriving[0, 2, 0, 0] = due[0, 2, 0, 0] = 1.0
        allowed = np.array([[[True, True]], [[True, False]], [[False, True]]])
        width = np.array([[[6.0, 0.0]], [[10.0, 0.0]], [[8.0, 0.0]]])
        parted = replace(
            work.preemptible, arriving_node_h=arriving, due_node_h=due, width_nodes=width, route_allowed=allowed
        )
        return replace(work, preemptible=replace(parted, **changes))

    return make


def test_preemptible_work(hand_preemptible, check_golden):
    """done, undone[time, class, delay class]: three steps of half an hour, the second delay class without work.

    Earliest runs do 2 + 1, 3, 0 node-hours, latest runs 1, 2, 2; so at most 2, 3, 1 node-hours are left undone. Jobs
    can use 6, 10, 8 nodes (and a thousandth more, for rounding).
    """
    program = Program()
    done, undone = preemptible.add_work(program, hand_preemptible().preemptible, step_h=0.5)
    check_golden(program, {"done": done, "undone": undone})


def test_preemptible_nodes(hand_preemptible, check_golden):
    """done[time, class, delay class], run[time, site, class]: what is done, is done at one of the sites."""
    program = Program()
    done = program.columns((3, 1, 2))
    run = preemptible.add_nodes(program, hand_preemptible(), done)
    check_golden(program, {"done": done, "run": run})


def test_interruptions(hand_preemptible, check_golden):
    """run[time, site, class], interrupted[...]: 4 and 0 nodes are held before; giving one up costs 0.7."""
    work = hand_preemptible(held_nodes=np.array([[4.0], [0.0]]), interruption_cost=np.array([0.7]))
    program = Program()
    run = program.columns((3, 2, 1))
    preemptible.add_interruptions(program, work, run)
    check_golden(program, {"run": run}, rest="interrupted")


def test_preemptible_transport(hand_preemptible, check_golden):
    """carried[block, whence, class, site], run[time, site, class], total[...]: three steps in blocks of two.

    From the origin 2 to 5 node-hours by the end of the first block, 4 to 5 by the end of the second, to site 0 at 3 a
    node-hour, to site 1 at 4; what has begun at site 1, 1 node-hour, stays there. Nothing has begun at site 0. A node
    that runs for a step takes half a node-hour.
    """
    cost = np.array([[[3.0, 4.0]], [[0.0, 9.0]], [[9.0, 0.0]]])
    program = Program()
    run = program.columns((3, 2, 1))
    nowhere = np.full((3, 1, 1, 2), -1)
    _, carried, _ = block._add_wan(
        program, hand_preemptible(route_cost=cost), nowhere, run, step_h=0.5, price_per_gb=5.0
    )
    check_golden(program, {"carried": carried, "run": run}, rest="total")


def test_connection(hand_work, check_golden):
    """busy[time, site, class], over[...]: two sites, two classes of 1 and 2 MW a node.

    The connection of site 0 is 12 MW. It draws 3 MW idle and 2 MW for two running jobs of class 0 in step 0, so 7 MW
    are left, and 9 MW in step 1. Site 1 has no limit and no row. Excess costs 70 per MWh.
    """
    work = hand_work(
        shape=(1, 2, 1, 1),
        sites=2,
        base_mw=np.array([[3.0, 1.0], [3.0, 1.0]]),
        node_mw=np.tile([1.0, 2.0], (2, 2, 1)),
        committed_nodes=np.array([[[2.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]),
        connection_mw=np.array([12.0, np.inf]),
    )
    program = Program()
    busy = program.columns((2, 2, 2))
    none = np.zeros((2, 0), dtype=int)
    meters = StoreMeters(StoreProblem.none(2), StoreColumns(none, none, none, none, none))
    block._limit_connections(program, work, busy, 70.0, meters)
    check_golden(program, {"busy": busy}, rest="over")


def test_green_share(hand_work, check_golden):
    """busy[time, site, class], short[...]: 0.8 of what site 0 draws should be green; site 1 has no target and no row.

    It draws 5 MW idle and up to 10 nodes of 1 MW. In step 0 contracts give 6 MW: 0.8 (5 + busy) - 6 may be short. In
    step 1 they give 12 MW, all that it can need: no row. What is short costs 40 per MWh, 20 for a step of half an hour.
    """
    green = GreenTarget(np.array([0.8, 0.0]), np.array([[6.0, 0.0], [12.0, 0.0]]), 40.0)
    work = hand_work(sites=2, base_mw=np.tile([5.0, 0.0], (2, 1)), green=green)
    program = Program()
    busy = program.columns((2, 2, 1))
    add_green(program, work, busy, step_h=0.5)
    check_golden(program, {"busy": busy}, rest="short")


def test_connection_shared_with_a_battery(hand_work, hand_stores, check_golden):
    """busy[time, site, class], charge[time], discharge[time], over[...]: ten nodes of 1 MW, a battery of 15 MW.

    The connection of 12 MW carries 2 MW of idle nodes in step 0, so 10 MW more, or 14 MW the other way. In step 1 the
    battery is out of service and the site cannot exceed its connection: no row.
    """
    work = hand_work(base_mw=np.full((2, 1), 2.0), connection_mw=np.array([12.0]))
    power = np.array([[15.0], [0.0]])
    stores = hand_stores(2, site=np.array([0]), charge_mw=power, discharge_mw=power)
    program = Program()
    busy = program.columns((2, 1, 1))
    charge, discharge = (np.array([program.columns((1,)), [-1]]) for _ in range(2))
    meters = StoreMeters(stores, StoreColumns(charge, discharge, charge, charge, charge))
    block._limit_connections(program, work, busy, 70.0, meters)
    check_golden(program, {"busy": busy, "charge": charge[:, 0], "discharge": discharge[:, 0]}, rest="over")


def test_terminal_value(hand_work, check_golden):
    """backlog[time, class, delay class, bin], placed[time, class, bin, site], undone[...], left[...].

    Two steps of half an hour. What is undone of preemptible work is in node-hours already.

    Jobs of bin 0 run 0.5 h, those of bin 1 1.5 h on average; a start keeps nodes busy for shares 1, 0, 0 and 0.5, 1, 1
    of the steps that follow. Bin 1 started in step 0 leaves 1 step = 0.5 node-hours after the end, in step 1 two.
    The first 8 node-hours cost 5 each, the others 11.
    """
    work = hand_work(
        shape=(1, 1, 2, 2),
        occupancy=np.array([[[1.0, 0.0, 0.0], [0.5, 1.0, 1.0]]]),
        mean_runtime_h=np.array([[0.5, 1.5]]),
        terminal=TerminalValue(np.array([[8.0, np.inf]]), np.array([[5.0, 11.0]])),
    )
    program = Program()
    backlog, placed = program.columns((2, 1, 2, 2)), program.columns((2, 1, 2, 1))
    undone = program.columns((2, 1, 2))
    block._value_what_is_left(program, work, backlog, placed, undone, step_h=0.5)
    check_golden(program, {"backlog": backlog, "placed": placed, "undone": undone}, rest="left")
