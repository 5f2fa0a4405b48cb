"""Regions: their indicators side by side, and the work that runs in another one."""

from __future__ import annotations

from typing import Final

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.compare.layout.run_view import RunView
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.economics.indicator_table import indicator_table
from gridtwin.economics.indicators import NATION
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.language import Words
from gridtwin.report.style import SEQUENTIAL, axis, colorbar, layout, number, plain
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import KG_PER_T, FloatArray

__all__ = ["moved_work", "region_heat"]

ROW_PX: Final = 22
EDGES_PX: Final = 150


def region_heat(run: SavedRun, words: Words) -> Figure | None:
    """Indicators down, regions across; colours compare the regions of one row."""
    view = _view(run)
    if not view.fleet.regions:
        return None
    values = {(one.indicator, one.compute_class, one.region): one.value for one in view.readings}
    keys = [key for key in dict.fromkeys(key[:2] for key in values) if _told(view, values, key)]
    labels, units = zip(*(_named(key, run, words) for key in keys), strict=True)
    regions = [_called(region, view, words) for region in view.fleet.regions]
    table = np.array([[_number(values[(*key, region)]) for region in view.fleet.regions] for key in keys])
    shown = [[number(value) for value in row] for row in table.tolist()]
    trace = {
        "type": "heatmap",
        "x": [plain(region) for region in regions],
        "y": [plain(f"{label}, {unit}" if unit else label) for label, unit in zip(labels, units, strict=True)],
        "z": rounded(_scaled(table)),
        "text": shown,
        "colorscale": [list(stop) for stop in SEQUENTIAL],
        "colorbar": colorbar(words("regions.scale")),
        "hovertemplate": "%{y}<br>%{x}: %{text}<extra></extra>",
        "hoverongaps": False,
    }
    return Figure(
        name="region_heat",
        title=words("region_heat.title"),
        caption=words("region_heat.caption"),
        unit=words("regions.scale"),
        sources=("jobs.parquet", "accounts.parquet", "sites", "pools", "wan"),
        plot={
            "data": [trace],
            "layout": layout(
                EDGES_PX + ROW_PX * len(keys),
                xaxis=axis("", type="category", showgrid=False, tickangle=-45),
                yaxis=axis("", type="category", autorange="reversed", showgrid=False),
            ),
        },
        table=Sheet(
            "region_heat",
            {
                words("layout.indicator"): list(labels),
                words("table.unit"): list(units),
                **{region: rounded(table[:, place]) for place, region in enumerate(regions)},
            },
        ),
    )


def moved_work(run: SavedRun, words: Words) -> Figure | None:
    """Energy of jobs by the region that they come from and the one in which they ran."""
    view = _view(run)
    if not view.moves:
        return None
    ends = {"origin": "from", "site": "to"}
    names = {end: list(dict.fromkeys(getattr(move, end) for move in view.moves)) for end in ends}
    energy = np.full((len(names["origin"]), len(names["site"])), np.nan)
    for move in view.moves:
        energy[names["origin"].index(move.origin), names["site"].index(move.site)] = move.energy_mwh
    trace = {
        "type": "heatmap",
        "x": [plain(_called(region, view, words)) for region in names["site"]],
        "y": [plain(_called(region, view, words)) for region in names["origin"]],
        "z": rounded(energy),
        "colorscale": [list(stop) for stop in SEQUENTIAL],
        "colorbar": colorbar("MWh"),
        "hovertemplate": "%{y} → %{x}: %{z:,.4~g} MWh<extra></extra>",
        "hoverongaps": False,
    }
    tonnes = {
        words(f"layout.{basis}"): [_tonnes(getattr(move, f"{basis}_change_kg")) for move in view.moves]
        for basis in ("average", "marginal")
    }
    told = {True: words("layout.raises"), False: "", None: "-"}
    return Figure(
        name="moved_work",
        title=words("moved_work.title"),
        caption=words("moved_work.caption"),
        unit="MWh",
        sources=("jobs.parquet", "pue", "marginal_co2_kg_per_mwh", "sites", "pools"),
        plot={
            "data": [trace],
            "layout": layout(
                EDGES_PX + ROW_PX * len(names["origin"]),
                xaxis=axis(words("layout.to"), type="category", showgrid=False, tickangle=-45),
                yaxis=axis(words("layout.from"), type="category", autorange="reversed", showgrid=False),
            ),
        },
        table=Sheet(
            "moved_work",
            {
                **{
                    words(f"layout.{way}"): [_called(getattr(move, end), view, words) for move in view.moves]
                    for end, way in ends.items()
                },
                words("layout.energy"): rounded(np.array([move.energy_mwh for move in view.moves])),
                **{name: rounded(np.array(values)) for name, values in tonnes.items()},
                words("layout.raises"): [told[move.raises] for move in view.moves],
            },
            {words("layout.energy"): "MWh", **dict.fromkeys(tonnes, "t")},
        ),
        tabular=True,
    )


def _view(run: SavedRun) -> RunView:
    return RunView(RunSeries(run, run_cards([run])[0]))


def _told(view: RunView, values: dict[tuple[str, str, str], float | None], key: tuple[str, str]) -> bool:
    return any(values[(*key, region)] is not None for region in view.fleet.regions if region != NATION)


def _named(key: tuple[str, str], run: SavedRun, words: Words) -> tuple[str, str]:
    indicator, compute_class = indicator_table()[key[0]], key[1]
    unit = "" if indicator.unit == "1" else indicator.unit.format(currency=run.facts.currency)
    return f"{indicator.called(words.lang)}{f' · {compute_class}' if compute_class else ''}", unit


def _called(region: str, view: RunView, words: Words) -> str:
    return view.region_names_zh.get(region, region) if words.lang == "zh" else region


def _scaled(table: FloatArray) -> FloatArray:
    """Rows from 0 at their least to 1 at their greatest value; rows in which all are alike are 0."""
    low, high = (edge(table, axis=1, keepdims=True) for edge in (np.nanmin, np.nanmax))
    return np.where(np.isnan(table), np.nan, ratio_or_zero(np.nan_to_num(table - low), high - low))


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _tonnes(kg: float | None) -> float:
    return np.nan if kg is None else kg / KG_PER_T
