"""One HiGHS session: solve, add rows and columns, solve again from the last basis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import highspy
import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from gridtwin.errors import DispatchError
from gridtwin.optim.basis import Basis, factorised
from gridtwin.optim.order import Order
from gridtwin.optim.program import Program, Rows
from gridtwin.units import FloatArray, IntArray

__all__ = ["Session", "Solution"]

FEASIBILITY_TOLERANCE = 1e-7
SHARP = 5e-7  # violations beyond this are solved away without scaling
SCALING = 2  # HiGHS: equilibration
MIP_GAP = 1e-5  # relative; branching ends here, and what is left is recorded
MIP_NODES = 1_000  # and after as many programs
MIP_ITERATIONS = 30_000  # or as many iterations of the simplex, never by the clock: equal input gives equal output
ROUNDED_SHARE = 0.2  # of the integers that are not whole yet, in each step of the first dive
WHOLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """An optimum of a linear program, or of what is left of a mixed one once its integers are fixed at their best.

    A row's dual is the change of the objective per unit of its right-hand side.
    """

    value: FloatArray  # (column,)
    row_dual: FloatArray  # (row,)
    column_dual: FloatArray  # (column,) change of the objective per unit of the bound that holds it
    objective: float
    dual_objective: float
    primal_residual: float  # largest violation of a row or bound, absolute, in the unit of the row
    iterations: int
    mip_gap: float  # relative distance to the bound that branching proved; 0 without integers

    def at(self, columns: IntArray) -> FloatArray:
        """Values of columns, 0 where -1 stands for none."""
        return np.where(columns >= 0, self.value[columns], 0.0)


class Session:
    """A program held by HiGHS, solved by its serial dual simplex so that equal input gives equal output.

    Parameters
    ----------
    program : Program
    permute : int
        Seed of the order in which HiGHS gets columns and rows; 0: as they were written. All numbers that go in and come
        out are those of the program.
    """

    def __init__(self, program: Program, permute: int = 0) -> None:
        self._highs = _new_highs()
        self._rows = [program.assembled()]
        self._bounds = [program.column_bounds]
        self._integer = np.zeros(0, dtype=np.int64)
        self._integer_bounds = np.zeros(0), np.zeros(0)
        self._order = Order.drawn(permute, program.n_columns, program.n_rows)
        self._pass(program, self._rows[0])
        self._iterations = 0

    def _pass(self, program: Program, rows: Rows) -> None:
        ordered, column = self._order.sorted(rows), np.argsort(self._order.columns)
        matrix = sparse.csc_array(ordered.matrix)
        _check_finite("cost", program.cost)
        _check_finite("coefficient", matrix.data)
        lower, upper = program.column_bounds
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = program.n_columns, program.n_rows
        lp.col_cost_ = program.cost[column]
        lp.col_lower_, lp.col_upper_ = lower[column], upper[column]
        lp.row_lower_, lp.row_upper_ = ordered.lower, ordered.upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
        lp.a_matrix_.value_ = matrix.data
        _checked(self._highs.passModel(lp), "accept the program")

    @property
    def n_columns(self) -> int:
        """Columns now in the program."""
        return int(self._highs.getNumCol())

    def add_columns(self, number: int, cost: ArrayLike, lower: ArrayLike = 0.0, upper: ArrayLike = np.inf) -> IntArray:
        """Add `number` empty columns; cost and bounds broadcast. Returns their numbers."""
        first = self.n_columns
        costs, lowest, highest = (
            np.broadcast_to(np.asarray(v, dtype=np.float64), number) for v in (cost, lower, upper)
        )
        _check_finite("cost", costs)
        none, no_value = np.zeros(number, dtype=np.int32), np.zeros(0)
        _checked(
            self._highs.addCols(
                number, costs.copy(), lowest.copy(), highest.copy(), 0, none, no_value.astype(np.int32), no_value
            ),
            "add columns",
        )
        self._bounds.append((lowest, highest))
        self._order.add(columns=number)
        return first + np.arange(number, dtype=np.int64)

    def add_rows(self, rows: Rows) -> IntArray:
        """Add complete rows. Returns their numbers."""
        first = int(self._highs.getNumRow())
        matrix = rows.matrix
        _check_finite("coefficient", matrix.data)
        _checked(
            self._highs.addRows(
                len(rows.lower),
                rows.lower,
                rows.upper,
                matrix.nnz,
                matrix.indptr[:-1].astype(np.int32),
                self._order.columns[matrix.indices].astype(np.int32),
                matrix.data,
            ),
            "add rows",
        )
        self._rows.append(rows)
        self._order.add(rows=len(rows.lower))
        return first + np.arange(len(rows.lower), dtype=np.int64)

    def bound_rows(self, rows: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Give rows new bounds; the next solution goes on from the last basis."""
        at = self._order.rows[rows].astype(np.int32)
        _checked(self._highs.changeRowsBounds(len(rows), at, lower, upper), "change the bounds of rows")
        first = 0
        for place, block in enumerate(self._rows):
            own = (rows >= first) & (rows < first + len(block.lower))
            if own.any():
                bounds = block.lower.copy(), block.upper.copy()
                for bound, value in zip(bounds, (lower, upper), strict=True):
                    bound[rows[own] - first] = value[own]
                self._rows[place] = Rows(block.matrix, *bounds)
            first += len(block.lower)

    def blank(self) -> Program:
        """Return an empty program whose columns count on from this session's, to be filled and given to `extend`."""
        return Program(n_columns=self.n_columns)

    def extend(self, block: Program, integer: IntArray | None = None) -> IntArray:
        """Add the columns and rows of a `blank` that has been filled; `integer` columns may only be 0 or 1.

        Returns
        -------
        ndarray (row of the block,)
            Numbers of the rows.
        """
        lower, upper = block.column_bounds
        self.add_columns(len(block.cost), block.cost, lower, upper)
        if integer is not None:
            self._integer = np.concatenate([self._integer, integer])
        return self.add_rows(block.assembled())

    @property
    def n_integers(self) -> int:
        """Columns that may only be 0 or 1."""
        return len(self._integer)

    def solve(self) -> Solution:
        """Solve to optimality. Integers are found first and then held, so that there are duals.

        Raises
        ------
        DispatchError
            If HiGHS ends with anything but an optimum, naming its status.
        """
        gap = self._find_integers() if self.n_integers else 0.0
        return replace(self._solve_linear(), mip_gap=gap)

    def _find_integers(self) -> float:
        """Dive, then branch best bound first, and hold the best integers found. Returns the relative gap that is left.

        Every node is the same program with other bounds, solved from the last basis.
        """
        free = np.zeros(self.n_integers), np.ones(self.n_integers)
        root = self._node(*free)
        if np.isinf(root[0]):
            return 0.0  # solving what is held will say so
        best, integers = self._dive(*root)
        nodes, solved, enough = [(root[0], 0, root[1], *free)], 1, self._iterations + MIP_ITERATIONS
        while nodes and _promises_more(nodes[0][0], best) and self._iterations < enough and solved < MIP_NODES:
            _, _, value, *bounds = heappop(nodes)
            for child in _children(value, *bounds):
                (objective, value_there), solved = self._node(*child), solved + 1
                if objective < best and len(_loose(value_there)) == 0:
                    best, integers = objective, value_there.round()
                elif objective < best:
                    heappush(nodes, (objective, solved, value_there, *child))
        if np.isinf(best):
            raise DispatchError(f"no solution with whole values of {self.n_integers} integers in {solved} programs")
        self._hold(integers, integers)
        bound = min([best, *(node[0] for node in nodes[:1])])
        return (best - bound) / max(1.0, abs(best))

    def _dive(self, objective: float, value: FloatArray) -> tuple[float, FloatArray]:
        """Round a share of what is not whole, the nearest to whole first, and solve again, until all is.

        Returns the objective, inf where this ends without a solution, and the integers.
        """
        lower, upper = np.zeros(self.n_integers), np.ones(self.n_integers)
        while len(loose := _loose(value)) > 0 and np.isfinite(objective):
            chosen = loose[: max(1, int(ROUNDED_SHARE * len(loose)))]
            lower[chosen] = upper[chosen] = np.round(value[chosen])
            objective, value = self._node(lower, upper)
        return objective, value.round()

    def _node(self, lower: FloatArray, upper: FloatArray) -> tuple[float, FloatArray]:
        """Solve with these bounds of the integers. Returns the objective, inf where they leave no room, and them."""
        self._hold(lower, upper)
        status = self._run()
        if status == highspy.HighsModelStatus.kInfeasible:
            return np.inf, lower
        if status != highspy.HighsModelStatus.kOptimal:
            self._optimise()
        info, value = self._highs.getInfo(), np.asarray(self._highs.getSolution().col_value)
        self._iterations += max(info.simplex_iteration_count, 0)
        return float(info.objective_function_value), value[self._order.columns[self._integer]]

    def _hold(self, lower: FloatArray, upper: FloatArray) -> None:
        self._integer_bounds = lower, upper
        at = self._order.columns[self._integer].astype(np.int32)
        _checked(self._highs.changeColsBounds(len(at), at, lower, upper), "bound integers")

    def resume(self) -> Basis:
        """Go on from the present basis after bounds have moved, integers held, and return the one where that ends."""
        self._optimise()
        return self.basis()

    def _solve_linear(self) -> Solution:
        self._optimise()
        solution = self._solution()
        return solution if _sharp(solution) else self._sharpened()

    def _optimise(self) -> None:
        status = self._run()
        if status != highspy.HighsModelStatus.kOptimal:
            status = self._run_afresh()
        if status != highspy.HighsModelStatus.kOptimal:
            raise DispatchError(
                f"the solver ended with '{self._highs.modelStatusToString(status)}' instead of an optimum "
                f"({self._highs.getNumRow()} rows, {self._highs.getNumCol()} columns); "
                "load, lines, links and lateness have priced slacks, so look for a ramp, a limit or a profile that "
                "contradicts itself"
            )

    @property
    def cost(self) -> FloatArray:
        """Cost of each column (column,)."""
        return np.asarray(self._highs.getLp().col_cost_)[self._order.columns]

    def basis(self) -> Basis:
        """Return the basis of the last solution, of all columns and rows that the program holds.

        Raises
        ------
        DispatchError
            If the solver has no basis of full rank.
        """
        lp, basis, solution = self._highs.getLp(), self._highs.getBasis(), self._highs.getSolution()
        held, columns, rows = lp.a_matrix_, self._order.columns, self._order.rows
        entries = np.asarray(held.value_), np.asarray(held.index_), np.asarray(held.start_)
        matrix = sparse.csc_array(entries, shape=(lp.num_row_, lp.num_col_))
        basic = [
            np.array([entry == highspy.HighsBasisStatus.kBasic for entry in status], dtype=bool)
            for status in (basis.col_status, basis.row_status)
        ]

        def both(of_columns: ArrayLike, of_rows: ArrayLike) -> np.ndarray:
            return np.concatenate([np.asarray(of_columns)[columns], np.asarray(of_rows)[rows]])

        return factorised(
            sparse.csc_array(matrix[rows][:, columns]),
            both(*basic),
            both(solution.col_value, solution.row_value),
            both(lp.col_lower_, lp.row_lower_),
            both(lp.col_upper_, lp.row_upper_),
        )

    @contextmanager
    def moved(self, by: FloatArray) -> Iterator[None]:
        """Move the bounds of all rows by `by` (row,) for a while; the basis of before comes back, too."""
        moving, lp, basis = np.flatnonzero(by), self._highs.getLp(), self._highs.getBasis()
        rows, by = self._order.rows[moving].astype(np.int32), by[moving]
        lower, upper = np.asarray(lp.row_lower_)[rows], np.asarray(lp.row_upper_)[rows]
        _checked(self._highs.changeRowsBounds(len(rows), rows, lower + by, upper + by), "move rows")
        try:
            yield
        finally:
            _checked(self._highs.changeRowsBounds(len(rows), rows, lower, upper), "move rows back")
            _checked(self._highs.setBasis(basis), "take its basis back")

    @contextmanager
    def fixed(self, columns: IntArray, value: FloatArray) -> Iterator[None]:
        """Fix columns at values for a while; the basis of before comes back, too."""
        at, lp, basis = self._order.columns[columns].astype(np.int32), self._highs.getLp(), self._highs.getBasis()
        lower, upper = np.asarray(lp.col_lower_)[at], np.asarray(lp.col_upper_)[at]
        _checked(self._highs.changeColsBounds(len(at), at, value, value), "fix columns")
        try:
            yield
        finally:
            _checked(self._highs.changeColsBounds(len(at), at, lower, upper), "release columns")
            _checked(self._highs.setBasis(basis), "take its basis back")

    def _sharpened(self) -> Solution:
        """Go on from the optimum without scaling, which may hide violations beyond the tolerance.

        All but the basis is forgotten first: HiGHS 1.15 would return values that are still scaled.
        """
        basis = self._highs.getBasis()
        self._highs.clearSolver()
        _checked(self._highs.setBasis(basis), "take its basis back")
        _checked(self._highs.setOptionValue("simplex_scale_strategy", 0), "switch scaling off")
        self._run()
        solution = self._solution()
        _checked(self._highs.setOptionValue("simplex_scale_strategy", SCALING), "switch scaling on")
        return solution

    def _run(self) -> highspy.HighsModelStatus:
        self._highs.run()
        status: highspy.HighsModelStatus = self._highs.getModelStatus()
        return status

    def _run_afresh(self) -> highspy.HighsModelStatus:
        """Try once more without presolve: HiGHS 1.15 gives up on some programs right after it."""
        self._highs.clearSolver()
        _checked(self._highs.setOptionValue("presolve", "off"), "switch presolve off")
        status = self._run()
        _checked(self._highs.setOptionValue("presolve", "choose"), "switch presolve on")
        return status

    def _solution(self) -> Solution:
        info, solution = self._highs.getInfo(), self._highs.getSolution()
        self._iterations += max(info.simplex_iteration_count, 0)
        columns, rows = self._order.columns, self._order.rows
        value = np.asarray(solution.col_value)[columns]
        row_dual, column_dual = np.asarray(solution.row_dual)[rows], np.asarray(solution.col_dual)[columns]
        return Solution(
            value=value,
            row_dual=row_dual,
            column_dual=column_dual,
            objective=float(info.objective_function_value),
            dual_objective=self._dual_objective(row_dual, column_dual),
            primal_residual=self._primal_residual(value),
            iterations=self._iterations,
            mip_gap=0.0,
        )

    def _primal_residual(self, value: FloatArray) -> float:
        """Evaluate all rows and bounds at `value` from what was passed in, apart from the solver's own figure."""
        lower, upper = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
        of_rows = (
            _violation(rows.matrix @ value[: rows.matrix.shape[1]], rows.lower, rows.upper) for rows in self._rows
        )
        return max(_violation(value, lower, upper), *of_rows)

    def _dual_objective(self, row_dual: FloatArray, column_dual: FloatArray) -> float:
        """Evaluate the dual objective from multipliers and what was passed in, apart from the solver's own sum.

        It is infinite where a multiplier larger than `SHARP` points to a bound that is not there.
        """
        lower, upper = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
        lower[self._integer], upper[self._integer] = self._integer_bounds
        of_rows = (
            np.concatenate(part) for part in zip(*((rows.lower, rows.upper) for rows in self._rows), strict=True)
        )
        return _bounds_priced(row_dual, *of_rows) + _bounds_priced(column_dual, lower, upper)


def _promises_more(bound: float, best: float) -> bool:
    return np.isinf(best) or best - bound > MIP_GAP * max(1.0, abs(best))


def _children(value: FloatArray, lower: FloatArray, upper: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield bounds in which the least whole integer is 0, then 1."""
    place = _loose(value)[-1]
    for whole in (0.0, 1.0):
        bounds = lower.copy(), upper.copy()
        for bound in bounds:
            bound[place] = whole
        yield bounds


def _loose(value: FloatArray) -> IntArray:
    """Places of values that are not whole, the nearest to whole first."""
    off = np.abs(value - np.round(value))
    order = np.argsort(off, kind="stable")
    return order[off[order] > WHOLE].astype(np.int64)


def _sharp(solution: Solution) -> bool:
    return solution.primal_residual <= SHARP and bool(np.isfinite(solution.dual_objective))


def _violation(value: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return the largest distance of a value from its bounds; 0 where all hold."""
    return float(np.maximum(lower - value, value - upper).max(initial=0.0))


def _bounds_priced(multiplier: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Sum of multipliers times the bounds that they belong to."""
    bound = np.where(multiplier > 0, lower, upper)
    active = np.abs(multiplier) > SHARP
    return float(multiplier[active] @ bound[active])


def _new_highs() -> highspy.Highs:
    highs = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("solver", "simplex"),
        ("simplex_strategy", 1),
        ("threads", 1),
        ("random_seed", 0),
        ("primal_feasibility_tolerance", FEASIBILITY_TOLERANCE),
        ("dual_feasibility_tolerance", FEASIBILITY_TOLERANCE),
    ):
        _checked(highs.setOptionValue(option, value), f"take the option {option}")
    return highs


def _check_finite(what: str, values: FloatArray) -> None:
    """HiGHS itself lets NaN pass in costs and coefficients."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad) > 0:
        raise DispatchError(
            f"a {what} of the program is {values[bad[0]]} ({len(bad)} of {len(values)}); expected finite numbers: "
            "look for NaN in prices, profiles and network data"
        )


def _checked(status: highspy.HighsStatus, action: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise DispatchError(f"HiGHS refused to {action}; a coefficient, bound or cost is probably not finite")
