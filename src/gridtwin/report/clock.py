"""Local time of a run, and means over hours or days where a picture could not show every step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from gridtwin.report.language import Words
from gridtwin.report.style import MINUS
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import DAY_S, HOUR_S, FloatArray, IntArray

__all__ = ["MOST_POINTS", "Bins", "bins", "local_time", "zone"]

MOST_POINTS: Final = 800  # more than a page is wide
WIDTHS_S: Final = tuple(hours * HOUR_S for hours in (1, 3, 6, 24, 7 * 24))


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Spans of local time, one after the other, each of one step or more.

    Parameters
    ----------
    first : ndarray (bin,)
        Step that each begins with.
    steps : int
        Steps in all.
    width_s : int, s
    local, utc : ndarray (bin,), datetime64
        When each begins.
    whole : bool
        Each is one step: nothing was aggregated.
    """

    first: IntArray
    steps: int
    width_s: int
    local: np.ndarray
    utc: np.ndarray
    whole: bool

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean of the steps of each bin, along the first axis (time, …)."""
        counts = np.diff(self.first, append=self.steps)
        sums = np.add.reduceat(np.asarray(values, dtype=np.float64), self.first, axis=0)
        return np.asarray(sums / counts.reshape(-1, *(1,) * (sums.ndim - 1)))

    def note(self, words: Words) -> str:
        """Say what a point is; nothing where it is a step."""
        if self.whole:
            return ""
        hours = self.width_s // HOUR_S
        return words("bins.days") if self.width_s == DAY_S else words("bins.hours", hours=hours)


def zone(run: SavedRun) -> tuple[int, str]:
    """Return the offset of local time from UTC in seconds, as the scenario's start has it, and its name."""
    offset = datetime.fromisoformat(str(run.scenario["time"]["start"])).utcoffset()
    seconds = int(offset.total_seconds()) if offset is not None else 0
    sign = MINUS if seconds < 0 else "+"
    return seconds, f"UTC{sign}{abs(seconds) // HOUR_S:02d}:{abs(seconds) % HOUR_S // 60:02d}"


def local_time(run: SavedRun) -> np.ndarray:
    """First instants of the steps (time,) in local time, datetime64[s]."""
    return np.asarray(run.time.astype("datetime64[s]") + np.timedelta64(zone(run)[0], "s"))


def bins(run: SavedRun, steps: slice | None = None, most: int = MOST_POINTS) -> Bins:
    """Cut a run, or some steps of it, into as many spans as a picture can show.

    Parameters
    ----------
    run : SavedRun
    steps : slice, optional
        Which steps; all by default. Positions in the result count from its start.
    most : int
        Spans at most, unless even weeks are more.
    """
    step_s = int(run.summary["step_s"])
    local = local_time(run)[steps or slice(None)]
    width_s = _width(step_s, len(local), most)
    place = local.astype(np.int64) // width_s if width_s > step_s else np.arange(len(local))
    first = np.unique(place, return_index=True)[1]
    utc = run.time[steps or slice(None)][first]
    return Bins(first, len(local), width_s, local[first], utc, whole=width_s <= step_s)


def _width(step_s: int, steps: int, most: int) -> int:
    if steps <= most:
        return step_s
    wide = (width for width in WIDTHS_S if width > step_s and steps * step_s <= most * width)
    return next(wide, WIDTHS_S[-1])
