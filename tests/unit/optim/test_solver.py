from itertools import product

import highspy
import numpy as np
import pytest
from scipy import sparse

from gridtwin.errors import DispatchError
from gridtwin.optim import Program, Rows, Session


def diet(demand=10.0):
    """Cheapest way to `demand`: 6 at 1 each, then at 3 each; so 6 + 12 for ten, and 3 for one more."""
    program = Program()
    columns = program.columns((2,), upper=np.array([6.0, np.inf]), cost=np.array([1.0, 3.0]))
    program.entries(program.rows((1,), demand, np.inf), columns, 1.0)
    return program


class Returning:
    """A solver that does all that another does, and then returns a solution of its own."""

    def __init__(self, highs, solution):
        self._highs, self._returned = highs, solution

    def __getattr__(self, name):
        return getattr(self._highs, name)

    def getSolution(self):  # noqa: N802 - HiGHS's name
        return self._returned


def test_optimum_and_duals():
    solution = Session(diet()).solve()
    np.testing.assert_allclose(solution.value, [6, 4])
    np.testing.assert_allclose(solution.row_dual, [3])
    assert solution.objective == pytest.approx(18)
    assert solution.dual_objective == pytest.approx(18)
    assert solution.primal_residual < 1e-9


def test_a_dual_is_the_change_of_the_objective():
    more = Session(diet(10.5)).solve().objective - Session(diet(10.0)).solve().objective
    assert Session(diet()).solve().row_dual[0] == pytest.approx(more / 0.5)


def test_rows_and_columns_added_later_count():
    session = Session(diet())
    session.solve()
    slack = session.add_columns(1, cost=10.0)
    row = session.add_rows(Rows(sparse.csr_array([[0.0, 1.0, -1.0]]), np.array([-np.inf]), np.array([3.0])))
    solution = session.solve()
    np.testing.assert_array_equal([slack[0], row[0]], [2, 1])
    np.testing.assert_allclose(solution.value, [6, 4, 1])
    assert solution.objective == pytest.approx(18 + 10)
    assert solution.dual_objective == pytest.approx(18 + 10)


def test_the_residual_is_evaluated_from_what_was_passed_in(monkeypatch):
    """A solver that returns another point than it found is noticed, whatever it says of itself."""
    session = Session(diet())
    session.add_columns(1, cost=10.0)
    session.add_rows(Rows(sparse.csr_array([[0.0, 1.0, -1.0]]), np.array([-np.inf]), np.array([3.0])))
    assert session.solve().primal_residual < 1e-9
    highs = session._highs
    for point, residual in (
        ([6, 3.5, 0.5], 0.5),  # below the demand
        ([6.25, 3.75, 0.75], 0.25),  # above a column's upper bound
        ([-1, 11, 8], 1),  # below a column's lower bound
        ([6, 4, 0.2], 0.8),  # a row that came later
        ([5, 5, -0.125], 2.125),  # the same, and a column that came later below its bound
        ([5.875, 3.125, -1.5], 1.625),
        ([6, 4, 1], 0),
    ):
        returned = highspy.HighsSolution()
        returned.col_value, returned.row_dual, returned.col_dual = point, [0, 0], [0, 0, 0]
        monkeypatch.setattr(session, "_highs", Returning(highs, returned))
        assert session.solve().primal_residual == pytest.approx(residual, abs=1e-12)


def test_equal_programs_give_equal_bytes():
    first, second = (Session(diet()).solve() for _ in range(2))
    assert first.value.tobytes() == second.value.tobytes()
    assert first.row_dual.tobytes() == second.row_dual.tobytes()
    assert first.iterations == second.iterations


def test_no_optimum_is_an_error_that_names_the_status():
    program = diet()
    program.entries(program.rows((1,), -np.inf, 5.0), np.arange(2), 1.0)
    with pytest.raises(DispatchError, match="Infeasible"):
        Session(program).solve()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", ["cost", "coefficient", "lower"])
def test_what_is_not_finite_is_refused(place, bad):
    program = diet()
    values = dict.fromkeys(("cost", "coefficient", "lower"), 0.0) | {place: bad}
    columns = program.columns((1,), lower=values["lower"], cost=values["cost"])
    program.entries(program.rows((1,), 0.0, 1.0), columns, values["coefficient"])
    with pytest.raises(DispatchError, match="finite"):
        Session(program).solve()


def test_a_row_added_later_must_be_finite():
    session = Session(diet())
    with pytest.raises(DispatchError, match="coefficient of the program is nan"):
        session.add_rows(Rows(sparse.csr_array([[np.nan, 1.0]]), np.zeros(1), np.ones(1)))


def test_what_scaling_hides_is_solved_away_and_scaling_comes_back(monkeypatch):
    session = Session(diet())
    runs = []
    run = session._run
    monkeypatch.setattr(
        session, "_run", lambda: (runs.append(session._highs.getOptionValue("simplex_scale_strategy")[1]), run())[1]
    )
    monkeypatch.setattr("gridtwin.optim.solver._sharp", lambda _solution: False)
    assert session.solve().objective == pytest.approx(18)
    session.solve()
    assert runs == [2, 0, 2, 0]


def test_going_on_without_scaling_returns_values_that_are_not_scaled(monkeypatch):
    """The row that comes later lets x be 0.5; switching scaling off under a basis, HiGHS 1.15 says 1."""
    monkeypatch.setattr("gridtwin.optim.solver._sharp", lambda _solution: False)
    program = Program()
    column = program.columns((1,), upper=4.0, cost=-3.0)
    program.entries(program.rows((1,), -np.inf, 60.0), column, 8.4)
    session = Session(program)
    session.solve()
    session.add_rows(Rows(sparse.csr_array([[1.4]]), np.array([-np.inf]), np.array([0.7])))
    np.testing.assert_allclose(session.solve().value, [0.5])


def test_rows_get_new_bounds_wherever_they_were_added():
    session = Session(diet())
    added = session.add_rows(Rows(sparse.csr_array([[1.0, 0.0]]), np.array([0.0]), np.array([5.0])))
    np.testing.assert_allclose(session.solve().value, [5, 5])
    session.bound_rows(np.array([added[0], 0]), np.array([0.0, 12.0]), np.array([2.0, np.inf]))
    solution = session.solve()
    np.testing.assert_allclose(solution.value, [2, 10])
    assert solution.objective == pytest.approx(2 + 30)
    assert solution.dual_objective == pytest.approx(2 + 30)
    assert solution.primal_residual < 1e-9


def test_the_residual_knows_the_new_bounds():
    session = Session(diet())
    found = session.solve()
    session.bound_rows(np.array([0]), np.array([14.0]), np.array([np.inf]))
    assert session._primal_residual(found.value) == pytest.approx(4)


def test_columns_may_cost_differently():
    session = Session(diet())
    columns = session.add_columns(2, np.array([1.0, 2.0]))
    session.add_rows(Rows(sparse.csr_array([[0.0, 0.0, 1.0, 1.0]]), np.array([1.0]), np.array([np.inf])))
    np.testing.assert_allclose(session.solve().value[columns], [1, 0])


@pytest.fixture
def knapsack():
    """Three things of value 10, 9 and 9 and weight 6, 5 and 5 in a bag for 10.5; the relaxed one takes part of one."""

    def fill(session):
        block = session.blank()
        taken = block.columns((3,), upper=1.0, cost=np.array([-10.0, -9.0, -9.0]))
        row = block.rows((1,), -np.inf, 10.5)
        block.entries(row, taken, np.array([6.0, 5.0, 5.0]))
        return taken, session.extend(block, integer=taken)

    return fill


def test_integers_are_whole_and_then_fixed(knapsack):
    session = Session(diet())
    taken, row = knapsack(session)
    np.testing.assert_array_equal([*taken, *row], [2, 3, 4, 1])
    solution = session.solve()
    np.testing.assert_array_equal(solution.at(np.array([2, 3, 4, -1])), [0, 1, 1, 0])
    assert solution.objective == pytest.approx(18 - 18)
    assert solution.dual_objective == pytest.approx(solution.objective), "of the linear program that is left"
    np.testing.assert_allclose(solution.row_dual, [3, 0], err_msg="no more weight is worth anything to fixed things")
    assert solution.mip_gap <= 1e-8
    assert solution.primal_residual < 1e-9


def test_rows_added_after_branching_set_integers_free_again(knapsack):
    session = Session(diet())
    taken, _ = knapsack(session)
    session.solve()
    session.add_rows(Rows(sparse.csr_array([[0.0, 0.0, 0.0, 1.0, 1.0]]), np.array([-np.inf]), np.array([1.0])))
    np.testing.assert_array_equal(session.solve().value[taken], [1, 0, 0])


def test_the_gap_that_is_left_is_told(knapsack, monkeypatch):
    """Without branching it is what the relaxed program makes of the half a unit of weight that is left: 10 / 12."""
    session = Session(diet())
    knapsack(session)
    assert session.solve().mip_gap == 0
    monkeypatch.setattr("gridtwin.optim.solver.MIP_ITERATIONS", 0)
    dived = session.solve()
    assert dived.objective == pytest.approx(18 - 18)
    assert dived.mip_gap == pytest.approx(10 / 12)


def test_branching_finds_what_counting_finds():
    rng = np.random.default_rng(3)
    for _ in range(10):
        worth, weight = rng.uniform(1, 9, 7), rng.uniform(1, 9, (2, 7))
        session = Session(diet())
        block = session.blank()
        taken = block.columns((7,), upper=1.0, cost=-worth)
        block.entries(block.rows((2,), -np.inf, 15.0)[:, None], taken, weight)
        session.extend(block, integer=taken)
        ways = np.array(list(product([0, 1], repeat=7)))
        best = (ways @ worth)[(ways @ weight.T <= 15).all(axis=1)].max()
        solution = session.solve()
        assert solution.objective == pytest.approx(18 - best)
        assert solution.mip_gap <= 1e-7


def test_no_whole_solution_is_an_error(knapsack):
    session = Session(diet())
    taken, _ = knapsack(session)
    block = session.blank()
    block.entries(block.rows((1,), 0.25, 0.75), taken[:1], 1.0)
    session.extend(block)
    with pytest.raises(DispatchError, match="no solution with whole values of 3 integers"):
        session.solve()
