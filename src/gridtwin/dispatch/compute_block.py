"""Columns and rows of the work: backlogs, starts, busy nodes, data moved.

Starts are counted in nodes. Size is the design question, so each decision carries only the axes that it needs:

- *when*: backlogs and starts by (class, delay class, bin), the origins pooled; due dates bound the backlog from above;
  in the later part of the horizon, which is decided again before it comes, starts may be spread over slots of steps;
- *where*: starts by (class, bin, site), which keep nodes busy for as long as jobs of their bin run;
- *whence*: starts by (origin, class, site) over blocks of several steps, which pay for the WAN and fill its links.

`dispatch.grants` puts the three together again. Work that may be interrupted is in `dispatch.preemptible_block`, its
transport in `dispatch.wan_block`; both kinds share nodes, connections and links.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.green_rows import add_green
from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.preemptible_block import add_interruptions, add_nodes, add_work
from gridtwin.dispatch.problem import ComputeProblem, Penalties
from gridtwin.dispatch.store_block import StoreMeters
from gridtwin.dispatch.wan_block import add_transport, late_price_per_gb, limit_bandwidth
from gridtwin.optim import Program
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["ComputeColumns", "add_compute", "beyond_h", "largest_draw_mw", "overbooking_price"]


@dataclass(frozen=True, slots=True, eq=False)
class ComputeColumns:
    """Where the work's columns and rows are; -1 stands for one that cannot be used and was left out.

    Steps of a slot share their columns of starts and places, which are nodes in each of its steps.
    """

    start: IntArray  # (time, class, delay class, bin)
    placed: IntArray  # (time, class, bin, site)
    moved: IntArray  # (block, origin, class, site)
    busy: IntArray  # (time, site, class) with jobs begun in this horizon and with preemptible work
    overbooked: IntArray  # (time, site, class) work that finds no node and will be late
    done: IntArray  # (time, class, slack class) preemptible work under way
    run: IntArray  # (time, site, class) preemptible work under way
    carried: IntArray  # (block, whence, class, site) preemptible work, node-hours
    nodes: IntArray  # (time, site, class) rows: busy + overbooked = what is at work
    bandwidth: IntArray  # (block, origin, site) rows
    left: IntArray  # (class, segment) node-hours left at the end of the horizon


def add_compute(
    program: Program,
    problem: ComputeProblem,
    penalties: Penalties,
    step_h: float,
    injection: InjectionMap,
    meters: StoreMeters,
) -> ComputeColumns:
    """Add backlogs, starts, sites and WAN; what busy nodes draw goes into `injection`."""
    start, backlog = _add_queues(program, problem)
    placed = _add_places(program, problem, start)
    done, undone = add_work(program, problem.preemptible, step_h)
    run = add_nodes(program, problem, done)
    add_interruptions(program, problem, run)
    busy, overbooked, nodes = _add_busy(program, problem, placed, run, overbooking_price(problem, penalties) * step_h)
    moved, carried, bandwidth = _add_wan(program, problem, placed, run, step_h, late_price_per_gb(problem, penalties))
    _limit_connections(program, problem, busy, penalties.connection_per_mwh * step_h, meters)
    add_green(program, problem, busy, step_h)
    left = _value_what_is_left(program, problem, backlog, placed, undone, step_h)
    fixed = problem.base_mw + (problem.node_mw * problem.committed_nodes).sum(axis=2)
    injection.constant = injection.constant - sum_at(fixed, problem.site_bus, injection.constant.shape[1])
    for compute_class in range(busy.shape[2]):
        injection.add(busy[:, :, compute_class], problem.site_bus, -problem.node_mw[:, :, compute_class])
    return ComputeColumns(start, placed, moved, busy, overbooked, done, run, carried, nodes, bandwidth, left)


def largest_draw_mw(problem: ComputeProblem, buses: int) -> FloatArray:
    """What sites can draw at their buses (time, bus): idle nodes, services, jobs on all nodes there are for them."""
    nodes = np.maximum(problem.available_nodes, problem.committed_nodes)
    return sum_at(problem.base_mw + (problem.node_mw * nodes).sum(axis=2), problem.site_bus, buses)


def overbooking_price(problem: ComputeProblem, penalties: Penalties) -> FloatArray:
    """Price of a node-hour of late work (time, site, class).

    It covers what shedding the node's power would cost, so that no work is put off to spare the grid a shed.
    """
    return penalties.late_per_node_h + penalties.shed_per_mwh * problem.node_mw


def _pooled(nodes: FloatArray, problem: ComputeProblem) -> FloatArray:
    """Sum (time, q) over origins: (time, class, delay class, bin)."""
    pooled: FloatArray = nodes.reshape(len(nodes), *problem.shape).sum(axis=1)
    return pooled


def _add_queues(program: Program, problem: ComputeProblem) -> tuple[IntArray, IntArray]:
    """Backlog = backlog before + released - started, at most what is not yet due. Idle queues are left out.

    Starts are columns of a slot, nodes in each of its steps; the backlog (slot, …) is that at its end.
    """
    slot = problem.slot
    first, length = np.searchsorted(slot, np.arange(slot[-1] + 1)), np.bincount(slot)
    released, due = (
        np.add.reduceat(_pooled(nodes, problem), first) for nodes in (problem.released_nodes, problem.due_nodes)
    )
    cumulated = np.cumsum(released, axis=0)
    room = np.maximum(cumulated - np.cumsum(due, axis=0), 0.0)
    used = released.sum(axis=0) > 0
    start, backlog = np.full(released.shape, -1), np.full(released.shape, -1)
    shape = (len(released), int(used.sum()))
    start[:, used] = program.columns(shape, upper=cumulated[:, used] / length[:, None])
    backlog[:, used] = program.columns(shape, upper=room[:, used])
    rows = program.rows(shape, released[:, used], released[:, used])
    program.entries(rows, backlog[:, used], 1.0)
    program.entries(rows[1:], backlog[:-1, used], -1.0)
    program.entries(rows, start[:, used], length[:, None])
    return start[slot], backlog


def _add_places(program: Program, problem: ComputeProblem, start: IntArray) -> IntArray:
    """What starts is placed: Σ over delay classes of starts = Σ over sites, per (slot, class, bin)."""
    slot = problem.slot
    first = np.searchsorted(slot, np.arange(slot[-1] + 1))
    served: BoolArray = np.asarray((start[0] >= 0).any(axis=1))  # (class, bin)
    asked = problem.released_nodes.sum(axis=0).reshape(problem.shape).sum(axis=(2, 3)) > 0  # (origin, class)
    hosted: BoolArray = np.asarray((problem.route_allowed & asked[:, :, None]).any(axis=0))  # (class, site)
    allowed = served[:, :, None] & hosted[:, None, :]
    placed = np.full((len(first), *allowed.shape), -1)
    placed[:, allowed] = program.columns((len(first), int(allowed.sum())))
    rows = np.full((len(first), *served.shape), -1)
    rows[:, served] = program.rows((len(first), int(served.sum())), 0.0, 0.0)
    program.entries(rows[:, :, None, :], start[first], 1.0)
    program.entries(rows[..., None], placed, -1.0)
    return placed[slot]


def _add_busy(
    program: Program, problem: ComputeProblem, placed: IntArray, run: IntArray, price: FloatArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Nodes kept busy by starts and by preemptible work, within what running jobs and services leave.

    Work beyond that is overbooked and will be late, at a price.
    """
    steps = len(problem.committed_nodes)
    free = np.maximum(problem.available_nodes - problem.committed_nodes, 0.0)
    used = np.broadcast_to((placed[0] >= 0).any(axis=1).T | (run[0] >= 0), free.shape)
    busy, overbooked = np.full(free.shape, -1), np.full(free.shape, -1)
    rows = np.full(free.shape, -1)
    busy[used] = program.columns((int(used.sum()),), upper=free[used])
    overbooked[used] = program.columns((int(used.sum()),), cost=price[used])
    rows[used] = program.rows((int(used.sum()),), 0.0, 0.0)
    program.entries(rows, busy, 1.0)
    program.entries(rows, overbooked, 1.0)
    program.entries(rows, run, -1.0)
    at = rows.transpose(0, 2, 1)[:, :, None, :]  # (time, class, 1, site)
    for lag in range(min(problem.occupancy.shape[2], steps)):
        share = problem.occupancy[None, :, :, lag, None]
        program.entries(at[lag:], placed[: steps - lag], -share)
    return busy, overbooked, rows


def _add_wan(
    program: Program, problem: ComputeProblem, placed: IntArray, run: IntArray, step_h: float, price_per_gb: float
) -> tuple[IntArray, IntArray, IntArray]:
    """What is placed at a site and what runs there comes from somewhere, over links that both share."""
    work = problem.preemptible
    released, due = (
        nodes.reshape(len(nodes), *problem.shape).sum(axis=(3, 4))
        for nodes in (problem.released_nodes, problem.due_nodes)
    )
    moved, taken = add_transport(program, released, due, problem.route_allowed, problem.route_cost, problem.block)
    program.entries(taken[:, :, None, :], placed, -1.0)
    arriving, due = (node_h.sum(axis=3) for node_h in (work.arriving_node_h, work.due_node_h))
    carried, taken = add_transport(program, arriving, due, work.route_allowed, work.route_cost, problem.block)
    program.entries(taken, run.transpose(0, 2, 1), -step_h)
    flows = [(moved, problem.route_gb), (carried, work.route_gb)]
    return moved, carried, limit_bandwidth(program, problem, flows, price_per_gb)


def _limit_connections(
    program: Program, problem: ComputeProblem, busy: IntArray, price: float, meters: StoreMeters
) -> None:
    """What a site and the stores behind its meter draw may exceed its connection only at a price.

    Nor may they give more than it carries. Sites that cannot exceed it get no row.
    """
    fixed = problem.base_mw + (problem.node_mw * problem.committed_nodes).sum(axis=2)
    free = np.maximum(problem.available_nodes - problem.committed_nodes, 0.0)
    charge, discharge = meters.most_mw(fixed.shape[1])
    draws = fixed + (problem.node_mw * free).sum(axis=2) + charge > problem.connection_mw
    gives = discharge - fixed > problem.connection_mw
    bound = draws | gives
    rows = np.full(bound.shape, -1)
    least = np.where(gives, -problem.connection_mw - fixed, -np.inf)[bound]
    limit = (problem.connection_mw - fixed)[bound]
    rows[bound] = program.rows(limit.shape, least, limit)
    over = program.columns(limit.shape, cost=price)
    program.entries(rows[bound], over, -1.0)
    program.entries(rows[:, :, None], busy, problem.node_mw)
    meters.enter(program, rows)


def _value_what_is_left(
    program: Program, problem: ComputeProblem, backlog: IntArray, placed: IntArray, undone: IntArray, step_h: float
) -> IntArray:
    """Backlogs and occupancy past the horizon pay the terminal price of their class, in node-hours."""
    terminal = problem.terminal
    left = program.columns(terminal.width_node_h.shape, upper=terminal.width_node_h, cost=terminal.price_per_node_h)
    rows = program.rows((len(left),), 0.0, 0.0)
    program.entries(rows[:, None], left, 1.0)
    program.entries(rows[:, None, None], backlog[-1], -problem.mean_runtime_h[:, None, :])
    program.entries(rows[:, None], undone[-1], -1.0)
    beyond = beyond_h(problem, len(placed), step_h)
    program.entries(rows[None, :, None, None], placed, -beyond[..., None])
    return left


def beyond_h(problem: ComputeProblem, steps: int, step_h: float) -> FloatArray:
    """Node-hours past the horizon of one node started in each step (time, class, bin)."""
    lags = problem.occupancy.shape[2]
    tail = np.zeros((max(lags, steps) + 1, *problem.occupancy.shape[:2]))
    tail[:lags] = np.cumsum(problem.occupancy[:, :, ::-1], axis=2)[:, :, ::-1].transpose(2, 0, 1)
    return tail[steps - np.arange(steps)] * step_h
