import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.profiles.resample import diurnal_factor, resample


def test_same_step_is_a_slice():
    assert resample(np.arange(5.0), 3600, 3600, 7200).tolist() == [2, 3, 4]


def test_finer_steps_hold_and_coarser_ones_average():
    values = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 50.0]])
    assert resample(values, 3600, 1200, 2400).tolist() == [[1, 10]] + [[3, 30]] * 3 + [[5, 50]] * 3
    assert resample(values, 3600, 7200, 0).tolist() == [[2, 20]]
    assert resample(values, 3600, 7200, 3600).tolist() == [[4, 40]]


@pytest.mark.parametrize("arguments", [(3600, 5400, 0), (3600, 3600, 1800), (3600, 7200, 1800), (3600, 1800, 900)])
def test_steps_that_do_not_fit(arguments):
    with pytest.raises(ValueError, match="cannot become"):
        resample(np.ones(4), *arguments)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.sampled_from([1, 2, 3, 4, 6]))
def test_holding_and_averaging_undo_each_other(values, parts):
    fine = resample(np.array(values), 3600, 3600 // parts, 0)
    assert resample(fine, 3600 // parts, 3600, 0) == pytest.approx(values)


HOURLY = np.linspace(0.5, 1.5, 24)


@given(st.integers(0, 86_399), st.sampled_from([300, 900, 3600, 7200, 86_400]))
def test_a_whole_day_averages_to_the_mean_of_the_shape(first_s, step_s):
    assert diurnal_factor(HOURLY, first_s, step_s, 86_400 // step_s).mean() == pytest.approx(HOURLY.mean())


def test_hours_of_the_local_day():
    assert diurnal_factor(HOURLY, 7 * 3600, 3600, 3) == pytest.approx(HOURLY[7:10])
    assert diurnal_factor(HOURLY, 23 * 3600, 1800, 4) == pytest.approx(HOURLY[[23, 23, 0, 0]])
    assert diurnal_factor(HOURLY, 1800, 3600, 1) == pytest.approx(HOURLY[:2].mean())
