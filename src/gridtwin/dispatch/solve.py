"""Build a window's program, solve it with lazily written line limits, read the plan off it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch.commitment_block import OnlineColumns, add_bundles, add_commitment
from gridtwin.dispatch.compute_block import ComputeColumns, add_compute, largest_draw_mw
from gridtwin.dispatch.compute_prices import compute_prices
from gridtwin.dispatch.grants import grants
from gridtwin.dispatch.grid_block import GridColumns, InjectionMap, add_balance, add_grid, dump_share
from gridtwin.dispatch.lazy import solve_lazily
from gridtwin.dispatch.link_block import LinkColumns, add_links
from gridtwin.dispatch.network_rows import TOLERANCE_MW, LineLimits
from gridtwin.dispatch.one_way import one_way
from gridtwin.dispatch.prices import explained, nodal_prices
from gridtwin.dispatch.problem import (
    ComputeProblem,
    DispatchPlan,
    FleetPlan,
    GridPlan,
    GridProblem,
    GridReview,
    NodalPrices,
    PooledWork,
    Review,
    SolverRecord,
    Tightening,
)
from gridtwin.dispatch.reserve_rows import ReserveRows
from gridtwin.dispatch.store_block import StoreColumns, StoreMeters, add_stores
from gridtwin.optim import Program, Session, Solution
from gridtwin.units import FloatArray, IntArray

__all__ = ["co_dispatch", "dispatch_grid", "dispatch_pooled", "fleet_plan", "pooled_work"]


def dispatch_grid(problem: GridProblem, review: GridReview | None = None, *, explain: bool = False) -> GridPlan:
    """Dispatch units for loads that are fixed.

    Parameters
    ----------
    problem : GridProblem
    review : GridReview, optional
        Looks at the plan and may have it solved again, on from the last basis.
    explain : bool
        Whether to work out what stands behind the prices, too.

    Raises
    ------
    DispatchError
        If the program has no optimum.
    """
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    part = _add_grid(program, problem, injection)
    seen = None if review is None else lambda plan, _: review(plan)
    return _solved(program, problem, injection, part, seen, explain=explain)[0]


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
    return DispatchPlan(
        fleet=fleet_plan(compute, work),
        expected_price_per_mwh=plan.price_per_mwh,
        grid=plan,
        unit_mw=grid.groups.split(plan.group_mw, available_mw),
    )


def fleet_plan(compute: ComputeProblem, work: PooledWork) -> FleetPlan:
    """Return what pooled decisions grant each queue and site, and what the sites will draw."""
    busy = work.busy_nodes + compute.committed_nodes
    return FleetPlan(
        compute=grants(compute, work),
        busy_nodes=busy,
        site_mw=_site_mw(compute, busy),
        prices=work.prices,
    )


def _site_mw(compute: ComputeProblem, busy_nodes: FloatArray) -> FloatArray:
    """Draw of each (time, site): equipment, cooling and conversion."""
    batch_mw: FloatArray = (compute.node_mw * busy_nodes).sum(axis=2)
    return compute.base_mw + batch_mw


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
    part = _add_grid(program, grid, injection)
    meters = StoreMeters(grid.stores, part.stores)
    work = add_compute(program, compute, grid.penalties, grid.step_h, injection, meters)

    def seen(plan: GridPlan, solution: Solution) -> Tightening | None:
        busy = _values(solution, work.busy) + compute.committed_nodes
        return None if review is None else review(plan, _site_mw(compute, busy))

    plan, solution = _solved(program, grid, injection, part, seen)
    prices = compute_prices(compute, grid, work, solution, plan.price_per_mwh)
    return plan, replace(pooled_work(solution, work), prices=prices)


def pooled_work(solution: Solution, work: ComputeColumns) -> PooledWork:
    """Read the decisions on work off a solution."""
    parts = (work.start, work.placed, work.moved, work.busy, work.overbooked, work.done, work.run, work.carried)
    return PooledWork(*(_values(solution, part) for part in parts))


@dataclass(frozen=True, slots=True, eq=False)
class _GridPart:
    """The grid's share of a program and where its columns are."""

    columns: GridColumns
    stores: StoreColumns
    links: LinkColumns
    online: OnlineColumns


def _add_grid(program: Program, problem: GridProblem, injection: InjectionMap) -> _GridPart:
    columns = add_grid(program, problem, injection)
    stores = add_stores(program, problem, columns.segment, injection)
    links = add_links(program, problem.links, injection, problem.step_h)
    online = add_commitment(program, problem, columns.segment, stores)
    add_bundles(program, problem, columns.segment, links)
    return _GridPart(columns, stores, links, online)


def _values(solution: Solution, columns: IntArray) -> FloatArray:
    """Return the values of columns, rounding below 0 apart; 0 for those that were left out."""
    return np.maximum(solution.at(columns), 0.0)


def _solved(
    program: Program,
    problem: GridProblem,
    injection: InjectionMap,
    part: _GridPart,
    review: Callable[[GridPlan, Solution], Tightening | None] | None,
    *,
    explain: bool = False,
) -> tuple[GridPlan, Solution]:
    """Solve until nothing is broken and the review accepts the plan."""
    balance = add_balance(program, problem, injection)
    limits = LineLimits(problem, injection.matrix(program.n_columns), injection.constant)
    reserve = ReserveRows(problem, part.columns.segment, part.stores)
    session = Session(program, problem.permute)
    limits.begin(session)
    directions = one_way(problem, balance, part.columns.segment, part.stores, part.links)
    rounds = 0

    def solved() -> tuple[GridPlan, Solution]:
        nonlocal rounds
        solution, more = solve_lazily(session, limits, reserve, directions)
        rounds += more
        record = _record(program.n_columns, session, solution, rounds)
        prices = nodal_prices(problem, balance, limits, solution)
        return _grid_plan(problem, part, prices, limits, reserve, solution, record), solution

    plan, solution = solved()
    while review is not None and (tightening := review(plan, solution)) is not None:
        limits.correct(session, tightening)
        plan, solution = solved()
    if explain:
        explanation = explained(problem, session, part.columns, balance, limits)
        plan = replace(plan, prices=replace(plan.prices, explanation=explanation))
    return plan, solution


def _record(columns: int, session: Session, solution: Solution, rounds: int) -> SolverRecord:
    return SolverRecord(
        columns=columns,
        rows=len(solution.row_dual),
        rounds=rounds,
        iterations=solution.iterations,
        objective=solution.objective,
        dual_objective=solution.dual_objective,
        primal_residual=solution.primal_residual,
        binaries=session.n_integers,
        mip_gap=solution.mip_gap,
    )


def _grid_plan(
    problem: GridProblem,
    part: _GridPart,
    prices: NodalPrices,
    limits: LineLimits,
    reserve: ReserveRows,
    solution: Solution,
    record: SolverRecord,
) -> GridPlan:
    injection = limits.injection_mw(solution)
    flow = limits.flow_mw(solution)
    beyond = np.abs(flow) - limits.rate_mw
    losses, columns, stores = problem.losses, part.columns, part.stores
    linear = (losses.factor * (injection - losses.reference_injection_mw)).sum(axis=1)
    shed = np.zeros_like(problem.load_mw)
    shed[:, columns.shed_bus] = solution.value[columns.shed]
    return GridPlan(
        group_mw=problem.lower_mw + _group_sum(problem, solution.value[columns.segment]),
        shed_mw=shed,
        dumped_mw=solution.value[columns.spill][:, problem.network.island] * dump_share(problem),
        flow_mw=flow,
        overload_mw=np.where(beyond > TOLERANCE_MW, beyond, 0.0),
        injection_mw=injection,
        losses_mw=losses.losses_mw + linear,
        prices=prices,
        binding=limits.written,
        rate_mw=limits.rate_mw,
        cuts=limits.cuts,
        charge_mw=_values(solution, stores.charge),
        discharge_mw=_values(solution, stores.discharge),
        stored_mwh=_values(solution, stores.level),
        store_spill_mw=_values(solution, stores.spill),
        store_value_per_mwh=-solution.row_dual[stores.balance],
        link_mw=solution.at(part.links.forward) - solution.at(part.links.backward),
        online_mw=np.where(part.online.online >= 0, solution.at(part.online.online), np.nan),
        reserve_short_mw=reserve.short_mw(solution) + _values(solution, part.online.short).sum(axis=1),
        reserve_price_per_mwh=reserve.price(solution) / problem.step_h,
        solver=record,
    )


def _group_sum(problem: GridProblem, segment_mw: FloatArray) -> FloatArray:
    return sum_at(segment_mw, problem.groups.segment_group, len(problem.groups))
