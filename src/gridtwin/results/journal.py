"""The journal of a run: what is final, file by file with checksums, in one line of JSON per step of the run.

The first line commits the inputs, each further one a window, the last one the files of the closed run. A line holds the
checksum of the line before, so that none can be taken out; a file counts only when a complete line names it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridtwin.errors import ResultsError

__all__ = ["CLOSED", "INPUTS", "WINDOW", "Entry", "Journal", "append_entry", "read_journal"]

INPUTS = "inputs"
WINDOW = "window"
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: files that are final from here on, SHA-256 by path in the run folder."""

    kind: str
    window: int  # number of the window; -1 where the line is not about one
    files: Mapping[str, str]
    end: int  # bytes of the journal up to the end of this line


@dataclass(frozen=True, slots=True)
class Journal:
    """The lines of a journal up to the first that is not sound."""

    entries: tuple[Entry, ...]
    fault: str = ""  # what is wrong with the first line that is not sound
    torn: bool = False  # that line is the last one, as a loss of power may leave it

    @property
    def windows(self) -> int:
        """Windows that are complete."""
        return sum(entry.kind == WINDOW for entry in self.entries)

    @property
    def closed(self) -> bool:
        """Whether the run has ended and its final files are written."""
        return bool(self.entries) and self.entries[-1].kind == CLOSED

    @property
    def files(self) -> dict[str, str]:
        """SHA-256 of every file by its path in the run folder."""
        return {name: digest for entry in self.entries for name, digest in entry.files.items()}


def append_entry(path: Path, kind: str, files: Mapping[str, str], window: int = -1) -> None:
    """Append one line and flush it to disk."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    line = _line(_digest(lines[-1]) if lines else "", kind, window, files)
    with path.open("ab") as journal:
        journal.write(line)
        journal.flush()
        os.fsync(journal.fileno())


def read_journal(path: Path) -> Journal:
    """Read all sound lines of a journal.

    Raises
    ------
    ResultsError
        If there is no journal.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise ResultsError(f"{path.parent}: not the folder of a run, it has no journal ({error})") from error
    entries: list[Entry] = []
    previous, end = "", 0
    for number, line in enumerate(lines, start=1):
        end += len(line)
        try:
            entries.append(_entry(line, previous, entries, end))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return Journal(tuple(entries), f"line {number} of {path.name}: {error}", torn=number == len(lines))
        previous = _digest(line)
    return Journal(tuple(entries))


def _line(previous: str, kind: str, window: int, files: Mapping[str, str]) -> bytes:
    number = {"window": window} if kind == WINDOW else {}
    content: dict[str, Any] = {"previous": previous, "entry": kind, **number, "files": dict(files)}
    return json.dumps(content).encode() + b"\n"


def _entry(line: bytes, previous: str, before: list[Entry], end: int) -> Entry:
    """Read one line; raises ValueError or the like where it does not say what may follow `before`."""
    content = json.loads(line)
    entry = Entry(content["entry"], content.get("window", -1), content["files"], end)
    if _line(content["previous"], entry.kind, entry.window, entry.files) != line:
        raise ValueError("is cut off or was altered")
    if content["previous"] != previous:
        raise ValueError("does not follow the line before it; a line was altered or taken out")
    windows = sum(one.kind == WINDOW for one in before)
    fits = {
        INPUTS: not before,
        WINDOW: bool(before) and before[-1].kind != CLOSED and entry.window == windows,
        CLOSED: bool(before) and before[-1].kind != CLOSED,
    }
    if not fits.get(entry.kind, False):
        raise ValueError(f"has {entry.kind!r} {entry.window} out of order")
    return entry


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
