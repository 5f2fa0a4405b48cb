"""Build the compute half of `models/east_west_china` from `sources/`; what has no source there is an *estimate* here.

`python -m modelling.east_west_china.build_fleet` writes the tables and prints the calibration.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gridtwin.catalogue.hardware import load_hardware
from modelling.east_west_china.fleet_sources import Cluster, Province, Sources

__all__ = [
    "CLASSES",
    "MODEL",
    "Layout",
    "Site",
    "as_is",
    "cross",
    "demand_weights",
    "energy_twh",
    "local",
    "projected",
    "shares",
    "solved_busy",
]

MODEL: Final = Path(__file__).parents[2] / "models" / "east_west_china"

RACKS_2023: Final = 8_100_000  # standard racks in use at the end of 2023
RACK_SHARES: Final = {"BTH": 0.215, "YRD": 0.245, "six": 0.255, "other": 0.285}  # of these, by group of provinces
RACK_KW: Final = 2.5
RACKS_PER_NODE: Final = 16  # a node is a block of 40 kW

# estimates from here on
PROVINCIAL_RACK_USE: Final = 0.85  # halls of carriers and enterprises fill as they are built
EDGE_NODES: Final = 8_000  # in edge rooms, which stand where people and industry are
HOSTED_SHARE: Final = 0.55  # of online work belongs to tenants of a hall and stays where the racks are
PROVINCIAL_SHARES: Final = {"general": 0.35, "edge": 0.005}  # of a provincial site's nodes; online takes what is left
CLUSTER_SHARES: Final = {"online": 0.35, "general": 0.45, "inference": 0.08, "intelligent": 0.12}
PROVINCIAL_INFERENCE_NODES: Final = 7_000  # nationally, spread by services GDP
PROVINCIAL_TRAINING_NODES: Final = 7_000  # the same, in the provinces that have a public centre or a large company's
TRAINING_PROVINCES: Final = [
    "Beijing",
    "Tianjin",
    "Hebei",
    "Liaoning",
    "Shanghai",
    "Jiangsu",
    "Zhejiang",
    "Fujian",
    "Shandong",
    "Henan",
    "Hubei",
    "Hunan",
    "Guangdong",
    "Sichuan",
    "Shaanxi",
]
CROSS_HUB_SHARES: Final = {"online": 0.33, "general": 0.55, "inference": 0.40, "intelligent": 0.70}  # of the nation's
HUB_RACK_USE: Final = 0.65  # where hubs are filled as the rule asks
GROWTH_2030: Final = {"online": 1.7, "general": 1.7, "inference": 12.0, "intelligent": 12.0, "super": 2.0, "edge": 3.0}
HUB_SHARES_2030: Final = {"online": 0.27, "general": 0.60, "inference": 0.50, "intelligent": 0.70}
EDGE_PUE: Final = 1.60
SUPER_PUE: Final = 1.35
PUE_2030: Final = {"hub": 1.17, "provincial": 1.30, "edge": 1.40, "super": 1.20}
STAFF_PER_RACK: Final = 1 / 60
ON_COSTS: Final = 1.4  # employer's contributions and overheads on a wage
CONNECTION_SHARE: Final = 0.62  # of what all racks of a cluster would draw at their rating and its PUE limit
GREEN_RULE: Final = 0.8  # new data centres at hubs, from the end of 2025

SEED_TWH: Final = 150.0  # of all compute centres in 2023
TWH_2030: Final = 300.0  # of all compute centres in 2030, an estimate
SERVICE_UTILISATION: Final = 0.8  # of nodes that answer
BUSY: Final = {  # of all nodes, in the mean of a year
    "online": 0.70 * SERVICE_UTILISATION,
    "inference": 0.62 * SERVICE_UTILISATION,
    "edge": 0.5 * SERVICE_UTILISATION,
    "intelligent": 0.65,
    "super": 0.70,
}

CLASSES: Final = ("general", "intelligent", "super", "online", "inference", "edge")
SUPER_HARDWARE: Final = "super_cpu_block_40kw"  # where a province without a centre is to serve itself
EDGE_HARDWARE: Final = ("edge_cpu_block_40kw", "edge_gpu_block_40kw", "edge_npu_block_40kw")
INFERENCE_HARDWARE: Final = "l20_block_40kw"
FREE_AIR_BELOW_DEGC: Final = 10.0


@dataclass(frozen=True, slots=True)
class Site:
    """A row of sites.csv, with the nodes of each class."""

    site: str
    name: str
    name_zh: str
    bus: str
    region: str
    tier: str
    hub: str
    side: str
    station: str
    cooling: str
    connection_mw: float | None
    racks: float
    pue: float
    pue_limit: float | None
    rack_use_min: float | None
    green_share_min: float | None
    tariff: str
    labour_cost_per_rack_year: float
    lat: float
    lon: float
    hardware: Mapping[str, str]
    nodes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the capacity stands, and since when."""

    sites: tuple[Site, ...]
    vintage: int

    def total(self, compute_class: str) -> int:
        """Nodes of a class in the nation."""
        return sum(site.nodes.get(compute_class, 0) for site in self.sites)


def shares(weights: Mapping[str, float], names: Iterable[str] | None = None) -> dict[str, float]:
    """Return weights, of some names or all, divided by their sum."""
    chosen = list(weights) if names is None else list(names)
    total = math.fsum(weights[name] for name in chosen)
    return {name: weights[name] / total for name in chosen}


def demand_weights(sources: Sources) -> dict[str, dict[str, float]]:
    """Share of each province in the demand for each class, an *estimate*, and in what it is made of."""
    people, output, services = (shares(of) for of in (sources.population, sources.gdp, sources.services_gdp))
    racks = {name: PROVINCIAL_RACK_USE * count for name, count in provincial_racks(sources).items()}
    for cluster in sources.clusters:
        racks[cluster.province] += 0.5 * cluster.rack_use_2023 * cluster.racks_2023  # clusters do more batch work
    hosted = shares(racks)
    asked = {name: 0.3 * people[name] + 0.1 * output[name] + 0.6 * services[name] for name in people}
    online = {name: HOSTED_SHARE * hosted[name] + (1 - HOSTED_SHARE) * asked[name] for name in people}
    edge = {name: 0.5 * people[name] + 0.5 * output[name] for name in people}
    batch = dict.fromkeys(("general", "intelligent", "super"), services)
    return {
        **batch,
        "online": online,
        "inference": asked,
        "edge": edge,
        "output": output,
        "hosted": hosted,
    }


def provincial_racks(sources: Sources) -> dict[str, float]:
    """Racks outside the clusters in 2023: what a group of provinces has beside its clusters, by services GDP."""
    racks: dict[str, float] = {}
    for group, share in RACK_SHARES.items():
        members = [province.province for province in sources.provinces if province.group == group]
        in_clusters = sum(cluster.racks_2023 for cluster in sources.clusters if cluster.province in members)
        for name, part in shares(sources.services_gdp, members).items():
            racks[name] = (share * RACKS_2023 - in_clusters) * part
    return racks


def as_is(sources: Sources) -> Layout:
    """The end of 2023."""
    racks, services = provincial_racks(sources), shares(sources.services_gdp)
    wage = {province.province: province.wage_2023_cny for province in sources.provinces}
    sites = [_cluster_site(cluster, wage[cluster.province]) for cluster in sources.clusters]
    edge_racks = {
        name: EDGE_NODES * share * RACKS_PER_NODE / PROVINCIAL_RACK_USE
        for name, share in demand_weights(sources)["edge"].items()
    }
    training = shares(sources.services_gdp, TRAINING_PROVINCES)
    for p in sources.provinces:
        ai_nodes = {
            "inference": max(1, round(PROVINCIAL_INFERENCE_NODES * services[p.province])),
            "intelligent": round(PROVINCIAL_TRAINING_NODES * training.get(p.province, 0.0)),
        }
        sites.append(_provincial_site(p, racks[p.province] - edge_racks[p.province], ai_nodes))
    sites += [
        _edge_site(p, edge_racks[p.province], EDGE_HARDWARE[k % len(EDGE_HARDWARE)])
        for k, p in enumerate(sources.provinces)
    ]
    sites += [site for site in _centre_sites(sources) if site.nodes["super"]]
    return Layout(tuple(sites), 2023)


def _labour(wage_cny: float) -> float:
    return round(wage_cny * ON_COSTS * STAFF_PER_RACK, -1)


def _cluster_site(cluster: Cluster, wage_cny: float) -> Site:
    filled = cluster.racks_2023 * cluster.rack_use_2023 / RACKS_PER_NODE
    annual_degc = (cluster.january_degc + cluster.july_degc) / 2
    return Site(
        site=cluster.cluster,
        name=cluster.name,
        name_zh=cluster.name_zh,
        bus=cluster.bus,
        region=cluster.province,
        tier="hub",
        hub=cluster.hub,
        side=cluster.side,
        station=cluster.cluster,
        cooling="free_air" if annual_degc < FREE_AIR_BELOW_DEGC else "evaporative",
        connection_mw=_connection_mw(cluster.racks_2023, cluster.pue_limit),
        racks=cluster.racks_2023,
        pue=cluster.pue_2023,
        pue_limit=cluster.pue_limit,
        rack_use_min=float(cluster.rack_use_min) if cluster.rack_use_min else None,
        green_share_min=None,
        tariff=cluster.tariff,
        labour_cost_per_rack_year=_labour(wage_cny),
        lat=cluster.lat,
        lon=cluster.lon,
        hardware={
            "general": cluster.general,
            "intelligent": cluster.intelligent,
            "online": cluster.general,
            "inference": INFERENCE_HARDWARE,
        },
        nodes={name: round(filled * share) for name, share in CLUSTER_SHARES.items()},
    )


def _connection_mw(racks: float, pue_limit: float) -> float:
    return round(CONNECTION_SHARE * racks * RACK_KW * pue_limit / 1000, -1)


def _provincial_site(province: Province, racks: float, ai_nodes: Mapping[str, int]) -> Site:
    filled = racks * PROVINCIAL_RACK_USE / RACKS_PER_NODE
    nodes = {name: round(filled * share) for name, share in PROVINCIAL_SHARES.items()}
    nodes |= {name: count for name, count in ai_nodes.items() if count}
    nodes["online"] = round(filled) - sum(nodes.values())
    annual_degc = (province.january_degc + province.july_degc) / 2
    return Site(
        site=f"{province.province}_DC",
        name=f"{province.province}, data centres outside clusters",
        name_zh=f"{province.name_zh}省级节点",
        bus=province.bus,
        region=province.province,
        tier="provincial",
        hub="",
        side=province.side,
        station=province.province,
        cooling="chilled_water",
        connection_mw=None,
        racks=round(racks),
        pue=round(1.42 + 0.006 * annual_degc, 3),
        pue_limit=None,
        rack_use_min=None,
        green_share_min=None,
        tariff=province.tariff,
        labour_cost_per_rack_year=_labour(province.wage_2023_cny),
        lat=province.lat,
        lon=province.lon,
        hardware={
            "general": province.general,
            "intelligent": province.intelligent,
            "online": province.general,
            "inference": INFERENCE_HARDWARE,
            "edge": EDGE_HARDWARE[0],
            "super": SUPER_HARDWARE,
        },
        nodes=nodes,
    )


def _edge_site(province: Province, racks: float, hardware: str) -> Site:
    site = _provincial_site(province, racks, {})
    return replace(
        site,
        site=f"{province.province}_Edge",
        name=f"{province.province}, edge rooms",
        name_zh=f"{province.name_zh}边缘节点",
        tier="edge",
        pue=EDGE_PUE,
        hardware={"edge": hardware},
        nodes={"edge": max(1, round(racks * PROVINCIAL_RACK_USE / RACKS_PER_NODE))},
    )


def _centre_sites(sources: Sources) -> Iterator[Site]:
    """Supercomputing centres, those not yet in service without a node."""
    by_name = {province.province: province for province in sources.provinces}
    for centre in sources.centres:
        nodes = round(centre.peak_mw * 1000 / (RACK_KW * RACKS_PER_NODE))
        yield replace(
            _provincial_site(by_name[centre.province], 0.0, {}),
            site=centre.centre,
            name=centre.name,
            name_zh=centre.name_zh,
            bus=centre.bus,
            tier="super",
            pue=SUPER_PUE,
            racks=nodes * RACKS_PER_NODE,
            tariff=centre.tariff,
            lat=centre.lat,
            lon=centre.lon,
            hardware={"super": centre.hardware},
            nodes={"super": nodes * centre.in_service},
        )


def local(sources: Sources, base: Layout) -> Layout:
    """The same nodes of each class, but in each province as many as its demand asks for."""
    weights = demand_weights(sources)
    nodes: dict[str, dict[str, int]] = {site.site: {} for site in base.sites}
    for name in CLASSES:
        for province in sources.provinces:
            wanted = base.total(name) * weights[name][province.province]
            places = _places(base, province, name)
            total = sum(places.values())
            for site, count in places.items():
                nodes[site][name] = max(1, round(wanted * count / total))
    sites = (_resized(site, nodes[site.site], site.pue) for site in base.sites)
    return replace(base, sites=tuple(_within_connection(site) for site in sites))


def _places(base: Layout, province: Province, compute_class: str) -> dict[str, int]:
    """Sites of a province that can take nodes of a class, with those that they have; jobs keep to its own stack."""
    found = {
        site.site: site.nodes[compute_class]
        for site in base.sites
        if site.region == province.province
        and site.nodes.get(compute_class)
        and (compute_class != "intelligent" or site.hardware[compute_class] == province.intelligent)
    }
    return found or {f"{province.province}_DC": 1}


def _resized(site: Site, nodes: Mapping[str, int], pue: float) -> Site:
    """A site with other nodes, and racks in proportion."""
    growth = sum(nodes.values()) / sum(site.nodes.values())
    return replace(site, nodes=nodes, racks=round(site.racks * growth), pue=pue)


def _within_connection(site: Site) -> Site:
    """A cluster that is larger than before has a connection that has grown with it."""
    if site.connection_mw is None or site.pue_limit is None:
        return site
    return replace(site, connection_mw=max(10.0, _connection_mw(site.racks, site.pue_limit)))


def cross(sources: Sources, base: Layout) -> Layout:
    """The same nodes of each class, at the hubs as many as planned there."""
    return _at_hubs(sources, base, {}, CROSS_HUB_SHARES, {c.cluster: c.racks_planned for c in sources.clusters})


def projected(sources: Sources, base: Layout) -> Layout:
    """2030: more of everything, above all of intelligent computing, most of it at the hubs."""
    layout = _at_hubs(sources, base, GROWTH_2030, HUB_SHARES_2030, {c.cluster: c.racks_2030 for c in sources.clusters})
    sites = [replace(site, pue=PUE_2030[site.tier]) for site in layout.sites]
    sites += [
        replace(site, nodes={"super": site.racks // RACKS_PER_NODE}, pue=PUE_2030["super"])
        for site in _centre_sites(sources)
        if not site.nodes["super"]
    ]
    return Layout(tuple(sites), 2030)


def _at_hubs(
    sources: Sources,
    base: Layout,
    growth: Mapping[str, float],
    hub_shares: Mapping[str, float],
    hub_racks: Mapping[str, float],
) -> Layout:
    """Share the nation's nodes between hubs, by their racks, and the other sites, as they have them now."""
    weight = shares(hub_racks)
    at_hubs = {c: sum(s.nodes.get(c, 0) for s in base.sites if s.tier == "hub") for c in CLASSES}
    sites = []
    for site in base.sites:
        nodes = {}
        for name, count in site.nodes.items():
            total = base.total(name) * growth.get(name, 1.0)
            hub_total = total * hub_shares.get(name, 0.0)
            elsewhere = base.total(name) - at_hubs[name]
            nodes[name] = round(
                hub_total * weight[site.site] if site.tier == "hub" else (total - hub_total) * count / elsewhere
            )
        if site.tier == "hub":
            racks = round(sum(nodes.values()) * RACKS_PER_NODE / HUB_RACK_USE)
            pue = min(site.pue, site.pue_limit or site.pue)
            sites.append(_within_connection(replace(site, nodes=nodes, racks=racks, pue=pue)))
        else:
            sites.append(_resized(site, {name: max(1, count) for name, count in nodes.items()}, site.pue))
    assert len(sources.clusters) == sum(site.tier == "hub" for site in sites)
    return Layout(tuple(sites), base.vintage)


SITE_COLUMNS: Final = [
    "site",
    "name",
    "name_zh",
    "bus",
    "region",
    "tier",
    "hub",
    "side",
    "station",
    "cooling",
    "power_factor",
    "connection_mw",
    "racks",
    "pue",
    "pue_limit",
    "rack_use_min",
    "green_share_min",
    "tariff",
    "labour_cost_per_rack_year",
    "lat",
    "lon",
]
POWER_FACTOR: Final = 0.98


def site_rows(layout: Layout, *, green_rule: bool = False) -> Iterator[list[object]]:
    """Rows of sites.csv."""
    for site in layout.sites:
        cells = {name: getattr(site, name, None) for name in SITE_COLUMNS}
        cells["power_factor"] = POWER_FACTOR
        cells["green_share_min"] = GREEN_RULE if green_rule and site.tier == "hub" else None
        yield [cells[name] for name in SITE_COLUMNS]


def node_rows(layout: Layout) -> Iterator[list[object]]:
    """Rows of nodes.csv."""
    for site in layout.sites:
        for name in CLASSES:
            if count := site.nodes.get(name, 0):
                yield [site.site, name, site.hardware[name], count, layout.vintage]


def origin_rows(sources: Sources) -> Iterator[list[object]]:
    """Rows of origins.csv."""
    for p in sources.provinces:
        name = p.province
        yield [name, name, p.name_zh, name, round(sources.population[name]), sources.gdp[name], p.lat, p.lon]


def energy_twh(layout: Layout, busy: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Electricity of a year by region and class.

    Parameters
    ----------
    layout : Layout
    busy : mapping of str to float
        By class: node-hours at full draw over those of all nodes. A node draws its idle power besides.
    """
    hardware, found = load_hardware(), {site.region: dict.fromkeys(CLASSES, 0.0) for site in layout.sites}
    for site in layout.sites:
        for name, count in site.nodes.items():
            unit = hardware[site.hardware[name]]
            node_w = unit.idle_w + (unit.peak_w - unit.idle_w) * busy[name]
            found[site.region][name] += count * node_w * site.pue * 8760 / 1e12
    return found


def solved_busy(layout: Layout, twh: float) -> dict[str, float]:
    """Return how busy each class must be for a year to take `twh`: general batch work closes the balance."""
    base = dict(BUSY)
    found = [
        math.fsum(math.fsum(of.values()) for of in energy_twh(layout, base | {"general": b}).values()) for b in (0, 1)
    ]
    return base | {"general": (twh - found[0]) / (found[1] - found[0])}


def format_cell(value: object) -> str:
    """Return a number without superfluous digits, text as it is, and nothing for nothing."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else str(value)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([format_cell(value) for value in row] for row in rows)


def with_pue(site: Site, pue: float) -> Site:
    """Return a site with another PUE."""
    return replace(site, pue=pue)
