"""What energy in store is worth after the horizon."""

import numpy as np
import pytest

from gridtwin.policies.terminal import store_value

DAY = np.array([30.0, 20.0, 10.0, 15.0, 40.0, 60.0, 80.0, 50.0])  # eight steps of three hours


def value(discharge_mw, energy_mwh, efficiency=1.0, price=DAY):
    one = (np.array([number]) for number in (discharge_mw, energy_mwh, efficiency))
    width, worth = store_value(price[:, None], *one, 3.0)
    return width[0], worth[0]


def test_a_small_store_sells_in_the_dearest_hours():
    """90 MWh at 10 MW fill nine hours: three at 80, three at 60, three at 50."""
    width, worth = value(10.0, 90.0)
    np.testing.assert_allclose(width, [30, 30, 30, 0], atol=1e-9)
    np.testing.assert_allclose(worth[:3], [80, 60, 50])


def test_parts_need_not_be_whole_steps():
    """45 MWh are 4.5 hours in parts of 1.5: 80, 80, 60."""
    width, worth = value(10.0, 45.0)
    np.testing.assert_allclose(width, [15, 15, 15, 0], atol=1e-9)
    np.testing.assert_allclose(worth[:3], [80, 80, 60])


def test_what_is_stored_is_worth_less_by_what_is_lost():
    """At 80 % 112.5 MWh give the 90 MWh of nine hours."""
    width, worth = value(10.0, 112.5, efficiency=0.8)
    np.testing.assert_allclose(width, [37.5, 37.5, 37.5, 0], atol=1e-9)
    np.testing.assert_allclose(worth[:3], [64, 48, 40])


def test_a_reservoir_waits_for_later_days():
    """1000 MWh at 10 MW are more than a day. Above the mean of 38.125 lie twelve hours: 80, 60, 50, 40."""
    width, worth = value(10.0, 1000.0)
    np.testing.assert_allclose(width, [40, 40, 40, 880])
    np.testing.assert_allclose(worth, [75, (2 * 60 + 2 * 50) / 4, (50 + 3 * 40) / 4, 38.125])


@pytest.mark.parametrize("energy_mwh", [0.0, 7.0, 100.0, 239.9, 240.0, 240.1, 5000.0])
@pytest.mark.parametrize("shift", [0.0, -35.0, -1000.0])
def test_segments_add_up_and_fall(energy_mwh, shift):
    width, worth = value(10.0, energy_mwh, 0.9, DAY + shift)
    assert width.sum() == pytest.approx(energy_mwh)
    assert (width >= 0).all()
    assert (np.diff(worth) <= 1e-9).all()
    assert (worth >= 0).all(), "energy need not be sold"


def test_equal_prices_are_worth_the_price():
    for energy_mwh in (100.0, 5000.0):
        width, worth = value(10.0, energy_mwh, price=np.full(8, 25.0))
        np.testing.assert_allclose(worth[width > 0], 25)


def test_what_nothing_can_take_out_is_worth_nothing():
    width, worth = value(0.0, 100.0)
    assert width.sum() == 100
    assert not worth.any()


def test_no_store():
    width, worth = store_value(np.zeros((24, 0)), *(np.zeros(0),) * 3, 1.0)
    assert width.shape == worth.shape == (0, 4)
