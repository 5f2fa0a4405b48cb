"""A run as a PyPSA network with series, whose optimum is the dispatch that was settled; see docs/exports_grid.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from gridtwin.errors import ResultsError
from gridtwin.exports.network import SavedGrid, check_selection, chosen_steps, instant, saved_grid, write_file
from gridtwin.exports.redispatch import Redispatch, redispatch
from gridtwin.exports.selection import Selection
from gridtwin.exports.sheets import Sheet, write_csv
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import KG_PER_T, BoolArray, FloatArray, IntArray

__all__ = ["Components", "components", "write"]

VERSION: Final = "1.2.4"  # of PyPSA, whose attributes these are
CARRIERS: Final = {"interface": "AC", "dc": "HVDC", "back_to_back": "HVDC"}  # by kind of link
WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}")  # a number that comes back from a CSV file as it went in
NO_TEXT: Final = {  # what pandas takes for nothing or for a truth value
    *("", "na", "n/a", "nan", "null", "none", "nat", "<na>", "#n/a", "#na", "n/a n/a", "#n/a n/a"),
    *("true", "false", "1.#ind", "1.#qnan"),
}


@dataclass(slots=True)
class Components:
    """Components of a network by list (`buses`, `generators`, …), each with attributes and series."""

    static: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    series: dict[tuple[str, str], dict[str, FloatArray]] = field(default_factory=dict)

    def add(
        self, kind: str, wanted: str, attributes: Mapping[str, object], series: Mapping[str, FloatArray] | None = None
    ) -> str:
        """Add one component; returns its name, which is another than wanted where that is taken or no text."""
        known = self.static.setdefault(kind, {})
        name = unique(wanted, known)
        known[name] = dict(attributes)
        for attribute, values in (series or {}).items():
            self.series.setdefault((kind, attribute), {})[name] = values
        return name


def unique(wanted: str, taken: Mapping[str, object]) -> str:
    """Return a name that nobody has, and that no reader of CSV takes for a number or for nothing."""
    base = wanted if _stays_text(wanted) else f"name {wanted}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base} #{number}"
    return name


def _stays_text(name: str) -> bool:
    if WHOLE.fullmatch(name):
        return True
    bare = name.strip().lower()
    try:
        float(bare)
    except ValueError:
        return bare.lstrip("+-") not in NO_TEXT
    return False


def write(run: SavedRun, target: Path | str, selection: Selection) -> None:
    """Write a folder that `pypsa.Network(folder)` reads.

    Parameters
    ----------
    run : SavedRun
    target : Path
        Folder, which must not be there yet.
    selection : Selection
        Only its time is looked at.

    Raises
    ------
    ResultsError
        If the selection asks for more than time, or the target is there already.
    """
    check_selection(selection, "pypsa")
    folder = Path(target)
    if folder.exists():
        raise ResultsError(f"{folder} is there already; name another target, or remove it")
    steps = chosen_steps(run, selection)
    network = components(run, saved_grid(run), steps)
    snapshots = [instant(run, step).replace("T", " ").removesuffix("Z") for step in steps.tolist()]
    weight = np.full(len(steps), run.step_h)
    about = {"written_by": "gridtwin", "run_id": run.run_id, "currency": run.facts.currency, "time_zone": "UTC"}
    write_csv(folder / "network.csv", Sheet("network", {"name": [run.run_id], "pypsa_version": [VERSION]}))
    write_file(folder / "meta.json", json.dumps(about))
    weights = dict.fromkeys(("objective", "stores", "generators"), weight)
    write_csv(folder / "snapshots.csv", Sheet("snapshots", {"snapshot": snapshots, **weights}))
    for kind, members in network.static.items():
        names = dict.fromkeys(attribute for attributes in members.values() for attribute in attributes)
        columns = {name: [attributes.get(name) for attributes in members.values()] for name in names}
        write_csv(folder / f"{kind}.csv", Sheet(kind, {"name": list(members), **columns}))
    for (kind, attribute), by_name in network.series.items():
        write_csv(folder / f"{kind}-{attribute}.csv", Sheet(kind, {"snapshot": snapshots, **by_name}))


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Everything that components are made of."""

    saved: SavedGrid
    program: Redispatch
    step_h: float
    settled: Mapping[str, np.ndarray]  # series of the results
    penalties: Mapping[str, float]
    stored_mwh: FloatArray  # (store,) before the first step
    plenty_mw: float  # more than can ever flow


@dataclass(frozen=True, slots=True)
class _Places:
    """Names of buses."""

    bus: list[str]  # (bus,) where things are connected
    inner: list[str]  # (bus,) where lines end; none where there are no lines


def components(run: SavedRun, saved: SavedGrid, steps: IntArray) -> Components:
    """Return the network of some steps that follow each other.

    Parameters
    ----------
    run : SavedRun
    saved : SavedGrid
    steps : ndarray (step,)
    """
    source = _source(run, saved, steps)
    network = Components()
    places = _add_buses(network, source)
    if not saved.grid.transport:
        _add_losses(network, source, places)
    _add_branches(network, source, places)
    _add_demand(network, source, places)
    carriers = _add_units(network, source, places)
    _add_stores(network, source, places)
    _add_links(network, source, places)
    _add_carriers(network, carriers)
    return network


SETTLED: Final = (
    *("unit_mw", "charge_mw", "discharge_mw", "inflow_mw", "stored_mwh", "link_mw", "from_mw", "to_mw"),
    *("store_spill_mw", "vm_pu", "va_deg"),
)


def _source(run: SavedRun, saved: SavedGrid, steps: IntArray) -> _Source:
    program, first = redispatch(run, saved, steps), int(steps[0])
    demand_mw = program.load_mw.sum(axis=1) + program.site_mw.sum(axis=1)
    return _Source(
        saved=saved,
        program=program,
        step_h=run.step_h,
        settled={name: run.at(name, steps) for name in SETTLED},
        penalties={name: float(column[0]) for name, column in run.inputs("penalties").items()},
        stored_mwh=run.dataset["stored_mwh"][first - 1].to_numpy() if first else saved.stores.initial_mwh,
        plenty_mw=float(np.ceil(demand_mw.max() + saved.units.p_max_mw.sum() + saved.stores.charge_mw.sum())),
    )


def _add_buses(network: Components, source: _Source) -> _Places:
    saved, settled = source.saved, source.settled
    names: tuple[list[str], list[str]] = ([], [])
    endings = ("",) if saved.grid.transport else ("", " lines")
    for ending, group in zip(endings, names, strict=False):
        for b, bus in enumerate(saved.grid.bus):
            about = {"x": _known(saved.lon[b]), "y": _known(saved.lat[b]), "area": saved.area[b]}
            attributes = {"v_nom": saved.grid.vn_kv[b], "carrier": "AC", "long_name": saved.bus_name[b], **about}
            series = {} if saved.grid.transport else _voltage(settled, b)
            if not ending:
                series["marginal_price"] = source.program.price_per_mwh[:, b]
            group.append(network.add("buses", f"{bus}{ending}", attributes, series))
    return _Places(*names)


def _voltage(settled: Mapping[str, np.ndarray], bus: int) -> dict[str, FloatArray]:
    return {"v_mag_pu": settled["vm_pu"][:, bus], "v_ang": np.deg2rad(settled["va_deg"][:, bus])}


def _add_losses(network: Components, source: _Source, places: _Places) -> None:
    """Lead what each bus injects into its lines; its marginal losses are drawn at the slack."""
    program, slack = source.program, source.saved.grid.slack
    cut = _add_cut(network, source) if program.cut_weight.any() else None
    for b, bus in enumerate(places.bus):
        attributes = {"bus0": bus, "bus1": places.inner[b], "carrier": "losses", "p_nom": source.plenty_mw}
        attributes |= {"p_min_pu": -1.0, "efficiency": 1.0}
        series = {}
        if b != slack:
            attributes["bus2"] = places.inner[slack]
            series["efficiency2"] = -program.loss_factor[:, b]
        if cut is not None:
            attributes["bus3"] = cut
            series["efficiency3"] = program.cut_weight[:, b]
        network.add("links", f"losses {bus}", attributes, series)
        if program.bus_losses_mw[:, b].any():
            network.add(
                "loads",
                f"losses {bus}",
                {"bus": places.inner[b], "carrier": "losses"},
                {"p_set": program.bus_losses_mw[:, b]},
            )
    rest = {"bus": places.inner[slack], "carrier": "losses"}
    network.add("loads", "losses beyond factors", rest, {"p_set": program.rest_losses_mw})


def _add_cut(network: Components, source: _Source) -> str:
    """Add the row that keeps voltages in their band: a bus that must get enough, and may waste more."""
    bus = network.add("buses", "voltage limits", {"carrier": "voltage limits"})
    load = {"bus": bus, "carrier": "voltage limits"}
    network.add("loads", "voltage limits", load, {"p_set": source.program.cut_least_mw})
    waste = {"bus": bus, "carrier": "voltage limits", "sign": -1.0, "p_nom": 10 * source.plenty_mw}
    network.add("generators", "beyond voltage limits", waste)
    missing = {"bus": bus, "carrier": "voltage limits", "p_nom": 10 * source.plenty_mw}
    price = {"marginal_cost": source.program.cut_price_per_mwh}
    network.add("generators", "missing at voltage limits", missing, price)
    return bus


def _add_branches(network: Components, source: _Source, places: _Places) -> None:
    saved, grid, limit_mw = source.saved, source.saved.grid, source.program.limit_mw
    for i, line in enumerate(grid.line):
        f, t = int(grid.line_from[i]), int(grid.line_to[i])
        rated = np.isfinite(grid.rate_mw[i]) and grid.rate_mw[i] > 0
        s_nom = float(grid.rate_mw[i]) if rated else source.plenty_mw
        share = np.where(np.isfinite(limit_mw[:, i]), limit_mw[:, i] / s_nom, 1.0)
        attributes: dict[str, object] = {"bus0": places.inner[f], "bus1": places.inner[t], "s_nom": s_nom}
        series = {
            "s_max_pu": share,
            "p0": source.settled["from_mw"][:, i],
            "p1": source.settled["to_mw"][:, i],
        }
        if grid.is_transformer[i]:
            base = s_nom / grid.base_mva
            attributes |= {"r": grid.r_pu[i] * base, "x": grid.x_pu[i] * base, "model": "pi"}
            attributes |= {"tap_ratio": grid.tap_ratio[i], "tap_side": 0}
            network.add("transformers", line, attributes, series)
        else:
            z_ohm = grid.vn_kv[f] ** 2 / grid.base_mva
            attributes |= {"r": grid.r_pu[i] * z_ohm, "x": grid.x_pu[i] * z_ohm, "b": grid.b_pu[i] / z_ohm}
            network.add("lines", line, attributes | {"length": saved.length_km[i], "carrier": "AC"}, series)


def _add_demand(network: Components, source: _Source, places: _Places) -> None:
    """Add loads, sites, surplus that was dumped, and load that may be shed at its price."""
    saved, program = source.saved, source.program
    demand_mw = program.load_mw.copy()
    np.add.at(demand_mw.T, saved.site_bus, program.site_mw.T)
    for b, bus in enumerate(places.bus):
        for name, carrier, drawn in ((bus, "load", program.load_mw), (f"surplus {bus}", "surplus", program.surplus_mw)):
            if drawn[:, b].any():
                network.add("loads", name, {"bus": bus, "carrier": carrier}, {"p_set": drawn[:, b]})
        if most := float(demand_mw[:, b].max()):
            shed = {"bus": bus, "carrier": "shed", "p_nom": most, "marginal_cost": source.penalties["shed_per_mwh"]}
            network.add("generators", f"shed {bus}", shed, {"p_max_pu": demand_mw[:, b] / most})
    for s, site in enumerate(saved.site):
        attributes = {"bus": places.bus[saved.site_bus[s]], "carrier": "data centre"}
        network.add("loads", site, attributes, {"p_set": program.site_mw[:, s]})


def _add_units(network: Components, source: _Source, places: _Places) -> dict[str, float]:
    """Add units that may move, a generator per segment of cost. Returns t of CO2 per MWh by carrier.

    The ramp of a unit with several segments is that of the link that leads from them to the grid.
    """
    units, program, settled = source.saved.units, source.program, source.settled
    carriers = _carriers(source)
    for u in np.flatnonzero(units.store < 0).tolist():
        segments = np.flatnonzero((units.segment_unit == u) & (units.segment_mw > 0)).tolist()
        if not segments:
            continue
        ramps, size = _ramps(source, u), float(units.segment_mw[segments].sum())
        bus, several = places.bus[units.bus[u]], len(segments) > 1
        if several:
            own = network.add("buses", units.unit[u], {"v_nom": 1.0, "carrier": units.technology[u]})
            per_unit = {name: value / size for name, value in ramps.items()}
            to_grid = {"bus0": own, "bus1": bus, "carrier": units.technology[u], "p_nom": size}
            network.add("links", units.unit[u], to_grid | _initial(source, u), per_unit)
            bus, ramps = own, {}
        below = 0.0
        for number, segment in enumerate(segments, start=1):
            width = float(units.segment_mw[segment])
            share = [
                np.clip(mw[:, u] - below, 0.0, width) / width
                for mw in (program.least_mw, program.most_mw, settled["unit_mw"])
            ]
            below += width
            name = f"{units.unit[u]} segment {number}" if several else units.unit[u]
            series = {"p_min_pu": share[0], "p_max_pu": share[1], "p": width * share[2]}
            attributes = _segment(source, carriers, segment) | {"bus": bus, "p_nom": width}
            attributes |= {} if several else _initial(source, u)
            network.add("generators", name, attributes, series | {key: mw / width for key, mw in ramps.items()})
    return carriers


def _initial(source: _Source, unit: int) -> dict[str, object]:
    return {"p_init": _known(source.program.initial_mw[unit])}


def _ramps(source: _Source, unit: int) -> dict[str, FloatArray]:
    """Return MW by which a unit may rise and fall in each step; weather may force more. Nothing if it cannot bind."""
    units, least, most = source.saved.units, source.program.least_mw[:, unit], source.program.most_mw[:, unit]
    ramp_mw = float(units.ramp_mw_per_h[unit]) * source.step_h
    if source.program.held[unit] or ramp_mw >= max(units.p_max_mw[unit], most.max()):
        return {}
    rise, fall = np.full(len(least), ramp_mw), np.full(len(least), ramp_mw)
    if units.profile[unit] >= 0:
        before = source.program.initial_mw[unit]
        first = (least[0], most[0]) if np.isnan(before) else (before, before)
        rise = np.maximum(rise, np.diff(least, prepend=first[0]))
        fall = np.maximum(fall, -np.diff(most, prepend=first[1]))
    return {"ramp_limit_up": rise, "ramp_limit_down": fall}


def _carriers(source: _Source) -> dict[str, float]:
    """Return the least emissions, t of CO2 per MWh, among what emits of each technology."""
    units = source.saved.units
    found: dict[str, float] = {}
    for owner, co2 in zip(units.segment_unit.tolist(), units.segment_co2_kg_per_mwh.tolist(), strict=True):
        name = units.technology[owner]
        found[name] = min(found.get(name) or np.inf, co2 / KG_PER_T) if co2 > 0 else found.get(name, 0.0)
    return found


def _segment(source: _Source, carriers: Mapping[str, float], segment: int) -> dict[str, object]:
    """Return cost, carbon included, and an efficiency that makes the carrier's emissions those of the segment."""
    units = source.saved.units
    technology = units.technology[int(units.segment_unit[segment])]
    co2_t = float(units.segment_co2_kg_per_mwh[segment]) / KG_PER_T
    cost = float(units.segment_cost_per_mwh[segment])
    clean = co2_t == 0 and carriers[technology] > 0
    return {
        "carrier": f"{technology} without CO2" if clean else technology,
        "marginal_cost": cost + source.penalties["carbon_per_t"] * co2_t,
        "fuel_cost": cost,
        "efficiency": carriers[technology] / co2_t if co2_t > 0 else 1.0,
    }


def _add_stores(network: Components, source: _Source, places: _Places) -> None:
    """Add stores, each on a bus of its own; links lead to it and away, and do as they did."""
    stores, settled = source.saved.stores, source.settled
    for s, store in enumerate(stores.store):
        own = network.add("buses", f"in {store}", {"v_nom": 1.0, "carrier": stores.technology[s]})
        loss, given = float(stores.standing_loss_per_h[s]), float(stores.efficiency_discharge[s])
        attributes = {"bus": own, "carrier": stores.technology[s], "e_nom": stores.energy_mwh[s], "standing_loss": loss}
        attributes["e_initial"] = source.stored_mwh[s] * (1.0 - loss) ** source.step_h  # PyPSA takes no loss off it
        network.add("stores", store, attributes, {"e": settled["stored_mwh"][:, s]})
        _add_inflow(network, source, s, own)
        to_grid = places.bus[stores.bus[s]]
        if stores.charge_mw[s] > 0:
            charge = {"bus0": to_grid, "bus1": own, "efficiency": stores.efficiency_charge[s]}
            charge |= {"p_nom": stores.charge_mw[s], "carrier": stores.technology[s]}
            network.add("links", f"{store} charge", charge, {"p_set": settled["charge_mw"][:, s]})
        if stores.discharge_mw[s] > 0:
            discharge = {"bus0": own, "bus1": to_grid, "efficiency": given, "p_nom": stores.discharge_mw[s] / given}
            discharge["carrier"] = stores.technology[s]
            network.add("links", f"{store} discharge", discharge, {"p_set": settled["discharge_mw"][:, s] / given})
        _add_fed_units(network, source, places, s, own)


def _add_inflow(network: Components, source: _Source, store: int, own: str) -> None:
    """Add what flows in; what is not taken is spilled, as much as it was."""
    inflow_mw = source.settled["inflow_mw"][:, store]
    if most := float(inflow_mw.max()):
        attributes = {"bus": own, "carrier": "inflow", "p_nom": most}
        series = {"p_max_pu": inflow_mw / most, "p_set": inflow_mw - source.settled["store_spill_mw"][:, store]}
        network.add("generators", f"inflow {source.saved.stores.store[store]}", attributes, series)


def _add_fed_units(network: Components, source: _Source, places: _Places, store: int, own: str) -> None:
    """Add the units that feed on a store, a link per segment of cost."""
    units, given = source.saved.units, float(source.saved.stores.efficiency_discharge[store])
    for u in np.flatnonzero(units.store == store).tolist():
        below = 0.0
        segments: BoolArray = (units.segment_unit == u) & (units.segment_mw > 0)
        for number, segment in enumerate(np.flatnonzero(segments).tolist(), start=1):
            width = float(units.segment_mw[segment])
            output_mw = np.clip(source.settled["unit_mw"][:, u] - below, 0.0, width)
            below += width
            co2_t = float(units.segment_co2_kg_per_mwh[segment]) / KG_PER_T
            cost = float(units.segment_cost_per_mwh[segment]) + source.penalties["carbon_per_t"] * co2_t
            attributes = {"bus0": own, "bus1": places.bus[units.bus[u]], "efficiency": given, "p_nom": width / given}
            attributes |= {"carrier": units.technology[u], "marginal_cost": cost * given}
            name = units.unit[u] if segments.sum() == 1 else f"{units.unit[u]} segment {number}"
            network.add("links", name, attributes, {"p_set": output_mw / given})


def _add_links(network: Components, source: _Source, places: _Places) -> None:
    """Add links: one that goes both ways without losses, otherwise one for each direction, each losing its share."""
    grid, sent_mw, saved = source.saved.grid, source.settled["link_mw"], source.saved
    for i, link in enumerate(grid.link):
        start, end = places.bus[grid.link_from[i]], places.bus[grid.link_to[i]]
        most, back, loss = float(grid.link_p_nom_mw[i]), float(saved.link_back_mw[i]), float(grid.link_loss[i])
        about = {"carrier": CARRIERS.get(saved.link_kind[i], "HVDC"), "efficiency": 1.0 - loss}
        forward = {"bus0": start, "bus1": end, "p_nom": most} | about
        if loss == 0 and most > 0:
            flow = {"p_set": sent_mw[:, i]}
            network.add("links", link, forward | {"p_min_pu": -back / most}, flow)
            continue
        backward = {"bus0": end, "bus1": start, "p_nom": back} | about
        network.add("links", f"{link} forward", forward, {"p_set": np.maximum(sent_mw[:, i], 0.0)})
        network.add("links", f"{link} backward", backward, {"p_set": np.maximum(-sent_mw[:, i], 0.0)})


def _add_carriers(network: Components, co2_t_per_mwh: Mapping[str, float]) -> None:
    used = (row.get("carrier") for members in network.static.values() for row in members.values())
    for name in sorted({str(carrier) for carrier in used if carrier}):
        network.static.setdefault("carriers", {})[name] = {"co2_emissions": co2_t_per_mwh.get(name, 0.0)}


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
