"""A run without a power flow, from the scenario to its ledgers."""

import json
from pathlib import Path

import numpy as np
import pytest

from gridtwin import api
from gridtwin.audit.ledgers import close_ledgers
from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study

CORRIDORS = Path(__file__).parents[1] / "scenarios" / "corridors.yaml"
WINDY = "variants=[windy]"


@pytest.fixture(scope="module")
def corridors(made_once, read_stored):
    """Run the scenario by policy and balancing, windy, once a session."""

    def run(policy, balancing):
        study = load_study(CORRIDORS, (WINDY, f"policy={policy}", f"dispatch.balancing={balancing}"))
        folder = made_once(f"corridors_{policy}_{balancing}", lambda parent: api.run(study, parent))
        (path,) = folder.iterdir()
        return read_stored(path), json.loads((path / "summary.json").read_text(encoding="utf-8"))

    return run


@pytest.mark.parametrize(("policy", "balancing"), [("asap", "province"), ("co_dispatch", "national")])
def test_all_ledgers_close(corridors, policy, balancing):
    run, summary = corridors(policy, balancing)
    ledgers = {ledger.name: ledger.passed for ledger in close_ledgers(run)}
    assert all(ledgers.values())
    assert "power_transport" in ledgers
    assert "power_ac" not in ledgers
    assert summary["kpis"]["unserved_mwh"] == summary["kpis"]["jobs_unfinished"] == 0


def test_one_megawatt_that_a_link_did_not_carry_breaks_the_ledger(corridors):
    run, _ = corridors("asap", "province")
    run.variables["net_injection_mw"][3, 1] += 1.0
    broken = [ledger.name for ledger in close_ledgers(run) if not ledger.passed]
    assert "power_transport" in broken


def test_contracts_bind_as_balancing_says(corridors):
    """The line without a price of leaving it may not; under national balancing none is kept."""
    kept, _ = corridors("asap", "province")
    free, _ = corridors("co_dispatch", "national")
    dc = kept.coords["link"].index("west_coast")
    contracted = kept.variables["contract_mw"][:, dc]
    assert np.isfinite(contracted).all()
    assert np.isnan(free.variables["contract_mw"]).all()
    assert free.variables["link_mw"][:, dc].min() >= 40
    assert free.variables["link_mw"][:, dc].mean() > contracted.mean()


def test_online_capacity_covers_output_and_stays_for_the_day(corridors):
    run, _ = corridors("asap", "province")
    online, output, units = run.variables["online_mw"], run.variables["unit_mw"], run.inputs["units"]
    daily = units["daily"]
    assert np.isnan(online[:, ~daily]).all()
    assert (output[:, daily] <= online[:, daily] + 1e-6).all()
    assert (output[:, daily] >= units["least_share"][daily] * online[:, daily] - 1e-6).all()
    by_day = online[:, daily].reshape(-1, 24, int(daily.sum()))
    np.testing.assert_allclose(by_day.max(axis=1), by_day.min(axis=1))


def test_the_minimum_of_a_unit_is_given(corridors):
    run, _ = corridors("asap", "province")
    heat = run.variables["unit_mw"][:, run.coords["unit"].index("west_chp")]
    assert heat.min() >= 90 - 1e-6


def test_wind_that_finds_no_way_out_is_curtailed(corridors):
    """More leaves the west where contracts bind nobody."""
    kept, free = (corridors(*key)[1]["kpis"] for key in (("asap", "province"), ("co_dispatch", "national")))
    assert kept["curtailment_mwh"] > 100
    assert free["curtailment_mwh"] < kept["curtailment_mwh"]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (("links.csv", "west_hills,interface", "west_hills,corridor"), "unknown kind 'corridor'"),
        (("links.csv", "west,coast,400,0,40", "west,coats,400,0,40"), "unknown bus 'coats'"),
        (("links.csv", "400,0,40,4", "400,0,500,4"), "p_min_mw = 500 is above p_nom_mw = 400"),
        (
            (
                "links.csv",
                "plain,100,,,6,,,true",
                "plain,100,,,6,,,false",
            ),
            "expected dispatched = true",
        ),
        (("links.csv", "plain,coast,500", "plain,coast,90"), "contract 'plain_coast' goes from -50 to 180 MW"),
        (("units.csv", ",,daily,", ",,weekly,"), "unknown commitment 'weekly'"),
        (("units.csv", ",west_coast\n", ",west_cost\n"), "unknown link 'west_cost'"),
        (("buses.csv", "hills,Hills", "hils,Hills"), "unknown bus 'hills'"),
        (("load.csv", "west,hills,plain,coast", "west,hills,plain,coast_"), "load of area 'coast_' has no bus"),
        (("model.yaml", "power_flow: transport", "power_flow: ac"), "grid.branches is missing"),
        (("reserve.csv", "west,hills,plain,coast", "west,hils,plain,coast"), "unknown column 'hils'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, edit, told):
    name, old, new = edit
    for folder in ("models/corridors", "scenarios"):
        source = CORRIDORS.parents[1] / folder
        (tmp_path / folder).mkdir(parents=True)
        for file in source.glob("*"):
            (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    file = tmp_path / "models" / "corridors" / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study(tmp_path / "scenarios" / "corridors.yaml")
    assert told in str(caught.value)
