"""Upward reserve, written only for the steps in which the optimum does not hold it by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.problem import GridProblem
from gridtwin.dispatch.store_block import StoreColumns
from gridtwin.optim import Program, Session, Solution
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["RESPONSE_H", "SUSTAIN_H", "TOLERANCE_MW", "ReserveRows"]

RESPONSE_H = 10 / 60  # what a unit can add along its ramp within ten minutes counts
SUSTAIN_H = 1.0  # what a store adds it must be able to give for an hour
TOLERANCE_MW = 1e-6


@dataclass(slots=True, eq=False)
class ReserveRows:
    """Adds `headroom of units and stores + shortfall >= requirement` to steps where it is broken.

    A unit holds what it has available above its output, at most what it ramps in `RESPONSE_H`. A store with a converter
    of its own holds what it can discharge above what it does, and the charging that it can stop; its own reserve and
    that of the units fed by it last `SUSTAIN_H` on what is stored at the end of the step.
    """

    problem: GridProblem
    segment: IntArray  # (time, segment)
    stores: StoreColumns
    _step: list[int] = field(default_factory=list)
    _row: list[int] = field(default_factory=list)
    _short: list[int] = field(default_factory=list)

    def tighten(self, session: Session, solution: Solution) -> bool:
        """Write the steps that lack reserve. Returns whether there were any."""
        lacking = self.problem.reserve_mw > self.held_mw(solution) + TOLERANCE_MW
        missing = np.setdiff1d(np.flatnonzero(lacking), self._step)
        for step in missing:
            self._write(session, int(step))
        return len(missing) > 0

    def held_mw(self, solution: Solution) -> FloatArray:
        """Most reserve (time,) that goes with the output, charge and level of a solution."""
        groups, stores, value = self.problem.groups, self.problem.stores, solution.value
        above = sum_at(value[self.segment], groups.segment_group, len(groups))
        headroom = np.minimum(self._room_mw() - above, self._response_mw())
        fed = groups.store >= 0
        of_store = sum_at(headroom[:, fed], groups.store[fed], len(stores.bus)) + stores.discharge_mw
        of_store += solution.at(self.stores.charge) - solution.at(self.stores.discharge)
        lasting = np.minimum(of_store, value[self.stores.level] * stores.efficiency_discharge / SUSTAIN_H)
        return np.asarray(headroom[:, ~fed].sum(axis=1) + lasting.sum(axis=1))

    def short_mw(self, solution: Solution) -> FloatArray:
        """Reserve (time,) that is required and not held."""
        short = np.zeros_like(self.problem.reserve_mw)
        short[self._step] = np.maximum(solution.value[self._short], 0.0)
        return short

    def price(self, solution: Solution) -> FloatArray:
        """Change of cost (time,) per MW of further requirement; 0 where there is plenty."""
        price = np.zeros_like(self.problem.reserve_mw)
        price[self._step] = solution.row_dual[self._row]
        return price

    def _room_mw(self) -> FloatArray:
        return self.problem.upper_mw - self.problem.lower_mw

    def _response_mw(self) -> FloatArray:
        return self.problem.groups.ramp_mw_per_h * RESPONSE_H

    def _write(self, session: Session, step: int) -> None:
        """One row for the requirement and one per store; columns only for what ramps or energy may limit."""
        problem, block = self.problem, session.blank()
        groups, room = problem.groups, self._room_mw()[step]
        slow = room > self._response_mw()
        home = groups.store + 1  # 0 for the requirement itself, then the stores
        quick_room = np.bincount(home[~slow], weights=room[~slow], minlength=len(problem.stores.bus) + 1)
        needed = np.concatenate([problem.reserve_mw[[step]], -problem.stores.discharge_mw[step]])
        rows = block.rows(needed.shape, needed - quick_room, np.inf)
        short = block.columns((1,), cost=problem.penalties.reserve_per_mwh * problem.step_h)
        block.entries(rows[:1], short, 1.0)
        block.entries(rows[home[slow]], self._slow_columns(block, step, slow), 1.0)
        quick = ~slow[groups.segment_group]
        block.entries(rows[home[groups.segment_group[quick]]], self.segment[step, quick], -1.0)
        self._enter_stores(block, step, rows)
        self._row.append(int(session.extend(block)[0]))
        self._short.append(int(short[0]))
        self._step.append(step)

    def _slow_columns(self, block: Program, step: int, slow: BoolArray) -> IntArray:
        """Reserve of groups that have more room than they can ramp into."""
        groups = self.problem.groups
        reserve = block.columns((int(slow.sum()),), upper=self._response_mw()[slow])
        rows = np.full(len(groups), -1)
        rows[slow] = block.rows(reserve.shape, -np.inf, self._room_mw()[step, slow])
        block.entries(rows[slow], reserve, 1.0)
        own = slow[groups.segment_group]
        block.entries(rows[groups.segment_group[own]], self.segment[step, own], 1.0)
        return reserve

    def _enter_stores(self, block: Program, step: int, rows: IntArray) -> None:
        """What a store and the units fed by it can add, as long as its energy lasts."""
        columns = self.stores
        lasting = block.columns(columns.level[step].shape)
        block.entries(rows[:1], lasting, 1.0)
        block.entries(rows[1:], lasting, -1.0)
        for flow, sign in ((columns.charge[step], 1.0), (columns.discharge[step], -1.0)):
            block.entries(rows[1:][flow >= 0], flow[flow >= 0], sign)
        energy = block.rows(lasting.shape, -np.inf, 0.0)
        block.entries(energy, lasting, 1.0)
        block.entries(energy, columns.level[step], -self.problem.stores.efficiency_discharge / SUSTAIN_H)
