"""One DuckDB file: a table for each table, with units and meanings as comments."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from gridtwin.exports.long import Tally, long_tables
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Selection, choose
from gridtwin.exports.sql import comments, create_table, quoted
from gridtwin.results.saved_run import SavedRun

__all__ = ["write"]


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write one database file."""
    tables = long_tables(choose(run, selection))
    tally = Tally(tables, progress)
    with duckdb.connect(str(target)) as database:
        for table in tables:
            database.execute(create_table(table))
            for batch in table.batches():
                database.register("batch", pa.Table.from_batches([batch]))
                database.execute(f"INSERT INTO {quoted(table.name)} SELECT * FROM batch")  # noqa: S608 - a name, quoted
                database.unregister("batch")
                tally.add(table, batch.num_rows)
            for statement in comments(table):
                database.execute(statement)
    return tally.end()
