from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.grid.losses import MOST_SCALE
from gridtwin.policies.ac_check import COMMITTED_MW, by_headroom
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.settle import _available_in_real_time, settle

UNITS = 3
megawatts = st.floats(0, 100).map(lambda mw: 0.0 if mw < 2 * COMMITTED_MW else mw)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(megawatts, megawatts, megawatts), min_size=UNITS, max_size=UNITS), st.floats(-400, 400)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_headroom_is_never_exceeded(steps):
    floor, output, available = np.moveaxis(np.sort([limits for limits, _ in steps], axis=2), 2, 0)
    excess = np.array([value for _, value in steps])
    taken = by_headroom(output, floor, available, excess)
    after = output + taken
    assert (after >= floor - 1e-9).all()
    assert (after <= available + 1e-9).all()
    assert not taken[output <= COMMITTED_MW].any()
    assert (taken * excess[:, None] >= 0).all()
    running = output > COMMITTED_MW
    room = np.where(excess > 0, ((available - output) * running).sum(axis=1), ((output - floor) * running).sum(axis=1))
    np.testing.assert_allclose(taken.sum(axis=1), np.sign(excess) * np.minimum(np.abs(excess), room), atol=1e-9)


def test_headroom_is_shared_in_proportion():
    floor, output, available = np.array([[[0.0, 5.0, 0.0]], [[10.0, 20.0, 0.0]], [[40.0, 30.0, 50.0]]])
    assert by_headroom(output, floor, available, np.array([8.0])).tolist() == [[6, 2, 0]]
    assert by_headroom(output, floor, available, np.array([-15.0])).tolist() == [[-6, -9, 0]]
    assert by_headroom(output, floor, available, np.array([0.0])).tolist() == [[0, 0, 0]]


@pytest.fixture(scope="module")
def decided(pocket, tmp_path_factory):
    """Return a coordinator, what comes true in the second window, its plan, and what the fleet does."""
    study = pocket("policy=asap")
    coordinator = build(study, RunFolder(tmp_path_factory.mktemp("settle")))
    state = coordinator.run(initial_twin_state(study), until=1)
    observation = coordinator._observe(state)
    plan, kept = coordinator.policy.decide(observation), coordinator._kept(state)
    return coordinator, kept, plan, coordinator._apply(plan, kept)[1]


def settled(decided, **columns):
    """Settle with columns of the planned output (unit) set to a value."""
    coordinator, kept, plan, record = decided
    unit_mw = plan.unit_mw.copy()
    for name, value in columns.items():
        unit_mw[:, coordinator.system.units.unit.index(name)] = value
    return settle(coordinator.system, coordinator.ac_grid, kept, replace(plan, unit_mw=unit_mw), record)


def output(decided, result, name):
    return result.unit_mw[:, decided[0].system.units.unit.index(name)]


def test_what_the_plan_foresaw_is_what_happens(decided):
    result = settled(decided)
    steps = len(result.unit_mw)
    np.testing.assert_allclose(result.facility_mw, decided[2].fleet.site_mw[:steps], atol=1e-9)
    np.testing.assert_allclose(result.unit_mw.sum(axis=1), decided[2].unit_mw[:steps].sum(axis=1), atol=0.2)
    assert np.abs(result.ac.slack_excess_mw).max() < 1e-6
    assert not result.shed_mw.any()


def test_a_unit_that_was_not_planned_to_run_stays_off(decided):
    assert output(decided, settled(decided), "gas").max() > 20
    result = settled(decided, gas=0.0)
    assert not output(decided, result, "gas").any()
    assert output(decided, result, "peaker").max() > 20
    assert not result.committed[:, decided[0].system.units.unit.index("gas")].any()
    np.testing.assert_allclose(result.ac.slack_excess_mw, 0, atol=1e-6)


def test_a_quick_starter_needs_no_plan(decided):
    for planned in (0.0, 5.0):
        available = _available(decided, peaker=planned)
        assert (available == 30).all()


def _available(decided, peaker):
    coordinator, kept, plan, _ = decided
    column = coordinator.system.units.unit.index("peaker")
    planned = plan.unit_mw[: kept.forecast.steps].copy()
    planned[:, column] = peaker
    return _available_in_real_time(coordinator.system, kept, planned)[:, column]


def test_what_must_be_taken_is_taken(decided):
    roof = output(decided, settled(decided), "roof")
    coordinator, kept, _, _ = decided
    available = kept.forecast.unit_available_mw[:, coordinator.system.units.unit.index("roof")]
    assert available.max() > 5
    np.testing.assert_allclose(roof, available, atol=1e-9)


def test_shed_takes_reactive_load_along(decided):
    result = settled(decided, coal=0.0, gas=0.0)
    assert result.shed_mw.sum(axis=1).max() > 10
    coordinator, kept, _, _ = decided
    at_meters = np.zeros_like(result.load_mw)
    for site, bus in enumerate(coordinator.system.fleet.bus):
        at_meters[:, bus] += result.site_mw[:, site]
    stores, schedule = coordinator.system.stores, result.schedule
    for store in np.flatnonzero(stores.site < 0):
        at_meters[:, stores.bus[store]] += (schedule.charge_mw - schedule.discharge_mw)[:, store]
    served = result.load_mw - result.shed_mw
    np.testing.assert_allclose(result.injections.load_mw, served + at_meters, atol=1e-9)
    at_a = 0  # no site stands at bus a
    reactive = kept.forecast.load_mvar[:, at_a] * served[:, at_a] / result.load_mw[:, at_a]
    np.testing.assert_allclose(result.injections.load_mvar[:, at_a], reactive, atol=1e-9)


def test_stores_and_links_do_as_planned(decided):
    coordinator, kept, plan, _ = decided
    result, steps = settled(decided), kept.forecast.steps
    system, schedule = coordinator.system, result.schedule
    for name in ("charge_mw", "discharge_mw", "stored_mwh"):
        np.testing.assert_allclose(getattr(schedule, name), getattr(plan.grid, name)[:steps], atol=1e-6)
    fed = system.units.store >= 0
    assert plan.unit_mw[:steps, fed].max() > 1
    np.testing.assert_allclose(result.unit_mw[:, fed], plan.unit_mw[:steps, fed], atol=1e-6)
    dispatched = system.grid.link_dispatched
    np.testing.assert_array_equal(result.injections.link_mw[:, dispatched], plan.grid.link_mw[:steps])
    np.testing.assert_array_equal(result.injections.link_mw[:, ~dispatched], 5.0)


def test_links_hold_their_schedule_whatever_it_is(decided):
    """What the redispatch and AC are given is the schedule, not another optimum."""
    coordinator, kept, plan, record = decided
    asked = np.linspace(-6.0, 6.0, plan.grid.link_mw.shape[0])[:, None]
    changed = replace(plan, grid=replace(plan.grid, link_mw=asked))
    result = settle(coordinator.system, coordinator.ac_grid, kept, changed, record)
    tie = coordinator.system.grid.link.index("tie")
    np.testing.assert_array_equal(result.injections.link_mw[:, tie], asked[: kept.forecast.steps, 0])
    np.testing.assert_allclose(result.ac.slack_excess_mw, 0, atol=1e-6)


def test_an_empty_store_gives_nothing_and_others_step_in(decided):
    coordinator, kept, plan, record = decided
    stores, forecast = coordinator.system.stores, kept.forecast
    nothing = replace(
        kept,
        memory=replace(kept.memory, stored_mwh=np.zeros(len(stores.store))),
        forecast=replace(forecast, inflow_mw=np.zeros_like(forecast.inflow_mw)),
    )
    still = replace(plan, grid=replace(plan.grid, charge_mw=np.zeros_like(plan.grid.charge_mw)))
    result = settle(coordinator.system, coordinator.ac_grid, nothing, still, record)
    assert not result.schedule.stored_mwh.any()
    assert not result.schedule.discharge_mw.any()
    assert not output(decided, result, "hydro").any()
    assert plan.unit_mw[: forecast.steps, coordinator.system.units.unit.index("hydro")].max() > 1
    assert not result.shed_mw.any()
    np.testing.assert_allclose(result.ac.slack_excess_mw, 0, atol=1e-6)


def test_a_store_behind_the_meter_counts_at_its_site(decided):
    coordinator, _, plan, _ = decided
    site, store = coordinator.system.fleet.site.index("west"), coordinator.system.stores.store.index("backup")
    charge_mw = np.zeros_like(plan.grid.charge_mw)
    charge_mw[0, store] = 0.25
    idle = np.zeros_like(plan.grid.discharge_mw)
    changed = replace(plan, grid=replace(plan.grid, charge_mw=charge_mw, discharge_mw=idle))
    result = settle(coordinator.system, coordinator.ac_grid, *(decided[1], changed, decided[3]))
    np.testing.assert_allclose((result.site_mw - result.facility_mw)[0], np.where(np.arange(2) == site, 0.25, 0))


def test_losses_that_reactive_power_makes_do_not_scale_those_of_active_power(pocket, tmp_path):
    """At 1.01 pu reactive flow makes most losses of quiet hours, a multiple of what little active power flows."""
    study = pocket("policy=asap")
    raised = replace(study, grid=replace(study.grid, slack_vm_pu=1.01))
    coordinator = build(raised, RunFolder(tmp_path))
    memory = coordinator.run(initial_twin_state(raised)).memory
    assert memory.loss_rest_mw.max() > 0.01
    assert memory.loss_scale.max() == MOST_SCALE
