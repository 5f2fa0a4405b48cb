"""The compact tables from which the fleet of `east_west_china` is built."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

__all__ = ["Centre", "Cluster", "Province", "Sources", "read_sources"]

FUJIAN_SERVICES = 28005.0  # estimate, 100 million CNY: GDP of 2023 x the share that services had in 2024


@dataclass(frozen=True, slots=True)
class Province:
    """A province: origin of demand, and place of all data centres outside the clusters."""

    province: str
    name_zh: str
    bus: str
    capital: str
    capital_zh: str
    lat: float
    lon: float
    group: str  # BTH, YRD, six (other hubs) or other, as the published rack shares have it
    side: str
    tariff: str
    wage_2023_cny: float
    january_degc: float
    july_degc: float
    general: str
    intelligent: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """One of the ten clusters of the eight hubs."""

    cluster: str
    name: str
    name_zh: str
    province: str
    bus: str
    hub: str
    hub_zh: str
    side: str
    lat: float
    lon: float
    tariff: str
    january_degc: float
    july_degc: float
    pue_limit: float
    rack_use_min: str
    racks_2023: float
    racks_planned: float
    racks_2030: float
    rack_use_2023: float
    pue_2023: float
    general: str
    intelligent: str


@dataclass(frozen=True, slots=True)
class Centre:
    """A supercomputing centre; in service or not yet."""

    centre: str
    name: str
    name_zh: str
    province: str
    bus: str
    lat: float
    lon: float
    tariff: str
    hardware: str
    peak_mw: float
    in_service: int


@dataclass(frozen=True, slots=True)
class Sources:
    """All of them, with the weights by which demand is shared out."""

    provinces: tuple[Province, ...]
    clusters: tuple[Cluster, ...]
    centres: tuple[Centre, ...]
    population: Mapping[str, float]  # persons, 2023
    gdp: Mapping[str, float]  # 100 million CNY, 2023
    services_gdp: Mapping[str, float]  # the same of the tertiary sector


Row = TypeVar("Row", Province, Cluster, Centre)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as mappings."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _records(path: Path, kind: type[Row]) -> tuple[Row, ...]:
    types = get_type_hints(kind)

    def value(name: str, text: str) -> Any:
        return types[name](text)

    return tuple(
        kind(**{field.name: value(field.name, row[field.name]) for field in fields(kind)}) for row in rows(path)
    )


def read_sources(folder: Path) -> Sources:
    """Read the tables; services GDP of Fujian in 2023, which is not published there, is the estimate above."""
    account = {row["province"]: row for row in rows(folder / "population_gdp.csv")}
    provinces = _records(folder / "fleet_provinces.csv", Province)
    names = [province.province for province in provinces]
    return Sources(
        provinces=provinces,
        clusters=_records(folder / "fleet_clusters.csv", Cluster),
        centres=_records(folder / "fleet_supercomputing.csv", Centre),
        population={name: 10_000 * float(account[name]["population_2023_10k_persons"]) for name in names},
        gdp={name: float(account[name]["gdp_2023_100m_cny"]) for name in names},
        services_gdp={name: float(account[name]["tertiary_gdp_2023_100m_cny"] or FUJIAN_SERVICES) for name in names},
    )
