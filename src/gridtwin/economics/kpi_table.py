"""The indicators of a run: unit and a name for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["KPIS", "Kpi"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One indicator."""

    label: str
    unit: str  # {currency} stands for the model's ISO code


KPIS: Mapping[str, Kpi] = {
    "energy_mwh": Kpi("energy at the sites' meters", "MWh"),
    "it_energy_mwh": Kpi("energy of the computing equipment", "MWh"),
    "completed_node_s": Kpi("work completed", "node-s"),
    "system_cost": Kpi("production cost, carbon excluded", "{currency}"),
    "carbon_cost": Kpi("carbon cost", "{currency}"),
    "co2_t": Kpi("direct CO2 of all generation", "t"),
    "electricity_cost": Kpi("what the sites pay by their tariff", "{currency}"),
    "expected_electricity_cost": Kpi("what they expected to pay when they planned", "{currency}"),
    "curtailment_mwh": Kpi("renewable energy curtailed", "MWh"),
    "store_spill_mwh": Kpi("inflow that found no room in its store", "MWh"),
    "stored_change_mwh": Kpi("energy in stores, end less start, at the bus", "MWh"),
    "stock_change_cost": Kpi("energy taken from stores, start less end, at the mean price of its bus", "{currency}"),
    "renewable_share": Kpi("renewable share of generation", ""),
    "unserved_mwh": Kpi("load not served", "MWh"),
    "overload_mwh": Kpi("flow beyond ratings, as dispatched", "MWh"),
    "spill_mwh": Kpi("surplus dumped", "MWh"),
    "unserved_service_node_h": Kpi("service capacity not served", "node-h"),
    "jobs_submitted": Kpi("jobs submitted", ""),
    "jobs_completed": Kpi("jobs completed", ""),
    "jobs_unfinished": Kpi("jobs not ended with the run", ""),
    "jobs_late": Kpi("jobs late, those not ended included", ""),
    "jobs_suspended": Kpi("suspensions of jobs", ""),
    "jobs_migrated": Kpi("resumptions at another site", ""),
    "checkpoint_node_h": Kpi("nodes busy saving states", "node-h"),
    "restart_node_h": Kpi("nodes busy loading them again", "node-h"),
    "wait_p50_s": Kpi("wait, median", "s"),
    "wait_p95_s": Kpi("wait, 95th percentile", "s"),
    "fluid_gap_mwh": Kpi("plan against execution, absolute", "MWh"),
    "overrun_mwh": Kpi("execution beyond plan", "MWh"),
    "forecast_load_mae_mw": Kpi("error of the load forecast, mean of absolutes", "MW"),
    "forecast_load_bias_mw": Kpi("load forecast above what came", "MW"),
    "forecast_available_mae_mw": Kpi("error of the forecast of all weather-led output, mean of absolutes", "MW"),
    "forecast_available_bias_mw": Kpi("that forecast above what came", "MW"),
    "wan_gb": Kpi("data moved", "GB"),
    "migrated_gb": Kpi("saved states moved, part of the data moved", "GB"),
    "wan_cost": Kpi("cost of moving data", "{currency}"),
    "max_line_loading_percent": Kpi("fullest line (AC, apparent power)", "%"),
    "min_vm_pu": Kpi("lowest voltage", "pu"),
    "max_vm_pu": Kpi("highest voltage", "pu"),
    "ac_steps_not_converged": Kpi("AC steps not converged", ""),
}
