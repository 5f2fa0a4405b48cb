"""Systems small enough to work out on paper; the sums stand in each scenario, their results in expected.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from gridtwin import api

CASES = [
    pytest.param(file.parent / "scenario.yaml", expected, id=" ".join([file.parent.name, *expected["overrides"]]))
    for file in sorted(Path(__file__).parent.glob("*/expected.json"))
    for expected in json.loads(file.read_text(encoding="utf-8"))
]


def number(value):
    """`null` stands for what is not known."""
    return np.nan if value is None else value


@pytest.mark.parametrize(("scenario", "expected"), CASES)
def test_a_case_by_hand(scenario, expected, tmp_path):
    run = api.run(api.load_study(scenario, expected["overrides"]), tmp_path)
    assert all(ledger["pass"] for ledger in run.summary["ledgers"].values()), run.summary["ledgers"]
    assert run.exit_code == expected["exit_code"]
    for name, (value, tolerance) in expected["kpis"].items():
        given = number(run.summary["kpis"][name])
        np.testing.assert_allclose(given, number(value), rtol=0, atol=tolerance, err_msg=name)
    with api.open_results(run.run_dir) as results:
        for entry in expected["results"]:
            hours = slice(*entry.get("hours", [None]))
            chosen = results[entry["variable"]].sel(entry.get("at", {}))
            chosen = chosen.isel({dim: hours for dim in ("time", "window") if dim in chosen.dims}).to_numpy()
            assert chosen.size
            wanted = np.full(chosen.shape, number(entry["value"]))
            np.testing.assert_allclose(chosen, wanted, rtol=0, atol=entry["tolerance"], err_msg=str(entry))
