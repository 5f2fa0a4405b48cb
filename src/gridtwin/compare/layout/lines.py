"""The lines of a table of layouts, and their values for two runs that are paired."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gridtwin.compare.costs import FUEL, cost_decomposition
from gridtwin.compare.emissions import co2_by_technology
from gridtwin.compare.layout.binding import bindings
from gridtwin.compare.layout.run_view import RunView
from gridtwin.compare.records import Decomposition
from gridtwin.compare.series import Alignment, RunSeries, align
from gridtwin.economics.moves import Move
from gridtwin.units import KG_PER_T

__all__ = ["Line", "Pair", "line_table", "paired_values"]

Pair = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of `lines.csv`.

    Parameters
    ----------
    name, source, key : str
        Where the value comes from: `shared` (of the steps that both runs have), `kpi`, `indicator` or `classes` (of the
        nation), `moves`, `grid`; and what it is called there.
    unit, label, label_zh : str
    """

    name: str
    source: str
    key: str
    unit: str
    label: str
    label_zh: str

    def called(self, lang: str) -> str:
        """Return the label in a language."""
        return self.label_zh if lang == "zh" else self.label


@cache
def line_table() -> Mapping[str, Line]:
    """Return all lines by name, in the order of the table."""
    text = files("gridtwin.compare.layout").joinpath("lines.csv").read_text(encoding="utf-8")
    return {row["name"]: Line(**row) for row in csv.DictReader(text.splitlines())}


def paired_values(base: RunView, other: RunView) -> dict[tuple[str, str], Pair]:
    """Return what both runs have on each line, by its name and class; "" where classes are not told apart."""
    shared, sides = _shared(base, other), (_of_run(base), _of_run(other))
    values: dict[tuple[str, str], Pair] = {}
    for line in line_table().values():
        if line.source == "shared":
            values[line.name, ""] = shared[line.key]
        elif line.source == "classes":
            classes = dict.fromkeys((*base.fleet.classes, *other.fleet.classes))
            found = ((one, [view.nation.get((line.key, one)) for view in (base, other)]) for one in classes)
            values |= {(line.name, one): (old, new) for one, (old, new) in found}
        elif line.source == "indicator":
            values[line.name, ""] = base.nation[line.key, ""], other.nation[line.key, ""]
        else:
            old, new = (side[line.source, line.key] for side in sides)
            values[line.name, ""] = old, new
    return values


def _shared(base: RunView, other: RunView) -> dict[str, Pair]:
    """Costs, CO2 and curtailment; what the grid does in steps that one run alone has is left out."""
    old, new = base.series, other.series
    steps = align(old.card, new.card, old.run.time, new.run.time)
    split = cost_decomposition(old, new, steps)
    cost, co2 = split.shared, co2_by_technology(old, new, steps).shared
    taken_cost, taken_kg = (_taken(old, new, steps, rate) for rate in ("price_per_mwh", "marginal_co2_kg_per_mwh"))
    return {
        "all_costs": (cost.base, cost.change) if cost else (None, None),
        "grid_cost": _plus(_of_grid(split), taken_cost, 1.0),
        "co2_t": (co2.base, co2.change) if co2 else (None, None),
        "grid_co2_t": _plus((co2.base, co2.change) if co2 else (None, None), taken_kg, 1.0 / KG_PER_T),
        "curtailment_mwh": (
            float(old.curtailed_mwh[steps.base].sum()),
            float(new.curtailed_mwh[steps.change].sum()),
        ),
    }


def _of_grid(split: Decomposition) -> Pair:
    """Production and carbon, with the energy of jobs in steps that one run alone has."""
    parts = [part for part in split.parts if part.group == FUEL or part.name in ("carbon", "other_jobs")]
    old, new = ([getattr(part, side) for part in parts] for side in ("base", "change"))
    return (sum(old), sum(new)) if parts and None not in (*old, *new) else (None, None)


def _taken(old: RunSeries, new: RunSeries, steps: Alignment, rate: str) -> Pair:
    """Energy that each run takes from its stores in shared steps, at the mean rate of both; None if stores differ.

    At rates of its own each run would value all that it stored, and small differences of rates would outweigh what one
    run stored more than the other.
    """
    if old.inputs["stores"]["store"].tolist() != new.inputs["stores"]["store"].tolist() or not steps.usable:
        return None, None
    at = old.inputs["stores"]["bus_index"]
    mean = (old.v[rate][steps.base].mean(axis=0) + new.v[rate][steps.change].mean(axis=0))[at] / 2
    taken = (run.taken_mwh[index] @ mean for run, index in ((old, steps.base), (new, steps.change)))
    before, after = (float(one.sum()) for one in taken)
    return before, after


def _plus(pair: Pair, added: Pair, scale: float) -> Pair:
    """Add two pairs, the second scaled; None where either has no value."""
    old, new = (
        None if one is None or more is None else one + scale * more for one, more in zip(pair, added, strict=True)
    )
    return old, new


def _of_run(view: RunView) -> dict[tuple[str, str], float | None]:
    held = bindings(view.series)
    return {
        **{("kpi", name): value for name, value in view.series.run.kpis.items()},
        **{("moves", name): value for name, value in _of_moves(view.moves)},
        ("grid", "hours"): sum(one.hours for one in held),
        ("grid", "rent"): sum(one.rent for one in held),
    }


def _of_moves(moves: tuple[Move, ...]) -> Iterator[tuple[str, float | None]]:
    yield "energy_mwh", sum(move.energy_mwh for move in moves)
    told = [move.raises for move in moves]
    raising = sum(move.energy_mwh for move, raises in zip(moves, told, strict=True) if raises)
    yield "raising_mwh", None if None in told else raising
    for basis in ("average", "marginal"):
        changes = [getattr(move, f"{basis}_change_kg") for move in moves]
        yield f"{basis}_t", None if None in changes else sum(changes) / KG_PER_T
