"""An independent reader and Newton's method on MATPOWER's branch model find the voltages that the run stored."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gridtwin.exports.matpower import write
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import SavedRun, open_run

DAY_STEPS = 24


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("matpower_case", Path(__file__).with_name("matpower_case.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_every_step(peer: ModuleType, run: SavedRun, folder: Path) -> None:
    write(run, folder / "case", Selection(start=run.facts.step_start(0), end=run.facts.step_start(DAY_STEPS)))
    files = sorted((folder / "case").iterdir())
    assert len(files) == DAY_STEPS
    slack = int(run.inputs("buses")["slack"].argmax())
    for step, file in enumerate(files):
        case = peer.read_case(file.read_text())
        vm_pu, va_deg, given_mw = peer.power_flow(case)
        np.testing.assert_allclose(vm_pu, run.values("vm_pu")[step], rtol=0, atol=1e-8)
        np.testing.assert_allclose(va_deg, run.values("va_deg")[step], rtol=0, atol=1e-6)
        drawn_mw = case["bus"][slack, 2]
        assert given_mw - drawn_mw == pytest.approx(run.values("bus_mw")[step, slack], abs=1e-6)


@pytest.mark.slow
def test_every_step_of_the_day(peer, day_run, tmp_path):
    (folder,) = day_run("asap").out_dir.iterdir()
    assert_every_step(peer, open_run(folder), tmp_path)


def test_every_step_of_the_pocket_run(peer, pocket_run, tmp_path):
    assert_every_step(peer, open_run(pocket_run("co_dispatch").path), tmp_path)


def test_names_costs_and_ratings(peer, pocket_run, tmp_path):
    run = open_run(pocket_run("asap").path)
    write(run, tmp_path / "peak.m", Selection())
    case = peer.read_case((tmp_path / "peak.m").read_text())
    assert tuple(case["bus_name"]) == run.facts.coords["bus"]
    assert tuple(case["branch_name"]) == run.facts.coords["line"]
    units = run.facts.coords["unit"]
    assert tuple(case["gen_name"][: len(units)]) == units
    assert (
        case["gen_name"][len(units) :]
        == ["battery", "backup", "dc from", "tie from", "dc to", "tie to", "slack"][
            : len(case["gen_name"]) - len(units)
        ]
    )
    assert len(case["gencost"]) == len(case["gen"]) == len(case["gen_name"])
    coal, carbon_per_t = case["gencost"][units.index("coal")], 30
    assert coal[:4].tolist() == [1, 0, 0, 3]
    assert coal[4:].tolist() == pytest.approx([0, 0, 40, 40 * (20 + carbon_per_t), 80, 40 * 50 + 40 * (26 + 28.5)])
    assert case["branch"][:, 5].tolist() == [18, 60, 0], "0 is no limit"


def test_matpowercaseframes_reads_it(pocket_run, tmp_path):
    frames = pytest.importorskip("matpowercaseframes")
    run = open_run(pocket_run("asap").path)
    write(run, tmp_path / "peak.m", Selection())
    case = frames.CaseFrames(str(tmp_path / "peak.m"))
    assert list(case.bus.index) == list(run.facts.coords["bus"])
    assert len(case.gencost) == len(case.gen)
