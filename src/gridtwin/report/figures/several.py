"""Several runs in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gridtwin.compare import Comparison
from gridtwin.compare.records import Change, Decomposition, Part
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure
from gridtwin.report.language import Words
from gridtwin.report.style import ACCENT, MUTED, SERIES, SITES, axis, layout, number, plain, technologies
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import DAY_S, HOUR_S

__all__ = ["decomposition", "pareto", "weekly"]

LEAST_SHARE: Final = 1e-3  # of the largest part


def pareto(runs: Sequence[SavedRun], comparison: Comparison, words: Words) -> Figure | None:
    """Cost against CO2, and how long jobs waited as the size of the mark; None where currencies differ."""
    labels = [card.label for card in comparison.runs]
    figures = [change.figure("all_costs") for change in comparison.changes]
    told = [figures[0].base, *(figure.change for figure in figures)]
    if any(value is None for value in told):
        return None
    cost = np.array(told, dtype=np.float64)
    co2_t, wait_h = (np.array([float(run.kpis[name] or 0.0) for run in runs]) for name in ("co2_t", "wait_p95_s"))
    wait_h = wait_h / HOUR_S
    late = np.array([float(run.kpis["jobs_late"] or 0.0) for run in runs])
    size = 14 + 30 * np.sqrt(wait_h / max(float(wait_h.max(initial=0.0)), 1e-9))
    best = [not bool(((cost <= cost[p]) & (co2_t <= co2_t[p]) & ((cost < cost[p]) | (co2_t < co2_t[p]))).any())
            for p in range(len(runs))]  # fmt: skip
    money = runs[0].facts.currency
    trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": cost,
        "y": co2_t,
        "text": [plain(label) for label in labels],
        "textposition": "top center",
        "cliponaxis": False,
        "customdata": [[number(wait), number(count)] for wait, count in zip(wait_h, late, strict=True)],
        "marker": {"size": size, "color": [ACCENT if good else "#c5ccd3" for good in best],
                   "line": {"color": "#ffffff", "width": 1}, "opacity": 0.9},
        "hovertemplate": words("pareto.hover", money=plain(money)) + "<extra></extra>",
    }  # fmt: skip
    return Figure(
        name="pareto",
        title=words("pareto.title"),
        caption=words("pareto.caption"),
        unit=f"{money}, t, h",
        sources=("summary.json", "results.nc"),
        plot={
            "data": [trace],
            "layout": layout(
                400, showlegend=False, margin={"l": 78, "r": 40, "t": 40, "b": 54},
                xaxis=axis(words("pareto.cost", money=plain(money)), tickformat=",.5~s", range=_wide(cost)),
                yaxis=axis("t CO2", tickformat=",.5~s", range=_wide(co2_t)),
            ),
        },
        table=Sheet(
            "pareto",
            {
                words("table.run"): labels,
                words("table.cost"): cost,
                words("table.co2"): co2_t,
                words("table.wait"): wait_h,
                words("table.late"): late,
            },
            {words("table.cost"): money, words("table.co2"): "t", words("table.wait"): "h"},
        ),
    )  # fmt: skip


def weekly(change: Change, money: str, words: Words) -> Figure | None:
    """What each week saved against the base; None where the runs are too short to have weeks."""
    weeks = [period for period in change.periods if period.kind == "week" and period.base_cost is not None]
    if not weeks:
        return None
    saved = np.array([(week.base_cost or 0.0) - (week.change_cost or 0.0) for week in weeks])
    spared = np.array([week.base_co2_t - week.change_co2_t for week in weeks])
    days = [week.label for week in weeks]
    bar: dict[str, Any] = {"type": "bar", "x": days, "offset": 0, "width": 6.3 * DAY_S * 1000.0}
    return Figure(
        name="weekly",
        title=words("weekly.title", run=change.run.label),
        caption=words("weekly.caption"),
        unit=f"{money}, t",
        sources=("production_cost", "co2_kg", "moved_gb", "stored_mwh"),
        plot={
            "data": [
                bar | {"y": saved, "name": words("weekly.cost"), "marker": {"color": ACCENT},
                       "hovertemplate": f"%{{x|%Y-%m-%d}}: %{{y:,.0f}} {plain(money)}<extra></extra>"},
                bar | {"y": spared, "name": words("weekly.co2"), "marker": {"color": SERIES[2]}, "yaxis": "y2",
                       "hovertemplate": "%{x|%Y-%m-%d}: %{y:,.0f} t<extra></extra>"},
            ],
            "layout": layout(
                400, bargap=0.25, showlegend=False,
                xaxis=axis("", type="date", tickformat=words("axis.days"), showgrid=False, anchor="y2"),
                yaxis=axis(words("weekly.cost_axis", money=plain(money)), domain=[0.56, 1], tickformat=",.3~s",
                           zeroline=True, zerolinecolor=MUTED),
                yaxis2=axis(words("weekly.co2_axis"), domain=[0, 0.44], tickformat=",.3~s", zeroline=True,
                            zerolinecolor=MUTED),
            ),
        },
        table=Sheet(
            "weekly",
            {
                words("table.week"): days,
                words("table.hours"): [week.hours for week in weeks],
                words("weekly.cost"): saved,
                words("weekly.co2"): spared,
            },
            {words("table.hours"): "h", words("weekly.cost"): money, words("weekly.co2"): "t"},
        ),
    )  # fmt: skip


def decomposition(found: Decomposition, run: str, words: Words) -> Figure | None:
    """A difference in parts that add up to it; None where there are none."""
    parts = [part for part in found.parts if part.delta]
    if found.total is None or not parts:
        return None
    parts = _large(parts)
    labels = [*(_part(part, words) for part in parts), words("decomposition.total")]
    values = np.array([*(part.delta for part in parts), found.total.delta])
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "y": [plain(label) for label in labels],
        "x": values,
        "measure": ["relative"] * len(parts) + ["total"],
        "text": [_signed(value) for value in values],
        "textposition": "outside",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "increasing": {"marker": {"color": SITES}},
        "decreasing": {"marker": {"color": ACCENT}},
        "totals": {"marker": {"color": "#1d2730"}},
        "connector": {"line": {"color": "#b8c0c7", "width": 1}},
        "hovertemplate": f"%{{y}}: %{{delta:,.0f}} {plain(found.unit)}<extra></extra>",
    }
    return Figure(
        name=f"{found.name}_parts",
        title=words(f"decomposition.{found.name}", run=run),
        caption=words("decomposition.caption"),
        unit=found.unit,
        sources=("summary.json", "results.nc"),
        plot={
            "data": [trace],
            "layout": layout(
                110 + 26 * len(labels), showlegend=False, margin={"l": 62, "r": 70, "t": 14, "b": 44},
                xaxis=axis(found.unit, tickformat=",.4~s", zeroline=True, zerolinecolor=MUTED,
                           range=_reached(values[:-1])),
                yaxis=axis("", type="category", autorange="reversed", showgrid=False),
            ),
        },
        table=Sheet(
            f"{found.name}_parts",
            {words("table.part"): labels, words("table.delta"): values},
            {words("table.delta"): found.unit},
        ),
    )  # fmt: skip


def _wide(values: np.ndarray) -> list[float]:
    """Leave room around a few points."""
    low, high = float(values.min()), float(values.max())
    margin = 0.25 * (high - low) or 0.02 * abs(high) or 1.0
    return [low - margin, high + margin]


def _large(parts: Sequence[Part]) -> list[Part]:
    """Leave out parts that nobody could see beside the largest."""
    least = LEAST_SHARE * max(abs(part.delta) for part in parts)
    return [part for part in parts if abs(part.delta) >= least]


def _reached(values: np.ndarray) -> list[float]:
    """Return a range that holds a waterfall and what is written beside its bars."""
    ends = np.append(0.0, np.cumsum(values))
    low, high = float(ends.min()), float(ends.max())
    margin = 0.14 * (high - low)
    return [low - margin, high + margin]


def _part(part: Part, words: Words) -> str:
    """Name a part: a technology as everywhere, the rest by the table of words."""
    kind, _, technology = part.name.partition(":")
    if technology:
        return words("part.fuel", technology=technologies([technology], words)[0].label)
    return words.named("part", kind) if f"part.{kind}" in words.table else part.label


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)
