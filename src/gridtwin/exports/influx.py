"""All series in InfluxDB's line protocol: a measurement for each table, places as tags, variables as fields."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridtwin.errors import ResultsError
from gridtwin.exports.long import LongTable, Tally, long_tables
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Chosen, Selection, choose
from gridtwin.results.saved_run import SavedRun

__all__ = ["escaped", "write"]

ESCAPES: Final = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write one file, compressed where its name ends in .gz.

    Whole numbers are integers, all others floats; times are nanoseconds. A value that is NaN or infinite has no place
    in the format: its field is left out, and the last line of the file, a comment, says how many were.
    """
    chosen = choose(run, selection)
    tables = [table for table in long_tables(chosen) if table.name in chosen.tables]
    if not tables:
        raise ResultsError("only series can be written in line protocol; take csv, parquet or duckdb for other tables")
    tally, missing = Tally(tables, progress), 0
    with _opened(Path(target)) as file:
        for table in tables:
            tags = {"run": escaped(run.run_id)}
            for batch in table.batches():
                lines, without = _lines(batch, table, tags, chosen)
                missing += without
                file.write("".join(f"{line}\n" for line in lines).encode())
                tally.add(table, len(lines))
        file.write(f"# {missing} values that are NaN or infinite were left out\n".encode())
    return tally.end()


def escaped(text: str) -> str:
    r"""Return a measurement, tag or field key as line protocol writes it.

    Raises
    ------
    ResultsError
        If the format cannot hold it: a line break, or a backslash at the end.

    Examples
    --------
    >>> escaped("bus 1,a=b")
    'bus\\ 1\\,a\\=b'
    """
    if text.endswith("\\") or any(char in text for char in "\r\n"):
        raise ResultsError(f"line protocol cannot hold the name {text!r}: it ends in a backslash or has a line break")
    return text.translate(ESCAPES)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("wb") as plain:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=plain, compresslevel=6, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        else:
            yield plain


def _lines(
    batch: pa.RecordBatch, table: LongTable, tags: Mapping[str, str], chosen: Chosen
) -> tuple[Sequence[str], int]:
    """Return the lines of some rows, those without any value left out, and how many values were left out."""
    dims = chosen.tables[table.name][0].dims
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    fixed = "".join(f",{key}={value}" for key, value in tags.items())
    places = [pc.binary_join_element_wise(f",{dim}=", _tag(columns.pop(dim)), "") for dim in dims[1:]]
    stamps = _stamps(columns.pop(dims[0]), chosen)
    fields = [_field(name, column) for name, column in columns.items()]
    joined = pc.binary_join_element_wise(*fields, ",", null_handling="skip")
    head = pc.binary_join_element_wise(f"{escaped(table.name)}{fixed}", *places, "")
    lines = pc.binary_join_element_wise(head, joined, stamps, " ").filter(pc.not_equal(joined, ""))
    return lines.to_pylist(), sum(field.null_count for field in fields)


def _tag(column: pa.DictionaryArray) -> pa.Array:
    return pa.array([escaped(text) for text in column.dictionary.to_pylist()], pa.string()).take(column.indices)


def _stamps(column: pa.Array, chosen: Chosen) -> pa.Array:
    """Return instants in ns; a window has that of its first step."""
    if pa.types.is_timestamp(column.type):
        seconds = np.asarray(column.cast(pa.timestamp("s")).cast(pa.int64()))
    else:
        facts = chosen.run.facts
        seconds = np.asarray(column) * facts.window_steps * facts.step_s + int(facts.step_start(0).timestamp())
    return pa.array(seconds * 1_000_000_000).cast(pa.string())


def _field(name: str, column: pa.Array) -> pa.Array:
    """Return name=value, null where there is no finite value."""
    if pa.types.is_integer(column.type):
        return pc.binary_join_element_wise(f"{escaped(name)}=", column.cast(pa.string()), "i", "")
    finite = pc.if_else(pc.is_finite(column), column, None)
    return pc.binary_join_element_wise(f"{escaped(name)}=", finite.cast(pa.string()), "")
