"""What room for work is worth, and what work costs that arrives, from the duals of a solved program."""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch.compute_block import ComputeColumns, beyond_h, overbooking_price
from gridtwin.dispatch.problem import ComputePrices, ComputeProblem, GridProblem
from gridtwin.optim import Solution
from gridtwin.units import FloatArray, IntArray

__all__ = ["compute_prices"]

FULL_NODE_H = 1e-6  # a segment with less room is full


def compute_prices(
    problem: ComputeProblem, grid: GridProblem, columns: ComputeColumns, solution: Solution, price_per_mwh: FloatArray
) -> ComputePrices:
    """Price room, and work by the cheapest way that it has to be done.

    Parameters
    ----------
    problem, grid : problems over the same steps
    columns : ComputeColumns
        Where columns and rows of the work are.
    solution : Solution
        Of the program that holds them.
    price_per_mwh : ndarray (time, bus)
        Of energy.

    Notes
    -----
    A node-hour at a site costs its energy and what room and connection are worth. Work that arrives may take any step
    until it is due and any site that it may go to, or the end of the horizon if it is due later. Its price is the least
    of these: at an optimum, what other work would pay to change places with it is in the prices of room.
    """
    node_h = _node_prices(problem, grid, columns, solution, price_per_mwh)
    late_data = -np.where(columns.bandwidth >= 0, solution.row_dual[columns.bandwidth], 0.0)
    late_data = late_data[problem.block]  # (time, origin, site) per GB
    left = _left_prices(problem, solution.value[columns.left])
    return ComputePrices(
        node_per_node_h=node_h,
        capacity_per_node_h=np.maximum(-_column_dual(columns.busy, solution), 0.0) / grid.step_h,
        job_per_node_h=_job_prices(problem, node_h, late_data, left, grid.step_h),
        preemptible_per_node_h=_work_prices(problem, node_h, late_data, left),
    )


def _node_prices(
    problem: ComputeProblem, grid: GridProblem, columns: ComputeColumns, solution: Solution, price_per_mwh: FloatArray
) -> FloatArray:
    """Price (time, site, class) of a further node-hour. It is late where there is no node at all."""
    energy = problem.node_mw * price_per_mwh[:, problem.site_bus, None]
    idle = np.maximum(_column_dual(columns.busy, solution), 0.0) / grid.step_h  # what the first node costs more
    price = np.where(columns.nodes >= 0, solution.row_dual[columns.nodes] / grid.step_h, energy) + idle
    none = (problem.available_nodes <= problem.committed_nodes) & ((columns.nodes < 0) | (idle > 0))
    return np.where(none, overbooking_price(problem, grid.penalties), price)


def _column_dual(columns: IntArray, solution: Solution) -> FloatArray:
    return np.where(columns >= 0, solution.column_dual[columns], 0.0)


def _left_prices(problem: ComputeProblem, left_node_h: FloatArray) -> FloatArray:
    """Price (class,) of a further node-hour at the end of the horizon: that of the first segment with room."""
    terminal = problem.terminal
    open_ = left_node_h < terminal.width_node_h - FULL_NODE_H
    return np.asarray(np.where(open_, terminal.price_per_node_h, np.inf).min(axis=1))


def _job_prices(
    problem: ComputeProblem, node_h: FloatArray, late_data: FloatArray, left: FloatArray, step_h: float
) -> FloatArray:
    """Price (time, q) of a node-hour of jobs that start once; NaN where a bin has none to know the length from."""
    run = _of_starts(problem, node_h * step_h) + (beyond_h(problem, len(node_h), step_h) * left[:, None])[:, None]
    run = _mean_of_slots(problem, run)  # (time, site, class, bin)
    way = problem.route_cost + late_data[:, :, None] * problem.route_gb[:, None]  # (time, origin, class, site)
    way = np.where(problem.route_allowed, way, np.inf)
    best = np.min(way[..., None] + run.transpose(0, 2, 1, 3)[:, None], axis=3)  # (time, origin, class, bin)
    at_end = np.broadcast_to(problem.mean_runtime_h * left[:, None], best.shape[1:])
    price = _cheapest(problem, best, at_end)
    runtime_h = np.where(problem.mean_runtime_h > 0, problem.mean_runtime_h, np.nan)[:, None, :]
    return _known(price / runtime_h).reshape(len(price), -1)


def _work_prices(problem: ComputeProblem, node_h: FloatArray, late_data: FloatArray, left: FloatArray) -> FloatArray:
    """Price (time, origin, class, delay class) of a node-hour of preemptible work that begins anew."""
    work, origins = problem.preemptible, problem.shape[0]
    way = work.route_cost[:origins] + late_data[:, :, None] * work.route_gb[:, None]
    way = np.where(work.route_allowed[:origins], way, np.inf)
    best = np.min(way + node_h.transpose(0, 2, 1)[:, None], axis=3)[..., None]  # (time, origin, class, 1)
    at_end = np.broadcast_to(left[:, None], best.shape[1:])
    return _known(_cheapest(problem, best, at_end)[..., 0])


def _known(price: FloatArray) -> FloatArray:
    """NaN where nothing may run anywhere."""
    return np.where(np.isfinite(price), price, np.nan)


def _of_starts(problem: ComputeProblem, node: FloatArray) -> FloatArray:
    """Price (time, site, class, bin) of the nodes that a start keeps busy within the horizon, from that of a step."""
    total = np.zeros((*node.shape, problem.occupancy.shape[1]))
    for lag in range(min(problem.occupancy.shape[2], len(node))):
        total[: len(node) - lag] += node[lag:, ..., None] * problem.occupancy[:, :, lag]
    return total


def _mean_of_slots(problem: ComputeProblem, value: FloatArray) -> FloatArray:
    """Mean over the steps of each slot, over which its starts are spread."""
    slot, length = problem.slot, np.bincount(problem.slot)
    mean = np.add.reduceat(value, np.searchsorted(slot, np.arange(len(length)))) / length[:, None, None, None]
    return np.asarray(mean[slot])


def _cheapest(problem: ComputeProblem, best: FloatArray, at_end: FloatArray) -> FloatArray:
    """Least price (time, origin, class, delay class, bin) over the steps until an arrival is due.

    Parameters
    ----------
    problem : ComputeProblem
    best : ndarray (time, origin, class, bin)
        Price in each step.
    at_end : ndarray (origin, class, bin)
        Price of work that is left at the end, for what is due after it.
    """
    steps = len(best)
    price = np.repeat(best[:, :, :, None], len(problem.delay_steps), axis=3)
    for k, delay in enumerate(problem.delay_steps):
        for lag in range(1, min(int(delay), steps - 1) + 1):
            price[: steps - lag, :, :, k] = np.minimum(price[: steps - lag, :, :, k], best[lag:])
        open_ = slice(max(steps - int(delay), 0), None)
        price[open_, :, :, k] = np.minimum(price[open_, :, :, k], at_end)
    return price
