"""Corridors of a year, and the contracts they carry: from yearly balances to steps of peak, flat and valley."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from modelling.east_west_china.grid_balance import Year
from modelling.east_west_china.grid_sources import HOURS, Sources, month_of_hour

__all__ = ["Flows", "corridors", "flows_of", "period_of_hour"]

AC_LOSS: Final = 0.01
STATION_LOSS: Final = 0.014  # both converters
LINE_LOSS_PER_100KM: Final = {800: 0.0024, 1100: 0.0020, 660: 0.0028, 500: 0.0035, 400: 0.0040, 1000: 0.0010}
DETOUR: Final = 1.15  # of a line against the great circle
LEAST_SHARE: Final = 0.10  # of the rating of a DC line
MOST_SHARE: Final = 0.95  # of the rating in a month
HOLD_H: Final = 4
DEVIATION_PRICE: Final = 350.0  # CNY/MWh
FLAT_STEP: Final = (1.06, 1.0, 0.92)  # peak, flat, valley of a contract against its month
SOLAR_STEP: Final = (0.9, 1.35, 0.55)  # of one that sells sun: flat includes noon
PRIOR_HOURS: Final = 900.0  # how far a DC line may leave its usual hours, against an AC corridor
ROUND_MW: Final = 10.0
ONE_WAY: Final = "dc"


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Corridors that are in service with what they carry."""

    table: pd.DataFrame  # links.csv
    contract: pd.DataFrame  # MW by hour and link
    yearly: pd.Series[float]  # TWh sent
    load_factor: float  # load of the model by consumption of the whole society
    load_twh: pd.Series[float]  # by bus


def period_of_hour() -> np.ndarray:
    """Return 0 in peak, 1 in flat and 2 in valley hours of a day: 08-11 and 17-22; the rest; 23-07."""
    hour = np.arange(HOURS) % 24
    peak = ((hour >= 8) & (hour < 11)) | ((hour >= 17) & (hour < 22))  # noqa: PLR2004
    valley = (hour >= 23) | (hour < 7)  # noqa: PLR2004
    return np.where(peak, 0, np.where(valley, 2, 1))


def corridors(sources: Sources, year: int) -> pd.DataFrame:
    """Corridors in service in a year, as rows of links.csv with what their contracts need."""
    rows = sources.corridors[sources.corridors["year"] <= year].copy()
    ends = [sources.buses.loc[rows[column], ["lat", "lon"]].to_numpy() for column in ("from_bus", "to_bus")]
    km = DETOUR * _great_circle_km(*ends)
    per_km = rows["kv"].map(LINE_LOSS_PER_100KM).fillna(0.0035).to_numpy() / 100.0
    dc_loss = np.where(rows["kind"] == "back_to_back", STATION_LOSS, STATION_LOSS + per_km * km)
    radial = rows["note"].fillna("").str.startswith("radial")
    loss = np.where((rows["kind"] == "interface") | radial, AC_LOSS + 0.002 * radial, dc_loss)
    one_way = rows["p_nom_back_mw"].isna()
    return pd.DataFrame(
        {
            "name": rows["name"], "name_zh": rows["name_zh"], "kind": rows["kind"],
            "from_bus": rows["from_bus"], "to_bus": rows["to_bus"], "p_nom_mw": rows["p_nom_mw"],
            "p_nom_back_mw": rows["p_nom_back_mw"].fillna(0.0),
            "p_min_mw": np.where(one_way, LEAST_SHARE * rows["p_nom_mw"], 0.0).round(1),
            "hold_h": np.where(rows["kind"] == "interface", 0, HOLD_H),
            "contract": rows.index, "deviation_price_per_mwh": DEVIATION_PRICE,
            "dispatched": "true", "loss_share": np.round(loss, 4),
            "hours": rows["hours_2023"].fillna(0.0), "shape": rows["shape"].fillna("flat"),
        }
    )  # fmt: skip


def _great_circle_km(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of points in degrees."""
    a, b = np.radians(a.astype(float)), np.radians(b.astype(float))
    half = (
        np.sin((b[:, 0] - a[:, 0]) / 2) ** 2 + np.cos(a[:, 0]) * np.cos(b[:, 0]) * np.sin((b[:, 1] - a[:, 1]) / 2) ** 2
    )
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(half)))


def flows_of(sources: Sources, year: Year, monthly: dict[str, pd.DataFrame], storage_loss: pd.Series[float]) -> Flows:
    """Distribute the net exchange of all provinces over the corridors.

    Parameters
    ----------
    sources : Sources
    year : Year
    monthly : dict of str to DataFrame
        TWh by bus and month of `load` (consumption), `fixed` (hydro, nuclear, wind, PV, other) and `thermal` (coal and gas).
    storage_loss : Series
        TWh lost in pumped storage and batteries, by bus.
    """
    table = corridors(sources, year.year)
    buses, given = list(sources.buses.index), year.given.sum(axis=1)
    incidence, capacity = _incidence(table, buses), table["p_nom_mw"].to_numpy()
    received, losses = np.zeros(len(buses)), np.zeros(len(buses))
    yearly, factor, lower, upper = np.zeros(len(table)), 1.0, *_limits(table)
    for _ in range(6):
        factor = float((given.sum() - storage_loss.sum() - losses.sum()) / year.consumption.sum())
        surplus = given.to_numpy() - factor * year.consumption.to_numpy() - storage_loss.to_numpy() - losses
        yearly = _spread(incidence, table, surplus, lower * HOURS / 1e6, upper * HOURS / 1e6, HOURS)
        losses, received = _losses(table, buses, yearly), losses
    contract = _monthly(table, buses, monthly, factor, yearly, losses, storage_loss.to_numpy())
    load = factor * year.consumption
    table = table.drop(columns=["hours", "shape"])
    del capacity, received
    return Flows(table, contract, pd.Series(yearly, index=table.index), factor, load)


def _incidence(table: pd.DataFrame, buses: list[str]) -> np.ndarray:
    """Export of each bus by flow on each link."""
    matrix = np.zeros((len(buses), len(table)))
    for column, sign in (("from_bus", 1.0), ("to_bus", -1.0)):
        matrix[[buses.index(bus) for bus in table[column]], np.arange(len(table))] += sign
    return matrix


def _limits(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest contract, MW."""
    most = MOST_SHARE * table["p_nom_mw"].to_numpy()
    back = MOST_SHARE * table["p_nom_back_mw"].to_numpy()
    return np.where(table["p_min_mw"] > 0, table["p_min_mw"], -back), most


def _spread(
    incidence: np.ndarray, table: pd.DataFrame, surplus: np.ndarray, lower: np.ndarray, upper: np.ndarray,
    hours: float, prior: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Flow that balances all buses closest to what DC lines usually carry, within limits, TWh.

    Least squares: an AC corridor resists by its capacity, a DC line against leaving its usual flow. Where a limit is
    met the flow is held there and the rest is solved again.
    """
    rating = table["p_nom_mw"].to_numpy() * hours / 1e6
    usual = table["hours"].to_numpy() / HOURS * rating if prior is None else prior
    ac = (table["kind"] == "interface").to_numpy()
    usual = np.where(ac & (prior is None), 0.0, usual)
    weight = np.where(ac, (0.5 * rating) ** 2, (PRIOR_HOURS / HOURS * rating) ** 2)
    flow, held = usual.copy(), np.zeros(len(table), dtype=bool)
    for _ in range(12):
        free = np.where(held, 0.0, weight)
        start = np.where(held, flow, usual)
        step = (incidence * free) @ incidence.T
        potential = np.linalg.lstsq(step + 1e-9 * np.eye(len(step)), surplus - incidence @ start, rcond=None)[0]
        flow = start + free * (incidence.T @ potential)
        over = ~held & ((flow > upper + 1e-9) | (flow < lower - 1e-9))
        flow = np.clip(flow, lower, upper)
        if not over.any():
            break
        held |= over
    return flow


def _losses(table: pd.DataFrame, buses: list[str], flow: np.ndarray) -> np.ndarray:
    """TWh lost on the way to each bus."""
    lost = np.abs(flow) * table["loss_share"].to_numpy()
    into = np.where(flow >= 0, table["to_bus"], table["from_bus"])
    return np.bincount([buses.index(bus) for bus in into], weights=lost, minlength=len(buses))


def _monthly(
    table: pd.DataFrame, buses: list[str], monthly: dict[str, pd.DataFrame], factor: float, yearly: np.ndarray,
    losses: np.ndarray, storage_loss: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    """Contracts by hour, MW: balanced by month, in steps by period of the day."""
    incidence, (lower, upper) = _incidence(table, buses), _limits(table)
    fixed, load = monthly["fixed"].to_numpy(), factor * monthly["load"].to_numpy()
    lost = (losses + storage_loss)[:, None] * load / load.sum(axis=1, keepdims=True)
    need = (load + lost - fixed).sum(axis=0)
    thermal = monthly["thermal"].to_numpy().sum(axis=1)[:, None] * (need / need.sum())[None, :]
    surplus = fixed + thermal - load - lost
    month, period = month_of_hour(), period_of_hour()
    hours = np.bincount(month)
    share = np.stack([[(period[month == m] == p).mean() for p in range(3)] for m in range(12)])
    contract = np.zeros((HOURS, len(table)))
    for m in range(12):
        scale = hours[m] / 1e6
        flow = _spread(
            incidence, table, surplus[:, m] - surplus[:, m].mean(), lower * scale, upper * scale, hours[m],
            yearly * hours[m] / HOURS,
        ) / scale  # fmt: skip
        for link, (value, shape) in enumerate(zip(flow, table["shape"], strict=True)):
            step = np.array(SOLAR_STEP if shape == "solar" else FLAT_STEP)
            mw = value * step / (step @ share[m])
            mw = np.clip(np.round(mw / ROUND_MW) * ROUND_MW, lower[link], table["p_nom_mw"].iloc[link])
            contract[month == m, link] = mw[period[month == m]]
    return pd.DataFrame(contract, columns=table.index)
