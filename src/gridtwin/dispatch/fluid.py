"""The fluid executor: what is planned is what happens, so that rolling differs from one program by foresight alone.

A problem over [0, T) and the decisions of its first k steps leave a problem over [k, T). With plans that look to T the
kept costs add up to the cost of the one program; with shorter ones they cannot be lower.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.dispatch.compute_block import overbooking_price
from gridtwin.dispatch.green_rows import green_short_mw
from gridtwin.dispatch.problem import (
    Commitment,
    ComputeProblem,
    GridPlan,
    GridProblem,
    LinkProblem,
    PooledWork,
    PreemptibleProblem,
    StoreProblem,
    TerminalValue,
)
from gridtwin.dispatch.solve import dispatch_pooled
from gridtwin.dispatch.wan_block import late_price_per_gb
from gridtwin.errors import DispatchError
from gridtwin.records import LossEstimate
from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["advance_fluid", "first_steps", "kept_cost", "roll_fluid", "stored_worth"]

_PER_STEP_GRID = ("lower_mw", "upper_mw", "load_mw", "site_mw", "injection_mw", "watched", "rate_mw", "reserve_mw")
_PER_STEP_STORES = ("charge_mw", "discharge_mw", "inflow_mw")
_PER_STEP_LINKS = ("rate_mw", "back_mw", "least_mw", "slot", "contract_mw")
_PER_STEP_COMPUTE = ("released_nodes", "due_nodes", "committed_nodes", "available_nodes", "base_mw", "node_mw")

_PER_STEP_PREEMPTIBLE = ("arriving_node_h", "due_node_h", "width_nodes")


def roll_fluid(grid: GridProblem, compute: ComputeProblem, window_steps: int, horizon_steps: int) -> float:
    """Total cost of planning `horizon_steps`, keeping `window_steps`, and planning again until all steps are kept.

    Parameters
    ----------
    grid, compute : problems over the same steps
    window_steps : int
        A multiple of `compute.block_steps`.
    horizon_steps : int
        At least `window_steps`. A horizon that ends early values what it leaves by `compute.terminal`.

    Returns
    -------
    float, money
        Comparable with the objective of one program over all steps.

    Raises
    ------
    DispatchError
        If the lengths do not fit, or a program has no optimum.
    """
    total = 0.0
    while len(grid.load_mw) > 0:
        plan, work = dispatch_pooled(*first_steps(grid, compute, horizon_steps))
        kept = min(window_steps, len(grid.load_mw))
        total += kept_cost(grid, compute, plan, work, kept)
        if kept == len(grid.load_mw):
            break
        grid, compute = advance_fluid(grid, compute, plan, work, kept)
    return total


def first_steps(grid: GridProblem, compute: ComputeProblem, steps: int) -> tuple[GridProblem, ComputeProblem]:
    """Return the problems over their first `steps` steps; prices at the end are those of the whole."""
    return _steps_of_grid(grid, slice(0, steps)), _steps_of_compute(compute, slice(0, steps))


def advance_fluid(
    grid: GridProblem, compute: ComputeProblem, plan: GridPlan, work: PooledWork, steps: int
) -> tuple[GridProblem, ComputeProblem]:
    """Return what is left to decide after the first `steps` steps of a plan have been carried out.

    Parameters
    ----------
    grid, compute : problems over [0, T)
    plan, work : the decisions, over [0, h) with steps <= h <= T
    steps : int
        Between 1 and T - 1, and a multiple of `compute.block_steps`, over which origins are balanced.

    Returns
    -------
    GridProblem, ComputeProblem
        Over [steps, T). Placed work is committed for as long as it keeps nodes busy; where the plan overbooks, it stays
        overbooked. Occupancy after T has taken the cheapest room of the terminal value.

    Raises
    ------
    DispatchError
        If `steps` does not fit.

    Notes
    -----
    The program sees released and due work only by sums over origins and by sums over (delay class, bin). Work that
    waits at `steps` is spread so that both are exact. What has started before it is due counts against what falls due
    later, so `due_nodes` of the first step may be negative.
    """
    _check_steps(compute, len(grid.load_mw), len(plan.group_mw), steps)
    rest = slice(steps, None)
    left = _steps_of_compute(compute, rest)
    released, due = _left_over(compute.released_nodes, compute.due_nodes, _waiting(compute, work, steps), steps)
    busy = _carried_nodes(compute, work, steps)[rest] - _carried_overbooked(compute, work, steps)
    return (
        _continued(_steps_of_grid(grid, rest), plan, steps),
        replace(
            left,
            released_nodes=released,
            due_nodes=due,
            committed_nodes=left.committed_nodes + busy,
            terminal=_narrowed(compute.terminal, _node_h_after(compute, work, steps, grid.step_h)),
            preemptible=_advance_preemptible(compute, work, steps, grid.step_h),
        ),
    )


def _left_over(arriving: FloatArray, due: FloatArray, waiting: FloatArray, steps: int) -> tuple[FloatArray, FloatArray]:
    """Return both series (time, …) after `steps`: what waits arrives at once, what was done early counts for later."""
    first_arriving, first_due = arriving[steps] + waiting, due[: steps + 1].sum(axis=0)
    done = arriving[:steps].sum(axis=0) - waiting
    return (
        np.concatenate([first_arriving[None], arriving[steps + 1 :]]),
        np.concatenate([(first_due - done)[None], due[steps + 1 :]]),
    )


def _advance_preemptible(compute: ComputeProblem, work: PooledWork, steps: int, step_h: float) -> PreemptibleProblem:
    parted = compute.preemptible
    waiting = _undone(compute, work, steps, step_h)
    arriving, due = _left_over(parted.arriving_node_h, parted.due_node_h, waiting, steps)
    return replace(
        parted,
        arriving_node_h=arriving,
        due_node_h=due,
        width_nodes=parted.width_nodes[steps:],
        held_nodes=work.run_nodes[steps - 1],
    )


def kept_cost(grid: GridProblem, compute: ComputeProblem, plan: GridPlan, work: PooledWork, steps: int) -> float:
    """Cost of the first `steps` steps of a plan and of all that their starts bring about later.

    Parameters
    ----------
    grid, compute : problems over [0, T)
    plan, work : the decisions, over at least `steps`
    steps : int
        T itself, or as in `advance_fluid`.

    Returns
    -------
    float, money
        Output above the floors, carbon, slacks, use of stores and links, contracts that are left, data moved, and the
        terminal price of what is busy after T. When `steps` is T, also of what waits then, less the value of the energy
        in store.
    """
    penalties, kept = grid.penalties, slice(0, steps)
    overload = plan.overload_mw[kept].sum()
    behind_mw = _stores_mw(grid.stores, plan, steps, len(compute.connection_mw))
    site_mw = _site_mw(compute, work, steps)
    over = np.maximum(site_mw + behind_mw - compute.connection_mw, 0.0).sum()
    not_green = 0.0 if compute.green is None else compute.green.price_per_mwh * green_short_mw(compute, site_mw).sum()
    price = overbooking_price(compute, penalties)
    late = (price[kept] * work.overbooked_nodes[kept]).sum()
    node_h = _node_h_after(compute, work, steps, grid.step_h)
    if steps < len(grid.load_mw):
        late += (price[steps:] * _carried_overbooked(compute, work, steps)).sum()
    else:
        waiting = _waiting(compute, work, steps).reshape(compute.shape).sum(axis=(0, 2))
        node_h = node_h + (waiting * compute.mean_runtime_h).sum(axis=1)
        node_h = node_h + _undone(compute, work, steps, grid.step_h).sum(axis=(0, 2))
    per_hour = (
        _generation_cost_per_h(grid, plan, steps)
        + penalties.shed_per_mwh * plan.shed_mw[kept].sum()
        + penalties.spill_per_mwh * plan.spill_mw[kept].sum()
        + penalties.overload_per_mwh * overload
        + penalties.connection_per_mwh * over
        + penalties.reserve_per_mwh * plan.reserve_short_mw[kept].sum()
        + ((plan.charge_mw + plan.discharge_mw)[kept] * grid.stores.cost_per_mwh).sum()
        + _link_cost_per_h(_steps_of_links(grid.links, kept), plan.link_mw[kept])
        + not_green
        + late
    )
    wan = _wan_cost(compute, work, steps, late_price_per_gb(compute, penalties))
    kept_mwh = plan.stored_mwh[steps - 1]
    stored = stored_worth(grid.stores, kept_mwh) if steps == len(grid.load_mw) else 0.0  # else it is carried on
    left = _worth(compute.terminal, node_h) - stored
    interruptions = (
        _given_up(compute, work, min(steps, compute.fine_steps)) @ compute.preemptible.interruption_cost
    ).sum()
    return float(per_hour * grid.step_h + wan + interruptions + left)


def _wan_cost(compute: ComputeProblem, work: PooledWork, steps: int, late_price: float) -> float:
    """Price of what moves in the blocks of `steps`, and of the data that links cannot carry within their block."""
    lengths = np.bincount(compute.block[:steps])
    moved, carried = (part[: len(lengths)] for part in (work.moved_nodes, work.carried_node_h))
    parted = compute.preemptible
    gb = np.einsum("bocs,c->bos", moved, compute.route_gb)
    gb += np.einsum("bocs,c->bos", carried[:, : gb.shape[1]], parted.route_gb)
    gb = sum_at(gb.swapaxes(1, 2), compute.link_origin, gb.shape[1]).swapaxes(1, 2)  # origins share links
    over_gb = np.maximum(gb - lengths[:, None, None] * compute.bandwidth_gb, 0.0)
    cost = (moved * compute.route_cost).sum() + (carried * parted.route_cost).sum() + late_price * over_gb.sum()
    return float(cost)


def _given_up(compute: ComputeProblem, work: PooledWork, steps: int) -> FloatArray:
    """Nodes (time, site, class) that preemptible work gives up at the beginning of each step."""
    held = np.concatenate([compute.preemptible.held_nodes[None], work.run_nodes[:steps]])
    return np.maximum(-np.diff(held, axis=0), 0.0)


def _check_steps(compute: ComputeProblem, all_steps: int, planned_steps: int, steps: int) -> None:
    if not 0 < steps < all_steps or steps > planned_steps or steps % compute.block_steps:
        raise DispatchError(
            f"cannot keep {steps} steps of a plan over {planned_steps} of {all_steps}: expected a multiple of the "
            f"{compute.block_steps} steps over which the WAN is balanced, within the plan and before the last step"
        )


def _steps_of_grid(grid: GridProblem, part: slice) -> GridProblem:
    losses, stores = grid.losses, grid.stores
    return replace(
        grid,
        losses=LossEstimate(
            losses.losses_mw[part],
            losses.factor[part],
            losses.reference_injection_mw[part],
            losses.bus_losses_mw[part],
        ),
        stores=replace(stores, **{name: getattr(stores, name)[part] for name in _PER_STEP_STORES}),
        links=_steps_of_links(grid.links, part),
        commitment=None if grid.commitment is None else _steps_of_commitment(grid.commitment, part),
        bundles=None if grid.bundles is None else replace(grid.bundles, sent_mw=grid.bundles.sent_mw[part]),
        **{name: getattr(grid, name)[part] for name in _PER_STEP_GRID},
    )


def _steps_of_links(links: LinkProblem, part: slice) -> LinkProblem:
    given = {name: getattr(links, name) for name in _PER_STEP_LINKS}
    return replace(links, **{name: value[part] for name, value in given.items() if value is not None})


def _steps_of_commitment(commitment: Commitment, part: slice) -> Commitment:
    """Where a block is cut in two, its second half is decided anew."""
    block = commitment.block[part]
    return replace(commitment, block=block - block[:1], reserve_mw=commitment.reserve_mw[part])


def _continued(grid: GridProblem, plan: GridPlan, steps: int) -> GridProblem:
    """Begin with the output and the energy that a plan has after `steps`."""
    stores = replace(grid.stores, initial_mwh=plan.stored_mwh[steps - 1])
    return replace(grid, initial_mw=plan.group_mw[steps - 1], stores=stores)


def _steps_of_compute(compute: ComputeProblem, part: slice) -> ComputeProblem:
    parted, green = compute.preemptible, compute.green
    return replace(
        compute,
        green=None if green is None else replace(green, output_mw=green.output_mw[part]),
        preemptible=replace(parted, **{name: getattr(parted, name)[part] for name in _PER_STEP_PREEMPTIBLE}),
        **{name: getattr(compute, name)[part] for name in _PER_STEP_COMPUTE},
    )


def _waiting(compute: ComputeProblem, work: PooledWork, steps: int) -> FloatArray:
    """Node starts (q,) that wait after `steps`: in each class, by origin what is not moved, by queue not started."""
    released = compute.released_nodes[:steps].sum(axis=0).reshape(compute.shape)
    moved = work.moved_nodes[: compute.block[steps - 1] + 1].sum(axis=(0, 3))
    at_origin = released.sum(axis=(2, 3)) - moved  # (origin, class)
    in_queue = released.sum(axis=0) - work.start_nodes[:steps].sum(axis=0)  # (class, delay class, bin)
    return _spread(at_origin, in_queue).ravel()


def _undone(compute: ComputeProblem, work: PooledWork, steps: int, step_h: float) -> FloatArray:
    """Preemptible work (whence, class, slack class) that could have been done by the end of `steps` and was not."""
    arriving = compute.preemptible.arriving_node_h[:steps].sum(axis=0)
    carried = work.carried_node_h[: compute.block[steps - 1] + 1].sum(axis=(0, 3))
    done = work.done_nodes[:steps].sum(axis=0) * step_h
    return _spread(arriving.sum(axis=2) - carried, arriving.sum(axis=0) - done)


def _spread(by_place: FloatArray, by_queue: FloatArray) -> FloatArray:
    """Return (place, class, …) whose sums over places are `by_queue` (class, …), those over queues `by_place`."""
    at_place = np.maximum(by_place, 0.0)
    share = ratio_or_zero(at_place, at_place.sum(axis=0))
    spread: FloatArray = share.reshape(*share.shape, *(1,) * (by_queue.ndim - 1)) * np.maximum(by_queue, 0.0)
    return spread


def _carried_nodes(compute: ComputeProblem, work: PooledWork, steps: int) -> FloatArray:
    """Nodes (time, site, class) that starts of the first `steps` want, over all steps of the problem."""
    wanted = np.zeros(compute.committed_nodes.shape)
    for lag in range(min(compute.occupancy.shape[2], len(wanted))):
        started = work.placed_nodes[: min(steps, len(wanted) - lag)]
        wanted[lag : lag + len(started)] += np.einsum("tcps,cp->tsc", started, compute.occupancy[:, :, lag])
    return wanted


def _carried_overbooked(compute: ComputeProblem, work: PooledWork, steps: int) -> FloatArray:
    """Nodes (time after `steps`, site, class) that those starts want and that neither plan nor site gives them."""
    room = np.maximum(compute.available_nodes - compute.committed_nodes, 0.0)
    room[: len(work.busy_nodes)] = work.busy_nodes
    beyond: FloatArray = np.maximum(_carried_nodes(compute, work, steps) - room, 0.0)[steps:]
    return beyond


def _node_h_after(compute: ComputeProblem, work: PooledWork, steps: int, step_h: float) -> FloatArray:
    """Node-hours (class,) after the last step of the problem that starts of the first `steps` take."""
    all_steps, lags = len(compute.released_nodes), compute.occupancy.shape[2]
    beyond = np.arange(lags) >= all_steps - np.arange(steps)[:, None]  # (time, lag)
    node_h: FloatArray = np.einsum("tcps,cpl,tl->c", work.placed_nodes[:steps], compute.occupancy, beyond) * step_h
    return node_h


def _narrowed(terminal: TerminalValue, taken_node_h: FloatArray) -> TerminalValue:
    """Terminal value of whatever comes on top of `taken_node_h` (class,)."""
    return replace(terminal, width_node_h=terminal.width_node_h - _in_order(terminal.width_node_h, taken_node_h))


def _worth(terminal: TerminalValue, node_h: FloatArray) -> float:
    return float((_in_order(terminal.width_node_h, node_h) * terminal.price_per_node_h).sum())


def stored_worth(stores: StoreProblem, stored_mwh: FloatArray) -> float:
    """Return what `stored_mwh` (store,) is worth after the last step."""
    return float((_in_order(stores.value_mwh, stored_mwh) * stores.value_per_mwh).sum())


def _in_order(width: FloatArray, total: FloatArray) -> FloatArray:
    """Share `total` (item,) among segments (item, segment) of `width`, the first ones first."""
    ends = np.cumsum(width, axis=1)
    starts = np.concatenate([np.zeros((len(ends), 1)), ends[:, :-1]], axis=1)
    return np.asarray(np.clip(total[:, None] - starts, 0.0, width))


def _site_mw(compute: ComputeProblem, work: PooledWork, steps: int) -> FloatArray:
    nodes = compute.committed_nodes[:steps] + work.busy_nodes[:steps]
    return np.asarray(compute.base_mw[:steps] + (compute.node_mw[:steps] * nodes).sum(axis=2))


def _stores_mw(stores: StoreProblem, plan: GridPlan, steps: int, sites: int) -> FloatArray:
    """Draw of the stores behind the meter of each site (time, site), negative where they give."""
    own = stores.site >= 0
    return sum_at((plan.charge_mw - plan.discharge_mw)[:steps, own], stores.site[own], sites)


def _generation_cost_per_h(grid: GridProblem, plan: GridPlan, steps: int) -> float:
    """Sum over steps of the cost of output above the floors, cheapest segments first."""
    groups = grid.groups
    above = (plan.group_mw - grid.lower_mw[: len(plan.group_mw)])[:steps, groups.segment_group]
    filled = np.clip(above - _below_mw(groups.segment_group, groups.segment_mw), 0.0, groups.segment_mw)
    carbon = grid.penalties.carbon_per_t * groups.segment_co2_kg_per_mwh / KG_PER_T
    return float((filled * (groups.segment_cost_per_mwh + carbon)).sum())


def _link_cost_per_h(links: LinkProblem, sent_mw: FloatArray) -> float:
    """Sum over steps of the cost of what links send, and of what leaves their contracts."""
    used = 0.0 if links.cost_per_mwh is None else (np.abs(sent_mw) * links.cost_per_mwh).sum()
    if links.contract_mw is None or links.deviation_per_mwh is None:
        return float(used)
    may_leave = ~np.isnan(links.contract_mw) & np.isfinite(links.deviation_per_mwh)
    apart = np.where(may_leave, np.abs(sent_mw - links.contract_mw), 0.0)
    return float(used + (apart * np.where(np.isfinite(links.deviation_per_mwh), links.deviation_per_mwh, 0.0)).sum())


def _below_mw(segment_group: IntArray, segment_mw: FloatArray) -> FloatArray:
    """Width of the segments of the same group that come before each."""
    starts = np.cumsum(segment_mw) - segment_mw
    return np.asarray(starts - starts[np.searchsorted(segment_group, segment_group)])
