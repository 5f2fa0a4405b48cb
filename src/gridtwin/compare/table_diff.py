"""Differences of two tables: which cells of which rows, or how much of which series."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gridtwin.errors import ResultsError

__all__ = ["CellChange", "read_table", "table_changes"]

Columns: TypeAlias = Mapping[str, np.ndarray]
CellChange: TypeAlias = tuple[str, object, object, str]  # place, base, change, detail

MAX_CELLS = 12  # of one column that are named one by one
MAX_KEY = 3  # columns that may be needed to tell rows apart


def read_table(path: Path) -> Columns:
    """Read a CSV or Parquet file into columns; numbers where all of a CSV column are, text otherwise.

    Raises
    ------
    ResultsError
        If the file is neither.
    """
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            return {name: _array(table.column(name)) for name in table.column_names}
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        raise ResultsError(f"{path}: cannot be read as a table ({error}); the run was altered") from error
    wide = [row + [""] * (len(head) - len(row)) for row in rows if row]
    return {name: _typed([row[place] for row in wide]) for place, name in enumerate(head)}


def table_changes(base: Columns, change: Columns) -> Iterator[CellChange]:
    """Yield where two tables differ.

    Rows are matched by the fewest first columns that tell them apart in both tables. Tables of nothing but numbers
    without such a key are series: their rows are matched by position.

    Parameters
    ----------
    base, change : mappings of arrays
        As `read_table` returns them.

    Yields
    ------
    tuple
        Place, value in the base, value in the change (None where there is none), and what two values cannot say.
    """
    yield from ((f"column {name}", None, None, "added") for name in change if name not in base)
    yield from ((f"column {name}", None, None, "removed") for name in base if name not in change)
    shared = [name for name in base if name in change]
    if _is_series(base) and _is_series(change):
        for name in shared:
            yield from _series_changes(name, base[name], change[name])
    elif key := _key(base, change, shared):
        yield from _row_changes(base, change, key, shared)
    else:
        yield from _loose_changes(base, change, shared)


def _series_changes(name: str, base: np.ndarray, change: np.ndarray) -> Iterator[CellChange]:
    steps = min(len(base), len(change))
    detail = "" if len(base) == len(change) else f"{len(base):,} → {len(change):,} values; "
    changed = np.flatnonzero(~_same(base[:steps], change[:steps]))
    if len(changed) and base.dtype.kind in "biuf" and change.dtype.kind in "biuf":
        difference = change[changed].astype(float) - base[changed].astype(float)
        sizes = np.nan_to_num(np.abs(difference))
        most = int(np.argmax(sizes))
        detail += f"{len(changed):,} of {steps:,} values differ, most at row {changed[most]:,}: {difference[most]:+.6g}"
    elif len(changed):
        detail += f"{len(changed):,} of {steps:,} values differ"
    if detail:
        yield name, None, None, detail.removesuffix("; ")


def _row_changes(base: Columns, change: Columns, key: Sequence[str], shared: Sequence[str]) -> Iterator[CellChange]:
    old, new = (_places(columns, key) for columns in (base, change))
    yield from _named_rows([row for row in new if row not in old], "row added")
    yield from _named_rows([row for row in old if row not in new], "row removed")
    rows = [row for row in old if row in new]
    here, there = ([places[row] for row in rows] for places in (old, new))
    for name in (name for name in shared if name not in key):
        before, after = base[name][here], change[name][there]
        changed = np.flatnonzero(~_same(before, after))
        if len(changed) > MAX_CELLS:
            yield from _series_of_rows(name, rows, before, after, changed)
        else:
            for place in changed:
                yield f"{rows[place]}: {name}", _plain(before[place]), _plain(after[place]), ""


def _series_of_rows(
    name: str, rows: Sequence[str], before: np.ndarray, after: np.ndarray, changed: np.ndarray
) -> Iterator[CellChange]:
    detail = f"{len(changed):,} of {len(rows):,} rows differ"
    if before.dtype.kind in "biuf" and after.dtype.kind in "biuf":
        difference = np.nan_to_num(after.astype(float) - before.astype(float))
        most = int(np.argmax(np.abs(difference)))
        detail += f", most at {rows[most]}: {before[most]:g} → {after[most]:g}"
    yield f"column {name}", None, None, detail


def _loose_changes(base: Columns, change: Columns, shared: Sequence[str]) -> Iterator[CellChange]:
    """Compare as bags of rows where nothing tells rows apart."""
    old, new = (Counter(zip(*(columns[name].tolist() for name in shared), strict=True)) for columns in (base, change))
    added, removed = sum((new - old).values()), sum((old - new).values())
    if added or removed:
        yield "rows", None, None, f"{added:,} added, {removed:,} removed"


def _named_rows(rows: Sequence[str], what: str) -> Iterator[CellChange]:
    yield from ((row, None, None, what) for row in rows[:MAX_CELLS])
    if len(rows) > MAX_CELLS:
        yield "rows", None, None, f"{len(rows) - MAX_CELLS:,} further: {what}"


def _is_series(columns: Columns) -> bool:
    return all(values.dtype.kind in "biuf" for values in columns.values())


def _key(base: Columns, change: Columns, shared: Sequence[str]) -> Sequence[str]:
    """Return the fewest of the first columns that no two rows of a table have in common; none if there are none."""
    first = shared[:MAX_KEY]
    for width in range(1, len(first) + 1):
        for names in combinations(first, width):
            if names[0] == first[0] and all(_unique(columns, names) for columns in (base, change)):
                return names
    return ()


def _unique(columns: Columns, names: Sequence[str]) -> bool:
    rows = _places(columns, names)
    return len(rows) == len(columns[names[0]])


def _places(columns: Columns, key: Sequence[str]) -> dict[str, int]:
    texts = zip(*(columns[name].tolist() for name in key), strict=True)
    return {"/".join(_text(value) for value in row): place for place, row in enumerate(texts)}


def _same(base: np.ndarray, change: np.ndarray) -> np.ndarray:
    if base.dtype.kind in "biuf" and change.dtype.kind in "biuf":
        return np.asarray((base == change) | (np.isnan(base.astype(float)) & np.isnan(change.astype(float))))
    return np.array([_text(old) == _text(new) for old, new in zip(base.tolist(), change.tolist(), strict=True)], bool)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> object:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if plain == "" or plain != plain else plain  # noqa: PLR0124 - NaN is not itself


def _typed(cells: list[str]) -> np.ndarray:
    """Return numbers where every cell is one or empty, and one at least is; text otherwise."""
    if not any(cells):
        return np.array(cells, object)
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return np.array(cells, object)


def _array(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return np.asarray(column.to_numpy())
