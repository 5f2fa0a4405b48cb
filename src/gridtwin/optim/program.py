"""A linear program written in blocks of columns, rows and entries."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from gridtwin.units import FloatArray, IntArray

__all__ = ["Program", "Rows"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Constraints `lower <= matrix @ x <= upper`."""

    matrix: sparse.csr_array
    lower: FloatArray
    upper: FloatArray


@dataclass(slots=True, eq=False)
class Program:
    """Minimise `cost @ x` over `lower <= x <= upper` and rows; grows block by block.

    `columns` and `rows` return index arrays of the shape asked for; `entries` takes such arrays and broadcasts.
    """

    _lower: list[FloatArray] = field(default_factory=list)
    _upper: list[FloatArray] = field(default_factory=list)
    _cost: list[FloatArray] = field(default_factory=list)
    _row_lower: list[FloatArray] = field(default_factory=list)
    _row_upper: list[FloatArray] = field(default_factory=list)
    _entries: list[tuple[IntArray, IntArray, FloatArray]] = field(default_factory=list)
    n_columns: int = 0
    n_rows: int = 0

    def columns(
        self, shape: tuple[int, ...], lower: ArrayLike = 0.0, upper: ArrayLike = np.inf, cost: ArrayLike = 0.0
    ) -> IntArray:
        """Add a block of columns; bounds and cost broadcast to `shape`.

        Returns
        -------
        ndarray of `shape`
            Column numbers.
        """
        index = self.n_columns + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        for store, value in ((self._lower, lower), (self._upper, upper), (self._cost, cost)):
            store.append(_flat(value, shape))
        self.n_columns += index.size
        return index

    def rows(self, shape: tuple[int, ...], lower: ArrayLike, upper: ArrayLike) -> IntArray:
        """Add a block of empty rows; bounds broadcast to `shape`. Returns row numbers of that shape."""
        index = self.n_rows + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        self._row_lower.append(_flat(lower, shape))
        self._row_upper.append(_flat(upper, shape))
        self.n_rows += index.size
        return index

    def entries(self, rows: IntArray, columns: IntArray, values: ArrayLike) -> None:
        """Add `values` at (`rows`, `columns`); the three broadcast, repeated places add up.

        A number of -1 stands for a row or column that was left out; so is what would be entered there.
        """
        at_row, at_column, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=np.float64))
        keep = (value != 0.0) & (at_row >= 0) & (at_column >= 0)
        self._entries.append((at_row[keep], at_column[keep], value[keep]))

    def append(self, block: Rows) -> IntArray:
        """Add rows that are complete already. Returns their numbers."""
        index = self.rows((len(block.lower),), block.lower, block.upper)
        coo = block.matrix.tocoo()
        self._entries.append((index[coo.row], coo.col.astype(np.int64), coo.data))
        return index

    @property
    def cost(self) -> FloatArray:
        """Cost of each column."""
        return _joined(self._cost)

    @property
    def column_bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper bound of each column."""
        return _joined(self._lower), _joined(self._upper)

    def assembled(self) -> Rows:
        """Return all rows as one matrix."""
        shape = (self.n_rows, self.n_columns)
        rows, columns, values = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        matrix = sparse.csr_array(sparse.coo_array((values, (rows, columns)), shape=shape))
        return Rows(matrix, _joined(self._row_lower), _joined(self._row_upper))


def _flat(value: ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), shape).ravel()


def _joined(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate(parts) if parts else np.zeros(0)
