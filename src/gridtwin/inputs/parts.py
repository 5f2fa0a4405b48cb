"""Studies made from studies: the same with perfect forecasts, or a part of its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from gridtwin.inputs.study import Study
from gridtwin.profiles.series import Profiles
from gridtwin.scenario.forecast import Forecasts
from gridtwin.scenario.kinds import duration_text
from gridtwin.units import DAY_S

__all__ = ["part_of", "sampled_weeks", "with_perfect_forecast"]

WEEK_S = 7 * DAY_S
_SAMPLING = 3  # spawn key, beside those of `twin.forecaster`


def with_perfect_forecast(study: Study) -> Study:
    """Return the same study, but everything is told as it comes true."""
    forecast = Forecasts()
    keys = {"forecast": forecast.model_dump(mode="json")}
    return replace(
        study,
        name=f"{study.name}-perfect",
        scenario=study.scenario.model_copy(update={"forecast": forecast}),
        resolved=study.resolved | keys,
        portable=study.portable | keys,
        jobs=replace(study.jobs, estimate_s=study.jobs.runtime_s),
    )


def sampled_weeks(study: Study, count: int) -> list[Study]:
    """Draw up to `count` whole weeks of a study's arrivals, each a study of its own that begins with an empty fleet.

    They are drawn without repetition from the study's seed, and returned in order of time.
    """
    steps = WEEK_S // study.time.step_s
    weeks = study.time.submit_steps // steps
    rng = np.random.default_rng(np.random.SeedSequence(study.scenario.seed, spawn_key=(_SAMPLING,)))
    drawn = sorted(rng.choice(weeks, size=min(count, weeks), replace=False).tolist())
    return [part_of(study, week * steps, steps) for week in drawn]


def part_of(study: Study, first: int, steps: int) -> Study:
    """Return the study of the jobs that are submitted in [first, first + steps), on the weather of that time."""
    first_s, end_s = (step * study.time.step_s for step in (first, first + steps))
    row = np.arange(*np.searchsorted(study.jobs.submit_s, (first_s, end_s)))
    jobs = study.jobs.take(row)
    start = study.time.start + timedelta(seconds=first_s)
    span = {"start": start.isoformat(), "duration": duration_text(end_s - first_s)}
    keys = {"time": study.resolved["time"] | span}
    return replace(
        study,
        name=f"{study.name}-{start:%Y%m%d}",
        resolved=study.resolved | keys,
        portable=study.portable | keys,
        time=replace(study.time, start=start, submit_steps=steps),
        jobs=replace(jobs, submit_s=jobs.submit_s - first_s, due_s=jobs.due_s - first_s),
        profiles=_from(study.profiles, first),
        day_ahead=None if study.day_ahead is None else _from(study.day_ahead, first),
        counts={**study.counts, "jobs": len(jobs)},
    )


def _from(series: Profiles, first: int) -> Profiles:
    return replace(series.at(np.arange(first, series.steps)), model_steps=max(series.model_steps - first, 0))
