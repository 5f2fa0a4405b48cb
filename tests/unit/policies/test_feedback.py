"""AC's say in a plan: what it asks for, what it leaves alone, and when it stops."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.dispatch import dispatch_grid
from gridtwin.grid.ac import AcGrid
from gridtwin.policies.feedback import AIM, MAX_PASSES, NEAR_PERCENT, Feedback, active_rate_mw, reviewer
from gridtwin.policies.grid_problem import pose_grid
from gridtwin.policies.losses import no_losses
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state

power = st.floats(-120, 120)


@pytest.fixture(scope="module")
def posed(pocket, tmp_path_factory):
    """Return what reviews plans, an observation, a grid problem and the draw of the sites."""
    study = pocket("policy=asap")
    coordinator = build(study, RunFolder(tmp_path_factory.mktemp("feedback")))
    observation = coordinator._observe(initial_twin_state(study))
    system, steps = coordinator.system, observation.forecast.steps
    site_mw = np.full((steps, len(system.fleet.site)), 3.0)
    problem = pose_grid(system, observation, no_losses(system, steps), site_mw)
    return Feedback(system, coordinator.ac_grid, 12, 100.0), observation, problem, site_mw


def reviewed(posed, grid):
    """Dispatch under review, with other ratings or voltage bands in AC. Returns the plan and the record."""
    feedback, observation, problem, site_mw = posed
    system = replace(feedback.system, grid=replace(feedback.system.grid, **grid))
    ac_grid = AcGrid(system.grid, system.units)
    review = reviewer(replace(feedback, system=system, ac_grid=ac_grid), observation)
    plan = dispatch_grid(problem, lambda plan: review(plan, site_mw))
    return plan, review.record()


def test_nobody_reviews_without_feedback(posed):
    assert reviewer(None, posed[1]) is None


def test_a_plan_that_ac_accepts_is_left_alone(posed):
    network = posed[0].system.grid
    wide = {"rate_mw": network.rate_mw * 3, "vm_min_pu": np.full(3, 0.5), "vm_max_pu": np.full(3, 1.5)}
    plan, record = reviewed(posed, wide)
    assert (record.passes, record.tightened, record.cuts, record.thermal_before, record.voltage_after) == (0,) * 5
    np.testing.assert_array_equal(plan.group_mw, dispatch_grid(posed[2]).group_mw)


def test_what_ac_finds_too_much_is_taken_off(posed):
    """AC holds a line to 0.75 of what the linear program believes; after the review it does, too."""
    unaware = dispatch_grid(posed[2])
    busiest = int(np.argmax((np.abs(unaware.flow_mw[:12]) / posed[2].rate_mw[:12]).max(axis=0)))
    grid = posed[0].system.grid
    rate_mw = grid.rate_mw.copy()
    rate_mw[busiest] = 0.75 * np.abs(unaware.flow_mw[:12, busiest]).max()
    plan, record = reviewed(posed, {"rate_mw": rate_mw, "vm_max_pu": np.full(3, 1.5), "vm_min_pu": np.full(3, 0.5)})
    assert record.thermal_before > 0
    assert record.thermal_after < record.thermal_before / 2
    assert 1 <= record.passes <= MAX_PASSES
    assert record.tightened > 0
    assert (plan.rate_mw <= np.maximum(rate_mw, posed[2].rate_mw)).all()
    np.testing.assert_array_equal(plan.rate_mw[12:], posed[2].rate_mw[12:])
    assert plan.solver.objective > unaware.solver.objective


def test_a_voltage_that_active_power_cannot_cure_is_only_counted(posed):
    """No cut, no further pass: 0.3 pu too much is nothing that moving a few MW would change."""
    _, record = reviewed(posed, {"vm_max_pu": np.full(3, 0.7), "rate_mw": np.full(3, np.inf)})
    assert (record.passes, record.cuts) == (0, 0)
    assert record.voltage_before == record.voltage_after == record.voltage_beyond_cure > 0


@given(
    st.lists(st.tuples(power, power, power, power, st.floats(-100, 100)), min_size=1, max_size=6),
    st.floats(20, 150),
)
def test_the_active_rate_keeps_the_fuller_end_within_the_rating(ends, rating):
    from_mw, from_mvar, to_mw, to_mvar, flow = (column[None] for column in np.array(ends).T)
    solution = type("Solution", (), {})()
    solution.from_mw, solution.from_mvar, solution.to_mw, solution.to_mvar = from_mw, from_mvar, to_mw, to_mvar
    apparent = np.maximum(np.hypot(from_mw, from_mvar), np.hypot(to_mw, to_mvar))
    solution.loading_percent = 100 * apparent / rating
    grid = type("Grid", (), {"rate_mw": np.full(len(ends), rating)})()
    limit = np.full_like(flow, 0.9 * rating)
    rate = active_rate_mw(solution, flow, limit, grid)
    near = solution.loading_percent >= NEAR_PERCENT
    np.testing.assert_array_equal(rate[~near], limit[~near])
    assert (rate >= 0).all()
    assert (rate <= rating).all()
    moved = rate - np.abs(flow)  # how much more active power that lets either end carry
    for p, q in ((from_mw, from_mvar), (to_mw, to_mvar)):
        possible = near & (np.abs(q) <= AIM * rating) & (rate > 0) & (np.abs(p) + moved >= 0)
        assert (np.hypot(np.abs(p) + moved, q)[possible] <= AIM * rating + 1e-6).all()
