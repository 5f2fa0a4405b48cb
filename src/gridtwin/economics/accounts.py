"""What each site, its region and all sites drew, how green that was and how much CO2 it bears, by several accounts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.economics.carbon_flow import consumption_co2_kg_per_mwh
from gridtwin.economics.production import along_segments
from gridtwin.economics.regions import RACK_W
from gridtwin.economics.settlement import parties
from gridtwin.economics.supply import KINDS, Claims
from gridtwin.units import KG_PER_T, FloatArray

__all__ = [
    "NATION",
    "GridCarbon",
    "SiteAccounts",
    "account_kpis",
    "accounts_table",
    "carbon_table",
    "grid_carbon",
    "racks_used",
    "residual_mix",
    "site_accounts",
]

Arrays = Mapping[str, np.ndarray]
Inputs = Mapping[str, Arrays]

SITE, REGION, NATION = "site", "region", "nation"
DRAWS = ("loads", "sites", "stores", "dumping")  # parties that take power out of the grid for good or for later
HOURS_A_YEAR = 8760.0


@dataclass(frozen=True, slots=True, eq=False)
class GridCarbon:
    """Emissions where they arise and where they are drawn."""

    unit_co2_kg_per_h: FloatArray  # (time, unit)
    withdrawal_mw: FloatArray  # (time, bus)
    factor_kg_per_mwh: FloatArray  # (time, bus) of what is drawn; NaN where AC did not converge or nothing is


def grid_carbon(variables: Arrays, inputs: Inputs) -> GridCarbon:
    """Trace the emissions of a run to where its power is drawn.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.

    Notes
    -----
    What a store gives comes without emissions; it bore them when it was charged.
    """
    v, buses = variables, len(inputs["buses"]["bus"])
    segments, lines, links = inputs["segments"], inputs["lines"], inputs["links"]
    co2 = along_segments(v["unit_mw"], segments["unit_index"], segments["width_mw"], segments["co2_kg_per_mwh"])
    withdrawal = np.zeros(v["load_mw"].shape)
    for name, party in parties(v, inputs).items():
        if name in DRAWS:
            withdrawal += sum_at(np.maximum(party.withdrawal_mw, 0.0), party.bus, buses)
    over_lines = np.where(v["from_mw"] >= v["to_mw"], v["from_mw"], -v["to_mw"])
    factor = consumption_co2_kg_per_mwh(
        withdrawal,
        sum_at(co2, inputs["units"]["bus_index"], buses),
        np.concatenate([over_lines, v["link_mw"]], axis=1),
        np.concatenate([lines["from_index"], links["from_index"]]),
        np.concatenate([lines["to_index"], links["to_index"]]),
    )
    return GridCarbon(co2, withdrawal, factor)


def carbon_table(carbon: GridCarbon, inputs: Inputs, step_h: float) -> dict[str, np.ndarray]:
    """Emissions by area: of its units, and of what is drawn there, imports included.

    Returns
    -------
    dict
        Columns `area`, `drawn_mwh`, `produced_co2_t`, `consumed_co2_t` and `consumption_co2_kg_per_mwh`, the mean over
        the steps that have a factor.
    """
    names, place = np.unique(inputs["buses"]["area"], return_inverse=True)
    known = np.isfinite(carbon.factor_kg_per_mwh)
    borne_kg = np.where(known, carbon.factor_kg_per_mwh, 0.0) * carbon.withdrawal_mw
    drawn, counted, borne = (
        sum_at(values, place, len(names)).sum(axis=0) * step_h
        for values in (carbon.withdrawal_mw, np.where(known, carbon.withdrawal_mw, 0.0), borne_kg)
    )
    at_units = sum_at(carbon.unit_co2_kg_per_h, place[inputs["units"]["bus_index"]], len(names)).sum(axis=0) * step_h
    return {
        "area": names,
        "drawn_mwh": drawn,
        "produced_co2_t": at_units / KG_PER_T,
        "consumed_co2_t": borne / KG_PER_T,
        "consumption_co2_kg_per_mwh": _ratio(borne, counted),
    }


def _claimed_kg_per_mwh(carbon: GridCarbon, variables: Arrays, inputs: Inputs) -> FloatArray:
    """Emissions of a MWh of each contract (contract,), kg/MWh: none unless a renewable unit has some."""
    rate = ratio_or_zero(carbon.unit_co2_kg_per_h.sum(axis=0), variables["unit_mw"].sum(axis=0))
    return rate[inputs["supply"]["unit_index"]]


def residual_mix(co2_kg: float, served_mwh: float, claimed_mwh: FloatArray, claimed_kg_per_mwh: FloatArray) -> float:
    """Emission factor of what nobody has claimed, kg/MWh.

    Parameters
    ----------
    co2_kg : float, kg
        Of all generation.
    served_mwh : float, MWh
        Of loads and sites; what stores and lines lose burdens them.
    claimed_mwh : ndarray (contract,), MWh
    claimed_kg_per_mwh : ndarray (contract,), kg/MWh

    Returns
    -------
    float
        NaN where everything is claimed. What all consumers bear by claims and residual mix adds up to `co2_kg`.

    Examples
    --------
    Of 100 MWh, 20 are claimed as wind; the 60 t that were emitted are borne by the other 80.

    >>> residual_mix(60e3, 100.0, np.array([20.0]), np.array([0.0]))
    750.0
    """
    left_mwh = served_mwh - claimed_mwh.sum()
    left_kg = co2_kg - (claimed_mwh * claimed_kg_per_mwh).sum()
    return float(left_kg / left_mwh) if left_mwh > 0 else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class SiteAccounts:
    """What sites drew over the run, each an array (site,)."""

    energy_mwh: FloatArray
    kind_mwh: FloatArray  # (site, kind of contract) claimed
    matched_mwh: FloatArray  # claimed in the step in which it was delivered
    supply_cost: FloatArray  # price of what is claimed
    direct_saved_cost: FloatArray  # price at the meter of what came from behind it
    location_based_co2_kg: FloatArray
    market_based_co2_kg: FloatArray
    racks_used: FloatArray
    labour_cost: FloatArray


def site_accounts(
    variables: Arrays, inputs: Inputs, claimed: Claims, carbon: GridCarbon, step_h: float
) -> SiteAccounts:
    """Draw up the accounts of the sites of a run.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    claimed : Claims
    carbon : GridCarbon
    step_h : float, h
    """
    v, supply, terms = variables, inputs["supply"], inputs["site_terms"]
    draw_mw = np.maximum(v["site_mw"], 0.0)
    energy_mwh = draw_mw.sum(axis=0) * step_h
    at_site = np.where(draw_mw > 0, carbon.factor_kg_per_mwh[:, inputs["sites"]["bus_index"]], 0.0)
    served_mwh = (v["load_mw"] - v["shed_mw"]).sum() * step_h + energy_mwh.sum()
    rate = _claimed_kg_per_mwh(carbon, v, inputs)
    residual = residual_mix(carbon.unit_co2_kg_per_h.sum() * step_h, served_mwh, claimed.mwh.sum(axis=1), rate)
    unclaimed_mwh = energy_mwh - claimed.mwh.sum(axis=0)
    is_kind = np.array([[name == kind for name in supply["kind"].tolist()] for kind in KINDS]).reshape(len(KINDS), -1)
    racks = racks_used(inputs)
    years = len(draw_mw) * step_h / HOURS_A_YEAR
    return SiteAccounts(
        energy_mwh=energy_mwh,
        kind_mwh=(is_kind @ claimed.mwh).T,
        matched_mwh=claimed.matched_mw.sum(axis=0) * step_h,
        supply_cost=supply["price_per_mwh"] @ claimed.mwh,
        direct_saved_cost=(claimed.direct_mw * v["charged_per_mwh"]).sum(axis=0) * step_h,
        location_based_co2_kg=(draw_mw * at_site).sum(axis=0) * step_h,
        market_based_co2_kg=rate @ claimed.mwh + np.where(unclaimed_mwh > 0, residual, 0.0) * unclaimed_mwh,
        racks_used=racks,
        labour_cost=terms["labour_cost_per_rack_year"] * racks * years,
    )


def racks_used(inputs: Inputs) -> FloatArray:
    """Standard racks that the equipment of each site fills (site,), by its greatest draw."""
    pools = inputs["pools"]
    equipment_w = pools["capacity_nodes"] * pools["peak_w"]
    return sum_at(equipment_w, pools["site_index"], len(inputs["sites"]["site"])) / RACK_W


def accounts_table(accounts: SiteAccounts, inputs: Inputs) -> dict[str, np.ndarray]:
    """List the accounts of each site, each region and all sites together.

    Returns
    -------
    dict
        Columns `level` ("site", "region", "nation"), `name`, then sums and the shares made of them. Shares are NaN
        where nothing was drawn, labour where no site of the row says what it costs.
    """
    site, region = inputs["sites"]["site"], inputs["site_terms"]["region"]
    regions, place = np.unique(region, return_inverse=True)
    in_region = (place == np.arange(len(regions))[:, None]).astype(np.float64)
    member = np.concatenate([np.eye(len(site)), in_region, np.ones((1, len(site)))])

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(member @ values)

    energy, claimed = total(accounts.energy_mwh), total(accounts.kind_mwh)
    labour_known = np.isfinite(accounts.labour_cost)
    labour = total(np.where(labour_known, accounts.labour_cost, 0.0))
    return {
        "level": np.array([SITE] * len(site) + [REGION] * len(regions) + [NATION]),
        "name": np.concatenate([site, regions, [""]]),
        "energy_mwh": energy,
        **{f"{kind}_mwh": claimed[:, column] for column, kind in enumerate(KINDS)},
        "matched_mwh": total(accounts.matched_mwh),
        "green_share_annual": _ratio(claimed.sum(axis=1), energy),
        "green_share_hourly": _ratio(total(accounts.matched_mwh), energy),
        "location_based_co2_t": total(accounts.location_based_co2_kg) / KG_PER_T,
        "market_based_co2_t": total(accounts.market_based_co2_kg) / KG_PER_T,
        "supply_cost": total(accounts.supply_cost),
        "direct_saved_cost": total(accounts.direct_saved_cost),
        "racks_used": total(accounts.racks_used),
        "labour_cost": np.where(total(labour_known.astype(np.float64)) > 0, labour, np.nan),
    }


def account_kpis(table: Arrays, *, has_supply: bool) -> dict[str, float | int | None]:
    """Return the indicators of a run among its accounts, those of all sites; None where there is nothing to say.

    Parameters
    ----------
    table : mapping of arrays
        As `accounts_table` returns it.
    has_supply : bool
        Whether anything is under contract.
    """
    nation = {name: _number(values[-1]) for name, values in table.items() if values.dtype.kind == "f"}
    of_supply = ("green_share_annual", "green_share_hourly", "market_based_co2_t", "supply_cost", "direct_saved_cost")
    return {
        "location_based_co2_t": nation["location_based_co2_t"],
        **{name: nation[name] if has_supply else None for name in of_supply},
        "labour_cost": nation["labour_cost"],
    }


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """`part / whole`, NaN where there is no whole."""
    return np.where(whole > 0, ratio_or_zero(part, whole), np.nan)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
