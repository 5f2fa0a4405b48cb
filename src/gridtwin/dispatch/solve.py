"""Build a window's program, solve it with lazily written line limits, read the plan off it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.compute_block import add_compute, largest_draw_mw
from gridtwin.dispatch.grants import grants
from gridtwin.dispatch.grid_block import GridColumns, InjectionMap, add_balance, add_grid
from gridtwin.dispatch.network_rows import TOLERANCE_MW, LineLimits
from gridtwin.dispatch.problem import (
    ComputeProblem,
    DispatchPlan,
    GridPlan,
    GridProblem,
    GridReview,
    PooledWork,
    Review,
    SolverRecord,
    Tightening,
)
from gridtwin.optim import Program, Session, Solution
from gridtwin.units import FloatArray, IntArray

__all__ = ["co_dispatch", "dispatch_grid", "dispatch_pooled"]


def dispatch_grid(problem: GridProblem, review: GridReview | None = None) -> GridPlan:
    """Dispatch units for loads that are fixed.

    Parameters
    ----------
    problem : GridProblem
    review : GridReview, optional
        Looks at the plan and may have it solved again, on from the last basis.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    columns = add_grid(program, problem, injection)
    seen = None if review is None else lambda plan, _: review(plan)
    return _solved(program, problem, injection, columns, seen)[0]


def co_dispatch(
    grid: GridProblem, compute: ComputeProblem, available_mw: FloatArray, review: Review | None = None
) -> DispatchPlan:
    """Decide together when and where work starts and what the units do.

    Parameters
    ----------
    grid, compute : problems over the same steps
    available_mw : ndarray (time, unit), MW
        What each unit could give; like units share their group's output in proportion to it.
    review : Review, optional
        Looks at the plan and may have it solved again, on from the last basis.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    plan, work = dispatch_pooled(grid, compute, review)
    busy = work.busy_nodes + compute.committed_nodes
    block = np.arange(len(busy)) // compute.block_steps
    return DispatchPlan(
        compute=grants(compute, work.start_nodes, work.placed_nodes, work.moved_nodes, block),
        busy_nodes=busy,
        site_mw=_site_mw(compute, busy),
        grid=plan,
        unit_mw=grid.groups.split(plan.group_mw, available_mw),
    )


def dispatch_pooled(
    grid: GridProblem, compute: ComputeProblem, review: Review | None = None
) -> tuple[GridPlan, PooledWork]:
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

    def seen(plan: GridPlan, solution: Solution) -> Tightening | None:
        busy = _values(solution, work.busy) + compute.committed_nodes
        return None if review is None else review(plan, _site_mw(compute, busy))

    plan, solution = _solved(program, grid, injection, columns, seen)
    parts = (work.start, work.placed, work.moved, work.busy, work.overbooked)
    return plan, PooledWork(*(_values(solution, part) for part in parts))


def _site_mw(compute: ComputeProblem, busy_nodes: FloatArray) -> FloatArray:
    """Draw of each (time, site) at the meter."""
    batch_mw: FloatArray = (compute.node_mw * busy_nodes).sum(axis=2)
    return compute.base_mw + batch_mw


def _values(solution: Solution, columns: IntArray) -> FloatArray:
    """Return the values of columns; 0 for those that were left out."""
    return np.where(columns >= 0, np.maximum(solution.value[columns], 0.0), 0.0)


def _solved(
    program: Program,
    problem: GridProblem,
    injection: InjectionMap,
    columns: GridColumns,
    review: Callable[[GridPlan, Solution], Tightening | None] | None,
) -> tuple[GridPlan, Solution]:
    balance = add_balance(program, problem, injection)
    limits = LineLimits(problem, injection.matrix(program.n_columns), injection.constant)
    session = Session(program)
    solution = limits.solve(session)
    plan = _grid_plan(program, problem, columns, balance, limits, solution)
    while review is not None and (tightening := review(plan, solution)) is not None:
        solution = limits.tighten(session, tightening)
        plan = _grid_plan(program, problem, columns, balance, limits, solution)
    return plan, solution


def _grid_plan(
    program: Program,
    problem: GridProblem,
    columns: GridColumns,
    balance: IntArray,
    limits: LineLimits,
    solution: Solution,
) -> GridPlan:
    injection = limits.injection_mw(solution)
    flow = limits.flow_mw(solution)
    beyond = np.abs(flow) - limits.rate_mw
    losses = problem.losses
    marginal = (1.0 - losses.factor) * solution.row_dual[balance][:, None] + limits.price(solution)
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
        price_per_mwh=marginal / problem.step_h,
        binding=limits.written,
        rate_mw=limits.rate_mw,
        cuts=limits.cuts,
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
