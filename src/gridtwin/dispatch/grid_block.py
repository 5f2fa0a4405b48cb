"""Columns and rows of the grid: units in segments, ramps, balance with losses, shed and spill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.dispatch.problem import GridProblem
from gridtwin.optim import Program, Rows
from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["GridColumns", "InjectionMap", "add_balance", "add_grid", "dump_share"]


@dataclass(frozen=True, slots=True, eq=False)
class GridColumns:
    """Where the grid's columns are. Output of a group is its floor plus its segments."""

    segment: IntArray  # (time, segment)
    shed: IntArray  # (time, load bus)
    shed_bus: IntArray  # (load bus,)
    spill: IntArray  # (time, island)


@dataclass(slots=True, eq=False)
class InjectionMap:
    """Injection at every (time, bus) as a linear function of the columns: `matrix @ x + constant`."""

    constant: FloatArray  # (time, bus)
    _parts: list[tuple[IntArray, IntArray, FloatArray]]

    @classmethod
    def fixed(cls, constant: FloatArray) -> InjectionMap:
        """Begin with what does not depend on any column."""
        return cls(constant, [])

    def add(self, columns: IntArray, bus: IntArray, value: FloatArray | float) -> None:
        """Let `columns` (time, item) inject `value` MW per unit at `bus` (item,); -1 stands for no column."""
        steps = np.arange(columns.shape[0])[:, None]
        place = steps * self.constant.shape[1] + bus[None, :]
        at, column, coefficient = np.broadcast_arrays(place, columns, np.asarray(value, dtype=np.float64))
        known = (column >= 0) & (coefficient != 0.0)
        self._parts.append((at[known], column[known], coefficient[known]))

    def matrix(self, n_columns: int) -> sparse.csr_array:
        """Return the (time x bus, column) matrix."""
        at, column, value = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        coo = sparse.coo_array((value, (at, column)), shape=(self.constant.size, n_columns))
        return sparse.csr_array(coo)


def add_grid(program: Program, problem: GridProblem, injection: InjectionMap) -> GridColumns:
    """Add units, ramps, shed and spill; what they inject goes into `injection`."""
    columns = GridColumns(
        segment=_add_segments(program, problem),
        shed=_add_shed(program, problem),
        shed_bus=_load_buses(problem),
        spill=program.columns(
            (_steps(problem), _islands(problem)), cost=problem.penalties.spill_per_mwh * problem.step_h
        ),
    )
    groups = problem.groups
    injection.constant = injection.constant + _floor_injection(problem)
    injection.add(columns.segment, groups.bus[groups.segment_group], 1.0)
    injection.add(columns.shed, columns.shed_bus, 1.0)
    injection.add(columns.spill[:, problem.network.island], np.arange(len(problem.network.bus)), -dump_share(problem))
    _limit_ramps(program, problem, columns.segment)
    return columns


def add_balance(program: Program, problem: GridProblem, injection: InjectionMap) -> IntArray:
    """Injection equals losses in every step and island, losses linear in injection about the reference point.

    Returns
    -------
    ndarray (time, island)
        Numbers of the rows.
    """
    losses, island, islands = problem.losses, problem.network.island, _islands(problem)
    weight = 1.0 - losses.factor
    steps, buses = weight.shape
    rows = (np.arange(steps)[:, None] * islands + island).ravel()
    weights = sparse.csr_array((weight.ravel(), (rows, np.arange(weight.size))), shape=(steps * islands, steps * buses))
    at_reference = losses.losses_mw - (losses.factor * losses.reference_injection_mw).sum(axis=1)
    target = -sum_at(weight * injection.constant, island, islands)
    target[:, island[problem.network.slack]] += at_reference
    moved = sparse.csr_array(weights @ injection.matrix(program.n_columns))
    return program.append(Rows(moved, target.ravel(), target.ravel())).reshape(steps, islands)


def _steps(problem: GridProblem) -> int:
    return int(problem.load_mw.shape[0])


def _islands(problem: GridProblem) -> int:
    return int(problem.network.island.max()) + 1


def _add_segments(program: Program, problem: GridProblem) -> IntArray:
    """Columns of (time, segment): output above the floor, each at fuel and carbon cost."""
    groups = problem.groups
    cost = groups.segment_cost_per_mwh + problem.penalties.carbon_per_t * groups.segment_co2_kg_per_mwh / KG_PER_T
    first = np.searchsorted(groups.segment_group, groups.segment_group)
    below = np.cumsum(groups.segment_mw) - groups.segment_mw
    below = below - below[first]
    room = (problem.upper_mw - problem.lower_mw)[:, groups.segment_group] - below
    width = np.clip(room, 0.0, groups.segment_mw)
    return program.columns(width.shape, upper=width, cost=cost * problem.step_h)


def _floor_injection(problem: GridProblem) -> FloatArray:
    return sum_at(problem.lower_mw, problem.groups.bus, problem.load_mw.shape[1])


def _load_buses(problem: GridProblem) -> IntArray:
    return np.flatnonzero((problem.load_mw + problem.site_mw).max(axis=0) > 0).astype(np.int64)


def dump_share(problem: GridProblem) -> FloatArray:
    """Share of each bus in the load of its island (time, bus): where surplus is dumped. Even where there is no load."""
    island, islands = problem.network.island, _islands(problem)
    total = sum_at(problem.load_mw, island, islands)[:, island]
    even = 1.0 / np.bincount(island)[island]
    return np.where(total > 0, ratio_or_zero(problem.load_mw, total), even)


def _add_shed(program: Program, problem: GridProblem) -> IntArray:
    demand = (problem.load_mw + problem.site_mw)[:, _load_buses(problem)]
    return program.columns(demand.shape, upper=demand, cost=problem.penalties.shed_per_mwh * problem.step_h)


def _limit_ramps(program: Program, problem: GridProblem, segment: IntArray) -> None:
    """|output - output before| <= ramp, where it could be broken.

    Weather may force a profiled group to fall faster, and a rising floor to rise faster; the limit then gives way by
    just that much. So it does where a store runs empty although what feeds on it falls as fast as it can.
    """
    groups, lower, upper = problem.groups, problem.lower_mw, problem.upper_mw
    before_lower, before_upper = _previous(problem, lower), _previous(problem, upper)
    ramp = groups.ramp_mw_per_h * problem.step_h
    rise = np.where(groups.profiled, np.maximum(ramp, lower - before_lower), ramp)
    fall = np.where(groups.profiled, np.maximum(ramp, before_upper - upper), ramp)
    fall = np.maximum(fall, _forced_fall_mw(problem))
    tight = (upper - before_lower > rise) | (before_upper - lower > fall)
    tight[0] &= problem.initial_mw is not None
    for group in np.flatnonzero(tight.any(axis=0)):
        own = segment[:, groups.segment_group == group]
        steps = np.flatnonzero(tight[:, group])
        shift = (before_lower - lower)[steps, group]
        rows = program.rows(steps.shape, shift - fall[steps, group], shift + rise[steps, group])
        program.entries(rows[:, None], own[steps], 1.0)
        later = steps > 0
        program.entries(rows[later, None], own[steps[later] - 1], -1.0)


def _forced_fall_mw(problem: GridProblem) -> FloatArray:
    """How much what feeds on stores falls from step to step (time, group) if it takes as little energy as it can.

    It goes down along its ramp at once; where even that asks for more than is there, it falls to what there is. No
    solution can then leave anything in the store, so the wider limit is of use only where the store runs empty.
    """
    groups, stores, step_h = problem.groups, problem.stores, problem.step_h
    forced = np.zeros_like(problem.lower_mw)
    fed = np.flatnonzero(groups.store >= 0)
    if problem.initial_mw is None or not len(fed):
        return forced
    store, ramp = groups.store[fed], groups.ramp_mw_per_h[fed] * step_h
    level, output = stores.initial_mwh, problem.initial_mw[fed]
    for step, (floor, inflow_mw) in enumerate(zip(problem.lower_mw[:, fed], stores.inflow_mw, strict=True)):
        wanted = np.maximum(output - ramp, floor)
        there = stores.kept_share * level + inflow_mw * step_h
        asked = sum_at(wanted, store, len(there)) / stores.efficiency_discharge * step_h
        given = ratio_or_zero(np.minimum(asked, there), asked)
        forced[step, fed] = output - wanted * given[store]
        level, output = np.minimum(there - given * asked, stores.energy_mwh), wanted * given[store]
    return forced


def _previous(problem: GridProblem, limit_mw: FloatArray) -> FloatArray:
    """Limits (time, group) of the step before; before the first that is the output given, if any."""
    first = limit_mw[0] if problem.initial_mw is None else problem.initial_mw
    return np.vstack([first, limit_mw[:-1]])
