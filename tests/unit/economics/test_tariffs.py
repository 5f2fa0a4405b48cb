"""What a MWh costs at a meter, and when a month begins."""

import numpy as np
import pytest

from gridtwin.economics.tariffs import Tariff, charged_per_mwh, local_hours, local_months, monthly_peaks_mw

NODAL = np.array([[30.0, 40.0], [50.0, 60.0], [70.0, 80.0]])
CO2_KG = np.array([500.0, 0.0, 1000.0])
HOUR = np.array([23, 0, 1])
DAY = np.arange(24.0)


def charged(energy_per_mwh, network_per_mwh=0.0, carbon_per_t=0.0):
    return charged_per_mwh(Tariff(energy_per_mwh, network_per_mwh, 0.0, carbon_per_t), NODAL, CO2_KG, HOUR)


def test_a_nodal_price_is_passed_on_with_the_network():
    assert charged(None, 7.0).tolist() == (NODAL + 7).tolist()


def test_a_fixed_tariff_goes_by_the_local_hour_and_is_the_same_everywhere():
    assert charged(DAY, 7.0).tolist() == [[30, 30], [7, 7], [8, 8]]


def test_carbon_comes_beside_a_fixed_tariff_only():
    """100 for a tonne: half of it for 500 kg."""
    assert charged(DAY, 0.0, 100.0).tolist() == [[73, 73], [0, 0], [101, 101]]
    assert charged(None, 0.0, 100.0).tolist() == NODAL.tolist()


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
    instants = np.array([instant], "datetime64[s]")
    assert local_hours(instants, int(zone_h * 3600)).tolist() == [hour]
    assert local_months(instants, int(zone_h * 3600)).tolist() == [month]


def test_peaks_of_each_month_and_site():
    draw = np.array([[1.0, -2.0], [5.0, -1.0], [2.0, -3.0], [4.0, 6.0]])
    month = np.array([11, 11, 12, 12])
    assert monthly_peaks_mw(draw, month).tolist() == [[5, 0], [4, 6]]  # who only gives has no peak


def test_no_steps_no_peaks():
    assert monthly_peaks_mw(np.zeros((0, 2)), np.zeros(0, np.int64)).shape == (0, 2)
