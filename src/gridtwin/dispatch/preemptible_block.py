"""Columns and rows of work that may be interrupted: backlog, nodes under way, where and whence.

Such work has no start that fixes what follows, so duration bins and occupancy vanish: node-hours wait, and nodes work
them off between the earliest and the latest runs.
"""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch.problem import ComputeProblem, PreemptibleProblem
from gridtwin.optim import Program
from gridtwin.units import BoolArray, IntArray

__all__ = ["add_interruptions", "add_nodes", "add_work"]

ROUNDING_NODES = 1e-3  # latest runs use their full width; HiGHS, branching, takes a margin of 1e-6 for none


def add_work(program: Program, work: PreemptibleProblem, step_h: float) -> tuple[IntArray, IntArray]:
    """Backlog[t] = backlog[t-1] + arriving[t] - done[t] · step, at most what is not yet due.

    Returns
    -------
    done : ndarray (time, class, slack class), nodes
    backlog : ndarray (time, class, slack class), node-h
        Columns; -1 where there is no work.
    """
    arriving, due = (node_h.sum(axis=1) for node_h in (work.arriving_node_h, work.due_node_h))
    room = np.maximum(np.cumsum(arriving, axis=0) - np.cumsum(due, axis=0), 0.0)
    used = arriving.sum(axis=0) > 0
    done, backlog = np.full(arriving.shape, -1), np.full(arriving.shape, -1)
    shape = (len(arriving), int(used.sum()))
    done[:, used] = program.columns(shape, upper=work.width_nodes[:, used] + ROUNDING_NODES)
    backlog[:, used] = program.columns(shape, upper=room[:, used])
    rows = program.rows(shape, arriving[:, used], arriving[:, used])
    program.entries(rows, backlog[:, used], 1.0)
    program.entries(rows[1:], backlog[:-1, used], -1.0)
    program.entries(rows, done[:, used], step_h)
    return done, backlog


def add_nodes(program: Program, problem: ComputeProblem, done: IntArray) -> IntArray:
    """Σ over slack classes of nodes under way = Σ over sites, per (time, class).

    Returns
    -------
    ndarray (time, site, class)
        Columns; -1 where such work may not run.
    """
    work = problem.preemptible
    supplied = work.arriving_node_h.sum(axis=(0, 3)) > 0  # (whence, class)
    hosted: BoolArray = np.asarray((work.route_allowed & supplied[:, :, None]).any(axis=0)).T  # (site, class)
    run = np.full(problem.available_nodes.shape, -1)
    run[:, hosted] = program.columns((len(run), int(hosted.sum())))
    served = (done[0] >= 0).any(axis=1)
    rows = np.full((len(run), len(served)), -1)
    rows[:, served] = program.rows((len(run), int(served.sum())), 0.0, 0.0)
    program.entries(rows[:, None], run, 1.0)
    program.entries(rows[:, :, None], done, -1.0)
    return run


def add_interruptions(program: Program, problem: ComputeProblem, run: IntArray) -> None:
    """Nodes that such work gives up from one step to the next pay; interrupted[t] >= run[t-1] - run[t].

    Where starts are decided for several steps at once, interruptions are left out.
    """
    work = problem.preemptible
    held = np.zeros(run.shape)
    held[0] = work.held_nodes
    priced = ((run >= 0) | (held > 0)) & (work.interruption_cost > 0)
    priced[problem.fine_steps :] = False
    cost = np.broadcast_to(work.interruption_cost, run.shape)[priced]
    rows, interrupted = np.full(run.shape, -1), np.full(run.shape, -1)
    interrupted[priced] = program.columns(cost.shape, cost=cost)
    rows[priced] = program.rows(cost.shape, held[priced], np.inf)
    program.entries(rows, interrupted, 1.0)
    program.entries(rows, run, 1.0)
    program.entries(rows[1:], run[:-1], -1.0)
