from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import group_units

STEAM = (0, 5.0, 30.0, [(40.0, 10.0, 500.0), (20.0, 15.0, 600.0)])


def test_equal_units_are_one(hand_units):
    groups = group_units(hand_units([STEAM, (1, 0.0, np.inf, [(50.0, 20.0, 0.0)]), STEAM]))
    assert len(groups) == 2
    np.testing.assert_array_equal(groups.group_of_unit, [0, 1, 0])
    np.testing.assert_array_equal(groups.members, [2, 1])
    np.testing.assert_array_equal(groups.bus, [0, 1])
    np.testing.assert_array_equal(groups.p_min_mw, [10, 0])
    np.testing.assert_array_equal(groups.p_max_mw, [130, 50])
    np.testing.assert_array_equal(groups.ramp_mw_per_h, [60, np.inf])
    np.testing.assert_array_equal(groups.segment_group, [0, 0, 1])
    np.testing.assert_array_equal(groups.segment_mw, [80, 40, 50])
    np.testing.assert_array_equal(groups.segment_cost_per_mwh, [10, 15, 20])
    np.testing.assert_array_equal(groups.segment_co2_kg_per_mwh, [500, 600, 0])


@pytest.mark.parametrize(
    "other",
    [
        (1, *STEAM[1:]),
        (0, 6.0, *STEAM[2:]),
        (0, 5.0, 31.0, STEAM[3]),
        (0, 5.0, 30.0, [(40.0, 10.0, 500.0), (20.0, 15.5, 600.0)]),
        (0, 5.0, 30.0, [(40.0, 10.0, 500.0), (20.0, 15.0, 601.0)]),
        (0, 5.0, 30.0, [(39.0, 10.0, 500.0), (21.0, 15.0, 600.0)]),
        (0, 5.0, 30.0, [(60.0, 10.0, 500.0)]),
    ],
    ids=["bus", "floor", "ramp", "cost", "co2", "widths", "segments"],
)
def test_units_that_differ_stay_apart(hand_units, other):
    assert len(group_units(hand_units([STEAM, other]))) == 2


def test_technology_and_roles_keep_units_apart(hand_units):
    units = hand_units([STEAM, STEAM])
    assert len(group_units(replace(units, technology=("steam", "gas")))) == 2
    for role in ("renewable", "curtailable", "quick_start", "holds_voltage"):
        assert len(group_units(replace(units, **{role: np.array([True, False])}))) == 2, role


def test_units_with_a_profile_merge_whatever_their_size(hand_units):
    units = hand_units([(0, 0.0, np.inf, [(40.0, 0.0, 0.0)]), (0, 0.0, np.inf, [(10.0, 0.0, 0.0)])])
    assert len(group_units(units)) == 2
    groups = group_units(replace(units, profile=np.array([0, 1])))
    assert len(groups) == 1
    np.testing.assert_array_equal(groups.segment_mw, [50])


def test_output_is_shared_by_what_is_available(hand_units):
    groups = group_units(hand_units([STEAM, (1, 0.0, np.inf, [(50.0, 20.0, 0.0)]), STEAM]))
    available = np.array([[60.0, 50.0, 20.0], [0.0, 50.0, 0.0]])
    np.testing.assert_array_equal(groups.total(available), [[80, 50], [0, 50]])
    share = groups.split(np.array([[40.0, 7.0], [0.0, 7.0]]), available)
    np.testing.assert_allclose(share, [[30, 7, 10], [0, 7, 0]])
