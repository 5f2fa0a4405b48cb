import numpy as np
import pytest

from gridtwin.workload.bursts import Burst, factor_at, mean_factor, surroundings

BOTH, FIRST = np.array([True, True]), np.array([True, False])
BURSTS = (Burst(30, 90, 2.0, BOTH), Burst(60, 120, 3.0, FIRST), Burst(-500, 10, 0.5, BOTH))


def test_the_second_at_which_a_burst_ends_is_out_of_it():
    assert factor_at(BURSTS, np.array([9, 10, 89, 90, 119, 120]), np.array(0)).tolist() == [0.5, 1, 6, 3, 3, 1]
    assert factor_at(BURSTS, np.array([89, 90]), np.array([1, 1])).tolist() == [2, 1]


def test_steps_that_a_burst_enters_midway_count_in_part():
    factor = mean_factor(BURSTS, steps=3, step_s=60, origins=2)
    assert factor[:, 0] == pytest.approx([(0.5 * 10 + 20 + 2 * 30) / 60, (6 * 30 + 3 * 30) / 60, 1])
    assert factor[:, 1] == pytest.approx([(0.5 * 10 + 20 + 2 * 30) / 60, (2 * 30 + 30) / 60, 1])


def test_no_burst_is_no_factor():
    assert (mean_factor((), 2, 60, 3) == 1).all()


def test_a_factor_holds_between_its_surroundings():
    before, after = surroundings(BURSTS, np.array([0, 10, 59, 500]))
    assert before[:3].tolist() == [-500, 10, 30]
    assert after[:3].tolist() == [10, 30, 60]
    assert before[3] == 120
    assert after[3] > 10**15
