"""The stores of a model folder: batteries, reservoirs, heat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gridtwin.errors import Issue
from gridtwin.inputs.network import indices
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table
from gridtwin.records import StoreData
from gridtwin.units import IntArray

__all__ = ["inflow_names", "store_data", "store_issues", "unit_store"]

SHARES = ("efficiency_charge", "efficiency_discharge", "initial_share")


def inflow_names(model: ModelFolder) -> tuple[str, ...]:
    """Return the inflow profiles that stores use, in order of first use."""
    stores = model.tables.get("stores")
    return tuple(dict.fromkeys(name for name in stores.text("inflow") if name)) if stores else ()


def store_issues(model: ModelFolder) -> list[Issue]:
    """Return everything that the table of stores says against the other tables."""
    stores, units = (model.tables.get(name) for name in ("stores", "units"))
    found: list[Issue] = []
    if units and (stores or (model.spec.stores is None and model.model.sound("stores"))):
        found += _fed(units, stores, _bus_of(model, "stores", "store"))
    if stores:
        found += [*_shares(stores), *_inflows(model, stores), *_filled(stores)]
        if units:
            found += _emptied(stores, units)
        found += _meters(stores, _bus_of(model, "sites", "site"))
    return found


def _bus_of(model: ModelFolder, name: str, key: str) -> dict[str, str]:
    """Return the bus of each row of a table by its name; buses that do not exist are reported elsewhere."""
    if not model.has(name, "buses"):
        return {}
    table, known = model.tables[name], set(model.tables["buses"].text("bus"))
    pairs = zip(table.text(key), table.text("bus"), strict=True)
    return {label: bus for label, bus in pairs if bus in known}


def _fed(units: Table, stores: Table | None, bus_of: Mapping[str, str]) -> Iterator[Issue]:
    """Units may draw on a store that exists at their bus, and then on nothing else."""
    known = stores.text("store") if stores else ()
    yield from units.unknown("store", known, "store" if stores else "store (the model has no table of stores)")
    columns = (units.text(name) for name in ("store", "bus", "profile"))
    for row, (store, bus, profile) in enumerate(zip(*columns, strict=True)):
        if store and profile:
            message = f"unit draws on store {store!r} and follows profile {profile!r}; expected one of the two"
            yield units.at(row, "store").issue(f"{message}: give the profile to the store as its inflow")
        if bus and bus_of.get(store, bus) != bus:
            yield units.at(row, "bus").issue(f"unit stands at bus {bus!r}, its store {store!r} at {bus_of[store]!r}")


def _shares(stores: Table) -> Iterator[Issue]:
    """Efficiencies and the initial level are at most 1, the standing loss is less."""
    for name in SHARES:
        for row, value in enumerate(stores.columns[name]):
            if value > 1:
                yield stores.at(row, name).issue(f"{name} is {value:g}; expected at most 1")
    for row, value in enumerate(stores.columns["standing_loss_per_h"]):
        if value >= 1:
            message = f"standing_loss_per_h is {value:g}; expected a share of at least 0, below 1"
            yield stores.at(row, "standing_loss_per_h").issue(message)


def _inflows(model: ModelFolder, stores: Table) -> Iterator[Issue]:
    """Inflows must exist."""
    series = model.series.get("inflow")
    if series is not None:
        yield from stores.unknown("inflow", series.name, f"inflow, no column of {series.file},")
    elif model.spec.profiles.inflow is None and model.model.sound("profiles", "inflow"):
        yield from stores.unknown("inflow", (), "inflow (profiles.inflow names no file)")


def _filled(stores: Table) -> Iterator[Issue]:
    """Check that something can fill each store; a cell that was unreadable is NaN and breaks no rule."""
    for row, (charge_mw, inflow) in enumerate(zip(stores.columns["charge_mw"], stores.text("inflow"), strict=True)):
        if charge_mw == 0 and not inflow:
            message = "nothing fills this store: charge_mw is 0 and it has no inflow; give one of them"
            yield stores.at(row, "charge_mw").issue(message)


def _emptied(stores: Table, units: Table) -> Iterator[Issue]:
    """Check that each store empties either through its own converter or through units."""
    fed = dict(zip(units.text("store"), units.text("unit"), strict=True))
    columns = (stores.columns[name] for name in ("store", "discharge_mw", "site"))
    for row, (store, discharge_mw, site) in enumerate(zip(*columns, strict=True)):
        unit = fed.get(store, "")
        if discharge_mw == 0 and not unit:
            message = f"nothing empties store {store!r}: discharge_mw is 0 and no unit of {units.file} draws on it"
            yield stores.at(row, "discharge_mw").issue(message)
        elif discharge_mw > 0 and unit:
            message = f"discharge_mw is {discharge_mw:g} but unit {unit!r} draws on store {store!r}"
            yield stores.at(row, "discharge_mw").issue(
                f"{message}; expected 0, or a store of its own for the converter"
            )
        elif site and unit:
            message = f"store {store!r} stands behind the meter of site {site!r}, but unit {unit!r} draws on it"
            yield stores.at(row, "site").issue(f"{message}; expected a converter of its own, discharge_mw > 0")


def _meters(stores: Table, bus_of: Mapping[str, str]) -> Iterator[Issue]:
    """Check that a store behind a meter stands at the bus of its site."""
    for row, (bus, site) in enumerate(zip(stores.text("bus"), stores.text("site"), strict=True)):
        if bus and bus_of.get(site, bus) != bus:
            message = f"store stands at bus {bus!r}, its site {site!r} at {bus_of[site]!r}"
            yield stores.at(row, "bus").issue(message)


def store_data(model: ModelFolder) -> StoreData:
    """Build the record of stores whose table has no issues."""
    stores = model.tables.get("stores")
    if stores is None:
        return StoreData.none()
    energy_mwh = numbers(stores, "energy_mwh")
    return StoreData(
        store=stores.text("store"),
        technology=stores.text("technology"),
        bus=indices(stores.text("bus"), model.tables["buses"].text("bus")),
        site=indices(stores.text("site"), model.tables["sites"].text("site")),
        charge_mw=numbers(stores, "charge_mw"),
        discharge_mw=numbers(stores, "discharge_mw"),
        energy_mwh=energy_mwh,
        efficiency_charge=numbers(stores, "efficiency_charge"),
        efficiency_discharge=numbers(stores, "efficiency_discharge"),
        standing_loss_per_h=numbers(stores, "standing_loss_per_h"),
        initial_mwh=energy_mwh * numbers(stores, "initial_share"),
        inflow=indices(stores.text("inflow"), inflow_names(model)),
        cost_per_mwh=numbers(stores, "cost_per_mwh"),
    )


def unit_store(model: ModelFolder) -> IntArray:
    """Return the store that each unit draws on (unit,), -1 where there is none."""
    stores = model.tables.get("stores")
    return indices(model.tables["units"].text("store"), stores.text("store") if stores else ())
