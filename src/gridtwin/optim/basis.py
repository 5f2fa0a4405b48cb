"""An optimal basis as a factorised object: prices of any rate, and how the optimum moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from gridtwin.errors import DispatchError
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["STANDS_STILL", "Basis", "factorised"]

STANDS_STILL = 1e-9  # a basic variable that moves less per unit does not move
ON_BOUND = 1e-7  # rounding of the solver


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Basis of `[A, -I] (x, r) = 0`: the variables are columns x, then the activities r of the rows."""

    basic: IntArray  # (row,) numbers of the basic variables
    value: FloatArray  # (column + row,)
    lower: FloatArray  # (column + row,)
    upper: FloatArray  # (column + row,)
    _factors: SuperLU

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.value) - len(self.basic)

    def price(self, rate: FloatArray) -> FloatArray:
        """Change of Σ rate · column per unit of each row's right-hand side, while this basis holds.

        Parameters
        ----------
        rate : ndarray (column,)
            Cost gives the duals of the rows; CO2 per unit gives what the optimum emits more.

        Returns
        -------
        ndarray (row,)
        """
        return np.asarray(self._factors.solve(self.of_basic(rate), trans="T"))

    def direction(self, right: FloatArray) -> FloatArray:
        """Change of the basic variables as bounds of rows move.

        Parameters
        ----------
        right : ndarray (row,) or (row, case)
            By how much each row's bounds move; a column of the unit matrix for the direction of a single row.

        Returns
        -------
        ndarray of the same shape, in the order of `basic`
        """
        if right.ndim == 1:
            return np.asarray(self._factors.solve(right))
        moved = [self._factors.solve(case) for case in right.T]  # SuperLU is many times slower at all of them at once
        return np.array(moved).reshape(right.T.shape).T

    def of_basic(self, rate: FloatArray | IntArray) -> FloatArray:
        """Pick from a rate (column,) those of the basic variables (row,); activities of rows have none."""
        return np.concatenate([rate, np.zeros(len(self.basic))])[self.basic]

    def reach(self, direction: FloatArray, place: IntArray) -> FloatArray:
        """How far one can go along a direction before a basic variable meets a bound.

        Parameters
        ----------
        direction : ndarray (moving, case)
            Change of those basic variables that move in any case.
        place : ndarray (moving,)
            Which they are, in the order of `basic`.

        Returns
        -------
        ndarray (case,)
            Multiples of the direction; infinite where nothing stops it, negative where `value` is beyond a bound.
        """
        value, lower, upper = (of[self.basic[place], None] for of in (self.value, self.lower, self.upper))
        room = np.where(direction > 0, upper - value, value - lower)
        steps = np.full(direction.shape, np.inf)
        np.divide(room, np.abs(direction), out=steps, where=np.abs(direction) > STANDS_STILL)
        return np.asarray(steps.min(axis=0, initial=np.inf))

    @property
    def feasible(self) -> bool:
        """Whether the basic variables keep their bounds at `value`, so that this basis is one of that point."""
        value, lower, upper = (bound[self.basic] for bound in (self.value, self.lower, self.upper))
        return bool((value >= lower - ON_BOUND).all() and (value <= upper + ON_BOUND).all())

    def at(self, other: Basis) -> Basis:
        """Return this basis at the point and within the bounds of another one of the same program."""
        return replace(self, value=other.value, lower=other.lower, upper=other.upper)


def factorised(
    matrix: sparse.csc_array, basic: BoolArray, value: FloatArray, lower: FloatArray, upper: FloatArray
) -> Basis:
    """Factorise a basis.

    Parameters
    ----------
    matrix : csc_array (row, column)
    basic, value, lower, upper : ndarray (column + row,)
        Status, value and bounds of columns, then of the activities of rows.

    Raises
    ------
    DispatchError
        If the basis does not have as many variables as there are rows, or is singular.
    """
    rows = matrix.shape[0]
    number = np.flatnonzero(basic)
    if len(number) != rows:
        raise DispatchError(f"the solver's basis has {len(number)} variables for {rows} rows; expected as many")
    whole = sparse.hstack([matrix, -sparse.eye_array(rows)], format="csc")
    try:
        factors = splu(sparse.csc_matrix(whole[:, number]))
    except RuntimeError as error:
        raise DispatchError(f"the solver's basis of {rows} rows cannot be factorised: {error}") from error
    return Basis(number.astype(np.int64), value, lower, upper, factors)
