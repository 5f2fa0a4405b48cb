"""Comparisons of runs, each made once while its runs stay as they are."""

from __future__ import annotations

import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from gridtwin.compare import Comparison, compare
from gridtwin.exports.sheets import write_workbook
from gridtwin.results.saved_run import SavedRun

__all__ = ["Comparisons", "workbook"]

KEPT = 12


class Comparisons:
    """The last few comparisons; a comparison of two years takes seconds."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[tuple[str, int], ...], Comparison] = OrderedDict()
        self._lock = Lock()

    def of(self, runs: Sequence[SavedRun]) -> Comparison:
        """Compare runs with the first of them.

        Raises
        ------
        ResultsError
            If they cannot be compared, or something in them cannot be read.
        """
        key = tuple((run.run_id, (run.path / "summary.json").stat().st_mtime_ns) for run in runs)
        with self._lock:
            made = self._made.pop(key, None)
        if made is None:
            made = compare(runs)
        with self._lock:
            self._made[key] = made
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made


def workbook(comparison: Comparison) -> bytes:
    """Return a comparison as an XLSX file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comparison.xlsx"
        write_workbook(path, comparison.sheets())
        return path.read_bytes()
