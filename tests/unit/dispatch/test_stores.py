"""What stores do, against figures worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_grid, dispatch_pooled


def loads(*at_bus_2):
    load = np.zeros((len(at_bus_2), 3))
    load[:, 2] = at_bus_2
    return {"steps": len(load), "load_mw": load, "injection_mw": -load}


@pytest.fixture
def two_hours(hand_grid, hand_stores):
    """70, then 120 MW of load; unit 0 gives 100 MW at 10, unit 1 the rest at 30; the battery is empty."""
    return hand_grid(**loads(70.0, 120.0), stores=hand_stores(2, initial_mwh=np.zeros(1)))


def test_arbitrage(two_hours, hand_grid):
    """20 MW charged at 10 leave 16 MWh, which give 12.8 MW where they save 30 each: 384 - 200 = 184 cheaper."""
    plan = dispatch_grid(two_hours)
    np.testing.assert_allclose(plan.charge_mw, [[20], [0]])
    np.testing.assert_allclose(plan.discharge_mw, [[0], [12.8]])
    np.testing.assert_allclose(plan.stored_mwh, [[16], [0]], atol=1e-9)
    np.testing.assert_allclose(plan.group_mw, [[90, 0], [100, 7.2]])
    np.testing.assert_allclose(plan.price_per_mwh, [[10] * 3, [30] * 3])
    without = dispatch_grid(hand_grid(**loads(70.0, 120.0)))
    assert without.solver.objective - plan.solver.objective == pytest.approx(184)


def test_no_round_trip_that_does_not_pay(two_hours):
    """Of each MWh 0.64 comes back: bought at 20 it saves 19.2."""
    groups = replace(two_hours.groups, segment_cost_per_mwh=np.array([20.0, 30.0]))
    plan = dispatch_grid(replace(two_hours, groups=groups))
    assert plan.charge_mw.max() == plan.discharge_mw.max() == 0


def test_the_value_in_store_is_what_a_mwh_saves(two_hours):
    """A MWh in store gives 0.8 MWh in the second hour, where one costs 30."""
    plan = dispatch_grid(two_hours)
    np.testing.assert_allclose(plan.store_value_per_mwh, [[24], [24]])
    half = dispatch_grid(replace(two_hours, step_h=0.5))
    np.testing.assert_allclose(half.store_value_per_mwh, [[24], [24]])
    more = replace(two_hours, stores=replace(two_hours.stores, initial_mwh=np.array([0.5])))
    saved = plan.solver.objective - dispatch_grid(more).solver.objective
    assert saved == pytest.approx(0.5 * 24)


def test_what_is_left_is_worth_its_segments(two_hours):
    """15 MWh are worth 40 each, more than the 30 · 0.8 that they save; the sixteenth MWh 20, so that it is sold."""
    stores = replace(two_hours.stores, value_mwh=np.array([[15.0, 25.0]]), value_per_mwh=np.array([[40.0, 20.0]]))
    plan = dispatch_grid(replace(two_hours, stores=stores))
    np.testing.assert_allclose(plan.stored_mwh, [[16], [15]])
    np.testing.assert_allclose(plan.discharge_mw, [[0], [0.8]])
    assert plan.solver.objective == pytest.approx(900 + 1000 + 19.2 * 30 - 15 * 40)


def test_standing_losses_and_steps_of_half_an_hour(hand_grid, hand_stores):
    """Of 20 MWh 10 % are lost in each step; 10 MW then give 5 MWh of the first for 6.25 in store."""
    stores = hand_stores(2, kept_share=np.array([0.9]), discharge_mw=np.array([[10.0], [0.0]]))
    plan = dispatch_grid(replace(hand_grid(**loads(120.0, 120.0)), step_h=0.5, stores=stores))
    np.testing.assert_allclose(plan.stored_mwh, [[11.75], [10.575]])


def test_water_runs_when_power_is_dear_and_is_let_go_when_nothing_else_helps(hand_units, hand_grid, hand_stores):
    """Unit 2 gives 25 MW from a reservoir of 40 MWh that is full, at 80 %; 50 MW flow in in the first hour.

    At most 25 MW leave through the unit in the first hour: 31.25 MWh, 18.75 are let go. In the second it gives 25
    again and keeps 8.75, which are worth nothing.
    """
    units = hand_units(
        [(0, 0.0, np.inf, [(100, 10, 0)]), (1, 0.0, np.inf, [(100, 30, 0)]), (2, 0.0, 1.0, [(25, 0, 0)])]
    )
    none = np.zeros((2, 1))
    stores = hand_stores(
        2, charge_mw=none, discharge_mw=none, inflow_mw=np.array([[50.0], [0.0]]), initial_mwh=np.array([40.0])
    )
    problem = hand_grid(replace(units, store=np.array([-1, -1, 0])), **loads(120.0, 130.0), stores=stores)
    plan = dispatch_grid(problem)
    np.testing.assert_allclose(plan.group_mw[:, 2], [25, 25])
    np.testing.assert_allclose(plan.store_spill_mw, [[18.75], [0]])
    np.testing.assert_allclose(plan.stored_mwh, [[40], [8.75]])
    np.testing.assert_allclose(plan.store_value_per_mwh, 0, atol=1e-9)


def test_an_empty_store_stops_its_unit_whatever_the_ramp(hand_units, hand_grid, hand_stores):
    units = hand_units([(0, 0.0, np.inf, [(200, 10, 0)]), (2, 0.0, 10.0, [(25, 0, 0)])])
    none = np.zeros((1, 1))
    stores = hand_stores(charge_mw=none, discharge_mw=none, initial_mwh=np.zeros(1))
    problem = hand_grid(replace(units, store=np.array([-1, 0])), stores=stores, initial_mw=np.array([95.0, 25.0]))
    np.testing.assert_allclose(dispatch_grid(problem).group_mw, [[120, 0]])


def test_a_unit_falls_beyond_its_ramp_only_where_its_store_runs_empty(hand_units, hand_grid, hand_stores):
    """Unit 1 gives 25 MW at 50 and may fall by 10 MW an hour, so that it gives at least 15, 5 and 0.

    That takes 18.75 and 6.25 MWh. With 25 MWh it keeps its ramp; with 20 it gives 1 MW in hour 1, and nothing is left.
    """
    units = hand_units([(0, 0.0, np.inf, [(200, 10, 0)]), (2, 0.0, 10.0, [(25, 50, 0)])])
    none = np.zeros((3, 1))
    problem = hand_grid(replace(units, store=np.array([-1, 0])), steps=3, initial_mw=np.array([95.0, 25.0]))
    for there, output, left in ((40.0, [15, 5, 0], 15), (25.0, [15, 5, 0], 0), (20.0, [15, 1, 0], 0)):
        stores = hand_stores(3, charge_mw=none, discharge_mw=none, initial_mwh=np.array([there]))
        plan = dispatch_grid(replace(problem, stores=stores))
        np.testing.assert_allclose(plan.group_mw[:, 1], output, atol=1e-9)
        np.testing.assert_allclose(plan.stored_mwh[1:, 0], left, atol=1e-9)


def test_a_battery_behind_a_full_connection(hand_grid, hand_work, hand_stores):
    """Ten nodes draw 10 of 14 MW, so that 4 are left to charge; 3.2 MWh more in the battery are worth 90 each."""
    nodes = np.array([[10.0], [0.0]])
    work = hand_work(released_nodes=nodes, due_nodes=nodes, connection_mw=np.array([14.0]))
    value = {"value_mwh": np.array([[40.0]]), "value_per_mwh": np.array([[90.0]])}
    stores = hand_stores(2, site=np.array([0]), **value)
    plan, _ = dispatch_pooled(hand_grid(steps=2, stores=stores), work)
    np.testing.assert_allclose(plan.charge_mw, [[4], [14]])
    plan, _ = dispatch_pooled(hand_grid(steps=2, stores=hand_stores(2, **value)), work)
    np.testing.assert_allclose(plan.charge_mw.sum(), 25)
