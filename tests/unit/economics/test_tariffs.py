"""What a MWh costs at a meter, and when a month begins."""

import numpy as np
import pytest

from gridtwin.economics.tariffs import (
    Tariff,
    charged_per_mwh,
    energy_prices,
    flat_year,
    local_months,
    monthly_peaks_mw,
)

NODAL = np.array([[30.0, 40.0], [50.0, 60.0], [70.0, 80.0]])
CO2_KG = np.array([500.0, 0.0, 1000.0])
INSTANTS = np.array(["2020-01-01T23:00", "2020-01-02T00:00", "2020-01-02T01:00"], "datetime64[s]")
DAY = flat_year(np.arange(24.0), 2)
HOUR_S = 3600


def charged(energy_per_mwh, network_per_mwh=0.0, carbon_per_t=0.0):
    tariff = Tariff(energy_per_mwh, network_per_mwh, 0.0, carbon_per_t)
    return charged_per_mwh(tariff, NODAL, CO2_KG, energy_prices(tariff, INSTANTS, 0, HOUR_S))


def priced(energy_per_mwh, instant, zone_h=0, step_s=HOUR_S):
    """Price of one step at each site."""
    tariff, instants = Tariff(energy_per_mwh, 0.0, 0.0, 0.0), np.array([instant], "datetime64[s]")
    return energy_prices(tariff, instants, int(zone_h * 3600), step_s)[0].tolist()


def test_a_nodal_price_is_passed_on_with_the_network():
    assert charged(flat_year(None, 2), 7.0).tolist() == (NODAL + 7).tolist()


def test_a_fixed_tariff_goes_by_the_local_hour_and_is_the_same_everywhere():
    assert charged(DAY, 7.0).tolist() == [[30, 30], [7, 7], [8, 8]]


def test_sites_with_and_without_a_tariff():
    mixed = np.concatenate([DAY[:1], flat_year(None, 1)])
    assert charged(mixed, 7.0).tolist() == [[30, 47], [7, 67], [8, 87]]


def test_carbon_comes_beside_a_fixed_tariff_only():
    """100 for a tonne: half of it for 500 kg."""
    assert charged(DAY, 0.0, 100.0).tolist() == [[73, 73], [0, 0], [101, 101]]
    assert charged(flat_year(None, 2), 0.0, 100.0).tolist() == NODAL.tolist()


YEAR = np.arange(12 * 48.0).reshape(1, 12, 48)  # every half hour of every month has its own price


@pytest.mark.parametrize(
    ("instant", "zone_h", "step_s", "price"),
    [
        ("2020-01-01T00:00", 0, 1800, 0),
        ("2020-01-01T00:30", 0, 1800, 1),
        ("2020-01-01T00:00", 0, 3600, 0.5),
        ("2020-01-01T00:15", 0, 900, 0),
        ("2020-01-01T00:15", 0, 300, 0),
        ("2020-01-01T00:00", 0, 2400, 0.25),  # three quarters of it in the first half hour
        ("2020-01-01T00:00", 0, 6 * 3600, 5.5),
        ("2020-01-31T16:00", 8, 1800, 48),
        ("2020-01-31T15:30", 8, 1800, 47),
        ("2020-12-31T23:30", 0, 1800, 12 * 48 - 1),
        ("2021-01-01T06:30", -7, 1800, 12 * 48 - 1),
        ("2020-01-31T18:00", 5.5, 3600, (47 + 48) / 2),
    ],
)
def test_prices_go_by_month_and_half_hour(instant, zone_h, step_s, price):
    assert priced(YEAR, instant, zone_h, step_s) == [price]


@pytest.mark.parametrize(
    ("instant", "zone_h", "hour", "month"),
    [
        ("2020-01-31T23:30:00", 0, 23, 600),
        ("2020-02-01T00:00:00", 0, 0, 601),
        ("2020-01-31T16:00:00", 8, 0, 601),
        ("2020-01-31T15:59:59", 8, 23, 600),
        ("2020-02-01T06:59:59", -7, 23, 600),
        ("2020-01-31T18:30:00", 5.5, 0, 601),
        ("1969-12-31T23:00:00", 0, 23, -1),
    ],
)
def test_hours_and_months_are_local(instant, zone_h, hour, month):
    assert priced(DAY, instant, zone_h, 1) == [hour, hour]
    assert local_months(np.array([instant], "datetime64[s]"), int(zone_h * 3600)).tolist() == [month]


def test_peaks_of_each_month_and_site():
    draw = np.array([[1.0, -2.0], [5.0, -1.0], [2.0, -3.0], [4.0, 6.0]])
    month = np.array([11, 11, 12, 12])
    assert monthly_peaks_mw(draw, month).tolist() == [[5, 0], [4, 6]]  # who only gives has no peak


def test_no_steps_no_peaks():
    assert monthly_peaks_mw(np.zeros((0, 2)), np.zeros(0, np.int64)).shape == (0, 2)
