"""A table of layouts as JSON and as sheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from gridtwin.compare.layout.layouts import Difference, LayoutRun, Layouts
from gridtwin.economics.indicator_table import indicator_table
from gridtwin.economics.moves import Move, Verdict
from gridtwin.exports.sheets import Sheet

__all__ = ["layout_content", "layout_sheets"]


def layout_content(layouts: Layouts) -> dict[str, Any]:
    """Return everything as JSON holds it; null where a value is not defined or not known."""
    return {
        "base": layouts.base.run.label,
        "currency": layouts.base.run.currency,
        "noise_runs": [asdict(card) for card in layouts.noise],
        "layouts": [_run_content(run) for run in layouts.runs],
        "definitions": {
            name: {"unit": one.unit, "en": one.definition, "zh": one.definition_zh}
            for name, one in indicator_table().items()
        },
    }


def _run_content(run: LayoutRun) -> dict[str, Any]:
    return {
        "run": asdict(run.run),
        "moved_mwh": run.moved_mwh,
        "differences": [_difference(one) for one in run.differences],
        "indicators": [asdict(reading) for reading in run.readings],
        "moves": [_move(move) for move in run.moves],
        "published": [_verdict(verdict) for verdict in run.verdicts],
        "bindings": [asdict(one) for one in run.bindings],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "name": one.line.name,
        "compute_class": one.compute_class,
        "unit": one.unit,
        "base": one.base,
        "value": one.change,
        "delta": one.delta,
        "per_mwh_moved": one.per_mwh,
        "noise_floor": one.floor,
        "distinguishable": one.distinguishable,
    }


def _move(move: Move) -> dict[str, Any]:
    return asdict(move) | {
        "average_change_kg": move.average_change_kg,
        "marginal_change_kg": move.marginal_change_kg,
        "raises_co2": move.raises,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return asdict(verdict) | {"agrees": verdict.agrees}


def layout_sheets(layouts: Layouts, lang: str = "en") -> list[Sheet]:
    """Return everything as tables with one row each; labels in a language, the names of columns in English."""
    runs = layouts.runs
    return [
        _sheet("layouts", (row for run in layouts.changes or runs for row in _difference_rows(run, lang))),
        _sheet("indicators", (row for run in runs for row in _reading_rows(run, layouts.region_names_zh, lang))),
        _sheet("moves", ({"layout": run.run.label, **_flat(_move(move))} for run in runs for move in run.moves)),
        _sheet(
            "published", ({"layout": run.run.label, **_flat(_verdict(one))} for run in runs for one in run.verdicts)
        ),
        _sheet("bindings", ({"layout": run.run.label, **asdict(one)} for run in runs for one in run.bindings)),
        _sheet(
            "definitions",
            (
                {"indicator": one.name, "label": one.called(lang), "unit": one.unit, "definition": one.defined(lang)}
                for one in indicator_table().values()
            ),
        ),
    ]


def _difference_rows(run: LayoutRun, lang: str) -> Iterator[dict[str, Any]]:
    for one in run.differences:
        yield {"layout": run.run.label, "label": one.line.called(lang), **_difference(one)}


def _reading_rows(run: LayoutRun, names_zh: Mapping[str, str], lang: str) -> Iterator[dict[str, Any]]:
    table = indicator_table()
    for one in run.readings:
        yield {
            "layout": run.run.label,
            "region": one.region,
            "region_zh": names_zh.get(one.region, ""),
            "indicator": one.indicator,
            "label": table[one.indicator].called(lang),
            "compute_class": one.compute_class,
            "value": one.value,
            "unit": table[one.indicator].unit.format(currency=run.run.currency),
        }


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Lay members of mappings beside the rest: `node_h.general`."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        flat |= {f"{name}.{key}": held for key, held in value.items()} if isinstance(value, Mapping) else {name: value}
    return flat


def _sheet(name: str, rows: Iterable[Mapping[str, Any]]) -> Sheet:
    listed = list(rows)
    columns = dict.fromkeys(column for row in listed for column in row)
    return Sheet(name, {column: [row.get(column) for row in listed] for column in columns})
