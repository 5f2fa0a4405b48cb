"""Grids without lines: every bus balances by itself, links carry the rest under their terms."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import Bundles, Commitment, dispatch_grid, group_units
from gridtwin.records import UnitTerms

NAN = np.nan


@pytest.fixture
def corridor(hand_grid, hand_links, hand_units):
    """Cheap power at bus 0 (10 per MWh), dear at bus 2 (40); 60 MW of load at bus 2, a link of 50 MW without losses."""

    def make(steps=1, units=None, terms=None, **link):
        units = units or hand_units([(0, 0.0, np.inf, [(200, 10, 900)]), (2, 0.0, np.inf, [(200, 40, 400)])])
        groups = group_units(units, terms)
        load = np.tile([0.0, 0.0, 60.0], (steps, 1))
        problem = hand_grid(units, steps=steps, load_mw=load, injection_mw=-load)
        network = replace(problem.network, transport=True, line=(), ptdf=np.zeros((0, 3)), rate_mw=np.zeros(0))
        return replace(
            problem,
            network=network,
            groups=groups,
            watched=np.zeros((steps, 0), dtype=bool),
            rate_mw=np.zeros((steps, 0)),
            links=hand_links(steps, **{"loss": np.zeros(1)} | link),
        )

    return make


def test_a_corridor_carries_what_is_cheaper(corridor):
    plan = dispatch_grid(corridor(), explain=True)
    np.testing.assert_allclose(plan.link_mw, [[50]])
    np.testing.assert_allclose(plan.price_per_mwh, [[10, 0, 40]], atol=1e-9)
    np.testing.assert_allclose(plan.prices.explanation.marginal_co2_kg_per_mwh, [[900, 0, 400]], atol=1e-6)


def test_losses_are_paid_on_the_way(corridor):
    plan = dispatch_grid(corridor(rate_mw=np.array([[90.0]]), loss=np.array([0.2])))
    np.testing.assert_allclose(plan.link_mw, [[75]])
    np.testing.assert_allclose(plan.price_per_mwh[0, [0, 2]], [10, 12.5])


def test_limits_differ_by_direction(corridor):
    turned = corridor(back_mw=np.array([[20.0]]), from_bus=np.array([2]), to_bus=np.array([0]))
    np.testing.assert_allclose(dispatch_grid(turned).link_mw, [[-20]])


def test_a_contract_holds_exactly(corridor):
    plan = dispatch_grid(corridor(contract_mw=np.array([[30.0]]), deviation_per_mwh=np.array([np.inf])))
    np.testing.assert_allclose(plan.link_mw, [[30]])


@pytest.mark.parametrize(("price", "sent_mw"), [(25.0, 50.0), (35.0, 30.0)])
def test_a_contract_is_left_where_that_pays(corridor, price, sent_mw):
    """A MWh sent more saves 30."""
    plan = dispatch_grid(corridor(contract_mw=np.array([[30.0]]), deviation_per_mwh=np.array([price])))
    np.testing.assert_allclose(plan.link_mw, [[sent_mw]])
    assert plan.solver.objective == pytest.approx(10 * sent_mw + 40 * (60 - sent_mw) + price * (sent_mw - 30))


def test_a_contract_may_be_for_the_other_direction(corridor):
    plan = dispatch_grid(corridor(contract_mw=np.array([[-15.0]]), deviation_per_mwh=np.array([np.inf])))
    np.testing.assert_allclose(plan.link_mw, [[-15]])


def test_a_least_flow_goes_on_and_never_turns(corridor):
    back = corridor(from_bus=np.array([2]), to_bus=np.array([0]), least_mw=np.array([[8.0]]))
    np.testing.assert_allclose(dispatch_grid(back).link_mw, [[8]])


def test_set_points_are_shared_by_the_steps_of_a_slot(corridor):
    """Demand of 60 and 20 MW: one set-point for both cannot exceed what both take."""
    problem = corridor(steps=2, slot=np.array([[0], [0]]))
    load = np.array([[0.0, 0.0, 60.0], [0.0, 0.0, 20.0]])
    plan = dispatch_grid(replace(problem, load_mw=load, injection_mw=-load))
    np.testing.assert_allclose(plan.link_mw, [[20], [20]])


def test_surplus_is_dumped_where_it_arises(corridor):
    problem = corridor()
    plan = dispatch_grid(replace(problem, lower_mw=np.array([[80.0, 0.0]])))
    np.testing.assert_allclose(plan.dumped_mw, [[30, 0, 0]])


@pytest.fixture
def daily(hand_units):
    """Steam at bus 0 that gives half of its online capacity at least, and free wind there; all may be sold to bus 2."""
    units = hand_units(
        [(0, 0.0, np.inf, [(100, 20, 900)]), (0, 0.0, np.inf, [(80, 0, 0)])], technology=("Coal", "Wind")
    )
    terms = replace(UnitTerms.plain(2), daily=np.array([True, False]), least_share=np.array([0.5, 0.0]))
    return units, terms


def test_what_is_online_by_day_for_the_evening_pushes_wind_aside_at_night(corridor, daily):
    """60 MW in the evening without wind: 60 MW online, so 30 MW at least at night, when 40 are drawn and 80 blow."""
    units, terms = daily
    problem = corridor(steps=2, units=units, terms=terms, rate_mw=np.full((2, 1), 100.0))
    load = np.array([[0.0, 0.0, 60.0], [0.0, 0.0, 40.0]])
    whole_day = Commitment(np.array([0]), np.array([0.5]), np.array([0, 0]), np.zeros(3, np.int64), np.zeros((2, 1)))
    problem = replace(
        problem,
        load_mw=load,
        injection_mw=-load,
        upper_mw=np.array([[100.0, 0.0], [100.0, 80.0]]),
        commitment=whole_day,
    )
    plan = dispatch_grid(problem)
    np.testing.assert_allclose(plan.group_mw, [[60, 0], [30, 10]])
    np.testing.assert_allclose(plan.online_mw[:, 0], [60, 60])
    assert np.isnan(plan.online_mw[:, 1]).all()
    free = dispatch_grid(replace(problem, commitment=None))
    np.testing.assert_allclose(free.group_mw, [[60, 0], [0, 40]])


def test_reserve_of_a_zone_keeps_more_online(corridor, daily):
    units, terms = daily
    problem = corridor(units=units, terms=terms, rate_mw=np.array([[100.0]]))
    reserve = Commitment(np.array([0]), np.array([0.5]), np.array([0]), np.array([0, 1, 2]), np.array([[30.0, 0, 0]]))
    plan = dispatch_grid(replace(problem, upper_mw=np.array([[100.0, 0.0]]), commitment=reserve))
    assert plan.online_mw[0, 0] == pytest.approx(90)
    short = dispatch_grid(replace(problem, upper_mw=np.array([[70.0, 0.0]]), commitment=reserve))
    assert short.reserve_short_mw[0] == pytest.approx(20)


def test_a_bundled_plant_gives_no_more_than_its_link_sends(corridor, hand_units):
    units = hand_units([(bus, 0.0, np.inf, [(200, cost, 0)]) for bus, cost in ((0, 5), (0, 10), (2, 40))])
    terms = replace(UnitTerms.plain(3), link=np.array([0, -1, -1]))
    problem = corridor(units=units, terms=terms)
    load = np.array([[70.0, 0.0, 60.0]])
    bundles = Bundles(np.array([0]), np.array([0]), np.zeros((1, 1)))
    plan = dispatch_grid(replace(problem, load_mw=load, injection_mw=-load, bundles=bundles))
    np.testing.assert_allclose(plan.group_mw, [[50, 70, 10]])
