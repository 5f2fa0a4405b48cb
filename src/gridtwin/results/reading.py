"""A run as its folder tells it, nothing else needed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gridtwin.errors import ResultsError
from gridtwin.results.files import read_columns
from gridtwin.results.journal import Journal
from gridtwin.results.run_facts import RunFacts
from gridtwin.results.store import FINDING, JOB_END, JOB_START, JOB_STOP, RunData, RunFolder
from gridtwin.units import IntArray

__all__ = ["NEVER", "SUBMITTED", "findings", "read_run"]

NEVER = -1
SUBMITTED = "jobs"  # table in `inputs/` of all jobs as they were submitted


def read_run(folder: RunFolder, journal: Journal, facts: RunFacts) -> RunData:
    """Read back what the windows of a run have stored and join job starts and ends with the jobs submitted.

    Raises
    ------
    ResultsError
        If no window is complete, or a table is missing or not readable.
    """
    if not journal.windows:
        raise ResultsError(f"{folder.path}: no window is complete; go on with: gridtwin resume {folder.path}")
    time, variables = folder.read_variables(journal.windows, facts.coords)
    events = {table: folder.read_events(journal.windows, table) for table in folder.event_tables(journal)}
    inputs = {file.stem: read_columns(file) for file in sorted(folder.inputs.glob("*.parquet"))}
    submitted = {name: _wide(name, column) for name, column in inputs.pop(SUBMITTED).items()}
    return RunData(
        step_s=facts.step_s,
        coords=facts.coords,
        time=time,
        variables=variables,
        jobs=_with_outcome(submitted, events),
        events=events,
        inputs=inputs,
    )


def findings(run: RunData) -> dict[str, np.ndarray]:
    """All that AC broke in the run, one row each, in order of time."""
    texts = ("kind", "element", "unit")
    columns = {name: values for name, values in run.events[FINDING].items() if name != "window"}
    return {name: values.astype(str) if name in texts else values for name, values in columns.items()}


def _with_outcome(
    submitted: Mapping[str, np.ndarray], events: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Join the jobs with what became of each; -1 where it never started or ended.

    The site is that of the last start, the time that of the first; checkpoints and restarts are added up.
    """
    starts, stops, ends = (events[table] for table in (JOB_START, JOB_STOP, JOB_END))
    jobs = len(submitted["job"])
    site, start, end = (np.full_like(submitted["due_s"], NEVER) for _ in range(3))
    site[starts["row"]], end[ends["row"]] = starts["site_index"], ends["end_s"]
    start[starts["row"][::-1]] = starts["start_s"][::-1]
    return {
        **submitted,
        "site_index": site,
        "start_s": start,
        "end_s": end,
        "suspensions": np.bincount(stops["row"], minlength=jobs),
        "migrations": _migrations(starts, jobs),
        "checkpoint_s": _total(stops["row"], stops["checkpoint_s"], jobs),
        "restart_s": _total(starts["row"], starts["restart_s"], jobs),
    }


def _migrations(starts: Mapping[str, IntArray], jobs: int) -> IntArray:
    """Count how often each job started at another site than the time before."""
    order = np.argsort(starts["row"], kind="stable")
    row, site = starts["row"][order], starts["site_index"][order]
    elsewhere = (np.diff(row) == 0) & (np.diff(site) != 0)
    return np.bincount(row[1:][elsewhere], minlength=jobs)


def _total(row: IntArray, seconds: IntArray, jobs: int) -> IntArray:
    return np.bincount(row, weights=seconds, minlength=jobs).astype(np.int64)


def _wide(name: str, column: np.ndarray) -> np.ndarray:
    """Return whole numbers in 32 bits, nodes in 64, so that node-seconds do not overflow; a year has millions."""
    least = np.int64 if name == "nodes" else np.int32
    return column.astype(np.promote_types(column.dtype, least)) if column.dtype.kind == "i" else column
