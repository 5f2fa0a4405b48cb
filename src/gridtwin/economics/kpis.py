"""Indicators of a run, from what it stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gridtwin.economics.corridors import corridors
from gridtwin.economics.kpi_table import KPIS
from gridtwin.economics.tariffs import local_months, monthly_peaks_mw
from gridtwin.units import HOUR_S, KG_PER_T, BoolArray, FloatArray

__all__ = ["kpis"]


def kpis(
    variables: Mapping[str, np.ndarray],
    jobs: Mapping[str, np.ndarray],
    inputs: Mapping[str, Mapping[str, np.ndarray]],
    instants: np.ndarray,
    step_s: int,
    carbon_price_per_t: float,
    accounts: Mapping[str, float | int | None],
) -> dict[str, float | int | None]:
    """Return the indicators of `KPIS`, in its order.

    Parameters
    ----------
    variables, jobs, inputs : mappings of arrays
        As stored by the run.
    instants : ndarray (time,), datetime64, UTC
    step_s : int, s
    carbon_price_per_t : float
        Money per tonne; prices `co2_t` into `carbon_cost`.
    accounts : mapping
        Those of them that `economics.accounts` has drawn up.

    Returns
    -------
    dict
        `None` where there is nothing to take a maximum or percentile of.
    """
    v, hours = variables, step_s / HOUR_S
    units = inputs["units"]
    unit_mwh = v["unit_mw"].sum(axis=0) * hours
    curtailed = np.maximum(v["available_mw"] - v["unit_mw"], 0.0)[:, units["curtailable"] & units["profiled"]]
    gap_mw = v["planned_facility_mw"] - v["facility_mw"]
    co2_t = float(v["co2_kg"].sum()) / KG_PER_T
    values: dict[str, float | int | None] = {
        "energy_mwh": _sum(v["site_mw"]) * hours,
        "it_energy_mwh": _sum(v["it_mw"]) * hours,
        "system_cost": _sum(v["production_cost"]),
        "carbon_cost": co2_t * carbon_price_per_t,
        "co2_t": co2_t,
        **_bills(v, inputs, instants, hours),
        **accounts,
        "curtailment_mwh": _sum(curtailed) * hours,
        "store_spill_mwh": _sum(v["store_spill_mw"]) * hours,
        "stored_change_mwh": _sum(_stored_change(v, inputs)),
        "stock_change_cost": -_sum(_stored_change(v, inputs) * _store_price(v, inputs)),
        "renewable_share": _share(unit_mwh[units["renewable"]].sum(), unit_mwh.sum()),
        "unserved_mwh": _sum(v["shed_mw"]) * hours,
        "overload_mwh": _sum(_beyond_rating(v, inputs["lines"]["rate_mw"])) * hours,
        "spill_mwh": _sum(v["spill_mw"]) * hours,
        "unserved_service_node_h": _sum(v["unserved_service_nodes"]) * hours,
        **_job_kpis(jobs),
        "fluid_gap_mwh": _sum(np.abs(gap_mw)) * hours,
        "overrun_mwh": _sum(np.maximum(-gap_mw, 0.0)) * hours,
        "checkpoint_node_h": _sum(v["checkpoint_node_s"]) / HOUR_S,
        "restart_node_h": _sum(v["restart_node_s"]) / HOUR_S,
        **_forecast_kpis(v, units["profiled"]),
        "wan_gb": _sum(v["moved_gb"]),
        "migrated_gb": _sum(v["migrated_gb"]),
        "wan_cost": _sum(v["moved_gb"].sum(axis=0).ravel() * inputs["wan"]["price_per_gb"]),
        **_corridor_kpis(v, inputs["links"], hours),
        "max_line_loading_percent": _largest(v["loading_percent"]),
        "min_vm_pu": _negated(_largest(-v["vm_pu"])),
        "max_vm_pu": _largest(v["vm_pu"]),
        "ac_steps_not_converged": int((v["ac_converged"] == 0).sum()),
    }
    return {name: values[name] for name in KPIS}


def _bills(
    v: Mapping[str, np.ndarray], inputs: Mapping[str, Mapping[str, np.ndarray]], instants: np.ndarray, hours: float
) -> dict[str, float | int | None]:
    """What the sites pay, as settled and as their plans expected it."""
    tariff = inputs["tariff"]
    month, rate = local_months(instants, int(tariff["zone_s"][0])), float(tariff["demand_charge_per_mw"][0])
    planned_mw = v["site_mw"] - v["facility_mw"] + v["planned_facility_mw"]
    return {
        name: _sum(draw_mw * v[price]) * hours + rate * _sum(monthly_peaks_mw(draw_mw, month))
        for name, draw_mw, price in (
            ("electricity_cost", v["site_mw"], "charged_per_mwh"),
            ("expected_electricity_cost", planned_mw, "expected_charge_per_mwh"),
        )
    }


def _stored_change(v: Mapping[str, np.ndarray], inputs: Mapping[str, Mapping[str, np.ndarray]]) -> FloatArray:
    """Energy at the end less that at the start (store,), MWh at the bus."""
    stores = inputs["stores"]
    return np.asarray((v["stored_mwh"][-1] - stores["initial_mwh"]) * stores["efficiency_discharge"])


def _store_price(v: Mapping[str, np.ndarray], inputs: Mapping[str, Mapping[str, np.ndarray]]) -> FloatArray:
    """Mean price at the stores' buses (store,), money per MWh."""
    return np.asarray(v["price_per_mwh"].mean(axis=0)[inputs["stores"]["bus_index"]])


def _job_kpis(jobs: Mapping[str, np.ndarray]) -> dict[str, float | int | None]:
    done = jobs["end_s"] >= 0
    wait_s = (jobs["start_s"] - jobs["submit_s"])[done]
    return {
        "completed_node_s": int((jobs["nodes"] * jobs["runtime_s"])[done].sum()),
        "jobs_submitted": len(done),
        "jobs_completed": int(done.sum()),
        "jobs_unfinished": int((~done).sum()),
        "jobs_late": int((jobs["end_s"] > jobs["due_s"])[done].sum() + (~done).sum()),
        "jobs_suspended": int(jobs["suspensions"].sum()),
        "jobs_migrated": int(jobs["migrations"].sum()),
        "wait_p50_s": float(np.percentile(wait_s, 50)) if len(wait_s) else None,
        "wait_p95_s": float(np.percentile(wait_s, 95)) if len(wait_s) else None,
    }


def _corridor_kpis(
    v: Mapping[str, np.ndarray], links: Mapping[str, np.ndarray], hours: float
) -> dict[str, float | None]:
    names = ("corridor_rent_cost", "corridor_full_h", "deviation_mwh")
    if not len(links["link"]):
        return dict.fromkeys(names)
    found = corridors(v, links, hours)
    off = found.deviation_mwh[np.isfinite(found.deviation_mwh)]
    figures = (_sum(found.rent_cost), _sum(found.full_h + found.full_back_h), _sum(off) if len(off) else None)
    return dict(zip(names, figures, strict=True))


def _forecast_kpis(v: Mapping[str, np.ndarray], profiled: BoolArray) -> dict[str, float]:
    """Errors of the whole system, step by step; what errs against each other inside it cancels out."""
    errors_mw = {
        "load": v["forecast_load_mw"] - v["load_mw"].sum(axis=1),
        "available": (v["forecast_available_mw"] - v["available_mw"])[:, profiled].sum(axis=1),
    }
    return {
        f"forecast_{what}_{name}_mw": float(np.mean(values))
        for what, error in errors_mw.items()
        for name, values in (("mae", np.abs(error)), ("bias", error))
    }


def _beyond_rating(v: Mapping[str, np.ndarray], rating_mw: FloatArray) -> FloatArray:
    """What of the overload paid for (time, line) is beyond the rating, not only beyond what reactive power leaves."""
    held_back_mw = np.zeros(v["rate_mw"].shape)
    np.subtract(rating_mw, v["rate_mw"], out=held_back_mw, where=np.isfinite(v["rate_mw"]))
    beyond_mw: FloatArray = np.maximum(v["overload_mw"] - held_back_mw, 0.0)
    return beyond_mw


def _sum(values: FloatArray) -> float:
    return float(np.sum(values))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def _largest(values: FloatArray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else None


def _negated(value: float | None) -> float | None:
    return None if value is None else -value
