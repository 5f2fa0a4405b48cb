"""Tables of the registry of compute as files: CSV, JSON or a workbook."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gridtwin.errors import RegistryError
from gridtwin.exports.sheets import Sheet, write_csv, write_workbook
from gridtwin.results.files import write_atomically

__all__ = ["write_tables"]

UNITS: Final = {"tflops": "TFLOP/s", "tops": "TOP/s", "mw": "MW", "w": "W", "gb": "GB", "racks": "2.5 kW IT"}

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def write_tables(tables: Tables, path: Path, *, replace: bool = False) -> list[str]:
    """Write tables into a file whose ending says how: `.csv` holds the first, `.json` and `.xlsx` hold all.

    Parameters
    ----------
    tables : mapping of str to sequence of rows
    path : Path
    replace : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    list of str
        Tables that the file has no room for.

    Raises
    ------
    RegistryError
        If the ending is another, or the file is there.
    """
    write = _WRITERS.get(path.suffix)
    if write is None:
        raise RegistryError(f"{path} ends in {path.suffix!r}; expected one of {', '.join(_WRITERS)}")
    if path.exists() and not replace:
        raise RegistryError(f"{path} is there; replace it with --replace, or name another file")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, tables)
    return list(tables)[1:] if path.suffix == ".csv" else []


def _csv(path: Path, tables: Tables) -> None:
    name, rows = next(iter(tables.items()))
    write_csv(path, _sheet(name, rows, units=False))


def _json(path: Path, tables: Tables) -> None:
    content = json.dumps(tables, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(content.encode()))


def _xlsx(path: Path, tables: Tables) -> None:
    write_workbook(path, [_sheet(name, rows, units=True) for name, rows in tables.items()])


_WRITERS: Final[Mapping[str, Callable[[Path, Tables], None]]] = {".csv": _csv, ".json": _json, ".xlsx": _xlsx}


def _sheet(name: str, rows: Sequence[Mapping[str, Any]], *, units: bool) -> Sheet:
    """Return rows as columns; in a CSV file the names alone carry the units, so that programs read it back."""
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    named = {column: UNITS[ending] for column in columns if (ending := column.split("_")[-1]) in UNITS}
    return Sheet(name, columns, named if units else {})
