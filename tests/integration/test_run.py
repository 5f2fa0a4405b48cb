"""The installed command line, from scenario to saved run."""

import hashlib
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gridtwin import api
from gridtwin.economics import kpi_table
from gridtwin.policies.registry import POLICIES
from gridtwin.results.files import read_columns
from gridtwin.results.store import RunFolder

SUMMARY = {"run_id", "scenario", "policy", "steps", "kpis", "ledgers", "timing_s"}
MORE_SUMMARY = {"currency", "step_s", "steps_wrapped", "findings", "sessions", "money_paid", "rules"}
KPIS = {
    *("energy_mwh", "it_energy_mwh", "completed_node_s", "system_cost", "carbon_cost", "co2_t", "curtailment_mwh"),
    *("renewable_share", "unserved_mwh", "jobs_submitted", "jobs_completed", "jobs_late", "wait_p50_s", "wait_p95_s"),
    *("fluid_gap_mwh", "max_line_loading_percent", "min_vm_pu", "max_vm_pu", "ac_steps_not_converged"),
}
WINDOW = {
    *("status", "objective", "duality_gap", "primal_residual", "redispatch_objective", "redispatch_duality_gap"),
    *("redispatch_primal_residual", "columns", "rows", "rounds", "relaxations", "review"),
}
RELAXATIONS = {"shed_mwh", "spill_mwh", "overload_mwh", "late_node_h"}
FILES = {
    *("inputs", "windows", "state", "journal.jsonl", "sessions.json", "results.nc", "jobs.parquet", "findings.parquet"),
    *("summary.json", "manifest.json", "money.parquet", "accounts.parquet", "carbon.parquet", "rules.parquet"),
    *("supply.parquet", "wan_settlement.parquet"),
}
LEDGERS = [
    "power_ac",
    "power_bus",
    "power_market",
    "ramps",
    "jobs",
    "node_seconds",
    "energy",
    "stored",
    "production_cost",
    "co2",
    "rent",
    "money",
    "solver_primal",
    "solver_gap",
]


@pytest.fixture(scope="module", params=POLICIES)
def day(request, day_run):
    return request.param, day_run(request.param)


@pytest.fixture(scope="module")
def folder(day):
    (path,) = day[1].out_dir.iterdir()
    return path


@pytest.mark.slow
class TestTheDay:
    """`gridtwin run scenarios/rts_gmlc_day.yaml --json` under either policy."""

    def test_prints_only_the_summary(self, day):
        policy, printed = day
        assert printed.code == 0
        assert printed.err.startswith("gridtwin: run folder ")
        summary = printed.summary
        assert summary.keys() == SUMMARY | MORE_SUMMARY
        assert summary["kpis"].keys() == kpi_table.KPIS.keys() > KPIS
        assert list(summary["ledgers"]) == LEDGERS
        for ledger in summary["ledgers"].values():
            assert ledger.keys() == {"residual", "tolerance", "unit", "pass"}
            assert ledger["pass"] is True
        assert all(seconds >= 0 for seconds in summary["timing_s"].values())
        assert (summary["scenario"], summary["policy"], summary["currency"]) == ("rts_gmlc_day", policy, "USD")

    def test_figures_make_sense(self, day):
        kpis = day[1].summary["kpis"]
        assert kpis["jobs_submitted"] == kpis["jobs_completed"] >= 8000
        assert 0 < kpis["it_energy_mwh"] < kpis["energy_mwh"] < 1.5 * kpis["it_energy_mwh"]
        assert 0 < kpis["renewable_share"] < 1
        assert 0.9 < kpis["min_vm_pu"] < kpis["max_vm_pu"] < 1.1
        assert kpis["carbon_cost"] == pytest.approx(50 * kpis["co2_t"])
        assert kpis["ac_steps_not_converged"] == kpis["unserved_mwh"] == 0

    def test_leaves_a_complete_folder(self, day, folder):
        summary = day[1].summary
        assert folder.name == summary["run_id"]
        assert {path.name for path in folder.iterdir()} == FILES
        assert json.loads((folder / "summary.json").read_text()) == summary
        scenario = json.loads((folder / "inputs" / "scenario.json").read_text())
        assert scenario["policy"] == day[0]
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["seed"] == scenario["seed"]
        assert manifest["ledgers"] == summary["ledgers"]
        assert manifest["counts"]["jobs"] == summary["kpis"]["jobs_submitted"]
        assert {"pandapower", "highspy", "numpy"} <= manifest["libraries"].keys()
        for window in manifest["windows"]:
            assert window.keys() == WINDOW
            assert window["relaxations"].keys() == RELAXATIONS
            assert window["status"] == "optimal"

    def test_the_journal_matches_the_files(self, folder):
        kinds = [json.loads(line)["entry"] for line in (folder / "journal.jsonl").read_text().splitlines()]
        assert kinds == ["inputs", *["window"] * (len(kinds) - 2), "closed"]
        journal = RunFolder(folder).read_journal()
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        gone = journal.files.keys() - there
        assert gone == {f"state/s{window:05d}.npz" for window in range(1, journal.windows - 1)}
        assert there == (journal.files.keys() - gone) | {"journal.jsonl"}
        for name in journal.files.keys() - gone:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == journal.files[name]

    def test_results_and_jobs_tell_what_the_summary_tells(self, day, folder):
        kpis = day[1].summary["kpis"]
        with api.open_results(folder) as results:
            assert results.sizes["time"] == day[1].summary["steps"]
            assert float(results["site_mw"].sum()) == pytest.approx(kpis["energy_mwh"])
            assert float(results["production_cost"].sum()) == pytest.approx(kpis["system_cost"])
            assert float(results["vm_pu"].min()) == kpis["min_vm_pu"]
            assert results["production_cost"].attrs["units"] == "USD"
        jobs = read_columns(folder / "jobs.parquet")
        assert len(jobs["job"]) == kpis["jobs_submitted"]
        assert int(jobs["late"].sum()) == kpis["jobs_late"]
        assert Counter(read_columns(folder / "findings.parquet")["kind"].tolist()) == day[1].summary["findings"]
        assert int((jobs["nodes"] * jobs["runtime_s"]).sum()) == kpis["completed_node_s"]
        assert set(jobs["site"]) <= {"dc_110", "dc_122", "dc_203", "dc_223", "dc_310", "dc_318"}

    def test_show_prints_a_table(self, day, folder, called):
        printed = called("show", folder)
        assert (printed.returncode, printed.stderr) == (0, "")
        for text in ("rts_gmlc_day", day[0], folder.name, "USD", "MWh", "pass"):
            assert text in printed.stdout
        assert "FAIL" not in printed.stdout


@pytest.mark.slow
def test_co_dispatch_does_the_same_work_for_less_and_no_later(day_run):
    asap, co_dispatch = (day_run(policy).summary for policy in ("asap", "co_dispatch"))
    base, change = asap["kpis"], co_dispatch["kpis"]
    assert change["completed_node_s"] == base["completed_node_s"]
    assert asap["steps"] == co_dispatch["steps"]
    assert change["system_cost"] + change["carbon_cost"] < base["system_cost"] + base["carbon_cost"]
    assert change["jobs_late"] <= base["jobs_late"]


@pytest.fixture(scope="module")
def cases(request):
    return request.path.parents[1] / "cases"


@pytest.mark.parametrize(("case", "code", "figure"), [("shed", 4, "unserved_mwh"), ("no_power_flow", 5, "ac_steps")])
def test_exit_codes_of_runs(called, cases, tmp_path, case, code, figure):
    done = called("run", cases / case / "scenario.yaml", "--out", tmp_path, "--json")
    assert done.returncode == code, done.stderr
    assert any(value for name, value in json.loads(done.stdout)["kpis"].items() if name.startswith(figure))
    assert {path.name for path in next(tmp_path.iterdir()).iterdir()} == FILES


@pytest.mark.parametrize(
    ("ledger", "unfinished", "unconverged", "unserved_mwh", "overload_mwh", "spill_mwh", "code"),
    [
        (True, 0, 0, 0.0, 0.0, 0.0, 0),
        (True, 0, 0, 1e-3, 1e-3, 1e-3, 0),
        (True, 0, 0, 0.0011, 0.0, 0.0, 4),
        (True, 0, 0, 0.0, 0.0011, 0.0, 4),
        (True, 0, 0, 0.0, 0.0, 0.0011, 4),
        (True, 0, 1, 5.0, 5.0, 5.0, 5),
        (True, 1, 1, 5.0, 5.0, 5.0, 6),
        (False, 1, 1, 5.0, 5.0, 5.0, 8),
    ],
)
def test_the_gravest_finding_decides_the_exit_code(
    ledger, unfinished, unconverged, unserved_mwh, overload_mwh, spill_mwh, code
):
    kpis = {
        "jobs_unfinished": unfinished,
        "ac_steps_not_converged": unconverged,
        "unserved_mwh": unserved_mwh,
        "overload_mwh": overload_mwh,
        "spill_mwh": spill_mwh,
    }
    assert api.exit_code({"kpis": kpis, "ledgers": {"a": {"pass": True}, "b": {"pass": ledger}}}) == code


@pytest.mark.parametrize("policy", POLICIES)
def test_a_fleet_that_cannot_finish_is_closed_with_what_it_did(called, request, tmp_path, policy):
    overrides = (f"policy={policy}", "workload.batch.0.jobs_per_day=4800", "time.duration=12h")
    overrides += ("time.start=2020-01-06T12:00:00+00:00",)
    scenario = request.path.parents[1] / "scenarios" / "pocket.yaml"
    done = called("run", scenario, "--out", tmp_path, "--json", *(part for o in overrides for part in ("--set", o)))
    assert done.returncode == 6, done.stderr
    summary = json.loads(done.stdout)
    kpis = summary["kpis"]
    assert 0 < kpis["jobs_unfinished"] == kpis["jobs_submitted"] - kpis["jobs_completed"] <= kpis["jobs_late"]
    assert all(ledger["pass"] for ledger in summary["ledgers"].values()), summary["ledgers"]
    assert f"{kpis['jobs_unfinished']:,} of {kpis['jobs_submitted']:,} jobs have not ended" in done.stderr
    assert "after 2020-01-09 00:00 UTC; enlarge the fleet" in done.stderr
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == FILES
    jobs = read_columns(folder / "jobs.parquet")
    left = jobs["end_s"] < 0
    assert left.sum() == kpis["jobs_unfinished"]
    assert jobs["late"][left].all()
    late_node_h = (jobs["nodes"] * np.maximum(jobs["end_s"] - jobs["due_s"], 0))[~left].sum() / 3600
    windows = json.loads((folder / "manifest.json").read_text())["windows"]
    assert sum(window["relaxations"]["late_node_h"] for window in windows) == pytest.approx(late_node_h)
    assert late_node_h > 0
    assert {"", "east"} <= set(jobs["site"][left].tolist())  # queued and running


@pytest.mark.parametrize("policy", POLICIES)
def test_dumped_energy_is_a_figure_and_an_exit_code(pocket, tmp_path, policy):
    study = pocket(f"policy={policy}", "time.duration=12h")
    must_take = np.array([name == "roof" for name in study.units.unit])
    units = replace(
        study.units, segment_mw=np.where(must_take[study.units.segment_unit], 500.0, study.units.segment_mw)
    )
    units = replace(units, p_max_mw=np.where(must_take, 500.0, units.p_max_mw))
    available_mw = study.profiles.available_mw.copy()
    available_mw[:3, study.units.profile[must_take]] = 500.0  # hours in which stores would gladly go both ways
    flooded = replace(study, units=units, profiles=replace(study.profiles, available_mw=available_mw))
    result = api.run(flooded, tmp_path)
    kpis = result.summary["kpis"]
    with api.open_results(result.run_dir) as results:
        assert kpis["spill_mwh"] == pytest.approx(float(results["spill_mw"].sum()))
    assert kpis["spill_mwh"] > 100
    assert (kpis["unserved_mwh"], result.exit_code) == (0, 4)
    windows = json.loads((result.run_dir / "manifest.json").read_text())["windows"]
    assert sum(window["relaxations"]["spill_mwh"] for window in windows) == pytest.approx(kpis["spill_mwh"])


@pytest.mark.parametrize("policy", POLICIES)
def test_series_that_wrap_round_let_the_last_jobs_end(pocket, tmp_path, policy):
    study = pocket(f"policy={policy}", "time.start=2020-01-08T00:00:00+00:00", "time.duration=24h", "time.wrap=true")
    result = api.run(study, tmp_path)
    summary, windows = result.summary, study.time.windows_until(int(study.jobs.due_s.max()))
    assert (summary["kpis"]["jobs_unfinished"], result.exit_code) == (0, 0)
    assert summary["steps_wrapped"] == windows * study.time.window_steps - 24 > 0
    manifest = json.loads((result.run_dir / "manifest.json").read_text())
    assert manifest["counts"]["steps_wrapped"] == summary["steps_wrapped"]
    with api.open_results(result.run_dir) as results:
        assert results["load_mw"].values[24] == pytest.approx(
            pocket("time.start=2020-01-01T00:00:00+00:00").profiles.load_mw[0]
        )


def test_runs_never_share_a_folder(pocket, tmp_path):
    study = pocket("policy=asap", "time.duration=12h")
    runs = {api.run(study, tmp_path).run_dir for _ in range(2)}
    assert len(runs) == len(list(tmp_path.iterdir())) == 2
    assert all(path.name.startswith("pocket_asap_") for path in runs)


def test_a_table_for_people_and_where_it_was_saved(called, cases, tmp_path):
    done = called("run", cases / "one_unit" / "scenario.yaml", "--out", tmp_path, "--set", "policy=asap")
    (folder,) = tmp_path.iterdir()
    assert done.returncode == 0
    assert done.stderr.replace("\n", "") == f"gridtwin: run folder {folder}"
    assert "EUR" in done.stdout
    assert done.stdout.replace("\n", "").endswith(f"saved in {folder}")
    assert json.loads((folder / "summary.json").read_text())["policy"] == "asap"


def test_a_run_that_cannot_be_written_says_so(called, cases, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = called("run", cases / "one_unit" / "scenario.yaml", "--out", tmp_path / "file")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("gridtwin: cannot read or write: ")
