from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    np.testing.assert_allclose(result.site_mw, decided[2].fleet.site_mw[:steps], atol=1e-9)
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
    at_sites = np.zeros_like(result.load_mw)
    for site, bus in enumerate(coordinator.system.fleet.bus):
        at_sites[:, bus] += result.site_mw[:, site]
    served = result.load_mw - result.shed_mw
    np.testing.assert_allclose(result.injections.load_mw, served + at_sites, atol=1e-9)
    at_a = 0  # no site stands at bus a
    reactive = kept.forecast.load_mvar[:, at_a] * served[:, at_a] / result.load_mw[:, at_a]
    np.testing.assert_allclose(result.injections.load_mvar[:, at_a], reactive, atol=1e-9)
