"""Green electricity under contract in a model folder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.errors import Issue
from gridtwin.inputs.network import indices
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table
from gridtwin.records import Contracts

__all__ = ["KINDS", "contracts", "supply_issues"]

KINDS = ("direct", "aggregated", "contract", "certificate")
POWER_TOLERANCE_MW = 1e-6


def supply_issues(model: ModelFolder) -> list[Issue]:
    """Return everything that is wrong with the contracts: nobody may be sold what is not there, or not green."""
    supply = model.tables.get("supply")
    if supply is None:
        return []
    found = [*supply.unknown("kind", KINDS, "kind"), *_mixed(supply)]
    if units := model.tables.get("units"):
        found += [*_not_renewable(supply, units), *_oversold(supply, units)]
        if sites := model.tables.get("sites"):
            found += _apart(supply, units, sites)
    return found


def _mixed(supply: Table) -> Iterator[Issue]:
    """All rows of a contract have one kind; only a portfolio has several sites."""
    first: dict[str, int] = {}
    kinds, sites = supply.text("kind"), supply.text("site")
    for row, contract in enumerate(supply.text("contract")):
        other = first.setdefault(contract, row) if contract else row
        if kinds[other] != kinds[row]:
            message = f"contract {contract!r} is {kinds[row]!r} here and {kinds[other]!r} in line {supply.lines[other]}"
            yield supply.at(row, "kind").issue(f"{message}; give the two different names")
        elif sites[other] != sites[row] and kinds[row] != "aggregated":
            message = f"contract {contract!r} of kind {kinds[row]!r} has two sites, {sites[other]!r} and {sites[row]!r}"
            yield supply.at(row, "site").issue(f"{message}; only what is aggregated is shared")


def _not_renewable(supply: Table, units: Table) -> Iterator[Issue]:
    green = dict(zip(units.text("unit"), units.columns["renewable"], strict=True))
    for row, unit in enumerate(supply.text("unit")):
        if not green.get(unit, True):
            yield supply.at(row, "unit").issue(
                f"unit {unit!r} is not renewable in {units.file}; its output is not green"
            )


def _oversold(supply: Table, units: Table) -> Iterator[Issue]:
    """No MWh is sold twice: what is sold of a unit adds up to what it can give at most."""
    names, sold_mw = units.text("unit"), numbers(supply, "p_mw")
    known = [row for row, unit in enumerate(supply.text("unit")) if unit in names]
    index = indices([supply.text("unit")[row] for row in known], names)
    total_mw = sum_at(np.nan_to_num(sold_mw[known]), index, len(names))
    for unit in np.flatnonzero(total_mw > numbers(units, "p_max_mw") + POWER_TOLERANCE_MW).tolist():
        last = known[int(np.flatnonzero(index == unit)[-1])]
        p_max_mw = units.columns["p_max_mw"][unit]
        message = f"{total_mw[unit]:g} MW of unit {names[unit]!r} are sold in all, its p_max_mw is {p_max_mw:g}"
        yield supply.at(last, "p_mw").issue(f"{message}; no MWh can be claimed twice")


def _apart(supply: Table, units: Table, sites: Table) -> Iterator[Issue]:
    """What is behind the meter of a site stands where the site does."""
    unit_bus = dict(zip(units.text("unit"), units.text("bus"), strict=True))
    site_bus = dict(zip(sites.text("site"), sites.text("bus"), strict=True))
    columns = zip(supply.text("kind"), supply.text("unit"), supply.text("site"), strict=True)
    for row, (kind, unit, site) in enumerate(columns):
        at_unit, at_site = unit_bus.get(unit), site_bus.get(site)
        if kind == "direct" and at_unit and at_site and at_unit != at_site:
            message = f"unit {unit!r} at bus {at_unit!r} cannot stand behind the meter of site {site!r} at {at_site!r}"
            yield supply.at(row, "unit").issue(f"{message}; power from elsewhere is aggregated or contract")


def contracts(model: ModelFolder) -> Contracts:
    """Build the record of contracts without issues."""
    supply = model.tables.get("supply")
    if supply is None:
        return Contracts.none()
    return Contracts(
        contract=supply.text("contract"),
        kind=supply.text("kind"),
        site=indices(supply.text("site"), model.tables["sites"].text("site")),
        unit=indices(supply.text("unit"), model.tables["units"].text("unit")),
        p_mw=numbers(supply, "p_mw"),
        price_per_mwh=numbers(supply, "price_per_mwh"),
        name_zh=supply.text("name_zh"),
    )
