"""Runs compared with a base, and the comparison as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridtwin.compare.content import comparison_content
from gridtwin.compare.costs import all_costs, cost_decomposition
from gridtwin.compare.emissions import co2_by_technology, co2_decomposition
from gridtwin.compare.figures import compared_figures, figures, with_noise
from gridtwin.compare.model_diff import input_changes
from gridtwin.compare.payments import payments
from gridtwin.compare.periods import periods
from gridtwin.compare.records import Change, Reinforcement, RunCard, Trust
from gridtwin.compare.reinforcement import reinforcement
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries, align
from gridtwin.compare.sheets import comparison_sheets
from gridtwin.compare.trust import trust
from gridtwin.errors import ResultsError
from gridtwin.exports.sheets import Sheet
from gridtwin.results.saved_run import SavedRun

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs against a base.

    Parameters
    ----------
    base : RunCard
    reinforcement : Reinforcement
        Of the base.
    changes : tuple of Change
    trust : tuple of Trust
        Of all runs, the base first.
    """

    base: RunCard
    reinforcement: Reinforcement
    changes: tuple[Change, ...]
    trust: tuple[Trust, ...]

    @property
    def runs(self) -> tuple[RunCard, ...]:
        """All runs, the base first."""
        return self.base, *(change.run for change in self.changes)

    def sheets(self) -> list[Sheet]:
        """Return everything as tables, the most asked for first."""
        return comparison_sheets(self)

    def content(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        return comparison_content(self)


def compare(runs: Sequence[SavedRun], line_cost_per_mw_km: float | None = None) -> Comparison:
    """Compare runs with the first of them.

    Parameters
    ----------
    runs : sequence of SavedRun
        At least two, the base first.
    line_cost_per_mw_km : float, optional
        Annuity of line capacity, money per MW·km and year, to price what lines lack; there is no default.

    Returns
    -------
    Comparison

    Raises
    ------
    ResultsError
        If there are fewer than two runs, or something in a run folder cannot be read.
    """
    if len(runs) < 2:  # noqa: PLR2004 - a base and a change
        raise ResultsError(f"a comparison needs two runs or more, the base first; got {len(runs)}")
    series = [RunSeries(run, card) for run, card in zip(runs, run_cards(runs), strict=True)]
    base, *others = series
    changes = [_change(base, other, line_cost_per_mw_km) for other in others]
    return Comparison(
        base=base.card,
        reinforcement=reinforcement(base, line_cost_per_mw_km),
        changes=tuple(with_noise(changes)),
        trust=tuple(trust(run) for run in series),
    )


def _change(base: RunSeries, other: RunSeries, line_cost_per_mw_km: float | None) -> Change:
    steps = align(base.card, other.card, base.run.time, other.run.time)
    old, new = (figures(run.run, all_costs(run)) for run in (base, other))
    return Change(
        run=other.card,
        overlap=steps.overlap,
        inputs=input_changes(base.run, other.run),
        figures=compared_figures(old, new, (base.card.currency, other.card.currency)),
        cost=cost_decomposition(base, other, steps),
        co2=co2_decomposition(base, other, steps),
        co2_by_technology=co2_by_technology(base, other, steps),
        payments=payments(base, other, steps),
        reinforcement=reinforcement(other, line_cost_per_mw_km),
        periods=periods(base, other, steps),
    )
