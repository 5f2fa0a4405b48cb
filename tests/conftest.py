"""Runs that many tests look at: each study is run once a session, and nobody writes into its folder.

The workers of pytest-xdist share them: whoever comes first runs, the others wait and read.
"""

# ruff: noqa: E402 - the limits on threads are read when the libraries are imported
from __future__ import annotations

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # workers and the processes they start would get in each other's way
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import fcntl
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gridtwin import api
from gridtwin.cli import main
from gridtwin.inputs.load import load_study
from gridtwin.inputs.study import Study
from gridtwin.results.reading import read_run
from gridtwin.results.run_facts import read_facts
from gridtwin.results.store import RunData, RunFolder

TESTS = Path(__file__).parent
POCKET = TESTS / "scenarios" / "pocket.yaml"
DAY = TESTS.parent / "scenarios" / "rts_gmlc_day.yaml"


INSTALLED_BY_CI = re.compile("chromium|postgres|pypsa", re.IGNORECASE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _missing_fails((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _missing_fails((yield))


def _missing_fails(report):
    """Fail in CI where a test is skipped for want of what `.ci/run` installs."""
    skipped_for = report.longrepr[-1] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if "CI" in os.environ and INSTALLED_BY_CI.search(skipped_for):
        report.outcome = "failed"
        report.longrepr = f"in CI this may not be missing: {skipped_for}"
    return report


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


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Let no run of this process wait two hundred times until what it wrote would outlive a loss of power."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _descriptor: None)
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Let a function fill a folder unless another worker of this session has; returns the folder."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    shared.mkdir(exist_ok=True)

    def make(name: str, fill: Callable[[Path], None]) -> Path:
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder, done = shared / name, shared / f"{name}.done"
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of another that failed
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def pocket() -> Callable[..., Study]:
    """Load the pocket scenario with overrides: two sites on three buses, a run of half a second."""
    return cache(lambda *overrides: load_study(POCKET, overrides))


@pytest.fixture(scope="session")
def pocket_run(pocket, made_once) -> Callable[[str], Run]:
    """Run the pocket scenario under a policy, once a session."""

    @cache
    def run(policy: str) -> Run:
        study = pocket(f"policy={policy}")
        (path,) = made_once(f"pocket_{policy}", lambda parent: api.run(study, parent)).iterdir()
        return Run(study, path, json.loads((path / "summary.json").read_text(encoding="utf-8")))

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


@pytest.fixture
def called(capsys) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Do what `command` does in this process, which has imported everything already."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        return subprocess.CompletedProcess(arguments, ended.value.code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def day_run(command, made_once) -> Callable[[str], Printed]:
    """Run the shipped day from the command line under a policy, once a session."""

    @cache
    def run(policy: str) -> Printed:
        def fill(folder: Path) -> None:
            done = command("run", DAY, "--set", f"policy={policy}", "--out", folder / "outputs", "--json")
            printed = {"code": done.returncode, "out": done.stdout, "err": done.stderr}
            (folder / "printed.json").write_text(json.dumps(printed), encoding="utf-8")

        folder = made_once(f"day_{policy}", fill)
        return Printed(folder / "outputs", **json.loads((folder / "printed.json").read_text(encoding="utf-8")))

    return run


def stop_after(windows: int) -> Callable[[int, int], None]:
    def progress(done: int, _expected: int) -> None:
        if done == windows:
            raise KeyboardInterrupt

    return progress


@pytest.fixture(scope="session")
def stopped_once(pocket, made_once) -> Callable[[int, str], Path]:
    """Run the pocket scenario and stop it after some windows, once a session."""

    def run(windows: int, policy: str) -> Path:
        def fill(parent: Path) -> None:
            with pytest.raises(KeyboardInterrupt) as raised:
                api.run(pocket(f"policy={policy}"), parent, progress=stop_after(windows))
            (folder,) = parent.iterdir()
            assert raised.value.__notes__ == [f"what is done is kept; go on with: gridtwin resume {folder}"]

        (folder,) = made_once(f"pocket_{policy}_stopped_{windows}", fill).iterdir()
        return folder

    return run


@pytest.fixture
def stopped(stopped_once, tmp_path) -> Callable[..., Path]:
    """Return a folder of its own with a run of the pocket scenario that was stopped after some windows."""

    def copied(windows: int = 2, policy: str = "asap") -> Path:
        folder = stopped_once(windows, policy)
        return shutil.copytree(folder, tmp_path / "runs" / folder.name)

    return copied
