"""Stopping and going on, and running again, give the same bytes."""

import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from gridtwin import api
from gridtwin.inputs.load import load_study
from gridtwin.policies.registry import POLICIES
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.keeping import keep_inputs
from gridtwin.twin.state import load_state, save_state

GO_ON = """
import sys
from pathlib import Path
from gridtwin.inputs.load import load_study
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build
from gridtwin.twin.state import load_state

scenario, policy, state, folder = sys.argv[1:]
study = load_study(scenario, [policy])
build(study, RunFolder(Path(folder))).run(load_state(Path(state)), until=4)
"""


def contents(path):
    """Bytes of every file below a folder, by its relative path."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def advance(study, path, state, until):
    path.mkdir(exist_ok=True)
    coordinator = build(study, RunFolder(path))
    if state.window == 0:
        keep_inputs(RunFolder(path), study, coordinator)
    return coordinator.run(state, until=until)


def interrupt(study, place):
    """Run four windows in one go, and two into another folder that ends in a saved state."""
    advance(study, place / "straight", initial_twin_state(study), until=4)
    state = advance(study, place / "resumed", initial_twin_state(study), until=2)
    assert len(state.compute.running_row) > 0
    save_state(state, place / "state.npz")


@pytest.fixture(params=POLICIES)
def interrupted(request, pocket, tmp_path):
    """Return an interrupted study, its policy, and where both folders and the saved state are."""
    study = pocket(f"policy={request.param}")
    interrupt(study, tmp_path)
    return study, request.param, tmp_path


def test_resuming_gives_the_bytes_of_never_stopping(interrupted):
    study, _, place = interrupted
    advance(study, place / "resumed", load_state(place / "state.npz"), until=4)
    straight, resumed = (contents(place / name) for name in ("straight", "resumed"))
    assert straight.keys() == resumed.keys()
    assert len([name for name in straight if name.startswith("windows/")]) >= 4 * 10
    assert [name for name in straight if straight[name] != resumed[name]] == []


@pytest.mark.parametrize("interrupted", ["co_dispatch"], indirect=True)
def test_resuming_in_a_process_of_its_own(interrupted, request):
    _, policy, place = interrupted
    scenario = request.path.parents[1] / "scenarios" / "pocket.yaml"
    arguments = [str(scenario), f"policy={policy}", str(place / "state.npz"), str(place / "resumed")]
    subprocess.run([sys.executable, "-c", GO_ON, *arguments], check=True)
    assert contents(place / "resumed") == contents(place / "straight")


def test_a_saved_state_comes_back_bit_by_bit(interrupted):
    study, _, place = interrupted
    first = load_state(place / "state.npz")
    save_state(first, place / "again.npz")
    again = load_state(place / "again.npz")
    straight = advance(study, place / "other", initial_twin_state(study), until=2)
    for state in (first, again):
        assert state.window == straight.window == 2
        for part in ("compute", "memory"):
            for field in fields(getattr(state, part)):
                kept, had = (getattr(getattr(one, part), field.name) for one in (state, straight))
                assert type(kept) is type(had), field.name
                assert np.asarray(kept).dtype == np.asarray(had).dtype, field.name
                assert np.asarray(kept).shape == np.asarray(had).shape, field.name
                assert np.asarray(kept).tobytes() == np.asarray(had).tobytes(), field.name


@pytest.mark.parametrize("policy", POLICIES)
def test_two_runs_of_a_scenario_store_the_same_bytes(pocket_run, tmp_path, policy, request):
    scenario = request.path.parents[1] / "scenarios" / "pocket.yaml"
    first = contents(pocket_run(policy).path)
    second = contents(api.run(load_study(scenario, [f"policy={policy}"]), tmp_path).run_dir)
    assert first.keys() == second.keys()
    differ = {name for name in first if first[name] != second[name]}
    assert differ <= {"summary.json", "sessions.json", "journal.jsonl"}  # the name of the run and its timings


def test_another_seed_gives_another_run(pocket, pocket_run, tmp_path):
    study = pocket("policy=asap", "seed=8")
    advance(study, tmp_path / "other", initial_twin_state(study), until=1)
    other, first = contents(tmp_path / "other"), contents(pocket_run("asap").path)
    for table in ("job_start", "pool", "unit", "bus"):
        name = f"windows/w00000.{table}.parquet"
        assert other[name] != first[name]
