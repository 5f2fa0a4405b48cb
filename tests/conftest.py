"""Runs that many tests look at: each study is run once a session, and nobody writes into its folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gridtwin import api
from gridtwin.inputs.load import load_study
from gridtwin.inputs.study import Study
from gridtwin.results.reading import read_run
from gridtwin.results.run_facts import read_facts
from gridtwin.results.store import RunData, RunFolder

TESTS = Path(__file__).parent
POCKET = TESTS / "scenarios" / "pocket.yaml"
DAY = TESTS.parent / "scenarios" / "rts_gmlc_day.yaml"


@dataclass(frozen=True)
class Run:
    """A finished run and the study it came from."""

    study: Study
    path: Path
    summary: dict[str, Any]

    @property
    def data(self) -> RunData:
        """Everything that the run stored, read back from its folder."""
        return read_back(self.path)


def read_back(path: Path) -> RunData:
    folder = RunFolder(path)
    return read_run(folder, folder.read_journal(), read_facts(folder))


@pytest.fixture(scope="session")
def pocket() -> Callable[..., Study]:
    """Load the pocket scenario with overrides: two sites on three buses, a run of half a second."""
    return cache(lambda *overrides: load_study(POCKET, overrides))


@pytest.fixture(scope="session")
def pocket_run(pocket, tmp_path_factory) -> Callable[[str], Run]:
    """Run the pocket scenario under a policy, once a session."""

    @cache
    def run(policy: str) -> Run:
        study = pocket(f"policy={policy}")
        result = api.run(study, tmp_path_factory.mktemp("pocket"))
        return Run(study, result.run_dir, dict(result.summary))

    return run


@pytest.fixture(scope="session")
def read_stored() -> Callable[[Path], RunData]:
    """Read the tables of a run folder as the project itself does."""
    return read_back


@dataclass(frozen=True)
class Printed:
    """What the installed command line did."""

    out_dir: Path
    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m gridtwin` in a process of its own."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gridtwin", *map(str, arguments)], capture_output=True, text=True, check=False
        )

    return call


@pytest.fixture(scope="session")
def day_run(command, tmp_path_factory) -> Callable[[str], Printed]:
    """Run the shipped day from the command line under a policy, once a session."""

    @cache
    def run(policy: str) -> Printed:
        out_dir = tmp_path_factory.mktemp("day")
        done = command("run", DAY, "--set", f"policy={policy}", "--out", out_dir, "--json")
        return Printed(out_dir, done.returncode, done.stdout, done.stderr)

    return run


def stop_after(windows: int) -> Callable[[int, int], None]:
    def progress(done: int, _expected: int) -> None:
        if done == windows:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def stopped(pocket, tmp_path) -> Callable[..., Path]:
    """Run the pocket scenario and stop it after some windows; returns its folder."""

    def run(windows: int = 2, policy: str = "asap") -> Path:
        with pytest.raises(KeyboardInterrupt) as raised:
            api.run(pocket(f"policy={policy}"), tmp_path / "runs", progress=stop_after(windows))
        (folder,) = (tmp_path / "runs").iterdir()
        assert raised.value.__notes__ == [f"what is done is kept; go on with: gridtwin resume {folder}"]
        return folder

    return run
