"""The parts of grid and fleet that can be looked at one by one, and what is shown of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gridtwin.economics.corridors import corridors
from gridtwin.results.saved_run import SavedRun
from gridtwin.results.variables import variables

__all__ = ["CHARTS", "Chart", "Column", "Kind", "Series", "charts", "described", "overview"]

FULL = 100.0  # percent
OF_AC = frozenset({"Voltage"})  # charts that need a power flow


class Kind(StrEnum):
    """What can be looked at; the value stands in addresses."""

    SITES = "sites"
    LINES = "lines"
    BUSES = "buses"
    UNITS = "units"
    STORES = "stores"
    LINKS = "links"

    @property
    def dim(self) -> str:
        """The dimension of the results."""
        return "bus" if self is Kind.BUSES else self.value[:-1]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of the table of all parts of a kind."""

    label: str
    unit: str
    values: Sequence[object]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve."""

    name: str
    meaning: str
    values: np.ndarray  # (time,)


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Curves of one unit in one picture."""

    title: str
    unit: str
    series: tuple[Series, ...]


CHARTS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    Kind.SITES: {
        "Power": ("site_mw", "facility_mw", "planned_facility_mw", "it_mw"),
        "Price at the meter": ("charged_per_mwh", "expected_charge_per_mwh"),
        "Power usage effectiveness": ("pue",),
    },
    Kind.LINES: {
        "Loading": ("loading_percent",),
        "Active power": ("from_mw", "to_mw", "rate_mw"),
        "Shadow price of its limit": ("shadow_price_per_mwh",),
    },
    Kind.BUSES: {
        "Price": ("price_per_mwh", "congestion_price_per_mwh", "loss_price_per_mwh"),
        "Voltage": ("vm_pu",),
        "Power": ("load_mw", "net_injection_mw", "shed_mw"),
        "Marginal CO2": ("marginal_co2_kg_per_mwh",),
    },
    Kind.UNITS: {"Power": ("unit_mw", "planned_unit_mw", "available_mw")},
    Kind.STORES: {
        "Power": ("charge_mw", "discharge_mw", "inflow_mw", "store_spill_mw"),
        "Energy": ("stored_mwh",),
    },
    Kind.LINKS: {"Power sent": ("link_mw", "contract_mw")},
}


def charts(saved: SavedRun, kind: Kind, number: int) -> list[Chart]:
    """Return the pictures of one part."""
    drawn = [
        _chart(saved, title, names, number)
        for title, names in CHARTS[kind].items()
        if not (saved.transport and title in OF_AC)
    ]
    return [*drawn, _nodes(saved, number)] if kind is Kind.SITES else drawn


def _chart(saved: SavedRun, title: str, names: Sequence[str], number: int) -> Chart:
    table = variables()
    series = tuple(Series(name, table[name].meaning, saved.dataset[name][:, number].to_numpy()) for name in names)
    return Chart(title, table[names[0]].unit.format(currency=saved.facts.currency), series)


def _nodes(saved: SavedRun, site: int) -> Chart:
    """Nodes with jobs and with services by class, beside what was planned."""
    busy = saved.dataset["busy_node_s"][:, site].to_numpy() / saved.facts.step_s
    services = saved.dataset["service_nodes"][:, site].to_numpy()
    planned = saved.dataset["planned_busy_nodes"][:, site].to_numpy()
    curves = []
    for index, name in enumerate(saved.facts.coords["compute_class"]):
        curves.append(Series(name, f"nodes of class {name} with jobs or services", (busy + services)[:, index]))
        if planned[:, index].any():
            curves.append(Series(f"{name}, planned", f"nodes of class {name} planned for jobs", planned[:, index]))
    return Chart("Nodes in use", "nodes", tuple(curves))


def described(saved: SavedRun, kind: Kind, number: int) -> dict[str, object]:
    """Return what the model says of one part: the row of its table, places in it by name."""
    row = {name: values[number] for name, values in saved.inputs(kind.value).items()}
    buses = saved.facts.coords["bus"]
    named: dict[str, object] = {}
    for name, value in row.items():
        if name.removesuffix("_index") in {"bus", "from", "to"} and name.endswith("_index"):
            named[name.removesuffix("_index")] = buses[int(value)] if value >= 0 else None
        elif not name.endswith(("_index", *ADMITTANCES)):
            named[name] = value
    return named


ADMITTANCES = tuple(f"{part}_{pair}_pu" for part in "gb" for pair in ("ff", "ft", "tf", "tt"))


def overview(saved: SavedRun, kind: Kind) -> list[Column]:
    """Return the table of all parts of a kind, their names apart."""
    return OVERVIEWS[kind](saved, saved.inputs(kind.value))


Overview = Callable[[SavedRun, Mapping[str, np.ndarray]], list[Column]]


def _sites(saved: SavedRun, table: Mapping[str, np.ndarray]) -> list[Column]:
    power = saved.values("site_mw")
    return [
        Column("name", "", table["name"].tolist()),
        Column("bus", "", _bus(saved, table["bus_index"])),
        Column("connection", "MW", table["connection_mw"].tolist()),
        Column("energy", "MWh", _total(power, saved)),
        Column("peak", "MW", power.max(axis=0).tolist()),
        Column("mean PUE", "", saved.values("pue").mean(axis=0).tolist()),
        Column("mean price", _money(saved), saved.values("charged_per_mwh").mean(axis=0).tolist()),
    ]


def _lines(saved: SavedRun, table: Mapping[str, np.ndarray]) -> list[Column]:
    loading, shadow = saved.values("loading_percent"), saved.values("shadow_price_per_mwh")
    return [
        Column("from", "", _bus(saved, table["from_index"])),
        Column("to", "", _bus(saved, table["to_index"])),
        Column("rating", "MW", table["rate_mw"].tolist()),
        Column("mean loading", "%", _known(np.nanmean, loading)),
        Column("highest loading", "%", _known(np.nanmax, loading)),
        Column("steps above 100 %", "", (loading > FULL).sum(axis=0).tolist()),
        Column("steps at its limit", "", (shadow > 0).sum(axis=0).tolist()),
        Column("mean shadow price", _money(saved), shadow.mean(axis=0).tolist()),
    ]


def _buses(saved: SavedRun, table: Mapping[str, np.ndarray]) -> list[Column]:
    price = saved.values("price_per_mwh")
    return [
        Column("name", "", table["name"].tolist()),
        Column("area", "", table["area"].tolist()),
        Column("level", "kV", table["vn_kv"].tolist()),
        Column("load", "MWh", _total(saved.values("load_mw"), saved)),
        Column("mean price", _money(saved), price.mean(axis=0).tolist()),
        Column("lowest price", _money(saved), price.min(axis=0).tolist()),
        Column("highest price", _money(saved), price.max(axis=0).tolist()),
        *([] if saved.transport else _voltages(saved.values("vm_pu"))),
    ]


def _voltages(voltage: np.ndarray) -> list[Column]:
    return [
        Column("lowest voltage", "pu", _known(np.nanmin, voltage)),
        Column("highest voltage", "pu", _known(np.nanmax, voltage)),
    ]


def _units(saved: SavedRun, table: Mapping[str, np.ndarray]) -> list[Column]:
    output, available = _total(saved.values("unit_mw"), saved), _total(saved.values("available_mw"), saved)
    lost = np.where(table["curtailable"], np.maximum(np.subtract(available, output), 0.0), 0.0)
    return [
        Column("technology", "", table["technology"].tolist()),
        Column("bus", "", _bus(saved, table["bus_index"])),
        Column("capacity", "MW", table["p_max_mw"].tolist()),
        Column("output", "MWh", output),
        Column("curtailed", "MWh", lost.tolist()),
        Column("steps on", "", saved.values("committed").sum(axis=0).tolist()),
    ]


def _stores(saved: SavedRun, table: Mapping[str, np.ndarray]) -> list[Column]:
    return [
        Column("technology", "", table["technology"].tolist()),
        *(Column(name, "MWh", _total(saved.values(f"{name}_mw"), saved)) for name in ("charge", "discharge", "inflow")),
        Column("most stored", "MWh", saved.values("stored_mwh").max(axis=0).tolist()),
    ]


def _links(saved: SavedRun, table: Mapping[str, np.ndarray]) -> list[Column]:
    variables = {name: saved.values(name) for name in ("link_mw", "contract_mw", "price_per_mwh")}
    found = corridors(variables, table, saved.step_h)
    return [
        Column("kind", "", [kind.replace("_", " ") for kind in found.kind]),
        Column("from", "", _bus(saved, table["from_index"])),
        Column("to", "", _bus(saved, table["to_index"])),
        Column("rating", "MW", table["p_nom_mw"].tolist()),
        Column("rating, back", "MW", table["p_nom_back_mw"].tolist()),
        Column("sent, net", "MWh", _total(saved.values("link_mw"), saved)),
        Column("full", "h", found.full_h.tolist()),
        Column("full, back", "h", found.full_back_h.tolist()),
        Column("price difference while full", _money(saved), found.apart_per_mwh.tolist()),
        Column("rent", saved.facts.currency, found.rent_cost.tolist()),
        Column("contract, net", "MWh", found.contract_mwh.tolist()),
        Column("off the contract", "MWh", found.deviation_mwh.tolist()),
    ]


OVERVIEWS: Mapping[Kind, Overview] = {
    Kind.SITES: _sites,
    Kind.LINES: _lines,
    Kind.BUSES: _buses,
    Kind.UNITS: _units,
    Kind.STORES: _stores,
    Kind.LINKS: _links,
}


def _bus(saved: SavedRun, index: np.ndarray) -> list[str]:
    return [saved.facts.coords["bus"][bus] for bus in index]


def _money(saved: SavedRun) -> str:
    return f"{saved.facts.currency}/MWh"


def _total(power_mw: np.ndarray, saved: SavedRun) -> list[float]:
    energy: list[float] = (power_mw.sum(axis=0) * saved.step_h).tolist()
    return energy


def _known(reduce: Callable[..., np.ndarray], values: np.ndarray) -> list[float]:
    """Reduce over the steps that AC solved; NaN where it solved none."""
    solved = values[np.isfinite(values).all(axis=1)] if values.shape[1] else values
    reduced: list[float] = reduce(solved, axis=0).tolist() if len(solved) else np.full(values.shape[1], np.nan).tolist()
    return reduced
