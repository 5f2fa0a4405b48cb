"""Statements that DuckDB and PostgreSQL both understand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from gridtwin.exports.long import LongTable

__all__ = ["comments", "create_table", "literal", "quoted"]

TYPES: Final = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "SMALLINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "REAL",
    pa.float64(): "DOUBLE PRECISION",
}


def quoted(*names: str) -> str:
    """Return an identifier, such as schema and table, that may hold any character.

    Examples
    --------
    >>> quoted("run", 'a"b')
    '"run"."a""b"'
    """
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """Return a text as a literal."""
    return "'" + text.replace("'", "''") + "'"


def create_table(table: LongTable, *schema: str) -> str:
    """Return the statement that makes an empty table."""
    columns = ", ".join(f"{quoted(field.name)} {_type(field.type)}" for field in table.schema)
    return f"CREATE TABLE {quoted(*schema, table.name)} ({columns})"


def comments(table: LongTable, *schema: str) -> Iterator[str]:
    """Yield the statements that say what each column is, its unit in brackets at the end."""
    for column in table.columns:
        unit = f" [{column.unit}]" if column.unit else ""
        place = quoted(*schema, table.name, column.name)
        yield f"COMMENT ON COLUMN {place} IS {literal(column.meaning + unit)}"


def _type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    return TYPES.get(kind, "TEXT")
