"""A program in another order: the same optimum, the same numbers for the same columns and rows."""

import numpy as np
import pytest
from scipy import sparse

from gridtwin.optim import Program, Rows, Session
from gridtwin.optim.order import Order

SEEDS = (1, 2, 3)


def transport(rng, sources=4, sinks=5):
    """Ship at least cost; random costs make the optimum unique."""
    program = Program()
    sent = program.columns(
        (sources, sinks), upper=rng.uniform(3, 6, (sources, sinks)), cost=rng.uniform(1, 9, (sources, sinks))
    )
    supply = program.rows((sources,), -np.inf, 20.0)
    demand = program.rows((sinks,), rng.uniform(4, 8, sinks), np.inf)
    program.entries(supply[:, None], sent, 1.0)
    program.entries(demand, sent, 1.0)
    return program, sent, demand


def both(seed, act):
    """Do the same with a program as it was written and in another order."""
    for permute in (0, seed):
        program, sent, demand = transport(np.random.default_rng(5))
        yield act(Session(program, permute), sent, demand)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_duals_are_those_of_the_program(seed):
    written, shuffled = both(seed, lambda session, *_: session.solve())
    for name in ("value", "row_dual", "column_dual", "objective", "dual_objective"):
        np.testing.assert_allclose(getattr(shuffled, name), getattr(written, name), atol=1e-7, err_msg=name)
    assert shuffled.primal_residual < 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_and_columns_that_come_later(seed):
    def act(session, sent, demand):
        session.solve()
        extra = session.add_columns(1, 0.5, 0.0, 2.0)
        row = sparse.csr_array(([1.0, 1.0], ([0, 0], [sent[1, 2], extra[0]])), shape=(1, session.n_columns))
        session.add_rows(Rows(row, np.array([2.5]), np.array([np.inf])))
        session.bound_rows(demand[:2], np.array([6.0, 1.0]), np.full(2, np.inf))
        return session.solve().value, session.cost

    for written, shuffled in zip(*both(seed, act), strict=True):
        np.testing.assert_allclose(shuffled, written, atol=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_bases_and_what_moves_for_a_while(seed):
    def act(session, sent, demand):
        solution = session.solve()
        price = session.basis().price(session.cost)
        by = np.zeros(len(solution.row_dual))
        by[demand[0]] = 0.1
        with session.moved(by):
            moved = session.resume().value[: session.n_columns]
        with session.fixed(sent[0, :1], np.array([1.0])):
            fixed = session.resume().value[sent[0, 0]]
        return price, moved, fixed

    for written, shuffled in zip(*both(seed, act), strict=True):
        np.testing.assert_allclose(shuffled, written, atol=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_integers(seed):
    def act(session, sent, _):
        session.solve()
        block = session.blank()
        whole = block.columns((2,), upper=1.0, cost=0.3)
        rows = block.rows((2,), 0.0, np.inf)
        block.entries(rows, whole, 10.0)
        block.entries(rows, sent[0, :2], -1.0)
        session.extend(block, integer=whole)
        solution = session.solve()
        return solution.value[whole], solution.objective

    (written, cost), (shuffled, same) = both(seed, act)
    np.testing.assert_allclose(shuffled, written, atol=1e-6)
    assert same == pytest.approx(cost)


def test_another_order_ends_at_another_of_many_optima():
    ends = set()
    for seed in range(6):
        program = Program()
        columns = program.columns((6,), upper=4.0, cost=1.0)
        program.entries(program.rows((1,), 10.0, np.inf), columns[None, :], 1.0)
        ends.add(tuple(Session(program, seed).solve().value.round(6).tolist()))
    assert len(ends) > 1
    assert {sum(end) for end in ends} == {10.0}


def test_zero_leaves_everything_where_it_is():
    order = Order.drawn(0, 3, 2)
    order.add(columns=1, rows=1)
    assert (order.columns.tolist(), order.rows.tolist()) == ([0, 1, 2, 3], [0, 1, 2])
