"""Columns and rows of the work: backlogs per queue, starts, routes, busy nodes, power of the sites.

Starts are counted in nodes. A queue (origin, class, delay class, duration bin) holds a backlog that grows with releases
and falls with starts; its due dates are an upper bound on the backlog. Which delay class a start came from does not
matter to the site, so routes carry origin, class, bin and site only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.problem import ComputeProblem, Penalties
from gridtwin.optim import Program
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["ComputeColumns", "add_compute"]


@dataclass(frozen=True, slots=True, eq=False)
class ComputeColumns:
    """Where the work's columns are; -1 stands for a column that cannot be used and was left out."""

    start: IntArray  # (time, q) nodes started from each queue
    route: IntArray  # (time, origin, class, bin, site)
    busy: IntArray  # (time, site, class) jobs begun in this horizon
    overbooked: IntArray  # (time, site, class)
    site_mw: IntArray  # (time, site)


def add_compute(
    program: Program, problem: ComputeProblem, penalties: Penalties, step_h: float, injection: InjectionMap
) -> ComputeColumns:
    """Add backlogs, starts, routes and sites; what the sites draw goes into `injection`."""
    start, backlog = _add_queues(program, problem)
    route = _add_routes(program, problem)
    busy, overbooked = _add_busy(program, problem, route, penalties.late_per_node_h * step_h)
    site_mw = _add_sites(program, problem, busy, penalties.connection_per_mwh * step_h)
    _meet(program, problem, start, route)
    _limit_bandwidth(program, problem, route)
    _value_what_is_left(program, problem, backlog, route, step_h)
    injection.add(site_mw, problem.site_bus, -1.0)
    return ComputeColumns(start, route, busy, overbooked, site_mw)


def _add_queues(program: Program, problem: ComputeProblem) -> tuple[IntArray, IntArray]:
    """Backlog[t] = backlog[t-1] + released[t] - start[t], at most what is not yet due. Idle queues are left out."""
    released, due = problem.released_nodes, problem.due_nodes
    room = np.maximum(np.cumsum(released, axis=0) - np.cumsum(due, axis=0), 0.0)
    used = np.flatnonzero(released.sum(axis=0) > 0)
    start, backlog = np.full(released.shape, -1), np.full(released.shape, -1)
    shape = (len(released), len(used))
    start[:, used] = program.columns(shape, upper=np.cumsum(released[:, used], axis=0))
    backlog[:, used] = program.columns(shape, upper=room[:, used])
    rows = program.rows(shape, released[:, used], released[:, used])
    program.entries(rows, backlog[:, used], 1.0)
    program.entries(rows[1:], backlog[:-1, used], -1.0)
    program.entries(rows, start[:, used], 1.0)
    return start, backlog


def _add_routes(program: Program, problem: ComputeProblem) -> IntArray:
    """Node starts from an origin to a site, at the WAN's price; pairs that may not be used are left out."""
    steps = len(problem.released_nodes)
    demanded = problem.released_nodes.sum(axis=0).reshape(problem.shape).sum(axis=2) > 0  # (origin, class, bin)
    sites = problem.route_allowed.shape[2]
    allowed = demanded[..., None] & problem.route_allowed[:, :, None, :]
    cost = np.broadcast_to(problem.route_cost[:, :, None, :], allowed.shape)[allowed]
    route = np.full((steps, *demanded.shape, sites), -1)
    route[:, allowed] = program.columns((steps, int(allowed.sum())), cost=cost)
    return route


def _add_busy(
    program: Program, problem: ComputeProblem, route: IntArray, late_price: float
) -> tuple[IntArray, IntArray]:
    """Nodes kept busy by starts, within what running jobs and services leave; work beyond that will be late."""
    free = np.maximum(problem.available_nodes - problem.committed_nodes, 0.0)
    busy = program.columns(free.shape)
    overbooked = program.columns(free.shape, cost=late_price)
    room = program.rows(free.shape, -np.inf, free)
    program.entries(room, busy, 1.0)
    program.entries(room, overbooked, -1.0)
    definition = program.rows(free.shape, 0.0, 0.0)
    program.entries(definition, busy, 1.0)
    for lag in range(min(problem.occupancy.shape[2], len(route))):
        share = problem.occupancy[:, :, lag]  # (class, bin)
        for site in range(free.shape[1]):
            for compute_class, duration_bin in zip(*np.nonzero(share), strict=True):
                starts = route[: len(route) - lag, :, compute_class, duration_bin, site]
                at = np.broadcast_to(definition[lag:, site, compute_class, None], starts.shape)
                known = starts >= 0
                program.entries(at[known], starts[known], -share[compute_class, duration_bin])
    return busy, overbooked


def _add_sites(program: Program, problem: ComputeProblem, busy: IntArray, price: float) -> IntArray:
    """Power at the meter from busy nodes; the connection may be exceeded only at a price."""
    fixed = problem.base_mw + (problem.node_mw * problem.committed_nodes).sum(axis=2)
    site_mw = program.columns(fixed.shape)
    definition = program.rows(fixed.shape, fixed, fixed)
    program.entries(definition, site_mw, 1.0)
    program.entries(definition[:, :, None], busy, -problem.node_mw)
    ceiling = problem.base_mw + (problem.node_mw * problem.available_nodes).sum(axis=2)
    bound = ceiling > problem.connection_mw
    if bound.any():
        limit = np.broadcast_to(problem.connection_mw, bound.shape)[bound]
        over = program.columns((int(bound.sum()),), cost=price)
        rows = program.rows(over.shape, -np.inf, limit)
        program.entries(rows, site_mw[bound], 1.0)
        program.entries(rows, over, -1.0)
    return site_mw


def _meet(program: Program, problem: ComputeProblem, start: IntArray, route: IntArray) -> None:
    """What leaves an origin arrives at a site: per (time, origin, class, bin)."""
    by_queue = start.reshape(len(start), *problem.shape).transpose(0, 1, 2, 4, 3)  # delay class last
    met = (by_queue >= 0).any(axis=4)
    rows = np.full(met.shape, -1)
    rows[met] = program.rows((int(met.sum()),), 0.0, 0.0)
    for block, sign in ((by_queue, 1.0), (route, -1.0)):
        known: BoolArray = block >= 0
        at = np.broadcast_to(rows[..., None], block.shape)
        program.entries(at[known], block[known], sign)


def _limit_bandwidth(program: Program, problem: ComputeProblem, route: IntArray) -> None:
    """Data of starts fit the link in every step; links that could carry everything at once get no row."""
    gb = problem.route_gb[None, :, None] * np.ones(route.shape[1:4])  # (origin, class, bin)
    most = (problem.released_nodes.sum(axis=0).reshape(problem.shape).sum(axis=2) * gb).sum(axis=(1, 2))
    for origin, site in zip(*np.nonzero(most[:, None] > problem.bandwidth_gb), strict=True):
        columns = route[:, origin, :, :, site].reshape(len(route), -1)
        rows = program.rows((len(route),), -np.inf, problem.bandwidth_gb[origin, site])
        data = np.broadcast_to(gb[origin].ravel(), columns.shape)
        known = columns >= 0
        program.entries(np.broadcast_to(rows[:, None], columns.shape)[known], columns[known], data[known])


def _value_what_is_left(
    program: Program, problem: ComputeProblem, backlog: IntArray, route: IntArray, step_h: float
) -> None:
    """Backlog and occupancy past the horizon pay the terminal price of their class, in node-hours."""
    terminal = problem.terminal
    left = program.columns(terminal.width_node_h.shape, upper=terminal.width_node_h, cost=terminal.price_per_node_h)
    rows = program.rows((len(left),), 0.0, 0.0)
    program.entries(rows[:, None], left, 1.0)
    last = backlog[-1].reshape(problem.shape)
    _owe(program, rows[None, :, None, None], last, problem.mean_runtime_h[None, :, None, :])
    _owe(program, rows[None, None, :, None, None], route, _beyond_h(problem, len(route), step_h)[:, None, :, :, None])


def _owe(program: Program, rows: IntArray, columns: IntArray, node_h: FloatArray) -> None:
    known = columns >= 0
    at, hours = np.broadcast_to(rows, columns.shape), np.broadcast_to(node_h, columns.shape)
    program.entries(at[known], columns[known], -hours[known])


def _beyond_h(problem: ComputeProblem, steps: int, step_h: float) -> FloatArray:
    """Node-hours past the horizon of one node started in each step (time, class, bin)."""
    lags = problem.occupancy.shape[2]
    tail = np.zeros((max(lags, steps) + 1, *problem.occupancy.shape[:2]))
    tail[:lags] = np.cumsum(problem.occupancy[:, :, ::-1], axis=2)[:, :, ::-1].transpose(2, 0, 1)
    return tail[steps - np.arange(steps)] * step_h
