"""Limits of the network, written only where they matter."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gridtwin.dispatch.problem import GridProblem, InjectionCuts, Tightening
from gridtwin.optim import Rows, Session, Solution
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["TOLERANCE_MW", "LineLimits", "WrittenRows"]

TOLERANCE_MW = 1e-6  # a flow this far beyond its rating is rounding of the solver
PRESSING_SHARE = 0.9  # a limit that changed is written at once where the flow is beyond this share of it


@dataclass(frozen=True, slots=True, eq=False)
class WrittenRows:
    """Rows in the program that bound a weighted sum of injections each."""

    step: IntArray  # (row,)
    weight: FloatArray  # (row, bus)
    row: IntArray  # (row,) number in the program
    of_line: bool  # limits of lines, otherwise cuts


@dataclass(slots=True, eq=False)
class LineLimits:
    """Adds `|flow| <= rate` for violated (time, line) pairs; a limit may be exceeded at a price.

    Rates may be changed and cuts on injections added between two solutions.
    """

    problem: GridProblem
    injection: sparse.csr_array  # (time x bus, column)
    constant: FloatArray  # (time, bus) injection at x = 0
    rate_mw: FloatArray = field(init=False)  # (time, line) in force
    cuts: InjectionCuts = field(init=False)  # in force
    written_rows: list[WrittenRows] = field(default_factory=list, init=False)
    over: list[tuple[IntArray, IntArray]] = field(default_factory=list, init=False)  # columns beyond limits, and lines
    _row_of_cut: IntArray = field(init=False)  # (cut,)
    _row_of_line: IntArray = field(init=False)  # (time, line) its row, -1 where it is not written
    _flow_mw: FloatArray = field(init=False)  # (time, line) of the last solution

    def __post_init__(self) -> None:
        self.rate_mw, self.cuts = self.problem.rate_mw, InjectionCuts.none()
        self._row_of_cut = np.zeros(0, dtype=np.int64)
        self._row_of_line = np.full(self.rate_mw.shape, -1, dtype=np.int64)
        self._flow_mw = np.zeros_like(self.rate_mw)

    def begin(self, session: Session) -> None:
        """Write what is known to matter: the limits to watch and the cuts of the problem."""
        self._write(session, self.problem.watched)
        self._cut(session, self.problem.cuts)

    def tighten(self, session: Session, solution: Solution) -> bool:
        """Write the limits that the solution breaks. Returns whether there were any."""
        self._flow_mw = self.flow_mw(solution)
        missing: BoolArray = (np.abs(self._flow_mw) > self.rate_mw + TOLERANCE_MW) & ~self.written
        self._write(session, missing)
        return bool(missing.any())

    def correct(self, session: Session, tightening: Tightening) -> None:
        """Put the limits and cuts in force that a review asks for."""
        changed: BoolArray = tightening.rate_mw != self.rate_mw
        self.rate_mw = tightening.rate_mw
        step, line = np.nonzero(changed & self.written)
        session.bound_rows(self._row_of_line[step, line], *self._bounds(step, line))
        self._write(session, changed & ~self.written & (np.abs(self._flow_mw) > PRESSING_SHARE * self.rate_mw))
        self._lift(session, tightening.lifted)
        self._cut(session, tightening.cuts)

    @property
    def written(self) -> BoolArray:
        """Which (time, line) limits are in the program."""
        mask: BoolArray = self._row_of_line >= 0
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
        """Sum of shadow price times sensitivity of all that is written at each (time, bus), money per MW."""
        price = np.zeros_like(self.constant)
        for written in self.written_rows:
            np.add.at(price, written.step, solution.row_dual[written.row][:, None] * written.weight)
        return price

    def dual(self, solution: Solution) -> FloatArray:
        """Change of cost per MW by which each (time, line) limit moves up; 0 where it is not written."""
        rows = self._row_of_line
        return np.where(rows >= 0, solution.row_dual[rows], 0.0)

    def cut_rent(self, solution: Solution) -> FloatArray:
        """What cuts earn (time,), money per step: their shadow price times what they weigh, losses taken off."""
        net = self.injection_mw(solution) - self.problem.losses.bus_losses_mw
        rent = np.zeros(len(net))
        for cuts in (written for written in self.written_rows if not written.of_line):
            weighed = np.einsum("rb,rb->r", cuts.weight, net[cuts.step])
            np.subtract.at(rent, cuts.step, solution.row_dual[cuts.row] * weighed)
        return rent

    def _write(self, session: Session, wanted: BoolArray) -> None:
        step, line = np.nonzero(wanted & np.isfinite(self.rate_mw))
        if len(step) == 0:
            return
        over = session.add_columns(2 * len(step), self.problem.penalties.overload_per_mwh * self.problem.step_h)
        ptdf = self.problem.network.ptdf[line]
        row = np.arange(len(step))
        slack = _entries(np.repeat([-1.0, 1.0], len(step)), np.concatenate([row, row]), over, session.n_columns)
        self.over.append((over, np.tile(line, 2)))
        bounds = self._bounds(step, line)
        self._row_of_line[step, line] = self._add(session, step, ptdf, slack, *bounds, of_line=True)

    def _cut(self, session: Session, cuts: InjectionCuts) -> None:
        if len(cuts) == 0:
            return
        missing = session.add_columns(len(cuts), cuts.price_per_mwh * self.problem.step_h)
        slack = _entries(np.ones(len(cuts)), np.arange(len(cuts)), missing, session.n_columns)
        lower = cuts.lower_mw - np.einsum("rb,rb->r", self.constant[cuts.step], cuts.weight)
        rows = self._add(session, cuts.step, cuts.weight, slack, lower, np.full(len(cuts), np.inf), of_line=False)
        self._row_of_cut = np.concatenate([self._row_of_cut, rows])
        self.cuts = self.cuts.and_also(cuts)

    def _lift(self, session: Session, steps: BoolArray) -> None:
        """Let the cuts of the marked steps (time,) hold no longer."""
        lifted = steps[self.cuts.step]
        free = np.full(int(lifted.sum()), np.inf)
        session.bound_rows(self._row_of_cut[lifted], -free, free)
        self._row_of_cut, self.cuts = self._row_of_cut[~lifted], self.cuts.within(~steps)

    def _add(
        self,
        session: Session,
        step: IntArray,
        weight: FloatArray,
        slack: sparse.csr_array,
        lower: FloatArray,
        upper: FloatArray,
        *,
        of_line: bool,
    ) -> IntArray:
        """Bound `weight` (row, bus) @ injection + slack; what is constant in the injection stands in the bounds."""
        matrix = sparse.csr_array(self._sensitivity(step, weight, session.n_columns) + slack)
        row = session.add_rows(Rows(matrix, lower, upper))
        self.written_rows.append(WrittenRows(step.astype(np.int64), weight, row, of_line))
        return row

    def _bounds(self, step: IntArray, line: IntArray) -> tuple[FloatArray, FloatArray]:
        """Rates of (step, line) less the flow at x = 0."""
        fixed_mw = self.constant[step] - self.problem.losses.bus_losses_mw[step]
        known = np.einsum("rb,rb->r", fixed_mw, self.problem.network.ptdf[line])
        rate = self.rate_mw[step, line]
        return -rate - known, rate - known

    def _sensitivity(self, step: IntArray, weight: FloatArray, n_columns: int) -> sparse.csr_array:
        """Weighted injection of each row per unit of each column."""
        rows, buses = weight.shape
        at = (step[:, None] * buses + np.arange(buses)).ravel()
        weights = _entries(weight.ravel(), np.repeat(np.arange(rows), buses), at, self.injection.shape[0])
        per_column = sparse.csr_array(weights @ self.injection)
        per_column.resize((rows, n_columns))
        return per_column


def _entries(value: FloatArray, row: IntArray, column: IntArray, n_columns: int) -> sparse.csr_array:
    shape = (int(row.max()) + 1, n_columns)
    return sparse.csr_array(sparse.coo_array((value, (row, column)), shape=shape))
