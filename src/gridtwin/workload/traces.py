"""Job traces: submit time, runtime and width of real jobs, from Parquet or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gridtwin.errors import InputError, Issue
from gridtwin.units import DAY_S, BoolArray, FloatArray, IntArray

__all__ = ["TRACE_COLUMNS", "Trace", "read_trace"]

TRACE_COLUMNS = ("submit_s", "runtime_s", "cores")


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Jobs of a trace in order of submission, in whole seconds after its start."""

    submit_s: IntArray  # (job,) >= 0
    runtime_s: IntArray  # (job,) > 0, fractions rounded up
    cores: FloatArray  # (job,) > 0

    def __len__(self) -> int:
        return len(self.submit_s)

    @property
    def period_s(self) -> int:
        """Whole days after which the trace repeats: the days that hold every submission."""
        return (int(self.submit_s.max()) // DAY_S + 1) * DAY_S

    @property
    def jobs_per_day(self) -> float:
        """Mean submissions per day."""
        return len(self) * DAY_S / self.period_s


def read_trace(path: Path | str) -> Trace:
    """Read a trace.

    Parameters
    ----------
    path : path
        A `.parquet` or `.csv` file with the columns `submit_s`, `runtime_s` and `cores`; others are ignored. Rows may
        be in any order.

    Returns
    -------
    Trace

    Raises
    ------
    InputError
        With one issue per fault: no such file, wrong format, missing columns, no rows, cells that are not numbers,
        submit times below 0, runtimes or cores not above 0. Faulty rows are counted and the first are named.
    """
    path = Path(path)
    table = _read_table(path)
    missing = [name for name in TRACE_COLUMNS if name not in table.columns]
    if missing:
        raise InputError(
            [_issue(path, 1, f"missing column {name!r}; the file has {', '.join(table.columns)}") for name in missing]
        )
    if table.empty:
        raise InputError([_issue(path, 0, "the trace has no rows; expected at least one job")])
    columns = {name: _numbers(table[name]) for name in TRACE_COLUMNS}
    issues = [issue for name, values in columns.items() for issue in _faults(path, name, values)]
    if issues:
        raise InputError(issues)
    order = np.argsort(columns["submit_s"], kind="stable")
    return Trace(
        submit_s=np.floor(columns["submit_s"][order]).astype(np.int64),
        runtime_s=np.ceil(columns["runtime_s"][order]).astype(np.int64),
        cores=columns["cores"][order],
    )


def _read_table(path: Path) -> pd.DataFrame:
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    if path.suffix not in readers:
        raise InputError([_issue(path, 0, f"a trace is a .parquet or .csv file, got {path.suffix or 'no suffix'!r}")])
    if not path.is_file():
        near = ", ".join(sorted(other.name for suffix in readers for other in path.parent.glob(f"*{suffix}")))
        raise InputError([_issue(path, 0, f"no such trace; {near or 'no trace'} is in {path.parent}")])
    try:
        return readers[path.suffix](path)
    except (ValueError, OSError) as error:
        raise InputError([_issue(path, 0, f"cannot be read as {path.suffix[1:]}: {error}")]) from error


def _numbers(column: pd.Series) -> FloatArray:
    return np.asarray(pd.to_numeric(column, errors="coerce"), np.float64)


def _faults(path: Path, name: str, values: FloatArray) -> Iterator[Issue]:
    finite = np.isfinite(values)
    yield from _fault(path, name, ~finite, "not a number", "fill or remove them")
    if name == "submit_s":
        yield from _fault(path, name, finite & (values < 0.0), "below 0", "count seconds from the trace's start")
    else:
        yield from _fault(path, name, finite & (values <= 0.0), "not above 0", "remove jobs that did not run")


def _fault(path: Path, name: str, wrong: BoolArray, what: str, advice: str) -> Iterator[Issue]:
    if wrong.any():
        rows = np.flatnonzero(wrong)
        first = ", ".join(str(row + 1) for row in rows[:3])
        message = f"{name}: {len(rows)} of {len(wrong)} values are {what} (first in data rows {first}); {advice}"
        yield _issue(path, int(rows[0]) + 2 if path.suffix == ".csv" else 0, message)


def _issue(path: Path, line: int, message: str) -> Issue:
    return Issue(str(path), line if path.suffix == ".csv" else 0, 0, message)
