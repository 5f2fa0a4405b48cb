from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import StoreProblem
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.regret import Regret, _floor_cost, settled_cost


def test_parts_of_the_regret():
    figures = Regret(bound=100.0, rolling=101.0, settled_perfect=104.0, settled=110.0).figures()
    parts = {"horizon": 1.0, "execution": 3.0, "forecast_error": 6.0, "regret": 10.0}
    assert {name: figures[name] for name in parts} == parts


@pytest.mark.parametrize(("settled_perfect", "holds"), [(100.0, True), (99.995, True), (99.98, False)])
def test_a_bound_that_is_none_is_noticed(settled_perfect, holds):
    assert Regret(100.0, 100.0, settled_perfect, 200.0).bound_holds == holds


def test_settled_cost_by_hand(pocket):
    study = pocket("policy=asap", "dispatch.carbon_price_per_t=20")
    prices, fleet = study.scenario.dispatch, study.fleet
    moved_gb = np.zeros((2, *fleet.price_per_gb.shape))
    moved_gb[1, 0, 1] = 5.0
    site_mw = np.zeros((2, len(fleet.site)))
    fleet = replace(
        fleet, connection_mw=np.full(len(fleet.site), 3.0), price_per_gb=np.full(fleet.price_per_gb.shape, 2.0)
    )
    site_mw[0, 0] = 3.5
    variables = {
        "losses_mw": np.zeros(2),
        "production_cost": np.array([7.0, 8.0]),
        "co2_kg": np.array([1000.0, 500.0]),
        "moved_gb": moved_gb,
        "shed_mw": np.array([[1.0], [0.0]]),
        "spill_mw": np.array([0.0, 2.0]),
        "overload_mw": np.array([[0.0], [0.5]]),
        "site_mw": site_mw,
        "stored_mwh": np.array([[9.0], [4.0]]),
        "busy_node_s": np.zeros((2, *fleet.capacity_nodes.shape), np.int64),
        "pue": np.full((2, len(fleet.site)), 1.25),
        "price_per_mwh": np.full((2, len(study.grid.bus)), 40.0),
    }
    stores = replace(
        StoreProblem.none(2),
        initial_mwh=np.array([7.0]),
        value_mwh=np.array([[5.0, 5.0]]),
        value_per_mwh=np.array([[30.0, 10.0]]),
    )
    jobs = {"nodes": np.array([1, 2, 4]), "due_s": np.array([10, 1800, 3600]), "end_s": np.array([10, 3600, -1])}
    assert settled_cost(replace(study, fleet=fleet), variables, jobs, stores, 2) == pytest.approx(
        {
            "production": 15.0,
            "carbon": 30.0,
            "wan": 10.0,
            "shed": prices.shed_price_per_mwh,
            "spill": 2 * prices.spill_price_per_mwh,
            "overload": 0.5 * prices.overload_price_per_mwh,
            "connection": 0.5 * prices.overload_price_per_mwh,
            "after": 0.0,
            "stored": (5 * 30 + 2 * 10) - 4 * 30,
            "late": (2 * 0.5 + 4 * 1.0) * prices.late_price_per_node_h,
        }
    )


def test_what_one_run_does_after_the_other_has_ended_is_priced_as_energy(pocket):
    study = pocket("policy=asap")
    fleet, steps = study.fleet, 3
    shape = (steps, *fleet.capacity_nodes.shape)
    zero = {name: np.zeros((steps, 1)) for name in ("shed_mw", "overload_mw", "losses_mw", "stored_mwh")}
    variables = zero | {
        "production_cost": np.array([1.0, 2.0, 1000.0]),
        "co2_kg": np.zeros(steps),
        "spill_mw": np.zeros(steps),
        "moved_gb": np.zeros((steps, *fleet.price_per_gb.shape)),
        "site_mw": np.zeros((steps, len(fleet.site))),
        "busy_node_s": np.full(shape, 1800),
        "pue": np.full(shape[:2], 1.25),
        "price_per_mwh": np.full((steps, len(study.grid.bus)), 40.0),
    }
    jobs = {name: np.array([1]) for name in ("nodes", "due_s", "end_s")}
    cost = settled_cost(study, variables, jobs, StoreProblem.none(1), 2)
    busy_mw = (fleet.peak_w - fleet.idle_w).sum() / 1e6
    assert cost["production"] == 3.0
    assert cost["after"] == pytest.approx(0.5 * busy_mw * 1.25 * 40.0)


def test_what_must_be_given_costs_and_emits(pocket, tmp_path):
    study = pocket("policy=asap")
    coordinator = build(study, RunFolder(tmp_path))
    actual, system = coordinator.as_it_comes(initial_twin_state(study), 3), coordinator.system
    assert _floor_cost(system, actual) == 0.0
    unit = int(system.units.segment_unit[np.argmax(system.units.segment_co2_kg_per_mwh)])
    segment = int(np.flatnonzero(system.units.segment_unit == unit)[0])
    floor = np.where(np.arange(len(system.units.unit)) == unit, 1.0, 0.0)
    cost = system.units.segment_cost_per_mwh[segment]
    cost += system.penalties.carbon_per_t * system.units.segment_co2_kg_per_mwh[segment] / 1000
    floored = replace(system, units=replace(system.units, p_min_mw=floor))
    assert _floor_cost(floored, actual) == pytest.approx(3 * system.step_h * cost)
