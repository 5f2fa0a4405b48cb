"""What every policy must do, whatever it decides."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from gridtwin.compute.power import it_power_mw
from gridtwin.policies.registry import POLICIES
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state

pytestmark = pytest.mark.parametrize("policy", POLICIES)

MW = 1e-6
NODES = 1e-6
LEAST_LOSS_MW = 1e-3
LOSS_SHARE = 0.01  # of load; the lines of the pocket model are short


def parts(record, name=""):
    """Yield (path, value) of every leaf of nested records."""
    if is_dataclass(record):
        for field in fields(record):
            yield from parts(getattr(record, field.name), f"{name}.{field.name}")
    else:
        yield name, record


def fingerprint(record):
    return [(name, value.tobytes() if isinstance(value, np.ndarray) else value) for name, value in parts(record)]


@pytest.fixture(scope="module")
def decided(pocket, tmp_path_factory):
    """Return the coordinator, an observation of the first window and of a later one, with their plans, by policy."""
    made = {}

    def decide(policy):
        if policy not in made:
            study = pocket(f"policy={policy}")
            coordinator = build(study, RunFolder(tmp_path_factory.mktemp(policy)))
            first = initial_twin_state(study)
            later = coordinator.run(first, until=2)
            seen = [coordinator._observe(state) for state in (first, later)]
            made[policy] = coordinator, [(observation, coordinator.policy.decide(observation)) for observation in seen]
        return made[policy]

    return decide


@pytest.fixture(params=["first window", "third window"])
def case(request, decided, policy):
    coordinator, plans = decided(policy)
    return coordinator, *plans[request.param == "third window"]


def test_shapes_and_finite_numbers(case):
    coordinator, observation, plan = case
    system, steps = coordinator.system, observation.forecast.steps
    sites, classes = system.fleet.capacity_nodes.shape
    assert plan.fleet.busy_nodes.shape == (steps, sites, classes)
    assert plan.fleet.site_mw.shape == (steps, sites)
    assert plan.unit_mw.shape == (steps, len(system.units.unit))
    for name in ("shed_mw", "injection_mw", "price_per_mwh"):
        assert getattr(plan.grid, name).shape == (steps, len(system.grid.bus))
    for name in ("flow_mw", "overload_mw", "binding", "rate_mw"):
        assert getattr(plan.grid, name).shape == (steps, len(system.grid.line))
    assert plan.grid.spill_mw.shape == plan.grid.losses_mw.shape == (steps,)
    assert plan.grid.binding.dtype == bool
    for name, value in parts(replace(plan, fleet=replace(plan.fleet, prices=None))):  # NaN where no work can be
        no_rating = name == ".grid.rate_mw" and np.isposinf(value) == np.isposinf(system.network.rate_mw)
        undecided = name == ".grid.online_mw" and np.isnan(value)
        assert value is None or (np.isfinite(value) | no_rating | undecided).all(), name


def test_nothing_is_negative(case):
    _, _, plan = case
    for values in (plan.fleet.busy_nodes, plan.fleet.site_mw, plan.unit_mw, plan.grid.shed_mw, plan.grid.spill_mw):
        assert values.min() >= -MW


def test_units_stay_within_what_is_available(case):
    coordinator, observation, plan = case
    available_mw, units = observation.forecast.unit_available_mw, coordinator.system.units
    assert (plan.unit_mw - available_mw).max() <= MW
    must_take = (units.profile >= 0) & ~units.curtailable
    assert must_take.any()
    np.testing.assert_allclose(plan.unit_mw[:, must_take], available_mw[:, must_take], atol=MW)


def test_units_keep_their_ramps(case):
    coordinator, observation, plan = case
    before = observation.memory.unit_mw
    output = plan.unit_mw if np.isnan(before).any() else np.vstack([before, plan.unit_mw])
    units = coordinator.system.units
    thermal = units.profile < 0
    limit = units.ramp_mw_per_h * coordinator.system.step_h
    change = np.diff(output, axis=0)
    empty = plan.grid.stored_mwh[-len(change) :, units.store] <= MW
    forced = empty & (units.store >= 0)
    assert (change - limit)[:, thermal].max() <= MW
    assert np.where(forced, 0.0, -change - limit)[:, thermal].max() <= MW


def test_stores_hold_what_went_in_and_did_not_come_out(case):
    coordinator, observation, plan = case
    stores, fed, grid = coordinator.system.stores, coordinator.system.units.store >= 0, plan.grid
    of_units = np.zeros_like(grid.stored_mwh)
    np.add.at(of_units, (slice(None), coordinator.system.units.store[fed]), plan.unit_mw[:, fed])
    kept = (1 - stores.standing_loss_per_h) ** coordinator.system.step_h
    before = kept * np.vstack([observation.memory.stored_mwh, grid.stored_mwh[:-1]])
    flow = stores.efficiency_charge * grid.charge_mw + observation.forecast.inflow_mw - grid.store_spill_mw
    flow -= (grid.discharge_mw + of_units) / stores.efficiency_discharge
    np.testing.assert_allclose(grid.stored_mwh, before + flow * coordinator.system.step_h, atol=MW)
    assert grid.stored_mwh.min() >= -MW
    assert (grid.stored_mwh - stores.energy_mwh).max() <= MW
    assert of_units.max() > 1
    assert not (grid.charge_mw * grid.discharge_mw).any()


def test_dispatched_links_keep_their_limits(case):
    coordinator, _, plan = case
    grid = coordinator.system.grid
    assert plan.grid.link_mw.shape[1] == grid.link_dispatched.sum() == 1
    assert (np.abs(plan.grid.link_mw) - grid.link_p_nom_mw[grid.link_dispatched]).max() <= MW


def test_sites_draw_what_their_nodes_do(case):
    coordinator, observation, plan = case
    forecast, fleet = observation.forecast, coordinator.system.fleet
    expected = it_power_mw(plan.fleet.busy_nodes, forecast.service_nodes, fleet) * forecast.pue
    np.testing.assert_allclose(plan.fleet.site_mw, expected, atol=MW)
    assert (plan.fleet.busy_nodes + forecast.service_nodes - fleet.capacity_nodes).max() <= NODES
    assert (plan.fleet.site_mw - fleet.connection_mw).max() <= MW


def test_the_plan_balances(case):
    coordinator, observation, plan = case
    grid = plan.grid
    from_stores = (grid.discharge_mw - grid.charge_mw).sum(axis=1)
    on_links = np.abs(grid.link_mw) @ coordinator.system.grid.link_loss[coordinator.system.grid.link_dispatched]
    supply = plan.unit_mw.sum(axis=1) + from_stores + grid.shed_mw.sum(axis=1)
    demand = observation.forecast.load_mw.sum(axis=1) + plan.fleet.site_mw.sum(axis=1) + grid.spill_mw
    np.testing.assert_allclose(supply, demand + grid.losses_mw + on_links, atol=MW)
    np.testing.assert_allclose(plan.grid.injection_mw.sum(axis=1), plan.grid.losses_mw, atol=MW)


def test_flows_obey_kirchhoff_and_ratings(case):
    coordinator, observation, plan = case
    network, flow = coordinator.system.network, plan.grid.flow_mw
    leaving = np.zeros_like(plan.grid.injection_mw)
    np.add.at(leaving, (slice(None), network.line_from), flow)
    np.subtract.at(leaving, (slice(None), network.line_to), flow)
    np.testing.assert_allclose(leaving @ network.ptdf.T, flow, atol=MW)
    drawn_by_losses = np.abs(plan.grid.injection_mw - leaving)
    assert (drawn_by_losses.sum(axis=1) <= LOSS_SHARE * observation.forecast.load_mw.sum(axis=1)).all()
    assert np.delete(drawn_by_losses, network.slack, axis=1).max() > LEAST_LOSS_MW
    assert (plan.grid.rate_mw <= network.rate_mw).all()
    np.testing.assert_allclose(plan.grid.overload_mw, np.maximum(np.abs(flow) - plan.grid.rate_mw, 0), atol=MW)


def test_grants_are_for_the_fleet(case):
    coordinator, observation, plan = case
    if plan.fleet.compute is None:
        pytest.skip("starts whatever fits")
    axes, steps = coordinator.system.fleet.axes, observation.forecast.steps
    origins, classes, delays, bins = axes.shape
    release, route = plan.fleet.compute.release_nodes, plan.fleet.compute.route_nodes
    assert release.shape == (steps, axes.size)
    assert route.shape == (steps, origins, classes, bins, len(coordinator.system.fleet.site))
    assert release.min() >= 0
    assert route.min() >= 0
    leaving = release.reshape(steps, origins, classes, delays, bins).sum(axis=3)
    np.testing.assert_allclose(route.sum(axis=4), leaving, atol=NODES)
    out_of_reach = ~coordinator.system.fleet.reachable
    assert not route.sum(axis=(0, 3))[out_of_reach].any()


def test_the_optimum_is_proved(case):
    _, _, plan = case
    solver = plan.grid.solver
    assert solver.primal_residual <= 1e-6
    assert abs(solver.objective - solver.dual_objective) <= 1e-6 * max(1.0, abs(solver.objective))
    assert solver.rounds >= 1


def test_same_observation_same_bytes_and_nothing_is_altered(case, decided, policy):
    coordinator, observation, plan = case
    before = fingerprint(observation)
    for other, _ in decided(policy)[1]:
        coordinator.policy.decide(other)
    assert fingerprint(coordinator.policy.decide(observation)) == fingerprint(plan)
    assert fingerprint(observation) == before


def test_every_job_is_done_and_every_ledger_holds(pocket_run, policy):
    run = pocket_run(policy)
    kpis = run.summary["kpis"]
    assert kpis["jobs_submitted"] == kpis["jobs_completed"] == len(run.study.jobs) > 500
    assert kpis["completed_node_s"] == int((run.study.jobs.nodes * run.study.jobs.runtime_s).sum())
    assert all(ledger["pass"] for ledger in run.summary["ledgers"].values()), run.summary["ledgers"]
    assert kpis["max_line_loading_percent"] > 90
