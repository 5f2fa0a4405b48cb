"""From finished runs to a comparison: on the screen, as JSON, XLSX and CSV, and as a gate."""

import csv
import json
import math
import shutil
from pathlib import Path

import openpyxl
import pytest

from gridtwin import api
from gridtwin.cli import main
from gridtwin.compare import compare
from gridtwin.errors import ResultsError
from gridtwin.exports.sheets import MAX_NAME
from gridtwin.inputs.load import load_study
from gridtwin.results.files import sha256
from gridtwin.results.saved_run import open_run

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def asap(pocket_run):
    return pocket_run("asap").path


@pytest.fixture(scope="module")
def co_dispatch(pocket_run):
    return pocket_run("co_dispatch").path


@pytest.fixture(scope="module")
def with_one(pocket, tmp_path_factory):
    """Run the pocket scenario under asap with overrides."""

    def run(*overrides):
        return api.run(pocket("policy=asap", *overrides), tmp_path_factory.mktemp("one")).run_dir

    return run


@pytest.fixture(scope="module")
def dearer(with_one):
    return with_one("dispatch.carbon_price_per_t=45")


def cli(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["compare", *map(str, arguments)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def the_change(*paths):
    (change,) = api.compare(paths).changes
    return change


def test_one_line_of_yaml_is_named_first_and_everything_adds_up(asap, dearer):
    change = the_change(asap, dearer)
    (found,) = change.inputs
    assert (found.kind, found.path, found.base, found.change) == ("scenario", "dispatch.carbon_price_per_t", 30.0, 45.0)
    for table in change.decompositions:
        assert table.holds, (table.name, table.residual)
        apart = math.fsum(part.delta for part in table.parts) - table.total.delta
        assert abs(apart) <= 1e-9 * max(abs(table.total.base), table.scale)


def test_the_screen_begins_with_what_changed(capsys, monkeypatch, asap, dearer):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = cli(capsys, asap, dearer)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("what changed")).split(maxsplit=2)[2].strip() == (
        "dispatch.carbon_price_per_t  30.0 → 45.0"
    )
    assert next(number for number, line in enumerate(lines) if line.startswith("may I trust it")) < 20
    assert "all 14 ledgers of both runs hold" in out
    assert "start cost: not modelled" in out


def test_another_policy_moves_work_and_the_tables_say_so(asap, co_dispatch):
    change = the_change(asap, co_dispatch)
    assert [found.text for found in change.inputs] == ["policy  asap → co_dispatch"]
    assert all(table.holds for table in change.decompositions)
    kpis = [open_run(path).kpis for path in (asap, co_dispatch)]
    assert change.co2.total.delta == kpis[1]["co2_t"] - kpis[0]["co2_t"]
    assert change.figure("co2_t").delta == change.co2.total.delta
    parts = {part.name: part for part in change.cost.parts}
    fuel = math.fsum(part.delta for name, part in parts.items() if name.startswith("fuel:"))
    assert fuel == pytest.approx(kpis[1]["system_cost"] - kpis[0]["system_cost"], rel=1e-9)
    paid = {part.name: part.base for part in change.payments.parts}
    assert paid["sites"] == pytest.approx(open_run(asap).summary["money_paid"]["sites"])
    assert {part.name for part in change.co2.parts} >= {"volume", "time", "place", "curtailment", "redispatch"}


def test_a_run_and_itself(capsys, asap):
    change = the_change(asap, asap)
    assert change.inputs == ()
    assert {figure.delta for figure in change.figures} <= {0, None}
    code, out, _ = cli(capsys, asap, asap)
    assert code == 0
    assert "nothing: scenario, model, traces, seed and versions are the same" in out


def test_a_change_of_the_model_is_named_by_row_and_column(tmp_path, asap):
    for folder in ("models", "scenarios"):
        shutil.copytree(TESTS / folder, tmp_path / folder)
    replaced(tmp_path / "models" / "pocket" / "units.csv", "1.0,20,true", "1.0,25,true")
    study = load_study(tmp_path / "scenarios" / "pocket.yaml", ["policy=asap"])
    change = the_change(asap, api.run(study, tmp_path / "runs").run_dir)
    (found,) = change.inputs
    assert (found.kind, found.text) == ("model", "units.csv: coal: ramp_mw_per_h  20.0 → 25.0")
    assert all(table.holds for table in change.decompositions)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("model.yaml", "slack_vm_pu: 1.0}", "slack_vm_pu: 1.01}", "model.yaml: grid.slack_vm_pu  1.0 → 1.01"),
        ("load.csv", "east\n17.929,", "east\n18.929,", "load.csv: west  1 of 192 values differ, most at row 0: +1"),
        ("nodes.csv", "east,general,cpu_block_40kw,60", "east,general,cpu_block_40kw,61", "nodes.csv: east/general: nodes  60.0 → 61.0"),  # noqa: E501
        ("sites.csv", "west,c,", "far,c,", "sites.csv: far  row added"),
        ("model.yaml", "# Three", "# 3", "model.yaml  other bytes, the same values"),
    ],
)  # fmt: skip
def test_files_are_read_as_the_run_kept_them(tmp_path, asap, file, old, new, told):
    other = shutil.copytree(asap, tmp_path / "other")
    alter(other, f"models/pocket/{file}", old, new)
    inputs = the_change(asap, other).inputs
    assert (inputs[0].kind, inputs[0].text) == ("model", told)


def test_traces_are_told_after_scenario_and_model(tmp_path, asap):
    other = shutil.copytree(asap, tmp_path / "other")
    scenario = other / "inputs" / "scenario.json"
    replaced(scenario, '"seed": 7', '"seed": 9')
    hashes = json.loads((other / "inputs" / "model_hashes.json").read_text())
    (trace,) = (name for name in hashes if name.endswith("pocket_jobs.csv"))
    lines = (other / "inputs" / trace).read_text().splitlines()
    alter(other, trace, lines[-1], "")
    alter(other, "models/pocket/units.csv", "1.0,20,true", "1.0,25,true")
    inputs = the_change(asap, other).inputs
    assert [found.kind for found in inputs[:3]] == ["scenario", "model", "trace"]
    assert {found.kind for found in inputs[3:]} <= {"trace"}


def replaced(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def alter(run, name, old, new):
    """Alter an input that a run kept, and its checksum with it."""
    replaced(run / "inputs" / name, old, new)
    hashes = json.loads((run / "inputs" / "model_hashes.json").read_text())
    hashes[name] = sha256(run / "inputs" / name)
    (run / "inputs" / "model_hashes.json").write_text(json.dumps(hashes))


def test_other_versions_are_told_last(tmp_path, asap, dearer):
    other = shutil.copytree(dearer, tmp_path / "other")
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["libraries"]["numpy"] = "9.9"
    (other / "manifest.json").write_text(json.dumps(manifest))
    assert [found.path for found in the_change(asap, other).inputs] == ["dispatch.carbon_price_per_t", "numpy"]


def test_chance_is_measured_where_a_run_differs_in_the_seed_alone(asap, co_dispatch, with_one):
    reseeded = with_one("seed=8")
    by_chance, by_policy = api.compare([asap, reseeded, co_dispatch]).changes
    assert by_chance.seed_alone
    assert by_chance.figure("all_costs").noise is None
    assert by_policy.figure("all_costs").noise == abs(by_chance.figure("all_costs").delta) > 0


def test_several_runs_stand_side_by_side(capsys, monkeypatch, asap, co_dispatch, dearer):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli(capsys, asap, co_dispatch, dearer)
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "B: what changed" in out
    assert "C: delta" in out


def test_without_a_load_in_the_base_its_share_of_the_network_is_told(capsys, asap, with_one):
    empty = with_one("workload.batch=[]", "workload.services=[]")
    comparison = api.compare([empty, asap], line_cost_per_mw_km=100.0)
    assert comparison.reinforcement.without_load
    assert not comparison.changes[0].reinforcement.without_load
    assert "the base has neither jobs nor services" in cli(capsys, empty, asap)[1]
    assert "told only" in cli(capsys, asap, empty)[1]


def test_json_is_alone_on_stdout_and_says_the_same(capsys, asap, co_dispatch):
    code, out, err = cli(capsys, asap, co_dispatch, "--json", "--fail-on", "co2_t:+50%")
    told = json.loads(out, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert (code, err) == (0, "")
    assert told["fail_on"] == {"limits": ["co2_t:+50%"], "broken": []}
    (change,) = told["changes"]
    assert change["inputs"][0]["path"] == "policy"
    tables = change["decompositions"]
    assert tables.keys() == {"cost", "co2", "co2_by_technology", "payments"}
    for table in tables.values():
        assert table["holds"] is True
        assert sum(part["delta"] for part in table["parts"]) == pytest.approx(
            table["total"]["delta"], abs=table["tolerance"]
        )
    assert change["figures"]["co2_t"]["base"] == open_run(asap).kpis["co2_t"]


def test_a_workbook_and_csv_hold_the_same_totals(capsys, tmp_path, asap, co_dispatch):
    book, folder = tmp_path / "out" / "a.xlsx", tmp_path / "csv"
    code, out, _ = cli(capsys, asap, co_dispatch, "--xlsx", book, "--csv", folder, "--quiet")
    assert (code, out) == (0, "")
    change = the_change(asap, co_dispatch)
    pages = openpyxl.load_workbook(book)
    assert sorted(pages.sheetnames) == sorted(path.stem for path in folder.iterdir())
    assert all(len(name) < MAX_NAME for name in pages.sheetnames)
    for table in change.decompositions:
        head, *read = pages[table.name].iter_rows(values_only=True)
        with (folder / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            as_csv = list(csv.DictReader(file))
        lines = [dict(zip(head, row, strict=True)) for row in read]
        deltas = [line["co_dispatch: delta"] for line in lines if line["kind"] == "part"]
        exact = [float(line["co_dispatch: delta"]) for line in as_csv if line["kind"] == "part"]
        assert exact == [part.delta for part in table.parts]
        assert deltas == pytest.approx(exact, rel=1e-15)  # a workbook holds 16 digits
        (total,) = (float(line["co_dispatch: delta"]) for line in as_csv if line["kind"] == "total")
        assert total == table.total.delta
        assert abs(math.fsum(deltas) - total) <= table.tolerance


FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", '=HYPERLINK("x")')


def test_a_formula_in_a_name_is_text(capsys, tmp_path, asap):
    named = shutil.copytree(asap, tmp_path / "runs" / FORMULAS[0])
    scenario = json.loads((named / "inputs" / "scenario.json").read_text())
    odd = {formula: {"description": formula} for formula in FORMULAS}
    (named / "inputs" / "scenario.json").write_text(json.dumps(scenario | odd))
    book, folder = tmp_path / "a.xlsx", tmp_path / "csv"
    code, _, _ = cli(capsys, asap, named, "--xlsx", book, "--csv", folder)
    assert code == 0
    cells = [cell for page in openpyxl.load_workbook(book) for row in page.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert set(FORMULAS) <= {cell.value for cell in cells}
    with (folder / "inputs.csv").open(encoding="utf-8", newline="") as file:
        paths = [line["path"] for line in csv.DictReader(file)]
    assert paths == [f"'{formula}" for formula in FORMULAS]
    text = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert f"'{FORMULAS[0]}" in text
    assert f",{FORMULAS[0]}," not in text


def test_names_cannot_steer_the_terminal(capsys, tmp_path, asap):
    named = shutil.copytree(asap, tmp_path / "[bold red]x\x1b[31m")
    _, out, _ = cli(capsys, asap, named)
    assert "[bold red]x\ufffd[31m" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (["co2_t:+1000%"], 0),
        (["jobs_submitted:+0", "jobs_unfinished:>0"], 0),
        (["carbon_cost:+2%"], 8),
        (["carbon_cost:+1000%", "carbon_cost:+0"], 8),
        (["renewable_share:<1.05"], 8),
        (["co2:+2%"], 2),
        (["co2_t:2%"], 2),
    ],
)
def test_the_gate(capsys, asap, dearer, limits, code):
    flags = [flag for limit in limits for flag in ("--fail-on", limit)]
    ended, out, err = cli(capsys, asap, dearer, *flags, "--quiet")
    assert (ended, out) == (code, "")
    if code == 8:
        (line,) = err.splitlines()
        name, limit = limits[-1].split(":")
        base = open_run(asap).kpis[name]
        assert line.startswith(f"gridtwin: {name} of ")
        assert f"base {base:,.10g}, change" in line
        assert line.endswith(f"breaks {name}:{limit}")
    if limits == ["co2:+2%"]:
        assert "did you mean 'co2_t'?" in err


def test_a_broken_gate_still_writes_what_was_asked_for(capsys, tmp_path, asap, dearer):
    code, out, _ = cli(capsys, asap, dearer, "--fail-on", "carbon_cost:+2%", "--json", "--csv", tmp_path)
    assert code == 8
    assert json.loads(out)["fail_on"]["broken"][0].startswith("carbon_cost of ")
    assert (tmp_path / "figures.csv").is_file()


def test_usage_and_bad_folders(capsys, tmp_path, asap):
    assert cli(capsys)[0] == 2
    assert cli(capsys, asap)[0] == 2
    assert cli(capsys, asap, asap, "--line-cost-per-mw-km", "-1")[0] == 2
    code, out, err = cli(capsys, asap, tmp_path)
    assert (code, out) == (3, "")
    assert f"{tmp_path}: expected the folder of a finished run" in err
    with pytest.raises(ResultsError, match="two runs or more, the base first; got 1"):
        compare([open_run(asap)])


def test_a_run_that_has_not_ended_is_refused(capsys, asap, stopped):
    code, _, err = cli(capsys, asap, stopped())
    assert code == 3
    assert "has not ended; go on with: gridtwin resume" in err


def test_an_altered_file_is_refused(capsys, tmp_path, asap, dearer):
    broken = shutil.copytree(dearer, tmp_path / "broken")
    (broken / "inputs" / "segments.parquet").write_bytes(b"PAR1")
    code, _, err = cli(capsys, asap, broken)
    assert code == 3
    assert "segments.parquet: cannot be read as Parquet" in err
