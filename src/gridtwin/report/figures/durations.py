"""Duration curves: for how much of the time a quantity was at least that large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.figures.corridors import link_share_percent
from gridtwin.report.language import Words
from gridtwin.report.style import INK, SERIES, SITES, axis, layout, line
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import FloatArray

__all__ = [
    "curtailed_mw",
    "curtailment_duration",
    "flow_duration",
    "load_duration",
    "mean_price",
    "price_duration",
]

MOST_POINTS: Final = 500
MOST_SITES: Final = 8
FULLEST: Final = 6  # lines
MOST_LINKS: Final = 2  # beside lines
LEAST_MWH: Final = 1e-3


def mean_price(run: SavedRun) -> FloatArray:
    """Mean of the locational prices (time,), weighted by load and sites' draw at each bus."""
    weight = np.maximum(run.values("load_mw"), 0.0)
    price = run.values("price_per_mwh")
    total = weight.sum(axis=1)
    return np.where(total > 0, ratio_or_zero((price * weight).sum(axis=1), total), price.mean(axis=1))


def curtailed_mw(run: SavedRun) -> FloatArray:
    """Renewable output that was there and not used (time, unit); 0 for units that cannot be curtailed."""
    units = run.inputs("units")
    counted = units["curtailable"] & units["profiled"]
    return np.where(counted, np.maximum(run.values("available_mw") - run.values("unit_mw"), 0.0), 0.0)


def load_duration(run: SavedRun, words: Words) -> Figure:
    """Demand, with and without the data centres, and theirs alone."""
    other, sites = run.values("load_mw").sum(axis=1), run.values("site_mw").sum(axis=1)
    curves = {
        words("dispatch.total_load"): (other + sites, SITES),
        words("dispatch.other_load"): (other, INK),
        words("table.sites"): (sites, SERIES[1]),
    }
    return _curves("load_duration", curves, "MW", ("load_mw", "site_mw"), words)


def price_duration(run: SavedRun, words: Words) -> Figure:
    """Locational prices: the mean over load, and those that the sites see."""
    sites, bus = run.called("site", words.lang), run.inputs("sites")["bus_index"]
    price = run.values("price_per_mwh")
    curves = {words("price.mean"): (mean_price(run), INK)}
    if len(sites) <= MOST_SITES:
        curves |= {site: (price[:, bus[place]], SERIES[place % len(SERIES)]) for place, site in enumerate(sites)}
    unit = f"{run.facts.currency}/MWh"
    return _curves("price_duration", curves, unit, ("price_per_mwh", "load_mw", "sites"), words)


def flow_duration(run: SavedRun, words: Words) -> Figure | None:
    """Loading of the lines that were fullest at the 95th percentile, and of HVDC links."""
    loading = run.values("loading_percent")
    curves = {
        run.facts.coords["line"][place]: (loading[:, place], SERIES[order % len(SERIES)])
        for order, place in enumerate(_fullest(loading)[:FULLEST])
    }
    share, names, kinds = link_share_percent(run), run.called("link", words.lang), run.inputs("links")["kind"].tolist()
    most = FULLEST if run.transport else MOST_LINKS
    for order, place in enumerate(_fullest(share)[:most]):
        colour = SERIES[order % len(SERIES)] if run.transport else INK
        curves[f"{names[place]} ({words(f'corridors.{kinds[place]}')})"] = (share[:, place], colour)
    sources = ("link_mw", "links") if run.transport else ("loading_percent", "link_mw", "links")
    if not curves:
        return None
    figure = _curves("flow_duration", curves, "%", sources, words)
    return replace(figure, caption=words("flow_duration.transport")) if run.transport else figure


def _fullest(percent: FloatArray) -> list[int]:
    """Columns of (time, column) that are above 0 at their 95th percentile, the fullest first."""
    high = np.nan_to_num(np.nanpercentile(percent, 95, axis=0)) if percent.size else np.zeros(0)
    return [place for place in np.argsort(-high, kind="stable").tolist() if high[place] > 0]


def curtailment_duration(run: SavedRun, words: Words) -> Figure | None:
    """Renewable output that was not used; None where there was none."""
    curtailed = curtailed_mw(run).sum(axis=1)
    if curtailed.sum() * run.step_h <= LEAST_MWH:
        return None
    curves = {words("curtailment.all"): (curtailed, SERIES[2])}
    return _curves("curtailment_duration", curves, "MW", ("available_mw", "unit_mw", "units"), words)


def _curves(
    name: str,
    curves: Mapping[str, tuple[FloatArray, str]],
    unit: str,
    sources: tuple[str, ...],
    words: Words,
) -> Figure:
    steps = max(len(values) for values, _ in curves.values())
    kept = np.unique(np.linspace(0, steps - 1, min(steps, MOST_POINTS)).round().astype(int))
    share = rounded(100.0 * (kept + 0.5) / steps)
    sorted_by = {label: rounded(_descending(values)[kept]) for label, (values, _) in curves.items()}
    data: list[dict[str, Any]] = [
        line(share, values, label, curves[label][1], hovertemplate=f"%{{y:,.4~g}} {unit}")
        for label, values in sorted_by.items()
    ]
    thinned = words("duration.thinned", kept=len(kept), steps=f"{steps:,}") if len(kept) < steps else ""
    return Figure(
        name=name,
        title=words(f"{name}.title"),
        caption=" ".join(filter(None, [words(f"{name}.caption"), thinned])),
        unit=unit,
        sources=sources,
        plot={
            "data": data,
            "layout": layout(
                340,
                hovermode="x unified",
                xaxis=axis(words("axis.share_of_time"), range=[0, 100], showgrid=False, hoverformat=".1f"),
                yaxis=axis(unit, tickformat=",.5~g", rangemode="tozero"),
                showlegend=len(data) > 1,
            ),
        },
        table=Sheet(
            name,
            {words("table.share_of_time"): share} | sorted_by,
            {words("table.share_of_time"): "%"} | dict.fromkeys(sorted_by, unit),
        ),
    )


def _descending(values: FloatArray) -> FloatArray:
    """Sort from the largest; steps that AC did not solve come last."""
    return np.asarray(-np.sort(-values))
