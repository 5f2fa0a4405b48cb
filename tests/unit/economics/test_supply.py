"""Green electricity under contract, kind by kind, worked out on paper."""

import numpy as np

from gridtwin.economics.supply import KINDS, claims, contract_table, delivered_mw


def claimed(rows, delivered_mw, site_mw, step_h=1.0):
    """Claims of rows (contract, kind, site); series are one list for each contract and site."""
    contract, kind, site = zip(*rows, strict=True)
    return claims(contract, kind, np.array(site), np.array(delivered_mw, float).T, np.array(site_mw, float).T, step_h)


def test_direct_supply_is_taken_as_it_blows():
    """Of 12, 4 and 0 MW a site that draws 10 takes 10, 4 and 0; what it cannot take at once is lost to it."""
    found = claimed([("fence", "direct", 0)], [[12, 4, 0]], [[10, 10, 10]])
    assert found.mwh.tolist() == [[14]]
    assert found.matched_mw.ravel().tolist() == [10, 4, 0]
    assert found.direct_mw.ravel().tolist() == [10, 4, 0]


def test_two_units_behind_a_meter_give_in_proportion():
    found = claimed([("wind", "direct", 0), ("sun", "direct", 0)], [[6], [18]], [[12]])
    assert found.mwh.ravel().tolist() == [3, 9]


def test_a_portfolio_is_shared_in_proportion_to_what_its_sites_draw():
    """9 MW for sites that draw 10 and 20: 3 and 6; the third step brings more than they draw."""
    rows = [("pool", "aggregated", 0), ("pool", "aggregated", 1)]
    found = claimed(rows, [[6, 0, 40], [3, 0, 20]], [[10, 10, 10], [20, 20, 20]])
    assert found.matched_mw.tolist() == [[3, 6], [0, 0], [10, 20]]
    np.testing.assert_allclose(found.mwh, [[2 + 20 / 3, 4 + 40 / 3], [1 + 10 / 3, 2 + 20 / 3]])
    assert not found.direct_mw.any()


def test_a_portfolio_covers_what_is_left_behind_the_meter():
    rows = [("pool", "aggregated", 0), ("pool", "aggregated", 1), ("fence", "direct", 0)]
    found = claimed(rows, [[6], [0], [10]], [[10], [4]])
    assert found.mwh.tolist() == [[0, 4], [0, 0], [10, 0]]
    assert found.matched_mw.tolist() == [[10, 4]]


def test_portfolios_go_in_the_order_of_the_table():
    rows = [("late", "aggregated", 0), ("later", "aggregated", 0)]
    assert claimed(rows, [[8], [8]], [[10]]).mwh.ravel().tolist() == [8, 2]


def test_a_contract_counts_over_the_run_and_is_matched_in_the_hour_only_where_it_comes():
    """All comes at once: 20 of 30 MWh over the run, but 10 of them in their hour."""
    found = claimed([("ppa", "contract", 0)], [[20, 0, 0]], [[10, 10, 10]])
    assert found.mwh.tolist() == [[20]]
    assert found.matched_mw.ravel().tolist() == [10, 0, 0]


def test_no_more_than_what_is_drawn_over_the_run():
    assert claimed([("ppa", "contract", 0)], [[50, 0]], [[10, 10]]).mwh.tolist() == [[20]]


def test_certificates_cover_what_is_left_and_match_nothing():
    rows = [("paper", "certificate", 0), ("ppa", "contract", 0)]
    found = claimed(rows, [[15, 15], [12, 0]], [[10, 10]])
    assert found.mwh.ravel().tolist() == [8, 12]
    assert found.matched_mw.ravel().tolist() == [10, 0]


def test_a_site_that_gives_claims_nothing():
    found = claimed([("fence", "direct", 0)], [[5, 5]], [[-3, 2]])
    assert found.matched_mw.ravel().tolist() == [0, 2]


def test_energy_goes_by_the_length_of_steps():
    rows = [("fence", "direct", 0), ("ppa", "contract", 0)]
    assert claimed(rows, [[4], [8]], [[10]], 0.5).mwh.ravel().tolist() == [2, 3]


def test_without_contracts():
    found = claims((), (), np.zeros(0, np.int64), np.zeros((2, 0)), np.ones((2, 3)), 1.0)
    assert found.mwh.shape == (0, 3)
    assert not found.matched_mw.any()


INPUTS = {
    "supply": {
        "contract": np.array(["ppa", "fence"]),
        "name_zh": np.array(["", ""]),
        "kind": np.array(["contract", "direct"]),
        "site_index": np.array([1, 0]),
        "unit_index": np.array([1, 1]),
        "p_mw": np.array([10.0, 30.0]),
        "price_per_mwh": np.array([20.0, 50.0]),
    },
    "units": {"unit": np.array(["coal", "wind"]), "p_max_mw": np.array([100.0, 40.0])},
    "sites": {"site": np.array(["east", "west"])},
}


def test_what_is_curtailed_is_not_delivered():
    """A quarter and three quarters of what the unit gave after curtailment."""
    variables = {"unit_mw": np.array([[90.0, 20.0], [90.0, 0.0]])}
    assert delivered_mw(variables, INPUTS).tolist() == [[5, 15], [0, 0]]


def test_the_table_of_contracts():
    variables = {"unit_mw": np.array([[90.0, 20.0], [90.0, 20.0]])}
    supply, site_mw = INPUTS["supply"], np.array([[12.0, 4.0], [20.0, 4.0]])
    found = claims(
        supply["contract"], supply["kind"], supply["site_index"], delivered_mw(variables, INPUTS), site_mw, 1.0
    )
    table = contract_table(variables, INPUTS, found, 1.0)
    assert table["site"].tolist() == ["west", "east"]
    assert table["unit"].tolist() == ["wind", "wind"]
    assert table["delivered_mwh"].tolist() == [10, 30]
    assert table["claimed_mwh"].tolist() == [8, 27]
    assert table["paid_cost"].tolist() == [160, 1350]


def test_kinds_are_those_that_models_may_name():
    from gridtwin.inputs.supply import KINDS as OF_MODELS  # noqa: PLC0415

    assert KINDS == OF_MODELS
