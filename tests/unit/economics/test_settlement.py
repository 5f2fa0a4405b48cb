"""Money on three buses, worked out by hand."""

import numpy as np
import pytest

from gridtwin.economics.settlement import money_table, network_account

PRICES = [10.0, 30.0, 50.0]


@pytest.fixture
def triangle():
    """One step of an hour: 90 MW at 10, 30 MW at 30, 120 MW of load at 50 behind a line of 70 MW worth 60 a MW.

    Unit 1 then gives 1 MW more in AC than was dispatched, which is lost on the way.
    """
    row = np.array([PRICES])
    variables = {
        "price_per_mwh": row,
        "energy_price_per_mwh": np.array([50.0]),
        "congestion_price_per_mwh": row - 50.0,
        "shadow_price_per_mwh": np.array([[0.0, 60.0, 0.0]]),
        "rate_mw": np.array([[np.inf, 70.0, 70.0]]),
        "overload_mw": np.zeros((1, 3)),
        "cut_rent_cost": np.zeros(1),
        "dispatched_injection_mw": np.array([[90.0, 30.0, -120.0]]),
        "dispatched_losses_mw": np.zeros((1, 3)),
        "fixed_losses_mw": np.zeros(1),
        "net_injection_mw": np.array([[90.0, 31.0, -120.0]]),
        "slack_excess_mw": np.zeros(1),
        "dumped_mw": np.zeros((1, 3)),
        "load_mw": np.array([[0.0, 0.0, 100.0]]),
        "shed_mw": np.zeros((1, 3)),
        "site_mw": np.array([[20.0]]),
        "unit_mw": np.array([[90.0, 31.0]]),
        "link_mw": np.zeros((1, 0)),
        "charge_mw": np.zeros((1, 0)),
        "discharge_mw": np.zeros((1, 0)),
    }
    inputs = {
        "penalties": {"overload_per_mwh": np.array([500.0])},
        "buses": {"bus": np.array(["a", "b", "c"]), "slack": np.array([False, False, True])},
        "units": {"unit": np.array(["u0", "u1"]), "bus_index": np.array([0, 1])},
        "sites": {"site": np.array(["s"]), "bus_index": np.array([2])},
        "stores": {
            "store": np.array([], dtype=str),
            "bus_index": np.zeros(0, np.int64),
            "site_index": np.zeros(0, np.int64),
        },
        "links": {
            "link": np.array([], dtype=str),
            "loss": np.zeros(0),
            "from_index": np.zeros(0, np.int64),
            "to_index": np.zeros(0, np.int64),
        },
    }
    return variables, inputs


def test_the_rent_is_what_is_left(triangle):
    account = network_account(*triangle, 1.0)
    assert account.surplus == pytest.approx(120 * 50 - 90 * 10 - 30 * 30)
    assert account.congestion == pytest.approx(70 * 60)
    assert account.balancing == pytest.approx(-30)
    assert (account.losses, account.overload) == (pytest.approx(0), pytest.approx(0))


def test_an_overload_pays_its_price(triangle):
    """3 MW more at a and 3 less at b: ac carries 71 MW, which must have been worth 500."""
    variables, inputs = triangle
    prices = np.array([[50 - 500 * 2 / 3, 50 - 500 / 3, 50.0]])
    changed = {
        "price_per_mwh": prices,
        "congestion_price_per_mwh": prices - 50,
        "shadow_price_per_mwh": np.array([[0.0, 500.0, 0.0]]),
        "overload_mw": np.array([[0.0, 1.0, 0.0]]),
        "dispatched_injection_mw": np.array([[93.0, 27.0, -120.0]]),
    }
    account = network_account({**variables, **changed}, inputs, 1.0)
    assert account.overload == pytest.approx(500)
    assert account.surplus == pytest.approx(account.congestion + account.overload)


def test_losses_that_are_paid_at_the_margin_leave_a_surplus(triangle):
    """Half of 10 MW lost is paid for at the margin twice: K = -10 at 50 a MWh, and the drawn halves cost their rent."""
    variables, inputs = triangle
    changed = {"fixed_losses_mw": np.array([-10.0]), "dispatched_losses_mw": np.array([[3.0, 2.0, 5.0]])}
    account = network_account({**variables, **changed}, inputs, 0.5)
    assert account.losses == pytest.approx(0.5 * (10 * 50 + 3 * 40 + 2 * 20))


def test_what_all_pay_is_what_all_receive(triangle):
    table = money_table(*triangle, 1.0)
    rows = {
        (party, name): paid for party, name, paid in zip(table["party"], table["name"], table["paid_cost"], strict=True)
    }
    assert rows["loads", "c"] == pytest.approx(5000)
    assert rows["sites", "s"] == pytest.approx(1000)
    assert rows["units", "u0"] == pytest.approx(-900)
    assert rows["units", "u1"] == pytest.approx(-930)
    assert rows["network", "congestion"] == pytest.approx(-4200)
    assert rows["network", "balancing"] == pytest.approx(30)
    assert table["paid_cost"].sum() == pytest.approx(0)
    assert table["energy_mwh"].sum() == pytest.approx(-1)
