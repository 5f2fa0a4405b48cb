"""The generating units of a model folder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.errors import Issue
from gridtwin.inputs.network import indices
from gridtwin.inputs.segments import convex_segments
from gridtwin.inputs.stores import unit_store
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table, did_you_mean
from gridtwin.profiles.files import Series
from gridtwin.records import UnitData, UnitTerms
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["minimum_names", "profile_names", "unit_data", "unit_issues", "unit_terms"]

COMMITMENTS = ("", "daily")
POWER_TOLERANCE_MW = 1e-3


def profile_names(model: ModelFolder) -> tuple[str, ...]:
    """Return the availability profiles that units use, in order of first use."""
    return tuple(dict.fromkeys(name for name in model.tables["units"].text("profile") if name))


def unit_issues(model: ModelFolder) -> list[Issue]:
    """Return everything that the tables of units say against each other."""
    if not model.has("units"):
        return []
    units = model.tables["units"]
    found = [*_voltages(units), *_profiles(model, units), *_minima(model, units), *_commitments(model, units)]
    if model.has("segments"):
        found += _curves(units, model.tables["segments"])
    return found


def _voltages(units: Table) -> Iterator[Issue]:
    """Units that hold the voltage of one bus must agree on it."""
    first: dict[str, int] = {}
    for row, bus in enumerate(units.text("bus")):
        if bus and units.columns["holds_voltage"][row]:
            other = first.setdefault(bus, row)
            given, held = units.columns["vm_set_pu"][row], units.columns["vm_set_pu"][other]
            if given != held:
                name = units.columns["unit"][other]
                message = f"vm_set_pu = {given:g} but unit {name!r} holds bus {bus!r} at {held:g}"
                yield units.at(row, "vm_set_pu").issue(message)


def _profiles(model: ModelFolder, units: Table) -> Iterator[Issue]:
    """Profiles must exist and stay below what their units can give."""
    series = model.series.get("availability")
    if series is not None:
        yield from units.unknown("profile", series.name, f"profile, no column of {series.file},")
    elif model.spec.profiles.availability is None:
        yield from units.unknown("profile", (), "profile (profiles.availability names no file)")
    for given in (series, model.real_time.get("availability")):
        yield from _peaks(given, units) if given else ()


def _minima(model: ModelFolder, units: Table) -> Iterator[Issue]:
    """What units must give exists and is no more than they can."""
    series = model.series.get("minimum")
    if series is None:
        if model.spec.profiles.minimum is None:
            yield from units.unknown("minimum", (), "minimum (profiles.minimum names no file)")
        return
    yield from units.unknown("minimum", series.name, f"minimum, no column of {series.file},")
    yield from _peaks(series, units, "minimum")


def _commitments(model: ModelFolder, units: Table) -> Iterator[Issue]:
    """Commitment is daily or none, of units that can go down; a plant of a link stands where the link begins."""
    links = model.tables.get("links")
    begins = dict(zip(links.text("link"), links.text("from_bus"), strict=True)) if links else {}
    names = ("commitment", "profile", "store", "link", "bus")
    for row, (commitment, profile, store, link, bus) in enumerate(zip(*(units.text(n) for n in names), strict=True)):
        if commitment not in COMMITMENTS:
            hint = did_you_mean(commitment, COMMITMENTS[1:])
            yield units.at(row, "commitment").issue(f"unknown commitment {commitment!r}{hint}; empty: none")
        if commitment and (profile or store):
            message = f"unit is committed {commitment} and follows {'a profile' if profile else 'a store'}"
            yield units.at(row, "commitment").issue(f"{message}; expected one of the two")
        if link and begins.get(link, bus) != bus:
            message = f"unit stands at bus {bus!r}, the link {link!r} that carries it away begins at {begins[link]!r}"
            yield units.at(row, "link").issue(message)


def _peaks(series: Series, units: Table, column: str = "profile") -> Iterator[Issue]:
    """Check what the profiles of a file reach against the units that follow them."""
    greatest = dict(zip(series.name, series.values.max(axis=0), strict=True))
    for row, (name, p_max_mw) in enumerate(zip(units.text(column), units.columns["p_max_mw"], strict=True)):
        if greatest.get(name, 0.0) > p_max_mw + POWER_TOLERANCE_MW:
            message = f"p_max_mw = {p_max_mw:g} is below the {greatest[name]:g} MW that {column} {name!r} reaches"
            yield units.at(row, "p_max_mw").issue(f"{message} in {series.file}")


def _curves(units: Table, segments: Table) -> Iterator[Issue]:
    """Segments of a unit must follow each other from 0 to p_max_mw."""
    reached: dict[str, tuple[float, int]] = {}
    columns = (segments.columns[name] for name in ("unit", "p_from_mw", "p_to_mw"))
    for row, (unit, start_mw, end_mw) in enumerate(zip(*columns, strict=True)):
        before_mw, _ = reached.get(unit, (0.0, row))
        if abs(start_mw - before_mw) > POWER_TOLERANCE_MW:
            message = f"segment of unit {unit!r} starts at {start_mw:g} MW, expected {before_mw:g}"
            yield segments.at(row, "p_from_mw").issue(f"{message}: segments follow each other from 0 to p_max_mw")
        reached[unit] = (end_mw, row)
    for unit, p_max_mw in zip(units.text("unit"), units.columns["p_max_mw"], strict=True):
        end_mw, row = reached.get(unit, (p_max_mw, -1))
        if abs(end_mw - p_max_mw) > POWER_TOLERANCE_MW:
            message = f"segments of unit {unit!r} end at {end_mw:g} MW, its p_max_mw is {p_max_mw:g}"
            yield segments.at(row, "p_to_mw").issue(message)


def minimum_names(model: ModelFolder) -> tuple[str, ...]:
    """Return the minima that units must give, in order of first use."""
    return tuple(dict.fromkeys(name for name in model.tables["units"].text("minimum") if name))


def unit_terms(model: ModelFolder) -> UnitTerms:
    """Build the record of how units are operated, of a model whose tables have no issues."""
    units, links = model.tables["units"], model.tables.get("links")
    daily = np.array([commitment == "daily" for commitment in units.text("commitment")], dtype=np.bool_)
    share = ratio_or_zero(numbers(units, "p_min_mw"), numbers(units, "p_max_mw"))
    return UnitTerms(
        minimum=indices(units.text("minimum"), minimum_names(model)),
        daily=daily,
        least_share=np.where(daily, share, 0.0),
        link=indices(units.text("link"), links.text("link") if links else ()),
    )


def unit_data(model: ModelFolder) -> UnitData:
    """Build the record of units whose tables have no issues.

    Commitment is relaxed, or by the day (`unit_terms`), so that their floor is 0.
    """
    units = model.tables["units"]
    unit = units.text("unit")
    segment_unit, width_mw, cost, co2 = _segments(units, model.tables["segments"])

    def flags(column: str) -> BoolArray:
        return np.asarray(units.columns[column], dtype=np.bool_)

    return UnitData(
        unit=unit,
        bus=indices(units.text("bus"), model.tables["buses"].text("bus")),
        technology=units.text("technology"),
        p_min_mw=np.zeros(len(unit)),
        p_max_mw=numbers(units, "p_max_mw"),
        q_min_mvar=numbers(units, "q_min_mvar"),
        q_max_mvar=numbers(units, "q_max_mvar"),
        vm_set_pu=numbers(units, "vm_set_pu"),
        ramp_mw_per_h=numbers(units, "ramp_mw_per_h"),
        holds_voltage=flags("holds_voltage"),
        always_committed=flags("always_committed"),
        quick_start=flags("quick_start"),
        renewable=flags("renewable"),
        curtailable=flags("curtailable"),
        profile=indices(units.text("profile"), profile_names(model)),
        store=unit_store(model),
        segment_unit=segment_unit,
        segment_mw=width_mw,
        segment_cost_per_mwh=cost,
        segment_co2_kg_per_mwh=co2,
    )


def _segments(units: Table, segments: Table) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Return (unit index, width, cost, CO2) of convex segments; a unit without a curve gets one that is free."""
    rows = indices(segments.text("unit"), units.text("unit"))
    raw_mw = numbers(segments, "p_to_mw") - numbers(segments, "p_from_mw")
    raw_cost, raw_co2 = numbers(segments, "cost_per_mwh"), numbers(segments, "co2_kg_per_mwh")
    curves = [
        convex_segments(raw_mw[mine], raw_cost[mine], raw_co2[mine])
        if (mine := rows == u).any()
        else (np.array([p_max_mw]), np.zeros(1), np.zeros(1))
        for u, p_max_mw in enumerate(units.columns["p_max_mw"])
    ]
    width_mw, cost, co2 = (np.concatenate(parts) for parts in zip(*curves, strict=True))
    return np.repeat(np.arange(len(curves)), [len(curve[0]) for curve in curves]), width_mw, cost, co2
