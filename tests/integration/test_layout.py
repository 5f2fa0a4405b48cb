"""Work that stays at home against work that may go anywhere, from the command line to the numbers."""

import csv
import json

import numpy as np
import pytest
from openpyxl import load_workbook

from gridtwin import api
from gridtwin.compare.layout import layout_content
from gridtwin.compare.layout.run_view import RunView
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.economics.indicator_table import indicator_table
from gridtwin.errors import ResultsError
from gridtwin.inputs.load import load_study
from gridtwin.report.figure import json_text, payload
from gridtwin.report.figures import FIGURES
from gridtwin.report.language import words_in
from gridtwin.results.saved_run import open_run

CORRIDORS = "corridors.yaml"
LAYOUTS = {
    "home": ("compute.reach=region",),
    "anywhere": (),
    "again": ("compute.reach=region", "solver.permute=1"),
    "other_seed": ("seed=8",),
}


@pytest.fixture(scope="module")
def runs(made_once, request):
    """Half a day of work on the corridors model under several layouts."""
    scenario = request.path.parents[1] / "scenarios" / CORRIDORS

    def run(name):
        study = load_study(scenario, ("time.duration=12h", *LAYOUTS[name]))
        (path,) = made_once(f"layout_{name}", lambda parent: api.run(study, parent)).iterdir()
        return path

    return {name: run(name) for name in LAYOUTS}


@pytest.fixture(scope="module")
def found(runs):
    return api.layout([runs["home"], runs["anywhere"]], [runs["again"]])


def lines(run):
    return {(one.line.name, one.compute_class): one for one in run.differences}


def test_nothing_moves_at_home_and_much_does_elsewhere(found):
    (anywhere,) = found.changes
    assert found.base.moves == ()
    assert found.base.moved_mwh == 0
    assert lines(anywhere)["wan_dependence", ""].base == 0
    assert lines(anywhere)["wan_dependence", ""].change > 0.3
    assert anywhere.moved_mwh == pytest.approx(sum(move.energy_mwh for move in anywhere.moves))
    assert lines(anywhere)["latency_ms", ""].delta > 1


def test_what_is_per_mwh_is_the_difference_over_what_moved(found):
    (anywhere,) = found.changes
    cost, co2 = (lines(anywhere)[name, ""] for name in ("all_costs", "co2_t"))
    assert cost.per_mwh == pytest.approx(cost.delta / anywhere.moved_mwh)
    assert co2.per_mwh == pytest.approx(1000 * co2.delta / anywhere.moved_mwh)
    assert lines(anywhere)["pue", ""].per_mwh is None


def test_the_floor_is_the_spread_by_chance(runs, found):
    (anywhere,) = found.changes
    again = api.layout([runs["home"], runs["again"]])
    for key, one in lines(again.changes[0]).items():
        floor = lines(anywhere)[key].floor
        if one.delta:
            assert floor == pytest.approx(abs(one.change - one.base))
    told = api.layout([runs["home"], runs["again"]], [runs["again"]])
    assert not any(one.distinguishable for one in told.changes[0].differences)
    assert lines(anywhere)["all_costs", ""].distinguishable
    assert lines(again.changes[0])["all_costs", ""].distinguishable is None  # nobody measured chance


def test_runs_that_are_not_paired_are_refused_with_the_reasons(runs):
    with pytest.raises(ResultsError, match="seed is 8, not 7") as error:
        api.layout([runs["home"], runs["other_seed"]])
    assert "jobs have another size, origin, class" in str(error.value)
    with pytest.raises(ResultsError, match=r"compute\.reach  region → any"):
        api.layout([runs["home"]], [runs["anywhere"]])
    with pytest.raises(ResultsError, match=r"solver\.permute is the same"):
        api.layout([runs["home"]], [runs["home"]])
    with pytest.raises(ResultsError, match="needs a run"):
        api.layout([])


def test_content_is_json_and_tells_regions(found):
    content = json.loads(json.dumps(layout_content(found), allow_nan=False))
    indicators = content["layouts"][1]["indicators"]
    gaps = {
        one["region"]: one["value"]
        for one in indicators
        if (one["indicator"], one["compute_class"]) == ("gap_nodes", "general")
    }
    assert gaps["west"] + gaps["coast"] == pytest.approx(gaps[""])
    assert all(move["raises_co2"] is not None for move in content["layouts"][1]["moves"])
    held = content["layouts"][0]["bindings"]
    assert {"contract", "limit"} >= {one["held_by"] for one in held}
    assert held


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_shows_regions_and_moves(runs, lang):
    run, words = open_run(runs["anywhere"]), words_in(lang)
    heat, moved = (FIGURES[name](run, words) for name in ("region_heat", "moved_work"))
    west = {"en": "west", "zh": "西部"}[lang]
    names = heat.table.columns[words("layout.indicator")]
    row = next(place for place, name in enumerate(names) if name.startswith(indicator_table()["pue"].called(lang)))
    assert 1.0 < heat.table.columns[west][row] < 1.2
    assert west in moved.table.columns[words("layout.to")]
    assert sum(moved.table.columns[words("layout.energy")]) == pytest.approx(
        sum(m.energy_mwh for m in view_of(run).moves), rel=1e-5
    )
    colours = heat.plot["data"][0]["z"]
    assert np.nanmin(colours) >= 0
    assert np.nanmax(colours) == 1
    for figure in (heat, moved):
        assert json_text(payload(figure))
    assert FIGURES["moved_work"](open_run(runs["home"]), words) is None


def view_of(run):
    return RunView(RunSeries(run, run_cards([run])[0]))


def test_the_command_line(runs, command, tmp_path):
    done = command(
        "layout", runs["home"], runs["anywhere"], "--noise", runs["again"], "--regions", "--lang", "zh",
        "--csv", tmp_path / "csv", "--xlsx", tmp_path / "layouts.xlsx",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for text in ("布局方案对比", "噪声下限", "每转移一 MWh", "西部", "受合同约束", "全国", "直流"):
        assert text in done.stdout
    assert "…" not in done.stdout
    with (tmp_path / "csv" / "layouts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} >= {"all_costs", "co2_t", "curtailment_mwh"}
    assert load_workbook(tmp_path / "layouts.xlsx").sheetnames == [
        "layouts", "indicators", "moves", "published", "bindings", "definitions",
    ]  # fmt: skip
    refused = command("layout", runs["home"], runs["other_seed"])
    assert (refused.returncode, refused.stdout) == (3, "")


def test_chance_is_measured_when_asked(runs, tmp_path):
    (again,) = api.permuted(runs["home"], 1, tmp_path)
    told = api.layout([runs["home"]], [again])
    assert [card.path for card in told.noise] == [str(again)]
    assert (
        lines(told.base)["all_costs", ""].floor
        == lines(api.layout([runs["home"]], [runs["again"]]).base)["all_costs", ""].floor
    )
