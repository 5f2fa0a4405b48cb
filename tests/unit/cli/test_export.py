import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridtwin.cli import main


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path, pocket_run):
    """Run `gridtwin export` on a small run, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    path = pocket_run("asap").path

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["export", str(path), *arguments])
        return ended.value.code, capsys.readouterr()

    return call


def test_it_says_what_was_written_and_where(cli, tmp_path):
    code, printed = cli("--to", "csv", "--out", "there", "--variable", "site_mw", "--variable", "money")
    assert code == 0
    assert printed.out.startswith("written to there: ")
    assert {path.name for path in (tmp_path / "there").glob("*.csv")} == {
        "site.csv", "money.csv", "variables.csv", "key_figures.csv",
    }  # fmt: skip


def test_json_is_all_that_is_printed(cli, tmp_path):
    code, printed = cli("--to", "netcdf", "--json")
    told = json.loads(printed.out)
    assert (code, printed.err, told["format"]) == (0, "", "netcdf")
    assert [file["bytes"] for file in told["files"]] == [(tmp_path / told["target"]).stat().st_size] == [told["bytes"]]
    assert told["rows"]["bus"] > 0


def test_a_time_without_offset_is_of_the_zone(cli, tmp_path):
    assert cli("--to", "netcdf", "--out", "a.nc", "--from", "2020-01-02T10:00", "--until", "2020-01-02 13:00:00+08:00",
               "--zone", "Asia/Shanghai")[0] == 0  # fmt: skip
    with xr.open_dataset(tmp_path / "a.nc") as dataset:
        assert dataset["time"].to_numpy().tolist() == [
            np.datetime64(f"2020-01-02T0{hour}:00:00", "ns").astype(int) for hour in (2, 3, 4)
        ]
        assert dataset["time_local"].to_numpy()[0] == "2020-01-02T10:00:00+08:00"


def test_days_and_signs(cli, tmp_path):
    arguments = ("--to", "csv", "--out", "a", "--variable", "net_injection_mw", "--resample", "1d")
    assert cli(*arguments)[0] == cli(*arguments, "--convention", "pandapower", "--replace")[0] == 0
    frame = pd.read_csv(tmp_path / "a" / "bus.csv", skiprows=[1])
    assert (frame.groupby("bus")["steps"].first() == 24).all()
    assert frame.groupby("bus")["net_injection_mw"].mean()["b"] > 0  # a load


def test_what_is_left_out_is_said(cli):
    assert "money" in cli("--to", "csv", "--from", "2020-01-02")[1].err
    told = json.loads(cli("--to", "csv", "--from", "2020-01-02", "--replace", "--json")[1].out)
    assert told["left_out"] == ["money"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--to", "cvs"), 3, "did you mean 'csv'"),
        (("--to", "csv", "--variable", "site_mv"), 3, "did you mean 'site_mw'"),
        (("--to", "csv", "--resample", "daily"), 2, "expected a duration"),
        (("--to", "csv", "--from", "yesterday"), 2, "yesterday"),
        (("--to", "csv", "--zone", "Mars/Olympus"), 3, "unknown time zone"),
        (("--to", "csv", "--convention", "matlab"), 3, "unknown convention"),
        (("--to", "geojson"), 3, "no coordinates"),
        (("--to", "swf", "--resample", "1d"), 3, "leave out"),
        ((), 2, "--to"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(cli, tmp_path, arguments, code, says):
    ended, printed = cli(*arguments)
    assert ended == code
    assert says in printed.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
