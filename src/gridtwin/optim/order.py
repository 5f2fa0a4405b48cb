"""Where the solver keeps the columns and rows of a program: as they were written, or shuffled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.optim.program import Rows
from gridtwin.units import IntArray

__all__ = ["Order"]


@dataclass(slots=True, eq=False)
class Order:
    """Place at the solver of each column and row of a program.

    A program solved in another order ends at another of its optima where there are several: what differs between
    such solutions is no finding.
    """

    columns: IntArray
    rows: IntArray

    @classmethod
    def drawn(cls, seed: int, columns: int, rows: int) -> Order:
        """Shuffle by a seed; 0 leaves everything where it is."""
        if seed == 0:
            return cls(np.arange(columns, dtype=np.int64), np.arange(rows, dtype=np.int64))
        rng = np.random.default_rng(seed)
        return cls(rng.permutation(columns), rng.permutation(rows))

    def add(self, columns: int = 0, rows: int = 0) -> None:
        """Let what is written later follow at the end."""
        self.columns = np.concatenate([self.columns, len(self.columns) + np.arange(columns, dtype=np.int64)])
        self.rows = np.concatenate([self.rows, len(self.rows) + np.arange(rows, dtype=np.int64)])

    def sorted(self, rows: Rows) -> Rows:
        """Return all rows of a program as the solver gets them."""
        row, column = np.argsort(self.rows), np.argsort(self.columns)
        return Rows(rows.matrix[row][:, column], rows.lower[row], rows.upper[row])
