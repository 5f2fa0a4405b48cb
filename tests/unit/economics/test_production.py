from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.economics.production import merit_order_price, production_co2_kg_per_h, production_cost_per_h


@pytest.fixture(scope="module")
def units(pocket):
    """Water 10 MW at 0, coal 40 at 20 and 40 at 26, gas 30 at 42 and 30 at 50, a peaker 30 at 120, and others."""
    return pocket().units


def outputs(units, **mw):
    return np.array([[mw.get(name, 0.0) for name in units.unit]])


def test_cost_and_co2_along_the_segments(units):
    output = outputs(units, coal=50.0, gas=30.0, peaker=0.5, wind=33.0)
    cost, co2 = production_cost_per_h(output, units), production_co2_kg_per_h(output, units)
    by_name = dict(zip(units.unit, range(len(units.unit)), strict=True))
    expected = {
        "coal": (40 * 20 + 10 * 26, 40 * 1000 + 10 * 950),
        "gas": (30 * 42, 30 * 400),
        "peaker": (60, 375),
        "wind": (0, 0),
    }
    for name, (money, kg) in expected.items():
        assert cost[0, by_name[name]] == pytest.approx(money, rel=1e-12)
        assert co2[0, by_name[name]] == pytest.approx(kg, rel=1e-12)
    assert cost.shape == co2.shape == output.shape


def test_nothing_costs_nothing(units):
    assert not production_cost_per_h(outputs(units), units).any()


@given(st.lists(st.floats(0, 80), min_size=1, max_size=5))
def test_cost_is_convex_and_continuous(pocket, coal_mw):
    units = pocket().units
    power = np.sort(coal_mw)
    table = np.zeros((len(power), len(units.unit)))
    table[:, 0] = power
    cost = production_cost_per_h(table, units)[:, 0]
    np.testing.assert_allclose(cost, np.interp(power, [0, 40, 80], [0, 800, 1840]), atol=1e-9)


@pytest.mark.parametrize(
    ("residual_mw", "carbon_per_t", "price"),
    [
        (-5.0, 0.0, 0.0),
        (0.0, 0.0, 0.0),
        (10.0, 0.0, 0.0),  # water
        (20.0, 0.0, 20.0),
        (50.0, 0.0, 20.0),
        (50.001, 0.0, 26.0),
        (91.0, 0.0, 42.0),
        (150.0, 0.0, 50.0),
        (151.0, 0.0, 120.0),
        (1e6, 0.0, 120.0),
        (20.0, 100.0, 82.0),  # gas at 42 + 40 before coal at 20 + 100
        (41.0, 100.0, 92.0),  # then gas at 50 + 42
        (71.0, 100.0, 120.0),  # then coal at 20 + 100
        (111.0, 100.0, 121.0),  # then coal at 26 + 95
    ],
)
def test_merit_order(units, residual_mw, carbon_per_t, price):
    assert merit_order_price(residual_mw, units, carbon_per_t) == pytest.approx(price)


def test_merit_order_without_dispatchable_units(units):
    only_profiles = replace(units, profile=np.zeros(len(units.unit), np.int64))
    assert merit_order_price(10.0, only_profiles, 0.0) == 0
