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

    def tighten(self, session: Session, solution: Solution) -> bool:
        """Write the limits that the solution breaks. Returns whether there were any."""
        violated = np.abs(self.flow_mw(solution)) > self.problem.rate_mw + TOLERANCE_MW
        missing: BoolArray = violated & ~self.written
        self.write(session, missing)
        return bool(missing.any())

    @property
    def written(self) -> BoolArray:
        """Which (time, line) limits are in the program."""
        mask = np.zeros((len(self.constant), len(self.problem.network.line)), dtype=bool)
        for step, line in zip(self._step, self._line, strict=True):
            mask[step, line] = True
        return mask

    def injection_mw(self, solution: Solution) -> FloatArray:
        """Injection at each (time, bus)."""
        columns = self.injection.shape[1]
        moved = self.injection @ solution.value[:columns]
        return np.asarray(self.constant + moved.reshape(self.constant.shape))

    def flow_mw(self, solution: Solution) -> FloatArray:
        """Flow in each (time, line), losses drawn where they arise."""
        net = self.injection_mw(solution) - self.problem.losses.bus_losses_mw
        return np.asarray(net @ self.problem.network.ptdf.T)

    def price(self, solution: Solution) -> FloatArray:
        """Sum of shadow price times sensitivity of all written limits at each (time, bus), money per MW."""
        price = np.zeros_like(self.constant)
        for step, line, row in zip(self._step, self._line, self._row, strict=True):
            np.add.at(price, step, solution.row_dual[row][:, None] * self.problem.network.ptdf[line])
        return price

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
        for store, value in ((self._step, step), (self._line, line), (self._row, rows)):
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
