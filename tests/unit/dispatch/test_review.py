"""A review may have a plan solved again: the answer is that of the tighter problem from the start."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import InjectionCuts, Tightening, dispatch_grid

RATE_MW = 55.0
KEPT = np.zeros(6, dtype=bool)


@pytest.fixture
def problem(hand_grid):
    load = np.random.default_rng(5).uniform(0, 1, (6, 3)) * [20.0, 60.0, 140.0]
    return hand_grid(steps=6, rate_mw=RATE_MW, load_mw=load, injection_mw=-load)


def cut(step, weight, lower_mw, price_per_mwh=200.0):
    """At `step`, `weight` @ injection >= `lower_mw`."""
    return InjectionCuts(np.array([step]), np.array([weight]), np.array([lower_mw]), np.array([price_per_mwh]))


def once(tightening):
    """Ask for one thing, then accept."""
    asked = [tightening]
    return lambda _plan: asked.pop() if asked else None


def test_a_review_that_accepts_changes_nothing(problem):
    seen = []
    plan = dispatch_grid(problem, seen.append)
    assert seen == [plan]
    np.testing.assert_array_equal(plan.group_mw, dispatch_grid(problem).group_mw)
    np.testing.assert_array_equal(plan.rate_mw, problem.rate_mw)
    assert len(plan.cuts) == 0


@pytest.mark.parametrize("share", [0.7, 0.95, 1.2])
def test_lower_and_higher_rates_are_those_of_a_fresh_problem(problem, share):
    rate_mw = problem.rate_mw.copy()
    rate_mw[:5] *= share
    plan = dispatch_grid(problem, once(Tightening(rate_mw, InjectionCuts.none(), KEPT)))
    fresh = dispatch_grid(replace(problem, rate_mw=rate_mw))
    assert plan.solver.objective == pytest.approx(fresh.solver.objective, rel=1e-9)
    assert plan.solver.objective != pytest.approx(dispatch_grid(problem).solver.objective, rel=1e-6)
    assert plan.solver.primal_residual < 1e-6
    assert plan.solver.dual_objective == pytest.approx(plan.solver.objective, rel=1e-9)
    np.testing.assert_array_equal(plan.rate_mw, rate_mw)
    assert (np.abs(plan.flow_mw) <= rate_mw + plan.overload_mw + 1e-6).all()


def test_a_cut_holds_and_is_in_the_price(hand_grid):
    """Unit 0 gives 100 at bus 0 for 10; 15 MW less there cost 20 a MWh each, and so is an MW at bus 0 worth 20 less."""
    plan = dispatch_grid(hand_grid(), once(Tightening(hand_grid().rate_mw, cut(0, [-1.0, 0.0, 0.0], -85.0), KEPT[:1])))
    np.testing.assert_allclose(plan.group_mw, [[85, 35]])
    np.testing.assert_allclose(plan.price_per_mwh, [[10, 30, 30]])
    assert plan.solver.objective == pytest.approx(850 + 1050)


def test_a_cut_gives_way_at_its_price(hand_grid):
    problem = replace(hand_grid(), cuts=cut(0, [-1.0, 0.0, 0.0], -85.0, price_per_mwh=7.0))
    plan = dispatch_grid(problem)
    np.testing.assert_allclose(plan.group_mw, [[100, 20]])
    assert plan.solver.objective == pytest.approx(1600 + 15 * 7)


def test_cuts_of_the_problem_and_of_reviews_add_up(problem):
    first, second = cut(1, [0.0, -1.0, 0.0], -5.0), cut(4, [-1.0, 0.5, 0.0], -30.0)
    plan = dispatch_grid(replace(problem, cuts=first), once(Tightening(problem.rate_mw, second, KEPT)))
    fresh = dispatch_grid(replace(problem, cuts=first.and_also(second)))
    assert plan.solver.objective == pytest.approx(fresh.solver.objective, rel=1e-9)
    np.testing.assert_array_equal(plan.cuts.step, [1, 4])
    np.testing.assert_array_equal(plan.cuts.within(np.ones(2, dtype=bool)).step, [1])


def test_lifted_cuts_hold_no_longer(problem):
    first, second = cut(1, [0.0, -1.0, 0.0], -5.0), cut(4, [-1.0, 0.5, 0.0], -30.0)
    lifted = np.arange(6) == 4
    given = replace(problem, cuts=first.and_also(second))
    plan = dispatch_grid(given, once(Tightening(problem.rate_mw, InjectionCuts.none(), lifted)))
    fresh = dispatch_grid(replace(problem, cuts=first))
    assert plan.solver.objective == pytest.approx(fresh.solver.objective, rel=1e-9)
    assert plan.solver.objective != pytest.approx(dispatch_grid(given).solver.objective, rel=1e-6)
    assert plan.solver.dual_objective == pytest.approx(plan.solver.objective, rel=1e-9)
    np.testing.assert_array_equal(plan.cuts.step, [1])
