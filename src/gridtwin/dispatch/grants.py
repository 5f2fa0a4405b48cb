"""From pooled decisions to grants per queue and per route, by proportional fitting."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.dispatch.problem import ComputeProblem, PooledWork
from gridtwin.records import ComputePlan
from gridtwin.units import FloatArray, IntArray

__all__ = ["fit", "grants"]

ROUNDS = 30
SEED_NODES = 1e-9
SEED_SHARE = 0.01  # of the mean flow; keeps every allowed pair reachable, whatever the pooled flows say


def grants(problem: ComputeProblem, work: PooledWork) -> ComputePlan:
    """Share starts among origins by what each has waiting, and among sites by what moves between them.

    Parameters
    ----------
    problem : ComputeProblem
    work : PooledWork

    Returns
    -------
    ComputePlan
        Its sums over origins are `work.start_nodes`, its sums over sites what leaves each origin; its sums over origins
        by site are `work.placed_nodes` as closely as the fitting got. Preemptible jobs need no grant: they hold nodes.
    """
    block_of_step = problem.block
    release = _by_origin(problem, work.start_nodes, work.moved_nodes.sum(axis=3), block_of_step)
    leaving = release.sum(axis=3)  # (time, origin, class, bin)
    flow = work.moved_nodes[block_of_step].transpose(0, 2, 1, 3)[:, :, None]  # (time, class, 1, origin, site)
    allowed = problem.route_allowed.transpose(1, 0, 2)[None, :, None]
    seed = _seeded(flow) * allowed
    route = np.zeros((*leaving.shape, seed.shape[-1]))
    for c in range(leaving.shape[2]):
        gives = np.flatnonzero(leaving[:, :, c].any(axis=(0, 2)))  # most origins of a large fleet have few classes
        fitted = fit(seed[:, c][:, :, gives], leaving[:, gives, c].transpose(0, 2, 1), work.placed_nodes[:, c])
        route[:, gives, c] = fitted.transpose(0, 2, 1, 3)
    return ComputePlan(
        release_nodes=release.reshape(len(release), -1),
        route_nodes=route,
        preemptible_nodes=work.run_nodes,
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
        before = table.copy()
        table *= ratio_or_zero(column_sums, table.sum(axis=-2))[..., None, :]
        table *= ratio_or_zero(row_sums, table.sum(axis=-1))[..., None]
        if np.array_equal(table, before):
            break
    return table


def _seeded(flow: FloatArray) -> FloatArray:
    """Give pairs without flow a little of the mean over (…, origin, site) or (class, origin)."""
    mean: FloatArray = flow.mean(axis=(-2, -1), keepdims=True)
    return flow + SEED_SHARE * mean + SEED_NODES


def _by_origin(problem: ComputeProblem, start: FloatArray, leaving: FloatArray, block_of_step: IntArray) -> FloatArray:
    """Starts of each queue (time, origin, class, delay class, bin).

    Origins share so that what leaves each in a block comes near to `leaving` (block, origin, class); none starts more
    than it has waiting.
    """
    released = problem.released_nodes.reshape(len(start), *problem.shape)
    waiting, wanted = np.zeros(problem.shape), leaving.copy()
    out = np.zeros_like(released)
    for step, block in enumerate(block_of_step):
        waiting = waiting + released[step]
        taken = np.minimum(_share(start[step], waiting, np.maximum(wanted[block], 0.0)), waiting)
        rest, room = start[step] - taken.sum(axis=0), waiting - taken
        taken += room * np.minimum(ratio_or_zero(np.maximum(rest, 0.0), room.sum(axis=0)), 1.0)
        out[step], waiting = taken, waiting - taken
        wanted[block] -= taken.sum(axis=(2, 3))
    return out


def _share(start: FloatArray, waiting: FloatArray, wanted: FloatArray) -> FloatArray:
    """Split (class, delay class, bin) among origins: by what waits, so that origins get as they are wanted to."""
    classes, delays, bins = start.shape
    seed = waiting.transpose(1, 2, 3, 0).reshape(classes, delays * bins, -1)  # (class, queue, origin)
    of_origin = _seeded(wanted.T) * (waiting.sum(axis=(2, 3)) > 0).T
    column_sums = start.sum(axis=(1, 2))[:, None] * ratio_or_zero(of_origin, of_origin.sum(axis=1, keepdims=True))
    fitted = fit(seed, start.reshape(classes, -1), column_sums)
    return fitted.reshape(classes, delays, bins, -1).transpose(3, 0, 1, 2)
