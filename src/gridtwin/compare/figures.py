"""Key figures of a run, those of its summary and those that only a comparison needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from gridtwin.compare.records import Change, Figure
from gridtwin.economics.kpi_table import KPIS, Kpi
from gridtwin.results.saved_run import SavedRun

__all__ = ["FIGURES", "compared_figures", "figures", "with_noise"]

DERIVED: Mapping[str, Kpi] = {
    "all_costs": Kpi("all costs, priced slacks included", "{currency}"),
    "loads_paid": Kpi("what other customers pay at nodal prices", "{currency}"),
    "late_node_h": Kpi("node-hours that jobs ended late", "node-h"),
}
FIGURES: Final[Mapping[str, Kpi]] = {**DERIVED, **KPIS}


def figures(run: SavedRun, all_costs: float) -> dict[str, float | None]:
    """Return all figures of a run by name, in the order of `FIGURES`."""
    late = sum(window["relaxations"]["late_node_h"] for window in run.manifest["windows"])
    derived = {"all_costs": all_costs, "loads_paid": run.summary["money_paid"]["loads"], "late_node_h": late}
    return {name: derived[name] if name in derived else run.kpis.get(name) for name in FIGURES}


def compared_figures(
    base: Mapping[str, float | None], change: Mapping[str, float | None], currencies: tuple[str, str]
) -> tuple[Figure, ...]:
    """Put the figures of two runs side by side; money in another currency than that of the base is left out."""
    same = currencies[0] == currencies[1]
    return tuple(
        Figure(
            name,
            kpi.label,
            kpi.unit.format(currency=currencies[0]),
            base[name],
            change[name] if same or "{currency}" not in kpi.unit else None,
        )
        for name, kpi in FIGURES.items()
    )


def with_noise(changes: Sequence[Change]) -> Iterator[Change]:
    """Write beside each figure what chance alone changed it by, where runs differ from the base in the seed alone."""
    by_chance = [change for change in changes if change.seed_alone]
    for change in changes:
        noted = (replace(figure, noise=_largest(by_chance, figure.name)) for figure in change.figures)
        yield replace(change, figures=tuple(noted)) if by_chance and not change.seed_alone else change


def _largest(changes: Sequence[Change], name: str) -> float | None:
    deltas = [change.figure(name).delta for change in changes]
    return max((abs(delta) for delta in deltas if delta is not None), default=None)
