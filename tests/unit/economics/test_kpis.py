"""Two half-hour steps, two sites, two units, worked out on paper."""

import numpy as np
import pytest

from gridtwin.economics.kpi_table import KPIS
from gridtwin.economics.kpis import kpis

VARIABLES = {
    "site_mw": [[2, 1], [4, 1]],
    "facility_mw": [[2, 1], [3, 1]],
    "planned_facility_mw": [[3, 1], [2.5, 1]],
    "charged_per_mwh": [[10, 20], [10, 30]],
    "expected_charge_per_mwh": [[10, 10], [20, 10]],
    "price_per_mwh": [[40], [20]],
    "stored_mwh": [[5], [8]],
    "store_spill_mw": [[0], [3]],
    "it_mw": [[1.6, 0.8], [3.2, 0.8]],
    "production_cost": [100, 50],
    "co2_kg": [3000, 1000],
    "unit_mw": [[10, 6], [20, 4]],
    "available_mw": [[50, 9], [50, 4]],
    "shed_mw": [[0, 1], [0, 0]],
    "load_mw": [[5, 5], [6, 6]],
    "forecast_load_mw": [11, 10],
    "forecast_available_mw": [[40, 7], [40, 5]],
    "overload_mw": [[0.5, 2.0, 0.0], [0.0, 3.5, 0.0]],  # of the second line 3 MW are held back for reactive power
    "rate_mw": [[9.0, 7.0, np.inf], [9.0, 7.0, np.inf]],
    "spill_mw": [3, 0.5],
    "unserved_service_nodes": [[[3, 0], [0, 0]], [[0, 0], [0, 1]]],
    "moved_gb": [[[10, 20]], [[0, 5]]],
    "migrated_gb": [[[0, 4]], [[0, 3]]],
    "checkpoint_node_s": [[[1800, 0], [0, 0]], [[0, 0], [0, 3600]]],
    "restart_node_s": [[[0, 900], [0, 0]], [[0, 0], [0, 0]]],
    "loading_percent": [[80], [np.nan]],
    "vm_pu": [[1.01, 0.97], [np.nan, np.nan]],
    "ac_converged": [1, 0],
    "link_mw": [[10], [-4]],
    "contract_mw": [[8], [np.nan]],
}
INSTANTS = np.array(["2020-01-31T23:30", "2020-02-01T00:00"], "datetime64[s]")
JOBS = {
    "nodes": [2, 3, 5, 7],
    "runtime_s": [100, 200, 300, 400],
    "submit_s": [0, 0, 10, 20],
    "start_s": [10, 50, 30, -1],
    "end_s": [110, 250, -1, -1],
    "suspensions": [0, 2, 1, 0],
    "migrations": [0, 1, 0, 0],
    "due_s": [110, 249, 1000, 1000],
}
INPUTS = {
    "units": {
        "curtailable": np.array([False, True]),
        "profiled": np.array([False, True]),
        "renewable": np.array([False, True]),
    },
    "lines": {"rate_mw": np.array([9.0, 10.0, np.inf])},
    "tariff": {"demand_charge_per_mw": np.array([100.0]), "zone_s": np.array([0])},
    "links": {
        "link": np.array(["loop"]),
        "kind": np.array(["dc"]),
        "from_index": np.array([0]),
        "to_index": np.array([0]),
        "p_nom_mw": np.array([10.0]),
        "p_nom_back_mw": np.array([8.0]),
        "loss": np.array([0.1]),
    },
    "wan": {"price_per_gb": np.array([0.5, 2.0])},
    "stores": {
        "initial_mwh": np.array([10.0]),
        "efficiency_discharge": np.array([0.9]),
        "bus_index": np.array([0]),
    },
}

ACCOUNTS = {
    "supply_cost": 5.0,
    "direct_saved_cost": 6.0,
    "labour_cost": 7.0,
    "green_share_annual": 0.5,
    "green_share_hourly": 0.25,
    "location_based_co2_t": 0.7,
    "market_based_co2_t": 0.4,
}


def arrays(columns):
    return {name: np.array(values) for name, values in columns.items()}


@pytest.fixture
def figures():
    return kpis(arrays(VARIABLES), arrays(JOBS), INPUTS, INSTANTS, 1800, 60.0, ACCOUNTS)


def test_every_indicator_by_hand(figures):
    assert figures == pytest.approx(
        {
            "energy_mwh": 4.0,
            "it_energy_mwh": 3.2,
            "system_cost": 150.0,
            "carbon_cost": 240.0,
            "co2_t": 4.0,
            "electricity_cost": (20 + 20 + 40 + 30) / 2 + 100 * (2 + 1 + 4 + 1),
            "expected_electricity_cost": (30 + 10 + 70 + 10) / 2 + 100 * (3 + 1 + 3.5 + 1),
            **ACCOUNTS,
            "curtailment_mwh": 1.5,
            "store_spill_mwh": 1.5,
            "stored_change_mwh": -1.8,
            "stock_change_cost": 1.8 * 30.0,
            "renewable_share": 0.25,
            "unserved_mwh": 0.5,
            "overload_mwh": 0.5,
            "spill_mwh": 1.75,
            "unserved_service_node_h": 2.0,
            "completed_node_s": 800,
            "jobs_submitted": 4,
            "jobs_completed": 2,
            "jobs_unfinished": 2,
            "jobs_late": 3,  # one ended late, two never
            "jobs_suspended": 3,
            "jobs_migrated": 1,
            "checkpoint_node_h": 1.5,
            "restart_node_h": 0.25,
            "wait_p50_s": 30.0,
            "wait_p95_s": 48.0,
            "fluid_gap_mwh": 0.75,
            "overrun_mwh": 0.25,
            "forecast_load_mae_mw": 1.5,
            "forecast_load_bias_mw": -0.5,
            "forecast_available_mae_mw": 1.5,  # of the unit with a profile
            "forecast_available_bias_mw": -0.5,
            "wan_gb": 35.0,
            "migrated_gb": 7.0,
            "wan_cost": 10 * 0.5 + 25 * 2.0,
            "corridor_rent_cost": -24.0,  # a tenth of 5 MWh at 40 and of 2 MWh at 20
            "corridor_full_h": 0.5,
            "deviation_mwh": 1.0,
            "max_line_loading_percent": 80.0,
            "min_vm_pu": 0.97,
            "max_vm_pu": 1.01,
            "ac_steps_not_converged": 1,
        },
        rel=1e-12,
    )


def test_the_table_of_indicators_is_complete(figures):
    assert list(figures) == list(KPIS)
    for kpi in KPIS.values():
        assert kpi.label


def test_counts_are_whole_numbers(figures):
    for name in (
        "completed_node_s",
        "jobs_submitted",
        "jobs_completed",
        "jobs_unfinished",
        "jobs_late",
        "jobs_suspended",
        "jobs_migrated",
        "ac_steps_not_converged",
    ):
        assert isinstance(figures[name], int)


def test_nothing_to_take_a_maximum_of():
    never = arrays(JOBS) | {"start_s": np.full(4, -1), "end_s": np.full(4, -1)}
    dark = arrays(VARIABLES) | {name: np.full((2, 2), np.nan) for name in ("loading_percent", "vm_pu")}
    figures = kpis(dark, never, INPUTS, INSTANTS, 1800, 60.0, ACCOUNTS)
    for name in ("wait_p50_s", "wait_p95_s", "max_line_loading_percent", "min_vm_pu", "max_vm_pu"):
        assert figures[name] is None
    assert (figures["jobs_unfinished"], figures["jobs_late"], figures["completed_node_s"]) == (4, 4, 0)
