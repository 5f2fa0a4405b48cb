"""Hour of the day against day: when prices, draw and emissions are high."""

from __future__ import annotations

from typing import Final

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.exports.sheets import Sheet
from gridtwin.report.clock import local_time, zone
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.figures.durations import mean_price
from gridtwin.report.language import Words
from gridtwin.report.style import SEQUENTIAL, axis, colorbar, layout, plain
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import DAY_S, HOUR_S, FloatArray

__all__ = ["co2_heat", "co2_intensity", "price_heat", "site_heat"]

NOON: Final = np.timedelta64(12, "h")  # so that a cell reaches from midnight to midnight
FEW_DAYS: Final = 14
TAILS: Final = (1.0, 99.0)  # percent beyond which colours no longer change


def price_heat(run: SavedRun, words: Words) -> Figure:
    """Mean locational price."""
    unit = f"{run.facts.currency}/MWh"
    return _heat("price_heat", run, words, mean_price(run), unit, ("price_per_mwh", "load_mw"))


def site_heat(run: SavedRun, words: Words) -> Figure:
    """Draw of all data centres."""
    return _heat("site_heat", run, words, run.values("site_mw").sum(axis=1), "MW", ("site_mw",))


def co2_heat(run: SavedRun, words: Words) -> Figure:
    """Emissions per MWh generated."""
    return _heat("co2_heat", run, words, co2_intensity(run), "kg/MWh", ("co2_kg", "unit_mw"))


def co2_intensity(run: SavedRun) -> FloatArray:
    """Direct emissions over generation (time,), kg/MWh; NaN where nothing is generated."""
    generated = run.values("unit_mw").sum(axis=1) * run.step_h
    return np.where(generated > 0, ratio_or_zero(run.values("co2_kg"), generated), np.nan)


def _heat(name: str, run: SavedRun, words: Words, values: FloatArray, unit: str, sources: tuple[str, ...]) -> Figure:
    days, hours, grid = _by_day(run, values)
    low, high = (float(edge) for edge in np.nanpercentile(grid, TAILS))
    hour_labels = [f"{hour * DAY_S // len(hours) // HOUR_S:02d}:{hour * DAY_S // len(hours) % HOUR_S // 60:02d}"
                   for hour in hours]  # fmt: skip
    trace = {
        "type": "heatmap",
        "x": days.astype("datetime64[h]") + NOON,
        "y": hour_labels,
        "z": rounded(grid),
        "zmin": low,
        "zmax": high if high > low else low + 1.0,
        "colorscale": [list(stop) for stop in SEQUENTIAL],
        "colorbar": colorbar(unit),
        "hovertemplate": f"%{{x|%Y-%m-%d}} %{{y}}<br>%{{z:,.4~g}} {unit}<extra></extra>",
        "hoverongaps": False,
    }
    rows, columns = grid.shape
    ticks = {"dtick": DAY_S * 1000} if columns <= FEW_DAYS else {}
    return Figure(
        name=name,
        title=words(f"{name}.title"),
        caption=words("heat.caption"),
        unit=unit,
        sources=sources,
        plot={
            "data": [trace],
            "layout": layout(
                300,
                xaxis=axis("", type="date", tickformat=words("axis.days"), showgrid=False, ticks="outside", **ticks),
                yaxis=axis(words("axis.time", zone=plain(zone(run)[1])), type="category", autorange="reversed",
                           showgrid=False, nticks=8),
            ),
        },
        table=Sheet(
            name,
            {
                words("table.day"): np.repeat(days, rows).astype("datetime64[D]").astype(str).tolist(),
                words("table.time_of_day"): hour_labels * columns,
                words("table.value"): rounded(grid.T.ravel()),
            },
            {words("table.value"): unit},
        ),
    )  # fmt: skip


def _by_day(run: SavedRun, values: FloatArray) -> tuple[np.ndarray, range, FloatArray]:
    """Arrange values (time,) as (hour of the day, day), means where steps are shorter than an hour."""
    local = local_time(run).astype(np.int64)
    width_s = max(int(run.summary["step_s"]), HOUR_S)
    rows = range(-(-DAY_S // width_s))
    day = local // DAY_S
    place = (local % DAY_S // width_s, day - day[0])
    shape = (len(rows), int(day[-1] - day[0]) + 1)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, place, values)
    np.add.at(count, place, 1.0)
    days = (day[0] + np.arange(shape[1])).astype("datetime64[D]")
    return days, rows, np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
