"""Tariffs, green supply, rules and settlement from the command line to the files of a run."""

import json
import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from gridtwin import api
from gridtwin.cli import main
from gridtwin.compare.layout.run_view import RunView
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.economics.accounts import grid_carbon
from gridtwin.results.files import read_columns
from gridtwin.results.saved_run import open_run

TESTS = Path(__file__).parents[1]
POCKET = TESTS / "scenarios" / "pocket.yaml"
POOLED = "aggregated"


def cli(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code, capsys.readouterr()


@pytest.fixture(scope="module")
def run(made_once):
    """The run of the pocket model on terms."""

    def fill(parent):
        with pytest.raises(SystemExit) as ended:
            main(("run", str(POCKET), "--set", "variants=[terms]", "--out", str(parent), "--json"))
        assert ended.value.code == 0

    (path,) = made_once("pocket_terms", fill).iterdir()
    return path


@pytest.fixture(scope="module")
def data(run):
    from tests.conftest import read_back  # noqa: PLC0415

    return read_back(run)


@pytest.fixture(scope="module")
def kpis(run):
    return json.loads((run / "summary.json").read_text(encoding="utf-8"))["kpis"]


def test_a_site_pays_its_tariff_and_the_other_the_nodal_price(data):
    charged, price = data.variables["charged_per_mwh"], data.variables["price_per_mwh"]
    hour = [instant.astype(datetime).hour for instant in data.time.astype("datetime64[s]")]
    wanted = {7: 40, **dict.fromkeys(range(7), 20), **dict.fromkeys(range(16, 20), 110)}  # half of 7 to 8 is flat
    np.testing.assert_allclose(charged[:, 0], [wanted.get(h, 60) for h in hour])
    np.testing.assert_array_equal(charged[:, 1], price[:, data.inputs["sites"]["bus_index"][1]])


def test_what_is_drawn_bears_all_emissions(run, data):
    carbon = grid_carbon(data.variables, data.inputs)
    borne = np.where(carbon.withdrawal_mw > 0, carbon.factor_kg_per_mwh, 0) * carbon.withdrawal_mw
    np.testing.assert_allclose(borne.sum(axis=1) * data.step_h, data.variables["co2_kg"], rtol=1e-9)
    table = read_columns(run / "carbon.parquet")
    np.testing.assert_allclose(table["consumed_co2_t"].sum(), data.variables["co2_kg"].sum() / 1000)


def test_no_contract_claims_more_than_was_delivered(run):
    supply = read_columns(run / "supply.parquet")
    assert (supply["claimed_mwh"] <= supply["delivered_mwh"] + 1e-9).all()
    assert (supply["claimed_mwh"] > 0).all()
    assert supply["paid_cost"].tolist() == (supply["claimed_mwh"] * [35, 6, 6, 5, 1]).tolist()


def test_direct_supply_is_what_came_while_the_site_drew(run, data):
    v, units = data.variables, data.inputs["units"]["unit"].tolist()
    taken = np.minimum(v["site_mw"][:, 1], v["unit_mw"][:, units.index("wind")] * 4 / 40)
    accounts = read_columns(run / "accounts.parquet")
    assert accounts["direct_mwh"][1] == pytest.approx(taken.sum() * data.step_h)
    assert accounts["direct_saved_cost"][1] == pytest.approx((taken * v["charged_per_mwh"][:, 1]).sum() * data.step_h)


def test_key_figures_are_those_of_all_sites(run, kpis):
    accounts = read_columns(run / "accounts.parquet")
    assert accounts["level"].tolist() == ["site", "site", "region", "region", "nation"]
    for name in ("green_share_annual", "green_share_hourly", "market_based_co2_t", "location_based_co2_t"):
        assert kpis[name] == accounts[name][-1]
    assert 0 < kpis["green_share_hourly"] < kpis["green_share_annual"] < 1
    assert kpis["market_based_co2_t"] < kpis["location_based_co2_t"]
    assert kpis["labour_cost"] > 0


def test_rules_are_counted_in_the_summary(run):
    rules = read_columns(run / "rules.parquet")
    counts = json.loads((run / "summary.json").read_text(encoding="utf-8"))["rules"]
    assert counts["rack_use"] == {"met": 2, "broken": 0}
    assert counts["pue"] == {"met": int(rules["met"][rules["rule"] == "pue"].sum()), "broken": 1}
    green = rules["rule"] == "green_share"
    assert (rules["limit"][green] == 0.8).all()
    assert (
        rules["met"]
        == np.where(rules["rule"] == "pue", rules["value"] <= rules["limit"], rules["value"] >= rules["limit"])
    ).all()


def test_regions_settle_what_crosses_between_them(run, data):
    table = read_columns(run / "wan_settlement.parquet")
    moved = data.variables["moved_gb"].sum(axis=0)
    rows = {(a, b): (gb, cost) for a, b, gb, cost in zip(*(table[name].tolist() for name in table), strict=True)}
    for pair, gb, price in ((("shore", "inland"), moved[0, 1], 0.02), (("inland", "shore"), moved[1, 0], 0.03)):
        assert rows.get(pair, (0, 0)) == pytest.approx((gb, gb * price))


def test_indicators_of_a_layout_hold_the_green_shares(run):
    view = RunView(RunSeries(open_run(run), run_cards([open_run(run)])[0]))
    accounts = open_run(run).account("accounts")
    shares = {reading.region: reading.value for reading in view.readings if reading.indicator == "green_share_annual"}
    assert shares == {
        name: pytest.approx(value)
        for level, name, value in zip(*(accounts[c] for c in ("level", "name", "green_share_annual")), strict=True)
        if level != "site"
    }


def test_a_price_on_what_is_not_green_makes_hours_greener(run, pocket, tmp_path):
    priced = pocket("variants=[terms]", "dispatch.green_share_price_per_mwh=100.0")
    summary = api.run(priced, tmp_path).summary
    before = json.loads((run / "summary.json").read_text(encoding="utf-8"))["kpis"]
    assert summary["kpis"]["green_share_hourly"] > before["green_share_hourly"]
    assert all(ledger["pass"] for ledger in summary["ledgers"].values())


def test_a_price_in_the_scenario_holds_for_all_sites(pocket):
    from gridtwin.twin.build import make_system  # noqa: PLC0415

    day = list(range(24))
    tariff = make_system(pocket("variants=[terms]", f"tariff.energy_per_mwh={day}")).tariff
    assert tariff.energy_per_mwh[:, 0, ::2].tolist() == [day, day]


def test_a_model_without_terms_says_nothing_of_green_shares(pocket_run):
    kpis = pocket_run("asap").summary["kpis"]
    for name in ("green_share_annual", "green_share_hourly", "market_based_co2_t", "supply_cost", "labour_cost"):
        assert kpis[name] is None
    assert kpis["location_based_co2_t"] > 0
    assert pocket_run("asap").summary["rules"] == {}


def test_validate_names_hours_that_overlap_and_what_is_oversold(capsys, tmp_path):
    shutil.copytree(TESTS / "models" / "pocket", tmp_path / "models" / "pocket")
    (tmp_path / "scenarios").mkdir()
    for file in POCKET.parent.glob("pocket*"):
        shutil.copy(file, tmp_path / "scenarios")
    tariffs, supply = (tmp_path / "models" / "pocket" / f"{name}.csv" for name in ("tariffs", "supply"))
    tariffs.write_text(
        tariffs.read_text(encoding="utf-8").replace("town,5,peak,16,20", "town,5,peak,15,20"), encoding="utf-8"
    )
    supply.write_text(supply.read_text(encoding="utf-8").replace("wind,4,5", "wind,40,5"), encoding="utf-8")
    scenario = tmp_path / "scenarios" / "pocket.yaml"
    code, printed = cli(capsys, "validate", str(scenario), "--set", "variants=[terms]")
    assert code == 3
    told = printed.out + printed.err
    assert "hours 15-16 of month 5 are 'peak' here and 'flat' in line" in told
    assert "47 MW of unit 'wind' are sold in all, its p_max_mw is 40; no MWh can be claimed twice" in told
