"""The long table of integrated assessment: model, scenario, region, variable, unit, time, value."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

import numpy as np
import pyarrow as pa
from pyarrow.csv import CSVWriter

from gridtwin.arrays import link_injection_mw, ratio_or_zero, sum_at
from gridtwin.economics.production import along_segments
from gridtwin.errors import ResultsError
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import MAKE, Chosen, Selection, choose
from gridtwin.exports.sheets import defused
from gridtwin.located import did_you_mean
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["Indicator", "fuel_of", "indicators", "write"]

SYSTEM: Final = "System"
YEAR_S: Final = 365 * 86_400
Regional: TypeAlias = Mapping[str, FloatArray]  # region to values (time,)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A variable of the long table and where it comes from."""

    variable: str
    unit: str  # {currency} stands for the model's ISO code
    quantity: str
    by_fuel: bool
    over_steps: Literal["sum", "mean"]
    meaning: str


@cache
def indicators() -> tuple[Indicator, ...]:
    """Return what `iamc.csv` lists."""
    return tuple(
        Indicator(
            variable=row["variable"],
            unit=row["unit"],
            quantity=row["quantity"],
            by_fuel=row["by_fuel"] == "yes",
            over_steps=cast('Literal["sum", "mean"]', row["over_steps"]),
            meaning=row["meaning"],
        )
        for row in _read("iamc.csv")
    )


def fuel_of(technology: str) -> str:
    """Return the fuel that a technology counts under: the first line of `iamc_fuels.csv` that it matches.

    Examples
    --------
    >>> fuel_of("Gas CC"), fuel_of("Rooftop PV"), fuel_of("Sync_Cond")
    ('Gas', 'Solar|PV', 'Other')
    """
    return next(row["fuel"] for row in _read("iamc_fuels.csv") if fnmatchcase(technology.lower(), row["technology"]))


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write one CSV file; patterns of the selection choose among the names of this table, not of our variables.

    Energy and emissions are those of each step, prices its mean. Steps of a year or more have a column `year` instead
    of `time`. Regions are the areas of the buses, and System.

    Raises
    ------
    ResultsError
        If a pattern names nothing, an area is called System, or the offset of the zone changes during the run.
    """
    chosen = choose(run, replace(selection, variables=()))
    table = {key: value for key, value in _table(chosen) if _wanted(key[0], selection)}
    _require_names(table, selection)
    column, when = _when(chosen)
    schema = pa.schema([(name, pa.string()) for name in ("model", "scenario", "region", "variable", "unit")])
    schema = schema.append(pa.field(column, when.type)).append(pa.field("value", pa.float64()))
    fixed = [f"gridtwin {run.facts.versions['gridtwin']}", run.run_id]
    with Path(target).open("wb") as file, CSVWriter(file, schema) as writer:
        for done, ((variable, unit, region), values) in enumerate(table.items(), start=1):
            texts = [pa.repeat(defused(text), len(values)) for text in (*fixed, region, variable, unit)]
            writer.write_batch(pa.RecordBatch.from_arrays([*texts, when, pa.array(values)], schema=schema))
            progress(done, len(table))
    return {"iamc": len(table) * len(when)}


def _read(name: str) -> Iterator[Mapping[str, str]]:
    text = files("gridtwin.exports").joinpath(name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _when(chosen: Chosen) -> tuple[str, pa.Array]:
    """Return the column that places values in time, and its cells."""
    texts = chosen.local_texts()
    if chosen.step_s >= YEAR_S:
        return "year", pa.array([int(text[:4]) for text in texts])
    if len({text[19:] for text in texts}) > 1:
        raise ResultsError(
            f"clocks change in {chosen.selection.zone} during the run, which readers of this table do not follow; "
            "take a zone of fixed offset, such as UTC or Etc/GMT-8 for UTC+8"
        )
    return "time", pa.array(texts)


def _wanted(variable: str, selection: Selection) -> bool:
    return not selection.variables or any(fnmatchcase(variable, pattern) for pattern in selection.variables)


def _require_names(table: Mapping[tuple[str, str, str], FloatArray], selection: Selection) -> None:
    names = [variable for variable, _, _ in table]
    for pattern in selection.variables:
        if not any(fnmatchcase(name, pattern) for name in names):
            known = [indicator.variable for indicator in indicators()]
            raise ResultsError(f"no variable of the long table is called {pattern!r}{did_you_mean(pattern, known)}")


def _table(chosen: Chosen) -> Iterator[tuple[tuple[str, str, str], FloatArray]]:
    """Yield (variable, unit, region) and values over the steps to give."""
    areas = _Areas(chosen)
    edges = chosen.edges - chosen.edges[0]
    for indicator in indicators():
        parts = QUANTITIES[indicator.quantity](areas)
        unit = indicator.unit.format(currency=chosen.run.facts.currency)
        for suffix, regional in parts.items() if indicator.by_fuel else (("", parts[""]),):
            name = f"{indicator.variable}|{suffix}" if suffix else indicator.variable
            for region, values in regional.items():
                yield (name, unit, region), MAKE[indicator.over_steps](values, edges)


class _Areas:
    """Series of a run by area of the bus they belong to."""

    def __init__(self, chosen: Chosen) -> None:
        self.run, self._steps = chosen.run, slice(int(chosen.edges[0]), int(chosen.edges[-1]))
        buses = self.run.inputs("buses")
        self.regions = list(dict.fromkeys(buses["area"].tolist()))
        if SYSTEM in self.regions:
            raise ResultsError(f"{self.run.path}: an area is called {SYSTEM}, as the whole is in this table; rename it")
        self.area = np.array([self.regions.index(name) for name in buses["area"].tolist()])

    def series(self, name: str) -> FloatArray:
        """Return a variable over the steps of the run that were chosen."""
        return np.asarray(self.run.dataset[name][self._steps].to_numpy())

    @cached_property
    def units(self) -> Mapping[str, np.ndarray]:
        """What the model says of the units."""
        return self.run.inputs("units")

    def added(self, values: FloatArray, bus: IntArray) -> Regional:
        """Add up values (time, item) by the area of the items' buses."""
        by_area = sum_at(values, self.area[bus], len(self.regions))
        return {**dict(zip(self.regions, by_area.T, strict=True)), SYSTEM: values.sum(axis=1)}

    def served_mw(self) -> FloatArray:
        """Served demand apart from the sites (time, bus)."""
        return self.series("load_mw") - self.series("shed_mw")

    def demand_mw(self) -> FloatArray:
        """Served demand and the draw of sites (time, bus)."""
        sites_mw = sum_at(self.series("site_mw"), self.run.inputs("sites")["bus_index"], len(self.area))
        return self.served_mw() + sites_mw


def _generation(areas: _Areas) -> Mapping[str, Regional]:
    """Energy by fuel and the fuels above it, such as Solar|PV and Solar; all of it under the empty name."""
    unit_mwh = areas.series("unit_mw") * areas.run.step_h
    counted = [_above(fuel_of(technology)) for technology in areas.units["technology"].tolist()]
    found = {}
    for name in sorted({"", *(name for names in counted for name in names)}):
        units = np.array([name in names for names in counted], dtype=bool)
        found[name] = areas.added(unit_mwh[:, units], areas.units["bus_index"][units])
    return found


def _above(fuel: str) -> Sequence[str]:
    """Return a fuel and all that it is part of, such as Solar|PV, Solar and the empty name."""
    parts = fuel.split("|")
    return ["|".join(parts[:depth]) for depth in range(len(parts) + 1)]


def _emissions(areas: _Areas) -> Mapping[str, Regional]:
    segments = areas.run.inputs("segments")
    kg_per_h = along_segments(
        areas.series("unit_mw"), segments["unit_index"], segments["width_mw"], segments["co2_kg_per_mwh"]
    )
    return {"": areas.added(kg_per_h * (areas.run.step_h / KG_PER_T), areas.units["bus_index"])}


def _curtailment(areas: _Areas) -> Mapping[str, Regional]:
    led = areas.units["curtailable"] & areas.units["profiled"]
    left_mw = np.maximum(areas.series("available_mw") - areas.series("unit_mw"), 0.0)[:, led]
    return {"": areas.added(left_mw * areas.run.step_h, areas.units["bus_index"][led])}


def _of_stores(variable: str) -> Callable[[_Areas], Mapping[str, Regional]]:
    """Energy of the stores that stand behind no site's meter."""

    def quantity(areas: _Areas) -> Mapping[str, Regional]:
        stores = areas.run.inputs("stores")
        at_grid = stores["site_index"] < 0
        return {"": areas.added(areas.series(variable)[:, at_grid] * areas.run.step_h, stores["bus_index"][at_grid])}

    return quantity


def _at_buses(mw: Callable[[_Areas], FloatArray]) -> Callable[[_Areas], Mapping[str, Regional]]:
    """Energy of a power that each bus has."""

    def quantity(areas: _Areas) -> Mapping[str, Regional]:
        mwh = mw(areas) * areas.run.step_h
        return {"": areas.added(mwh, np.arange(mwh.shape[1]))}

    return quantity


def _site_draw(areas: _Areas) -> Mapping[str, Regional]:
    return {"": areas.added(areas.series("site_mw") * areas.run.step_h, areas.run.inputs("sites")["bus_index"])}


def _losses(areas: _Areas) -> Mapping[str, Regional]:
    return {"": {SYSTEM: areas.series("losses_mw") * areas.run.step_h}}


def _net_exports(areas: _Areas) -> Mapping[str, Regional]:
    """What leaves each area over links; nothing is told of grids with lines, which carry power across areas too."""
    if not areas.run.transport:
        return {"": {}}
    links = areas.run.inputs("links")
    here, there = areas.area[links["from_index"]], areas.area[links["to_index"]]
    crossing = here != there
    injected_mw = link_injection_mw(
        areas.series("link_mw")[:, crossing],
        here[crossing],
        there[crossing],
        links["loss"][crossing],
        len(areas.regions),
    )
    return {"": dict(zip(areas.regions, -injected_mw.T * areas.run.step_h, strict=True))}


def _price(areas: _Areas) -> Mapping[str, Regional]:
    """Mean weighted by demand; the plain mean where an area draws nothing."""
    price, demand_mw = areas.series("price_per_mwh"), np.maximum(areas.demand_mw(), 0.0)
    groups = {name: areas.area == place for place, name in enumerate(areas.regions)}
    groups[SYSTEM] = np.ones(len(areas.area), bool)
    found = {}
    for name, members in groups.items():
        weight_mw = demand_mw[:, members]
        total_mw = weight_mw.sum(axis=1)
        weighted = ratio_or_zero((price[:, members] * weight_mw).sum(axis=1), total_mw)
        found[name] = np.where(total_mw > 0, weighted, price[:, members].mean(axis=1))
    return {"": found}


def _carbon_price(areas: _Areas) -> Mapping[str, Regional]:
    steps = len(areas.series("losses_mw"))
    return {"": {SYSTEM: np.full(steps, areas.run.facts.carbon_price_per_t)}}


QUANTITIES: Final[Mapping[str, Callable[[_Areas], Mapping[str, Regional]]]] = {
    "generation": _generation,
    "emissions": _emissions,
    "curtailment": _curtailment,
    "charge": _of_stores("charge_mw"),
    "discharge": _of_stores("discharge_mw"),
    "demand": _at_buses(_Areas.demand_mw),
    "served": _at_buses(_Areas.served_mw),
    "unserved": _at_buses(lambda areas: areas.series("shed_mw")),
    "site_draw": _site_draw,
    "losses": _losses,
    "net_exports": _net_exports,
    "price": _price,
    "carbon_price": _carbon_price,
}
