"""The data centres of a model folder and the links that reach them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gridtwin.catalogue.cooling import COOLING
from gridtwin.catalogue.hardware import load_hardware
from gridtwin.errors import Issue
from gridtwin.inputs.network import indices
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table
from gridtwin.records import Fleet, QueueAxes
from gridtwin.scenario.schema import Workload
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["fleet_data", "fleet_issues", "reachable"]

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


def _empty_sites(sites: Table, nodes: Table) -> Iterator[Issue]:
    equipped = {site for site, count in zip(nodes.text("site"), nodes.columns["nodes"], strict=True) if count}
    for row, site in enumerate(sites.text("site")):
        if site and site not in equipped:
            yield sites.at(row, "site").issue(f"site {site!r} has no nodes in {nodes.file}; add some or leave it out")


def reachable(model: ModelFolder, fleet: Fleet) -> BoolArray:
    """Return which sites may work for which origin: linked, near enough for the class, and with nodes of it.

    Returns
    -------
    ndarray (origin, class, site)
    """
    return _may(model, fleet.latency_oneway_s, fleet.capacity_nodes)


def _may(model: ModelFolder, latency_oneway_s: FloatArray, capacity_nodes: IntArray) -> BoolArray:
    limits_ms = [spec.max_latency_oneway_ms for spec in model.spec.compute.classes.values()]
    limit_s = np.array([np.inf if limit is None else limit / MS_PER_S for limit in limits_ms])
    near = np.isfinite(latency_oneway_s)[:, None, :] & (latency_oneway_s[:, None, :] <= limit_s[None, :, None])
    return near & (capacity_nodes.T > 0)[None, :, :]


def _preference(price_per_gb: FloatArray, latency_s: FloatArray, may: BoolArray) -> IntArray:
    """Order sites by price, latency and table order; (origin, class, rank); -1 for those that may not."""
    order = np.lexsort((latency_s, price_per_gb), axis=-1)
    ranked = np.full(may.shape, -1, dtype=np.int64)
    for origin, compute_class in np.ndindex(may.shape[:2]):
        sites = order[origin][may[origin, compute_class][order[origin]]]
        ranked[origin, compute_class, : len(sites)] = sites
    return ranked


def fleet_data(model: ModelFolder, workload: Workload) -> Fleet:
    """Build the record of a fleet whose tables have no issues.

    Batch jobs do not go to service classes: their sites are left out of `preference`. A pair of origin and site
    without a row in the WAN table has infinite latency and no bandwidth.
    """
    sites, nodes, wan = (model.tables[name] for name in ("sites", "nodes", "wan"))
    classes = model.spec.compute.classes
    origins, delays = model.tables["origins"].text("origin"), tuple(workload.delay_classes)
    axes = QueueAxes(origins, tuple(classes), delays, workload.duration_bins)
    site = sites.text("site")
    cell = indices(nodes.text("site"), site), indices(nodes.text("compute_class"), axes.compute_class)
    pair = indices(wan.text("origin"), axes.origin), indices(wan.text("site"), site)
    hardware = [load_hardware()[name] for name in nodes.text("hardware")]

    def spread(shape: tuple[int, int], where: tuple[IntArray, IntArray], values: FloatArray, rest: float) -> FloatArray:
        table = np.full(shape, rest)
        table[where] = values
        return table

    per_class, per_link = (len(site), len(classes)), (len(axes.origin), len(site))
    capacity = spread(per_class, cell, numbers(nodes, "nodes"), 0.0).astype(np.int64)
    latency_s = spread(per_link, pair, numbers(wan, "latency_oneway_ms") / MS_PER_S, np.inf)
    price_per_gb = spread(per_link, pair, numbers(wan, "price_per_gb"), 0.0)
    batch = np.array([not spec.service for spec in classes.values()])
    may = _may(model, latency_s, capacity) & batch[None, :, None]
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
        bandwidth_gbps=spread(per_link, pair, numbers(wan, "bandwidth_gbps"), 0.0),
        latency_oneway_s=latency_s,
        price_per_gb=price_per_gb,
    )
