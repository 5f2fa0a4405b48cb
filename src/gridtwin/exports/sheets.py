"""Tables for spreadsheets: columns with units, and no text that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Final

import numpy as np
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from gridtwin.errors import ResultsError
from gridtwin.results.files import write_atomically

__all__ = ["MAX_ROWS", "Sheet", "csv_text", "defused", "require_room", "write_csv", "write_workbook"]

MAX_ROWS: Final = 1_048_576  # of a sheet, by the format
MAX_COLUMNS: Final = 16_384
MAX_TEXT: Final = 32_767  # characters of a cell
MAX_NAME: Final = 31
TOLD_ROWS: Final = 1000  # between two reports of progress
# what a spreadsheet takes for the start of a formula or of a field of its own, full-width signs included
DANGEROUS: Final = re.compile("^[\\s\\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20|]|^[\t\r\n]")
UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML file may hold them
NO_SHEET_NAME: Final = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table with names and units in its head.

    Parameters
    ----------
    name : str
    columns : mapping of str to sequence
        Values of each column, all of one length; text, numbers, bool, datetime64 (written as UTC text), datetime
        without zone or None.
    units : mapping of str to str
        Unit of each column that has one.
    """

    name: str
    columns: Mapping[str, Sequence[object] | np.ndarray]
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows below the head."""
        return len(next(iter(self.columns.values()))) if self.columns else 0


def defused(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe before what would be one.

    Examples
    --------
    >>> defused("=1+1"), defused("bus 101")
    ("'=1+1", 'bus 101')
    """
    return f"'{text}" if DANGEROUS.match(text) else text


def csv_text(sheet: Sheet) -> str:
    """Return a sheet as CSV: a row of names, a row of units if there are any, then the values; numbers in full."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([defused(name) for name in sheet.columns])
    if sheet.units:
        writer.writerow([defused(sheet.units.get(name, "")) for name in sheet.columns])
    columns = [[_csv_cell(value) for value in _plain(values)] for values in sheet.columns.values()]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write what `csv_text` returns, in UTF-8."""
    content = csv_text(sheet).encode()
    write_atomically(path, lambda file: file.write(content))


def write_workbook(
    path: Path, sheets: Sequence[Sheet], progress: Callable[[int, int], None] = lambda _done, _total: None
) -> None:
    """Write sheets into one XLSX file; text is stored as text, whatever it looks like.

    Parameters
    ----------
    path : Path
    sheets : sequence of Sheet
    progress : callable, optional
        Told the rows done and those there are.

    Raises
    ------
    ResultsError
        If a sheet or a cell is larger than the format allows.
    """
    names = list(_sheet_names(sheets))
    for name, sheet in zip(names, sheets, strict=True):
        require_room(f"{path.name}: sheet {name!r}", sheet.rows + 1 + bool(sheet.units), len(sheet.columns))
    book, done, total = Workbook(write_only=True), 0, sum(sheet.rows for sheet in sheets)
    for name, sheet in zip(names, sheets, strict=True):
        page = book.create_sheet(name)
        page.freeze_panes = "A3" if sheet.units else "A2"
        page.append([_head(page, text) for text in sheet.columns])
        if sheet.units:
            page.append([_as_text(WriteOnlyCell(page), sheet.units.get(text, "")) for text in sheet.columns])
        columns = [_xlsx_cells(page, values) for values in sheet.columns.values()]
        for number, row in enumerate(zip(*columns, strict=True), start=1):
            page.append(row)
            if number % TOLD_ROWS == 0:
                progress(done + number, total)
        done += sheet.rows
        progress(done, total)
    write_atomically(path, book.save)


def require_room(where: str, rows: int, columns: int) -> None:
    """Refuse a sheet that is larger than the format allows.

    Raises
    ------
    ResultsError
        With what to do instead.
    """
    for what, size, most in (("rows", rows, MAX_ROWS), ("columns", columns, MAX_COLUMNS)):
        if size > most:
            raise ResultsError(
                f"{where} would have {size:,} {what}, the format allows {most:,}; "
                "select fewer variables or a shorter time, resample, or take csv or parquet"
            )


def _plain(values: Sequence[object] | np.ndarray) -> list[object]:
    """Return plain Python values; instants as ISO 8601 text, UTC."""
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "M":
            return [f"{instant}Z" for instant in values.astype("datetime64[s]").astype(str)]
        return list(values.tolist())
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _csv_cell(value: object) -> object:
    if isinstance(value, str):
        return defused(value)
    return "" if value is None or value != value else value  # noqa: PLR0124 - NaN is not itself


def _xlsx_cells(page: object, values: Sequence[object] | np.ndarray) -> Iterator[object]:
    """Yield what a column's cells hold, one after the other is written; the library would cut numbers to 16 digits."""
    cell = WriteOnlyCell(page)
    for value in _plain(values):
        if isinstance(value, str):
            yield _as_text(cell, value)
        elif not isinstance(value, float):
            yield value
        elif math.isnan(value):
            yield None
        elif math.isinf(value):
            yield _as_text(cell, str(value))
        elif float(f"{value:.16g}") == value:
            yield value
        else:
            cell.value, cell.data_type = repr(value), "n"
            yield cell


def _as_text(cell: WriteOnlyCell, text: str) -> WriteOnlyCell:
    """Let a cell hold a text as text: one that begins with = would be a formula."""
    if len(text) > MAX_TEXT:
        raise ResultsError(f"a cell holds {MAX_TEXT:,} characters, this text has {len(text):,}: {text[:60]}…")
    cell.value = UNPRINTABLE.sub("\ufffd", text)
    cell.data_type = "s"
    return cell


def _head(page: object, text: str) -> WriteOnlyCell:
    cell = _as_text(WriteOnlyCell(page), text)
    cell.font = Font(bold=True)
    return cell


def _sheet_names(sheets: Sequence[Sheet]) -> Iterator[str]:
    """Yield names that the format allows, each once."""
    taken: set[str] = set()
    for sheet in sheets:
        base = UNPRINTABLE.sub("", NO_SHEET_NAME.sub("_", sheet.name))[:MAX_NAME] or "sheet"
        numbered = (f"{base[: MAX_NAME - 4]}_{number}" for number in range(2, 1000))
        name = next(text for text in (base, *numbered) if text.lower() not in taken)
        taken.add(name.lower())
        yield name
