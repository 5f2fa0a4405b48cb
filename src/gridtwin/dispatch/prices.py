"""Prices of a solved grid program, and what stands behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gridtwin.arrays import sum_at
from gridtwin.dispatch.elements import OTHER, Elements
from gridtwin.dispatch.grid_block import GridColumns
from gridtwin.dispatch.network_rows import LineLimits, WrittenRows
from gridtwin.dispatch.problem import GridProblem, NodalPrices, PriceExplanation
from gridtwin.errors import DispatchError
from gridtwin.optim import STANDS_STILL, Basis, Session, Solution
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["explained", "load_rows", "nodal_prices"]

STEP_MW = 1e-6  # a basis that ends after less further load does not price it
NUDGE_MW = 1e-4  # load that is enough to see the basis beyond
MOVES = 1e-6  # MW per MW of load; what moves less is not marginal
PRICE = 1e-6  # prices closer than this share of themselves, or of 1, are equal


def nodal_prices(
    problem: GridProblem,
    balance: IntArray,
    limits: LineLimits,
    solution: Solution,
    explanation: PriceExplanation | None = None,
) -> NodalPrices:
    """Read prices off the duals of balance and line limits.

    Parameters
    ----------
    problem : GridProblem
    balance : ndarray (time, island)
        Rows of the power balance.
    limits : LineLimits
    solution : Solution
    explanation : PriceExplanation, optional
    """
    island, slack = problem.network.island, problem.network.slack
    of_bus = solution.row_dual[balance][:, island] / problem.step_h
    energy = of_bus[:, slack]
    return NodalPrices(
        energy_per_mwh=energy,
        congestion_per_mwh=limits.price(solution) / problem.step_h + of_bus - energy[:, None],
        loss_per_mwh=-problem.losses.factor * of_bus,
        shadow_price_per_mwh=np.abs(limits.dual(solution)) / problem.step_h,
        cut_rent_per_h=limits.cut_rent(solution) / problem.step_h,
        explanation=explanation,
    )


def explained(
    problem: GridProblem, session: Session, columns: GridColumns, balance: IntArray, limits: LineLimits
) -> PriceExplanation:
    """Say of every price what sets it, on what side it holds, and what CO2 goes with it.

    Raises
    ------
    DispatchError
        If the solver's basis cannot be factorised.
    """
    basis, cost = session.basis(), session.cost / problem.step_h
    load = _Load.at(basis, load_rows(problem, balance, limits.written_rows, len(basis.basic)))
    shape = problem.load_mw.shape
    elements = Elements.of(problem.groups, len(problem.network.line))
    owner = _owners(elements, columns, limits, session.n_columns)
    owner_of_basic = basis.of_basic(owner)[load.moving].astype(np.int64)
    price = load.price(basis, cost)
    if problem.price_sides:
        low, high = (_beside(session, basis, cost, load, side) for side in (-1.0, 1.0))
        degenerate = high - low > PRICE * np.maximum(1.0, np.abs(price))
    else:
        low, high = np.full((2, *price.shape), np.nan)
        degenerate = np.minimum(load.more_mw, load.less_mw) <= STEP_MW
    penalised: BoolArray = np.asarray((np.abs(load.moves) > MOVES)[elements.penalty[owner_of_basic]].any(axis=0))
    fixed = _slack_fixed(session, basis, cost, load, elements.penalty[owner]) if penalised.any() else price
    co2 = load.price(basis, _co2_rate(problem, columns, session.n_columns))
    return PriceExplanation(
        marginal_co2_kg_per_mwh=co2.reshape(shape),
        set_by=_set_by(owner_of_basic, basis.of_basic(cost)[load.moving], load.moves).reshape(shape),
        marginal=_marginal(owner_of_basic, load.moves.reshape(-1, *shape), len(elements)),
        low_per_mwh=low.reshape(shape),
        high_per_mwh=high.reshape(shape),
        degenerate=degenerate.reshape(shape),
        penalised=penalised.reshape(shape),
        slack_fixed_per_mwh=np.where(penalised, fixed, price).reshape(shape),
        reach_mw=np.minimum(load.more_mw, load.less_mw).reshape(shape),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Load:
    """How a MW of further load in each case, a (time, bus), moves right-hand sides and basic variables."""

    right: sparse.csr_array  # (case, row)
    moving: IntArray  # (moving,) places in the basis
    moves: FloatArray  # (moving, case)
    more_mw: FloatArray  # (case,) of load until the basis ends
    less_mw: FloatArray  # (case,)

    @classmethod
    def at(cls, basis: Basis, right: sparse.csr_array) -> _Load:
        """Solve once for each row that load can move, then add up for each case."""
        touched = np.unique(right.indices)
        unit = np.zeros((len(basis.basic), len(touched)))
        unit[touched, np.arange(len(touched))] = 1.0
        per_row = basis.direction(unit)
        moving = np.flatnonzero((np.abs(per_row) > STANDS_STILL).any(axis=1)).astype(np.int64)
        moves = np.asarray(right[:, touched] @ per_row[moving].T).T
        return cls(right, moving, moves, basis.reach(moves, moving), basis.reach(-moves, moving))

    def price(self, basis: Basis, rate: FloatArray) -> FloatArray:
        """Change of Σ rate · column per MW of load (case,)."""
        return np.asarray(self.right @ basis.price(rate))


def load_rows(problem: GridProblem, balance: IntArray, written: Sequence[WrittenRows], n_rows: int) -> sparse.csr_array:
    """How the right-hand sides move per MW of further load at each (time, bus).

    Parameters
    ----------
    problem : GridProblem
    balance : ndarray (time, island)
        Rows of the power balance.
    written : sequence of WrittenRows
        Limits of lines and cuts on injections.
    n_rows : int

    Returns
    -------
    csr_array (time x bus, row)
    """
    steps, buses = problem.load_mw.shape
    at_step = np.concatenate([np.arange(steps), *(rows.step for rows in written)])
    of_limits = (np.repeat(rows.row[:, None], buses, axis=1) for rows in written)
    row = np.concatenate([balance[:, problem.network.island], *of_limits])
    value = np.concatenate([1.0 - problem.losses.factor, *(rows.weight for rows in written)])
    case = at_step[:, None] * buses + np.arange(buses)
    entries = (value.ravel(), (case.ravel(), row.ravel()))
    return sparse.csr_array(sparse.coo_array(entries, shape=(steps * buses, n_rows)))


def _owners(elements: Elements, columns: GridColumns, limits: LineLimits, n_columns: int) -> IntArray:
    """Element of each column (column,)."""
    owner = np.full(n_columns, OTHER, dtype=np.int64)
    owner[columns.segment] = elements.number("unit", np.arange(columns.segment.shape[1]))
    owner[columns.shed] = elements.number("shed", columns.shed_bus)
    owner[columns.spill] = elements.number("spill", columns.spill)
    for over, line in limits.over:
        owner[over] = elements.number("overload", line)
    return owner


def _co2_rate(problem: GridProblem, columns: GridColumns, n_columns: int) -> FloatArray:
    rate = np.zeros(n_columns)
    rate[columns.segment] = problem.groups.segment_co2_kg_per_mwh
    return rate


def _set_by(owner: IntArray, cost: FloatArray, moves: FloatArray) -> IntArray:
    """Return the element (case,) with the largest cost times move; where all are free, the one that moves most."""
    weight = np.abs(cost) + np.where(owner == OTHER, 0.0, PRICE)
    largest = np.argmax(weight[:, None] * np.abs(moves), axis=0)
    return np.asarray(owner[largest])


def _marginal(owner: IntArray, moves: FloatArray, elements: int) -> BoolArray:
    """Elements that move with load at any bus (time, element)."""
    moved: BoolArray = np.asarray((np.abs(moves) > MOVES).any(axis=2))  # (row, time)
    marginal: BoolArray = sum_at(moved.T.astype(np.float64), owner, elements) > 0
    marginal[:, OTHER] = False
    return marginal


def _beside(session: Session, basis: Basis, cost: FloatArray, load: _Load, side: float) -> FloatArray:
    """Price (case,) of a little more load (`side` 1) or of a little less (-1).

    Where the basis ends at once, the program is solved again for slightly other load. The basis found there is also one
    of the present optimum, so it prices every case that it can follow.
    """
    price = load.price(basis, cost)
    open_ = np.flatnonzero((load.more_mw if side > 0 else load.less_mw) <= STEP_MW)
    while len(open_) > 0:
        by = side * NUDGE_MW * load.right[open_[:1]].toarray()[0]
        other = _next_basis(session, basis, by)
        if other is None:
            price[open_[0]], open_ = side * np.inf, open_[1:]
            continue
        there = _Load.at(other, load.right[open_])
        follows = ((there.more_mw if side > 0 else there.less_mw) > STEP_MW) & other.feasible
        follows[0] = True
        price[open_[follows]] = there.price(other, cost)[follows]
        open_ = open_[~follows]
    return price


def _next_basis(session: Session, basis: Basis, by: FloatArray) -> Basis | None:
    """Return the basis after right-hand sides have moved, at the point of before; None if nothing is feasible there."""
    try:
        with session.moved(by):
            return session.resume().at(basis)
    except DispatchError:
        return None


def _slack_fixed(session: Session, basis: Basis, cost: FloatArray, load: _Load, penalty: BoolArray) -> FloatArray:
    """Price (case,) with the slacks in use held where they are, and a hair beyond so that one price is right."""
    slack = np.flatnonzero(penalty & (basis.value[: basis.n_columns] > STEP_MW))
    with session.fixed(slack, basis.value[slack] + NUDGE_MW):
        return load.price(session.resume(), cost)
