"""The tariffs of a model folder: one price for each half hour of each month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gridtwin.errors import Issue
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table
from gridtwin.units import FloatArray, IntArray

__all__ = ["HALF_HOURS", "MONTHS", "PERIODS", "site_tariffs", "tariff_issues"]

PERIODS = ("super_peak", "peak", "flat", "valley", "deep_valley")
HALF_HOURS, MONTHS = 48, 12
NOBODY = -1


def tariff_issues(model: ModelFolder) -> list[Issue]:
    """Return everything that is wrong with the tariffs: each must price every half hour of every month, once."""
    if model.model.value is None or model.spec.tariffs is None:
        return _without_tariffs(model)
    found: list[Issue] = []
    if periods := model.tables.get("tariffs"):
        found += periods.unknown("period", PERIODS, "period")
        found += _impossible(periods)
        found += _months_missing(periods)
        found += _days(periods)
        if prices := model.tables.get("tariff_prices"):
            found += _unpriced(periods, prices)
    if prices := model.tables.get("tariff_prices"):
        found += prices.unknown("period", PERIODS, "period")
    return found


def _without_tariffs(model: ModelFolder) -> list[Issue]:
    """Report sites that name a tariff of a model that has none."""
    sites = model.tables.get("sites")
    return sites.unknown("tariff", (), "tariff (tariffs.periods names no file)") if sites else []


def _impossible(periods: Table) -> Iterator[Issue]:
    """Check months and hours of each row by themselves."""
    for row in range(len(periods)):
        month, start, end = (float(periods.columns[name][row]) for name in ("month", "from_h", "to_h"))
        if month > MONTHS:
            yield periods.at(row, "month").issue(f"month is {month:g}; expected 1 to {MONTHS}")
        for name, hour in (("from_h", start), ("to_h", end)):
            if not (2 * hour).is_integer() or hour > HALF_HOURS / 2:
                yield periods.at(row, name).issue(f"{name} is {hour:g}; expected whole or half hours from 0 to 24")
        if start >= end:
            message = (
                f"period ends at {end:g} h but starts at {start:g} h; divide one that spans midnight into two rows"
            )
            yield periods.at(row, "to_h").issue(message)


def _months_missing(periods: Table) -> Iterator[Issue]:
    """Each tariff must say something of every month."""
    names, month = periods.text("tariff"), numbers(periods, "month")
    for tariff in _tariffs(periods):
        rows = [row for row, name in enumerate(names) if name == tariff]
        missing = sorted(set(range(1, MONTHS + 1)) - set(month[rows].astype(int).tolist()))
        if missing:
            message = f"tariff {tariff!r} says nothing of month {', '.join(map(str, missing))}"
            yield periods.at(rows[0], "tariff").issue(message)


def _days(periods: Table) -> Iterator[Issue]:
    """Each half hour of a month must lie in exactly one period."""
    days: dict[tuple[str, int], IntArray] = {}
    first: dict[tuple[str, int], int] = {}
    names, periods_of, month = periods.text("tariff"), periods.text("period"), periods.columns["month"]
    for row, (start, end) in enumerate(_half_hours(periods)):
        key = names[row], int(month[row])
        day = days.setdefault(key, np.full(HALF_HOURS, NOBODY))
        first.setdefault(key, row)
        taken = np.unique(day[start:end][day[start:end] != NOBODY])
        for other in taken:
            at = start + np.flatnonzero(day[start:end] == other)
            yield periods.at(row, "from_h").issue(
                f"hours {_spans(at)} of month {key[1]} are {periods_of[row]!r} here and {periods_of[other]!r} in line "
                f"{periods.lines[other]}; a tariff has one period for each hour"
            )
        day[start:end] = row
    for key, day in days.items():
        if (day == NOBODY).any():
            message = f"tariff {key[0]!r} has no period in month {key[1]} for hours {_spans(np.flatnonzero(day < 0))}"
            yield periods.at(first[key], "tariff").issue(message)


def _spans(half_hour: IntArray) -> str:
    """Return half hours as spans of hours, such as `8-11, 13.5-14`."""
    runs = np.split(half_hour, np.flatnonzero(np.diff(half_hour) > 1) + 1)
    return ", ".join(f"{run[0] / 2:g}-{(run[-1] + 1) / 2:g}" for run in runs)


def _unpriced(periods: Table, prices: Table) -> Iterator[Issue]:
    """Each period of a tariff must have a price."""
    priced = set(zip(prices.text("tariff"), prices.text("period"), strict=True))
    pairs = list(zip(periods.text("tariff"), periods.text("period"), strict=True))
    for pair in dict.fromkeys(pairs):
        if pair not in priced and pair[1] in PERIODS:
            message = f"period {pair[1]!r} of tariff {pair[0]!r} has no price in {prices.file}"
            yield periods.at(pairs.index(pair), "period").issue(message)


def _tariffs(periods: Table) -> list[str]:
    return [name for name in dict.fromkeys(periods.text("tariff")) if name]


def _half_hours(periods: Table) -> list[tuple[int, int]]:
    """First half hour of each row and the one after its last; of what cannot be read, none."""
    spans = np.nan_to_num(2 * np.stack([numbers(periods, "from_h"), numbers(periods, "to_h")], axis=1))
    return [(int(start), min(int(end), HALF_HOURS)) for start, end in spans]


def site_tariffs(model: ModelFolder) -> FloatArray:
    """Price of energy at each site (site, month, half hour) by tables without issues; NaN where it names no tariff."""
    named = model.tables["sites"].text("tariff")
    prices = np.full((len(named), MONTHS, HALF_HOURS), np.nan)
    if model.spec.tariffs is None:
        return prices
    by_tariff = _prices(model.tables["tariffs"], model.tables["tariff_prices"])
    for site, tariff in enumerate(named):
        if tariff:
            prices[site] = by_tariff[_tariffs(model.tables["tariffs"]).index(tariff)]
    return prices


def _prices(periods: Table, prices: Table) -> FloatArray:
    """Price of each half hour (tariff, month, half hour)."""
    tariffs: Sequence[str] = _tariffs(periods)
    pairs = zip(prices.text("tariff"), prices.text("period"), strict=True)
    price = dict(zip(pairs, numbers(prices, "price_per_mwh"), strict=True))
    table = np.full((len(tariffs), MONTHS, HALF_HOURS), np.nan)
    columns = zip(periods.text("tariff"), periods.text("period"), periods.columns["month"], strict=True)
    for (tariff, period, month), (start, end) in zip(columns, _half_hours(periods), strict=True):
        table[tariffs.index(tariff), int(month) - 1, start:end] = price[tariff, period]
    return table
