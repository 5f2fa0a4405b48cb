"""Upward reserve, against figures worked out by hand: 120 MW of load, 100 MW at 10 and 100 MW at 30."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_grid


def leaves(record, name=""):
    for field in fields(record):
        value, path = getattr(record, field.name), f"{name}.{field.name}"
        yield from leaves(value, path) if is_dataclass(value) else [(path, np.asarray(value).tobytes())]


def test_reserve_that_is_there_changes_no_byte(hand_grid):
    with_it, without = (dispatch_grid(hand_grid(reserve_mw=np.array([need]))) for need in (80.0, 0.0))
    assert dict(leaves(with_it)) == dict(leaves(without))


def test_a_shortfall_has_its_price(hand_grid):
    """80 MW are left above the load: of 100 MW 20 are short, at 200. A further MW of load takes one of reserve."""
    plan = dispatch_grid(hand_grid(reserve_mw=np.array([100.0])))
    np.testing.assert_allclose(plan.reserve_short_mw, [20])
    np.testing.assert_allclose(plan.reserve_price_per_mwh, [200])
    np.testing.assert_allclose(plan.price_per_mwh, [[230] * 3])
    assert plan.solver.objective == pytest.approx(1600 + 20 * 200)


@pytest.fixture
def slow(hand_units):
    """The dear unit ramps 60 MW/h: 10 MW in ten minutes."""
    return hand_units([(0, 0.0, np.inf, [(100, 10, 0)]), (1, 0.0, 60.0, [(100, 30, 0)])])


def test_a_cheap_unit_holds_back(hand_grid, slow):
    """Of 40 MW of reserve unit 1 holds 10, so that unit 0 gives 70 and holds 30; a MW of reserve costs 30 - 10."""
    plan = dispatch_grid(hand_grid(slow, reserve_mw=np.array([40.0])))
    np.testing.assert_allclose(plan.group_mw, [[70, 50]])
    np.testing.assert_allclose(plan.reserve_short_mw, [0], atol=1e-9)
    np.testing.assert_allclose(plan.reserve_price_per_mwh, [20])
    assert plan.solver.objective == pytest.approx(70 * 10 + 50 * 30)


def test_only_steps_that_lack_it_are_written(hand_grid, slow):
    load = np.array([[0.0, 0.0, 120.0], [0.0, 0.0, 40.0]])
    problem = {"steps": 2, "load_mw": load, "injection_mw": -load}
    rows = [dispatch_grid(hand_grid(slow, **problem, reserve_mw=np.full(2, need))).solver.rows for need in (0.0, 40.0)]
    assert rows[1] - rows[0] == 2, "the requirement of step 0 and the headroom of the slow unit"


@pytest.mark.parametrize(("stored_mwh", "held_mw"), [(20.0, 16.0), (30.0, 20.0), (0.0, 0.0)])
def test_a_battery_holds_what_it_can_give_for_an_hour(hand_grid, hand_stores, slow, stored_mwh, held_mw):
    """At 80 % 20 MWh last an hour at 16 MW; its converter gives 20. Kept MWh are worth 100, so that none is sold."""
    value = {"initial_mwh": np.array([stored_mwh]), "value_per_mwh": np.array([[100.0]])}
    stores = hand_stores(**value, charge_mw=np.zeros((1, 1)))
    plan = dispatch_grid(hand_grid(slow, stores=stores, reserve_mw=np.array([40.0])))
    np.testing.assert_allclose(plan.group_mw, [[70 + held_mw, 50 - held_mw]])


def test_charging_that_can_stop_is_reserve(hand_grid, hand_stores, slow):
    """A battery that charges 20 MW and could give 20 holds 36 MW, what its energy of 36 MWh gives for an hour, less."""
    stores = hand_stores(value_per_mwh=np.array([[100.0]]))
    plan = dispatch_grid(hand_grid(slow, stores=stores, reserve_mw=np.array([38.0])))
    np.testing.assert_allclose(plan.charge_mw, [[20]])
    np.testing.assert_allclose(plan.stored_mwh, [[36]])
    np.testing.assert_allclose(plan.group_mw, [[100, 40]])
    np.testing.assert_allclose(plan.reserve_price_per_mwh, [0])


def test_water_holds_reserve_as_long_as_it_lasts(hand_units, hand_grid, hand_stores):
    """Unit 1 gives 50 MW from 20 MWh at 80 %: 16 MW for an hour, so that of 40 MW unit 0 holds 24."""
    units = hand_units(
        [(0, 0.0, np.inf, [(100, 10, 0)]), (2, 0.0, np.inf, [(50, 0, 0)]), (1, 0.0, 0.0, [(100, 30, 0)])]
    )
    none = np.zeros((1, 1))
    stores = hand_stores(charge_mw=none, discharge_mw=none, value_per_mwh=np.array([[100.0]]))
    units = replace(units, store=np.array([-1, 0, -1]))
    plan = dispatch_grid(hand_grid(units, stores=stores, reserve_mw=np.array([40.0])))
    np.testing.assert_allclose(plan.group_mw, [[76, 0, 44]], atol=1e-9)
