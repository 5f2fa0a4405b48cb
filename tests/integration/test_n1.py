"""N-1 of a run: on request after it, or of its folder at any later time."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from gridtwin import api
from gridtwin.errors import ResultsError


@pytest.fixture
def finished(pocket_run, tmp_path):
    """Return a run's folder that may be written to, and its study."""
    run = pocket_run("asap")
    return shutil.copytree(run.path, tmp_path / "run"), run.study


def test_the_folder_gets_a_row_for_every_outage_of_every_step(finished):
    folder, study = finished
    section = api.n1(folder)
    table = pq.read_table(folder / "n1.parquet").to_pandas()
    with api.open_results(folder) as results:
        steps, lines = results.sizes["time"], list(results["line"].to_numpy())
        assert table["time"].iloc[0].tz_localize(None) == results["time"].to_numpy()[0]
    assert len(table) == steps * len(lines)
    assert table["outage"].tolist()[: len(lines)] == lines
    counted = table["status"].astype(str).value_counts().to_dict()
    assert counted == {name: number for name, number in section["status"].items() if number}
    solved = table["status"] == "ok"
    assert solved.any()
    assert table.loc[solved, "vm_min_pu"].between(0.5, 1.2).all()
    over = table[table["loading_long_percent"] > 100]
    assert section["steps_with_overload"] == over["time"].nunique()
    for pair in section["worst_pairs"]:
        own = table[(table["outage"] == pair["outage"]) & (table["long_line"] == pair["line"])]
        assert own["loading_long_percent"].max() == pytest.approx(pair["worst_percent"], abs=1e-3)
    assert section["unrated"] == [
        name for name, rate in zip(study.grid.line, study.grid.rate_long_mw, strict=True) if np.isinf(rate)
    ]
    assert json.loads((folder / "n1.json").read_text()) == section
    assert api.verify(folder).holds


def test_a_scenario_may_ask_for_it(pocket, tmp_path):
    result = api.run(pocket("policy=asap", "security.n1=report"), tmp_path)
    assert result.summary["n1"] == json.loads((result.run_dir / "summary.json").read_text())["n1"]
    assert api.verify(result.run_dir).holds
    before = (result.run_dir / "n1.parquet").read_bytes()
    assert api.n1(result.run_dir) == result.summary["n1"]
    assert (result.run_dir / "n1.parquet").read_bytes() == before
    assert result.summary["n1"]["unrated"]
    assert "N-1 says nothing of" in result.notice


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ResultsError, match="not the folder of a run"):
        api.n1(tmp_path)


def test_a_run_that_lacks_a_column_is_refused(finished):
    folder, _ = finished
    file = min((folder / "windows").glob("*.bus.parquet"))
    pq.write_table(pq.read_table(file).drop_columns(["holds_voltage"]), file)
    with pytest.raises(ResultsError, match="holds_voltage"):
        api.n1(folder)
