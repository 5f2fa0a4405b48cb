"""What a dispatch of the grid does, against figures worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_grid
from gridtwin.records import LossEstimate

ZERO = np.zeros((1, 3))


def test_cheap_first(hand_grid):
    plan = dispatch_grid(hand_grid())
    np.testing.assert_allclose(plan.group_mw, [[100, 20]])
    np.testing.assert_allclose(plan.price_per_mwh, [[30, 30, 30]])
    np.testing.assert_allclose(plan.flow_mw, [[80 / 3, 220 / 3, 140 / 3]])
    assert plan.solver.objective == pytest.approx(1600)


def test_a_full_line_parts_the_prices(hand_grid):
    """Line ac carries 40 + u0/3, so u0 = 90. One more MW at c takes 1 MW from unit 0 and 2 from unit 1: 60 - 10."""
    plan = dispatch_grid(hand_grid(rate_mw=70.0))
    np.testing.assert_allclose(plan.group_mw, [[90, 30]])
    np.testing.assert_allclose(plan.flow_mw, [[20, 70, 50]])
    np.testing.assert_allclose(plan.price_per_mwh, [[10, 30, 50]])


def test_congestion_rent_is_what_consumers_pay_more_than_generators_get(hand_grid):
    plan = dispatch_grid(hand_grid(rate_mw=70.0))
    paid = float((plan.price_per_mwh * -plan.injection_mw).sum())
    shadow_price = 3 * (50 - 30)  # one MW more on ac lets 3 MW move from unit 1 to unit 0
    assert paid == pytest.approx(shadow_price * 70)


def test_an_overload_costs_what_it_exceeds(hand_grid):
    """At 50 MW a line, 100 MW arrive; every further 2 MW overload both lines by one each, 500 against 1000 of shed."""
    plan = dispatch_grid(hand_grid(rate_mw=50.0))
    overload, shed = plan.overload_mw.sum(), plan.shed_mw.sum()
    assert overload + shed == pytest.approx(20)
    units = float((plan.group_mw * [10, 30]).sum())
    assert plan.solver.objective == pytest.approx(units + 500 * overload + 1000 * shed)
    assert overload > 1


@pytest.mark.parametrize("watched", [False, True])
def test_rows_added_lazily_give_the_program_with_all_rows(hand_grid, watched):
    rng = np.random.default_rng(5)
    load = rng.uniform(0, 1, (6, 3)) * [20.0, 60.0, 140.0]
    plan = dispatch_grid(
        hand_grid(steps=6, rate_mw=55.0, load_mw=load, injection_mw=-load, watched=np.full((6, 3), watched))
    )
    assert (np.abs(plan.flow_mw) <= 55.0 + plan.overload_mw + 1e-6).all()
    assert plan.solver.rounds == 1 if watched else plan.solver.rounds > 1
    assert plan.binding.all() if watched else 0 < plan.binding.sum() < 18
    every = dispatch_grid(
        hand_grid(steps=6, rate_mw=55.0, load_mw=load, injection_mw=-load, watched=np.ones((6, 3), dtype=bool))
    )
    assert plan.solver.objective == pytest.approx(every.solver.objective, rel=1e-9)
    np.testing.assert_allclose(plan.price_per_mwh, every.price_per_mwh, atol=1e-6)


def test_lines_without_a_rating_are_never_written(hand_grid):
    plan = dispatch_grid(hand_grid(watched=np.ones((1, 3), dtype=bool)))
    assert not plan.binding.any()
    assert plan.solver.rows == 1


@pytest.fixture
def lossy(hand_grid):
    losses = LossEstimate(
        losses_mw=np.array([5.0]),
        factor=np.array([[0.06, 0.02, 0.0]]),
        reference_injection_mw=np.array([[70.0, 55.0, -120.0]]),
        bus_losses_mw=np.array([[2.0, 1.0, 2.0]]),
    )
    return hand_grid(rate_mw=62.0, losses=losses)


@pytest.mark.parametrize("bus", range(3))
def test_a_price_is_the_change_of_cost_per_mwh_of_load(lossy, bus):
    step = 0.01

    def cost(more_mw):
        return dispatch_grid(
            replace(lossy, injection_mw=lossy.injection_mw - more_mw * np.eye(3)[bus])
        ).solver.objective

    price = dispatch_grid(lossy).price_per_mwh[0]
    assert len(set(price.round(3))) == 3, "losses and congestion part the buses"
    assert price[bus] == pytest.approx((cost(step) - cost(-step)) / (2 * step), abs=1e-6)


def test_a_price_is_per_mwh_whatever_the_step(lossy):
    quarter = dispatch_grid(replace(lossy, step_h=0.25))
    np.testing.assert_allclose(quarter.price_per_mwh, dispatch_grid(lossy).price_per_mwh)
    assert quarter.solver.objective == pytest.approx(dispatch_grid(lossy).solver.objective / 4)


def test_injection_covers_losses_about_the_reference(lossy):
    plan = dispatch_grid(lossy)
    expected = 5.0 + (plan.injection_mw - lossy.losses.reference_injection_mw) @ [0.06, 0.02, 0.0]
    np.testing.assert_allclose(plan.losses_mw, expected[:1].sum(axis=-1))
    np.testing.assert_allclose(plan.injection_mw.sum(axis=1), plan.losses_mw)


def test_shed_when_units_do_not_suffice(hand_grid):
    load = np.array([[0.0, 0.0, 230.0]])
    plan = dispatch_grid(hand_grid(load_mw=load, injection_mw=-load))
    np.testing.assert_allclose(plan.shed_mw, [[0, 0, 30]])
    np.testing.assert_allclose(plan.price_per_mwh, [[1000, 1000, 1000]])


def test_spill_when_more_must_be_taken_than_is_used(hand_grid):
    plan = dispatch_grid(hand_grid(lower_mw=np.array([[100.0, 50.0]])))
    np.testing.assert_allclose(plan.spill_mw, [30])
    np.testing.assert_allclose(plan.price_per_mwh, [[-100, -100, -100]])
    np.testing.assert_allclose(plan.injection_mw, [[100, 50, -150]])


def test_carbon_reorders_units(hand_units, hand_grid):
    units = hand_units([(0, 0.0, np.inf, [(100.0, 10.0, 1000.0)]), (1, 0.0, np.inf, [(100.0, 30.0, 0.0)])])
    problem = hand_grid(units)
    dear = replace(problem, penalties=replace(problem.penalties, carbon_per_t=25.0))
    np.testing.assert_allclose(dispatch_grid(problem).group_mw, [[100, 20]])
    np.testing.assert_allclose(dispatch_grid(dear).group_mw, [[20, 100]])
    np.testing.assert_allclose(dispatch_grid(dear).price_per_mwh, [[35, 35, 35]])


def test_ramps_from_the_output_before(hand_units, hand_grid):
    """Unit 0 gave 40 MW and moves by 30 MW/h: 55 and 70 MW after steps of half an hour."""
    units = hand_units([(0, 0.0, 30.0, [(100.0, 10.0, 0.0)]), (1, 0.0, np.inf, [(100.0, 30.0, 0.0)])])
    problem = hand_grid(units, steps=2, step_h=0.5)
    bound = replace(problem, initial_mw=np.array([40.0, 0.0]))
    np.testing.assert_allclose(dispatch_grid(bound).group_mw[:, 0], [55, 70])
    np.testing.assert_allclose(dispatch_grid(problem).group_mw[:, 0], [100, 100])
