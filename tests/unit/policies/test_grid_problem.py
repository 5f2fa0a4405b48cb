"""How stores, links and reserve get from the system into the problem that all policies share."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.policies.grid_problem import pose_grid, scheduled_injection
from gridtwin.policies.losses import no_losses
from gridtwin.policies.registry import POLICIES
from gridtwin.records import LinkTerms, StoreData
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state


@pytest.fixture
def with_stores(pocket, tmp_path):
    """The pocket model with two batteries, one of them behind site 0, and a link that is dispatched."""

    def prepare(policy):
        study = pocket(f"policy={policy}")
        two = np.ones(2)
        stores = StoreData(
            store=("big", "small"),
            technology=("battery",) * 2,
            bus=np.array([1, study.fleet.bus[0]]),
            site=np.array([-1, 0]),
            charge_mw=np.array([10.0, 2.0]),
            discharge_mw=np.array([10.0, 2.0]),
            energy_mwh=np.array([40.0, 4.0]),
            efficiency_charge=0.99 * two,
            efficiency_discharge=0.98 * two,
            standing_loss_per_h=0.001 * two,
            initial_mwh=np.array([20.0, 0.0]),
            inflow=np.array([-1, -1]),
            cost_per_mwh=np.zeros(2),
        )
        grid = replace(
            study.grid,
            link=("ab", "bc"),
            link_from=np.array([0, 1]),
            link_to=np.array([1, 2]),
            link_p_nom_mw=np.array([30.0, 20.0]),
            link_schedule_mw=np.array([25.0, -10.0]),
            link_dispatched=np.array([True, False]),
            link_loss=np.array([0.02, 0.1]),
        )
        units = replace(study.units, store=np.full(len(study.units.unit), -1))
        terms = LinkTerms.plain(grid)
        changed = replace(study, grid=grid, units=units, stores=stores, link_terms=terms)
        coordinator, state = build(changed, RunFolder(tmp_path)), initial_twin_state(changed)
        observation = coordinator._observe(state)
        forecast = observation.forecast
        ups_and_downs = np.where(np.arange(forecast.steps) % 2, 0.4, 1.1)[:, None]  # so that prices are, too
        return coordinator, replace(observation, forecast=replace(forecast, load_mw=forecast.load_mw * ups_and_downs))

    return prepare


def test_only_links_that_are_not_dispatched_follow_their_schedule(with_stores):
    coordinator, observation = with_stores("asap")
    np.testing.assert_allclose(scheduled_injection(coordinator.system, 2), [[0, 9, -10]] * 2)
    problem = pose_grid(coordinator.system, observation, no_losses(coordinator.system, observation.forecast.steps))
    np.testing.assert_array_equal(problem.links.index, [0])
    np.testing.assert_array_equal(problem.links.rate_mw, np.full((observation.forecast.steps, 1), 30.0))


def test_a_store_behind_a_meter_shares_the_connection(with_stores):
    coordinator, observation = with_stores("asap")
    system, steps = coordinator.system, observation.forecast.steps
    system = replace(system, fleet=replace(system.fleet, connection_mw=np.array([12.0, 3.0])))
    for drawn, charge, discharge in ((5.0, 2.0, 2.0), (11.5, 0.5, 2.0), (13.0, 0.0, 2.0)):
        stores = pose_grid(system, observation, no_losses(system, steps), np.full((steps, 2), drawn)).stores
        np.testing.assert_allclose(stores.charge_mw, [[10.0, charge]] * steps)
        np.testing.assert_allclose(stores.discharge_mw, [[10.0, discharge]] * steps)


def test_energy_and_its_value_come_from_memory(with_stores):
    coordinator, observation = with_stores("asap")
    memory = observation.memory
    price = np.tile([[30.0, 90.0]], (len(memory.store_price_per_mwh), 1))
    seen = replace(observation, memory=replace(memory, stored_mwh=np.array([7.0, 1.0]), store_price_per_mwh=price))
    stores = pose_grid(coordinator.system, seen, no_losses(coordinator.system, seen.forecast.steps)).stores
    np.testing.assert_array_equal(stores.initial_mwh, [7, 1])
    np.testing.assert_allclose(stores.value_per_mwh[:, :3], [[30 * 0.98] * 3, [90 * 0.98] * 3])
    np.testing.assert_allclose(stores.kept_share, 0.999**coordinator.system.step_h)


@pytest.mark.parametrize("policy", POLICIES)
def test_policies_use_them(with_stores, policy):
    coordinator, observation = with_stores(policy)
    plan = coordinator.policy.decide(observation).grid
    steps = observation.forecast.steps
    assert plan.charge_mw.max() > 1
    assert plan.discharge_mw.max() > 1
    assert plan.link_mw.shape == (steps, 1)
    level = np.vstack([[20.0, 0.0], plan.stored_mwh])
    moved = 0.99 * plan.charge_mw - plan.discharge_mw / 0.98
    hours = coordinator.system.step_h
    np.testing.assert_allclose(level[1:], 0.999**hours * level[:-1] + hours * moved, atol=1e-6)
    assert abs(plan.solver.objective - plan.solver.dual_objective) < 1e-6 * abs(plan.solver.objective)


def test_the_first_window_is_solved_again_with_its_own_prices(with_stores, monkeypatch):
    coordinator, observation = with_stores("asap")
    posed = []

    def note(*arguments):
        posed.append(pose_grid(*arguments))
        return posed[-1]

    monkeypatch.setattr("gridtwin.policies.asap.pose_grid", note)
    coordinator.policy.decide(observation)
    first, second = (problem.stores.value_per_mwh for problem in posed)
    assert len(np.unique(first.round(6))) == 1
    assert np.abs(second - first).min() > 1
