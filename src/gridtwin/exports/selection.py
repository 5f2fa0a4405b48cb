"""What of a run is exported: which variables, which time, which resolution, which zone and signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cache
from itertools import product
from math import prod
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import xarray as xr

from gridtwin.errors import ResultsError
from gridtwin.exports.signs import CONVENTIONS, Convention, signs
from gridtwin.located import did_you_mean
from gridtwin.results.saved_run import SavedRun
from gridtwin.results.variables import Resample, Variable, tables, variables
from gridtwin.units import IntArray

__all__ = ["MAKE", "RECORDS", "UNCUT", "Chosen", "Selection", "choose", "local_texts", "record_file", "select"]

DAY_S: Final = 86_400
RECORDS: Final = {  # tables of a run that are no series, and the column that places a row in time
    "jobs": "submit_s",
    "money": "",
    "findings": "time",
    "n1": "time",
}
UNCUT: Final = ("money",)  # those that stand for the whole time of a run and no less
METHODS: Final[Mapping[Resample, str]] = {  # as CF calls them
    "mean": "mean",
    "sum": "sum",
    "last": "point",
    "max": "maximum",
    "min": "minimum",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export; by default everything as it was stored.

    Parameters
    ----------
    variables : tuple of str
        Patterns such as `site_*`, of names of variables or of whole tables, records (jobs, money, findings, n1)
        included; none means all.
    start, end : datetime, optional
        Steps that begin in [start, end) are taken; both state their zone.
    resample_s : int, optional
        Length of the steps to make, s: a part of a day, or whole days, from midnight in `zone`.
    zone : str
        IANA name of the zone that times are written in.
    convention : {"gridtwin", "pandapower", "pypsa"}
        Whose signs to take.

    Raises
    ------
    ResultsError
        If these contradict each other, or a zone or convention is not known.
    """

    variables: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    resample_s: int | None = None
    zone: str = "UTC"
    convention: Convention = "gridtwin"

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            if instant is not None and instant.utcoffset() is None:
                raise ResultsError(f"time {instant} has no zone; append the offset from UTC, as in {instant}+00:00")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ResultsError(f"nothing lies from {self.start} until {self.end}; the end must be the later")
        length_s = self.resample_s
        if length_s is not None and (length_s <= 0 or (DAY_S % length_s and length_s % DAY_S)):
            raise ResultsError(
                f"cannot resample to {length_s} s; expected a part of a day such as 6h, or whole days such as 7d"
            )
        if self.convention not in CONVENTIONS:
            raise ResultsError(f"unknown convention {self.convention!r}{did_you_mean(self.convention, CONVENTIONS)}")
        _zone(self.zone)

    @property
    def tz(self) -> ZoneInfo:
        """The zone that times are written in."""
        return _zone(self.zone)

    @property
    def whole_time(self) -> bool:
        """Whether the time of the run is not cut."""
        return self.start is None and self.end is None


@dataclass(frozen=True, eq=False)
class Chosen:
    """A run seen through a selection; values are read when they are asked for, as many steps at a time as wanted.

    Parameters
    ----------
    run : SavedRun
    selection : Selection
    names : tuple of str
        Variables, in the order of the table of variables.
    records : tuple of str
        Those of `RECORDS` that were chosen and are there.
    time : ndarray (step,), datetime64[s]
        First instants of the steps that are given, UTC.
    ends : ndarray (step,), datetime64[s]
        Where they end.
    edges : ndarray (step + 1,)
        Place among the run's steps of the first that each given step is made of, and where the last ends.
    windows : slice
        Windows that the time meets.
    """

    run: SavedRun
    selection: Selection
    names: tuple[str, ...]
    records: tuple[str, ...]
    time: np.ndarray
    ends: np.ndarray
    edges: IntArray
    windows: slice

    @property
    def step_s(self) -> int:
        """Length of a given step, s; less is in it where `steps` counts fewer."""
        return self.selection.resample_s or self.run.facts.step_s

    @property
    def steps(self) -> IntArray:
        """Steps of the run (step,) in each given step."""
        return np.diff(self.edges)

    @property
    def tables(self) -> Mapping[str, tuple[Variable, ...]]:
        """The chosen variables by table."""
        chosen = {table: tuple(v for v in members if v.name in self.names) for table, members in tables().items()}
        return {table: members for table, members in chosen.items() if members}

    def labels(self, dim: str) -> tuple[str | int, ...]:
        """Names along a dimension other than time."""
        if dim == "window":
            return tuple(range(self.windows.start, self.windows.stop))
        return self.run.facts.coords[dim]

    def unit(self, variable: Variable) -> str:
        """Unit with the run's currency in it."""
        return variable.unit.format(currency=self.run.facts.currency)

    def meaning(self, variable: Variable) -> str:
        """What a variable is, with the sign that it has here."""
        sign = signs(self.selection.convention).get(variable.name)
        return sign.meaning if sign else variable.meaning

    def shape(self, variable: Variable) -> tuple[int, ...]:
        """Lengths of a variable's dimensions."""
        return tuple(len(self.time) if dim == "time" else len(self.labels(dim)) for dim in variable.dims)

    def local_texts(self) -> list[str]:
        """First instants of the steps in the zone chosen, ISO 8601 with offset."""
        return local_texts(self.time, self.selection.tz)

    def rows(self, table: str) -> int:
        """Rows of a table in long form."""
        return prod(self.shape(self.tables[table][0]))

    def values(self, name: str, first: int = 0, last: int | None = None) -> np.ndarray:
        """Return a variable in the steps [first, last), resampled and with the signs that were asked for."""
        variable, stored = variables()[name], self.run.dataset[name]
        if variable.dims[0] == "window":
            return np.asarray(stored[self.windows].to_numpy())
        edges = self.edges[first : None if last is None else last + 1]
        values = np.asarray(stored[edges[0] : edges[-1]].to_numpy())
        if self.selection.resample_s is not None:
            values = MAKE[variable.resample](values, edges - edges[0])
        sign = signs(self.selection.convention).get(name)
        return -values + 0.0 if sign and sign.factor < 0 else values  # no -0.0

    def dataset(self) -> xr.Dataset:
        """Return all chosen variables with dimensions, units and CF attributes."""
        arrays = {name: self._array(variables()[name]) for name in self.names}
        dims = dict.fromkeys(dim for name in self.names for dim in variables()[name].dims)
        coords = {dim: self.time.astype("datetime64[ns]") if dim == "time" else list(self.labels(dim)) for dim in dims}
        dataset = xr.Dataset(arrays, coords=coords, attrs=self._attrs())
        if "time" in dims:
            dataset["time"].attrs |= {"standard_name": "time", "long_name": "start of the step, UTC"}
            if self.selection.resample_s is not None:
                about = {"units": "1", "long_name": "steps of the run in the step"}
                dataset = dataset.assign_coords(steps=("time", self.steps, about))
        return dataset

    def _array(self, variable: Variable) -> xr.DataArray:
        values = self.values(variable.name)
        methods = {"cell_methods": f"time: {METHODS[variable.resample]}"} if variable.resample else {}
        flags = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "no yes"} if values.dtype == np.int8 else {}
        attrs = {"units": self.unit(variable), "long_name": self.meaning(variable), **methods, **flags}
        return xr.DataArray(values, dims=variable.dims, attrs=attrs)

    def _attrs(self) -> dict[str, str]:
        attrs = {key: str(value) for key, value in self.run.dataset.attrs.items()}
        return attrs | {"run_id": self.run.run_id, "sign_convention": self.selection.convention}


def choose(run: SavedRun, selection: Selection) -> Chosen:
    """Return a run seen through a selection.

    Raises
    ------
    ResultsError
        If a pattern names nothing that the run has, no step lies in the time, or the steps do not fit together.
    """
    begins = run.time.astype("datetime64[s]").astype(np.int64)
    steps = _steps(run, begins, selection)
    window_steps = run.facts.window_steps
    first, after = steps.start // window_steps, (steps.stop - 1) // window_steps + 1
    windows = slice(first, min(after, run.dataset.sizes["window"]))
    names, records = _matched(run, selection)
    if selection.resample_s is None:
        instants = np.append(begins[steps], begins[steps.stop - 1] + run.facts.step_s)
        edges = np.arange(steps.start, steps.stop + 1)
    else:
        instants, edges = _bins(begins[steps], steps.start, run.facts.step_s, selection)
    time = instants.astype("datetime64[s]")
    return Chosen(run, selection, names, records, time[:-1], time[1:], edges, windows)


def select(run: SavedRun, selection: Selection) -> xr.Dataset:
    """Return what was chosen of a run's series, in memory; times are UTC, whatever the zone."""
    return choose(run, selection).dataset()


def record_file(run: SavedRun, name: str) -> Path:
    """Return the file of a table of `RECORDS`."""
    return run.path / f"{name}.parquet"


def local_texts(instants: np.ndarray, zone: ZoneInfo) -> list[str]:
    """Return instants (datetime64, UTC) as ISO 8601 with the offset of a zone.

    Examples
    --------
    >>> local_texts(np.array(["2026-01-01T00:00:00"], "datetime64[s]"), ZoneInfo("Asia/Shanghai"))
    ['2026-01-01T08:00:00+08:00']
    """
    seconds = instants.astype("datetime64[s]").astype(np.int64).tolist()
    return [datetime.fromtimestamp(second, zone).isoformat() for second in seconds]


def _steps(run: SavedRun, begins: IntArray, selection: Selection) -> slice:
    """Return the steps that begin in the time chosen."""
    start, end = selection.start, selection.end
    first = int(np.searchsorted(begins, start.timestamp())) if start else 0
    after = int(np.searchsorted(begins, end.timestamp())) if end else len(begins)
    if first >= after:
        covered = f"{run.facts.step_start(0).isoformat()} until {run.facts.step_start(len(begins)).isoformat()}"
        raise ResultsError(f"{run.path}: no step begins in the time asked for; the run covers {covered}")
    return slice(first, after)


def _matched(run: SavedRun, selection: Selection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the variables and the records that the patterns name."""
    there = [name for name in RECORDS if record_file(run, name).is_file()]
    if not selection.variables:
        return tuple(variables()), tuple(name for name in there if selection.whole_time or name not in UNCUT)
    known = [*variables(), *tables(), *there]
    for pattern in selection.variables:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise ResultsError(f"{run.path}: nothing is called {pattern!r}{did_you_mean(pattern, known)}")
    wanted = {name for name, pattern in product(known, selection.variables) if fnmatchcase(name, pattern)}
    if not selection.whole_time and not wanted.isdisjoint(UNCUT):
        raise ResultsError("money is settled over the whole run; leave out --from and --until, or leave out money")
    names = tuple(v.name for v in variables().values() if v.name in wanted or v.table in wanted)
    return names, tuple(name for name in there if name in wanted)


def _bins(begins: IntArray, first: int, step_s: int, selection: Selection) -> tuple[IntArray, IntArray]:
    """Return the first instants of the steps to make and where the last ends, and the edges of what they are made of.

    A part of a day is counted in seconds after midnight, whole days by the calendar from the first day on; so a day on
    which clocks change has 23 or 25 hours.
    """
    zone, length_s = selection.tz, selection.resample_s or step_s
    days = [datetime.fromtimestamp(begin, zone).toordinal() for begin in begins.tolist()]
    midnight = {day: _midnight_s(day, zone) for day in dict.fromkeys(days)}
    after_s = begins - np.array([midnight[day] for day in days])
    if length_s % step_s or (after_s % step_s).any():
        raise ResultsError(
            f"cannot resample to {length_s} s: the run's steps of {step_s} s do not fill that from midnight in "
            f"{selection.zone}; take a multiple of the step, or another zone"
        )
    if length_s < DAY_S:
        starts = begins - after_s % length_s
        end = starts[-1] + length_s
    else:
        every = length_s // DAY_S
        opening = [days[0] + (day - days[0]) // every * every for day in days]
        starts = np.array([_midnight_s(day, zone) for day in opening])
        end = _midnight_s(opening[-1] + every, zone)
    time, places = np.unique(starts, return_index=True)
    return np.append(time, end), first + np.append(places, len(begins))


def _midnight_s(ordinal: int, zone: ZoneInfo) -> int:
    return int(datetime.fromordinal(ordinal).replace(tzinfo=zone).timestamp())


def _mean(values: np.ndarray, edges: IntArray) -> np.ndarray:
    counts = np.diff(edges).reshape(-1, *([1] * (values.ndim - 1)))
    return np.asarray(np.add.reduceat(values, edges[:-1], axis=0) / counts)


MAKE: Final[Mapping[Resample, Callable[[np.ndarray, IntArray], np.ndarray]]] = {
    "mean": _mean,
    "sum": lambda values, edges: np.add.reduceat(values, edges[:-1], axis=0),
    "last": lambda values, edges: values[edges[1:] - 1],
    "max": lambda values, edges: np.maximum.reduceat(values, edges[:-1], axis=0),
    "min": lambda values, edges: np.minimum.reduceat(values, edges[:-1], axis=0),
}


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(name, sorted(available_timezones()))
        raise ResultsError(f"unknown time zone {name!r}{hint}; expected an IANA name such as Asia/Shanghai") from None
