"""Surplus that must be taken would be burnt by charging and discharging at once."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_grid
from gridtwin.dispatch import solve as solving
from gridtwin.dispatch.one_way import OneWay


@pytest.fixture
def surplus(hand_grid, hand_stores):
    """150 MW must be taken where 120 are drawn, in three hours of four; spill costs 100. The battery holds 32 of 40."""
    lower = np.array([[100.0, 50.0], [100.0, 50.0], [80.0, 0.0], [100.0, 50.0]])
    stores = hand_stores(4, initial_mwh=np.array([32.0]))
    return hand_grid(steps=4, lower_mw=lower, stores=stores)


@pytest.fixture
def relaxed(monkeypatch):
    """Dispatch without any integers."""

    def dispatch(problem):
        with monkeypatch.context() as patch:
            patch.setattr(OneWay, "tighten", lambda *_: False)
            return solving.dispatch_grid(problem)

    return dispatch


def only(stores, charging):
    """Stores that may do but one thing in each step."""
    charging = np.array(charging)[:, None]
    return replace(
        stores, charge_mw=stores.charge_mw * charging, discharge_mw=stores.discharge_mw * np.logical_not(charging)
    )


def test_nothing_is_charged_and_discharged_at_once(surplus, relaxed):
    """8 MWh fit in, 10 MW for an hour. Both ways at once would burn more, and is what the relaxed program does."""
    burning = relaxed(surplus)
    assert np.minimum(burning.charge_mw, burning.discharge_mw).max() > 1
    plan = dispatch_grid(surplus)
    assert np.minimum(plan.charge_mw, plan.discharge_mw).max() == 0
    assert plan.solver.objective > burning.solver.objective + 100
    assert plan.solver.binaries > 0
    assert plan.solver.mip_gap < 1e-7


def test_no_choice_of_directions_is_better(surplus):
    costs = [
        dispatch_grid(replace(surplus, stores=only(surplus.stores, charging))).solver.objective
        for charging in product([True, False], repeat=4)
    ]
    assert dispatch_grid(surplus).solver.objective == pytest.approx(min(costs), rel=1e-9)


def test_prices_are_those_of_the_program_with_fixed_integers(surplus):
    plan = dispatch_grid(surplus)
    assert plan.solver.dual_objective == pytest.approx(plan.solver.objective)
    np.testing.assert_allclose(plan.price_per_mwh[[0, 1, 3]], -100)


def test_units_do_not_run_while_their_store_is_pumped_full(hand_units, hand_grid, hand_stores, relaxed):
    """The same with a pump and a unit that gives 20 MW from the store it fills."""
    units = hand_units([(0, 0.0, np.inf, [(150, 10, 0)]), (2, 0.0, np.inf, [(20, 0, 0)])])
    stores = hand_stores(discharge_mw=np.zeros((1, 1)), initial_mwh=np.array([32.0]))
    problem = hand_grid(replace(units, store=np.array([-1, 0])), lower_mw=np.array([[150.0, 0.0]]), stores=stores)
    burning, plan = relaxed(problem), dispatch_grid(problem)
    np.testing.assert_allclose([burning.charge_mw[0, 0], burning.group_mw[0, 1]], [20, 6.4])
    np.testing.assert_allclose([plan.charge_mw[0, 0], plan.group_mw[0, 1], plan.spill_mw[0]], [10, 0, 20], atol=1e-9)
    assert plan.solver.binaries == 1


def test_a_link_does_not_burn_both_ways(hand_grid, hand_links, relaxed):
    """50 MW lose 5 either way: of a surplus of 30 MW one direction leaves 25 to spill, both would leave 20."""
    problem = hand_grid(lower_mw=np.array([[100.0, 50.0]]), links=hand_links())
    np.testing.assert_allclose(relaxed(problem).spill_mw, [20])
    plan = dispatch_grid(problem)
    np.testing.assert_allclose(plan.spill_mw, [25])
    np.testing.assert_allclose(np.abs(plan.link_mw), [[50]])
    assert plan.solver.binaries == 1


def test_no_integers_where_prices_are_not_negative(hand_grid, hand_stores, hand_links):
    plan = dispatch_grid(hand_grid(steps=3, stores=hand_stores(3), links=hand_links(3)))
    assert plan.solver.binaries == 0
    assert plan.solver.mip_gap == 0
    assert plan.solver.rounds == 1
