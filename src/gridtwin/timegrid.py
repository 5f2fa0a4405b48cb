"""Exact time: every instant is an integer number of seconds after the start of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from gridtwin.units import DAY_S, HOUR_S

__all__ = ["TimeGrid"]


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """The clock of a run. A value at step t covers [t, t + step).

    Parameters
    ----------
    start : datetime
        First instant, UTC.
    step_s : int
        Resolution, s; divides a day.
    submit_steps : int
        Steps in which jobs may arrive (`time.duration`); the run goes on after them until every job has ended.
    window_steps : int
        Steps that are executed before the next decision.
    horizon_steps : int
        Steps that each decision looks at; at least `window_steps`.
    """

    start: datetime
    step_s: int
    submit_steps: int
    window_steps: int
    horizon_steps: int

    @property
    def step_h(self) -> float:
        """Length of a step, h."""
        return self.step_s / HOUR_S

    @property
    def steps_per_day(self) -> int:
        """Steps of a day; what is remembered by time of day has as many places."""
        return DAY_S // self.step_s

    def windows_until(self, end_s: int) -> int:
        """Return how many windows cover the submission period and everything up to `end_s`."""
        window_s = self.window_steps * self.step_s
        last_s = max(end_s, self.submit_steps * self.step_s)
        return -(-last_s // window_s)

    def instant(self, step: int) -> datetime:
        """Return the first instant of `step`, UTC."""
        return self.start + timedelta(seconds=step * self.step_s)

    def instants(self, first_step: int, steps: int) -> NDArray[np.datetime64]:
        """Return the first instants of `steps` steps from `first_step`, as naive UTC datetime64[s]."""
        origin = np.datetime64(self.start.replace(tzinfo=None), "s")
        return origin + (first_step + np.arange(steps)) * np.timedelta64(self.step_s, "s")

    def step_of_day(self, step: int) -> int:
        """Return the position of `step` in its (UTC) day, in steps."""
        seconds = self.start.hour * HOUR_S + self.start.minute * 60 + self.start.second + step * self.step_s
        return (seconds % DAY_S) // self.step_s
