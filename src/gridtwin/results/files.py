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

__all__ = ["read_columns", "sha256", "write_atomically", "write_columns", "write_json"]


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file, then put it in place; a crash leaves either nothing or all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_columns(path: Path, columns: Mapping[str, np.ndarray | pa.Array]) -> None:
    """Write one Parquet file; equal columns give equal bytes."""
    table = pa.table(
        {name: pa.array(value) if isinstance(value, np.ndarray) else value for name, value in columns.items()}
    )
    write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd", store_schema=True))


def read_columns(path: Path, columns: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """Read a Parquet file, or some of its columns, back into arrays; dictionary columns become strings.

    Raises
    ------
    ResultsError
        If the file is missing or not readable.
    """
    try:
        table = pq.read_table(path, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException) as error:
        raise ResultsError(
            f"{path}: cannot be read as Parquet ({error}); the run is incomplete or was altered"
        ) from error
    if missing := [name for name in columns or () if name not in table.column_names]:
        raise ResultsError(f"{path}: no column {', '.join(missing)}; the run is of an older version, run it again")
    return {name: _array(table.column(name)) for name in table.column_names}


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write JSON with stable order and indentation."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _array(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return np.asarray(column.to_numpy())
