"""Line limits, written only where they matter."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gridtwin.dispatch.problem import GridProblem
from gridtwin.optim import Rows, Session, Solution
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["TOLERANCE_MW", "LineLimits"]

TOLERANCE_MW = 1e-6  # a flow this far beyond its rating is rounding of the solver


@dataclass(slots=True, eq=False)
class LineLimits:
    """Adds `|flow| <= rate` for violated (time, line) pairs; a limit may be exceeded at a price."""

    problem: GridProblem
    injection: sparse.csr_array  # (time x bus, column)
    constant: FloatArray  # (time, bus) injection at x = 0
    _step: list[IntArray] = field(default_factory=list)
    _line: list[IntArray] = field(default_factory=list)
    _row: list[IntArray] = field(default_factory=list)
    _over: list[IntArray] = field(default_factory=list)

    def tighten(self, session: Session, solution: Solution) -> bool:
        """Write the limits that the solution breaks. Returns whether there were any."""
        violated = np.abs(self.flow_mw(solution)) > self.problem.rate_mw + TOLERANCE_MW
        missing: BoolArray = violated & ~self.written
        self.write(session, missing)
        return bool(missing.any())

    @property
    def written(self) -> BoolArray:
        """Which (time, line) limits are in the program."""
        return self.rows >= 0

    def injection_mw(self, solution: Solution) -> FloatArray:
        """Injection at each (time, bus)."""
        columns = self.injection.shape[1]
        moved = self.injection @ solution.value[:columns]
        return np.asarray(self.constant + moved.reshape(self.constant.shape))

    def flow_mw(self, solution: Solution) -> FloatArray:
        """Flow in each (time, line), losses drawn where they arise."""
        net = self.injection_mw(solution) - self.problem.losses.bus_losses_mw
        return np.asarray(net @ self.problem.network.ptdf.T)

    @property
    def rows(self) -> IntArray:
        """Row of each (time, line) limit, -1 where it is not written."""
        rows = np.full((len(self.constant), len(self.problem.network.line)), -1, dtype=np.int64)
        for step, line, row in zip(self._step, self._line, self._row, strict=True):
            rows[step, line] = row
        return rows

    @property
    def overload(self) -> tuple[IntArray, IntArray]:
        """Columns by which limits may be exceeded, and the line of each."""
        none = np.zeros(0, dtype=np.int64)
        return np.concatenate([none, *self._over]), np.concatenate([none, *(np.tile(line, 2) for line in self._line)])

    def dual(self, solution: Solution) -> FloatArray:
        """Change of cost per MW by which each (time, line) limit moves up; 0 where it is not written."""
        rows = self.rows
        return np.where(rows >= 0, solution.row_dual[rows], 0.0)

    def write(self, session: Session, wanted: BoolArray) -> None:
        """Write the wanted (time, line) limits, where there is a rating."""
        step, line = np.nonzero(wanted & np.isfinite(self.problem.rate_mw))
        if len(step) == 0:
            return
        over = session.add_columns(2 * len(step), self.problem.penalties.overload_per_mwh * self.problem.step_h)
        sensitivity = self._sensitivity(step, line, session.n_columns)
        row = np.arange(len(step))
        slack = sparse.csr_array(
            sparse.coo_array(
                (np.repeat([-1.0, 1.0], len(step)), (np.concatenate([row, row]), over)),
                shape=(len(step), session.n_columns),
            )
        )
        fixed_mw = self.constant[step] - self.problem.losses.bus_losses_mw[step]
        known = np.einsum("rb,rb->r", fixed_mw, self.problem.network.ptdf[line])
        rate = self.problem.rate_mw[step, line]
        rows = session.add_rows(Rows(sparse.csr_array(sensitivity + slack), -rate - known, rate - known))
        for store, value in ((self._step, step), (self._line, line), (self._row, rows), (self._over, over)):
            store.append(value.astype(np.int64))

    def _sensitivity(self, step: IntArray, line: IntArray, n_columns: int) -> sparse.csr_array:
        """Flow of each (step, line) per unit of each column."""
        buses = self.constant.shape[1]
        ptdf = self.problem.network.ptdf[line]
        at = (step[:, None] * buses + np.arange(buses)).ravel()
        weights = sparse.csr_array(
            sparse.coo_array(
                (ptdf.ravel(), (np.repeat(np.arange(len(line)), buses), at)), shape=(len(line), self.injection.shape[0])
            )
        )
        flow = sparse.csr_array(weights @ self.injection)
        flow.resize((len(line), n_columns))
        return flow
