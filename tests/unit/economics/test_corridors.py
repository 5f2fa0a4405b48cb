"""Accounts of links, against figures worked out by hand."""

import numpy as np
import pytest

from gridtwin.economics.corridors import corridors

LINKS = {
    "link": np.array(["line", "tie"]),
    "kind": np.array(["dc", "interface"]),
    "from_index": np.array([0, 0]),
    "to_index": np.array([1, 1]),
    "p_nom_mw": np.array([100.0, 50.0]),
    "p_nom_back_mw": np.array([100.0, 20.0]),
    "loss": np.array([0.1, 0.0]),
}
VARIABLES = {
    "link_mw": np.array([[100.0, -20.0], [40.0, 20.0], [-10.0, 0.0]]),
    "contract_mw": np.array([[90.0, np.nan], [40.0, np.nan], [0.0, np.nan]]),
    "price_per_mwh": np.array([[10.0, 30.0], [20.0, 20.0], [50.0, 40.0]]),
}


@pytest.fixture(scope="module")
def found():
    return corridors(VARIABLES, LINKS, step_h=0.5)


def test_energy_by_direction(found):
    assert found.sent_mwh.tolist() == [70, 10]
    assert found.returned_mwh.tolist() == [5, 10]


def test_full_is_told_by_the_limit_of_the_direction(found):
    """20 MW fill the tie on the way back, not on the way there."""
    assert found.full_h.tolist() == [0.5, 0]
    assert found.full_back_h.tolist() == [0, 0.5]
    assert found.apart_per_mwh.tolist() == [20, -20]


def test_rent_is_what_arrives_less_what_is_sent(found):
    line = (30 * 90 - 10 * 100) + (20 * 36 - 20 * 40) + (50 * 9 - 40 * 10)
    tie = 20 * (10 - 30)
    np.testing.assert_allclose(found.rent_cost, [line / 2, tie / 2])


def test_contracts_where_there_are_any(found):
    np.testing.assert_array_equal(found.contract_mwh, [65, np.nan])
    np.testing.assert_array_equal(found.deviation_mwh, [10, np.nan])


def test_a_link_that_is_never_full_has_no_price_difference():
    idle = VARIABLES | {"link_mw": np.zeros((3, 2))}
    assert np.isnan(corridors(idle, LINKS, 1.0).apart_per_mwh).all()
