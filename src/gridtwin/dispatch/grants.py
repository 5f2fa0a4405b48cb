"""From pooled decisions to grants per queue and per route, by proportional fitting."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.dispatch.problem import ComputeProblem
from gridtwin.records import ComputePlan
from gridtwin.units import FloatArray

__all__ = ["fit", "grants"]

ROUNDS = 30
SEED = 1e-6  # keeps every allowed pair reachable, whatever the pooled flows say


def grants(
    problem: ComputeProblem, start: FloatArray, placed: FloatArray, moved: FloatArray, block_of_step: np.ndarray
) -> ComputePlan:
    """Share starts among origins by what each has waiting, and among sites by what moves between them.

    Parameters
    ----------
    problem : ComputeProblem
    start : ndarray (time, class, delay class, bin), nodes
    placed : ndarray (time, class, bin, site), nodes
    moved : ndarray (block, origin, class, site), nodes
    block_of_step : ndarray (time,)

    Returns
    -------
    ComputePlan
        Its sums over origins and over sites are `start` and `placed`.
    """
    release = _by_origin(problem, start)
    leaving = release.sum(axis=3)  # (time, origin, class, bin)
    flow = moved[block_of_step].transpose(0, 2, 1, 3)[:, :, None]  # (time, class, 1, origin, site)
    allowed = problem.route_allowed.transpose(1, 0, 2)[None, :, None]
    route = fit((flow + SEED) * allowed, leaving.transpose(0, 2, 3, 1), placed)
    return ComputePlan(
        release_nodes=release.reshape(len(release), -1), route_nodes=route.transpose(0, 3, 1, 2, 4).copy()
    )


def fit(seed: FloatArray, row_sums: FloatArray, column_sums: FloatArray) -> FloatArray:
    """Scale a non-negative (…, row, column) table until its margins are as asked; the last scaling is of rows.

    Parameters
    ----------
    seed : ndarray (…, row, column)
    row_sums : ndarray (…, row)
    column_sums : ndarray (…, column)
        Sums over the last axes of both agree.
    """
    table = np.broadcast_to(seed, np.broadcast_shapes(seed.shape, (*row_sums.shape, 1))).copy()
    for _ in range(ROUNDS):
        table *= ratio_or_zero(column_sums, table.sum(axis=-2))[..., None, :]
        table *= ratio_or_zero(row_sums, table.sum(axis=-1))[..., None]
    return table


def _by_origin(problem: ComputeProblem, start: FloatArray) -> FloatArray:
    """Starts of each queue (time, origin, class, delay class, bin): in each step by what the origins have waiting."""
    released = problem.released_nodes.reshape(len(start), *problem.shape)
    waiting = np.zeros(problem.shape)
    out = np.zeros_like(released)
    for step in range(len(start)):
        waiting = waiting + released[step]
        out[step] = waiting * np.minimum(ratio_or_zero(start[step], waiting.sum(axis=0)), 1.0)
        waiting = waiting - out[step]
    return out
