"""Bad input from the command line: one clear message per fault, exit code 3, nothing written."""

import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from gridtwin.cli import main

REPO = Path(__file__).parents[2]
LOCATED = re.compile(r"^[^:]+:\d+:\d+: .+$")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Copy the shipped day and its model."""
    shutil.copytree(REPO / "models" / "rts_gmlc", tmp_path / "models" / "rts_gmlc")
    (tmp_path / "scenarios").mkdir()
    shutil.copy(REPO / "scenarios" / "rts_gmlc_day.yaml", tmp_path / "scenarios" / "day.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(home):
    return {path: path.stat().st_mtime_ns for path in home.rglob("*")}


def issues(home, capsys, *overrides):
    """Run the day, insist on exit code 3 and nothing written, and return the lines of stderr."""
    before = files(home)
    with pytest.raises(SystemExit) as ended:
        main(["run", "scenarios/day.yaml", *(f"--set={text}" for text in overrides)])
    out, err = capsys.readouterr()
    assert ended.value.code == 3
    assert out == ""
    assert files(home) == before
    lines = [line.removeprefix("gridtwin: ") for line in err.splitlines()]
    assert all(LOCATED.match(line) for line in lines), lines
    return lines


def edit(home, name, old, new):
    path = next(home.rglob(name))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def spoil(home, name, column, row, value):
    path = home / "models" / "rts_gmlc" / name
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] = value
    index = table.column_names.index(column)
    pq.write_table(table.set_column(index, column, pa.array(values, table[column].type)), path)


def test_misspelt_key(home, capsys):
    edit(home, "day.yaml", "max_share_of_pool", "max_share_of_pol")
    (line,) = issues(home, capsys)
    assert "scenarios/day.yaml:" in line
    assert "did you mean 'max_share_of_pool'?" in line


def test_unknown_bus(home, capsys):
    edit(home, "sites.csv", "bus 110,110,", "bus 110,1110,")
    (line,) = issues(home, capsys)
    assert line.startswith("models/rts_gmlc/sites.csv:2:")
    assert "unknown bus '1110' (did you mean '11" in line


def test_site_without_capacity(home, capsys):
    path = home / "models" / "rts_gmlc" / "nodes.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join(row for row in rows if not row.startswith("dc_203")))
    assert any("site 'dc_203' has no nodes" in line for line in issues(home, capsys))


@pytest.mark.parametrize(("value", "text"), [(float("nan"), "nan"), (None, "nan"), (-1.5, "-1.5")])
def test_nan_and_negative_profiles(home, capsys, value, text):
    spoil(home, "load.parquet", "area2", 4999, value)
    (line,) = issues(home, capsys)
    assert line.startswith("models/rts_gmlc/load.parquet:5000:2: ")
    assert f"column 'area2' is {text} in row 5000 (2020-07-27T07:00:00-07:00)" in line


def test_profile_shorter_than_the_run(home, capsys):
    path = home / "models" / "rts_gmlc" / "temperature.parquet"
    pq.write_table(pq.read_table(path).slice(0, 24 * 180), path)
    (line,) = issues(home, capsys)
    assert "time.duration" in line or "time.start" in line
    (line,) = issues(home, capsys, "time.start=2020-06-27T00:00:00-07:00")
    assert "h short: start earlier, or shorten time.duration" in line or "d short" in line


def test_time_without_zone(home, capsys):
    (line,) = issues(home, capsys, "time.start=2020-07-01T00:00:00")
    assert line.startswith("--set time.start:1:12: time.start: time 2020-07-01T00:00:00 has no zone")


def test_duplicate_ids(home, capsys):
    edit(home, "buses.csv", "\n102,", "\n101,")
    lines = issues(home, capsys)
    assert any("buses.csv:3:1: bus '101' is there twice; the first is in line 2" in line for line in lines)


def test_job_wider_than_any_site(home, capsys):
    lines = issues(home, capsys, "workload.wide_jobs=null", "workload.batch.0.nodes_per_core=3")
    assert any(
        "its widest job takes 1200 nodes of class 'intelligent', the largest site that origin" in line for line in lines
    )


def test_line_between_two_voltage_levels(home, capsys):
    edit(home, "buses.csv", "Adams,138", "Adams,230")
    lines = issues(home, capsys)
    assert any(line.startswith("models/rts_gmlc/branches.csv:2:8: line joins bus '101' of 138 kV") for line in lines)


def test_step_that_does_not_divide_a_day(home, capsys):
    (line,) = issues(home, capsys, "time.step=7h")
    assert line.startswith("--set time.step:1:11: time.step: a day is no whole number of steps of 7h; choose one that")


def test_trace_with_missing_columns(home, capsys):
    (home / "scenarios" / "jobs.csv").write_text("submit_s,cores\n0,1\n")
    (line,) = issues(home, capsys, "workload.batch.0.trace=jobs.csv")
    assert line.startswith("scenarios/jobs.csv:1:")
    assert "missing column 'runtime_s'" in line


def test_unknown_unit(home, capsys):
    edit(home, "nodes.csv", "training_block_40kw", "training_blok_40kw")
    edit(home, "segments.csv", "101_CT_1,", "101_CTT_1,")
    lines = issues(home, capsys)
    assert any("unknown hardware 'training_blok_40kw' (did you mean 'training_block_40kw'?)" in line for line in lines)
    assert any("segments.csv:2:1: unknown unit '101_CTT_1' (did you mean '101_CT_1'?)" in line for line in lines)


def test_missing_file(home, capsys):
    (home / "models" / "rts_gmlc" / "hvdc.csv").unlink()
    (line,) = issues(home, capsys)
    assert line.startswith("models/rts_gmlc/model.yaml:")
    assert "hvdc.csv does not exist" in line


def test_a_store_away_from_its_site_and_a_unit_with_two_sources(home, capsys):
    edit(home, "stores.csv", "ups_110,110", "ups_110,111")
    edit(home, "units.csv", "true,true,,heat_212", "true,true,309_WIND_1,heat_212")
    away, both = issues(home, capsys)
    assert away.startswith("models/rts_gmlc/stores.csv:8:9: store stands at bus '111', its site 'dc_110' at '110'")
    assert both.startswith("models/rts_gmlc/units.csv:")
    assert "unit draws on store 'heat_212' and follows profile '309_WIND_1'; expected one of the two" in both


def test_what_came_true_must_be_whole(home, capsys):
    spoil(home, "availability_real_time.parquet", "309_WIND_1", 17, float("nan"))
    (line,) = issues(home, capsys)  # also where the scheduled series come true
    assert line.startswith("models/rts_gmlc/availability_real_time.parquet:18:1: column '309_WIND_1' is nan in row 18")


def test_duplicate_yaml_key(home, capsys):
    edit(home, "day.yaml", "seed: 1", "seed: 1\nseed: 2")
    (line,) = issues(home, capsys)
    assert "key 'seed' is given twice" in line


def test_several_at_once(home, capsys):
    edit(home, "day.yaml", "seed: 1", "sead: 1")
    edit(home, "day.yaml", "-07:00", "")
    edit(home, "sites.csv", "bus 110,110,", "bus 110,1110,")
    edit(home, "nodes.csv", "training_block_40kw", "training_blok_40kw")
    spoil(home, "load.parquet", "area2", 4999, -1.0)
    (home / "models" / "rts_gmlc" / "hvdc.csv").unlink()
    (home / "scenarios" / "jobs.csv").write_text("submit_s,cores\n0,1\n")
    lines = issues(home, capsys, "workload.batch.0.trace=jobs.csv", "policy=asp")
    assert len(lines) == 8
    assert lines == sorted(lines, key=lambda line: (line.split(":")[0], *map(int, line.split(":")[1:3])))


@pytest.mark.parametrize("name", ["availability", "availability_real_time", "inflow", "reserve", "load"])
def test_the_shipped_model_has_no_negative_values(name):
    table = pq.read_table(REPO / "models" / "rts_gmlc" / f"{name}.parquet")
    assert all(pc.min(table[name]).as_py() >= 0 for name in table.column_names)
