"""A selection in long form: one row for each step and place, as Arrow batches that never hold a year at once."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from itertools import pairwise
from math import prod
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gridtwin.economics.kpi_table import KPIS
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import RECORDS, Chosen, record_file
from gridtwin.results.variables import Variable, variables

__all__ = ["Column", "LongTable", "Tally", "long_tables", "months"]

BATCH_ROWS: Final = 1 << 16
Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column."""

    name: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True, eq=False)
class LongTable:
    """One table.

    Parameters
    ----------
    name : str
    columns : tuple of Column
    schema : pyarrow.Schema
        Of the batches.
    rows : int
        At most.
    steps : int
        Steps that the rows run along; 0 where they do not run along time.
    read : callable
        Yields batches of the rows of steps [first, last).
    """

    name: str
    columns: tuple[Column, ...]
    schema: pa.Schema
    rows: int
    steps: int
    read: Callable[[int, int], Batches]

    def batches(self) -> Batches:
        """Yield all rows."""
        yield from self.read(0, self.steps)


class Tally:
    """Counts rows as they are written and tells it."""

    def __init__(self, tables: Sequence[LongTable], progress: Progress) -> None:
        self._progress = progress
        self._total = sum(table.rows for table in tables)
        self.rows: dict[str, int] = {table.name: 0 for table in tables}

    def add(self, table: LongTable, rows: int) -> None:
        """Note rows of a table."""
        self.rows[table.name] += rows
        self._progress(sum(self.rows.values()), self._total)

    def end(self) -> Rows:
        """Return the rows of each table."""
        self._progress(self._total, self._total)
        return self.rows


def long_tables(chosen: Chosen) -> tuple[LongTable, ...]:
    """Return the chosen series, then the records, then what variables and key figures there are."""
    series = [_series(chosen, table, members) for table, members in chosen.tables.items()]
    records = [_records(chosen, name) for name in chosen.records]
    return (*series, *records, _about_variables(chosen), _key_figures(chosen))


def months(chosen: Chosen) -> Iterator[tuple[str, int, int]]:
    """Yield each month of the zone, such as 2026-01, with its steps [first, last)."""
    names = np.array([text[:7] for text in chosen.local_texts()])
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    for first, last in pairwise(edges):
        yield str(names[first]), first, last


# --- series -----------------------------------------------------------------------------------------------------------


def _series(chosen: Chosen, table: str, members: tuple[Variable, ...]) -> LongTable:
    dims = members[0].dims
    timed, resampled = dims[0] == "time", chosen.selection.resample_s is not None
    index = [(Column(dim, "", ABOUT_DIMS.get(dim, dim.replace("_", " "))), _index_type(chosen, dim)) for dim in dims]
    if timed and resampled:
        index.insert(1, (Column("steps", "1", "steps of the run in the step"), pa.int64()))
    values = [
        (Column(v.name, chosen.unit(v), chosen.meaning(v)), pa.from_numpy_dtype(chosen.values(v.name, 0, 1).dtype))
        for v in members
    ]
    columns = (*index, *values)
    return LongTable(
        name=table,
        columns=tuple(column for column, _ in columns),
        schema=pa.schema([(column.name, kind) for column, kind in columns]),
        rows=chosen.rows(table),
        steps=len(chosen.time) if timed else 0,
        read=partial(_timed_batches if timed else _window_batch, chosen, members),
    )


ABOUT_DIMS: Final = {"time": "start of the step", "window": "number of the window"}


def _index_type(chosen: Chosen, dim: str) -> pa.DataType:
    if dim == "time":
        return pa.timestamp("ms", tz=chosen.selection.zone)
    return pa.int64() if dim == "window" else pa.dictionary(pa.int32(), pa.string())


def _window_batch(chosen: Chosen, members: tuple[Variable, ...], _first: int, _last: int) -> Batches:
    values = {variable.name: pa.array(chosen.values(variable.name)) for variable in members}
    yield pa.RecordBatch.from_pydict({"window": pa.array(chosen.labels("window"), pa.int64()), **values})


def _timed_batches(chosen: Chosen, members: tuple[Variable, ...], first: int, last: int) -> Batches:
    dims = members[0].dims[1:]
    lengths = [len(chosen.labels(dim)) for dim in dims]
    stride = max(1, BATCH_ROWS // max(1, prod(lengths)))
    for begin in range(first, last, stride):
        end = min(begin + stride, last)
        place = np.indices((end - begin, *lengths)).reshape(len(lengths) + 1, -1)
        begins = pa.array(chosen.time[begin:end][place[0]])
        columns: dict[str, pa.Array] = {"time": begins.cast(_index_type(chosen, "time"))}
        if chosen.selection.resample_s is not None:
            columns["steps"] = pa.array(chosen.steps[begin:end][place[0]])
        for axis, dim in enumerate(dims, start=1):
            columns[dim] = pa.DictionaryArray.from_arrays(place[axis].astype(np.int32), list(chosen.labels(dim)))
        for variable in members:
            columns[variable.name] = pa.array(chosen.values(variable.name, begin, end).ravel())
        yield pa.RecordBatch.from_pydict(columns)


# --- records ----------------------------------------------------------------------------------------------------------


def _records(chosen: Chosen, name: str) -> LongTable:
    file = pq.ParquetFile(record_file(chosen.run, name))
    schema = pa.schema([_localised(field, chosen) for field in file.schema_arrow])
    known = _about_records()
    currency = chosen.run.facts.currency
    columns = tuple(
        Column(column, unit.format(currency=currency), meaning)
        for column in schema.names
        for unit, meaning in (known.get((name, column), ("", "")),)
    )
    read = partial(_record_batches, chosen, name, schema)
    return LongTable(name, columns, schema, file.metadata.num_rows, 0, read)


def _localised(field: pa.Field, chosen: Chosen) -> pa.Field:
    if pa.types.is_timestamp(field.type):
        return field.with_type(pa.timestamp("ms", tz=chosen.selection.zone))
    return pa.field(field.name, field.type)


def _record_batches(chosen: Chosen, name: str, schema: pa.Schema, _first: int, _last: int) -> Batches:
    with pq.ParquetFile(record_file(chosen.run, name)) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            kept = batch.filter(_within(batch.column(RECORDS[name]), chosen)) if RECORDS[name] else batch
            if kept.num_rows:
                columns = [column.cast(field.type) for column, field in zip(kept.columns, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _within(column: pa.Array, chosen: Chosen) -> pa.Array:
    """Which instants, or seconds after the start of the run, lie in the time chosen."""
    begin = datetime.fromisoformat(chosen.run.facts.start).timestamp()
    timed = pa.types.is_timestamp(column.type)
    seconds = np.asarray(column.cast(pa.timestamp("s")).cast(pa.int64()) if timed else column) + (0 if timed else begin)
    start, end = chosen.selection.start, chosen.selection.end
    after = seconds >= start.timestamp() if start else np.ones(len(seconds), bool)
    return pa.array(after & (seconds < end.timestamp()) if end else after)


@cache
def _about_records() -> Mapping[tuple[str, str], tuple[str, str]]:
    text = files("gridtwin.exports").joinpath("records.csv").read_text(encoding="utf-8")
    return {(row["table"], row["column"]): (row["unit"], row["meaning"]) for row in csv.DictReader(text.splitlines())}


# --- what there is ----------------------------------------------------------------------------------------------------


def _about_variables(chosen: Chosen) -> LongTable:
    chosen_ones = [variables()[name] for name in chosen.names]
    return _small(
        "variables",
        {
            "variable": ("name of the variable", [v.name for v in chosen_ones]),
            "table": ("where it is", [v.table for v in chosen_ones]),
            "dims": ("dimensions", [" ".join(v.dims) for v in chosen_ones]),
            "unit": ("unit", [chosen.unit(v) for v in chosen_ones]),
            "over_steps": ("what it is over several steps", [v.resample for v in chosen_ones]),
            "meaning": ("what it is", [chosen.meaning(v) for v in chosen_ones]),
        },
    )


def _key_figures(chosen: Chosen) -> LongTable:
    figures, currency = chosen.run.kpis, chosen.run.facts.currency
    known = [name for name in figures if name in KPIS]
    return _small(
        "key_figures",
        {
            "figure": ("name of the figure, over the whole run", known),
            "value": ("value", [None if figures[name] is None else float(figures[name] or 0) for name in known]),
            "unit": ("unit of the value", [KPIS[name].unit.format(currency=currency) for name in known]),
            "meaning": ("what it is", [KPIS[name].label for name in known]),
        },
    )


def _small(name: str, content: Mapping[str, tuple[str, Sequence[object]]]) -> LongTable:
    types = {column: pa.float64() if column == "value" else pa.string() for column in content}
    batch = pa.RecordBatch.from_pydict(
        {column: pa.array(values, types[column]) for column, (_, values) in content.items()}
    )
    columns = tuple(Column(column, "", meaning) for column, (meaning, _) in content.items())
    return LongTable(name, columns, batch.schema, batch.num_rows, 0, lambda _first, _last: iter((batch,)))
