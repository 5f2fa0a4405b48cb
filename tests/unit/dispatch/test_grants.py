import numpy as np
import pytest

from gridtwin.dispatch import PooledWork
from gridtwin.dispatch.grants import fit, grants


@pytest.fixture
def pooled():
    """Decisions of a program from starts, places and flows; nothing else is planned."""

    def make(start, placed, moved):
        none = np.zeros((len(start), placed.shape[3], placed.shape[1]))
        return PooledWork(start, placed, moved, none, none, none, none, none)

    return make


def test_fit_keeps_a_table_that_fits():
    table = np.array([[3.0, 1.0], [0.0, 4.0]])
    np.testing.assert_allclose(fit(table, table.sum(axis=1), table.sum(axis=0)), table)


def test_fit_spreads_in_proportion():
    np.testing.assert_allclose(
        fit(np.ones((2, 2)), np.array([6.0, 2.0]), np.array([4.0, 4.0])), [[3, 3], [1, 1]], rtol=1e-12
    )


def test_fit_meets_margins_and_keeps_zeros():
    rng = np.random.default_rng(2)
    seed = rng.uniform(0.1, 2, (5, 3, 4))
    seed[:, 0, 1] = 0.0
    wanted = seed * rng.uniform(0.5, 2, seed.shape)
    table = fit(seed, wanted.sum(axis=2), wanted.sum(axis=1))
    np.testing.assert_allclose(table.sum(axis=2), wanted.sum(axis=2), rtol=1e-12)
    np.testing.assert_allclose(table.sum(axis=1), wanted.sum(axis=1), rtol=1e-6)
    assert (table[:, 0, 1] == 0).all()
    assert (table >= 0).all()


def test_fit_of_nothing_is_nothing():
    np.testing.assert_array_equal(fit(np.ones((2, 2)), np.zeros(2), np.zeros(2)), np.zeros((2, 2)))


def test_origins_share_starts_by_what_they_have_waiting(hand_work, pooled):
    """Origin 0 has 6 nodes waiting, origin 1 has 2; 3 and 1 of them are to leave, then 3 and 1 again."""
    work = hand_work(shape=(2, 1, 1, 1), released_nodes=np.array([[6.0, 2.0], [0.0, 0.0]]))
    start = np.full((2, 1, 1, 1), 4.0)
    plan = grants(work, pooled(start, start, np.array([[[[3.0]], [[1.0]]]] * 2)))
    np.testing.assert_allclose(plan.release_nodes, [[3, 1], [3, 1]], atol=0.02)
    np.testing.assert_allclose(plan.release_nodes.sum(axis=1), 4)
    np.testing.assert_allclose(plan.route_nodes[:, :, 0, 0, 0], plan.release_nodes)


def test_what_leaves_an_origin_can_go_where_it_may(hand_work, pooled):
    """Two origins with 4 nodes each, of which origin 0 reaches site 0 only; the plan sends origin 1 to site 1."""
    work = hand_work(
        steps=1,
        shape=(2, 1, 1, 1),
        sites=2,
        released_nodes=np.array([[4.0, 4.0]]),
        route_allowed=np.array([[[True, False]], [[True, True]]]),
    )
    placed, moved = np.array([[[[0.0, 4.0]]]]), np.array([[[[0.0, 0.0]], [[0.0, 4.0]]]])
    plan = grants(work, pooled(np.full((1, 1, 1, 1), 4.0), placed, moved))
    np.testing.assert_allclose(plan.release_nodes, [[0, 4]], atol=0.1)
    np.testing.assert_allclose(plan.route_nodes[0, :, 0, 0], [[0, 0], [0, 4]], atol=0.1)


def test_routes_follow_what_moves(hand_work, pooled):
    """Two origins with 4 nodes each, two sites with 4 each; the plan moves 0 to 1 and 1 to 0, and so do the grants."""
    work = hand_work(steps=1, shape=(2, 1, 1, 1), sites=2, released_nodes=np.array([[4.0, 4.0]]))
    placed, moved = np.full((1, 1, 1, 2), 4.0), np.array([[[[0.0, 4.0]], [[4.0, 0.0]]]])
    plan = grants(work, pooled(np.full((1, 1, 1, 1), 8.0), placed, moved))
    np.testing.assert_allclose(plan.route_nodes[0, :, 0, 0], [[0, 4], [4, 0]], atol=0.05)


def test_a_release_is_never_more_than_what_waits(hand_work, pooled):
    work = hand_work(steps=1, released_nodes=np.array([[4.0]]))
    more = np.full((1, 1, 1, 1), 4.0 + 1e-9)
    plan = grants(work, pooled(more, more, more))
    assert plan.release_nodes[0, 0] == pytest.approx(4.0, abs=1e-15)
