"""Layouts against a base: what each saves and costs, in all and per MWh moved, and whether chance would do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gridtwin.compare.layout.binding import Binding, bindings
from gridtwin.compare.layout.lines import Line, Pair, line_table, paired_values
from gridtwin.compare.layout.pairing import require_noise, require_paired
from gridtwin.compare.layout.run_view import RunView
from gridtwin.compare.records import RunCard
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.economics.indicators import Reading
from gridtwin.economics.moves import Move, Verdict
from gridtwin.errors import ResultsError
from gridtwin.results.saved_run import SavedRun

__all__ = ["Difference", "LayoutRun", "Layouts", "layouts"]

PER_MWH: Final[Mapping[str, tuple[float, str]]] = {
    "all_costs": (1.0, "{currency}/MWh"),
    "grid_cost": (1.0, "{currency}/MWh"),
    "wan_cost": (1.0, "{currency}/MWh"),
    "co2_t": (1000.0, "kg/MWh"),
    "grid_co2_t": (1000.0, "kg/MWh"),
    "curtailment_mwh": (1.0, "MWh/MWh"),
}
LEAST_MWH: Final = 1e-6  # moved; nothing is divided by less
ROUNDING: Final = 1e-9  # of the base: differences below are none


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of one layout.

    Parameters
    ----------
    line : Line
    compute_class : str
        "" where the line tells classes not apart.
    unit : str
    base, change : float or None
        None where there is no value.
    floor : float or None
        Largest less smallest value among the base and the runs that differ from it by chance alone; None where none
        were given.
    moved_mwh : float, MWh
        Energy of the work that the layout runs elsewhere than the base does.
    """

    line: Line
    compute_class: str
    unit: str
    base: float | None
    change: float | None
    floor: float | None
    moved_mwh: float

    @property
    def delta(self) -> float | None:
        """Change less base; what is only rounding is 0."""
        if self.base is None or self.change is None:
            return None
        delta = self.change - self.base
        return 0.0 if abs(delta) <= ROUNDING * max(abs(self.base), abs(self.change)) else delta

    @property
    def per_mwh(self) -> float | None:
        """Delta per MWh moved, in the unit of `per_mwh_unit`; None for lines without one, or where nothing moved."""
        if self.line.name not in PER_MWH or self.delta is None or self.moved_mwh < LEAST_MWH:
            return None
        return self.delta * PER_MWH[self.line.name][0] / self.moved_mwh

    @property
    def per_mwh_unit(self) -> str:
        """Unit of `per_mwh`, the currency left open."""
        return PER_MWH[self.line.name][1] if self.line.name in PER_MWH else ""

    @property
    def distinguishable(self) -> bool | None:
        """Whether the difference is beyond the noise floor; None where that was not measured or nothing differs."""
        return abs(self.delta) > self.floor if self.floor is not None and self.delta else None


@dataclass(frozen=True, slots=True)
class LayoutRun:
    """One layout.

    Parameters
    ----------
    run : RunCard
    moved_mwh : float, MWh
        Energy of the work that it runs elsewhere than the base does, at the meters of the sites where it runs it.
    differences : tuple of Difference
        Against the base; of the base itself its own values on both sides.
    readings : tuple of Reading
    moves : tuple of Move
    verdicts : tuple of Verdict
    bindings : tuple of Binding
    """

    run: RunCard
    moved_mwh: float
    differences: tuple[Difference, ...]
    readings: tuple[Reading, ...]
    moves: tuple[Move, ...]
    verdicts: tuple[Verdict, ...]
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Layouts:
    """Layouts of the same work against a base.

    Parameters
    ----------
    base : LayoutRun
    changes : tuple of LayoutRun
    noise : tuple of RunCard
        Runs of the base in another order of the solver.
    region_names_zh : mapping of str to str
        Of regions that are called like an origin or a site that has one.
    """

    base: LayoutRun
    changes: tuple[LayoutRun, ...]
    noise: tuple[RunCard, ...]
    region_names_zh: Mapping[str, str]

    @property
    def runs(self) -> tuple[LayoutRun, ...]:
        """All layouts, the base first."""
        return self.base, *self.changes


def layouts(runs: Sequence[SavedRun], noise: Sequence[SavedRun] = ()) -> Layouts:
    """Compare layouts with the first of them.

    Parameters
    ----------
    runs : sequence of SavedRun
        The base first; all with the same seed, work, weather and time.
    noise : sequence of SavedRun
        Runs of the base that differ in `solver.permute` alone.

    Raises
    ------
    ResultsError
        If runs are not paired, or something in a run folder cannot be read.
    """
    if not runs:
        raise ResultsError("a table of layouts needs a run; got none")
    views, by_chance = (
        [RunView(RunSeries(run, card)) for run, card in zip(some, run_cards(some), strict=True)]
        for some in (runs, noise)
    )
    base, *others = views
    for other in others:
        require_paired(base, other)
    for other in by_chance:
        require_noise(base, other)
    floor = _floor([paired_values(base, other) for other in by_chance])
    return Layouts(
        base=_layout(base, base, floor),
        changes=tuple(_layout(base, other, floor) for other in others),
        noise=tuple(other.series.card for other in by_chance),
        region_names_zh={name: text for view in views for name, text in view.region_names_zh.items()},
    )


def _layout(base: RunView, other: RunView, floor: Mapping[tuple[str, str], float]) -> LayoutRun:
    moved_mwh, currency = moved(base, other), base.series.card.currency
    found = (
        Difference(
            line,
            compute_class,
            line.unit.format(currency=currency),
            *pair,
            floor=floor.get((name, compute_class)),
            moved_mwh=moved_mwh,
        )
        for (name, compute_class), pair in paired_values(base, other).items()
        for line in (line_table()[name],)
    )
    return LayoutRun(
        run=other.series.card,
        moved_mwh=moved_mwh,
        differences=tuple(found),
        readings=other.readings,
        moves=other.moves,
        verdicts=other.verdicts,
        bindings=bindings(other.series),
    )


def moved(base: RunView, other: RunView) -> float:
    """Energy of the work that a run does in another region than the base does it, MWh at the meters where it does.

    Where the work of one origin and class is swapped between two regions nothing has moved.
    """
    before = _energy(base)
    return sum(max(mwh - before.get(key, 0.0), 0.0) for key, mwh in _energy(other).items())


def _energy(view: RunView) -> dict[tuple[str, str, str], float]:
    return {
        (move.origin, move.site, compute_class): mwh
        for move in view.all_work
        for compute_class, mwh in move.class_mwh.items()
    }


def _floor(by_chance: Sequence[Mapping[tuple[str, str], Pair]]) -> dict[tuple[str, str], float]:
    """Spread of each line over the base and the runs that differ by chance."""
    floor = {}
    for key in by_chance[0] if by_chance else ():
        deltas = [
            new - old for old, new in (values[key] for values in by_chance) if old is not None and new is not None
        ]
        if len(deltas) == len(by_chance):
            floor[key] = max(0.0, *deltas) - min(0.0, *deltas)
    return floor
