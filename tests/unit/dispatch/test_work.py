"""What a co-dispatch does with work, against figures worked out by hand. Sites stand at bus 2 beside 120 MW of load."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import TerminalValue, co_dispatch, dispatch_pooled

DEAR_THEN_CHEAP = np.array([[0.0, 0.0, 120.0], [0.0, 0.0, 60.0]])  # 30 a MWh, then 10


@pytest.fixture
def grid(hand_grid):
    return hand_grid(steps=2, load_mw=DEAR_THEN_CHEAP, injection_mw=-DEAR_THEN_CHEAP)


def released(nodes, steps=2):
    return np.array([[nodes], *([0.0] for _ in range(steps - 1))])


def test_work_waits_for_cheap_power(grid, hand_work):
    plan, work = dispatch_pooled(grid, hand_work(released_nodes=released(8.0), due_nodes=released(8.0)[::-1]))
    np.testing.assert_allclose(work.start_nodes.ravel(), [0, 8], atol=1e-9)
    np.testing.assert_allclose(plan.group_mw, [[100, 20], [68, 0]])


def test_work_that_is_due_does_not_wait(grid, hand_work):
    _, work = dispatch_pooled(grid, hand_work(released_nodes=released(8.0), due_nodes=released(5.0)))
    np.testing.assert_allclose(work.start_nodes[0].ravel(), [5])


def test_nothing_starts_before_its_release(grid, hand_work):
    """The other way round: power is cheap first, but the work comes later."""
    swapped = replace(grid, load_mw=DEAR_THEN_CHEAP[::-1], injection_mw=-DEAR_THEN_CHEAP[::-1])
    late = released(8.0)[::-1]
    _, work = dispatch_pooled(swapped, hand_work(released_nodes=late, due_nodes=late))
    np.testing.assert_allclose(work.start_nodes.ravel(), [0, 8], atol=1e-9)


def test_work_without_room_is_late_and_draws_nothing(grid, hand_work):
    """12 nodes for 10 places in either step: 2 are late at 40 + 1000 a node-hour; running jobs take places too."""
    nodes = np.array([[12.0], [12.0]])
    work = hand_work(released_nodes=nodes, due_nodes=nodes, committed_nodes=np.array([[[0.0]], [[3.0]]]))
    plan, pooled = dispatch_pooled(grid, work)
    np.testing.assert_allclose(pooled.busy_nodes.ravel(), [10, 7])
    np.testing.assert_allclose(pooled.overbooked_nodes.ravel(), [2, 5])
    np.testing.assert_allclose(-plan.injection_mw[:, 2], [130, 70])
    assert plan.solver.objective == pytest.approx(1000 + 30 * 30 + 70 * 10 + 7 * (40 + 1000))


def test_a_long_job_keeps_its_nodes(grid, hand_work):
    work = hand_work(lags=2, occupancy=np.array([[[0.5, 1.0]]]), released_nodes=released(8.0), due_nodes=released(8.0))
    _, pooled = dispatch_pooled(grid, work)
    np.testing.assert_allclose(pooled.busy_nodes.ravel(), [4, 8])


def test_the_price_after_the_horizon_decides_what_waits(grid, hand_work):
    """Nothing is due. At 12 a node-hour after the end, it pays to run at 10 in step 1, but not at 30 in step 0."""
    for price, expected in ((12.0, 8.0), (8.0, 0.0)):
        terminal = TerminalValue(np.array([[np.inf]]), np.array([[price]]))
        _, work = dispatch_pooled(grid, hand_work(released_nodes=released(8.0), terminal=terminal))
        np.testing.assert_allclose(work.start_nodes.ravel(), [0, expected], atol=1e-9)


def test_cheap_room_after_the_horizon_is_limited(grid, hand_work):
    """Three node-hours at 8 wait, the other five run at 10 rather than at 11 later."""
    terminal = TerminalValue(np.array([[3.0, np.inf]]), np.array([[8.0, 11.0]]))
    _, work = dispatch_pooled(grid, hand_work(released_nodes=released(8.0), terminal=terminal))
    np.testing.assert_allclose(work.start_nodes.ravel(), [0, 5], atol=1e-9)


def test_work_goes_where_moving_is_worth_it(hand_grid, hand_work):
    """With line ac full, power at bus a costs 10 and at c 50; moving a node of 1 MW to a costs 35, or 45."""
    grid = hand_grid(rate_mw=70.0)
    grid = replace(grid, penalties=replace(grid.penalties, late_per_node_h=200.0))
    for cost, at_a in ((35.0, 4.0), (45.0, 0.0)):
        work = hand_work(
            steps=1,
            sites=2,
            site_bus=np.array([0, 2]),
            released_nodes=np.array([[4.0]]),
            due_nodes=np.array([[4.0]]),
            route_cost=np.array([[[cost, 0.0]]]),
        )
        _, pooled = dispatch_pooled(grid, work)
        np.testing.assert_allclose(pooled.placed_nodes.ravel(), [at_a, 4 - at_a], atol=1e-9)
        np.testing.assert_allclose(pooled.moved_nodes, pooled.placed_nodes)


def test_forbidden_routes_and_full_links(hand_grid, hand_work):
    """Origin 0 may not use site 0; the link from origin 1 to it carries 6 GB, 3 nodes of 2 GB."""
    both = np.array([[4.0, 5.0]])
    work = hand_work(
        steps=1,
        shape=(2, 1, 1, 1),
        sites=2,
        released_nodes=both,
        due_nodes=both,
        route_allowed=np.array([[[False, True]], [[True, True]]]),
        route_cost=np.array([[[0.0, 9.0]], [[0.0, 9.0]]]),
        route_gb=np.array([2.0]),
        bandwidth_gb=np.array([[np.inf, np.inf], [6.0, np.inf]]),
    )
    _, pooled = dispatch_pooled(hand_grid(), work)
    np.testing.assert_allclose(pooled.moved_nodes[0, :, 0], [[0, 4], [3, 2]], atol=1e-9)


def test_a_connection_holds_at_a_price(hand_grid, hand_work):
    """3 MW idle and 6 nodes at a connection of 7 MW: 70 for the excess is cheaper than late, until it is not."""
    nodes = np.array([[6.0]])
    work = hand_work(
        steps=1, released_nodes=nodes, due_nodes=nodes, base_mw=np.array([[3.0]]), connection_mw=np.array([7.0])
    )
    grid = hand_grid()
    _, over = dispatch_pooled(grid, work)
    np.testing.assert_allclose(over.busy_nodes.ravel(), [6])
    dearer = replace(grid, penalties=replace(grid.penalties, connection_per_mwh=2000.0))
    _, late = dispatch_pooled(dearer, work)
    np.testing.assert_allclose(late.busy_nodes.ravel(), [4])


def test_no_work_is_put_off_to_spare_the_grid_a_shed(hand_grid, hand_work):
    """8 nodes of 1 MW are due, 5 MW can be generated: the plan runs all and sheds 3 MW of other load."""
    nodes = np.array([[8.0]])
    load = np.array([[0.0, 0.0, 195.0]])
    plan, pooled = dispatch_pooled(
        hand_grid(load_mw=load, injection_mw=-load), hand_work(steps=1, released_nodes=nodes, due_nodes=nodes)
    )
    np.testing.assert_allclose(pooled.busy_nodes.ravel(), [8])
    np.testing.assert_allclose(plan.shed_mw.sum(), 3)


def test_work_goes_nowhere_its_origin_cannot(hand_grid, hand_work):
    """Site 1 is open to origin 1 only, which asks for nothing; so it takes nothing, however cheap."""
    work = hand_work(
        steps=1,
        shape=(2, 1, 1, 1),
        sites=2,
        released_nodes=np.array([[8.0, 0.0]]),
        due_nodes=np.array([[8.0, 0.0]]),
        route_allowed=np.array([[[True, False]], [[False, True]]]),
    )
    _, pooled = dispatch_pooled(hand_grid(), work)
    np.testing.assert_allclose(pooled.placed_nodes.sum(axis=(0, 1, 2)), [8, 0])


def test_the_plan_reports_sites_at_the_meter(grid, hand_work):
    work = hand_work(
        released_nodes=released(8.0),
        due_nodes=released(8.0),
        base_mw=np.array([[3.0], [4.0]]),
        node_mw=np.array([[[1.2]], [[1.1]]]),
        committed_nodes=np.array([[[1.0]], [[2.0]]]),
    )
    plan = co_dispatch(grid, work, grid.groups.p_max_mw[None].repeat(2, axis=0))
    np.testing.assert_allclose(plan.fleet.busy_nodes.ravel(), [9, 2])
    np.testing.assert_allclose(plan.fleet.site_mw.ravel(), [3 + 9 * 1.2, 4 + 2 * 1.1])
    np.testing.assert_allclose(plan.grid.injection_mw[:, 2] + DEAR_THEN_CHEAP[:, 2], -plan.fleet.site_mw[:, 0])
    np.testing.assert_allclose(plan.unit_mw, plan.grid.group_mw)


def test_no_work_at_all(grid, hand_work):
    plan = co_dispatch(grid, hand_work(), grid.groups.p_max_mw[None].repeat(2, axis=0))
    assert plan.fleet.busy_nodes.sum() == plan.fleet.compute.release_nodes.sum() == 0
    assert plan.fleet.compute.route_nodes.sum() == 0


def test_a_site_is_shed_when_nothing_can_carry_it(hand_grid, hand_work):
    """No unit gives anything and there is no other load; 3 MW of idle nodes still make no infeasible window."""
    nothing = np.zeros((1, 3))
    grid = hand_grid(
        load_mw=nothing, injection_mw=nothing, upper_mw=hand_grid().lower_mw * 0, lower_mw=np.zeros((1, 2))
    )
    plan, _ = dispatch_pooled(grid, hand_work(steps=1, base_mw=np.array([[3.0]])))
    np.testing.assert_allclose(plan.shed_mw.sum(), 3)
