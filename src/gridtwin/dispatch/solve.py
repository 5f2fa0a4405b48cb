"""Build a window's program, solve it with lazily written line limits, read the plan off it."""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch.compute_block import ComputeColumns, add_compute
from gridtwin.dispatch.grants import grants
from gridtwin.dispatch.grid_block import GridColumns, InjectionMap, add_balance, add_grid
from gridtwin.dispatch.network_rows import LineLimits
from gridtwin.dispatch.problem import ComputeProblem, DispatchPlan, GridPlan, GridProblem, SolverRecord
from gridtwin.optim import Program, Session, Solution
from gridtwin.records import ComputePlan
from gridtwin.units import FloatArray, IntArray

__all__ = ["co_dispatch", "dispatch_grid"]


def dispatch_grid(problem: GridProblem) -> GridPlan:
    """Dispatch units for loads that are fixed.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    columns = add_grid(program, problem, injection)
    return _solved(program, problem, injection, columns)[0]


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
    program, injection = Program(), InjectionMap.fixed(grid.injection_mw)
    columns = add_grid(program, grid, injection)
    work = add_compute(program, compute, grid.penalties, grid.step_h, injection)
    plan, solution = _solved(program, grid, injection, columns)
    busy = _values(solution, work.busy)
    return DispatchPlan(
        compute=_plan_work(compute, solution, work),
        busy_nodes=busy + compute.committed_nodes,
        site_mw=compute.base_mw + (compute.node_mw * (busy + compute.committed_nodes)).sum(axis=2),
        grid=plan,
        unit_mw=grid.groups.split(plan.group_mw, available_mw),
    )


def _plan_work(problem: ComputeProblem, solution: Solution, work: ComputeColumns) -> ComputePlan:
    steps = len(work.start)
    block = np.arange(steps) // problem.block_steps
    parts = (_values(solution, columns) for columns in (work.start, work.placed, work.moved))
    return grants(problem, *parts, block)


def _values(solution: Solution, columns: IntArray) -> FloatArray:
    """Values of columns; 0 for those that were left out."""
    return np.where(columns >= 0, np.maximum(solution.value[columns], 0.0), 0.0)


def _solved(
    program: Program, problem: GridProblem, injection: InjectionMap, columns: GridColumns
) -> tuple[GridPlan, Solution]:
    balance = add_balance(program, problem, injection)
    limits = LineLimits(problem, injection.matrix(program.n_columns), injection.constant)
    session = Session(program)
    solution = limits.solve(session)
    return _grid_plan(program, problem, columns, balance, limits, solution), solution


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
        overload_mw=np.maximum(np.abs(flow) - problem.network.rate_mw, 0.0),
        injection_mw=injection,
        losses_mw=losses.losses_mw + linear,
        price_per_mwh=marginal / problem.step_h,
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
    total = np.zeros_like(problem.lower_mw)
    np.add.at(total, (slice(None), problem.groups.segment_group), segment_mw)
    return total
