"""Columns and rows of the WAN: whence the work of each site comes, what moving it costs, what links carry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridtwin.dispatch.problem import ComputeProblem, Penalties
from gridtwin.optim import Program
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["add_transport", "late_price_per_gb", "limit_bandwidth"]


def late_price_per_gb(problem: ComputeProblem, penalties: Penalties) -> float:
    """Price of data that a link cannot carry in their block: an hour's delay of the nodes they are for."""
    most_gb = np.maximum(problem.route_gb, problem.preemptible.route_gb).max()
    return float(penalties.late_per_node_h / most_gb) if most_gb > 0 else 0.0


def add_transport(
    program: Program,
    supply: FloatArray,
    due: FloatArray,
    allowed: BoolArray,
    cost: FloatArray,
    block: IntArray,
) -> tuple[IntArray, IntArray]:
    """Transport from where work comes from to sites, in blocks of steps.

    By the end of each block a place has given no more than it had to give and no less than was due.

    Parameters
    ----------
    program : Program
    supply, due : ndarray (time, whence, class)
        Work that can be taken from each step on, and that must have been by its end, not cumulated.
    allowed, cost : ndarray (whence, class, site)
        Where it may go, and what moving a unit costs.
    block : ndarray (time,)
        Block of each step, ascending from 0.

    Returns
    -------
    moved : ndarray (block, whence, class, site)
        Columns; -1 where nothing may move.
    taken : ndarray (time, class, site)
        Row of the block of each step; each says Σ whence of moved = what is entered there with -1.
    """
    ends = np.flatnonzero(np.diff(block, append=block[-1] + 1))
    used: BoolArray = np.asarray(allowed & (supply.sum(axis=0) > 0)[:, :, None])
    moved = np.full((len(ends), *used.shape), -1)
    moved[:, used] = program.columns((len(ends), int(used.sum())), cost=cost[used])
    _bound_whence(program, moved, supply, due, ends)
    taken = np.full((len(ends), *used.shape[1:]), -1)
    reached = used.any(axis=0)
    taken[:, reached] = program.rows((len(ends), int(reached.sum())), 0.0, 0.0)
    program.entries(taken[:, None], moved, 1.0)
    return moved, taken[block]


def _bound_whence(program: Program, moved: IntArray, supply: FloatArray, due: FloatArray, ends: IntArray) -> None:
    """Cumulative work of each (whence, class) lies between what is due and what there is, at each block's end."""
    most, least = (np.cumsum(work, axis=0)[ends] for work in (supply, due))
    used = np.broadcast_to(most[-1] > 0, most.shape)
    total, rows = np.full(most.shape, -1), np.full(most.shape, -1)
    total[used] = program.columns((int(used.sum()),), lower=np.minimum(least, most)[used], upper=most[used])
    rows[used] = program.rows((int(used.sum()),), 0.0, 0.0)
    program.entries(rows, total, 1.0)
    program.entries(rows[1:], total[:-1], -1.0)
    program.entries(rows[..., None], moved, -1.0)


def limit_bandwidth(
    program: Program, problem: ComputeProblem, flows: Sequence[tuple[IntArray, FloatArray]], price_per_gb: float
) -> IntArray:
    """Data of a block fit the link, or arrive late; links that could carry everything at once get no row.

    Origins that are parts of one another share its links, and their rows.

    Parameters
    ----------
    program : Program
    problem : ComputeProblem
    flows : sequence of (columns (block, whence, class, site), GB of a unit (class,))
        Whence begins with the origins; what has begun at a site needs no link.
    price_per_gb : float

    Returns
    -------
    ndarray (block, origin, site)
        Rows, -1 where there is none.
    """
    lengths = np.bincount(problem.block)
    link = problem.link_origin
    most_gb = np.bincount(link, _most_gb(problem), len(link))
    limit = np.full((len(lengths), *problem.bandwidth_gb.shape), -1)
    may_fill = (most_gb[:, None] > problem.bandwidth_gb * lengths.min()) & _reached(problem)
    for origin, site in zip(*np.nonzero(may_fill), strict=True):
        rows = program.rows(lengths.shape, -np.inf, problem.bandwidth_gb[origin, site] * lengths)
        parts = np.flatnonzero(link == origin)
        for moved, gb in flows:
            program.entries(rows[:, None, None], moved[..., site][:, parts], gb)
        over_gb = program.columns(rows.shape, cost=price_per_gb)
        program.entries(rows, over_gb, -1.0)
        limit[:, parts, site] = rows[:, None]
    return limit


def _reached(problem: ComputeProblem) -> BoolArray:
    """Which links (origin, site) something may be sent over, by any of the origins that share them."""
    origins = problem.shape[0]
    either = (problem.route_allowed | problem.preemptible.route_allowed[:origins]).any(axis=1)
    reached: BoolArray = np.zeros(either.shape, dtype=bool)
    np.logical_or.at(reached, problem.link_origin, either)
    return reached


def _most_gb(problem: ComputeProblem) -> FloatArray:
    """Data of all work of each origin, GB."""
    released = problem.released_nodes.sum(axis=0).reshape(problem.shape).sum(axis=(2, 3))
    arriving = problem.preemptible.arriving_node_h.sum(axis=(0, 3))[: problem.shape[0]]
    most_gb: FloatArray = released @ problem.route_gb + arriving @ problem.preemptible.route_gb
    return most_gb
