"""Executed jobs in the Standard Workload Format, version 2.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow.csv import WriteOptions, write_csv

from gridtwin.errors import ResultsError
from gridtwin.exports.long import long_tables
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Chosen, Selection, choose
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import IntArray

__all__ = ["write"]

COMPLETED, UNKNOWN = 1, -1
FIELDS: Final = 18
LINES: Final = 1 << 18  # written at a time
NEEDED: Final = [
    "submit_s", "wait_s", "start_s", "end_s", "nodes", "estimate_s", "suspensions", "origin_index", "class_index",
    "delay_class_index", "site_index",
]  # fmt: skip
CLOCK: Final = "%a %b %d %H:%M:%S %Z %Y"


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write the jobs submitted in the time chosen, in order of submission.

    A node is a processor; a group is an origin, a queue a delay class, a partition a compute class at a site, all
    counted from 1. The run time is from the first start to the end, pauses included. What did not end has status -1.

    Raises
    ------
    ResultsError
        If jobs were not chosen, or are to be resampled.
    """
    chosen = choose(run, selection)
    if "jobs" not in chosen.records or selection.resample_s is not None:
        raise ResultsError("swf holds jobs and nothing else, one line each; leave out --variable and --resample")
    jobs = _jobs(chosen)
    count, classes = len(jobs["nodes"]), len(run.facts.coords["compute_class"])
    with Path(target).open("wb") as file:
        file.write("".join(f"{line}\n" for line in _header(chosen, jobs)).encode())
        for first in range(0, count, LINES):
            rows = {name: values[first : first + LINES] for name, values in jobs.items()}
            write_csv(_lines(rows, first, classes), file, WriteOptions(include_header=False, delimiter=" "))
            progress(min(first + LINES, count), count)
    return {"jobs": count}


def _jobs(chosen: Chosen) -> Mapping[str, IntArray]:
    """Return the numbers of the jobs that are needed, in order of submission."""
    (table,) = (table for table in long_tables(chosen) if table.name == "jobs")
    schema = pa.schema([table.schema.field(name) for name in NEEDED])
    read = pa.Table.from_batches([batch.select(NEEDED) for batch in table.batches()], schema)
    order = np.argsort(np.asarray(read["submit_s"]), kind="stable")
    return {name: np.asarray(read[name])[order] for name in NEEDED}


def _lines(jobs: Mapping[str, IntArray], before: int, classes: int) -> pa.Table:
    """Return some lines; `before` counts the jobs ahead of them."""
    count = len(jobs["nodes"])
    started, ended = jobs["start_s"] >= 0, jobs["end_s"] >= 0
    partition = jobs["site_index"] * classes + jobs["class_index"] + 1
    known = {
        1: np.arange(before + 1, before + count + 1),
        2: jobs["submit_s"],
        3: jobs["wait_s"],
        4: np.where(ended, jobs["end_s"] - jobs["start_s"], UNKNOWN),
        5: np.where(started, jobs["nodes"], UNKNOWN),
        8: jobs["nodes"],
        9: jobs["estimate_s"],
        11: np.where(ended, COMPLETED, UNKNOWN),
        13: jobs["origin_index"] + 1,
        15: jobs["delay_class_index"] + 1,
        16: np.where(started, partition, UNKNOWN),
    }
    unknown = np.full(count, UNKNOWN)
    return pa.table({str(field): known.get(field, unknown) for field in range(1, FIELDS + 1)})


def _header(chosen: Chosen, jobs: Mapping[str, IntArray]) -> Iterator[str]:
    """Yield the comments that say what the numbers stand for."""
    run, facts = chosen.run, chosen.run.facts
    zone, coords = chosen.selection.tz, facts.coords
    begin = datetime.fromisoformat(facts.start)
    partitions = [f"{compute_class} at {site}" for site in coords["site"] for compute_class in coords["compute_class"]]
    nodes = int(run.inputs("pools")["capacity_nodes"].sum())
    told = [
        ("Version", "2.2"),
        ("Computer", f"simulated by gridtwin {facts.versions['gridtwin']}"),
        ("Installation", facts.scenario),
        ("Information", f"run {run.run_id}, policy {facts.policy}"),
        ("MaxJobs", len(jobs["nodes"])),
        ("MaxRecords", len(jobs["nodes"])),
        ("Preemption", "Yes" if jobs["suspensions"].any() else "No"),
        ("UnixStartTime", int(begin.timestamp())),
        ("TimeZoneString", chosen.selection.zone),
        ("StartTime", begin.astimezone(zone).strftime(CLOCK)),
        ("EndTime", facts.step_start(len(run.time)).astimezone(zone).strftime(CLOCK)),
        ("MaxNodes", nodes),
        ("MaxProcs", nodes),
        *_numbered("Queue", "MaxQueues", facts.delay_class),
        *_numbered("Partition", "MaxPartitions", partitions),
        *(("Note", f"group {number} is origin {name}") for number, name in enumerate(coords["origin"], start=1)),
        ("Note", "a processor is a node; the run time is from the first start to the end, pauses included"),
    ]
    for key, value in told:
        yield f"; {key}: {' '.join(str(value).split())}"


def _numbered(key: str, most: str, names: tuple[str, ...] | list[str]) -> Iterator[tuple[str, object]]:
    yield most, len(names)
    yield from ((key, f"{number} {name}") for number, name in enumerate(names, start=1))
