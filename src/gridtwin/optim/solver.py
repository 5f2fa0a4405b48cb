"""One HiGHS session: solve, add rows and columns, solve again from the last basis."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from gridtwin.errors import DispatchError
from gridtwin.optim.program import Program, Rows
from gridtwin.units import FloatArray, IntArray

__all__ = ["Session", "Solution"]

FEASIBILITY_TOLERANCE = 1e-7
SHARP = 5e-7  # violations beyond this are solved away without scaling
SCALING = 2  # HiGHS: equilibration


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """An optimum of a linear program.

    A row's dual is the change of the objective per unit of its right-hand side.
    """

    value: FloatArray  # (column,)
    row_dual: FloatArray  # (row,)
    objective: float
    dual_objective: float
    primal_residual: float  # largest violation of a row or bound, absolute, in the unit of the row
    iterations: int


class Session:
    """A program held by HiGHS, solved by its serial dual simplex so that equal input gives equal output."""

    def __init__(self, program: Program) -> None:
        self._highs = _new_highs()
        self._rows = [program.assembled()]
        self._bounds = [program.column_bounds]
        self._pass(program, self._rows[0])
        self._iterations = 0

    def _pass(self, program: Program, rows: Rows) -> None:
        matrix = sparse.csc_array(rows.matrix)
        _check_finite("cost", program.cost)
        _check_finite("coefficient", matrix.data)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = program.n_columns, program.n_rows
        lp.col_cost_ = program.cost
        lp.col_lower_, lp.col_upper_ = program.column_bounds
        lp.row_lower_, lp.row_upper_ = rows.lower, rows.upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
        lp.a_matrix_.value_ = matrix.data
        _checked(self._highs.passModel(lp), "accept the program")

    @property
    def n_columns(self) -> int:
        """Columns now in the program."""
        return int(self._highs.getNumCol())

    def add_columns(self, number: int, cost: float | FloatArray) -> IntArray:
        """Add `number` empty columns in [0, inf) at `cost` each, or (column,) costs. Returns their numbers."""
        first = self.n_columns
        empty = np.zeros(0)
        _checked(
            self._highs.addCols(
                number,
                np.broadcast_to(np.asarray(cost, dtype=np.float64), number).copy(),
                np.zeros(number),
                np.full(number, np.inf),
                0,
                np.zeros(number, dtype=np.int32),
                empty.astype(np.int32),
                empty,
            ),
            "add columns",
        )
        self._bounds.append((np.zeros(number), np.full(number, np.inf)))
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
                matrix.indices.astype(np.int32),
                matrix.data,
            ),
            "add rows",
        )
        self._rows.append(rows)
        return first + np.arange(len(rows.lower), dtype=np.int64)

    def bound_rows(self, rows: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Give rows new bounds; the next solution goes on from the last basis."""
        _checked(
            self._highs.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper), "change the bounds of rows"
        )
        first = 0
        for place, block in enumerate(self._rows):
            own = (rows >= first) & (rows < first + len(block.lower))
            if own.any():
                bounds = block.lower.copy(), block.upper.copy()
                for bound, value in zip(bounds, (lower, upper), strict=True):
                    bound[rows[own] - first] = value[own]
                self._rows[place] = Rows(block.matrix, *bounds)
            first += len(block.lower)

    def solve(self) -> Solution:
        """Solve to optimality.

        Raises
        ------
        DispatchError
            If HiGHS ends with anything but an optimum, naming its status.
        """
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
        solution = self._solution()
        return solution if _sharp(solution) else self._sharpened()

    def _sharpened(self) -> Solution:
        """Go on from the optimum without scaling, which may hide violations beyond the tolerance."""
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
        value = np.asarray(solution.col_value)
        return Solution(
            value=value,
            row_dual=np.asarray(solution.row_dual),
            objective=float(info.objective_function_value),
            dual_objective=_dual_objective(self._highs.getLp(), solution),
            primal_residual=self._primal_residual(value),
            iterations=self._iterations,
        )

    def _primal_residual(self, value: FloatArray) -> float:
        """Evaluate all rows and bounds at `value` from what was passed in, apart from the solver's own figure."""
        lower, upper = (np.concatenate(part) for part in zip(*self._bounds, strict=True))
        of_rows = (
            _violation(rows.matrix @ value[: rows.matrix.shape[1]], rows.lower, rows.upper) for rows in self._rows
        )
        return max(_violation(value, lower, upper), *of_rows)


def _sharp(solution: Solution) -> bool:
    return solution.primal_residual <= SHARP and bool(np.isfinite(solution.dual_objective))


def _violation(value: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return the largest distance of a value from its bounds; 0 where all hold."""
    return float(np.maximum(lower - value, value - upper).max(initial=0.0))


def _dual_objective(lp: highspy.HighsLp, solution: highspy.HighsSolution) -> float:
    """Evaluate the dual objective from multipliers and bounds, apart from the solver's own sum.

    It is infinite where a multiplier larger than `SHARP` points to a bound that is not there.
    """
    total = lp.offset_
    for dual, lower, upper in (
        (solution.row_dual, lp.row_lower_, lp.row_upper_),
        (solution.col_dual, lp.col_lower_, lp.col_upper_),
    ):
        multiplier = np.asarray(dual)
        bound = np.where(multiplier > 0, np.asarray(lower), np.asarray(upper))
        active = np.abs(multiplier) > SHARP
        total += float(multiplier[active] @ bound[active])
    return total


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
