"""The inputs that a run keeps beside its results, so that they can be checked and read without the model."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from scipy import sparse

from gridtwin.arrays import ratio_or_zero
from gridtwin.grid.ac import AcGrid
from gridtwin.inputs.study import Study
from gridtwin.policies import PowerFlow
from gridtwin.records import ModelFacts

__all__ = ["Table", "input_tables"]

Table = dict[str, np.ndarray]


def input_tables(study: Study, power_flow: PowerFlow) -> dict[str, Table]:
    """Return the tables of `inputs/`, by name.

    Parameters
    ----------
    study : Study
    power_flow : PowerFlow
        That is solved; its admittances are kept where it is AC.
    """
    of_ac = {"admittance": _admittance(power_flow.ybus)} if isinstance(power_flow, AcGrid) else {}
    return {
        "buses": _buses(study),
        **of_ac,
        "lines": _lines(study, power_flow),
        "units": _units(study),
        "segments": _segments(study),
        "stores": _stores(study),
        "links": _links(study),
        "sites": _sites(study),
        "origins": _origins(study),
        "site_terms": _site_terms(study),
        "supply": _supply(study),
        **_facts(study),
        "pools": _pools(study),
        "wan": _wan(study),
        "requests": _requests(study),
        "penalties": _penalties(study),
        "tariff": _tariff(study),
    }


def _buses(study: Study) -> Table:
    grid, places = study.grid, study.geography
    buses = len(grid.bus)
    return {
        "bus": np.array(grid.bus),
        "slack": np.arange(buses) == grid.slack,
        "base_mva": np.full(buses, grid.base_mva),
        "name": np.array(places.bus_name, dtype=str),
        "area": np.array(places.area, dtype=str),
        "lat": places.bus_lat,
        "lon": places.bus_lon,
        **{name: getattr(grid, name) for name in ("vn_kv", "vm_min_pu", "vm_max_pu", "shunt_mw", "shunt_mvar")},
        "load_mvar_per_mw": ratio_or_zero(study.profiles.load_mvar.sum(axis=0), study.profiles.load_mw.sum(axis=0)),
        "slack_vm_pu": np.full(buses, grid.slack_vm_pu),
    }


def _admittance(admittance: sparse.csr_array) -> Table:
    entries = sparse.coo_array(admittance)
    return {
        "row": entries.row.astype(np.int64),
        "column": entries.col.astype(np.int64),
        "g_pu": entries.data.real.copy(),
        "b_pu": entries.data.imag.copy(),
    }


def _lines(study: Study, power_flow: PowerFlow) -> Table:
    """Branches with their part of the admittances: current at one end (from, to) per voltage at either."""
    grid, every = study.grid, np.arange(len(study.grid.line))
    ends = {"f": grid.line_from, "t": grid.line_to}
    admittances = {"f": power_flow.y_from, "t": power_flow.y_to} if isinstance(power_flow, AcGrid) else {}
    y_pu = {
        f"{end}{other}": np.asarray(matrix[every, bus]).ravel()
        for end, matrix in admittances.items()
        for other, bus in ends.items()
    }
    return {
        "line": np.array(grid.line),
        "from_index": grid.line_from,
        "to_index": grid.line_to,
        "is_transformer": grid.is_transformer,
        **{name: getattr(grid, name) for name in ("r_pu", "x_pu", "b_pu", "tap_ratio")},
        **{f"g_{pair}_pu": value.real.copy() for pair, value in y_pu.items()},
        **{f"b_{pair}_pu": value.imag.copy() for pair, value in y_pu.items()},
        "rate_mw": grid.rate_mw,
        "rate_long_mw": grid.rate_long_mw,
        "rate_short_mw": grid.rate_short_mw,
        "length_km": study.geography.length_km,
    }


def _units(study: Study) -> Table:
    units = study.units
    return {
        "unit": np.array(units.unit),
        "bus_index": units.bus,
        "technology": np.array(units.technology),
        **{name: getattr(units, name) for name in ("p_min_mw", "p_max_mw", "q_min_mvar", "q_max_mvar", "vm_set_pu")},
        "ramp_mw_per_h": units.ramp_mw_per_h,
        **{name: getattr(units, name) for name in ("holds_voltage", "always_committed", "quick_start")},
        "renewable": units.renewable,
        "curtailable": units.curtailable,
        "profiled": units.profile >= 0,
        "store_index": units.store,
        "daily": study.unit_terms.daily,
        "least_share": study.unit_terms.least_share,
        "link_index": study.unit_terms.link,
        "must_give": study.unit_terms.minimum >= 0,
        "name": np.array(study.facts.unit_name, dtype=str),
        "name_zh": np.array(study.facts.unit_name_zh, dtype=str),
    }


def _segments(study: Study) -> Table:
    units = study.units
    return {
        "unit_index": units.segment_unit,
        "width_mw": units.segment_mw,
        "cost_per_mwh": units.segment_cost_per_mwh,
        "co2_kg_per_mwh": units.segment_co2_kg_per_mwh,
    }


def _links(study: Study) -> Table:
    grid = study.grid
    return {
        "link": np.array(grid.link, dtype=str),
        "from_index": grid.link_from,
        "to_index": grid.link_to,
        "p_nom_mw": grid.link_p_nom_mw,
        "loss": grid.link_loss,
        "kind": np.array(study.link_terms.kind, dtype=str),
        "p_nom_back_mw": study.link_terms.back_mw,
        "p_min_mw": study.link_terms.least_mw,
        "deviation_per_mwh": study.link_terms.deviation_per_mwh,
        "name": np.array(study.facts.link_name, dtype=str),
        "name_zh": np.array(study.facts.link_name_zh, dtype=str),
    }


def _stores(study: Study) -> Table:
    stores = study.stores
    columns = {field.name: np.asarray(getattr(stores, field.name)) for field in fields(stores)}
    names = {name: columns.pop(name).astype(str) for name in ("store", "technology")}
    indices = {f"{name}_index": columns.pop(name) for name in ("bus", "site", "inflow")}
    return names | indices | columns


def _sites(study: Study) -> Table:
    fleet, places = study.fleet, study.geography
    return {
        "site": np.array(fleet.site),
        "bus_index": fleet.bus,
        "power_factor": fleet.power_factor,
        "connection_mw": fleet.connection_mw,
        "name": np.array(places.site_name, dtype=str),
        "lat": places.site_lat,
        "lon": places.site_lon,
    }


def _site_terms(study: Study) -> Table:
    terms = study.site_terms
    return {
        "site": np.array(study.fleet.site),
        "region": np.array(terms.region, dtype=str),
        "green_share_min": terms.green_share_min,
        "labour_cost_per_rack_year": terms.labour_cost_per_rack_year,
    }


def _supply(study: Study) -> Table:
    contracts = study.contracts
    return {
        **{name: np.array(getattr(contracts, name), dtype=str) for name in ("contract", "name_zh", "kind")},
        "site_index": contracts.site,
        "unit_index": contracts.unit,
        "p_mw": contracts.p_mw,
        "price_per_mwh": contracts.price_per_mwh,
    }


def _origins(study: Study) -> Table:
    places = study.geography
    return {
        "origin": np.array(study.fleet.axes.origin),
        "name": np.array(places.origin_name, dtype=str),
        "whole": np.array(study.fleet.axes.origin)[study.fleet.axes.link_origin],
        "region": np.array(study.site_terms.origin_region, dtype=str),
        "lat": places.origin_lat,
        "lon": places.origin_lon,
    }


def _facts(study: Study) -> dict[str, Table]:
    """What planners count by, of buses, sites, origins and nodes; names in Chinese among it."""
    facts = study.facts
    return {
        "bus_facts": {"bus": np.array(study.grid.bus), **_of(facts, "bus")},
        "site_facts": {"site": np.array(study.fleet.site), **_of(facts, "site")},
        "origin_facts": {"origin": np.array(facts.origin, dtype=str), **_of(facts, "origin")},
        "node_facts": {"nodes": facts.nodes, **_of(facts, "node")},
    }


def _of(facts: ModelFacts, kind: str) -> Table:
    """The columns of one kind, without its name before theirs; the indices say that they are."""
    columns = {
        field.name.removeprefix(f"{kind}_"): getattr(facts, field.name)
        for field in fields(facts)
        if field.name.startswith(f"{kind}_")
    }
    indices = {f"{name}_index": columns.pop(name) for name in ("site", "class") if name in columns}
    texts = {name: np.array(column, dtype=str) for name, column in columns.items() if isinstance(column, tuple)}
    return indices | columns | texts


def _pools(study: Study) -> Table:
    fleet = study.fleet
    site, compute_class = (index.ravel() for index in np.indices(fleet.capacity_nodes.shape))
    return {
        "site_index": site.astype(np.int64),
        "class_index": compute_class.astype(np.int64),
        "capacity_nodes": fleet.capacity_nodes.ravel(),
        "idle_w": fleet.idle_w.ravel(),
        "peak_w": fleet.peak_w.ravel(),
        "service_utilization": fleet.service_utilization[compute_class],
    }


def _wan(study: Study) -> Table:
    fleet = study.fleet
    origin, site = (index.ravel() for index in np.indices(fleet.price_per_gb.shape))
    return {
        "origin_index": origin.astype(np.int64),
        "site_index": site.astype(np.int64),
        "price_per_gb": fleet.price_per_gb.ravel(),
        "bandwidth_gbps": fleet.bandwidth_gbps.ravel(),
        "latency_oneway_ms": fleet.latency_oneway_s.ravel() * 1000.0,
        "settlement_per_gb": study.site_terms.settlement_per_gb.ravel(),
    }


def _requests(study: Study) -> Table:
    """What the requests of services move, by window; where they move something."""
    window, origin, site = np.nonzero(study.profiles.requests_gb)
    gb = study.profiles.requests_gb[window, origin, site]
    cost = gb * study.fleet.price_per_gb[origin, site]
    return {"window": window, "origin_index": origin, "site_index": site, "gb": gb, "cost": cost}


def _tariff(study: Study) -> Table:
    offset = study.zone.utcoffset(None)
    return {
        "demand_charge_per_mw": np.array([study.scenario.tariff.demand_charge_per_mw]),
        "zone_s": np.array([int(offset.total_seconds())]),
    }


def _penalties(study: Study) -> Table:
    prices = study.scenario.dispatch
    return {
        "shed_per_mwh": np.array([prices.shed_price_per_mwh]),
        "overload_per_mwh": np.array([prices.overload_price_per_mwh]),
        "spill_per_mwh": np.array([prices.spill_price_per_mwh]),
        "carbon_per_t": np.array([prices.carbon_price_per_t]),
    }
