"""The price of a least green share: when work follows green supply, and what that is worth, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import GreenTarget, dispatch_pooled
from gridtwin.dispatch.green_rows import green_short_mw

DEAR_THEN_CHEAP = np.array([[0.0, 0.0, 120.0], [0.0, 0.0, 60.0]])  # 30 a MWh, then 10
FREE = np.array([[8.0], [0.0]])  # nodes that may start in either step


@pytest.fixture
def grid(hand_grid):
    return hand_grid(steps=2, load_mw=DEAR_THEN_CHEAP, injection_mw=-DEAR_THEN_CHEAP)


@pytest.fixture
def work(hand_work):
    """Work for 8 MW; green supply of 10 MW in the first step only."""

    def make(price_per_mwh, share=0.8, **changes):
        green = GreenTarget(np.array([share]), np.array([[10.0], [0.0]]), price_per_mwh)
        return hand_work(released_nodes=FREE, due_nodes=FREE[::-1], green=green, **changes)

    return make


@pytest.mark.parametrize(
    ("price_per_mwh", "share", "starts"), [(24, 0.8, [0, 8]), (26, 0.8, [8, 0]), (26, 0.7, [0, 8])]
)
def test_work_goes_to_the_green_hour_once_that_pays(grid, work, price_per_mwh, share, starts):
    """An MWh of the cheap hour costs 10 and, of its share, the price of what is not green: 29.2, 30.8 or 28.2 of 30."""
    _, pooled = dispatch_pooled(grid, work(price_per_mwh, share))
    np.testing.assert_allclose(pooled.start_nodes.ravel(), starts, atol=1e-9)


def test_what_is_short_is_paid_for(grid, work):
    """8 MWh at 10, 4/5 of them short at 20; without a target the former alone."""
    plan, _ = dispatch_pooled(grid, work(20.0))
    without, _ = dispatch_pooled(grid, replace(work(20.0), green=None))
    assert plan.solver.objective - without.solver.objective == pytest.approx(6.4 * 20)


def test_what_a_site_draws_anyhow_is_short_too(grid, work):
    """5 MW of idle nodes leave the second step 4 MW short, wherever the work goes; the first has 10 - 4 MW to spare."""
    plan, _ = dispatch_pooled(grid, work(20.0, base_mw=np.full((2, 1), 5.0)))
    without, _ = dispatch_pooled(grid, replace(work(20.0, base_mw=np.full((2, 1), 5.0)), green=None))
    assert plan.solver.objective - without.solver.objective == pytest.approx((4 + 6.4) * 20)


def test_work_goes_to_the_site_that_has_supply(grid, hand_work):
    """Two sites at one bus, the second with supply."""
    green = GreenTarget(np.array([0.8, 0.8]), np.array([[0.0, 10.0], [0.0, 10.0]]), 5.0)
    problem = hand_work(sites=2, released_nodes=FREE, due_nodes=FREE, green=green)
    _, pooled = dispatch_pooled(grid, problem)
    np.testing.assert_allclose(pooled.busy_nodes[0, :, 0], [0, 8], atol=1e-9)


def test_a_site_without_a_target_pays_nothing(grid, hand_work):
    green = GreenTarget(np.array([0.0, 0.8]), np.zeros((2, 2)), 5.0)
    problem = hand_work(sites=2, released_nodes=FREE, due_nodes=FREE, green=green)
    plan, pooled = dispatch_pooled(grid, problem)
    np.testing.assert_allclose(pooled.busy_nodes[0, :, 0], [8, 0], atol=1e-9)
    assert plan.solver.objective == pytest.approx(
        dispatch_pooled(grid, replace(problem, green=None))[0].solver.objective
    )


def test_the_price_of_work_holds_it(grid, work):
    """A further node-hour in the cheap hour: 10 for energy and 0.8 of 20."""
    _, pooled = dispatch_pooled(grid, work(20.0))
    assert pooled.prices.node_per_node_h[1, 0, 0] == pytest.approx(26)


def test_shortfall(work):
    short = green_short_mw(work(1.0), np.array([[15.0], [10.0]]))
    assert short.ravel().tolist() == [2, 8]
    assert not green_short_mw(replace(work(1.0), green=None), np.ones((2, 1))).any()
