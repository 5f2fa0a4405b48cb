"""An optimal basis says what the solver says, on random programs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtwin.optim import Program, Session

SMALL = st.integers(0, 2**31)


def program_of(seed):
    """Rows and columns of every kind: equalities, ranges, boxes, fixed columns; slack at a price keeps it feasible."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(3, 12), rng.integers(2, 8)
    program = Program()
    upper = np.where(rng.random(n) < 0.2, 0.0, rng.uniform(1, 5, n))
    columns = program.columns((n,), upper=upper, cost=rng.normal(2, 2, n))
    middle = rng.normal(0, 4, m)
    width = np.where(rng.random(m) < 0.5, 0.0, rng.uniform(0, 3, m))
    rows = program.rows((m,), middle - width, middle)
    program.entries(rows[:, None], columns, np.where(rng.random((m, n)) < 0.6, rng.normal(0, 1, (m, n)), 0.0))
    for sign in (1.0, -1.0):
        program.entries(rows, program.columns((m,), cost=rng.uniform(10, 20, m)), sign)
    return program, rng


@given(SMALL)
@settings(max_examples=150, deadline=None)
def test_a_basis_prices_rows_as_the_solver_does(seed):
    program, _ = program_of(seed)
    session = Session(program)
    solution = session.solve()
    basis = session.basis()
    np.testing.assert_allclose(basis.price(session.cost), solution.row_dual, atol=1e-8)
    np.testing.assert_allclose(basis.value[: basis.n_columns], solution.value)
    assert basis.feasible
    reduced = session.cost - program.assembled().matrix.T @ solution.row_dual
    np.testing.assert_allclose(reduced, solution.column_dual, atol=1e-8)


@given(SMALL)
@settings(max_examples=150, deadline=None)
def test_an_optimum_moves_along_the_direction_as_far_as_it_reaches(seed):
    program, rng = program_of(seed)
    session = Session(program)
    solution = session.solve()
    basis, rate = session.basis(), rng.normal(0, 1, session.n_columns)
    by = rng.normal(0, 1, len(basis.basic))
    direction = basis.direction(by)
    place = np.arange(len(basis.basic))
    far = min(basis.reach(direction[:, None], place)[0], 1.0) * 0.5
    with session.moved(far * by):
        moved = session.resume()
    expected = np.concatenate([solution.value, np.zeros(len(by))])
    expected[basis.basic] = basis.value[basis.basic] + far * direction
    columns = expected[: basis.n_columns]
    np.testing.assert_allclose(session.cost @ columns, session.cost @ moved.value[: moved.n_columns], atol=1e-7)
    np.testing.assert_allclose(rate @ (columns - solution.value), far * basis.price(rate) @ by, atol=1e-7)
    np.testing.assert_allclose(session.solve().value, solution.value, atol=1e-9)
