"""Energy in stores, and what HVDC links carry."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridtwin.exports.sheets import Sheet
from gridtwin.report.clock import bins, zone
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.language import Words
from gridtwin.report.style import SERIES, axis, layout, line, plain, time_axis
from gridtwin.results.saved_run import SavedRun

MOST_LINKS = 8  # curves; the table has all

__all__ = ["links", "stores"]


def stores(run: SavedRun, words: Words) -> Figure | None:
    """Level of each store as a share of what it can hold; None where there is none."""
    table, names = run.inputs("stores"), run.facts.coords["store"]
    if not names:
        return None
    spans = bins(run)
    room = np.where(table["energy_mwh"] > 0, table["energy_mwh"], np.nan)
    level = rounded(100.0 * spans.mean(run.values("stored_mwh")) / room)
    labels = [f"{name} ({room[place]:,.0f} MWh)" for place, name in enumerate(names)]
    data: list[dict[str, Any]] = [
        line(spans.local, level[:, place], label, SERIES[place % len(SERIES)], hovertemplate="%{y:.0f} %")
        for place, label in enumerate(labels)
    ]
    return _over_time(
        "stores", run, words, data, "%", ("stored_mwh", "stores"), dict(zip(labels, level.T, strict=True)),
        axis(words("stores.axis"), range=[0, 103]),
    )  # fmt: skip


def links(run: SavedRun, words: Words) -> Figure | None:
    """What each HVDC link carries, positive from its from end to its to end; None where there is none."""
    names, table = run.called("link", words.lang), run.inputs("links")
    if not names:
        return None
    spans = bins(run)
    buses = run.called("bus", words.lang)
    most = 1.05 * max(float(table["p_nom_mw"].max()), float(np.abs(run.values("link_mw")).max(initial=0.0)))
    flow = rounded(spans.mean(run.values("link_mw")))
    labels = [f"{name} {buses[table['from_index'][place]]} → {buses[table['to_index'][place]]}"
              for place, name in enumerate(names)]  # fmt: skip
    carried = np.abs(run.values("link_mw")).sum(axis=0)
    drawn = sorted(np.argsort(-carried, kind="stable")[:MOST_LINKS].tolist())
    data: list[dict[str, Any]] = [
        line(spans.local, flow[:, place], labels[place], SERIES[order % len(SERIES)], line={
            "color": SERIES[order % len(SERIES)], "width": 1.4, "shape": "hv"}, hovertemplate="%{y:,.0f} MW")
        for order, place in enumerate(drawn)
    ]  # fmt: skip
    return _over_time(
        "links", run, words, data, "MW", ("link_mw", "links"), dict(zip(labels, flow.T, strict=True)),
        axis("MW", zeroline=True, zerolinecolor="#b8c0c7", range=[-most, most]),
    )  # fmt: skip


def _over_time(
    name: str,
    run: SavedRun,
    words: Words,
    data: list[dict[str, Any]],
    unit: str,
    sources: tuple[str, ...],
    columns: dict[str, np.ndarray],
    y_axis: dict[str, Any],
) -> Figure:
    spans = bins(run)
    return Figure(
        name=name,
        title=words(f"{name}.title"),
        caption=" ".join(filter(None, [words(f"{name}.caption"), spans.note(words)])),
        unit=unit,
        sources=sources,
        plot={
            "data": data,
            "layout": layout(
                340, hovermode="x unified", xaxis=time_axis(words, plain(zone(run)[1])), yaxis=y_axis,
                showlegend=True,
            ),
        },
        table=Sheet(name, {"time_utc": spans.utc} | columns, dict.fromkeys(columns, unit)),
    )  # fmt: skip
