"""Price of what sites draw in an hour beyond their green supply: it moves work to hours and sites that have some."""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch.problem import ComputeProblem
from gridtwin.optim import Program
from gridtwin.units import FloatArray, IntArray

__all__ = ["add_green", "green_short_mw"]


def add_green(program: Program, problem: ComputeProblem, busy: IntArray, step_h: float) -> None:
    """Add `shortfall >= share · draw - green output` at a price; sites and steps that cannot fall short get no row.

    Parameters
    ----------
    program : Program
    problem : ComputeProblem
    busy : ndarray (time, site, class)
        Columns of busy nodes, as in `dispatch.compute_block`.
    step_h : float, h
    """
    if problem.green is None:
        return
    target = problem.green
    free = np.maximum(problem.available_nodes - problem.committed_nodes, 0.0)
    fixed = problem.base_mw + (problem.node_mw * problem.committed_nodes).sum(axis=2)
    most = green_short_mw(problem, fixed + (problem.node_mw * free).sum(axis=2))
    bound = most > 0
    needed = (target.share * fixed - target.output_mw)[bound]
    short = program.columns(needed.shape, cost=target.price_per_mwh * step_h)
    rows = np.full(bound.shape, -1)
    rows[bound] = program.rows(needed.shape, needed, np.inf)
    program.entries(rows[bound], short, 1.0)
    program.entries(rows[:, :, None], busy, -target.share[None, :, None] * problem.node_mw)


def green_short_mw(problem: ComputeProblem, draw_mw: FloatArray) -> FloatArray:
    """What of the green share of a draw (time, site) the contracts of the site do not give, MW; 0 without a target."""
    if problem.green is None:
        return np.zeros(draw_mw.shape)
    steps = len(draw_mw)
    return np.maximum(problem.green.share * draw_mw - problem.green.output_mw[:steps], 0.0)
