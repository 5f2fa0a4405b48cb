from dataclasses import fields, replace

import numpy as np
import pytest

from gridtwin.dispatch import (
    Bundles,
    Commitment,
    TerminalValue,
    advance_fluid,
    dispatch_pooled,
    first_steps,
    kept_cost,
    roll_fluid,
)
from gridtwin.errors import DispatchError

PER_CLASS_OR_SITE = {"shape", "occupancy", "mean_runtime_h", "site_bus", "connection_mw", "block_steps", "terminal"}


@pytest.fixture
def day(hand_grid, hand_work):
    """Four steps; 9 nodes of two hours come in step 0, 6 in step 2; 3 of the first are due at once, 4 in step 3."""
    released, due = np.zeros((4, 1)), np.zeros((4, 1))
    released[[0, 2], 0], due[[0, 3], 0] = (9.0, 6.0), (3.0, 4.0)
    load = np.zeros((4, 3))
    load[:, 2] = [120.0, 80.0, 95.0, 130.0]
    work = hand_work(
        steps=4,
        lags=2,
        released_nodes=released,
        due_nodes=due,
        available_nodes=np.full((4, 1, 1), 8.0),
        terminal=TerminalValue(np.array([[4.0, np.inf]]), np.array([[12.0, 28.0]])),
    )
    return hand_grid(steps=4, load_mw=load, injection_mw=-load), work


def test_what_is_left_after_two_steps(day):
    grid, compute = day
    plan, work = dispatch_pooled(grid, compute)
    grid_left, left = advance_fluid(grid, compute, plan, work, 2)
    begun = work.start_nodes[:2].sum()
    assert begun > 3
    np.testing.assert_allclose(left.released_nodes.ravel(), [9 - begun + 6, 0])
    np.testing.assert_allclose(left.due_nodes.ravel(), [3 - begun, 4], err_msg="what began early counts for later")
    np.testing.assert_allclose(left.committed_nodes[:, 0, 0], [work.start_nodes[1].sum(), 0])
    np.testing.assert_array_equal(grid_left.initial_mw, plan.group_mw[1])
    np.testing.assert_array_equal(grid_left.load_mw, grid.load_mw[2:])


def test_work_overbooked_by_the_plan_stays_so(hand_grid, hand_work):
    """10 nodes must start where 8 find room: 2 are late in either hour, and the others run on."""
    nodes = np.array([[10.0], [0.0]])
    compute = hand_work(lags=2, released_nodes=nodes, due_nodes=nodes, available_nodes=np.full((2, 1, 1), 8.0))
    grid = hand_grid(steps=2)
    plan, work = dispatch_pooled(grid, compute)
    _, left = advance_fluid(grid, compute, plan, work, 1)
    np.testing.assert_allclose(left.committed_nodes.ravel(), [8])
    energy = 100 * 10 + (20 + 8) * 30
    assert kept_cost(grid, compute, plan, work, 1) == pytest.approx(energy + (2 + 2) * (40 + 1000))


def test_occupancy_after_the_end_takes_the_cheapest_room(hand_grid, hand_work):
    """Three nodes started in step 0 run four hours: six node-hours after the end, four at 12 and two at 28."""
    nodes = np.array([[3.0], [0.0]])
    compute = hand_work(
        lags=4,
        released_nodes=nodes,
        due_nodes=nodes,
        terminal=TerminalValue(np.array([[4.0, 9.0, np.inf]]), np.array([[12.0, 28.0, 50.0]])),
    )
    grid = hand_grid(steps=2)
    plan, work = dispatch_pooled(grid, compute)
    _, left = advance_fluid(grid, compute, plan, work, 1)
    np.testing.assert_allclose(left.terminal.width_node_h, [[0, 7, np.inf]])
    assert kept_cost(grid, compute, plan, work, 1) == pytest.approx(1000 + 23 * 30 + 4 * 12 + 2 * 28)


def test_first_steps_cut_everything_that_has_a_time_axis(day):
    grid, compute = day
    for short, whole in zip(first_steps(grid, compute, 3), day, strict=True):
        for field in fields(short):
            value = getattr(short, field.name)
            if isinstance(value, np.ndarray) and len(getattr(whole, field.name)) == 4:
                assert len(value) == 3 or field.name in PER_CLASS_OR_SITE, field.name
    assert len(first_steps(grid, compute, 3)[0].losses.factor) == 3


def test_what_is_left_of_commitment_and_bundles(day):
    """Blocks are numbered from 0; the block that is cut is decided anew."""
    grid, compute = day
    group, zone = np.zeros(1, dtype=np.int64), np.zeros(3, dtype=np.int64)
    reserve, sent = np.arange(4.0)[:, None], 200 + np.arange(4.0)[:, None]
    grid = replace(
        grid,
        commitment=Commitment(group, np.full(1, 0.4), np.array([0, 0, 1, 1]), zone, reserve),
        bundles=Bundles(group, group - 1, sent),
    )
    plan, work = dispatch_pooled(grid, compute)
    left, _ = advance_fluid(grid, compute, plan, work, 1)
    assert left.commitment.block.tolist() == [0, 1, 1]
    assert left.commitment.reserve_mw.ravel().tolist() == [1, 2, 3]
    assert left.bundles.sent_mw.ravel().tolist() == [201, 202, 203]
    assert advance_fluid(grid, compute, plan, work, 2)[0].commitment.block.tolist() == [0, 0]


@pytest.mark.parametrize("steps", [0, 3, 4, 5])
def test_steps_that_do_not_fit_are_refused(day, steps):
    grid, compute = day
    compute = replace(compute, block_steps=2)
    plan, work = dispatch_pooled(grid, compute)
    with pytest.raises(DispatchError, match=f"cannot keep {steps} steps of a plan over 4 of 4: expected a multiple of"):
        advance_fluid(grid, compute, plan, work, steps)


def test_no_more_is_kept_than_was_planned(day):
    plan, work = dispatch_pooled(*first_steps(*day, 1))
    with pytest.raises(DispatchError, match="cannot keep 2 steps of a plan over 1 of 4"):
        advance_fluid(*day, plan, work, 2)


def test_foresight_pays(day):
    """Told that power will cost 35, an hour's look ahead runs all at once, at 30; two hours or more find the 10."""
    grid, compute = day
    compute = replace(
        compute,
        occupancy=np.ones((1, 1, 1)),
        mean_runtime_h=np.ones((1, 1)),
        terminal=TerminalValue(np.array([[np.inf]]), np.array([[35.0]])),
    )
    one, two, four = (roll_fluid(grid, compute, window_steps=1, horizon_steps=horizon) for horizon in (1, 2, 4))
    plan, _ = dispatch_pooled(grid, compute)
    assert four == pytest.approx(plan.solver.objective, rel=1e-9)
    assert one > two + 10
    assert two > four - 1e-6
