"""Columns and rows of the work: backlogs, starts, busy nodes, data moved.

Starts are counted in nodes. Size is the design question, so each decision carries only the axes that it needs:

- *when*: backlogs and starts by (class, delay class, bin), the origins pooled; due dates bound the backlog from above;
- *where*: starts by (class, bin, site), which keep nodes busy for as long as jobs of their bin run;
- *whence*: starts by (origin, class, site) over blocks of several steps, which pay for the WAN and fill its links.

`dispatch.grants` puts the three together again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.problem import ComputeProblem, Penalties
from gridtwin.dispatch.store_block import StoreMeters
from gridtwin.optim import Program
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["ComputeColumns", "add_compute", "block_edges", "largest_draw_mw", "overbooking_price"]


@dataclass(frozen=True, slots=True, eq=False)
class ComputeColumns:
    """Where the work's columns are; -1 stands for a column that cannot be used and was left out."""

    start: IntArray  # (time, class, delay class, bin)
    placed: IntArray  # (time, class, bin, site)
    moved: IntArray  # (block, origin, class, site)
    busy: IntArray  # (time, site, class) with jobs begun in this horizon
    overbooked: IntArray  # (time, site, class) work that finds no node and will be late


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
    busy, overbooked = _add_busy(program, problem, placed, overbooking_price(problem, penalties) * step_h)
    moved = _add_wan(program, problem, start, placed, penalties.late_per_node_h)
    _limit_connections(program, problem, busy, penalties.connection_per_mwh * step_h, meters)
    _value_what_is_left(program, problem, backlog, placed, step_h)
    fixed = problem.base_mw + (problem.node_mw * problem.committed_nodes).sum(axis=2)
    injection.constant = injection.constant - sum_at(fixed, problem.site_bus, injection.constant.shape[1])
    for compute_class in range(busy.shape[2]):
        injection.add(busy[:, :, compute_class], problem.site_bus, -problem.node_mw[:, :, compute_class])
    return ComputeColumns(start, placed, moved, busy, overbooked)


def largest_draw_mw(problem: ComputeProblem, buses: int) -> FloatArray:
    """What sites can draw at their buses (time, bus): idle nodes, services, jobs on all nodes there are for them."""
    nodes = np.maximum(problem.available_nodes, problem.committed_nodes)
    return sum_at(problem.base_mw + (problem.node_mw * nodes).sum(axis=2), problem.site_bus, buses)


def overbooking_price(problem: ComputeProblem, penalties: Penalties) -> FloatArray:
    """Price of a node-hour of late work (time, site, class).

    It covers what shedding the node's power would cost, so that no work is put off to spare the grid a shed.
    """
    return penalties.late_per_node_h + penalties.shed_per_mwh * problem.node_mw


def block_edges(steps: int, block_steps: int) -> IntArray:
    """Return the first step of each block; the last block may be shorter."""
    return np.arange(0, steps, block_steps, dtype=np.int64)


def _pooled(nodes: FloatArray, problem: ComputeProblem) -> FloatArray:
    """Sum (time, q) over origins: (time, class, delay class, bin)."""
    pooled: FloatArray = nodes.reshape(len(nodes), *problem.shape).sum(axis=1)
    return pooled


def _add_queues(program: Program, problem: ComputeProblem) -> tuple[IntArray, IntArray]:
    """Backlog[t] = backlog[t-1] + released[t] - start[t], at most what is not yet due. Idle queues are left out."""
    released, due = _pooled(problem.released_nodes, problem), _pooled(problem.due_nodes, problem)
    cumulated = np.cumsum(released, axis=0)
    room = np.maximum(cumulated - np.cumsum(due, axis=0), 0.0)
    used = released.sum(axis=0) > 0
    start, backlog = np.full(released.shape, -1), np.full(released.shape, -1)
    shape = (len(released), int(used.sum()))
    start[:, used] = program.columns(shape, upper=cumulated[:, used])
    backlog[:, used] = program.columns(shape, upper=room[:, used])
    rows = program.rows(shape, released[:, used], released[:, used])
    program.entries(rows, backlog[:, used], 1.0)
    program.entries(rows[1:], backlog[:-1, used], -1.0)
    program.entries(rows, start[:, used], 1.0)
    return start, backlog


def _add_places(program: Program, problem: ComputeProblem, start: IntArray) -> IntArray:
    """What starts is placed: Σ over delay classes of starts = Σ over sites, per (time, class, bin)."""
    served: BoolArray = np.asarray((start[0] >= 0).any(axis=1))  # (class, bin)
    hosted: BoolArray = np.asarray(_demanded_routes(problem).any(axis=0))  # (class, site)
    allowed = served[:, :, None] & hosted[:, None, :]
    placed = np.full((len(start), *allowed.shape), -1)
    placed[:, allowed] = program.columns((len(start), int(allowed.sum())))
    rows = np.full((len(start), *served.shape), -1)
    rows[:, served] = program.rows((len(start), int(served.sum())), 0.0, 0.0)
    _enter(program, rows[:, :, None, :], start, 1.0)
    _enter(program, rows[..., None], placed, -1.0)
    return placed


def _add_busy(
    program: Program, problem: ComputeProblem, placed: IntArray, price: FloatArray
) -> tuple[IntArray, IntArray]:
    """Nodes kept busy by starts, within what running jobs and services leave.

    Work beyond that is overbooked and will be late, at a price.
    """
    steps = len(problem.committed_nodes)
    free = np.maximum(problem.available_nodes - problem.committed_nodes, 0.0)
    used = np.broadcast_to((placed[0] >= 0).any(axis=1).T, free.shape)  # (site, class)
    busy, overbooked = np.full(free.shape, -1), np.full(free.shape, -1)
    rows = np.full(free.shape, -1)
    busy[used] = program.columns((int(used.sum()),), upper=free[used])
    overbooked[used] = program.columns((int(used.sum()),), cost=price[used])
    rows[used] = program.rows((int(used.sum()),), 0.0, 0.0)
    _enter(program, rows, busy, 1.0)
    _enter(program, rows, overbooked, 1.0)
    at = rows.transpose(0, 2, 1)[:, :, None, :]  # (time, class, 1, site)
    for lag in range(min(problem.occupancy.shape[2], steps)):
        share = problem.occupancy[None, :, :, lag, None]
        _enter(program, at[lag:], placed[: steps - lag], -share)
    return busy, overbooked


def _add_wan(
    program: Program, problem: ComputeProblem, start: IntArray, placed: IntArray, late_price: float
) -> IntArray:
    """Transport from origins to sites in blocks of steps.

    By the end of each block an origin has started no more than it released and no less than was due, as for queues;
    each site takes in the block what is placed there; links carry what they can, the rest pays as an hour's delay of
    the nodes it is for.
    """
    steps = len(start)
    edges = block_edges(steps, problem.block_steps)
    allowed = _demanded_routes(problem)
    moved = np.full((len(edges), *allowed.shape), -1)
    cost = np.broadcast_to(problem.route_cost, allowed.shape)[allowed]
    moved[:, allowed] = program.columns((len(edges), int(allowed.sum())), cost=cost)
    _bound_origins(program, problem, moved, edges)
    block = np.searchsorted(edges, np.arange(steps), side="right") - 1
    taken = np.full((len(edges), *allowed.shape[1:]), -1)
    reached = (moved >= 0).any(axis=1)
    taken[reached] = program.rows((int(reached.sum()),), 0.0, 0.0)
    _enter(program, taken[:, None], moved, 1.0)
    _enter(program, taken[block][:, :, None, :], placed, -1.0)
    _limit_bandwidth(program, problem, moved, np.diff(np.append(edges, steps)), late_price)
    return moved


def _demanded_routes(problem: ComputeProblem) -> BoolArray:
    """Pairs (origin, class, site) that are allowed and that work asks for."""
    demanded = problem.released_nodes.sum(axis=0).reshape(problem.shape).sum(axis=(2, 3)) > 0
    asked: BoolArray = problem.route_allowed & demanded[:, :, None]
    return asked


def _bound_origins(program: Program, problem: ComputeProblem, moved: IntArray, edges: IntArray) -> None:
    """Cumulative starts of each (origin, class) lie between what is due and what is released, at each block's end."""
    ends = np.append(edges[1:], len(problem.released_nodes)) - 1
    by_origin = (
        nodes.reshape(len(nodes), *problem.shape).sum(axis=(3, 4))
        for nodes in (problem.released_nodes, problem.due_nodes)
    )
    released, due = (np.cumsum(nodes, axis=0)[ends] for nodes in by_origin)
    used = np.broadcast_to(released[-1] > 0, released.shape)
    total, rows = np.full(released.shape, -1), np.full(released.shape, -1)
    total[used] = program.columns((int(used.sum()),), lower=np.minimum(due, released)[used], upper=released[used])
    rows[used] = program.rows((int(used.sum()),), 0.0, 0.0)
    _enter(program, rows, total, 1.0)
    _enter(program, rows[1:], total[:-1], -1.0)
    _enter(program, rows[..., None], moved, -1.0)


def _limit_bandwidth(
    program: Program, problem: ComputeProblem, moved: IntArray, lengths: IntArray, late_price: float
) -> None:
    """Data of a block's starts fit the link, or arrive late; links that could carry everything at once get no row."""
    released = problem.released_nodes.sum(axis=0).reshape(problem.shape).sum(axis=(2, 3))
    most_gb = released @ problem.route_gb
    for origin, site in zip(*np.nonzero(most_gb[:, None] > problem.bandwidth_gb * lengths.min()), strict=True):
        rows = program.rows((len(moved),), -np.inf, problem.bandwidth_gb[origin, site] * lengths)
        _enter(program, rows[:, None], moved[:, origin, :, site], problem.route_gb)
        over_gb = program.columns(rows.shape, cost=late_price / problem.route_gb.max())
        program.entries(rows, over_gb, -1.0)


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
    _enter(program, rows[:, :, None], busy, problem.node_mw)
    meters.enter(program, rows)


def _value_what_is_left(
    program: Program, problem: ComputeProblem, backlog: IntArray, placed: IntArray, step_h: float
) -> None:
    """Backlog and occupancy past the horizon pay the terminal price of their class, in node-hours."""
    terminal = problem.terminal
    left = program.columns(terminal.width_node_h.shape, upper=terminal.width_node_h, cost=terminal.price_per_node_h)
    rows = program.rows((len(left),), 0.0, 0.0)
    program.entries(rows[:, None], left, 1.0)
    _enter(program, rows[:, None, None], backlog[-1], -problem.mean_runtime_h[:, None, :])
    beyond = _beyond_h(problem, len(placed), step_h)
    _enter(program, rows[None, :, None, None], placed, -beyond[..., None])


def _beyond_h(problem: ComputeProblem, steps: int, step_h: float) -> FloatArray:
    """Node-hours past the horizon of one node started in each step (time, class, bin)."""
    lags = problem.occupancy.shape[2]
    tail = np.zeros((max(lags, steps) + 1, *problem.occupancy.shape[:2]))
    tail[:lags] = np.cumsum(problem.occupancy[:, :, ::-1], axis=2)[:, :, ::-1].transpose(2, 0, 1)
    return tail[steps - np.arange(steps)] * step_h


def _enter(program: Program, rows: IntArray, columns: IntArray, values: FloatArray | float) -> None:
    """Add entries where both the row and the column exist."""
    at, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=np.float64))
    known = (at >= 0) & (column >= 0)
    program.entries(at[known], column[known], value[known])
