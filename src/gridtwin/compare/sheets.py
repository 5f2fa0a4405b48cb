"""A comparison as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gridtwin.compare.records import Change, Decomposition, Figure, Part, Reinforcement, RunCard
from gridtwin.exports.sheets import Sheet

if TYPE_CHECKING:
    from gridtwin.compare.comparison import Comparison

__all__ = ["comparison_sheets"]


def comparison_sheets(comparison: Comparison) -> list[Sheet]:
    """Return runs, inputs, figures, decompositions, checks, lines, connections and periods; changes side by side."""
    changes = comparison.changes
    return [
        _runs(comparison),
        _inputs(changes),
        _figures(comparison.base, changes),
        *(_decomposition(comparison.base, changes, place) for place in range(len(changes[0].decompositions))),
        _checks(changes),
        _lines(comparison),
        _connections(comparison),
        *_periods(comparison),
    ]


def _runs(comparison: Comparison) -> Sheet:
    cards = [
        {
            "role": "change" if place else "base",
            "label": card.label,
            "run": card.run_id,
            "scenario": card.scenario,
            "policy": card.policy,
            "seed": card.seed,
            "start": card.start,
            "steps": card.steps,
            "step_h": card.step_h,
            "ledgers": trust.ledgers,
            "ledgers_broken": ", ".join(trust.broken),
            "ac_findings": sum(trust.findings.values()),
            "ac_steps_not_converged": trust.steps_not_converged,
            "jobs_unfinished": trust.jobs_unfinished,
            "optimality_gap": trust.optimality_gap,
        }
        for place, (card, trust) in enumerate(zip(comparison.runs, comparison.trust, strict=True))
    ]
    return _sheet("runs", cards, {"step_h": "h", "optimality_gap": comparison.base.currency})


def _inputs(changes: Sequence[Change]) -> Sheet:
    rows = [
        {
            "run": change.run.label,
            "kind": found.kind,
            "path": found.path,
            "base": _cell(found.base),
            "change": _cell(found.change),
            "detail": found.detail,
        }
        for change in changes
        for found in change.inputs
    ]
    return _sheet("inputs", rows, {}, ("run", "kind", "path", "base", "change", "detail"))


def _figures(base: RunCard, changes: Sequence[Change]) -> Sheet:
    rows = []
    for place, figure in enumerate(changes[0].figures):
        row: dict[str, object] = {"figure": figure.name, "label": figure.label, "unit": figure.unit}
        row[_base(base)] = figure.base
        for change in changes:
            row |= _side(change.run.label, change.figures[place])
        rows.append(row)
    return _sheet("figures", rows, {})


def _side(label: str, figure: Figure) -> dict[str, object]:
    return {
        f"{label}": figure.change,
        f"{label}: delta": figure.delta,
        f"{label}: percent": figure.percent,
        f"{label}: noise": figure.noise,
    }


def _decomposition(base: RunCard, changes: Sequence[Change], place: int) -> Sheet:
    """Put the parts of one decomposition side by side, then its total, what is left, and what belongs beside it."""
    tables = [change.decompositions[place] for change in changes]
    rows: list[dict[str, object]] = []
    for kind, parts in (
        ("part", lambda table: table.parts),
        ("total", lambda table: (table.total,) if table.total else ()),
        ("beside", lambda table: table.beside),
    ):
        rows += _part_rows(base, changes, tables, kind, parts)
        if kind == "total":
            rows.append(_residual_row(changes, tables))
    columns = ("kind", "part", "label", "group", "unit", _base(base))
    return _sheet(tables[0].name, rows, {}, columns)


def _part_rows(
    base: RunCard,
    changes: Sequence[Change],
    tables: Sequence[Decomposition],
    kind: str,
    parts: Callable[[Decomposition], tuple[Part, ...]],
) -> Iterator[dict[str, object]]:
    names = dict.fromkeys(part.name for table in tables for part in parts(table))
    for name in names:
        row: dict[str, object] = {}
        for change, table in zip(changes, tables, strict=True):
            part = next((part for part in parts(table) if part.name == name), None)
            if part is None:
                continue
            row = row or {
                "kind": kind,
                "part": name,
                "label": part.label,
                "group": part.group,
                "unit": table.unit,
                _base(base): part.base,
            }
            label = change.run.label
            row |= {label: part.change, f"{label}: delta": part.delta, f"{label}: note": part.note}
        yield row


def _residual_row(changes: Sequence[Change], tables: Sequence[Decomposition]) -> dict[str, object]:
    row: dict[str, object] = {"kind": "check", "part": "residual", "label": "parts less total", "unit": tables[0].unit}
    for change, table in zip(changes, tables, strict=True):
        note = table.unavailable or "; ".join(table.notes)
        row |= {f"{change.run.label}: delta": table.residual, f"{change.run.label}: note": note}
    return row


def _checks(changes: Sequence[Change]) -> Sheet:
    rows = [
        {
            "run": change.run.label,
            "table": table.name,
            "holds": table.holds,
            "residual": table.residual,
            "tolerance": table.tolerance,
            "unit": table.unit,
            "unavailable": table.unavailable,
        }
        for change in changes
        for table in change.decompositions
    ]
    return _sheet("checks", rows, {})


def _lines(comparison: Comparison) -> Sheet:
    rows = [
        {
            "run": label,
            "line": line.line,
            "beyond_mw": line.beyond_mw,
            "beyond_h": line.beyond_h,
            "length_km": line.length_km,
            "mw_km": line.mw_km,
            "binding_h": line.binding_h,
            "shadow_price_per_mwh": line.shadow_price_per_mwh,
            "rent_cost": line.rent_cost,
        }
        for label, found in _needs(comparison)
        for line in found.lines
    ]
    money = comparison.base.currency
    units = {"beyond_mw": "MW", "beyond_h": "h", "length_km": "km", "mw_km": "MW·km", "binding_h": "h"}
    units |= {"shadow_price_per_mwh": f"{money}/MWh", "rent_cost": money}
    return _sheet("lines", rows, units, ("run", "line", *units))


def _connections(comparison: Comparison) -> Sheet:
    rows = [
        {
            "run": label,
            "site": site.site,
            "peak_mw": site.peak_mw,
            "connection_mw": site.connection_mw,
            "unused_mw": site.unused_mw,
        }
        for label, found in _needs(comparison)
        for site in found.connections
    ]
    units = dict.fromkeys(("peak_mw", "connection_mw", "unused_mw"), "MW")
    return _sheet("connections", rows, units, ("run", "site", *units))


def _periods(comparison: Comparison) -> Iterator[Sheet]:
    money = comparison.base.currency
    units = {"hours": "h", "base_cost": money, "change_cost": money, "delta_cost": money}
    units |= {"base_co2": "t", "change_co2": "t", "delta_co2": "t"}
    for kind in ("week", "month"):
        rows = [
            {
                "run": change.run.label,
                kind: period.label,
                "hours": period.hours,
                "base_cost": period.base_cost,
                "change_cost": period.change_cost,
                "delta_cost": _less(period.change_cost, period.base_cost),
                "base_co2": period.base_co2_t,
                "change_co2": period.change_co2_t,
                "delta_co2": period.change_co2_t - period.base_co2_t,
            }
            for change in comparison.changes
            for period in change.periods
            if period.kind == kind
        ]
        if rows:
            yield _sheet(f"{kind}s", rows, units)


def _needs(comparison: Comparison) -> Iterator[tuple[str, Reinforcement]]:
    yield comparison.base.label, comparison.reinforcement
    yield from ((change.run.label, change.reinforcement) for change in comparison.changes)


def _sheet(name: str, rows: Sequence[dict[str, Any]], units: dict[str, str], columns: Sequence[str] = ()) -> Sheet:
    """Turn rows into columns; what a row does not have is empty."""
    names = dict.fromkeys([*columns, *(key for row in rows for key in row)])
    return Sheet(name, {key: [row.get(key) for row in rows] for key in names}, units)


def _base(base: RunCard) -> str:
    return f"{base.label} (base)"


def _cell(value: object) -> object:
    """Return a value that a cell can hold."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _less(change: float | None, base: float | None) -> float | None:
    return None if change is None or base is None else change - base
