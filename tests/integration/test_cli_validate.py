import json
import subprocess
import sys
from pathlib import Path

import pytest

from gridtwin.cli import main

REPO = Path(__file__).parents[2]
DAY = str(REPO / "scenarios" / "rts_gmlc_day.yaml")
SCENARIOS = sorted((REPO / "scenarios").glob("*.yaml"))


def cli(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.mark.parametrize("path", SCENARIOS, ids=[path.stem for path in SCENARIOS])
def test_every_shipped_scenario_is_valid(capsys, path):
    code, out, err = cli(capsys, "validate", str(path))
    assert (code, err) == (0, "")
    assert f"{path.stem} is valid" in out


def test_a_shipped_scenario_by_name(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, _ = cli(capsys, "validate", "rts_gmlc_day", "--set", "workload.batch.0.jobs_per_day=100", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["valid"] is True
    assert told["resolved"]["workload"]["batch"][0]["jobs_per_day"] == 100
    assert told["counts"]["buses"] == 73
    assert told["start"] == "2020-06-29T00:00:00-07:00"


def test_invalid_input_as_json(capsys):
    code, out, err = cli(capsys, "validate", DAY, "--json", "--set", "policy=asp")
    told = json.loads(out)
    assert code == 3
    assert told["valid"] is False
    assert told["issues"][0]["file"] == "--set policy"
    assert "did you mean 'asap'?" in told["issues"][0]["message"]
    assert "did you mean 'asap'?" in err


@pytest.mark.parametrize("arguments", [["validate"], ["vlidate"], ["validate", DAY, "--jsn"], ["run", DAY, "x"], []])
def test_usage_errors_exit_2(capsys, arguments):
    code, out, _ = cli(capsys, *arguments)
    assert code == 2
    assert out == "" or not arguments


def test_a_scenario_that_is_not_there(capsys):
    code, _, err = cli(capsys, "validate", DAY.replace("day", "dya"))
    assert code == 3
    assert "no such scenario file (did you mean" in err
    assert "rts_gmlc_day.yaml" in err


def test_a_fault_of_our_own_exits_1(capsys, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("gridtwin.inputs.load.load_study", broken)
    code, out, err = cli(capsys, "validate", DAY)
    assert (code, out) == (1, "")
    assert "ZeroDivisionError" in err
    assert "please report it" in err


def test_interruption_exits_130(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gridtwin.inputs.load.load_study", interrupted)
    assert cli(capsys, "validate", DAY)[0] == 130


def modules_after(code):
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint('|'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split("|")}


def test_help_imports_no_numerical_library():
    loaded = modules_after("from gridtwin.cli import main; main(['--help'])")
    assert "typer" in loaded
    assert not loaded & {"numpy", "scipy", "pandas", "pyarrow", "pandapower", "simpy", "highspy", "xarray", "pydantic"}


def test_validate_imports_neither_grid_nor_solver_nor_simulation():
    loaded = modules_after(f"from gridtwin.cli import main; main(['validate', {DAY!r}])")
    assert "numpy" in loaded
    assert not loaded & {"pandapower", "lightsim2grid", "numba", "simpy", "highspy", "xarray", "h5netcdf"}


def test_python_dash_m():
    done = subprocess.run([sys.executable, "-m", "gridtwin", "validate", "--help"], capture_output=True, text=True)  # noqa: PLW1510
    assert done.returncode == 0
    assert "SCENARIO" in done.stdout


SUMMARY = {
    "run_id": "r1",
    "scenario": "day",
    "policy": "asap",
    "currency": "USD",
    "kpis": {"energy_mwh": 12345.678, "system_cost": 1e6, "jobs_late": 3, "renewable_share": 0.25, "wait_p50_s": None},
    "ledgers": {
        "power": {"residual": 1e-9, "tolerance": 1e-6, "unit": "MW", "pass": True},
        "jobs": {"residual": 2, "tolerance": 0, "unit": "jobs", "pass": False},
    },
    "timing_s": {"dispatch": 1.25},
}


def test_show(capsys, tmp_path):
    run = tmp_path / "outputs" / "r1"
    run.mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps(SUMMARY))
    code, out, _ = cli(capsys, "show", str(run))
    assert code == 0
    for text in ("day · asap · r1", "12,345.7", "MWh", "1,000,000", "USD", "pass", "FAIL", "dispatch 1.25 s"):
        assert text in out
    code, out, _ = cli(capsys, "show", str(run), "--json")
    assert json.loads(out) == SUMMARY


def test_show_what_is_no_run(capsys, tmp_path):
    run = tmp_path / "outputs" / "r1"
    run.mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps(SUMMARY))
    code, _, err = cli(capsys, "show", str(tmp_path / "outputs" / "r2"))
    assert code == 3
    assert "did you mean" in err
    assert "r1" in err
    for text in ("{", "[]", "{}"):
        (run / "summary.json").write_text(text)
        code, out, err = cli(capsys, "show", str(run))
        assert (code, out) == (3, "")
        assert "not the summary of a run" in err
