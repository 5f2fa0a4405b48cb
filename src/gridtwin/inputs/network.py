"""The grid of a model folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridtwin.errors import Issue
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Table, did_you_mean
from gridtwin.records import Geography, GridData
from gridtwin.units import IntArray

__all__ = ["geography", "grid_data", "indices", "network_issues"]

SHARE_TOLERANCE = 1e-6
BUSES_SHOWN = 5


def indices(names: Sequence[str], among: Sequence[str]) -> IntArray:
    """Return where each name stands among others, -1 for an empty name."""
    index = {"": -1} | {name: i for i, name in enumerate(among)}
    return np.array([index[name] for name in names], dtype=np.int64)


def network_issues(model: ModelFolder) -> list[Issue]:
    """Return everything that the tables of the grid say against each other."""
    if not model.has("buses"):
        return []
    buses = model.tables["buses"]
    found = [*_slack(model, buses), *_load_shares(model, buses)]
    if model.has("branches"):
        branches = model.tables["branches"]
        found += [*_branches(buses, branches), *_islands(model, buses, branches)]
    if model.has("links"):
        found += _links(model.tables["links"])
    return found


def _slack(model: ModelFolder, buses: Table) -> Iterator[Issue]:
    slack, known = model.spec.grid.slack_bus, buses.text("bus")
    if model.model.sound("grid", "slack_bus") and slack not in known:
        yield model.model.issue(f"unknown bus {slack!r}{did_you_mean(slack, known)}", "grid", "slack_bus")


def _load_shares(model: ModelFolder, buses: Table) -> Iterator[Issue]:
    """Check that shares of each area's load add to one and that its load is given."""
    areas, share = buses.text("area"), numbers(buses, "load_share")
    if load := model.series.get("load"):
        yield from buses.unknown("area", load.name, f"area, no column of {load.file},")
    for area in dict.fromkeys(areas):
        rows = [row for row, name in enumerate(areas) if name == area]
        total = share[rows].sum()
        if abs(total - 1) > SHARE_TOLERANCE:
            yield buses.at(rows[0], "load_share").issue(f"shares of area {area!r} add to {total:g}, expected 1")
    for row in np.flatnonzero((numbers(buses, "load_mw") == 0) & (numbers(buses, "load_mvar") != 0)):
        yield buses.at(int(row), "load_mvar").issue("load_mvar without load_mw: it gives the power factor of the load")


def _branches(buses: Table, branches: Table) -> Iterator[Issue]:
    """Check what a power flow can make of each branch; a cell that was unreadable is NaN and breaks no rule."""
    vn_kv = dict(zip(buses.text("bus"), buses.columns["vn_kv"], strict=True))
    columns = (branches.columns[name] for name in ("from_bus", "to_bus", "x_pu", "b_pu", "tap_ratio", "is_transformer"))
    for row, (start, end, x_pu, b_pu, tap_ratio, is_transformer) in enumerate(zip(*columns, strict=True)):
        if x_pu == 0:
            yield branches.at(row, "x_pu").issue("x_pu is 0; expected a reactance other than zero")
        if start and start == end:
            yield branches.at(row, "to_bus").issue(f"branch ends where it begins, at bus {end!r}")
        if is_transformer and abs(b_pu) > 0:
            message = f"b_pu is {b_pu:g} at a transformer, expected 0; give its charging as shunts at its two buses"
            yield branches.at(row, "b_pu").issue(message)
        if not is_transformer and abs(tap_ratio - 1) > 0:
            message = f"tap_ratio is {tap_ratio:g} at a line, expected 1; a transformer has is_transformer = true"
            yield branches.at(row, "tap_ratio").issue(message)
        start_kv, end_kv = vn_kv.get(start, math.nan), vn_kv.get(end, math.nan)
        if not is_transformer and abs(start_kv - end_kv) > 0:
            message = f"line joins bus {start!r} of {start_kv:g} kV and bus {end!r} of {end_kv:g} kV"
            yield branches.at(row, "to_bus").issue(f"{message}; set is_transformer, or correct vn_kv in {buses.file}")


def _links(links: Table) -> Iterator[Issue]:
    """Check that each link leads somewhere, can carry its schedule and lets something arrive."""
    names = ("from_bus", "to_bus", "p_nom_mw", "schedule_mw", "dispatched", "loss_share")
    columns = (links.columns[name] for name in names)
    for row, (start, end, p_nom_mw, schedule_mw, dispatched, loss) in enumerate(zip(*columns, strict=True)):
        if start and start == end:
            yield links.at(row, "to_bus").issue(f"link ends where it begins, at bus {end!r}")
        if abs(schedule_mw) > p_nom_mw:
            message = f"schedule_mw = {schedule_mw:g} is more than p_nom_mw = {p_nom_mw:g} in either direction"
            yield links.at(row, "schedule_mw").issue(message)
        if dispatched and abs(schedule_mw) > 0:
            message = f"schedule_mw is {schedule_mw:g} at a link that is dispatched, expected 0"
            yield links.at(row, "schedule_mw").issue(f"{message}; a schedule holds only where dispatched = false")
        if loss >= 1:
            yield links.at(row, "loss_share").issue(f"loss_share is {loss:g}; expected a share of at least 0, below 1")


def _islands(model: ModelFolder, buses: Table, branches: Table) -> Iterator[Issue]:
    """Report each group of buses that no branch connects to the reference bus."""
    names, slack = buses.text("bus"), model.spec.grid.slack_bus
    known = set(names)
    ends = zip(branches.text("from_bus"), branches.text("to_bus"), strict=True)
    pairs = [pair for pair in ends if known.issuperset(pair)]
    if slack not in known or len(known) < len(names) or len(pairs) < len(branches):
        return
    start, end = (indices(side, names) for side in zip(*pairs, strict=True)) if pairs else ([], [])
    graph = coo_array((np.ones(len(pairs)), (start, end)), shape=(len(names), len(names)))
    count, island = connected_components(graph, directed=False)
    for label in set(range(count)) - {int(island[names.index(slack)])}:
        members = np.flatnonzero(island == label)
        listed = ", ".join(names[i] for i in members[:BUSES_SHOWN]) + (", …" if len(members) > BUSES_SHOWN else "")
        yield buses.at(int(members[0]), "bus").issue(
            f"{len(members)} bus(es) not connected to the reference bus {slack!r} by any branch: {listed}"
        )


def grid_data(model: ModelFolder) -> GridData:
    """Build the record of a grid whose tables have no issues."""
    buses, branches, links = (model.tables.get(name) for name in ("buses", "branches", "links"))
    assert buses is not None
    assert branches is not None
    bus = buses.text("bus")
    return GridData(
        base_mva=model.spec.grid.base_mva,
        bus=bus,
        vn_kv=numbers(buses, "vn_kv"),
        vm_min_pu=numbers(buses, "vm_min_pu"),
        vm_max_pu=numbers(buses, "vm_max_pu"),
        shunt_mw=numbers(buses, "shunt_mw"),
        shunt_mvar=numbers(buses, "shunt_mvar"),
        slack=bus.index(model.spec.grid.slack_bus),
        slack_vm_pu=model.spec.grid.slack_vm_pu,
        line=branches.text("line"),
        line_from=indices(branches.text("from_bus"), bus),
        line_to=indices(branches.text("to_bus"), bus),
        r_pu=numbers(branches, "r_pu"),
        x_pu=numbers(branches, "x_pu"),
        b_pu=numbers(branches, "b_pu"),
        tap_ratio=numbers(branches, "tap_ratio"),
        is_transformer=np.asarray(branches.columns["is_transformer"], dtype=np.bool_),
        rate_mw=numbers(branches, "rate_mw"),
        rate_long_mw=numbers(branches, "rate_long_mw"),
        rate_short_mw=numbers(branches, "rate_short_mw"),
        link=links.text("link") if links else (),
        link_from=indices(links.text("from_bus") if links else (), bus),
        link_to=indices(links.text("to_bus") if links else (), bus),
        link_p_nom_mw=numbers(links, "p_nom_mw") if links else np.zeros(0),
        link_schedule_mw=numbers(links, "schedule_mw") if links else np.zeros(0),
        link_dispatched=np.array(links.columns["dispatched"] if links else (), dtype=np.bool_),
        link_loss=numbers(links, "loss_share") if links else np.zeros(0),
    )


def geography(model: ModelFolder) -> Geography:
    """Build the record of places and names of a model whose tables have no issues."""
    buses, branches, sites, origins = (model.tables[name] for name in ("buses", "branches", "sites", "origins"))
    return Geography(
        bus_name=buses.text("name"),
        area=buses.text("area"),
        bus_lat=numbers(buses, "lat"),
        bus_lon=numbers(buses, "lon"),
        length_km=numbers(branches, "length_km"),
        site_name=sites.text("name"),
        site_lat=numbers(sites, "lat"),
        site_lon=numbers(sites, "lon"),
        origin_name=origins.text("name"),
        origin_lat=numbers(origins, "lat"),
        origin_lon=numbers(origins, "lon"),
    )
