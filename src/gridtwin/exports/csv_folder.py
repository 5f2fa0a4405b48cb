"""A folder of tidy CSV files: one for each table, a row of names, a row of units, then the values."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import CSVWriter, WriteOptions

from gridtwin.exports.long import LongTable, Tally, long_tables
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Selection, choose, local_texts
from gridtwin.exports.sheets import defused
from gridtwin.results.saved_run import SavedRun

__all__ = ["write"]


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write a folder; NaN and what is missing are empty cells, text that a spreadsheet would run gets an apostrophe."""
    folder = Path(target)
    folder.mkdir(parents=True)
    chosen = choose(run, selection)
    tables = long_tables(chosen)
    tally = Tally(tables, progress)
    for table in tables:
        with (folder / f"{table.name}.csv").open("wb") as file:
            file.write(_head(table).encode())
            kinds = pa.schema([(field.name, _written_type(field.type)) for field in table.schema])
            with CSVWriter(file, kinds, write_options=WriteOptions(include_header=False)) as writer:
                for batch in table.batches():
                    columns = [_written(column, chosen.selection) for column in batch.columns]
                    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=kinds))
                    tally.add(table, batch.num_rows)
    return tally.end()


def _head(table: LongTable) -> str:
    text = StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(defused(column.name) for column in table.columns)
    lines.writerow(defused(column.unit) for column in table.columns)
    return text.getvalue()


def _written_type(kind: pa.DataType) -> pa.DataType:
    text = pa.types.is_timestamp(kind) or pa.types.is_dictionary(kind)
    return pa.string() if text else kind


def _written(column: pa.Array, selection: Selection) -> pa.Array:
    """Return a column as it is written: text that is safe and times with their offset; no NaN."""
    if pa.types.is_floating(column.type):
        return pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_timestamp(column.type):
        labels, place = np.unique(np.asarray(column.cast(pa.timestamp("s"))), return_inverse=True)
        return pa.array(local_texts(labels, selection.tz)).take(pa.array(place))
    if pa.types.is_string(column.type):
        column = column.dictionary_encode()
    if pa.types.is_dictionary(column.type):
        return _defused(column.dictionary.to_pylist()).take(column.indices)
    return column


def _defused(texts: Sequence[str | None]) -> pa.Array:
    return pa.array([None if text is None else defused(text) for text in texts], pa.string())
