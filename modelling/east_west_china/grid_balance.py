"""Capacity and energy of each bus by technology and year, from the official tables of its province."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from modelling.east_west_china.grid_sources import Sources

__all__ = ["Year", "year_of"]

LAST_OFFICIAL: Final = 2024
OTHER_HOURS: Final = 5300.0  # biomass, waste heat and gas of industry, estimate
OTHER_SHARE_MAX: Final = 0.4  # of the thermal output of a province
NOT_IN_GEM: Final = 0.97  # coal is at most so much of thermal capacity
CAPTIVE_SHARE_MAX: Final = 0.35  # of coal
CHP_SHARE_MAX: Final = 0.62
DISTRIBUTED_YIELD: Final = 0.88  # of the hours of utility plants, estimate
OTHER_HYDRO_HOURS: Final = 3200.0  # weight of plants that are in no cascade
FIRST_SHARE: Final = {"wind": 0.80, "solar": 0.82}  # of the capacity of the end of 2020 at its beginning
NATIONAL: Final = {"thermal": "thermal_national_twh", "nuclear": "nuclear_national_twh"}


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """What stands and what is given in a year, by bus and technology."""

    year: int
    capacity: pd.DataFrame  # MW at its end
    capacity_before: pd.DataFrame  # MW at its beginning
    energy: pd.DataFrame  # TWh given; wind and PV as available
    given: pd.DataFrame  # TWh given, wind and PV less what was curtailed
    hydro: pd.DataFrame  # plant groups: bus, basin, capacity_mw, twh
    consumption: pd.Series[float]  # TWh


def year_of(sources: Sources, year: int) -> Year:
    """Build the balance of a year."""
    provinces = sources.buses["province"]
    capacity = _capacity(sources, year)
    before = _capacity(sources, year - 1) if year in (2023, 2024) else _first(capacity, year)
    given, utilisation = _energy(sources, year, capacity, before)
    hydro = _hydro(sources, year, capacity, given["hydro"])
    share = _shares(sources)
    at_bus = {name: capacity.loc[provinces, name].to_numpy() * share[name].to_numpy() for name in capacity}
    before_at_bus = {name: before.loc[provinces, name].to_numpy() * share[name].to_numpy() for name in before}
    given_at_bus = {name: given.loc[provinces, name].to_numpy() * share[name].to_numpy() for name in given}
    result = [pd.DataFrame(values, index=sources.buses.index) for values in (at_bus, before_at_bus, given_at_bus)]
    electrical = hydro.groupby("bus")[["capacity_mw", "twh"]].sum().reindex(sources.buses.index, fill_value=0.0)
    result[0]["hydro"], result[2]["hydro"] = electrical["capacity_mw"], electrical["twh"]
    energy = result[2].copy()
    for name, kind in (("wind", "wind"), ("offshore", "wind"), ("pv_utility", "pv"), ("pv_distributed", "pv")):
        energy[name] = energy[name] / utilisation[kind].reindex(energy.index)
    used = _consumption(sources, year)
    consumption = used.loc[provinces].to_numpy() * sources.buses["load_share"].to_numpy()
    return Year(year, result[0], result[1], energy, result[2], hydro, pd.Series(consumption, index=sources.buses.index))


def _shares(sources: Sources) -> dict[str, pd.Series[float]]:
    """Return the share of each bus in its province by technology."""
    buses = sources.buses
    columns = {
        "coal": "thermal_share", "captive": "thermal_share", "chp": "chp_share", "gas": "thermal_share",
        "other": "thermal_share", "nuclear": "hydro_share", "hydro": "hydro_share", "pumped": "pumped_share",
        "wind": "wind_share", "offshore": "wind_share", "pv_utility": "pv_utility_share",
        "pv_distributed": "pv_distributed_share", "battery": "battery_share", "battery_mwh": "battery_share",
    }  # fmt: skip
    return {name: buses[column].astype(float) for name, column in columns.items()}


def _official(sources: Sources, technology: str, year: int) -> pd.Series[float]:
    """MW of a technology at the end of a year; later years grow with the national figure."""
    names = {"solar": "solar_all" if year == 2020 else "solar_pv"}  # noqa: PLR2004
    key = f"{names.get(technology, technology)} {year}"
    if key in sources.capacity and sources.capacity[key].gt(0).sum() > 5:  # noqa: PLR2004
        return sources.capacity[key]
    last = _official(sources, technology, 2025 if technology == "solar" and year > 2025 else LAST_OFFICIAL)  # noqa: PLR2004
    if technology == "solar":
        return last * (2_400_000.0 / last.sum())
    return last * (float(sources.years.loc[year, f"{technology}_gw"]) * 1000.0 / last.sum())


def _capacity(sources: Sources, year: int) -> pd.DataFrame:
    """Capacity by province and technology, MW."""
    thermal = _official(sources, "thermal", year)
    coal, gas = _fuels(sources, year, thermal)
    gem = sources.coal_gas
    captive = coal * (gem["coal_operating_captive_mw"] / gem["coal_operating_mw_mid_2023"]).fillna(0.0).clip(
        upper=CAPTIVE_SHARE_MAX
    )
    heat = (sources.chp["CHP coal"].reindex(coal.index).fillna(0.0) / gem["coal_operating_mw_mid_2023"]).fillna(0.0)
    chp = (coal * heat.clip(upper=CHP_SHARE_MAX)).clip(upper=coal - captive)
    pumped = sources.pumped[f"mw_{max(year, 2020)}"]
    hydro = (_official(sources, "hydro", year).reindex(coal.index).fillna(0.0) - pumped).clip(lower=0.0)
    wind = _official(sources, "wind", year)
    offshore = _offshore(sources, year, wind)
    utility, distributed = _pv(sources, year)
    power, energy = _batteries(sources, year, wind)
    return pd.DataFrame(
        {
            "coal": coal - captive - chp, "captive": captive, "chp": chp, "gas": gas,
            "other": (thermal - coal - gas).clip(lower=0.0),
            "nuclear": _official(sources, "nuclear", year).reindex(coal.index).fillna(0.0),
            "hydro": hydro, "pumped": pumped.reindex(coal.index),
            "wind": wind - offshore, "offshore": offshore, "pv_utility": utility, "pv_distributed": distributed,
            "battery": power, "battery_mwh": energy,
        }
    )  # fmt: skip


def _fuels(sources: Sources, year: int, thermal: pd.Series[float]) -> tuple[pd.Series[float], pd.Series[float]]:
    """Coal and gas of a year: plants of 2023 by province, grown with thermal capacity and the national fuel mix."""
    national = sources.years.loc[year if year in sources.years.index else 2023]
    grown = thermal / sources.capacity["thermal 2023"].reindex(thermal.index)
    found = []
    for column, total in (("coal_operating_mw_mid_2023", "coal_gw"), ("gas_operating_mw_early_2023", "gas_gw")):
        raw = sources.coal_gas[column].reindex(thermal.index) * grown
        found.append(raw * (float(national[total]) * 1000.0 / raw.sum()))
    gas = np.minimum(found[1], thermal * NOT_IN_GEM)
    return np.minimum(found[0], (thermal - gas) * NOT_IN_GEM), gas


def _offshore(sources: Sources, year: int, wind: pd.Series[float]) -> pd.Series[float]:
    """Offshore wind: the provinces of 2020, the national figure of the year; at most 0.6 of the wind of a province."""
    weight = pd.Series(
        {"Jiangsu": 11.8, "Guangdong": 10.6, "Shandong": 4.7, "Zhejiang": 4.2, "Fujian": 3.2, "Liaoning": 1.1,
         "Shanghai": 0.8, "Hebei": 0.3, "Guangxi": 0.3, "Tianjin": 0.1, "Hainan": 0.1}
    )  # GW at the end of 2023, estimate  # fmt: skip
    total = float(sources.years.loc[year, "wind_offshore_gw"]) if year in sources.years.index else 30.5
    weight = weight.reindex(wind.index).fillna(0.0)
    return np.minimum(weight * (total * 1000.0 / weight.sum()), 0.6 * wind)


def _pv(sources: Sources, year: int) -> tuple[pd.Series[float], pd.Series[float]]:
    """Utility and distributed PV."""
    total = _official(sources, "solar", year)
    known = min(max(year, 2021), 2025)
    parts = [sources.capacity[f"solar_pv_{part} {known}"].reindex(total.index) for part in ("utility", "distributed")]
    share = (parts[0] / (parts[0] + parts[1])).fillna(0.5)
    return total * share, total * (1.0 - share)


def _batteries(sources: Sources, year: int, wind: pd.Series[float]) -> tuple[pd.Series[float], pd.Series[float]]:
    """Batteries: exact where published, at least the published bound, the rest by wind and PV capacity."""
    known = 2023 if year <= 2023 else 2024  # noqa: PLR2004
    rows = sources.storage[(sources.storage["date"] == f"{known}-12")].set_index("province")
    rows = rows[rows.index.isin(wind.index)]
    national = sources.years.loc[year if year in sources.years.index else 2023]
    published = sources.years.loc[known, "battery_gw"] * 1000.0
    weight = wind + _official(sources, "solar", max(year, 2020))
    exact = rows.loc[rows["kind"] == "exact", "power_mw"].astype(float)
    least = rows.loc[rows["kind"] != "exact", "power_mw"].astype(float).reindex(wind.index).fillna(0.0)
    open_weight = weight.where(~weight.index.isin(exact.index), 0.0) * np.where(least > 0, 1.0, 0.35)
    rest = published - exact.sum() - least.sum()
    power = least + rest * open_weight / open_weight.sum()
    power.update(exact)
    power = power * (float(national["battery_gw"]) * 1000.0 / power.sum())
    return power, power * (float(national["battery_gwh"]) / float(national["battery_gw"]))


def _first(capacity: pd.DataFrame, year: int) -> pd.DataFrame:
    """Capacity at the beginning of a year whose predecessor has no table; of a projection, its own."""
    before = capacity.copy()
    wind, solar = {2020: (0.75, 0.81), 2025: (0.815, 0.738)}.get(year, (1.0, 1.0))
    before[["wind", "offshore"]] *= wind
    before[["pv_utility", "pv_distributed"]] *= solar
    return before


def _energy(
    sources: Sources, year: int, capacity: pd.DataFrame, before: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """TWh by province and technology as given, and the share of wind and PV that was taken, by bus."""
    national, known = sources.years.loc[year], min(year, LAST_OFFICIAL)
    reference = _reference(sources, known)
    out = pd.DataFrame(index=capacity.index)
    thermal = reference["thermal"]
    if year > LAST_OFFICIAL:
        thermal = thermal * (float(national["thermal_national_twh"]) / thermal.sum())
    other = np.minimum(capacity["other"] * OTHER_HOURS / 1e6, OTHER_SHARE_MAX * thermal)
    gas = np.minimum(capacity["gas"] * float(national["gas_hours"]) / 1e6, (thermal - other) * 0.8)
    coal = capacity[["coal", "captive", "chp"]].sum(axis=1)
    gas = gas.where(coal > 0, thermal - other)
    out["other"], out["gas"] = other, gas
    for name in ("coal", "captive", "chp"):
        out[name] = ((thermal - other - gas) * (capacity[name] / coal)).fillna(0.0)
    nuclear = reference["nuclear"] * (
        capacity["nuclear"].sum() / sources.capacity[f"nuclear {known}"].sum() if year > LAST_OFFICIAL else 1.0
    )
    out["nuclear"] = np.minimum(nuclear, 0.95 * capacity["nuclear"] * 8760 / 1e6)
    out["hydro"] = _official_hydro(sources, reference["hydro"], capacity, national)
    wind = sources.wind_hours.get(year, sources.wind_hours[2023]).reindex(capacity.index)
    for name, bonus in (("wind", 1.0), ("offshore", 1.25)):
        out[name] = wind * bonus * (capacity[name] + before[name]) / 2e6
    out[["wind", "offshore"]] *= float(national["wind_national_twh"]) / out[["wind", "offshore"]].to_numpy().sum()
    sun = sources.solar_hours.get(year, sources.solar_hours[2024]).reindex(capacity.index)
    for name, bonus in (("pv_utility", 1.0), ("pv_distributed", DISTRIBUTED_YIELD)):
        out[name] = sun * bonus * (capacity[name] + before[name]) / 2e6
    names = ["pv_utility", "pv_distributed"]
    out[names] *= float(national["solar_twh"]) / out[names].to_numpy().sum()
    for name in ("pumped", "battery", "battery_mwh"):
        out[name] = 0.0
    return out, _taken(sources, min(max(year, 2022), LAST_OFFICIAL))


def _reference(sources: Sources, year: int) -> pd.DataFrame:
    """Official output of a year, TWh by province and technology."""
    columns = {name: f"{name} {year}" for name in ("thermal", "hydro", "nuclear")}
    return pd.DataFrame({name: sources.generation[key] for name, key in columns.items()})


def _official_hydro(
    sources: Sources, reported: pd.Series[float], capacity: pd.DataFrame, national: pd.Series[float]
) -> pd.Series[float]:
    """Hydro without pumped storage: large plants as reported; what is missing to the nation by capacity without dams."""
    pumped_hours = float(national["pumped_twh"]) * 1e6 / capacity["pumped"].sum()
    large = (reported.reindex(capacity.index) - capacity["pumped"] * pumped_hours / 1e6).clip(lower=0.0)
    missing = float(national["hydro_twh"]) - float(national["pumped_twh"]) - large.sum()
    dams = sources.dams.groupby("province")["capacity_mw"].sum().reindex(capacity.index).fillna(0.0)
    small = (capacity["hydro"] - dams).clip(lower=0.0)
    if missing < 0:
        return large * (1.0 + missing / large.sum())
    return np.minimum(large + missing * small / small.sum(), capacity["hydro"] * 0.0062)


def _taken(sources: Sources, year: int) -> pd.DataFrame:
    """Share of wind and PV that was taken, by bus."""
    region = pd.Series(sources.buses.index, index=sources.buses.index)
    known = sources.utilisation.index.get_level_values(0)
    region = region.where(region.isin(known), sources.buses["province"])
    rows = sources.utilisation.loc[[(name, year) for name in region]]
    return pd.DataFrame(
        {"wind": rows["wind_utilisation_pct"].to_numpy() / 100, "pv": rows["pv_utilisation_pct"].to_numpy() / 100},
        index=sources.buses.index,
    )


def _hydro(sources: Sources, year: int, capacity: pd.DataFrame, twh: pd.Series[float]) -> pd.DataFrame:
    """Plant groups by bus and basin: the dams that stand, and of each province what is in no dam of the table."""
    dams = sources.dams[sources.dams["first_year"] <= year].copy()
    building = (dams["full_year"] > year) & (dams["first_year"] == year)
    dams.loc[building, "capacity_mw"] *= 0.5
    dams["weight"] = dams["annual_gwh"] * np.where(building, 0.25, 1.0)
    rest = (capacity["hydro"] - dams.groupby("province")["capacity_mw"].sum().reindex(capacity.index).fillna(0.0)).clip(
        lower=0.0
    )
    others = pd.DataFrame(
        {"province": rest.index, "basin": "Rivers", "basin_zh": "其余河流", "capacity_mw": rest.to_numpy()}
    )
    others["weight"] = others["capacity_mw"] * OTHER_HYDRO_HOURS / 1000
    buses = sources.buses.reset_index()[["bus", "province", "hydro_share"]]
    others = others.merge(buses, on="province")
    others[["capacity_mw", "weight"]] = others[["capacity_mw", "weight"]].mul(others["hydro_share"], axis=0)
    rows = pd.concat([dams, others], ignore_index=True)
    total = rows.groupby("province")["weight"].transform("sum")
    rows["twh"] = (rows["province"].map(twh) * rows["weight"] / total).fillna(0.0)
    groups = rows.groupby(["bus", "basin", "basin_zh"], as_index=False)[["capacity_mw", "twh"]].sum()
    return groups[groups["capacity_mw"] > 1.0].reset_index(drop=True)


def _consumption(sources: Sources, year: int) -> pd.Series[float]:
    """Consumption of the whole society, TWh by province."""
    if year in sources.consumption:
        return sources.consumption[year]
    last = sources.consumption[LAST_OFFICIAL]
    return last * (float(sources.years.loc[year, "consumption_twh"]) / last.sum())
