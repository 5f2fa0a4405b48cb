"""The notebooks of the documentation run, cell by cell, and hold no outputs of somebody's machine."""

import ast
import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


def cells(path, kind):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["nbformat"] == 4
    return [cell for cell in content["cells"] if cell["cell_type"] == kind]


def run_all(path):
    """Run all cells in one namespace; returns it, and the value that each cell ends with."""
    namespace, shown = {}, []
    for number, cell in enumerate(cells(path, "code")):
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, f"{path.name}[{number}]", "exec"), namespace)
        shown.append(
            eval(compile(ast.Expression(last.value), f"{path.name}[{number}]", "eval"), namespace) if last else None
        )
    return namespace, shown


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_no_outputs_are_kept(path):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(path, "code"))


@pytest.mark.filterwarnings("ignore:The locs attribute:DeprecationWarning")  # pandas on matplotlib 3.11
def test_results():
    (path,) = (path for path in NOTEBOOKS if path.stem == "results")
    names, shown = run_all(path)
    assert {"unit_technology", "unit_bus", "line_rate_mw"} <= set(shown[0])
    totals = names["totals"]
    assert totals.loc["change, %", "production_cost"] < -2
    assert totals.loc["change, %", "curtailed_mwh"] < -40
    assert totals["sites_mwh"].gt(0).iloc[:2].all()
    assert names["energy_gwh"].sum() * 1000 == pytest.approx(float(names["results"].unit_mw.sum()))
    assert names["daily_mwh"].to_numpy().sum() == pytest.approx(float(names["results"].site_mw.sum()))
    assert (names["curve"].iloc[0] >= names["curve"].iloc[-1]).all()
    assert len(plt.get_fignums()) >= 4
