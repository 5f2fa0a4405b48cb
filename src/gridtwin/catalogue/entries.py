"""What the registry says: one entry with all its figures, or tables of many."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, TypeAlias

from gridtwin.catalogue.hardware import Hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.meter import PRECISIONS, Precision, Throughput
from gridtwin.catalogue.pools import GROUPS, Group, Pool, Reading, Total, totals
from gridtwin.catalogue.registry import Registry
from gridtwin.catalogue.systems import System
from gridtwin.errors import RegistryError
from gridtwin.located import did_you_mean

__all__ = ["Row", "entry", "tables"]

Row: TypeAlias = dict[str, Any]


def entry(registry: Registry, name: str) -> Row:
    """Return all there is to say of an identifier, a node unit or a system.

    Raises
    ------
    RegistryError
        If the registry does not know it.
    """
    if "#" in name:
        return _machines(registry, name)
    if unit := registry.units.get(name):
        return {"entry": "unit", **_all_fields(unit), "system_figures": _all_fields(registry.systems[unit.based_on])}
    if system := registry.systems.get(name):
        used = [unit.name for unit in registry.units.values() if unit.based_on == name]
        return {"entry": "system", **_all_fields(system), "units": used}
    known = [*registry.systems, *registry.units, *(str(pool.identifier) for pool in registry.pools)]
    raise RegistryError(f"the registry has no {name!r}{did_you_mean(name, known)}; list all: gridtwin registry list")


def _machines(registry: Registry, name: str) -> Row:
    identifier = Identifier.parse(name)
    pool = next((pool for pool in registry.pools if identifier in pool.identifier), None)
    if pool is None:
        hint = did_you_mean(name, [str(pool.identifier) for pool in registry.pools])
        where = f"model {registry.model!r} has no {name}{hint}" if registry.model else "give the model with --model"
        raise RegistryError(f"unknown identifier: {where}")
    part = pool.part(identifier)
    readings = [_reading_row(reading) for reading in part.readings]
    return {
        "entry": "machines",
        **_pool_row(part),
        "readings": readings,
        "unit_figures": _all_fields(pool.hardware),
        "system_figures": _all_fields(registry.systems[pool.hardware.based_on]),
    }


def _all_fields(record: System | Hardware) -> Row:
    """Return a record as JSON holds it."""
    rack = {"per_standard_rack": record.per_standard_rack} if isinstance(record, System) else {}
    return {name: _plain(value) for name, value in asdict(record).items()} | rack


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def tables(registry: Registry) -> dict[str, list[Row]]:
    """Return a registry as tables: with a model its pools and their totals, without what ships.

    Speeds stand in one column per precision, so that nobody adds unlike ones in a spreadsheet.
    """
    if not registry.pools:
        return {
            "systems": [_catalogue_row(system) for system in registry.systems.values()],
            "units": [_catalogue_row(unit) for unit in registry.units.values()],
        }
    readings = [_reading_row(reading) for pool in registry.pools for reading in pool.readings]
    return {
        "pools": [_pool_row(pool) for pool in registry.pools],
        **{f"totals_by_{by}": [_total_row(found, by) for found in totals(registry.pools, by)] for by in GROUPS},
        **({"readings": readings} if readings else {}),
    }


def _catalogue_row(record: System | Hardware) -> Row:
    """Return a record with its estimates in one cell, as the tables of the catalogue have them."""
    return _all_fields(record) | {"estimates": ";".join(record.estimates)}


def _pool_row(pool: Pool) -> Row:
    identifier = pool.identifier
    return {
        "identifier": str(identifier),
        "country": identifier.country,
        "region": identifier.region,
        "site": identifier.site,
        "name": pool.name,
        "name_zh": pool.name_zh,
        "tier": pool.tier,
        "hub": pool.hub,
        "class": identifier.compute_class,
        "unit": identifier.unit,
        "unit_zh": pool.hardware.name_zh,
        "instruction_set": pool.hardware.instruction_set,
        "stack": pool.hardware.stack,
        "vintage": pool.vintage,
        **_sums(pool, pool.hardware.precision, identifier.count),
    }


def _total_row(found: Total, group: Group) -> Row:
    cell: Row = {} if group == "class" else {group: found.group}
    return {"class": found.compute_class, **cell, **_sums(found, found.precision, found.units), "uses": found.uses}


def _sums(found: Pool | Total, precision: str, units: int) -> Row:
    """Return what pools and totals have in common."""
    return {
        "metered_in": precision,
        "units": units,
        "measured_units": found.measured_units,
        "estimated_units": found.estimated_units,
        "racks": found.racks,
        "idle_mw": found.idle_mw,
        "peak_mw": found.peak_mw,
        **_speeds("peak", found.peak),
        **_speeds("measured", found.measured if found.measured_units else None),
        **_speeds("metered", found.metered),
    }


def _speeds(what: str, rate: Throughput[Precision] | None) -> Row:
    """Return one column per precision, all but one of them empty."""
    return {
        f"{what}_{kind.column}": rate.to(f"T{kind.operation}/s") if rate and rate.precision is kind else None
        for kind in PRECISIONS.values()
    }


def _reading_row(reading: Reading) -> Row:
    return {
        "identifier": str(reading.identifier),
        "precision": reading.each.precision.name,
        **_speeds("measured", reading.each),
        "date": reading.day.isoformat(),
        "method": reading.method,
    }
