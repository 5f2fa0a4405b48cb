"""How long each process has worked on a run; kept apart from all that must not depend on the clock."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

from gridtwin.results.files import read_json, write_json

__all__ = ["SESSIONS", "Sessions"]

SESSIONS = "sessions.json"


class Sessions:
    """Seconds by phase of every process that worked on a run, this one last.

    Parameters
    ----------
    folder : Path
        Of the run. A process that is killed has noted there what it did up to its last complete window.
    first_window : int
        Where this process begins.
    seconds : dict of str to float, s
        By phase of this process, from the coordinator, which adds to it.
    begun : float, s
        When this process began, by `perf_counter`.
    """

    def __init__(self, folder: Path, first_window: int, seconds: dict[str, float], begun: float) -> None:
        self.seconds = seconds
        seconds["build"] = perf_counter() - begun
        self._begun = begun
        self._file = folder / SESSIONS
        self._all: list[dict[str, Any]] = read_json(self._file) if self._file.exists() else []
        self._all.append({"first_window": first_window})

    def __len__(self) -> int:
        return len(self._all)

    def note(self, windows: int) -> None:
        """Write down what this process has done so far; `windows` are complete."""
        seconds = self.seconds | {"total": perf_counter() - self._begun}
        rounded = {phase: round(value, 3) for phase, value in seconds.items()}
        self._all[-1] |= {"windows": windows, "seconds": rounded}
        write_json(self._file, self._all)

    def total_s(self) -> dict[str, float]:
        """Return seconds by phase as noted by all processes."""
        phases = dict.fromkeys(phase for session in reversed(self._all) for phase in session["seconds"])
        sums = {phase: sum(session["seconds"].get(phase, 0.0) for session in self._all) for phase in phases}
        return {phase: round(value, 3) for phase, value in sums.items()}
