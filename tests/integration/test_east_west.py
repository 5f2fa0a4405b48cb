"""The national model: it loads, a day of it closes its ledgers, and what is wrong with a copy is told by name."""

import json
import shutil
from pathlib import Path

import pytest

from gridtwin import api
from gridtwin.audit.ledgers import close_ledgers
from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study

REPO = Path(__file__).parents[2]
WEEK = REPO / "scenarios" / "east_west_week.yaml"
MODEL = REPO / "models" / "east_west_china"
LAYOUTS = ("as_is", "local", "cross", "cross_green", "stranded")


@pytest.fixture(scope="module")
def day(made_once, read_stored):
    """One day of arrivals under asap, and its summary."""

    def fill(parent):
        api.run(load_study(WEEK, ("time.duration=12h", "policy=asap")), parent)

    (path,) = made_once("east_west_day", fill).iterdir()
    return read_stored(path), json.loads((path / "summary.json").read_text(encoding="utf-8"))


def test_a_day_closes_every_ledger(day):
    run, summary = day
    assert all(ledger.passed for ledger in close_ledgers(run))
    assert summary["kpis"]["unserved_mwh"] < 1e-3
    assert summary["kpis"]["jobs_unfinished"] == 0


def test_the_nation_is_as_large_as_it_is(day):
    """April: about 940 GW drawn on average, a fiftieth of it by data centres (150 TWh a year)."""
    run, _ = day
    load_gw, sites_gw = (run.variables[name].sum(axis=1).mean() / 1e3 for name in ("load_mw", "site_mw"))
    assert 850 < load_gw < 1050
    assert 13 < sites_gw < 21


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_scenarios_of_one_week(layout):
    text = (REPO / "scenarios" / f"east_west_{layout}.yaml").read_text(encoding="utf-8")
    assert "model: east_west_china" in text
    assert "start: 2023-04-10T00:00:00+08:00, duration: 7d" in text
    assert "seed: 1" in text


FAULTS = {
    "a province without a bus": ("buses.csv", "\nQinghai,", "\nQinghay,", "unknown bus 'Qinghai'"),
    "a line to nowhere": ("links.csv", "interface,Tibet,", "interface,Tibett,", "unknown bus 'Tibett'"),
    "PUE below 1": ("sites.csv", None, None, "pue is 0.9; expected a number >= 1"),
    "overlapping tariff hours": ("tariffs.csv", None, None, "a tariff has one period for each hour"),
    "a class nobody serves": ("model.yaml", "    general: {}", "    quantum: {}\n    general: {}", "'quantum'"),
}


@pytest.fixture
def copy(tmp_path):
    """Copy the model and the week, so that they can be spoilt."""
    shutil.copytree(MODEL, tmp_path / "models" / "east_west_china", ignore=shutil.ignore_patterns("sources"))
    (tmp_path / "scenarios").mkdir()
    text = WEEK.read_text(encoding="utf-8").replace("model: east_west_china", "model: ../models/east_west_china")
    (tmp_path / "scenarios" / "week.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def _spoil(file: Path, old: str | None, new: str | None) -> None:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    if old is None and file.name == "sites.csv":
        column = lines[0].split(",").index("pue")
        cells = lines[1].split(",")
        cells[column] = "0.9"
        lines[1] = ",".join(cells)
    elif old is None:
        lines.insert(2, lines[1])
    else:
        assert old in "".join(lines)
        lines = ["".join(lines).replace(old, str(new), 1)]
    file.write_text("".join(lines), encoding="utf-8")


def test_all_that_is_wrong_is_told_by_name_at_once(copy):
    for name, old, new, _ in FAULTS.values():
        _spoil(copy / "models" / "east_west_china" / name, old, new)
    with pytest.raises(InputError) as caught:
        load_study(copy / "scenarios" / "week.yaml")
    told = str(caught.value)
    missing = [fault for fault, (*_, message) in FAULTS.items() if message not in told]
    assert not missing, told[:3000]


def test_a_hub_without_power_is_told_by_name(copy):
    """Everything that reaches Ningxia is taken away; its cluster and its own site stay."""
    folder = copy / "models" / "east_west_china"
    for name in ("units.csv", "links.csv", "segments.csv", "stores.csv"):
        file = folder / name
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(line for line in lines if "ingxia" not in line), encoding="utf-8")
    with pytest.raises(InputError, match="Zhongwei"):
        load_study(copy / "scenarios" / "week.yaml")
