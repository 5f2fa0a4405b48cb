"""Tables of units, segments, stores and buses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from modelling.east_west_china.grid_balance import Year
from modelling.east_west_china.grid_sources import Sources

__all__ = ["buses_table", "store_table", "unit_tables"]

# technology -> (name, in Chinese, technology of the table)
KINDS: Final = {
    "coal": ("coal", "煤电", "Coal"), "chp": ("coal CHP", "热电联产", "Coal CHP"),
    "captive": ("captive coal", "自备煤电", "Coal captive"), "gas": ("gas", "气电", "Gas"),
    "other": ("biomass and waste heat", "生物质及余热", "Other thermal"), "nuclear": ("nuclear", "核电", "Nuclear"),
    "wind": ("onshore wind", "陆上风电", "Wind"), "offshore": ("offshore wind", "海上风电", "Offshore wind"),
    "pv_utility": ("utility PV", "集中式光伏", "PV"), "pv_distributed": ("distributed PV", "分布式光伏", "Distributed PV"),
}  # fmt: skip
COAL: Final = ("coal", "chp", "captive")
TCO2_PER_TCE: Final = 2.70
COAL_VOM: Final = 12.0  # CNY/MWh
CHP_RATE: Final = 0.92  # coal of a CHP plant for its electricity, against a condensing one
CAPTIVE_RATE: Final = 1.06
SECOND_SEGMENT: Final = 1.02
GAS_COST: Final = 560.0
GAS_CO2: Final = 390.0
OTHER_COST, OTHER_CO2 = 300.0, 350.0
NUCLEAR_COST: Final = 90.0
HYDRO_COST: Final = 2.0
RESERVOIR_H: Final = {"Lancang": 240, "Yellow": 300, "Three_Gorges": 120, "Jinsha": 120, "Yalong": 160, "Wu": 120,
                      "Hongshui": 120, "Dadu": 60}  # fmt: skip
RIVERS_H: Final = 30
PUMPED_H: Final = 7.0
PUMPED_EFFICIENCY: Final = 0.866
BATTERY_EFFICIENCY: Final = 0.93


def buses_table(sources: Sources, load: pd.DataFrame) -> pd.DataFrame:
    """Rows of buses.csv."""
    buses = sources.buses
    return pd.DataFrame(
        {
            "bus": buses.index, "name": buses["name"], "name_zh": buses["name_zh"], "vn_kv": 500,
            "area": buses.index, "region": buses["region"], "load_mw": load.max().round(0).astype(int), "load_mvar": 0,
            "load_share": 1, "vm_min_pu": 0.95, "vm_max_pu": 1.05, "lat": buses["lat"], "lon": buses["lon"],
        }
    )  # fmt: skip


def unit_tables(
    sources: Sources, year: Year, availability: pd.DataFrame, minimum: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of units.csv and segments.csv."""
    rows = [*_thermal_and_new(sources, year, availability, minimum), *_hydro(sources, year, minimum)]
    units = pd.DataFrame(rows)
    return units, pd.DataFrame(_segments(sources, units))


def _unit(name: str, text: str, zh: str, bus: str, technology: str, mw: float, **other: object) -> dict[str, object]:
    """One row of units.csv."""
    row: dict[str, object] = {
        "unit": name, "name": text, "name_zh": zh, "bus": bus, "technology": technology, "p_min_mw": 0,
        "p_max_mw": round(mw), "q_min_mvar": 0, "q_max_mvar": 0, "vm_set_pu": 1, "ramp_mw_per_h": "",
        "holds_voltage": "false", "always_committed": "false", "quick_start": "false", "renewable": "false",
        "curtailable": "false", "profile": "", "store": "", "minimum": "", "commitment": "", "link": "",
    }  # fmt: skip
    return row | other


def _thermal_and_new(
    sources: Sources, year: Year, availability: pd.DataFrame, minimum: pd.DataFrame
) -> Iterator[dict[str, object]]:
    """Units of all technologies but hydro."""
    bundled = sources.corridors[sources.corridors["year"] <= year.year]
    bundled = bundled[bundled["bundled_coal_mw"].fillna(0) > 0]
    for bus, row in sources.buses.iterrows():
        mine = bundled[bundled["from_bus"] == bus]
        scale = min(1.0, 0.8 * year.capacity.loc[bus, "coal"] / max(mine["bundled_coal_mw"].sum(), 1.0))
        for technology, (text, zh, label) in KINDS.items():
            mw = float(year.capacity.loc[bus, technology])
            if technology == "coal":
                for link, line in mine.iterrows():
                    own = round(scale * float(line["bundled_coal_mw"]))
                    mw -= own
                    yield _unit(
                        f"{link}_plants", f"Plants of {line['name']}", f"{line['name_zh']}配套电源", str(bus), label, own,
                        p_min_mw=round(own * float(row["coal_min_share"])), commitment="daily", link=link,
                    )  # fmt: skip
            name = f"{bus}_{technology}"
            if mw < 1 or (technology in ("wind", "offshore") and name not in availability):
                continue
            more: dict[str, object] = {}
            if name in availability:
                green = technology not in ("nuclear", "other")
                more = {
                    "profile": name, "renewable": str(green).lower(),
                    "curtailable": str(green and technology != "pv_distributed").lower(),
                }  # fmt: skip
                mw = max(mw, float(np.ceil(availability[name].max())))
            if name in minimum:
                more["minimum"] = name
            if technology in ("coal", "chp"):
                more |= {"commitment": "daily", "p_min_mw": round(mw * float(row["coal_min_share"]))}
            if technology == "gas":
                more["quick_start"] = "true"
            yield _unit(name, f"{row['name']} {text}", f"{row['name_zh']}{zh}", str(bus), label, mw, **more)


def _hydro(sources: Sources, year: Year, minimum: pd.DataFrame) -> Iterator[dict[str, object]]:
    """One unit for each group of plants, on its reservoir."""
    for group in year.hydro.itertuples():
        bus = sources.buses.loc[group.bus]
        name = f"{group.bus}_{group.basin}"
        text = f"{bus['name']} {str(group.basin).replace('_', ' ')} hydro"
        yield _unit(
            name, text, f"{bus['name_zh']}{group.basin_zh}水电", str(group.bus), "Hydro", float(group.capacity_mw),
            renewable="true", store=name, minimum=name if name in minimum else "",
        )  # fmt: skip


def _segments(sources: Sources, units: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Cost and CO2 of each unit."""
    flat = {
        "Gas": (GAS_COST, GAS_CO2), "Other thermal": (OTHER_COST, OTHER_CO2), "Nuclear": (NUCLEAR_COST, 0.0),
        "Hydro": (HYDRO_COST, 0.0),
    }  # fmt: skip
    for unit in units.itertuples():
        bus, p_max = sources.buses.loc[unit.bus], int(unit.p_max_mw)
        if not str(unit.technology).startswith("Coal"):
            cost, co2 = flat.get(str(unit.technology), (0.0, 0.0))
            yield _segment(str(unit.unit), 0, p_max, cost, co2)
            continue
        kgce = float(bus["coal_kgce_per_kwh"]) * {"Coal CHP": CHP_RATE, "Coal captive": CAPTIVE_RATE}.get(
            str(unit.technology), 1.0
        )
        cost, co2 = kgce * float(bus["coal_price_cny_per_tce"]) + COAL_VOM, kgce * TCO2_PER_TCE * 1000
        half = p_max // 2
        if half:
            yield _segment(str(unit.unit), 0, half, cost, co2)
        yield _segment(str(unit.unit), half, p_max, cost * SECOND_SEGMENT, co2)


def _segment(unit: str, start: int, end: int, cost: float, co2: float) -> dict[str, object]:
    """One row of segments.csv."""
    return {
        "unit": unit,
        "p_from_mw": start,
        "p_to_mw": end,
        "cost_per_mwh": round(cost, 1),
        "co2_kg_per_mwh": round(co2),
    }


def store_table(sources: Sources, year: Year) -> pd.DataFrame:
    """Rows of stores.csv: reservoirs, pumped storage, batteries."""
    rows = []
    for group in year.hydro.itertuples():
        bus, name = sources.buses.loc[group.bus], f"{group.bus}_{group.basin}"
        hours = RESERVOIR_H.get(str(group.basin), RIVERS_H)
        text = f"{bus['name']} {str(group.basin).replace('_', ' ')} reservoirs"
        energy = round(hours * float(group.capacity_mw))
        rows.append(
            (name, text, f"{bus['name_zh']}{group.basin_zh}水库", group.bus, "Reservoir", 0, energy, 1.0, 0.5, name)
        )
    for at, bus in sources.buses.iterrows():
        pumped, battery = (float(year.capacity.loc[at, name]) for name in ("pumped", "battery"))
        if pumped >= 1:
            rows.append(
                (f"{at}_pumped", f"{bus['name']} pumped storage", f"{bus['name_zh']}抽水蓄能", at, "Pumped storage",
                 round(pumped), round(pumped * PUMPED_H), PUMPED_EFFICIENCY, 0.3, "")
            )  # fmt: skip
        if battery >= 1:
            rows.append(
                (f"{at}_battery", f"{bus['name']} batteries", f"{bus['name_zh']}新型储能", at, "Battery", round(battery),
                 round(float(year.capacity.loc[at, "battery_mwh"])), BATTERY_EFFICIENCY, 0.3, "")
            )  # fmt: skip
    names = [
        "store",
        "name",
        "name_zh",
        "bus",
        "technology",
        "charge_mw",
        "energy_mwh",
        "efficiency",
        "initial_share",
        "inflow",
    ]
    table = pd.DataFrame(rows, columns=names)
    table["discharge_mw"] = table["charge_mw"]
    table["efficiency_charge"] = table["efficiency_discharge"] = table.pop("efficiency")
    order = ["store", "name", "name_zh", "bus", "technology", "charge_mw", "discharge_mw", "energy_mwh"]
    return table[[*order, "efficiency_charge", "efficiency_discharge", "initial_share", "inflow"]]
