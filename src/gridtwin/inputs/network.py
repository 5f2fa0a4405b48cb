"""The grid of a model folder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridtwin.errors import Issue
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Position, Table, did_you_mean
from gridtwin.records import Geography, GridData, LinkTerms
from gridtwin.scenario.load import LocatedScenario
from gridtwin.units import FloatArray, IntArray

__all__ = ["contract_names", "geography", "grid_data", "indices", "link_terms", "network_issues", "power_flow_issues"]

LINK_KINDS = ("dc", "back_to_back", "interface")
CONTRACT_TOLERANCE_MW = 1e-3
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
    found = [*_power_flow(model), *_slack(model, buses), *_load_shares(model, buses)]
    if model.has("branches"):
        branches = model.tables["branches"]
        found += [*_branches(buses, branches), *_islands(model, buses, branches)]
    if model.has("links"):
        links = model.tables["links"]
        found += [*_links(links), *_kinds(model, links), *_contracts(model, links), *_least_flows(links)]
    return found


def _power_flow(model: ModelFolder) -> Iterator[Issue]:
    """AC needs lines; where power is transported there are none, for links stand for all corridors."""
    if not model.model.sound("grid"):
        return
    spec = model.spec.grid
    if spec.power_flow == "ac" and spec.branches is None:
        message = "grid.branches is missing: the power flow is AC, which needs lines and transformers"
        yield model.model.issue(f"{message}; give them, or set grid.power_flow: transport", "grid")
    if spec.power_flow == "transport" and spec.branches is not None:
        message = "the power flow is transport, which has no branches"
        yield model.model.issue(f"{message}; give corridors in grid.links, or set power_flow: ac", "grid", "branches")


def _kinds(model: ModelFolder, links: Table) -> Iterator[Issue]:
    """Check what kind each link is; without AC every one of them is dispatched."""
    transport = model.spec.grid.power_flow == "transport"
    for row, (kind, dispatched) in enumerate(zip(links.text("kind"), links.columns["dispatched"], strict=True)):
        if kind not in LINK_KINDS:
            message = f"unknown kind {kind!r}{did_you_mean(kind, LINK_KINDS)}"
            yield links.at(row, "kind").issue(message)
        elif kind == "interface" and not transport:
            message = "an interface stands for a corridor of AC lines, but the power flow is AC"
            yield links.at(row, "kind").issue(f"{message}; give the lines as branches, or set power_flow: transport")
        if transport and not dispatched:
            message = "link is not dispatched, but the power flow is transport: expected dispatched = true"
            yield links.at(row, "dispatched").issue(f"{message}; a fixed flow is a contract")


def _contracts(model: ModelFolder, links: Table) -> Iterator[Issue]:
    """Contracts must exist and fit between the limits of their links."""
    series = model.series.get("contract")
    if series is not None:
        yield from links.unknown("contract", series.name, f"contract, no column of {series.file},")
    elif model.spec.profiles.contract is None:
        yield from links.unknown("contract", (), "contract (profiles.contract names no file)")
    columns = dict(zip(series.name, series.values.T, strict=True)) if series else {}
    names = ("contract", "p_nom_mw", "p_nom_back_mw", "p_min_mw")
    for row, (contract, most, back, least) in enumerate(zip(*(links.columns[name] for name in names), strict=True)):
        if contract not in columns:
            continue
        lowest, highest = float(columns[contract].min()), float(columns[contract].max())
        below = least if least > 0 else -min(back, most) if math.isinf(back) else -back
        if lowest < below - CONTRACT_TOLERANCE_MW or highest > most + CONTRACT_TOLERANCE_MW:
            message = f"contract {contract!r} goes from {lowest:g} to {highest:g} MW in {series.file if series else ''}"
            yield links.at(row, "contract").issue(f"{message}; its link carries {below:g} to {most:g}")


def _least_flows(links: Table) -> Iterator[Issue]:
    names = ("p_min_mw", "p_nom_mw")
    for row, (least, most) in enumerate(zip(*(links.columns[name] for name in names), strict=True)):
        if least > most:
            yield links.at(row, "p_min_mw").issue(f"p_min_mw = {least:g} is above p_nom_mw = {most:g}")


def _slack(model: ModelFolder, buses: Table) -> Iterator[Issue]:
    slack, known = model.spec.grid.slack_bus, buses.text("bus")
    if model.model.sound("grid", "slack_bus") and slack not in known:
        yield model.model.issue(f"unknown bus {slack!r}{did_you_mean(slack, known)}", "grid", "slack_bus")


def _load_shares(model: ModelFolder, buses: Table) -> Iterator[Issue]:
    """Check that shares of each area's load add to one and that its load is given."""
    areas, share = buses.text("area"), numbers(buses, "load_share")
    if load := model.series.get("load"):
        yield from buses.unknown("area", load.name, f"area, no column of {load.file},")
        for column, name in enumerate(load.name, start=1):
            if name not in areas:
                message = (
                    f"load of area {name!r} has no bus in {buses.file}: give the area a bus, or leave its load out"
                )
                yield Position(load.file, 1, column).issue(message)
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
    bus = buses.text("bus")

    def of_lines(column: str) -> FloatArray:
        return numbers(branches, column) if branches else np.zeros(0)

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
        line=branches.text("line") if branches else (),
        line_from=indices(branches.text("from_bus") if branches else (), bus),
        line_to=indices(branches.text("to_bus") if branches else (), bus),
        r_pu=of_lines("r_pu"),
        x_pu=of_lines("x_pu"),
        b_pu=of_lines("b_pu"),
        tap_ratio=of_lines("tap_ratio"),
        is_transformer=np.asarray(branches.columns["is_transformer"] if branches else (), dtype=np.bool_),
        rate_mw=of_lines("rate_mw"),
        rate_long_mw=of_lines("rate_long_mw"),
        rate_short_mw=of_lines("rate_short_mw"),
        link=links.text("link") if links else (),
        link_from=indices(links.text("from_bus") if links else (), bus),
        link_to=indices(links.text("to_bus") if links else (), bus),
        link_p_nom_mw=numbers(links, "p_nom_mw") if links else np.zeros(0),
        link_schedule_mw=numbers(links, "schedule_mw") if links else np.zeros(0),
        link_dispatched=np.array(links.columns["dispatched"] if links else (), dtype=np.bool_),
        link_loss=numbers(links, "loss_share") if links else np.zeros(0),
        transport=model.spec.grid.power_flow == "transport",
    )


def power_flow_issues(scenario: LocatedScenario, model: ModelFolder) -> list[Issue]:
    """Return what a scenario asks of a grid that has no power flow."""
    asked = scenario.sound("security", "n1") and scenario.value is not None and scenario.value.security.n1 == "report"
    if not asked or not model.model.sound("grid") or model.spec.grid.power_flow != "transport":
        return []
    message = (
        f"N-1 takes out lines of an AC grid, and the power flow of model {model.spec.name!r} is transport, without any"
    )
    return [scenario.issue(f"{message}; leave it off, or take a model whose grid.power_flow is ac", "security", "n1")]


def link_terms(model: ModelFolder, balancing: str) -> LinkTerms:
    """Build the record of how links are operated under a scenario's `dispatch.balancing`.

    Links inside a region keep no contract under `region` balancing, and none does under `national`.
    """
    links, buses = model.tables.get("links"), model.tables["buses"]
    if links is None:
        return LinkTerms.plain(grid_data(model))
    rating_mw, back_mw = numbers(links, "p_nom_mw"), numbers(links, "p_nom_back_mw")
    region = dict(zip(buses.text("bus"), buses.text("region"), strict=True))
    inside = np.array(
        [region[a] == region[b] != "" for a, b in zip(links.text("from_bus"), links.text("to_bus"), strict=True)],
        dtype=np.bool_,
    )
    free = {"province": np.zeros_like(inside), "region": inside, "national": np.ones_like(inside)}[balancing]
    return LinkTerms(
        kind=links.text("kind"),
        back_mw=np.where(np.isinf(back_mw), rating_mw, back_mw),
        least_mw=numbers(links, "p_min_mw"),
        hold_h=numbers(links, "hold_h"),
        contract=np.where(free, -1, indices(links.text("contract"), contract_names(model))),
        deviation_per_mwh=numbers(links, "deviation_price_per_mwh"),
        cost_per_mwh=numbers(links, "cost_per_mwh"),
    )


def contract_names(model: ModelFolder) -> tuple[str, ...]:
    """Return the contracted flows that links keep to, in order of first use."""
    links = model.tables.get("links")
    return tuple(dict.fromkeys(name for name in links.text("contract") if name)) if links else ()


def geography(model: ModelFolder) -> Geography:
    """Build the record of places and names of a model whose tables have no issues."""
    buses, sites, origins = (model.tables[name] for name in ("buses", "sites", "origins"))
    branches = model.tables.get("branches")
    return Geography(
        bus_name=buses.text("name"),
        area=buses.text("area"),
        bus_lat=numbers(buses, "lat"),
        bus_lon=numbers(buses, "lon"),
        length_km=numbers(branches, "length_km") if branches else np.zeros(0),
        site_name=sites.text("name"),
        site_lat=numbers(sites, "lat"),
        site_lon=numbers(sites, "lon"),
        origin_name=origins.text("name"),
        origin_lat=numbers(origins, "lat"),
        origin_lon=numbers(origins, "lon"),
    )
