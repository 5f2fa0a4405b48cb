"""Outdoor temperatures of `east_west_china`: real where the source can be trusted, synthetic days where it cannot."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gridtwin.units import FloatArray
from modelling.east_west_china.fleet_sources import Sources

__all__ = ["station_temperatures", "write_temperatures"]

HOURS: Final = 8760
LEAP_DAY: Final = slice(59 * 24, 60 * 24)  # 29 February 2020, which the model year does not have
COLDEST_DAY: Final = 15.0  # estimate: mid January, mid July half a year later
SWING_DEGC: Final = 5.0  # estimate: half the difference of a day's extremes
WARMEST_HOUR: Final = 15  # local
DECIMALS: Final = 1


def normal_temperature(january_degc: float, july_degc: float) -> FloatArray:
    """A year without weather: a cosine between January's and July's mean, another over the day.

    Examples
    --------
    >>> year = normal_temperature(-8.0, 24.0)
    >>> len(year), round(float(year.mean()), 1)
    (8760, 8.0)
    """
    hour = np.arange(HOURS)
    season = -np.cos(2 * math.pi * (hour / 24 - COLDEST_DAY) / 365)
    day = np.cos(2 * math.pi * (hour % 24 - WARMEST_HOUR) / 24)
    mean, half = (january_degc + july_degc) / 2, (july_degc - january_degc) / 2
    return np.asarray(mean + half * season + SWING_DEGC * day, np.float64)


def station_temperatures(folder: Path, sources: Sources) -> dict[str, FloatArray]:
    """Hourly temperature of the model year by station, degC: every province, every cluster.

    Days that the source masks are hot days; they are filled with the normal of the capital, which is no weather.
    Clusters have nothing but normals.
    """
    table = pq.read_table(folder / "temperature_c_2020_masked.parquet")
    found = {}
    for province in sources.provinces:
        measured = np.delete(table[province.province].to_numpy().astype(np.float64), LEAP_DAY)
        normal = normal_temperature(province.january_degc, province.july_degc)
        found[province.province] = np.round(np.where(np.isnan(measured), normal, measured), DECIMALS)
    for cluster in sources.clusters:
        found[cluster.cluster] = np.round(normal_temperature(cluster.january_degc, cluster.july_degc), DECIMALS)
    return found


def write_temperatures(path: Path, temperatures: dict[str, FloatArray]) -> None:
    """Write a Parquet file with a column per station."""
    columns = {name: values.astype(np.float32) for name, values in temperatures.items()}
    pq.write_table(pa.table(columns), path, compression="zstd", store_schema=False)
