"""Profile files: Parquet or CSV with one column per name and one row per step."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from gridtwin.errors import Issue
from gridtwin.located import Field, Position, read_csv, shown
from gridtwin.units import FloatArray

__all__ = ["Clock", "Series", "read_series"]


@dataclass(frozen=True, slots=True)
class Clock:
    """When the first row of a profile begins and how long each lasts."""

    start: datetime
    step_s: int

    def instant(self, row: int) -> datetime:
        """Return when a row begins; rows count from 0."""
        return self.start + timedelta(seconds=row * self.step_s)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Columns of a profile file."""

    file: str
    clock: Clock
    name: tuple[str, ...]
    values: FloatArray  # (row, name)

    @property
    def length_s(self) -> int:
        """How long the series is, s."""
        return len(self.values) * self.clock.step_s

    def columns(self, names: tuple[str, ...]) -> FloatArray:
        """Return some columns by name, (row, name)."""
        return self.values[:, [self.name.index(name) for name in names]]

    def overlaid(self, other: Series) -> Series:
        """Return the same columns, those that `other` has with its values; it has as many rows and no further names."""
        values = self.values.copy()
        values[:, [self.name.index(name) for name in other.name]] = other.values
        return replace(self, values=values)


def read_series(
    path: Path, clock: Clock, issues: list[Issue], at_least: float = -math.inf, at_most: float = math.inf
) -> Series | None:
    """Read a profile file.

    Parameters
    ----------
    path : Path
        `*.parquet` or `*.csv`.
    clock : Clock
        Start and step of the profile; they name the bad rows.
    issues : list of Issue
        Receives one issue per column with NaN or impossible values. In Parquet, line and column count rows and
        columns from 1.
    at_least, at_most : float
        Range of possible values.

    Returns
    -------
    Series or None
        None where the file cannot be used.
    """
    read = _read_parquet if path.suffix == ".parquet" else _read_csv
    columns = read(path, issues)
    if columns is None:
        return None
    if not columns or not len(next(iter(columns.values()))):
        issues.append(Position(shown(path)).issue("holds no values; expected one column per name, one row per step"))
        return None
    series = Series(shown(path), clock, tuple(columns), np.stack(list(columns.values()), axis=1))
    first_line = 1 if path.suffix == ".parquet" else 2
    issues.extend(_impossible(series, at_least, at_most, first_line))
    return series


def _read_csv(path: Path, issues: list[Issue]) -> dict[str, FloatArray] | None:
    """Read all columns of a CSV file; the reader reports bad cells."""
    found: list[Issue] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            names = [name.strip() for name in next(csv.reader([file.readline()]), [])]
    except (OSError, UnicodeDecodeError):
        names = []
    table = read_csv(path, [Field(name) for name in names], (), found)
    issues.extend(found)
    return {name: np.asarray(table.columns[name], dtype=np.float64) for name in names} if table and not found else None


def _read_parquet(path: Path, issues: list[Issue]) -> dict[str, FloatArray] | None:
    """Read all columns of a Parquet file."""
    import pyarrow as pa  # noqa: PLC0415 - a tenth of a second that CSV models need not pay
    import pyarrow.parquet as pq  # noqa: PLC0415

    where = Position(shown(path))
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        issues.append(where.issue(f"cannot be read as Parquet: {str(error).splitlines()[0]}"))
        return None
    texts = [f for f in table.schema if not (pa.types.is_floating(f.type) or pa.types.is_integer(f.type))]
    issues.extend(where.issue(f"column {f.name!r} is {f.type}; expected numbers") for f in texts)
    if texts:
        return None
    return {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}


def _impossible(series: Series, at_least: float, at_most: float, first_line: int) -> list[Issue]:
    """Return one issue for each column with values that cannot be; the first is named, the others counted."""
    possible = np.isfinite(series.values) & (series.values >= at_least) & (series.values <= at_most)
    expected = f"numbers >= {at_least:g}" if math.isinf(at_most) else f"numbers from {at_least:g} to {at_most:g}"
    found = []
    for column in np.flatnonzero(~possible.all(axis=0)):
        rows = np.flatnonzero(~possible[:, column])
        row, value = int(rows[0]), series.values[rows[0], column]
        more = f" and in {len(rows) - 1} more rows" if len(rows) > 1 else ""
        message = (
            f"column {series.name[column]!r} is {value:g} in row {row + 1} "
            f"({series.clock.instant(row).isoformat()}){more}; expected {expected}"
        )
        found.append(Position(series.file, row + first_line, int(column) + 1).issue(message))
    return found
