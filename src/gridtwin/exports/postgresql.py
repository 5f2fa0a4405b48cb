"""A schema of a PostgreSQL database for each run, in one transaction; hypertables where TimescaleDB is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

from gridtwin.errors import ResultsError
from gridtwin.exports.long import LongTable, Tally, long_tables
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Selection, choose
from gridtwin.exports.sql import comments, create_table, literal, quoted
from gridtwin.results.saved_run import SavedRun

__all__ = ["schema_name", "write"]

MAX_NAME_BYTES: Final = 63  # PostgreSQL cuts longer names without a word
MARK: Final = "gridtwin run "  # begins the comment of a schema that is ours


def write(
    run: SavedRun, target: Path | str, selection: Selection, progress: Progress, *, replace: bool = False
) -> Rows:
    """Write a schema called after the run; all of it or, after an error, nothing.

    Raises
    ------
    ResultsError
        If the database cannot be reached or does not take the run, or has the schema already.
    """
    tables = long_tables(choose(run, selection))
    tally, schema = Tally(tables, progress), schema_name(run.run_id)
    with _connected(str(target)) as connection:
        _make_room(connection, schema, replace=replace)
        connection.execute(f"CREATE SCHEMA {quoted(schema)}".encode())
        connection.execute(f"COMMENT ON SCHEMA {quoted(schema)} IS {literal(MARK + run.run_id)}".encode())
        hypertables = _has_timescaledb(connection)
        for table in tables:
            connection.execute(create_table(table, schema).encode())
            if hypertables and table.steps:
                name = quoted(schema, table.name)
                connection.execute("SELECT create_hypertable(%s::regclass, %s)", (name, "time"))
            _copy(connection, table, schema, tally)
            for statement in comments(table, schema):
                connection.execute(statement.encode())
    return tally.end()


def schema_name(run_id: str) -> str:
    """Return a run's name as PostgreSQL can hold it: of one that is too long the beginning and a checksum."""
    name = run_id.encode()
    if len(name) <= MAX_NAME_BYTES:
        return run_id
    digest = hashlib.sha256(name).hexdigest()[:8]
    return f"{name[: MAX_NAME_BYTES - 9].decode(errors='ignore')}_{digest}"


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    """Yield a connection in a transaction that is committed at the end, or undone after an error."""
    try:
        with psycopg.connect(url) as connection:
            yield connection
    except psycopg.Error as error:
        reason = str(error).strip() or type(error).__name__
        if password := urlsplit(url).password:
            reason = reason.replace(password, "…")
        raise ResultsError(f"the database did not take the run, nothing was written: {reason}") from None


def _make_room(connection: psycopg.Connection, schema: str, *, replace: bool) -> None:
    found = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", (schema,)
    ).fetchone()
    if found is None:
        return
    if not str(found[0]).startswith(MARK):
        raise ResultsError(f"schema {schema!r} is there and was not written by gridtwin; rename or drop it")
    if not replace:
        raise ResultsError(f"schema {schema!r} is there already; replace it with --replace")
    connection.execute(f"DROP SCHEMA {quoted(schema)} CASCADE".encode())


def _has_timescaledb(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None


def _copy(connection: psycopg.Connection, table: LongTable, schema: str, tally: Tally) -> None:
    command = f"COPY {quoted(schema, table.name)} FROM STDIN (FORMAT csv)"
    with connection.cursor() as cursor, cursor.copy(command.encode()) as copy:
        for batch in table.batches():
            copy.write(_csv(batch))
            tally.add(table, batch.num_rows)


def _csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as COPY takes them; numbers in full, text quoted, so that empty text is none that is missing."""
    plain = {
        name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }
    out = BytesIO()
    write_csv(pa.table(plain), out, WriteOptions(include_header=False))
    return out.getvalue()
