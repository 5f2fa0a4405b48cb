"""The runs of a folder: what each is and how far it got, told from a few small files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gridtwin.errors import GridtwinError, LockedError, ResultsError
from gridtwin.results.files import read_json
from gridtwin.results.journal import read_journal
from gridtwin.results.run_facts import read_facts
from gridtwin.results.store import RunFolder

__all__ = ["Listed", "RunsFolder", "State"]

STAMP = re.compile(r"_(\d{8}T\d{6})(?:_\d+)?$")  # of the run's name, UTC
WATCHED = ("journal.jsonl", "summary.json", "sessions.json")  # what changes while a run goes on
INSIDE = ("", "inputs", "windows")  # where links are looked for


class State(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Listed:
    """One run of the list.

    Parameters
    ----------
    run_id : str
    path : Path
    state : State
    started : datetime
        UTC; from the name of the folder, or from its age where the name does not say.
    scenario, policy : str
    windows, planned_windows : int
        Complete ones, and those until the last job is due; of runs that have not finished.
    remaining_s : float or None
        At the pace of the last process that worked on the run; None where there is no telling.
    summary : mapping
        `summary.json` of a finished run.
    fault : str
        Why it cannot be read.
    """

    run_id: str
    path: Path
    state: State
    started: datetime
    scenario: str = ""
    policy: str = ""
    windows: int = 0
    planned_windows: int = 0
    remaining_s: float | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""

    @property
    def ledgers_hold(self) -> bool | None:
        """Whether all ledgers of a finished run hold."""
        ledgers = self.summary.get("ledgers", {})
        return all(ledger["pass"] for ledger in ledgers.values()) if ledgers else None


class RunsFolder:
    """The runs of one folder; each is read again when its files have changed.

    A run is found by looking its name up in the listing. No path is ever made from what a browser sends, and folders
    that are or hold links are not entered.

    Parameters
    ----------
    path : Path
        Parent of the runs' folders.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._known: dict[str, tuple[tuple[int, ...], Listed]] = {}

    def runs(self) -> dict[str, Listed]:
        """Return all runs by name, the newest first."""
        found = [self._listed(name) for name in self._names()]
        return {run.run_id: run for run in sorted(found, key=lambda run: (run.started, run.run_id), reverse=True)}

    def left_out(self) -> list[str]:
        """Names of links, which are not entered: they may lead out of the folder."""
        with os.scandir(self.path) as entries:
            return sorted(entry.name for entry in entries if entry.is_symlink())

    def find(self, run_id: str) -> Listed | None:
        """Return the run of this name, or None where there is none."""
        there = run_id in set(self._folders()) and self._is_run(run_id)
        return self._listed(run_id) if there else None

    def _names(self) -> list[str]:
        return [name for name in self._folders() if self._is_run(name)]

    def _is_run(self, name: str) -> bool:
        return (self.path / name / WATCHED[0]).is_file()

    def _folders(self) -> Iterator[str]:
        if not self.path.is_dir():
            return
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name

    def _listed(self, name: str) -> Listed:
        path = self.path / name
        stamp = _stamp(path)
        known = self._known.get(name)
        if known is None or known[0] != stamp:
            self._known[name] = known = (stamp, _read(path))
        return _with_lock(known[1])


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes when a run does."""
    stats = (_stat(path / name) for name in WATCHED)
    return tuple(number for stat in stats if stat for number in (stat.st_mtime_ns, stat.st_size))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _read(path: Path) -> Listed:
    """Read one run; what is wrong with it is part of the answer."""
    listed = Listed(path.name, path, State.UNREADABLE, _started(path))
    try:
        _refuse_links(path)
        if (path / "summary.json").is_file():
            return _finished(listed, read_json(path / "summary.json"))
        return _unfinished(listed)
    except (GridtwinError, OSError) as error:
        return replace(listed, fault=str(error))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return replace(listed, fault=f"its files are not those of a run ({type(error).__name__})")


def _refuse_links(path: Path) -> None:
    """Raise where files of a run are links: they may lead to what is none of it."""
    for place in (path / name for name in INSIDE):
        if place.is_symlink():
            raise ResultsError(f"{place.name} is a link; put the folder itself there")
        if place.is_dir():
            with os.scandir(place) as entries:
                links = [entry.name for entry in entries if entry.is_symlink()]
            if links:
                raise ResultsError(f"{links[0]} is a link; put the file itself there")


def _finished(listed: Listed, summary: Mapping[str, Any]) -> Listed:
    if not summary["kpis"].keys() >= {"system_cost", "co2_t"}:
        raise ResultsError("its summary lacks key figures")
    return replace(
        listed,
        state=State.FINISHED,
        scenario=str(summary["scenario"]),
        policy=str(summary["policy"]),
        summary=summary,
    )


def _unfinished(listed: Listed) -> Listed:
    folder = RunFolder(listed.path)
    facts = read_facts(folder)
    windows = read_journal(folder.journal).windows
    return replace(
        listed,
        state=State.INTERRUPTED,
        scenario=facts.scenario,
        policy=facts.policy,
        windows=windows,
        planned_windows=facts.planned_windows,
        remaining_s=_remaining_s(listed.path, facts.planned_windows),
    )


def _remaining_s(path: Path, planned: int) -> float | None:
    """Estimate how long the planned windows will still take; None before the first is done."""
    file = path / "sessions.json"
    session: dict[str, Any] = read_json(file)[-1] if file.is_file() else {}
    done = session.get("windows", 0) - session.get("first_window", 0)
    if done <= 0:
        return None
    pace_s = float(session["seconds"]["total"] - session["seconds"]["build"]) / done
    return float(max(planned - session["windows"], 0) * pace_s)


def _with_lock(run: Listed) -> Listed:
    """Say whether a process is at work in a run: that changes without any file doing so."""
    if run.state is State.UNREADABLE:
        return run
    try:
        RunFolder(run.path).require_unlocked()
    except LockedError:
        return replace(run, state=State.RUNNING)
    except (GridtwinError, OSError):
        return run
    return run


def _started(path: Path) -> datetime:
    named = STAMP.search(path.name)
    try:
        if named:
            return datetime.strptime(named[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    except (ValueError, OSError):
        return datetime.fromtimestamp(0, tz=UTC)
