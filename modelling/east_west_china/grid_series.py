"""Hourly series of the grid: load, availability, inflow, minimum output and reserve."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from modelling.east_west_china.grid_balance import Year
from modelling.east_west_china.grid_flows import period_of_hour
from modelling.east_west_china.grid_sources import HOURS, Sources, month_of_hour

__all__ = ["availability_of", "inflow_of", "load_of", "minimum_of", "monthly_load", "monthly_sum", "reserve_of"]

# share of each month in the consumption of the nation: Jan + Feb 1,383 TWh of 9,224 in 2023 and so on, estimate
NATIONAL_MONTHS: Final = np.array([683, 700, 737, 690, 722, 775, 889, 886, 781, 742, 763, 856], dtype=float)
WATER_MONTHS: Final = {  # output of hydro by month, estimate
    "2023": np.array([60, 58, 66, 68, 82, 108, 122, 147, 148, 124, 86, 74], dtype=float),
    "normal": np.array([66, 58, 72, 82, 106, 135, 155, 152, 138, 115, 84, 70], dtype=float),
    "early": np.array([58, 64, 95, 120, 150, 160, 130, 108, 86, 62, 52, 50], dtype=float),
}
EARLY_FLOOD: Final = ("Guangdong", "Guangxi", "Hunan", "Jiangxi", "Fujian", "Zhejiang", "Anhui", "Hainan")
SEASONALITY: Final = {"Lancang": 0.55, "Yellow": 0.35, "Wu": 0.7, "Yalong": 0.8, "Three_Gorges": 0.9, "Hongshui": 0.8}
WATER_HOURS: Final = 0.97  # of capacity at most
ECOLOGICAL_SHARE: Final = 0.12  # of the mean inflow
WIND_MOST: Final = 0.95
HEAT_FROM_C: Final = 8.0
HEAT_FULL_C: Final = -12.0
HEAT_MINIMUM: Final = 0.50  # of the capacity of CHP plants at full heat
STEAM_MINIMUM: Final = 0.08  # all year
CAPTIVE_SHARE: Final = 0.90  # of what captive plants give in a year is given flat
GAS_FIRM_SHARE: Final = 0.85  # of the gas of a year is burned as contracted
GAS_STEP: Final = (1.5, 0.95, 0.5)  # peak, flat, valley
LOAD_RESERVE: Final = 0.03  # of the greatest load of a day
NEW_RESERVE: Final = 0.05  # of the greatest wind and PV of a day


def monthly_sum(series: pd.DataFrame) -> pd.DataFrame:
    """TWh by column and month of series in MW."""
    return (series.groupby(month_of_hour()).sum() / 1e6).T


def _shape(sources: Sources) -> pd.DataFrame:
    """Load by bus, mean 1: the shape of its province with the months of the nation."""
    month = month_of_hour()
    national = sources.load.sum(axis=1).groupby(month).sum().to_numpy()
    factor = (NATIONAL_MONTHS / NATIONAL_MONTHS.sum()) / (national / national.sum())
    shape = sources.load.mul(factor[month], axis=0)[list(sources.buses["province"])]
    shape.columns = sources.buses.index
    return shape / shape.mean()


def monthly_load(sources: Sources, consumption: pd.Series[float]) -> pd.DataFrame:
    """Consumption by bus and month, TWh."""
    return monthly_sum(_shape(sources) * consumption * (1e6 / HOURS))


def load_of(sources: Sources, twh: pd.Series[float], peak_gw: float) -> pd.DataFrame:
    """Load by bus, MW, without data centres: energy of the year, national peak as published.

    The shape is stretched about its daily mean and then about its yearly mean, both by one factor for all provinces.
    """
    shape = _shape(sources)
    daily = shape.groupby(np.arange(HOURS) // 24).transform("mean")

    def at(stretch: float) -> pd.DataFrame:
        return (daily + stretch * (shape - daily)) * (twh * 1e6 / HOURS)

    low, high = 0.2, 1.6
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle).sum(axis=1).max() < peak_gw * 1e3 else (low, middle)
    centres = sources.data_centres.reindex(twh.index).fillna(0.0) * (1e6 / HOURS)
    return (at((low + high) / 2) - centres).clip(lower=0.0).round(0)


def availability_of(sources: Sources, year: Year) -> pd.DataFrame:
    """Wind, PV, nuclear and other thermal by unit, MW."""
    found: dict[str, np.ndarray] = {}
    for bus, province in sources.buses["province"].items():
        for technology, profiles in (("wind", sources.onshore), ("offshore", sources.offshore)):
            if province in profiles and year.capacity.loc[bus, technology] >= 1:
                found[f"{bus}_{technology}"] = _wind(profiles[province].to_numpy(), year, str(bus), technology)
        for technology in ("pv_utility", "pv_distributed"):
            if year.capacity.loc[bus, technology] >= 1:
                found[f"{bus}_{technology}"] = _sun(sources.sun[province].to_numpy(), year, str(bus), technology)
        for technology in ("nuclear", "other"):
            if year.capacity.loc[bus, technology] >= 1:
                found[f"{bus}_{technology}"] = np.full(HOURS, year.energy.loc[bus, technology] * 1e6 / HOURS)
    return pd.DataFrame(found).round(0)


def _standing(year: Year, bus: str, technology: str) -> np.ndarray:
    """MW that stand in each hour: linear from the beginning to the end of the year."""
    ends = float(year.capacity_before.loc[bus, technology]), float(year.capacity.loc[bus, technology])
    return np.asarray(np.linspace(*ends, HOURS))


def _wind(factor: np.ndarray, year: Year, bus: str, technology: str) -> np.ndarray:
    """Raise capacity factors to the power that gives the energy of the year."""
    standing, target = _standing(year, bus, technology), float(year.energy.loc[bus, technology]) * 1e6
    low, high = 0.1, 4.0
    for _ in range(40):
        middle = (low + high) / 2
        given = (standing * WIND_MOST * factor**middle).sum()
        low, high = (middle, high) if given > target else (low, middle)
    return np.asarray(standing * WIND_MOST * factor ** ((low + high) / 2))


def _sun(factor: np.ndarray, year: Year, bus: str, technology: str) -> np.ndarray:
    """Scale capacity factors to the energy of the year."""
    standing, target = _standing(year, bus, technology), float(year.energy.loc[bus, technology]) * 1e6
    scale = 1.0
    for _ in range(20):
        given = (standing * np.minimum(factor * scale, 0.92)).sum()
        scale *= target / given
    return np.asarray(standing * np.minimum(factor * scale, 0.92))


def inflow_of(sources: Sources, year: Year) -> pd.DataFrame:
    """Regulated release of each plant group, MW, constant over each day."""
    flood = str(sources.years.loc[year.year, "flood"])
    month, day = month_of_hour(), np.arange(HOURS) // 24
    water = sources.water.groupby(day).transform("mean").to_numpy()
    within = (water / (np.bincount(month, weights=water) / np.bincount(month))[month]) ** 0.5
    days = np.bincount(month)
    found = {}
    for group in year.hydro.itertuples():
        months = WATER_MONTHS["early" if group.bus in EARLY_FLOOD else flood] / days
        strength = SEASONALITY.get(str(group.basin), 1.0)
        shape = (months / months.mean())[month] ** strength * within
        shape, most = shape / shape.mean(), WATER_HOURS * float(group.capacity_mw)
        mw = np.minimum(shape * float(group.twh) * 1e6 / HOURS, most)
        for _ in range(30):
            mw = np.minimum(mw * (float(group.twh) * 1e6 / mw.sum()), most)
        found[f"{group.bus}_{group.basin}"] = mw
    return pd.DataFrame(found).round(0)


def minimum_of(sources: Sources, year: Year, inflow: pd.DataFrame) -> pd.DataFrame:
    """Output that must be given, MW: heat, captive plants, gas as contracted, ecological flow."""
    found: dict[str, np.ndarray] = {}
    period = period_of_hour()
    for bus, row in sources.buses.iterrows():
        heat = _heat(sources.temperature[str(row["province"])]) * min(float(row["heat_share"]), 1.2)
        capacity, energy = year.capacity.loc[bus], year.energy.loc[bus]
        if capacity["chp"] >= 1:
            found[f"{bus}_chp"] = capacity["chp"] * (STEAM_MINIMUM + HEAT_MINIMUM * heat)
        if capacity["captive"] >= 1:
            most = 0.85 * capacity["captive"]
            found[f"{bus}_captive"] = np.full(HOURS, min(CAPTIVE_SHARE * energy["captive"] * 1e6 / HOURS, most))
        if capacity["gas"] >= 1 and energy["gas"] > 0:
            step = np.array(GAS_STEP)[period] * (1.0 + heat)
            found[f"{bus}_gas"] = np.minimum(
                step / step.mean() * GAS_FIRM_SHARE * energy["gas"] * 1e6 / HOURS, 0.9 * capacity["gas"]
            )
    for name in inflow:
        least = min(ECOLOGICAL_SHARE * float(inflow[name].mean()), 0.6 * float(inflow[name].min()))
        found[str(name)] = np.full(HOURS, np.floor(least))
    return pd.DataFrame(found).round(0)


def _heat(temperature: pd.Series[float]) -> np.ndarray:
    """Share of full heat by hour, from daily means; days without a temperature are hot."""
    day = temperature.groupby(np.arange(HOURS) // 24).transform("mean").to_numpy()
    return np.asarray(np.clip((HEAT_FROM_C - np.nan_to_num(day, nan=30.0)) / (HEAT_FROM_C - HEAT_FULL_C), 0.0, 1.0))


def reserve_of(load: pd.DataFrame, availability: pd.DataFrame) -> pd.DataFrame:
    """Spinning reserve by bus, MW, constant over each day."""
    day = np.arange(HOURS) // 24
    found = {}
    for bus in load:
        mine = [c for c in availability if c.rsplit("_", 1)[0] == bus and not c.endswith(("nuclear", "other"))]
        mine += [c for c in availability if c in (f"{bus}_pv_utility", f"{bus}_pv_distributed")]
        new = availability[mine].sum(axis=1).groupby(day).transform("max")
        found[bus] = LOAD_RESERVE * load[bus].groupby(day).transform("max") + NEW_RESERVE * new
    return pd.DataFrame(found).round(-1)
