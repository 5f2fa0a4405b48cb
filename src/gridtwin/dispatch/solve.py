"""Build a window's program, solve it with lazily written line limits, read the plan off it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.compute_block import add_compute, largest_draw_mw
from gridtwin.dispatch.compute_prices import compute_prices
from gridtwin.dispatch.grants import grants
from gridtwin.dispatch.grid_block import GridColumns, InjectionMap, add_balance, add_grid
from gridtwin.dispatch.network_rows import TOLERANCE_MW, LineLimits
from gridtwin.dispatch.prices import explained, nodal_prices
from gridtwin.dispatch.problem import (
    ComputeProblem,
    DispatchPlan,
    GridPlan,
    GridProblem,
    NodalPrices,
    PooledWork,
    SolverRecord,
)
from gridtwin.optim import Program, Session, Solution
from gridtwin.units import FloatArray, IntArray

__all__ = ["co_dispatch", "dispatch_grid", "dispatch_pooled"]


def dispatch_grid(problem: GridProblem, *, explain: bool = False) -> GridPlan:
    """Dispatch units for loads that are fixed.

    Parameters
    ----------
    problem : GridProblem
    explain : bool
        Whether to work out what stands behind the prices, too.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    columns = add_grid(program, problem, injection)
    return _solved(program, problem, injection, columns, explain=explain)[0]


def co_dispatch(grid: GridProblem, compute: ComputeProblem, available_mw: FloatArray) -> DispatchPlan:
    """Decide together when and where work starts and what the units do.

    Parameters
    ----------
    grid, compute : problems over the same steps
    available_mw : ndarray (time, unit), MW
        What each unit could give; like units share their group's output in proportion to it.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    plan, work = dispatch_pooled(grid, compute)
    busy = work.busy_nodes + compute.committed_nodes
    return DispatchPlan(
        compute=grants(compute, work),
        busy_nodes=busy,
        site_mw=compute.base_mw + (compute.node_mw * busy).sum(axis=2),
        grid=plan,
        unit_mw=grid.groups.split(plan.group_mw, available_mw),
        compute_prices=work.prices,
    )


def dispatch_pooled(grid: GridProblem, compute: ComputeProblem) -> tuple[GridPlan, PooledWork]:
    """Decide as `co_dispatch` does, but leave the work pooled.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    grid = replace(grid, site_mw=largest_draw_mw(compute, grid.load_mw.shape[1]))
    program, injection = Program(), InjectionMap.fixed(grid.injection_mw)
    columns = add_grid(program, grid, injection)
    work = add_compute(program, compute, grid.penalties, grid.step_h, injection)
    plan, solution = _solved(program, grid, injection, columns)
    parts = (work.start, work.placed, work.moved, work.busy, work.overbooked, work.done, work.run, work.carried)
    prices = compute_prices(compute, grid, work, solution, plan.price_per_mwh)
    return plan, PooledWork(*(_values(solution, part) for part in parts), prices=prices)


def _values(solution: Solution, columns: IntArray) -> FloatArray:
    """Return the values of columns; 0 for those that were left out."""
    return np.where(columns >= 0, np.maximum(solution.value[columns], 0.0), 0.0)


def _solved(
    program: Program, problem: GridProblem, injection: InjectionMap, columns: GridColumns, *, explain: bool = False
) -> tuple[GridPlan, Solution]:
    balance = add_balance(program, problem, injection)
    limits = LineLimits(problem, injection.matrix(program.n_columns), injection.constant)
    session = Session(program)
    solution = limits.solve(session)
    explanation = explained(problem, session, columns, balance, limits) if explain else None
    prices = nodal_prices(problem, balance, limits, solution, explanation)
    return _grid_plan(program, problem, columns, prices, limits, solution), solution


def _grid_plan(
    program: Program,
    problem: GridProblem,
    columns: GridColumns,
    prices: NodalPrices,
    limits: LineLimits,
    solution: Solution,
) -> GridPlan:
    injection = limits.injection_mw(solution)
    flow = limits.flow_mw(solution)
    beyond = np.abs(flow) - problem.rate_mw
    losses = problem.losses
    linear = (losses.factor * (injection - losses.reference_injection_mw)).sum(axis=1)
    shed = np.zeros_like(problem.load_mw)
    shed[:, columns.shed_bus] = solution.value[columns.shed]
    return GridPlan(
        group_mw=problem.lower_mw + _group_sum(problem, solution.value[columns.segment]),
        shed_mw=shed,
        spill_mw=solution.value[columns.spill],
        flow_mw=flow,
        overload_mw=np.where(beyond > TOLERANCE_MW, beyond, 0.0),
        injection_mw=injection,
        losses_mw=losses.losses_mw + linear,
        prices=prices,
        binding=limits.written,
        solver=SolverRecord(
            columns=program.n_columns,
            rows=len(solution.row_dual),
            rounds=limits.rounds,
            iterations=solution.iterations,
            objective=solution.objective,
            dual_objective=solution.dual_objective,
            primal_residual=solution.primal_residual,
        ),
    )


def _group_sum(problem: GridProblem, segment_mw: FloatArray) -> FloatArray:
    return sum_at(segment_mw, problem.groups.segment_group, len(problem.groups))
