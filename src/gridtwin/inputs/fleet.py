"""The data centres of a model folder and the links that reach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gridtwin.catalogue.cooling import COOLING
from gridtwin.catalogue.hardware import load_hardware
from gridtwin.errors import Issue
from gridtwin.inputs.network import indices
from gridtwin.inputs.origins import Part, parts
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table
from gridtwin.records import Fleet, QueueAxes
from gridtwin.scenario.schema import Scenario
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["MS_PER_S", "at_home", "fitting", "fleet_data", "fleet_issues", "near_enough", "reachable"]

MS_PER_S = 1000.0


def fleet_issues(model: ModelFolder) -> list[Issue]:
    """Return everything that the tables of the fleet say against each other and the catalogue."""
    found: list[Issue] = []
    if sites := model.tables.get("sites"):
        found += sites.unknown("cooling", list(COOLING), "cooling")
        found += [
            sites.at(row, "power_factor").issue(f"power_factor is {value:g}; expected at most 1")
            for row, value in enumerate(sites.columns["power_factor"])
            if value > 1
        ]
        if series := model.series.get("temperature"):
            found += sites.unknown("station", series.name, f"station, no column of {series.file},")
    if nodes := model.tables.get("nodes"):
        found += nodes.unknown("hardware", list(load_hardware()), "hardware")
        if model.model.sound("compute", "classes"):
            found += nodes.unknown("compute_class", list(model.spec.compute.classes), "compute class")
            found += _empty_classes(model, nodes)
        found += _misplaced(nodes)
    if sites and nodes:
        found += _empty_sites(sites, nodes)
    return found


def _misplaced(nodes: Table) -> Iterator[Issue]:
    """Check that machines stand under the class they are made for; classes that the catalogue does not know are free.

    A class meters compute in one precision, so machines of another would be counted wrong.
    """
    made_for = {name: unit.compute_class for name, unit in load_hardware().items()}
    for row, (listed, name) in enumerate(zip(nodes.text("compute_class"), nodes.text("hardware"), strict=True)):
        meant = made_for.get(name, listed)
        if listed != meant and listed in made_for.values():
            fitting = [other for other, compute_class in made_for.items() if compute_class == listed]
            message = f"{name!r} is hardware of class {meant!r}, listed under {listed!r}"
            yield nodes.at(row, "hardware").issue(f"{message}; that class has {', '.join(fitting)}")


def _empty_classes(model: ModelFolder, nodes: Table) -> Iterator[Issue]:
    pairs = zip(nodes.text("compute_class"), nodes.columns["nodes"], strict=True)
    equipped = {compute_class for compute_class, count in pairs if count}
    for name in model.spec.compute.classes:
        if name not in equipped:
            message = f"nobody serves class {name!r}: no site has nodes of it in {nodes.file}; add some or leave it out"
            yield model.model.issue(message, "compute", "classes", name)


def _empty_sites(sites: Table, nodes: Table) -> Iterator[Issue]:
    equipped = {site for site, count in zip(nodes.text("site"), nodes.columns["nodes"], strict=True) if count}
    for row, site in enumerate(sites.text("site")):
        if site and site not in equipped:
            yield sites.at(row, "site").issue(f"site {site!r} has no nodes in {nodes.file}; add some or leave it out")


def at_home(model: ModelFolder, origins: Sequence[str]) -> BoolArray:
    """Return which sites lie in the region of each of some origins (origin, site); none where that is not known."""
    table = model.tables["origins"]
    known = dict(zip(table.text("origin"), table.text("region"), strict=True))
    region = np.array([known[origin] for origin in origins])
    home: BoolArray = (region[:, None] == np.array(model.tables["sites"].text("region"))) & (region != "")[:, None]
    return home


def reachable(model: ModelFolder, scenario: Scenario, fleet: Fleet) -> BoolArray:
    """Return which sites may work for which origin: linked, near enough for the class, with nodes of it that fit.

    Returns
    -------
    ndarray (origin, class, site)
    """
    return _may(model, scenario, fleet.latency_oneway_s, fleet.capacity_nodes)


def near_enough(model: ModelFolder, latency_oneway_s: FloatArray) -> BoolArray:
    """Return which sites an origin is linked to, near enough for each class (origin, class, site)."""
    limits_ms = [spec.max_latency_oneway_ms for spec in model.spec.compute.classes.values()]
    limit_s = np.array([np.inf if limit is None else limit / MS_PER_S for limit in limits_ms])
    near: BoolArray = latency_oneway_s[:, None, :] <= limit_s[None, :, None]
    return near & np.isfinite(latency_oneway_s)[:, None, :]


def _may(model: ModelFolder, scenario: Scenario, latency_oneway_s: FloatArray, capacity_nodes: IntArray) -> BoolArray:
    near = near_enough(model, latency_oneway_s)
    found = parts(model.tables["origins"].text("origin"), scenario.workload)
    may: BoolArray = near & (capacity_nodes.T > 0)[None, :, :] & fitting(model, found)
    stays = np.array([part.resident or scenario.compute.reach == "region" for part in found])
    return may & (~stays[:, None] | at_home(model, [part.origin for part in found]))[:, None, :]


def fitting(model: ModelFolder, found: Sequence[Part]) -> BoolArray:
    """Return where the hardware is what each part of an origin's work requires (part, class, site)."""
    nodes, classes, site = model.tables["nodes"], model.spec.compute.classes, model.tables["sites"].text("site")
    cell = indices(nodes.text("compute_class"), tuple(classes)), indices(nodes.text("site"), site)
    hardware = [load_hardware()[name] for name in nodes.text("hardware")]
    fits = {}
    for requires in {part.requires for part in found}:
        fits[requires] = np.zeros((len(classes), len(site)), dtype=bool)
        fits[requires][cell] = [requires.accepts(unit) for unit in hardware]
    return np.stack([fits[part.requires] for part in found])


def _preference(price_per_gb: FloatArray, latency_s: FloatArray, may: BoolArray) -> IntArray:
    """Order sites by price, latency and table order; (origin, class, rank); -1 for those that may not."""
    order = np.lexsort((latency_s, price_per_gb), axis=-1)
    ranked = np.full(may.shape, -1, dtype=np.int64)
    for origin, compute_class in np.ndindex(may.shape[:2]):
        sites = order[origin][may[origin, compute_class][order[origin]]]
        ranked[origin, compute_class, : len(sites)] = sites
    return ranked


def fleet_data(model: ModelFolder, scenario: Scenario) -> Fleet:
    """Build the record of a fleet whose tables have no issues.

    Batch jobs do not go to service classes: their sites are left out of `preference`. A pair of origin and site
    without a row in the WAN table has infinite latency and no bandwidth. Parts of an origin have its links.
    """
    sites, nodes, wan = (model.tables[name] for name in ("sites", "nodes", "wan"))
    classes, workload = model.spec.compute.classes, scenario.workload
    origins, delays = model.tables["origins"].text("origin"), tuple(workload.delay_classes)
    axes = _axes(parts(origins, workload), tuple(classes), delays, workload.duration_bins)
    site = sites.text("site")
    cell = indices(nodes.text("site"), site), indices(nodes.text("compute_class"), axes.compute_class)
    pair = indices(wan.text("origin"), axes.origin), indices(wan.text("site"), site)
    hardware = [load_hardware()[name] for name in nodes.text("hardware")]

    def spread(shape: tuple[int, int], where: tuple[IntArray, IntArray], values: FloatArray, rest: float) -> FloatArray:
        table = np.full(shape, rest)
        table[where] = values
        return table

    def of_links(column: str, scale: float, rest: float) -> FloatArray:
        return spread((len(axes.origin), len(site)), pair, numbers(wan, column) / scale, rest)[axes.link_origin]

    per_class = (len(site), len(classes))
    capacity = spread(per_class, cell, numbers(nodes, "nodes"), 0.0).astype(np.int64)
    latency_s, price_per_gb = of_links("latency_oneway_ms", MS_PER_S, np.inf), of_links("price_per_gb", 1.0, 0.0)
    batch = np.array([not spec.service for spec in classes.values()])
    may = _may(model, scenario, latency_s, capacity) & batch[None, :, None]
    utilization = {service.compute_class: service.target_utilization for service in workload.services}
    return Fleet(
        site=site,
        bus=indices(sites.text("bus"), model.tables["buses"].text("bus")),
        axes=axes,
        capacity_nodes=capacity,
        idle_w=spread(per_class, cell, np.array([unit.idle_w for unit in hardware]), 0.0),
        peak_w=spread(per_class, cell, np.array([unit.peak_w for unit in hardware]), 0.0),
        service_utilization=np.array([utilization.get(name, 1.0) for name in classes]),
        power_factor=numbers(sites, "power_factor"),
        connection_mw=numbers(sites, "connection_mw"),
        preference=_preference(price_per_gb, latency_s, may),
        bandwidth_gbps=of_links("bandwidth_gbps", 1.0, 0.0),
        latency_oneway_s=latency_s,
        price_per_gb=price_per_gb,
    )


def _axes(
    found: Sequence[Part], classes: tuple[str, ...], delays: tuple[str, ...], bin_upper_s: tuple[int, ...]
) -> QueueAxes:
    names = tuple(part.name for part in found)
    whole = tuple(names.index(part.origin) for part in found)
    alone = whole == tuple(range(len(names)))
    return QueueAxes(names, classes, delays, bin_upper_s, () if alone else whole)
