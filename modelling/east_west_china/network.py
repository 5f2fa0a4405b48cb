"""Data links of `east_west_china` from provinces to sites: *estimates* but for the distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.inputs.siting import FIBRE_S_PER_KM, great_circle_km
from gridtwin.units import FloatArray
from modelling.east_west_china.fleet import Layout, Site, shares
from modelling.east_west_china.fleet_sources import Province, Sources

__all__ = ["AS_IS", "DIRECT", "STRANDED", "WAN_COLUMNS", "Network", "wan_rows"]

WAN_COLUMNS: Final = ("origin", "site", "latency_oneway_ms", "bandwidth_gbps", "price_per_gb", "settlement_per_gb")
NEIGHBOURS: Final = 2  # nearest other provinces whose data centres an origin reaches
CENTRES: Final = 3  # nearest supercomputing centres that an origin computes at
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
    hubs: int  # nearest clusters that each province reaches
    western_gbps: float | None = None  # of the whole province, where the western hubs are badly connected
    western_route_factor: float = 1.6


AS_IS: Final = Network(1.6, 1.0, 400.0, 0.08, 0.03, 5)
DIRECT: Final = Network(1.35, 0.5, 6000.0, 0.03, 0.01, 10)  # direct connections between hubs
STRANDED: Final = Network(1.6, 1.0, 400.0, 0.08, 0.03, 5, western_gbps=5.0, western_route_factor=3.5)
OWN_REGION: Final = Network(1.35, 0.5, 4000.0, 0.02, 0.0, 10)  # from the provinces of a hub to its clusters
NEIGHBOUR: Final = Network(1.5, 1.0, 4000.0, 0.03, 0.01, 0)
SUPER: Final = Network(1.5, 1.0, 1000.0, 0.05, 0.01, 0)


def wan_rows(sources: Sources, layout: Layout, network: Network) -> Iterator[list[object]]:
    """Rows of wan.csv: own sites, the nearest other provinces and supercomputing centres, all clusters."""
    size = shares(sources.services_gdp)
    for province in sources.provinces:
        weight = size[province.province] * len(size)
        reached = _reached(province, layout, network)
        for site in layout.sites:
            own = site.region == province.province
            if own and site.tier in ("edge", "provincial"):
                yield [province.province, site.site, EDGE_MS if site.tier == "edge" else METRO_MS, None, 0.0, 0.0]
            elif site.tier == "provincial" and site.site in reached:
                yield _link(province, site, NEIGHBOUR, weight)
            elif site.tier == "super" and site.site in reached:
                yield _link(province, site, SUPER, weight)
            elif site.tier == "hub" and _of_own_region(province, site, sources):
                yield _link(province, site, OWN_REGION, weight)
            elif site.tier == "hub" and site.site in reached:
                yield _link(province, site, network, weight)


def _of_own_region(province: Province, site: Site, sources: Sources) -> bool:
    """Whether a cluster is in the province, or in a hub that spans several of which it is one."""
    group = {other.province: other.group for other in sources.provinces}
    shared = province.group in ("BTH", "YRD") and group[site.region] == province.group
    return site.region == province.province or shared


def _reached(province: Province, layout: Layout, network: Network) -> set[str]:
    """Sites beside its own that a province has links to: the nearest of each tier."""
    found: set[str] = set()
    for tier, number in (("provincial", NEIGHBOURS), ("super", CENTRES), ("hub", network.hubs)):
        places = [s for s in layout.sites if s.tier == tier and (tier != "provincial" or s.region != province.province)]
        found |= {places[k].site for k in _nearest(province, places, number)}
    return found


def _nearest(province: Province, places: Sequence[Province | Site], number: int) -> set[int]:
    """Places in the list that are nearest to a province, which is not among them."""
    km = great_circle_km(*_place(province), np.array([p.lat for p in places]), np.array([p.lon for p in places]))
    return set(np.argsort(km, kind="stable")[:number].tolist())


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
