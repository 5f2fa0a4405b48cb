"""What work and room for it are worth, read off the duals of a solved program.

An arrival moves right-hand sides and bounds: the balance of its queue, how much may have started, how much may wait,
and what its origin can and must have sent by the end of each block. Its price is the sum of what these are worth.
"""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch.compute_block import ComputeColumns
from gridtwin.dispatch.problem import ComputePrices, ComputeProblem
from gridtwin.optim import Solution
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["compute_prices"]


def compute_prices(
    problem: ComputeProblem, columns: ComputeColumns, solution: Solution, step_h: float
) -> ComputePrices:
    """Price nodes and work.

    Parameters
    ----------
    problem : ComputeProblem
    columns : ComputeColumns
        Where its columns and rows are.
    solution : Solution
        Of the program that holds them.
    step_h : float, h
    """
    room, _ = _bounds(solution, columns.busy)
    return ComputePrices(
        capacity_per_node_h=-room / step_h,
        job_per_node_h=_start_prices(problem, columns, solution),
        preemptible_per_node_h=_work_prices(problem, columns, solution, step_h),
    )


def _start_prices(problem: ComputeProblem, columns: ComputeColumns, solution: Solution) -> FloatArray:
    """Price (time, q) of a node start released in a step, per node-hour; NaN for queues without work."""
    slot, due = problem.slot, _due_step(problem)
    length = np.bincount(slot)
    begins = np.searchsorted(slot, np.arange(len(length)))
    due_slot = np.append(slot, len(length))[due]
    start, _ = _bounds(solution, columns.start[begins])
    wait, _ = _bounds(solution, columns.backlog)
    value = _dual(solution, columns.queue)[slot]
    value = value + _from(start / length[:, None, None, None])[slot]
    value = value + _until(wait, slot, due_slot, axis=2)
    sent = _sent_prices(problem, solution, columns.total, due)  # (time, origin, class, delay class)
    price = (value[:, None] + sent[..., None]) / _runtime_h(problem)
    known = (columns.start[0] >= 0) & (columns.total[0] >= 0)[:, :, None, None]
    return np.where(known, price, np.nan).reshape(len(slot), -1)


def _work_prices(problem: ComputeProblem, columns: ComputeColumns, solution: Solution, step_h: float) -> FloatArray:
    """Price (time, origin, class, delay class) of a node-hour of preemptible work that arrives in a step."""
    steps, due = np.arange(len(problem.released_nodes)), _due_step(problem)
    width, _ = _bounds(solution, columns.done)
    wait, _ = _bounds(solution, columns.undone)
    value = _dual(solution, columns.work) + _until(wait, steps, due, axis=2)
    value = value + _until(width, steps, np.minimum(due + 1, len(steps)), axis=2) / step_h
    origins = problem.shape[0]
    sent = _sent_prices(problem, solution, columns.carried_total[:, :origins], due)
    known = (columns.done[0] >= 0) & (columns.carried_total[0, :origins] >= 0)[:, :, None]
    return np.where(known, value[:, None] + sent, np.nan)


def _due_step(problem: ComputeProblem) -> IntArray:
    """Step (time, delay class) by whose end an arrival must have begun; the number of steps if it is later."""
    steps = len(problem.released_nodes)
    due: IntArray = np.minimum(np.arange(steps)[:, None] + problem.delay_steps, steps)
    return due


def _sent_prices(problem: ComputeProblem, solution: Solution, total: IntArray, due: IntArray) -> FloatArray:
    """What it is worth (time, whence, class, delay class) that a place can send more, and what it costs that it must."""
    can, must = (_from(value) for value in _bounds(solution, total))
    block = problem.block
    due_block = np.append(block, len(total))[due]
    return np.asarray(can[block][..., None] + must[due_block].transpose(0, 2, 3, 1))


def _bounds(solution: Solution, columns: IntArray) -> tuple[FloatArray, FloatArray]:
    """Change of cost per unit of the upper bound (<= 0) and of the lower bound (>= 0); 0 where there is no column."""
    dual = np.where(columns >= 0, solution.column_dual[columns], 0.0)
    return np.minimum(dual, 0.0), np.maximum(dual, 0.0)


def _dual(solution: Solution, rows: IntArray) -> FloatArray:
    return np.where(rows >= 0, solution.row_dual[rows], 0.0)


def _from(value: FloatArray) -> FloatArray:
    """Sum from each place along the first axis to its end; one place more, where nothing is left."""
    total = np.cumsum(value[::-1], axis=0)[::-1]
    return np.concatenate([total, np.zeros_like(total[:1])])


def _until(value: FloatArray, first: IntArray, end: IntArray, axis: int) -> FloatArray:
    """Sum along the first axis from `first` (time,) to before `end` (time, delay class), which `axis` runs over."""
    total = _from(value)
    delay = np.arange(end.shape[1])
    begun = np.moveaxis(total, axis, 1)  # (place, delay class, …)
    spans = begun[first[:, None], delay] - begun[np.maximum(end, first[:, None]), delay]
    return np.moveaxis(spans, 1, axis)


def _runtime_h(problem: ComputeProblem) -> FloatArray:
    """Mean runtime (class, 1, bin), NaN where there are no jobs."""
    runtime_h = problem.mean_runtime_h[:, None, :]
    has_jobs: BoolArray = runtime_h > 0
    return np.where(has_jobs, runtime_h, np.nan)
