"""A comparison as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gridtwin.compare.records import Change, Decomposition, Figure, Part, Reinforcement, RunCard
from gridtwin.compare.side_by_side import rows
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
    listed = [
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
    return _sheet("inputs", listed, {}, ("run", "kind", "path", "base", "change", "detail"))


def _figures(base: RunCard, changes: Sequence[Change]) -> Sheet:
    listed = []
    for place, figure in enumerate(changes[0].figures):
        row: dict[str, object] = {"figure": figure.name, "label": figure.label, "unit": figure.unit}
        row[_base(base)] = figure.base
        for change in changes:
            row |= _side(change.run.label, change.figures[place])
        listed.append(row)
    return _sheet("figures", listed, {})


def _side(label: str, figure: Figure) -> dict[str, object]:
    return {
        f"{label}: change": figure.change,
        f"{label}: delta": figure.delta,
        f"{label}: percent": figure.percent,
        f"{label}: noise": figure.noise,
    }


def _decomposition(base: RunCard, changes: Sequence[Change], place: int) -> Sheet:
    """Put the parts of one decomposition side by side, then its total, what belongs beside it, and what is left."""
    tables = [change.decompositions[place] for change in changes]
    lines: list[dict[str, object]] = []
    for row in rows(tables):
        line: dict[str, object] = {"kind": row.kind, "part": row.name, "label": row.label, "group": row.group}
        line |= {"unit": tables[0].unit, _base(base): row.base}
        for change, part in zip(changes, row.parts, strict=True):
            if part is not None:
                line |= _part(change, part)
        lines.append(line)
    lines.append(_residual_row(changes, tables))
    return _sheet(tables[0].name, lines, {}, ("kind", "part", "label", "group", "unit", _base(base)))


def _part(change: Change, part: Part) -> dict[str, object]:
    """Return the cells of one run; its own base where that is a sum over other steps than those of the whole base."""
    label = change.run.label
    own = {} if change.overlap.same else {f"{label}: base": part.base}
    return own | {f"{label}: change": part.change, f"{label}: delta": part.delta, f"{label}: note": part.note}


def _residual_row(changes: Sequence[Change], tables: Sequence[Decomposition]) -> dict[str, object]:
    row: dict[str, object] = {"kind": "check", "part": "residual", "label": "parts less total", "unit": tables[0].unit}
    for change, table in zip(changes, tables, strict=True):
        note = table.unavailable or "; ".join(table.notes)
        row |= {f"{change.run.label}: delta": table.residual, f"{change.run.label}: note": note}
    return row


def _checks(changes: Sequence[Change]) -> Sheet:
    listed = [
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
    return _sheet("checks", listed, {})


def _lines(comparison: Comparison) -> Sheet:
    listed = [
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
    return _sheet("lines", listed, units, ("run", "line", *units))


def _connections(comparison: Comparison) -> Sheet:
    listed = [
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
    return _sheet("connections", listed, units, ("run", "site", *units))


def _periods(comparison: Comparison) -> Iterator[Sheet]:
    money = comparison.base.currency
    units = {"hours": "h", "base_cost": money, "change_cost": money, "delta_cost": money}
    units |= {"base_co2": "t", "change_co2": "t", "delta_co2": "t"}
    for kind in ("week", "month"):
        listed = [
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
        if listed:
            yield _sheet(f"{kind}s", listed, units)


def _needs(comparison: Comparison) -> Iterator[tuple[str, Reinforcement]]:
    yield comparison.base.label, comparison.reinforcement
    yield from ((change.run.label, change.reinforcement) for change in comparison.changes)


def _sheet(name: str, lines: Sequence[dict[str, Any]], units: dict[str, str], columns: Sequence[str] = ()) -> Sheet:
    """Turn rows into columns; what a row does not have is empty."""
    names = dict.fromkeys([*columns, *(key for line in lines for key in line)])
    return Sheet(name, {key: [line.get(key) for line in lines] for key in names}, units)


def _base(base: RunCard) -> str:
    return f"{base.label} (base)"


def _cell(value: object) -> object:
    """Return a value that a cell can hold."""
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _less(change: float | None, base: float | None) -> float | None:
    return None if change is None or base is None else change - base
