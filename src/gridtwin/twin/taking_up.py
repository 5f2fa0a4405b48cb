"""Bringing the folder of an interrupted run to the last window that is complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gridtwin.errors import ResultsError
from gridtwin.results.files import PART, sha256
from gridtwin.results.journal import WINDOW, Entry, Journal
from gridtwin.results.store import RunFolder

__all__ = ["take_up"]


def take_up(folder: RunFolder) -> tuple[Journal, list[str]]:
    """Check what a run has committed and remove what it has not.

    Where the last state is damaged, its window is given up too: the state before it is kept for that.

    Returns
    -------
    Journal
        Of what is left.
    list of str
        What was removed, for people.

    Raises
    ------
    ResultsError
        If something is not as the journal has it and cannot be computed again.
    """
    journal = folder.read_journal()
    if journal.fault and not journal.torn:
        raise ResultsError(f"{folder.path}: {journal.fault}; run the scenario again")
    if not journal.entries:
        raise ResultsError(f"{folder.path}: was stopped before its inputs were kept; run the scenario again")
    entries = journal.entries if _state_is_sound(folder, journal.entries) else journal.entries[:-1]
    _require_sound(folder, entries)
    dropped = [f"{journal.fault}"] if journal.torn else []
    dropped += [f"window {entry.window}, whose state is damaged" for entry in journal.entries[len(entries) :]]
    sound = Journal(entries)
    if folder.journal.stat().st_size > entries[-1].end:
        os.truncate(folder.journal, entries[-1].end)
    for path in sorted(_uncommitted(folder, sound)):
        path.unlink()
        dropped.append(path.relative_to(folder.path).as_posix())
    return sound, dropped


def _state_is_sound(folder: RunFolder, entries: tuple[Entry, ...]) -> bool:
    """Whether the state that the last window ended in is as it was written, or none is needed."""
    last = entries[-1]
    state = folder.state(last.window + 1)
    return last.kind != WINDOW or last.files[state.relative_to(folder.path).as_posix()] == _digest(state)


def _require_sound(folder: RunFolder, entries: tuple[Entry, ...]) -> None:
    """Check every committed file that is still needed: all but the states before the last two."""
    files = Journal(entries).files
    gone = {folder.state(entry.window + 1) for entry in entries[:-1] if entry.kind == WINDOW}
    needed = {name: digest for name, digest in files.items() if folder.path / name not in gone}
    unlike = [name for name, digest in needed.items() if _digest(folder.path / name) != digest]
    if unlike:
        raise ResultsError(
            f"{folder.path}: missing or altered since it was written: {', '.join(unlike)}; run the scenario again"
        )


def _uncommitted(folder: RunFolder, journal: Journal) -> Iterator[Path]:
    """Yield what an interruption left half done."""
    places = {folder.path / name for name in journal.files}
    for sub in (folder.windows, folder.inputs, folder.state(0).parent):
        yield from (path for path in sub.rglob("*") if path.is_file() and path not in places)
    yield from folder.path.glob(f".*{PART}")


def _digest(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
