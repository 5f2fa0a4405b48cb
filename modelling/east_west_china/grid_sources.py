"""Read the sources of the grid half of `models/east_west_china`: official tables, series and estimates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

__all__ = ["HOURS", "MODEL", "YEARS", "Sources", "month_of_hour", "read_sources"]

MODEL: Final = Path(__file__).parents[2] / "models" / "east_west_china"
HOURS: Final = 8760
YEARS: Final = (2020, 2023, 2024, 2025, 2030)


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Tables and series of `sources/`; series run from 1 January in hours of the model year, UTC+8."""

    buses: pd.DataFrame  # by bus: the province it belongs to and its shares of it
    corridors: pd.DataFrame  # by link
    dams: pd.DataFrame
    pumped: pd.DataFrame  # MW by (province, mw_year)
    years: pd.DataFrame  # national figures by year
    capacity: pd.DataFrame  # MW by (province, technology and date)
    generation: pd.DataFrame  # TWh
    consumption: pd.DataFrame  # TWh by (province, year)
    wind_hours: pd.DataFrame  # h by (province, year)
    solar_hours: pd.DataFrame
    utilisation: pd.DataFrame  # % by (region, year)
    storage: pd.DataFrame
    coal_gas: pd.DataFrame  # MW by province, 2023
    chp: pd.DataFrame  # MW by (province, technology), 2020
    data_centres: pd.Series[float]  # TWh by bus
    onshore: pd.DataFrame  # capacity factor by province
    offshore: pd.DataFrame
    sun: pd.DataFrame
    load: pd.DataFrame  # shape by province
    water: pd.Series[float]  # national availability of hydro
    temperature: pd.DataFrame  # degC by province, NaN on hot days


def month_of_hour() -> np.ndarray:
    """Return the month, 0 to 11, of each hour of a year without 29 February."""
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    return np.repeat(np.arange(12), days * 24)


def read_sources(folder: Path = MODEL / "sources") -> Sources:
    """Read all sources."""

    def table(name: str, index: str | None = None) -> pd.DataFrame:
        return pd.read_csv(folder / f"{name}.csv", index_col=index)

    def permille(name: str) -> pd.DataFrame:
        return pd.read_parquet(folder / f"{name}_permille.parquet") / 1000.0

    capacity = table("capacity")
    capacity["key"] = capacity["technology"] + " " + capacity["date"].str[:4]
    capacity = capacity[capacity["date"].str.endswith("-12")]
    generation = table("generation")
    generation["key"] = generation["technology"] + " " + generation["year"].astype(str)
    hours = table("utilisation_hours")
    temperature = pd.read_parquet(folder / "temperature_c_2020_masked.parquet").set_index("time_beijing")
    stamp = pd.DatetimeIndex(temperature.index)
    energy = pd.read_csv(folder.parent / "data_centre_energy_2023.csv")
    full_year = (hours["months_covered"] == 12) & (hours["technology"] == "wind")  # noqa: PLR2004
    chp = table("installed_capacity_2020")
    return Sources(
        buses=table("grid_buses", "bus"),
        corridors=table("grid_corridors", "link"),
        dams=table("grid_hydro"),
        pumped=table("grid_pumped", "province"),
        years=table("grid_years", "year"),
        capacity=capacity.pivot_table(index="province", columns="key", values="capacity_mw").fillna(0.0),
        generation=generation.pivot_table(index="province", columns="key", values="generation_twh").fillna(0.0),
        consumption=table("consumption").pivot_table(index="province", columns="year", values="consumption_twh"),
        wind_hours=hours[full_year].pivot_table(index="province", columns="year", values="utilisation_hours"),
        solar_hours=hours[hours["technology"] == "solar"].pivot_table(
            index="province", columns="year", values="utilisation_hours"
        ),
        utilisation=table("renewable_utilisation").set_index(["region", "year"]),
        storage=table("storage"),
        coal_gas=table("coal_gas_gem", "province"),
        chp=chp.pivot_table(index="province", columns="technology", values="capacity_mw_2020").fillna(0.0),
        data_centres=energy.groupby("bus")["twh"].sum(),
        onshore=permille("onwind"),
        offshore=permille("offwind"),
        sun=permille("solar"),
        load=pd.read_parquet(folder / "load_shape_mw.parquet").astype(float),
        water=permille("hydro")["hydro_p_max_pu"],
        temperature=temperature[~((stamp.month == 2) & (stamp.day == 29))].reset_index(drop=True),  # noqa: PLR2004
    )
