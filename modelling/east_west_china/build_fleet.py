"""Write the compute half of `models/east_west_china`, and print what it is calibrated to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gridtwin.catalogue.hardware import load_hardware
from modelling.east_west_china import fleet, network, tariffs, temperature
from modelling.east_west_china.fleet import CLASSES, MODEL, Layout
from modelling.east_west_china.fleet_sources import Sources, read_sources

__all__ = ["build", "calibration", "layouts", "main"]

ORIGIN_COLUMNS: Final = ("origin", "name", "name_zh", "region", "population", "gdp", "lat", "lon")
NODE_COLUMNS: Final = ("site", "compute_class", "hardware", "nodes", "vintage")
PRECISION: Final = {"general": "fp32", "online": "fp32", "intelligent": "fp16", "inference": "fp16", "super": "fp64"}


def layouts(sources: Sources) -> dict[str, Layout]:
    """All layouts by the suffix of their tables; the base has none."""
    base = fleet.as_is(sources)
    return {
        "": base,
        "_local": fleet.local(sources, base),
        "_cross": fleet.cross(sources, base),
        "_2030": fleet.projected(sources, base),
    }


def build(folder: Path) -> None:
    """Write all tables of the fleet into a folder."""
    sources = read_sources(MODEL / "sources")
    found = layouts(sources)
    for suffix, layout in found.items():
        green = suffix == "_2030"
        fleet.write_csv(folder / f"sites{suffix}.csv", fleet.SITE_COLUMNS, fleet.site_rows(layout, green_rule=green))
        fleet.write_csv(folder / f"nodes{suffix}.csv", NODE_COLUMNS, fleet.node_rows(layout))
    fleet.write_csv(folder / "sites_green.csv", fleet.SITE_COLUMNS, fleet.site_rows(found["_cross"], green_rule=True))
    fleet.write_csv(folder / "origins.csv", ORIGIN_COLUMNS, fleet.origin_rows(sources))
    for suffix, layout, reach in (
        ("", found[""], network.AS_IS),
        ("_cross", found["_cross"], network.DIRECT),
        ("_stranded", found["_cross"], network.STRANDED),
        ("_2030", found["_2030"], network.DIRECT),
    ):
        links = network.wan_rows(sources, layout, reach)
        fleet.write_csv(folder / f"wan{suffix}.csv", network.WAN_COLUMNS, links)
    names = tuple(dict.fromkeys(site.tariff for site in found["_2030"].sites))
    place = MODEL / "sources"
    fleet.write_csv(folder / "tariffs.csv", tariffs.PERIOD_COLUMNS, tariffs.period_rows(place, names))
    fleet.write_csv(folder / "tariff_prices.csv", tariffs.PRICE_COLUMNS, tariffs.price_rows(place, names))
    busy = fleet.solved_busy(found[""], fleet.SEED_TWH)
    fleet.write_csv(folder / "data_centre_energy_2023.csv", ("province", "bus", "twh"), _energy_rows(found[""], busy))
    temperature.write_temperatures(folder / "temperature.parquet", temperature.station_temperatures(place, sources))


def _energy_rows(layout: Layout, busy: dict[str, float]) -> Iterator[list[object]]:
    """Electricity of all sites of a province at a bus, TWh in 2023."""
    for region, bus in sorted({(site.region, site.bus) for site in layout.sites}):
        own = Layout(tuple(site for site in layout.sites if (site.region, site.bus) == (region, bus)), layout.vintage)
        yield [region, bus, round(sum(sum(of.values()) for of in fleet.energy_twh(own, busy).values()), 3)]


def calibration(sources: Sources) -> Iterator[str]:
    """Yield lines that set the fleet beside what has been published of it."""
    found, hardware = layouts(sources), load_hardware()
    base = found[""]
    busy = fleet.solved_busy(base, fleet.SEED_TWH)
    full_twh = fleet.RACKS_2023 * fleet.RACK_KW * 8760 / 1e9
    yield f"racks x 2.5 kW: {fleet.RACKS_2023:,} x 2.5 kW x 8,760 h = {full_twh:.1f} TWh"
    yield f"load x PUE that 150 TWh imply: {fleet.SEED_TWH / full_twh:.3f}"
    for name, layout in found.items():
        busy_here = busy if name != "_2030" else fleet.solved_busy(layout, fleet.TWH_2030)
        energy = fleet.energy_twh(layout, busy_here)
        total = sum(sum(of.values()) for of in energy.values())
        it_twh = _it_twh(layout, busy_here)
        by_class = ", ".join(f"{c} {sum(of[c] for of in energy.values()):.1f}" for c in CLASSES)
        yield (
            f"{name.lstrip('_') or 'as is'}: {total:.1f} TWh ({by_class}), PUE {total / it_twh:.3f}, "
            f"{sum(s.racks for s in layout.sites) / 1e6:.2f} M racks, at hubs "
            f"{sum(s.racks for s in layout.sites if s.tier == 'hub') / 1e6:.2f} M; "
            f"nodes {', '.join(f'{c} {layout.total(c):,}' for c in CLASSES)}"
        )
    busy_2030 = fleet.solved_busy(found["_2030"], fleet.TWH_2030)
    yield (
        f"general batch work keeps {busy['general']:.3f} of its nodes busy, {busy_2030['general']:.3f} in 2030; "
        f"the others are set: {fleet.BUSY}"
    )
    for compute_class, precision in PRECISION.items():
        flops = sum(
            getattr(hardware[s.hardware[compute_class]], f"{precision}_tflops") * s.nodes.get(compute_class, 0)
            for s in base.sites
            if compute_class in s.nodes
        )
        yield f"peak {compute_class}: {flops / 1e6:.1f} EFLOPS {precision.upper()}"
    for cluster in ("Guian", "Zhangjiakou", "Horinger", "Shaoguan"):
        site = Layout(tuple(s for s in base.sites if s.site == cluster), base.vintage)
        yield f"{cluster}: {sum(sum(of.values()) for of in fleet.energy_twh(site, busy).values()):.2f} TWh a year"


def _it_twh(layout: Layout, busy: dict[str, float]) -> float:
    return _sum(Layout(tuple(fleet.with_pue(site, 1.0) for site in layout.sites), layout.vintage), busy)


def _sum(layout: Layout, busy: dict[str, float]) -> float:
    return sum(sum(of.values()) for of in fleet.energy_twh(layout, busy).values())


def main() -> None:
    """Write the tables, print the calibration."""
    build(MODEL)
    sys.stdout.writelines(f"{line}\n" for line in calibration(read_sources(MODEL / "sources")))


if __name__ == "__main__":
    main()
