"""A folder of Parquet files in hive layout: table=…/month=…/part-0.parquet."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gridtwin.exports.long import LongTable, Tally, long_tables, months
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Selection, choose
from gridtwin.results.saved_run import SavedRun

__all__ = ["write"]


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write a folder; series by month of the zone, each column with its unit and meaning as metadata."""
    chosen = choose(run, selection)
    tables = long_tables(chosen)
    tally = Tally(tables, progress)
    for table in tables:
        folder = Path(target) / f"table={table.name}"
        if table.steps:
            for month, first, last in months(chosen):
                _write_part(folder / f"month={month}", table, first, last, tally)
        else:
            _write_part(folder, table, 0, 0, tally)
    return tally.end()


def _write_part(folder: Path, table: LongTable, first: int, last: int, tally: Tally) -> None:
    folder.mkdir(parents=True)
    about = [{"unit": column.unit, "meaning": column.meaning} for column in table.columns]
    schema = pa.schema([field.with_metadata(told) for field, told in zip(table.schema, about, strict=True)])
    with pq.ParquetWriter(folder / "part-0.parquet", schema, compression="zstd") as writer:
        for batch in table.read(first, last):
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            tally.add(table, batch.num_rows)
