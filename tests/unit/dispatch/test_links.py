"""What HVDC links do, against figures worked out by hand: b and c hang together, a only by the link from a to c."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_grid

CUT = np.array([[0.0, np.inf, np.inf]])  # the line ab of a path a-b-c carries nothing; ac is not there
PATH = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])


@pytest.fixture
def island(hand_units, hand_grid, hand_links):
    """Unit 0 at bus a, 200 MW at 10, unit 1 at bus b, 200 MW at 30; a link of 150 MW from a to c."""

    def build(load, **changes):
        units = hand_units([(0, 0.0, np.inf, [(200, 10, 0)]), (1, 0.0, np.inf, [(200, 30, 0)])])
        links = hand_links(rate_mw=np.array([[150.0]]))
        load = np.array([load], dtype=float)
        rest = {"load_mw": load, "injection_mw": -load, "rate_mw": CUT, "watched": CUT == 0, "links": links}
        problem = hand_grid(units, **(rest | changes))
        return replace(problem, network=replace(problem.network, ptdf=PATH))

    return build


def test_the_ratio_of_prices_is_what_arrives(island):
    """120 MW at c need 120 / 0.9 from a; a MWh at c takes 1 / 0.9 at a."""
    plan = dispatch_grid(island([0, 0, 120]))
    np.testing.assert_allclose(plan.link_mw, [[120 / 0.9]])
    np.testing.assert_allclose(plan.group_mw, [[120 / 0.9, 0]], atol=1e-9)
    np.testing.assert_allclose(plan.price_per_mwh, [[10, 10 / 0.9, 10 / 0.9]])
    np.testing.assert_allclose(plan.injection_mw, [[0, 0, 0]], atol=1e-9)
    assert plan.solver.objective == pytest.approx(10 * 120 / 0.9)


def test_the_other_way_it_is_sent_at_the_to_end(island):
    """36 MW at a that unit 0 cannot give need 40 from c."""
    plan = dispatch_grid(island([36, 0, 0], upper_mw=np.array([[0.0, 200.0]])))
    np.testing.assert_allclose(plan.link_mw, [[-40]])
    np.testing.assert_allclose(plan.group_mw, [[0, 40]], atol=1e-9)
    np.testing.assert_allclose(plan.price_per_mwh, [[30 / 0.9, 30, 30]])


def test_a_full_link_parts_the_prices(island, hand_links):
    """Of 50 MW 45 arrive; the rest costs 30. What a further MW of link would save: 0.9 · 30 - 10 = 17."""
    plan = dispatch_grid(island([0, 0, 120], links=hand_links()))
    np.testing.assert_allclose(plan.link_mw, [[50]])
    np.testing.assert_allclose(plan.group_mw, [[50, 75]])
    np.testing.assert_allclose(plan.price_per_mwh, [[10, 30, 30]])
    paid = float((plan.price_per_mwh * [0, 0, 120]).sum() - (plan.price_per_mwh[0, :2] * plan.group_mw[0]).sum())
    assert paid == pytest.approx(50 * 17), "the rent of the link, both ends and its losses in it"


def test_a_link_without_losses_needs_one_column(island, hand_links):
    ways = [dispatch_grid(island([0, 0, 120], links=hand_links(loss=np.array([loss])))) for loss in (0.0, 0.1)]
    assert [plan.solver.columns for plan in ways] == [ways[0].solver.columns, ways[0].solver.columns + 1]
    np.testing.assert_allclose(ways[0].group_mw, [[50, 70]])
