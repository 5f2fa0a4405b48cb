"""Savings by week and month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from gridtwin.compare.records import Period
from gridtwin.compare.series import Alignment, RunSeries
from gridtwin.economics.tariffs import local_months
from gridtwin.units import DAY_S, KG_PER_T, FloatArray, IntArray

__all__ = ["periods"]

LEAST_H: Final = 14 * 24.0  # weeks of a shorter span are too few to tell anything
WEEK: Final = np.timedelta64(7 * DAY_S, "s")
SLACKS: Final = ("shed", "overload", "spill")


def periods(base: RunSeries, change: RunSeries, steps: Alignment) -> tuple[Period, ...]:
    """Add up cost and CO2 of the steps that both runs have, by week from the first of them and by calendar month.

    Months are those of the base's zone. Costs are production, carbon, moving data, energy taken from stores and slacks
    but lateness: what a week costs is booked in it, also what a job of the week before still draws.
    """
    if len(steps.base) * base.step_h <= LEAST_H:
        return ()
    time = base.run.time[steps.base]
    week = ((time - time[0]) // WEEK).astype(np.int64)
    month = local_months(time, int(base.inputs["tariff"]["zone_s"][0]))
    first_day = time.astype("datetime64[D]")
    return (
        *_by(week, [str(first_day[week == number][0]) for number in np.unique(week)], "week", base, change, steps),
        *_by(
            month, [str(np.datetime64(int(number), "M")) for number in np.unique(month)], "month", base, change, steps
        ),
    )


def _by(
    period: IntArray,
    labels: list[str],
    kind: Literal["week", "month"],
    base: RunSeries,
    change: RunSeries,
    steps: Alignment,
) -> Iterator[Period]:
    _, place = np.unique(period, return_inverse=True)
    hours = np.bincount(place) * base.step_h
    sides = [(run, index) for run, index in ((base, steps.base), (change, steps.change))]
    costs = [np.bincount(place, _cost(run)[index]) for run, index in sides]
    co2_t = [np.bincount(place, run.v["co2_kg"][index]) / KG_PER_T for run, index in sides]
    same = base.card.currency == change.card.currency
    for number, label in enumerate(labels):
        old, new = (float(side[number]) if same else None for side in costs)
        old_t, new_t = (float(side[number]) for side in co2_t)
        yield Period(kind, label, float(hours[number]), old, new, old_t, new_t)


def _cost(run: RunSeries) -> FloatArray:
    """All costs of each step (time,) but lateness."""
    carbon = run.run.scenario["dispatch"]["carbon_price_per_t"] / KG_PER_T * run.v["co2_kg"]
    slacks = sum(run.slack_cost(name) for name in SLACKS)
    return np.asarray(run.v["production_cost"] + carbon + run.wan_cost + run.taken_cost + slacks + run.connection_cost)
