"""What prices say of themselves, against figures worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_grid
from gridtwin.dispatch.elements import Elements
from gridtwin.records import LossEstimate

LINES = ("ab", "ac", "bc")


def explain(problem):
    plan = dispatch_grid(problem, explain=True)
    return plan, plan.prices.explanation


def names(problem, numbers):
    words = Elements.of(problem.groups, len(LINES)).names(problem.groups, LINES)
    return [words[number] for number in np.ravel(numbers)]


def marginal(problem, explanation, step=0):
    return names(problem, np.flatnonzero(explanation.marginal[step]))


def test_three_buses_by_hand(hand_grid):
    """Prices 10, 30, 50 on a triangle, and 4,200 of rent.

    Unit 0 (10 per MWh) stands at a, unit 1 (30) at b, 120 MW of load at c, all lines alike and rated 70 MW. Two thirds
    of what a sends to c flow over ac, one third of what b sends: ac carries 2/3 u0 + 1/3 (120 - u0) = 40 + u0/3 <= 70,
    so u0 = 90 and u1 = 30. One MW more at a comes from unit 0, at b from unit 1. One MW more at c must not add to ac:
    unit 1 gives 2 MW and unit 0 takes 1 back, 2 · 30 - 10 = 50. One MW more of rating lets 3 MW move from unit 1 to
    unit 0, which saves 3 · 20 = 60. Load pays 120 · 50 = 6,000, the units get 90 · 10 + 30 · 30 = 1,800, and the
    difference is the rent of the line, 60 · 70 = 4,200.
    """
    problem = hand_grid(rate_mw=70.0)
    plan, why = explain(problem)
    np.testing.assert_allclose(plan.price_per_mwh, [[10, 30, 50]])
    np.testing.assert_allclose(plan.prices.shadow_price_per_mwh, [[0, 60, 0]], atol=1e-9)
    paid = -(plan.price_per_mwh * plan.injection_mw).sum()
    assert paid == pytest.approx(4200)
    assert paid == pytest.approx((plan.prices.shadow_price_per_mwh * problem.rate_mw).sum())
    assert names(problem, why.set_by) == ["unit:u0:1", "unit:u1:1", "unit:u1:1"]
    assert marginal(problem, why) == ["unit:u0:1", "unit:u1:1"]
    assert not why.degenerate.any()
    assert not why.penalised.any()
    np.testing.assert_allclose(why.low_per_mwh, plan.price_per_mwh)
    np.testing.assert_allclose(why.high_per_mwh, plan.price_per_mwh)
    np.testing.assert_allclose(why.slack_fixed_per_mwh, plan.price_per_mwh)


def test_how_far_a_price_stands(hand_grid):
    """At a unit 0 has 10 MW left, at b unit 1 runs at 30 MW, and 10 MW less at c bring unit 0 to its 100 MW."""
    _, why = explain(hand_grid(rate_mw=70.0))
    np.testing.assert_allclose(why.reach_mw, [[10, 30, 10]])


def test_parts_of_a_price_add_up(hand_grid):
    losses = LossEstimate(np.array([5.0]), np.array([[0.06, 0.02, 0.0]]), np.zeros((1, 3)), np.zeros((1, 3)))
    plan = dispatch_grid(hand_grid(rate_mw=70.0, losses=losses))
    prices = plan.prices
    assert prices.energy_per_mwh == pytest.approx(plan.price_per_mwh[:, 2])
    np.testing.assert_allclose(prices.loss_per_mwh, -prices.energy_per_mwh[:, None] * [[0.06, 0.02, 0]])
    parts = prices.energy_per_mwh[:, None] + prices.congestion_per_mwh + prices.loss_per_mwh
    np.testing.assert_array_equal(parts, plan.price_per_mwh)
    np.testing.assert_allclose(plan.price_per_mwh[0, :2], [10, 30])


def test_a_price_on_a_step_of_the_curve_has_two_sides(hand_grid):
    """At 100 MW of load unit 0 is just full: less would save 10, more costs 30."""
    load = np.array([[0.0, 0.0, 100.0], [0.0, 0.0, 99.0]])
    plan, why = explain(hand_grid(steps=2, load_mw=load, injection_mw=-load))
    np.testing.assert_allclose(why.low_per_mwh, 10)
    np.testing.assert_allclose(why.high_per_mwh, [[30] * 3, [10] * 3])
    np.testing.assert_array_equal(why.degenerate, [[True] * 3, [False] * 3])
    assert (why.low_per_mwh - 1e-9 <= plan.price_per_mwh).all()
    assert (plan.price_per_mwh <= why.high_per_mwh + 1e-9).all()


def test_both_sides_of_a_price_where_a_line_is_just_full(hand_grid):
    """At 70 MW a line, 90 + 30 MW bring ac to its limit; rated by what flows anyway (80/3 + 120/3), it just binds."""
    problem = hand_grid(rate_mw=220 / 3, watched=np.ones((1, 3), dtype=bool))
    _, why = explain(problem)
    one, other = (dispatch_grid(replace(problem, injection_mw=problem.injection_mw - by)) for by in (-ONE_C, ONE_C))
    np.testing.assert_allclose(why.low_per_mwh[0, 2], one.price_per_mwh[0, 2])
    np.testing.assert_allclose(why.high_per_mwh[0, 2], other.price_per_mwh[0, 2])
    assert why.degenerate[0, 2]


ONE_C = np.array([[0.0, 0.0, 1e-3]])


def test_shed_sets_a_price_that_is_told_again_without_it(hand_grid):
    """30 MW are shed at 1000; with those 30 MW gone for good, a MWh less would save unit 1's 30."""
    load = np.array([[0.0, 0.0, 230.0], [0.0, 0.0, 120.0]])
    problem = hand_grid(steps=2, load_mw=load, injection_mw=-load)
    plan, why = explain(problem)
    np.testing.assert_array_equal(why.penalised, [[True] * 3, [False] * 3])
    np.testing.assert_allclose(plan.price_per_mwh, [[1000] * 3, [30] * 3])
    np.testing.assert_allclose(why.slack_fixed_per_mwh, 30)
    assert names(problem, why.set_by) == ["shed"] * 3 + ["unit:u1:1"] * 3


def test_an_overload_sets_a_price_that_is_told_again_without_it(hand_grid):
    """At 50 MW a line, c pays for overloads of both lines; held as they are, the cheapest way is 2 · 30 - 10 again."""
    problem = hand_grid(rate_mw=50.0, load_mw=np.array([[0.0, 0.0, 108.0]]), injection_mw=np.array([[0, 0, -108.0]]))
    plan, why = explain(problem)
    over = {name for name in marginal(problem, why) if name.startswith("overload")}
    assert over <= {"overload:ac", "overload:bc"}
    assert why.penalised[0, 2]
    assert plan.price_per_mwh[0, 2] > 100
    assert why.slack_fixed_per_mwh[0, 2] < 100


def test_spill_sets_a_price_that_is_told_again_without_it(hand_grid):
    """Floors of 150 MW against 120: a MWh more would save the dumping at 100; if that is held, unit 0 gives it."""
    problem = hand_grid(lower_mw=np.array([[70.0, 80.0]]))
    plan, why = explain(problem)
    np.testing.assert_allclose(plan.price_per_mwh, -100)
    assert names(problem, why.set_by) == ["spill"] * 3
    np.testing.assert_allclose(why.slack_fixed_per_mwh, 10)


def test_marginal_co2_is_that_of_the_units_that_move(hand_units, hand_grid):
    """At c unit 1 gives 2 MW and unit 0 takes 1 MW back: 2 · 400 - 900 kg; at a and b their own units move."""
    units = hand_units([(0, 0.0, np.inf, [(100.0, 10.0, 900.0)]), (1, 0.0, np.inf, [(100.0, 30.0, 400.0)])])
    _, why = explain(hand_grid(units, rate_mw=70.0))
    np.testing.assert_allclose(why.marginal_co2_kg_per_mwh, [[900, 400, -100]])


def test_a_price_of_nothing_has_a_setter(hand_units, hand_grid):
    """Wind that is there to spare sets a price of 0."""
    units = hand_units([(0, 0.0, np.inf, [(200.0, 0.0, 0.0)]), (1, 0.0, np.inf, [(100.0, 30.0, 400.0)])])
    problem = hand_grid(units)
    plan, why = explain(problem)
    np.testing.assert_array_equal(plan.price_per_mwh, 0)
    assert names(problem, why.set_by) == ["unit:u0:1"] * 3


def test_a_ramp_lets_another_hour_set_the_price(hand_units, hand_grid):
    """Unit 0 ramps 30 MW a step: one MW more now lets it give one more later, too, in place of unit 1: 10 - 20."""
    units = hand_units([(0, 0.0, 30.0, [(200.0, 10.0, 0.0)]), (1, 0.0, np.inf, [(200.0, 30.0, 0.0)])])
    load = np.array([[0.0, 0.0, 40.0], [0.0, 0.0, 120.0]])
    problem = hand_grid(units, steps=2, load_mw=load, injection_mw=-load)
    plan, why = explain(problem)
    np.testing.assert_allclose(plan.price_per_mwh, [[-10] * 3, [30] * 3])
    assert names(problem, why.set_by) == ["unit:u1:1"] * 6
    assert marginal(problem, why, 0) == ["unit:u0:1", "unit:u1:1"]
    assert marginal(problem, why, 1) == ["unit:u1:1"]


def test_explaining_changes_nothing(hand_grid):
    load = np.array([[0.0, 0.0, 230.0], [0.0, 0.0, 100.0]])
    problem = hand_grid(steps=2, rate_mw=90.0, load_mw=load, injection_mw=-load)
    plain, (plan, _) = dispatch_grid(problem), explain(problem)
    np.testing.assert_array_equal(plain.price_per_mwh, plan.price_per_mwh)
    np.testing.assert_array_equal(plain.group_mw, plan.group_mw)
    assert plain.solver == plan.solver
    assert plain.prices.explanation is None
