"""Jobs of a run: found by what they are, and the life of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridtwin.results.files import read_columns
from gridtwin.results.reading import NEVER
from gridtwin.results.saved_run import SavedRun
from gridtwin.results.store import JOB_START, JOB_STOP, RunFolder

__all__ = ["ONLY", "SORTS", "Event", "Found", "Life", "Span", "Wanted", "life", "search"]

SHOWN = (
    "job", "submit_s", "start_s", "end_s", "due_s", "nodes", "runtime_s", "site_index", "class_index", "origin_index",
    "delay_class_index", "late", "wait_s", "suspensions", "migrations",
)  # fmt: skip
FACTS = (
    *SHOWN, "estimate_s", "data_gb", "preemptible", "migratable", "one_checkpoint_s", "one_restart_s", "checkpoint_gb",
    "checkpoint_s", "restart_s",
)  # fmt: skip
SORTS: Mapping[str, str] = {
    "job": "job",
    "submit": "submit_s",
    "wait": "wait_s",
    "runtime": "runtime_s",
    "nodes": "nodes",
    "end": "end_s",
    "suspensions": "suspensions",
    "migrations": "migrations",
}

ONLY: Mapping[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "late": ("late", lambda late: late),
    "suspended": ("suspensions", lambda times: times > 0),
    "moved": ("migrations", lambda times: times > 0),
    "unfinished": ("end_s", lambda end_s: end_s == NEVER),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What jobs are looked for; numbers are places along the run's dimensions.

    Parameters
    ----------
    job, compute_class, site, origin : int or None
    only : frozenset of str
        Only jobs that are all of these, of `ONLY`.
    sort : str
        One of `SORTS`.
    descending : bool
    """

    job: int | None = None
    compute_class: int | None = None
    site: int | None = None
    origin: int | None = None
    only: frozenset[str] = frozenset()
    sort: str = "job"
    descending: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One page of jobs."""

    total: int
    rows: np.ndarray  # places in the table of jobs
    columns: Mapping[str, np.ndarray]


def search(saved: SavedRun, wanted: Wanted, page: int, size: int) -> Found:
    """Return one page of the jobs that are looked for; pages count from 1."""
    rows = np.flatnonzero(_fits(saved, wanted))
    if wanted.sort != "job" or wanted.descending:
        key = saved.jobs([SORTS[wanted.sort]])[SORTS[wanted.sort]][rows]
        rows = rows[np.argsort(-key if wanted.descending else key, kind="stable")]
    shown = rows[(page - 1) * size : page * size]
    return Found(len(rows), shown, {name: values[shown] for name, values in saved.jobs(SHOWN).items()})


def _fits(saved: SavedRun, wanted: Wanted) -> np.ndarray:
    equal = {
        "job": wanted.job,
        "class_index": wanted.compute_class,
        "site_index": wanted.site,
        "origin_index": wanted.origin,
    }
    asked = {name: value for name, value in equal.items() if value is not None}
    kinds = [ONLY[kind] for kind in sorted(wanted.only)]
    columns = saved.jobs(sorted({*asked, *(name for name, _ in kinds), "job"}))
    fits = np.ones(len(columns["job"]), dtype=bool)
    for name, value in asked.items():
        fits &= columns[name] == value
    for name, test in kinds:
        fits &= test(columns[name])
    return fits


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job."""

    time_s: int  # after the start of the run
    what: str
    site: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a job did one thing."""

    kind: str  # waiting, restarting, running, saving, suspended
    begin_s: int
    end_s: int
    site: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """A job from its submission to its end."""

    facts: Mapping[str, object]
    events: tuple[Event, ...]
    spans: tuple[Span, ...]
    late_s: int  # after its due time; negative where it was early
    until_s: int  # where the picture ends


def life(saved: SavedRun, row: int) -> Life | None:
    """Return the life of the job in a row of the table of jobs; None past its end."""
    table = saved.jobs(FACTS)
    if not 0 <= row < len(table["job"]):
        return None
    job = {name: values[row].item() for name, values in table.items()} | _named(saved, table, row)
    run_end_s = len(saved.time) * saved.facts.step_s
    ended_s = job["end_s"] if job["end_s"] != NEVER else run_end_s
    starts, stops = (_of_job(saved, table_name, row, job["submit_s"], ended_s) for table_name in (JOB_START, JOB_STOP))
    events = _events(job, starts, stops, saved.facts.coords["site"])
    spans = _spans(job, starts, stops, saved.facts.coords["site"], ended_s)
    return Life(job, events, spans, ended_s - job["due_s"], max(ended_s, job["due_s"]))


def _named(saved: SavedRun, table: Mapping[str, np.ndarray], row: int) -> dict[str, str]:
    """Return names where the table has places along a dimension."""
    names = {
        "site": saved.facts.coords["site"],
        "class": saved.facts.coords["compute_class"],
        "origin": saved.facts.coords["origin"],
        "delay_class": saved.facts.delay_class,
    }
    index = {name: int(table[f"{name}_index"][row]) for name in names}
    return {name: known[index[name]] if index[name] >= 0 else "" for name, known in names.items()}


def _of_job(saved: SavedRun, table: str, row: int, begin_s: int, end_s: int) -> list[dict[str, int]]:
    """Return the events of one job from the windows in which it lived, in order."""
    folder, window_s = RunFolder(saved.path), saved.facts.step_s * saved.facts.window_steps
    last = min(end_s, len(saved.time) * saved.facts.step_s - 1) // window_s
    found: list[dict[str, int]] = []
    for window in range(begin_s // window_s, last + 1):
        columns = read_columns(folder.file(window, table))
        places = np.flatnonzero(columns["row"] == row)
        found += [{name: int(values[place]) for name, values in columns.items()} for place in places]
    return found


def _events(
    job: Mapping[str, object],
    starts: Sequence[Mapping[str, int]],
    stops: Sequence[Mapping[str, int]],
    sites: Sequence[str],
) -> tuple[Event, ...]:
    events = [Event(_int(job["submit_s"]), "submitted", "", f"at origin {job['origin']}")]
    before = None
    for number, start in enumerate(starts):
        site = sites[start["site_index"]]
        what = "started" if number == 0 else "resumed" if site == before else "moved and resumed"
        data = f"after {job['data_gb']:.3g} GB of input data" if number == 0 and job["data_gb"] else ""
        if number and site != before and job["checkpoint_gb"]:
            data = f"after {job['checkpoint_gb']:.3g} GB of saved state, from {before}"
        events.append(Event(start["start_s"], what, site, data))
        before = site
    for stop in stops:
        here = [start for start in starts if start["start_s"] <= stop["stop_s"]]
        site = sites[here[-1]["site_index"]] if here else ""
        events.append(Event(stop["stop_s"], "suspended", site, f"{stop['left_s']:,} s of work left"))
    events.append(Event(_int(job["due_s"]), "due"))
    if job["end_s"] != NEVER:
        events.append(Event(_int(job["end_s"]), "ended", str(job["site"])))
    return tuple(sorted(events, key=lambda event: event.time_s))


def _spans(
    job: Mapping[str, object],
    starts: Sequence[Mapping[str, int]],
    stops: Sequence[Mapping[str, int]],
    sites: Sequence[str],
    ended_s: int,
) -> tuple[Span, ...]:
    spans = []
    idle, kind = _int(job["submit_s"]), "waiting"
    for start, stop in zip(starts, [*stops, None], strict=False):
        site, working = sites[start["site_index"]], start["start_s"]
        begin = working - start["restart_s"]
        until = stop["stop_s"] if stop else ended_s
        spans += [
            Span(kind, idle, begin),
            Span("restarting", begin, working, site),
            Span("running", working, until, site),
        ]
        idle, kind = until, "suspended"
        if stop:
            idle = until + stop["checkpoint_s"]
            spans.append(Span("saving", until, idle, site))
    if len(starts) <= len(stops):
        spans.append(Span(kind, idle, ended_s))
    return tuple(span for span in spans if span.end_s > span.begin_s)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
