"""A run checked again from the files of its folder alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gridtwin.audit.ledgers import Ledger, close_ledgers
from gridtwin.errors import GridtwinError
from gridtwin.results.dataset import open_results
from gridtwin.results.files import read_columns, read_json, sha256
from gridtwin.results.journal import WINDOW, Journal
from gridtwin.results.reading import findings, read_run
from gridtwin.results.run_facts import RunFacts, read_facts
from gridtwin.results.store import RunFolder
from gridtwin.watch import UNWATCHED, Watch

__all__ = ["Check", "Verification", "verify"]

UNREADABLE = (GridtwinError, OSError, ValueError, KeyError, IndexError, TypeError, ArithmeticError)
KEPT = ("inputs", "windows", "state")  # folders that hold nothing but what the journal names


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked; it holds when nothing failed."""

    name: str
    checked: str  # how much, for people
    failed: tuple[str, ...]  # each file, ledger or variable that does not hold, and why

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


@dataclass(frozen=True, slots=True)
class Verification:
    """What the files of a run tell about each other."""

    run_dir: Path
    windows: int  # complete ones
    planned_windows: int  # until the last job is due; 0 where the inputs cannot tell
    finished: bool
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return all(check.holds for check in self.checks)


def verify(run_dir: Path | str, watch: Watch = UNWATCHED) -> Verification:
    """Check the files of a run: journal, checksums, ledgers, and that the final files tell what the windows tell.

    Parameters
    ----------
    run_dir : path
        Folder of a run, finished or not; of one that is not, what is there is checked.
    watch : Watch

    Returns
    -------
    Verification

    Raises
    ------
    LockedError
        If a process is at work in the folder.
    ResultsError
        If it is no folder of a run.
    """
    folder = RunFolder(Path(run_dir))
    folder.require_unlocked()
    journal = folder.read_journal()
    checks = [_journal(journal), _files(folder, journal, watch)]
    planned = 0
    try:
        facts = read_facts(folder)
        planned = facts.planned_windows
        if journal.windows:
            checks += _contents(folder, journal, facts, watch)
    except UNREADABLE as error:
        checks.append(Check("contents", "cannot be read", (_told(error),)))
    return Verification(folder.path, journal.windows, planned, journal.closed, tuple(checks))


def _journal(journal: Journal) -> Check:
    lines = len(journal.entries)
    fault = journal.fault + ("; `gridtwin resume` drops that line" if journal.torn and not journal.closed else "")
    empty = () if lines else ("journal.jsonl: no inputs were committed",)
    return Check("journal", f"{lines} lines", (fault,) if journal.fault else empty)


def _files(folder: RunFolder, journal: Journal, watch: Watch) -> Check:
    """Compare every file with its checksum; states before the last two are gone, and nothing else may be there."""
    states = [folder.state(entry.window + 1) for entry in journal.entries if entry.kind == WINDOW]
    expected = {folder.path / name: digest for name, digest in journal.files.items()}
    for state in states[:-2]:
        del expected[state]
    failed = [f"{_short(path, folder)}: missing" for path in expected if not path.is_file()]
    watch.step("checksums")
    for done, (path, digest) in enumerate(expected.items()):
        watch.advance(done, len(expected))
        if path.is_file() and sha256(path) != digest:
            failed.append(f"{_short(path, folder)}: altered since it was written")
    if journal.closed:
        there = (path for sub in KEPT for path in (folder.path / sub).rglob("*") if path.is_file())
        failed += [f"{_short(path, folder)}: not in the journal" for path in there if path not in expected]
    return Check("files", f"{len(expected)} files", tuple(sorted(failed)))


def _contents(folder: RunFolder, journal: Journal, facts: RunFacts, watch: Watch) -> Iterator[Check]:
    watch.step("reading windows")
    run = read_run(folder, journal, facts)
    watch.step("ledgers")
    ledgers = close_ledgers(run)
    told = read_json(folder.path / "manifest.json")["ledgers"] if journal.closed else None
    yield Check("ledgers", f"{len(ledgers)} ledgers", tuple(_ledger_faults(ledgers, told)))
    if journal.closed:
        watch.step("results")
        with _of_dataset(folder.path / "results.nc") as read:
            yield _compared("results.nc", run.variables, read)
        for name, columns in (("jobs.parquet", run.jobs), ("findings.parquet", findings(run))):
            yield _compared(name, columns, partial(_of_table, folder.path / name))


@contextmanager
def _of_dataset(path: Path) -> Iterator[Callable[[str], np.ndarray]]:
    """Open a dataset once, for that takes long; yields a reader of its variables, which fails if that could not be."""
    try:
        dataset = open_results(path)
    except UNREADABLE as error:
        yield partial(_unreadable, error)
        return
    with dataset:
        yield lambda variable: np.asarray(dataset[variable].to_numpy())


def _unreadable(error: Exception, _variable: str) -> np.ndarray:
    raise error


def _of_table(path: Path, column: str) -> np.ndarray:
    return read_columns(path, [column])[column]


def _ledger_faults(ledgers: tuple[Ledger, ...], told: Mapping[str, Any] | None) -> Iterator[str]:
    """Name ledgers that do not close, and those of which the manifest says something else."""
    for ledger in ledgers:
        found = f"{ledger.name}: residual {ledger.residual:.3g} {ledger.unit}"
        if not ledger.passed:
            yield f"{found}, tolerance {ledger.tolerance:.3g}"
        elif told is not None and not _agrees(ledger, told.get(ledger.name)):
            yield f"{found}, the manifest has {told.get(ledger.name)}"
    for name in told.keys() - {ledger.name for ledger in ledgers} if told else ():
        yield f"{name}: in the manifest, but no ledger of this version of gridtwin"


def _agrees(ledger: Ledger, told: Mapping[str, Any] | None) -> bool:
    """Whether the manifest tells the same but for rounding."""
    return bool(told and told["pass"] and abs(told["residual"] - ledger.residual) <= ledger.tolerance)


def _compared(file: str, stored: Mapping[str, np.ndarray], read: Callable[[str], np.ndarray]) -> Check:
    """Compare what a final file holds by name, one at a time, with what the windows tell."""
    unlike = [name for name, values in stored.items() if not _equal(values, read, name)]
    return Check(
        file, f"{len(stored)} columns", tuple(f"{file}: {name} is not what the windows tell" for name in unlike)
    )


def _equal(values: np.ndarray, read: Callable[[str], np.ndarray], name: str) -> bool:
    try:
        return np.array_equal(values, read(name), equal_nan=values.dtype.kind == "f")
    except UNREADABLE:
        return False


def _short(path: Path, folder: RunFolder) -> str:
    return path.relative_to(folder.path).as_posix()


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
