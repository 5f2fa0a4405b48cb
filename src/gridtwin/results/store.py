"""The run folder: one Parquet file per window and table, a journal of their checksums, and reading them all back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from gridtwin.errors import ResultsError
from gridtwin.results.files import read_columns, sha256, write_columns
from gridtwin.results.variables import tables, variables
from gridtwin.units import HOUR_S

__all__ = ["FINDING", "JOB_END", "JOB_START", "JOB_STOP", "RunData", "RunFolder"]

JOB_START = "job_start"
JOB_STOP = "job_stop"
JOB_END = "job_end"
FINDING = "finding"

Coordinates = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class RunData:
    """All that a run stored, in memory.

    Parameters
    ----------
    step_s : int
    coords : mapping
        Labels of every dimension but time.
    time : ndarray (time,), datetime64[s], UTC
    variables : mapping
        Arrays by name, with the dimensions of the table of variables.
    jobs : mapping
        Columns of `jobs.parquet`; `start_s` (the first one) and `end_s` are -1 where a job never did.
    events : mapping
        Columns of the event tables as `RunFolder.read_events` returns them, by table and column.
    inputs : mapping
        Columns of the input tables in `inputs/`, by table and column.
    """

    step_s: int
    coords: Coordinates
    time: np.ndarray
    variables: Mapping[str, np.ndarray]
    jobs: Mapping[str, np.ndarray]
    events: Mapping[str, Mapping[str, np.ndarray]]
    inputs: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def step_h(self) -> float:
        """Length of a step, h."""
        return self.step_s / HOUR_S


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run and how its tables are laid out."""

    path: Path

    @property
    def windows(self) -> Path:
        """Folder of the immutable tables."""
        return self.path / "windows"

    def file(self, window: int, table: str) -> Path:
        """Path of one table of one window."""
        return self.windows / f"w{window:05d}.{table}.parquet"

    def write_window(
        self,
        window: int,
        coords: Coordinates,
        time: np.ndarray,
        values: Mapping[str, np.ndarray],
        events: Mapping[str, Mapping[str, np.ndarray]],
    ) -> None:
        """Write every table of a window in long form and enter them in the journal.

        Raises
        ------
        ResultsError
            If a variable of the table is missing, unknown, or has another shape than its dimensions.
        """
        _check_complete(values)
        lengths = {name: len(labels) for name, labels in coords.items()} | {"time": len(time), "window": 1}
        for table, members in tables().items():
            columns = _index_columns(members[0].dims, coords, time, window)
            for variable in members:
                columns[variable.name] = _checked(values[variable.name], variable.name, variable.dims, lengths).ravel()
            self._write(window, table, columns)
        for table, event in events.items():
            self._write(window, table, dict(event))

    def _write(self, window: int, table: str, columns: Mapping[str, np.ndarray | pa.Array]) -> None:
        path = self.file(window, table)
        write_columns(path, columns)
        entry = {"window": window, "table": table, "file": path.name, "sha256": sha256(path)}
        with (self.path / "journal.jsonl").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry) + "\n")
            journal.flush()
            os.fsync(journal.fileno())

    def read_variables(self, windows: int, coords: Coordinates) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Read all tables of the first `windows` windows. Returns (time, arrays by variable)."""
        arrays: dict[str, np.ndarray] = {}
        time = np.zeros(0, dtype="datetime64[s]")
        for table, members in tables().items():
            parts = [read_columns(self.file(window, table)) for window in range(windows)]
            shape = tuple(len(coords[dim]) for dim in members[0].dims[1:])
            for variable in members:
                arrays[variable.name] = np.concatenate([part[variable.name] for part in parts]).reshape(-1, *shape)
            if members[0].dims == ("time",):
                time = np.concatenate([part["time"] for part in parts]).astype("datetime64[s]")
        return time, arrays

    def read_events(self, windows: int, table: str) -> dict[str, np.ndarray]:
        """Read an event table of the first `windows` windows, one after the other; column `window` says which."""
        parts = [read_columns(self.file(window, table)) for window in range(windows)]
        lengths = [len(next(iter(part.values()))) for part in parts]
        return {
            "window": np.repeat(np.arange(windows), lengths),
            **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
        }


def _check_complete(values: Mapping[str, np.ndarray]) -> None:
    if missing := variables().keys() - values.keys():
        raise ResultsError(f"the window lacks {', '.join(sorted(missing))}")
    if unknown := values.keys() - variables().keys():
        raise ResultsError(f"not in the table of variables: {', '.join(sorted(unknown))}")


def _checked(value: np.ndarray, name: str, dims: tuple[str, ...], lengths: Mapping[str, int]) -> np.ndarray:
    expected = tuple(lengths[dim] for dim in dims)
    if value.shape != expected:
        raise ResultsError(f"{name} has shape {value.shape}, expected {expected} for dimensions {dims}")
    return value


def _index_columns(
    dims: tuple[str, ...], coords: Coordinates, time: np.ndarray, window: int
) -> dict[str, np.ndarray | pa.Array]:
    if dims == ("window",):
        return {"window": np.array([window])}
    lengths = [len(time), *(len(coords[dim]) for dim in dims[1:])]
    place = np.indices(lengths).reshape(len(lengths), -1)
    columns: dict[str, np.ndarray | pa.Array] = {"time": pa.array(time[place[0]], pa.timestamp("s", tz="UTC"))}
    for axis, dim in enumerate(dims[1:], start=1):
        columns[dim] = pa.DictionaryArray.from_arrays(place[axis].astype(np.int32), list(coords[dim]))
    return columns
