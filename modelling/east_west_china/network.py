"""Data links of `east_west_china` from provinces to sites: *estimates* but for the distances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.inputs.siting import FIBRE_S_PER_KM, great_circle_km
from gridtwin.units import FloatArray
from modelling.east_west_china.fleet import Layout, Site, shares
from modelling.east_west_china.fleet_sources import Province, Sources

__all__ = ["AS_IS", "DIRECT", "STRANDED", "WAN_COLUMNS", "Network", "wan_rows"]

WAN_COLUMNS: Final = ("origin", "site", "latency_oneway_ms", "bandwidth_gbps", "price_per_gb", "settlement_per_gb")
NEIGHBOURS: Final = 3  # nearest other provinces whose data centres an origin reaches
EDGE_MS: Final = 0.6  # within the city
METRO_MS: Final = 2.5  # within the province
LEAST_GBPS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Network:
    """How hubs are reached; ways are measured in great circles, bandwidths are those of a province of mean size."""

    route_factor: float
    equipment_ms: float
    hub_gbps: float
    hub_price_per_gb: float
    settlement_per_gb: float  # between carriers, outside the hub's own region
    western_gbps: float | None = None  # of the whole province, where the western hubs are badly connected
    western_route_factor: float = 1.6


AS_IS: Final = Network(1.6, 1.0, 400.0, 0.08, 0.03)
DIRECT: Final = Network(1.35, 0.5, 4000.0, 0.03, 0.01)  # direct connections between hubs
STRANDED: Final = Network(1.6, 1.0, 400.0, 0.08, 0.03, western_gbps=5.0, western_route_factor=3.5)
OWN_REGION: Final = Network(1.35, 0.5, 3000.0, 0.02, 0.0)  # from the provinces of a hub to its clusters
NEIGHBOUR: Final = Network(1.5, 1.0, 600.0, 0.03, 0.01)
SUPER: Final = Network(1.5, 1.0, 200.0, 0.05, 0.01)


def wan_rows(sources: Sources, layout: Layout, network: Network) -> Iterator[list[object]]:
    """Rows of wan.csv: own sites, the nearest other provinces, all clusters, all supercomputing centres."""
    size = shares(sources.services_gdp)
    of = {province.province: province for province in sources.provinces}
    for province in sources.provinces:
        weight = size[province.province] * len(size)
        near = _nearest(province, sources)
        for site in layout.sites:
            own = site.region == province.province
            if own and site.tier in ("edge", "provincial"):
                yield [province.province, site.site, EDGE_MS if site.tier == "edge" else METRO_MS, None, 0.0, 0.0]
            elif site.tier == "provincial" and site.region in near:
                yield _link(province, site, NEIGHBOUR, weight)
            elif site.tier == "super":
                yield _link(province, site, SUPER, weight)
            elif site.tier == "hub":
                nearby = own or (of[site.region].group == province.group and province.group in ("BTH", "YRD"))
                yield _link(province, site, OWN_REGION if nearby else network, weight)


def _nearest(province: Province, sources: Sources) -> set[str]:
    others = [other for other in sources.provinces if other is not province]
    km = great_circle_km(*_place(province), np.array([o.lat for o in others]), np.array([o.lon for o in others]))
    return {others[k].province for k in np.argsort(km, kind="stable")[:NEIGHBOURS]}


def _place(place: Province | Site) -> tuple[FloatArray, FloatArray]:
    return np.array(place.lat), np.array(place.lon)


def _link(province: Province, site: Site, network: Network, weight: float) -> list[object]:
    km = float(great_circle_km(*_place(province), *_place(site)))
    thin = network.western_gbps is not None and site.side == "west"
    factor = network.western_route_factor if thin else network.route_factor
    gbps = (
        network.western_gbps if thin and network.western_gbps else max(LEAST_GBPS, round(network.hub_gbps * weight, -1))
    )
    latency_ms = round(km * factor * FIBRE_S_PER_KM * 1000 + network.equipment_ms, 2)
    return [province.province, site.site, latency_ms, gbps, network.hub_price_per_gb, network.settlement_per_gb]
