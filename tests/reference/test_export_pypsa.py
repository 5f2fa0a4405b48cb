"""PyPSA solves exported networks, in an environment of its own, to the cost and the prices that the run found."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gridtwin import api
from gridtwin.exports.network import saved_grid
from gridtwin.exports.pypsa import write
from gridtwin.exports.redispatch import redispatch
from gridtwin.exports.selection import Selection
from gridtwin.inputs.load import load_study
from gridtwin.results.saved_run import SavedRun, open_run

PYTHON = os.environ.get("GRIDTWIN_PYPSA_PYTHON")
SOLVE = Path(__file__).with_name("pypsa_solve.py")
DAY = Path(__file__).parents[2] / "scenarios" / "rts_gmlc_day.yaml"
pytestmark = pytest.mark.skipif(not PYTHON, reason="set GRIDTWIN_PYPSA_PYTHON to a Python with PyPSA 1.2.4")


def window(run: SavedRun, number: int) -> Selection:
    steps = run.facts.window_steps
    return Selection(start=run.facts.step_start(number * steps), end=run.facts.step_start((number + 1) * steps))


def solved(*folders: Path) -> list[dict[str, object]]:
    done = subprocess.run([PYTHON, SOLVE, *folders], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [one["status"] for one in found] == [["ok", "optimal"]] * len(folders)
    return found


def along_segments(run: SavedRun, of_store: bool, rate: Callable[[dict[str, np.ndarray]], np.ndarray]) -> np.ndarray:
    """Sum of rate times MWh (time,) over units that feed on a store or those that do not, segment by segment."""
    units, segments, output_mw = run.inputs("units"), run.inputs("segments"), run.values("unit_mw")
    total, filled = np.zeros(len(output_mw)), np.zeros_like(output_mw)
    for unit, width, value in zip(segments["unit_index"], segments["width_mw"], rate(segments), strict=True):
        part = np.clip(output_mw[:, unit] - filled[:, unit], 0, width)
        filled[:, unit] += part
        total += value * part * run.step_h * ((units["store_index"][unit] >= 0) == of_store)
    return total


def dispatch_cost(run: SavedRun, number: int) -> float:
    """Optimum that the run stored for a window, and cost of what stood on schedule and of what weather forced."""
    carbon_per_t = run.inputs("penalties")["carbon_per_t"][0]
    fixed = along_segments(run, True, lambda s: s["cost_per_mwh"] + carbon_per_t * s["co2_kg_per_mwh"] / 1000)
    steps = slice(number * run.facts.window_steps, (number + 1) * run.facts.window_steps)
    return float(run.values("redispatch_objective")[number] + fixed[steps].sum())


@dataclass(frozen=True)
class Answer:
    run: SavedRun
    number: int  # of the window
    found: dict[str, object]


@pytest.fixture(scope="module")
def answers(pocket, tmp_path_factory) -> dict[str, list[Answer]]:
    """Windows of three runs; importing PyPSA takes seconds, so that one process solves them all."""
    place = tmp_path_factory.mktemp("pypsa")
    alone = "security.ac_feedback=false"  # no review by AC: penalties for voltages are not among PyPSA's costs
    fixed = ("policy=asap", "workload.batch=[]")  # no work that could move
    runs = {
        "day": (open_run(api.run(load_study(DAY, (*fixed, alone)), place).run_dir), 1),
        "reviewed": (open_run(api.run(load_study(DAY, fixed), place).run_dir), 1),
        "pocket": (open_run(api.run(pocket("policy=co_dispatch", alone), place).run_dir), 3),
    }
    asked = [(name, run, number) for name, (run, windows) in runs.items() for number in range(windows)]
    folders = [place / f"{name}_{number}" for name, _, number in asked]
    for folder, (_, run, number) in zip(folders, asked, strict=True):
        write(run, folder, window(run, number))
    found = solved(*folders)
    answers: dict[str, list[Answer]] = {name: [] for name in runs}
    for (name, run, number), one in zip(asked, found, strict=True):
        answers[name].append(Answer(run, number, one))
    return answers


@pytest.mark.slow
def test_a_day_of_rts_gmlc_costs_the_same(answers):
    (day,) = answers["day"]
    assert len(day.run.time) == 24
    assert day.run.values("congestion_price_per_mwh").any(), "a day without congestion shows less"
    assert day.found["cost"] == pytest.approx(dispatch_cost(day.run, 0), rel=1e-9)
    assert max(day.found["price_difference"]) < 1e-6
    assert day.found["co2_t"] == pytest.approx(day.run.values("co2_kg").sum() / 1000, rel=1e-3), "AC moves MW later"


@pytest.mark.slow
def test_every_window_costs_the_same(answers):
    """Stores behind meters, a reservoir, HVDC both ways, ramps from the window before, output that must be taken."""
    run = answers["pocket"][0].run
    assert run.values("link_mw").any()
    assert run.values("overload_mw").max() == 0
    for one in answers["pocket"]:
        assert one.found["cost"] == pytest.approx(dispatch_cost(run, one.number), rel=1e-9), one.number


@pytest.mark.slow
def test_prices_and_stores_are_the_runs(answers):
    for one in (*answers["pocket"], *answers["day"]):
        assert one.found["stored_difference"] < 1e-6
        assert one.found["shed_mwh"] < 1e-9
        part = slice(one.number * one.run.facts.window_steps, (one.number + 1) * one.run.facts.window_steps)
        if not one.run.values("price_degenerate")[part].any():
            assert max(one.found["price_difference"]) < 1e-6


@pytest.mark.slow
def test_voltage_limits_make_the_same_prices(answers):
    """One row stands for what AC had the plan pay for; penalties for what it could not hold are not PyPSA's costs."""
    (one,) = answers["reviewed"]
    price = redispatch(one.run, saved_grid(one.run), np.arange(len(one.run.time))).cut_price_per_mwh
    assert not one.run.values("price_degenerate").any()
    held = price < one.run.scenario["dispatch"]["voltage_price_per_mwh"] * (1 - 1e-6)
    assert (held & (price > 0)).any(), "a day without such limits shows nothing"
    assert np.array(one.found["price_difference"])[held].max() < 1e-6, "elsewhere the row has one of many prices"
    paid = dispatch_cost(one.run, 0)
    assert paid * (1 - 1e-3) < one.found["cost"] <= paid * (1 + 1e-9)


@pytest.mark.slow
def test_names_are_the_runs(answers):
    one = answers["pocket"][0]
    assert one.found["names"]["Line"] == sorted(saved_grid(one.run).grid.line)
    assert set(saved_grid(one.run).grid.bus) <= set(one.found["names"]["Bus"])
