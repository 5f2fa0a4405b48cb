"""What the rooms below make of runs, as bytes to send: figures, the report, comparisons, exports."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gridtwin.compare import Comparison, compare
from gridtwin.exports.export import export
from gridtwin.exports.registry import FORMATS
from gridtwin.exports.sheets import Sheet, write_workbook
from gridtwin.report.figure import json_text, payload
from gridtwin.report.figures import FIGURES
from gridtwin.report.language import words_in
from gridtwin.report.page import page
from gridtwin.results.saved_run import SavedRun
from gridtwin.view.kept import Kept, stamp

__all__ = ["EXPORTS", "Drawings", "exported", "workbook"]

EXPORTS = tuple(form for name, form in FORMATS.items() if name != "postgresql")  # a database is none of a browser's


class Drawings:
    """Figures, reports and comparisons, each made once while its runs stay as they are."""

    def __init__(self) -> None:
        self._figures: Kept[tuple[bytes, Sheet] | None] = Kept(120)
        self._reports: Kept[bytes] = Kept(3)
        self._comparisons: Kept[Comparison] = Kept(12)

    def figure(self, run: SavedRun, name: str, lang: str) -> tuple[bytes, Sheet] | None:
        """Return a figure as JSON and its table; None where the run holds nothing of it."""
        return self._figures.get((*stamp(run), name, lang), lambda: _figure(run, name, lang))

    def report(self, runs: Sequence[SavedRun], lang: str) -> bytes:
        """Return the report about runs, the first of them the base: the page that `gridtwin report` writes."""
        key = (tuple(map(stamp, runs)), lang)
        return self._reports.get(key, lambda: page(runs, words_in(lang)).encode())

    def comparison(self, runs: Sequence[SavedRun]) -> Comparison:
        """Return runs compared with the first of them."""
        return self._comparisons.get(tuple(map(stamp, runs)), lambda: compare(runs))


def _figure(run: SavedRun, name: str, lang: str) -> tuple[bytes, Sheet] | None:
    figure = FIGURES[name](run, words_in(lang))
    if figure is None:
        return None
    about = {"caption": figure.caption, "unit": figure.unit, "sources": list(figure.sources)}
    return json_text(payload(figure) | about).encode(), figure.table


def workbook(comparison: Comparison) -> bytes:
    """Return a comparison as an XLSX file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comparison.xlsx"
        write_workbook(path, comparison.sheets())
        return path.read_bytes()


def exported(run: SavedRun, form: str, folder: Path) -> Path:
    """Write a run in a format into a folder; returns the file, a packed one where the format is a folder."""
    target = folder / f"{run.run_id}{FORMATS[form].suffix}"
    export(run, form, target)
    if target.is_dir():
        return Path(shutil.make_archive(str(target), "zip", target))
    return target
