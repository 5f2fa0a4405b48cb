"""Stores and links that go one way at a time, with integers only where an optimum would go both ways.

Going both ways at once burns energy. That pays only where a price is negative, so nearly every program is done without.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.link_block import LinkColumns
from gridtwin.dispatch.problem import GridProblem, LinkProblem
from gridtwin.dispatch.store_block import StoreColumns, fed_pairs
from gridtwin.optim import Session, Solution
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["OneWay", "one_way"]

TOLERANCE_MW = 1e-6  # less than this against the stream is rounding of the solver


@dataclass(slots=True, eq=False)
class OneWay:
    """Adds `into <= most · z` and `out of <= most · (1 - z)` with z in {0, 1} where pairs are used both ways.

    With the pairs of a solution that are, all others of steps without a price follow, for what one may not burn the
    next one would.
    """

    balance: IntArray  # (pair,) row whose dual is the price of energy where the pair stands
    into: IntArray  # (pair,) column
    into_most_mw: FloatArray  # (pair,)
    out_pair: IntArray  # (entry,) pair whose other direction `out_column` is part of
    out_column: IntArray  # (entry,)
    out_most_mw: FloatArray  # (pair,) of the whole direction
    written: BoolArray = field(init=False)  # (pair,)

    def __post_init__(self) -> None:
        self.written = np.zeros(len(self.into), dtype=bool)

    def tighten(self, session: Session, solution: Solution) -> bool:
        """Write what the solution breaks. Returns whether there was anything."""
        out_mw = np.bincount(self.out_pair, weights=solution.value[self.out_column], minlength=len(self.into))
        both = (np.minimum(solution.value[self.into], out_mw) > TOLERANCE_MW) & ~self.written
        if both.any():
            worthless = solution.row_dual[self.balance] <= 0
            self._write(session, np.flatnonzero((both | worthless) & ~self.written))
        return bool(both.any())

    def _write(self, session: Session, pairs: IntArray) -> None:
        block = session.blank()
        is_into = block.columns(pairs.shape, upper=1.0)
        rows = block.rows(pairs.shape, -np.inf, 0.0)
        block.entries(rows, self.into[pairs], 1.0)
        block.entries(rows, is_into, -self.into_most_mw[pairs])
        rows = block.rows(pairs.shape, -np.inf, self.out_most_mw[pairs])
        block.entries(rows, is_into, self.out_most_mw[pairs])
        row_of_pair = np.full(len(self.into), -1)
        row_of_pair[pairs] = rows
        entries = row_of_pair[self.out_pair] >= 0
        block.entries(row_of_pair[self.out_pair[entries]], self.out_column[entries], 1.0)
        session.extend(block, integer=is_into)
        self.written[pairs] = True


def one_way(
    problem: GridProblem, balance: IntArray, segment: IntArray, stores: StoreColumns, links: LinkColumns
) -> OneWay:
    """Pair each charge with discharge and the output of the units fed, and the directions of each lossy link."""
    charge_at, charge = _numbered(stores.charge, 0)
    forward_at, forward = _numbered(np.where(links.backward >= 0, links.forward, -1), len(charge))
    fed, feeds = fed_pairs(problem)
    streams = (
        (charge_at, stores.discharge),
        (charge_at[:, feeds], segment[:, fed]),
        (forward_at, links.backward),
    )
    known = [(pair >= 0) & (column >= 0) for pair, column in streams]
    out_pair = np.concatenate([pair[which] for (pair, _), which in zip(streams, known, strict=True)])
    out_column = np.concatenate([column[which] for (_, column), which in zip(streams, known, strict=True)])
    rate, back = _rates(problem.links, forward_at >= 0)
    island = problem.network.island
    of_store, of_link = balance[:, island[problem.stores.bus]], balance[:, island[problem.links.from_bus]]
    return OneWay(
        balance=np.concatenate([of_store[charge_at >= 0], of_link[forward_at >= 0]]),
        into=np.concatenate([charge, forward]),
        into_most_mw=np.concatenate([problem.stores.charge_mw[charge_at >= 0], rate]),
        out_pair=out_pair,
        out_column=out_column,
        out_most_mw=np.concatenate([_most_out_mw(problem)[charge_at >= 0], back]),
    )


def _rates(links: LinkProblem, pair: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return what the marked (time, dispatched) send at most in either direction, each (pair,)."""
    return links.rate_mw[pair], (links.rate_mw if links.back_mw is None else links.back_mw)[pair]


def _numbered(columns: IntArray, first: int) -> tuple[IntArray, IntArray]:
    """Number the columns that there are (time, item), -1 elsewhere, and list them."""
    known = columns >= 0
    number = np.full(columns.shape, -1, dtype=np.int64)
    number[known] = first + np.arange(int(known.sum()))
    return number, columns[known]


def _most_out_mw(problem: GridProblem) -> FloatArray:
    """Discharge and output above the floor (time, store) at most."""
    stores, groups = problem.stores, problem.groups
    fed = groups.store >= 0
    room = (problem.upper_mw - problem.lower_mw)[:, fed]
    return stores.discharge_mw + sum_at(room, groups.store[fed], len(stores.bus))
