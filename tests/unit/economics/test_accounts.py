"""Accounts of sites, regions and the nation, and the rules they are held to: two hours on two buses, on paper.

Coal at bus a (1000 kg/MWh), wind at bus b. Bus b draws 20 MW: a load of 12, a site of 8, of which 15 MW are wind and 5
come from a, where a site of 4 MW and a load of 6 draw. In the second hour there is no wind: all is coal.
"""

import numpy as np
import pytest

from gridtwin.economics.accounts import (
    account_kpis,
    accounts_table,
    carbon_table,
    grid_carbon,
    residual_mix,
    site_accounts,
)
from gridtwin.economics.rules import rule_counts, rules_table
from gridtwin.economics.supply import Claims
from gridtwin.economics.wan_settlement import wan_settlement_table

VARIABLES = {
    "unit_mw": [[15, 15], [30, 0]],
    "load_mw": [[6, 12], [6, 12]],
    "shed_mw": [[0, 0], [0, 0]],
    "spill_mw": [0, 0],
    "dumped_mw": [[0, 0], [0, 0]],
    "site_mw": [[4, 8], [4, 8]],
    "charge_mw": np.zeros((2, 0)),
    "discharge_mw": np.zeros((2, 0)),
    "link_mw": [[0], [0]],
    "from_mw": [[-5], [-20]],
    "to_mw": [[5], [20]],
    "slack_excess_mw": [0, 0],
    "charged_per_mwh": [[50, 60], [50, 70]],
    "facility_mw": [[4, 8], [4, 8]],
    "it_mw": [[3.2, 6], [3.2, 6]],
    "moved_gb": [[[1, 2], [3, 4]], [[10, 0], [0, 0]]],
}
INPUTS = {
    "buses": {"bus": ["a", "b"], "area": ["A", "B"], "slack": [True, False]},
    "lines": {"from_index": [1], "to_index": [0]},
    "links": {"link": ["dc"], "from_index": [0], "to_index": [1], "loss": [0.1]},
    "units": {"unit": ["coal", "wind"], "bus_index": [0, 1], "p_max_mw": [50, 20]},
    "segments": {"unit_index": [0, 1], "width_mw": [50, 20], "co2_kg_per_mwh": [1000, 0]},
    "stores": {"store": np.zeros(0, str), "site_index": np.zeros(0, int), "bus_index": np.zeros(0, int)},
    "sites": {"site": ["east", "west"], "bus_index": [0, 1]},
    "site_terms": {
        "site": ["east", "west"],
        "region": ["A", "B"],
        "green_share_min": [np.nan, 0.5],
        "labour_cost_per_rack_year": [876, np.nan],
    },
    "site_facts": {"racks": [2000, np.nan], "pue_limit": [1.25, 1.3], "rack_use_min": [0.65, np.nan]},
    "supply": {
        "contract": ["fence"],
        "kind": ["direct"],
        "site_index": [1],
        "unit_index": [1],
        "p_mw": [10],
        "price_per_mwh": [40],
    },
    "pools": {"site_index": [0, 0, 1, 1], "capacity_nodes": [100, 10, 50, 0], "peak_w": [25_000, 50_000, 40_000, 0]},
    "origins": {"region": ["A", "C"]},
    "wan": {"origin_index": [0, 0, 1, 1], "site_index": [0, 1, 0, 1], "settlement_per_gb": [9, 0.5, 2, 0]},
}
CLAIMED = Claims(
    mwh=np.array([[0, 7.5]]), matched_mw=np.array([[0, 7.5], [0, 0]]), direct_mw=np.array([[0, 7.5], [0, 0]])
)


def arrays(columns):
    return {name: np.asarray(values) for name, values in columns.items()}


@pytest.fixture
def v():
    return arrays(VARIABLES)


@pytest.fixture
def inputs():
    return {name: arrays(table) for name, table in INPUTS.items()}


@pytest.fixture
def accounts(v, inputs):
    return site_accounts(v, inputs, CLAIMED, grid_carbon(v, inputs), 1.0)


def test_emissions_follow_the_power(v, inputs):
    carbon = grid_carbon(v, inputs)
    assert carbon.withdrawal_mw.tolist() == [[10, 20], [10, 20]]
    np.testing.assert_allclose(carbon.factor_kg_per_mwh, [[1000, 250], [1000, 1000]])


def test_a_link_and_a_line_carry_them_alike(v, inputs):
    by_link = v | {"from_mw": np.zeros((2, 1)), "to_mw": np.zeros((2, 1)), "link_mw": np.array([[5.0], [20.0]])}
    np.testing.assert_allclose(grid_carbon(by_link, inputs).factor_kg_per_mwh, [[1000, 250], [1000, 1000]])


def test_of_a_line_that_both_ends_feed_the_one_that_gives_more_sends(v, inputs):
    """Bus a gives 0.5 MW, bus b 0.25: the line turns all of it into heat, which b is taken to have drawn."""
    idle = v | {"from_mw": np.array([[0.25], [-20.0]]), "to_mw": np.array([[0.5], [20.0]])}
    np.testing.assert_allclose(
        grid_carbon(idle, inputs).factor_kg_per_mwh[0], [15_000 / 10.5, 15_000 / 10.5 * 0.5 / 20]
    )


def test_emissions_by_area(v, inputs):
    table = carbon_table(grid_carbon(v, inputs), inputs, 1.0)
    assert table["area"].tolist() == ["A", "B"]
    assert table["drawn_mwh"].tolist() == [20, 40]
    np.testing.assert_allclose(table["produced_co2_t"], [45, 0])
    np.testing.assert_allclose(table["consumed_co2_t"], [20, 25])
    np.testing.assert_allclose(table["consumption_co2_kg_per_mwh"], [1000, 625])


def test_hours_without_a_flow_are_left_out_of_the_mean(v, inputs):
    dark = v | {"from_mw": np.array([[np.nan], [-20.0]]), "to_mw": np.array([[np.nan], [20.0]])}
    table = carbon_table(grid_carbon(dark, inputs), inputs, 1.0)
    np.testing.assert_allclose(table["consumption_co2_kg_per_mwh"], [1000, 1000])
    nation = accounts_table(site_accounts(dark, inputs, CLAIMED, grid_carbon(dark, inputs), 1.0), inputs)
    assert account_kpis(nation, has_supply=True)["location_based_co2_t"] is None


def test_sites_by_place_and_by_contract(accounts):
    """Location: 8 MWh at 1000; 8 at 250 and 8 at 1000. Market: 45 t over 60 - 7.5 MWh that nobody claimed."""
    residual = 45_000 / 52.5
    np.testing.assert_allclose(accounts.location_based_co2_kg, [8_000, 10_000])
    np.testing.assert_allclose(accounts.market_based_co2_kg, [8 * residual, 8.5 * residual])
    assert accounts.energy_mwh.tolist() == [8, 16]
    assert accounts.kind_mwh.tolist() == [[0, 0, 0, 0], [7.5, 0, 0, 0]]
    assert accounts.supply_cost.tolist() == [0, 300]
    assert accounts.direct_saved_cost.tolist() == [0, 450]


def test_what_all_consumers_bear_by_contract_is_all_that_is_emitted(accounts):
    rest_mwh, residual = 36.0, 45_000 / 52.5
    assert accounts.market_based_co2_kg.sum() + rest_mwh * residual == pytest.approx(45_000)


def test_what_a_renewable_unit_emits_goes_with_the_claim():
    assert residual_mix(1000.0, 10.0, np.array([4.0]), np.array([100.0])) == pytest.approx(100.0)


def test_where_all_is_claimed_there_is_no_residual_mix():
    assert np.isnan(residual_mix(0.0, 10.0, np.array([10.0]), np.array([0.0])))


def test_labour_goes_by_racks_and_time(accounts):
    """1200 racks of 2.5 kW for two hours of a year."""
    assert accounts.racks_used.tolist() == [1200, 800]
    assert accounts.labour_cost[0] == pytest.approx(1200 * 876 * 2 / 8760)
    assert np.isnan(accounts.labour_cost[1])


def test_regions_and_the_nation_add_up(accounts, inputs):
    table = accounts_table(accounts, inputs)
    assert list(zip(table["level"].tolist(), table["name"].tolist(), strict=True)) == [
        ("site", "east"),
        ("site", "west"),
        ("region", "A"),
        ("region", "B"),
        ("nation", ""),
    ]
    assert table["energy_mwh"].tolist() == [8, 16, 8, 16, 24]
    np.testing.assert_allclose(table["green_share_annual"], [0, 7.5 / 16, 0, 7.5 / 16, 7.5 / 24])
    np.testing.assert_allclose(table["green_share_hourly"], [0, 7.5 / 16, 0, 7.5 / 16, 7.5 / 24])
    assert table["labour_cost"][-1] == table["labour_cost"][0]


def test_indicators_are_those_of_all_sites(accounts, inputs):
    table = accounts_table(accounts, inputs)
    kpis = account_kpis(table, has_supply=True)
    assert kpis["green_share_annual"] == 7.5 / 24
    assert kpis["location_based_co2_t"] == pytest.approx(18)
    without = account_kpis(table, has_supply=False)
    assert without["location_based_co2_t"] == kpis["location_based_co2_t"]
    for name in ("green_share_annual", "green_share_hourly", "market_based_co2_t", "supply_cost", "direct_saved_cost"):
        assert without[name] is None


def test_rules(v, inputs, accounts):
    table = rules_table(v, inputs, accounts)
    rows = list(zip(*(table[name].tolist() for name in ("site", "rule", "limit", "value", "met")), strict=True))
    assert rows == [
        ("east", "pue", 1.25, 1.25, True),
        ("east", "rack_use", 0.65, 0.6, False),
        ("west", "pue", 1.3, pytest.approx(4 / 3), False),
        ("west", "green_share", 0.5, 0.46875, False),
    ]
    assert rule_counts(table) == {
        "pue": {"met": 1, "broken": 1},
        "rack_use": {"met": 0, "broken": 1},
        "green_share": {"met": 0, "broken": 1},
    }


def test_no_rules(v, inputs, accounts):
    free = {name: np.full(2, np.nan) for name in ("racks", "pue_limit", "rack_use_min", "green_share_min")}
    table = rules_table(v, inputs | {"site_facts": free, "site_terms": free}, accounts)
    assert len(table["rule"]) == 0
    assert rule_counts(table) == {}


def test_regions_pay_each_other_for_what_crosses(v, inputs):
    """A to B 2 GB at 0.5; C to A 3 GB at 2, C to B 4 GB for nothing; what stays in A is not settled."""
    table = wan_settlement_table(v, inputs)
    rows = list(zip(*(table[name].tolist() for name in table), strict=True))
    assert rows == [("A", "B", 2, 1), ("C", "A", 3, 6), ("C", "B", 4, 0)]
