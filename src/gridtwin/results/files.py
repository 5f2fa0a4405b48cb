"""Immutable files: written beside their place, flushed to disk, then renamed into it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gridtwin.errors import ResultsError

__all__ = [
    "PART",
    "read_columns",
    "read_json",
    "sha256",
    "sync_folder",
    "write_atomically",
    "write_columns",
    "write_json",
]

PART = ".part"  # ending of what is still being written


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file, then put it in place; a crash leaves either nothing or all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{PART}")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Flush the names of a folder's files to disk, so that a rename outlives a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_columns(path: Path, columns: Mapping[str, np.ndarray | pa.Array]) -> None:
    """Write one Parquet file; equal columns give equal bytes."""
    table = pa.table(
        {name: pa.array(value) if isinstance(value, np.ndarray) else value for name, value in columns.items()}
    )
    write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd", store_schema=True))


def read_columns(path: Path, names: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Read a Parquet file back into arrays; dictionary columns become strings.

    Parameters
    ----------
    path : Path
    names : sequence of str, optional
        Columns to read; all by default.

    Raises
    ------
    ResultsError
        If the file is missing or not readable, or lacks a column.
    """
    try:
        with pq.ParquetFile(path) as file:
            missing = set(names or ()) - set(file.schema_arrow.names)
            table = None if missing else file.read(names, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(
            f"{path}: cannot be read as Parquet ({error}); the run is incomplete or was altered"
        ) from error
    if table is None:
        raise ResultsError(f"{path}: has no column {', '.join(sorted(missing))}; the run was altered")
    return {name: _array(table.column(name)) for name in table.column_names}


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write JSON with stable order and indentation."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    """Read a JSON file of a run folder.

    Raises
    ------
    ResultsError
        If the file is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: cannot be read ({error}); the run is incomplete or was altered") from error


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _array(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return np.asarray(column.to_numpy())
