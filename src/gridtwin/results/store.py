"""The run folder: one Parquet file per window and table, a state after each, a journal of their checksums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from gridtwin.errors import ResultsError
from gridtwin.results.files import read_columns, sha256, sync_folder, write_atomically, write_columns
from gridtwin.results.journal import WINDOW, Journal, append_entry, read_journal
from gridtwin.results.lock import locked, require_unlocked
from gridtwin.results.variables import tables, variables
from gridtwin.units import HOUR_S

__all__ = ["FINDING", "JOB_END", "JOB_START", "JOB_STOP", "RunData", "RunFolder"]

JOB_START = "job_start"
JOB_STOP = "job_stop"
JOB_END = "job_end"
FINDING = "finding"
LOCK = "lock"

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
    """Paths of a run, how its tables are laid out, and when they count."""

    path: Path

    @classmethod
    def create(cls, parent: Path, stem: str) -> RunFolder:
        """Make a folder that did not exist before."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for attempt in range(1000):
            path = parent / (f"{stem}_{stamp}" if attempt == 0 else f"{stem}_{stamp}_{attempt}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            return cls(path)
        raise FileExistsError(f"{parent}: no free name for a run of {stem}")

    @property
    def inputs(self) -> Path:
        """Folder of all that the run was made from."""
        return self.path / "inputs"

    @property
    def windows(self) -> Path:
        """Folder of the immutable tables."""
        return self.path / "windows"

    @property
    def journal(self) -> Path:
        """What is final, with checksums."""
        return self.path / "journal.jsonl"

    def file(self, window: int, table: str) -> Path:
        """Path of one table of one window."""
        return self.windows / f"w{window:05d}.{table}.parquet"

    def state(self, window: int) -> Path:
        """Path of the state at the start of a window."""
        return self.path / "state" / f"s{window:05d}.npz"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from writing here; raises LockedError if one does.

        Raises
        ------
        ResultsError
            If there is no such folder.
        """
        if not self.path.is_dir():
            raise ResultsError(f"{self.path}: no such folder; pass the folder that `gridtwin run` printed")
        with locked(self.path / LOCK):
            yield

    def require_unlocked(self) -> None:
        """Raise LockedError if a process is at work here."""
        require_unlocked(self.path / LOCK)

    def commit(self, kind: str, files: Iterable[Path], window: int = -1) -> None:
        """Enter files in the journal, once they and their names are on disk; from then on they count."""
        files = sorted(files)
        digests = {file.relative_to(self.path).as_posix(): sha256(file) for file in files}
        for place in sorted({file.parent for file in files}):
            sync_folder(place)
        append_entry(self.journal, kind, digests, window)
        sync_folder(self.path)

    def write_window(
        self,
        window: int,
        coords: Coordinates,
        time: np.ndarray,
        values: Mapping[str, np.ndarray],
        events: Mapping[str, Mapping[str, np.ndarray]],
        save_state: Callable[[BinaryIO], object],
    ) -> None:
        """Write every table of a window in long form, then the state after it, then commit them.

        Only the last two states are kept.

        Raises
        ------
        ResultsError
            If a variable of the table is missing, unknown, or has another shape than its dimensions.
        """
        _check_complete(values)
        lengths = {name: len(labels) for name, labels in coords.items()} | {"time": len(time), "window": 1}
        written: dict[str, Mapping[str, np.ndarray | pa.Array]] = dict(events)
        for table, members in tables().items():
            columns = _index_columns(members[0].dims, coords, time, window)
            for variable in members:
                columns[variable.name] = _checked(values[variable.name], variable.name, variable.dims, lengths).ravel()
            written[table] = columns
        for table, content in written.items():
            write_columns(self.file(window, table), content)
        write_atomically(self.state(window + 1), save_state)
        self.commit(WINDOW, [*(self.file(window, table) for table in written), self.state(window + 1)], window)
        self.state(window - 1).unlink(missing_ok=True)

    def read_journal(self) -> Journal:
        """Read what is final."""
        return read_journal(self.journal)

    def event_tables(self, journal: Journal) -> tuple[str, ...]:
        """Names of the tables that hold events, not variables."""
        first = (entry.files for entry in journal.entries if entry.kind == WINDOW)
        names = (Path(name).name.split(".")[1] for name in next(first, {}) if name.endswith(".parquet"))
        return tuple(name for name in names if name not in tables())

    def read_variables(self, windows: int, coords: Coordinates) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Read all tables of the first `windows` windows. Returns (time, arrays by variable).

        The rows of a table are in the order of its coordinates, so these need not be read back.
        """
        arrays: dict[str, np.ndarray] = {}
        time = np.zeros(0, dtype="datetime64[s]")
        by_steps = sorted(tables().items(), key=lambda item: item[1][0].dims != ("time",))
        for table, members in by_steps:
            timed = members[0].dims == ("time",)
            names = [variable.name for variable in members]
            whole = self._read_windows(windows, table, [*names, "time"] if timed else names)
            if timed:
                time = whole["time"].astype("datetime64[s]")
            lengths = {dim: len(labels) for dim, labels in coords.items()} | {"time": len(time), "window": windows}
            shape = tuple(lengths[dim] for dim in members[0].dims)
            arrays |= {name: whole[name].reshape(shape) for name in names}
        return time, arrays

    def read_events(self, windows: int, table: str) -> dict[str, np.ndarray]:
        """Read an event table of the first `windows` windows, one after the other; column `window` says which."""
        return self._read_windows(windows, table, number="window")

    def _read_windows(
        self, windows: int, table: str, names: Sequence[str] | None = None, number: str = ""
    ) -> dict[str, np.ndarray]:
        """Read columns of a table of the first `windows` windows, joined; column `number` counts the windows."""
        with ThreadPoolExecutor() as pool:
            parts = list(pool.map(lambda window: read_columns(self.file(window, table), names), range(windows)))
        lengths = [len(next(iter(part.values()))) for part in parts]
        counted = {number: np.repeat(np.arange(windows), lengths)} if number else {}
        return counted | {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


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
