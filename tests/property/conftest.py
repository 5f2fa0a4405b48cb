"""Random small systems of grid and computing, stressed so that every limit binds and every slack is used somewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pytest

from gridtwin.dispatch import (
    ComputeProblem,
    GridProblem,
    LinkProblem,
    Penalties,
    PreemptibleProblem,
    StoreProblem,
    TerminalValue,
    group_units,
)
from gridtwin.records import LossEstimate, NetworkMatrices, UnitData

PENALTIES = Penalties(
    shed_per_mwh=2000.0,
    overload_per_mwh=600.0,
    spill_per_mwh=300.0,
    connection_per_mwh=150.0,
    late_per_node_h=90.0,
    carbon_per_t=40.0,
    reserve_per_mwh=400.0,
)


@dataclass(frozen=True)
class SmallSystem:
    """A co-dispatch problem beside the data from which its groups and sensitivities were made."""

    units: UnitData
    floor_mw: np.ndarray  # (time, unit)
    available_mw: np.ndarray  # (time, unit)
    initial_mw: np.ndarray  # (unit,)
    susceptance: np.ndarray  # (line,) MW per radian
    grid: GridProblem
    compute: ComputeProblem


@pytest.fixture(scope="session")
def small_system() -> Callable[..., SmallSystem]:
    """Builder from a seed; `steps` fixes the length, otherwise drawn."""
    return _system


def _system(seed: int, steps: int | None = None) -> SmallSystem:
    rng = np.random.default_rng(seed)
    steps = int(rng.integers(3, 7)) if steps is None else steps
    buses = int(rng.integers(3, 7))
    network, susceptance = _network(rng, buses)
    more = np.random.default_rng([seed, 1])  # stores, links and reserve draw apart from the rest
    compute_rng = np.random.default_rng([seed, 2])
    step_h = float(compute_rng.choice([0.5, 1.0]))
    compute = _compute(compute_rng, steps, buses, step_h)
    stores = _stores(more, steps, buses, len(compute.site_bus))
    units = _with_hydro(more, _units(rng, buses), stores)
    lower, available = _limits(rng, units, steps)
    groups = group_units(units)
    load = rng.uniform(0, 1, (1, buses)) * rng.uniform(0.5, 1.1, (steps, 1)) * (rng.random(buses) < 0.8)
    load *= rng.uniform(0.3, 1.0) * available.sum(axis=1).mean() / max(load.sum(axis=1).mean(), 1e-9)
    initial = lower[0] + 0.4 * (available[0] - lower[0])
    grid = GridProblem(
        step_h=step_h,
        network=network,
        groups=groups,
        penalties=PENALTIES,
        lower_mw=groups.total(lower),
        upper_mw=groups.total(available),
        initial_mw=groups.total(initial) if rng.random() < 0.7 else None,
        load_mw=load,
        site_mw=np.zeros((steps, buses)),
        injection_mw=-load + rng.uniform(-5, 5, (1, buses)),
        losses=_losses(rng, steps, buses, network.slack),
        watched=rng.random((steps, len(network.line))) < 0.2,
        rate_mw=np.tile(network.rate_mw, (steps, 1)),
        stores=stores,
        links=_links(more, steps, buses),
        reserve_mw=available.sum(axis=1) * more.uniform(0.0, 0.6, steps) * (more.random() < 0.6),
    )
    return SmallSystem(units, lower, available, initial, susceptance, grid, compute)


def _network(rng: np.random.Generator, buses: int) -> tuple[NetworkMatrices, np.ndarray]:
    more = int(rng.integers(0, buses))
    line_from = np.r_[np.arange(1, buses), rng.integers(0, buses, more)]
    line_to = np.r_[[rng.integers(0, bus) for bus in range(1, buses)], rng.integers(0, buses, more)].astype(int)
    line_to = np.where(line_to == line_from, (line_to + 1) % buses, line_to)
    lines, slack = len(line_from), int(rng.integers(buses))
    susceptance = rng.uniform(50, 400, lines)
    incidence = np.zeros((lines, buses))
    incidence[np.arange(lines), line_from] = 1.0
    incidence[np.arange(lines), line_to] = -1.0
    others = np.arange(buses) != slack
    flow_per_angle = (susceptance[:, None] * incidence)[:, others]
    ptdf = np.zeros((lines, buses))
    ptdf[:, others] = flow_per_angle @ np.linalg.inv(incidence[:, others].T @ flow_per_angle)
    rate = np.where(rng.random(lines) < 0.6, rng.uniform(8, 60, lines), np.inf)
    return NetworkMatrices(
        bus=tuple(f"b{i}" for i in range(buses)),
        line=tuple(f"l{i}" for i in range(lines)),
        slack=slack,
        line_from=line_from,
        line_to=line_to,
        r_pu=np.zeros(lines),
        base_mva=100.0,
        ptdf=ptdf,
        lodf=np.zeros((lines, lines)),
        bridge=np.zeros(lines, dtype=bool),
        rate_mw=rate,
        rate_long_mw=rate,
        rate_short_mw=rate,
    ), susceptance


def _units(rng: np.random.Generator, buses: int) -> UnitData:
    """Thermal units of one to three segments, the first one twice, and two of wind at one bus."""
    thermal = int(rng.integers(2, 5))
    count = np.r_[rng.integers(1, 4, thermal), 1, 1]
    width = [rng.uniform(10, 40, n) for n in count]
    cost = [np.sort(rng.uniform(5, 90, n)) for n in count[:-2]] + [np.zeros(1)] * 2
    co2 = [np.full(n, rng.uniform(300, 1000)) for n in count[:-2]] + [np.zeros(1)] * 2
    bus = np.r_[rng.integers(0, buses, thermal), [rng.integers(buses)] * 2]
    floor = np.r_[np.where(rng.random(thermal) < 0.4, rng.uniform(2, 8, thermal), 0.0), 0.0, 0.0]
    ramp = np.r_[np.where(rng.random(thermal) < 0.6, rng.uniform(5, 30, thermal), np.inf), np.inf, np.inf]
    pick = np.r_[0, np.arange(thermal + 2)]
    no = np.zeros(len(pick), dtype=bool)
    wind = np.r_[no[:-2], True, True]
    zero = np.zeros(len(pick))
    return UnitData(
        unit=tuple(f"u{i}" for i in range(len(pick))),
        bus=bus[pick],
        technology=tuple("wind" if is_wind else "steam" for is_wind in wind),
        p_min_mw=floor[pick],
        p_max_mw=floor[pick] + np.array([width[i].sum() for i in pick]),
        q_min_mvar=zero,
        q_max_mvar=zero,
        vm_set_pu=np.ones(len(pick)),
        ramp_mw_per_h=ramp[pick],
        holds_voltage=no,
        always_committed=no,
        quick_start=no,
        renewable=wind,
        curtailable=wind,
        profile=np.where(wind, 0, -1),
        store=np.full(len(wind), -1),
        segment_unit=np.repeat(np.arange(len(pick)), count[pick]),
        segment_mw=np.concatenate([width[i] for i in pick]),
        segment_cost_per_mwh=np.concatenate([cost[i] for i in pick]),
        segment_co2_kg_per_mwh=np.concatenate([co2[i] for i in pick]),
    )


def _stores(rng: np.random.Generator, steps: int, buses: int, sites: int) -> StoreProblem:
    """Any of: battery, pumped hydro with a converter of its own, with units, reservoir; now and then behind a meter."""
    kinds = np.flatnonzero(rng.random(4) < 0.5)
    takes, gives, flows = np.isin(kinds, [0, 1, 2]), np.isin(kinds, [0, 1]), np.isin(kinds, [1, 2, 3])
    number = len(kinds)
    energy = rng.uniform(5, 60, number)
    site = np.where(rng.random(number) < 0.5, rng.integers(0, sites, number), -1)
    share = rng.dirichlet(np.ones(3), number)
    per_step = (steps, number)
    return StoreProblem(
        bus=rng.integers(0, buses, number),
        site=np.where(gives & takes, site, -1),
        charge_mw=takes * rng.uniform(2, 20, number) * (rng.random(per_step) < 0.9),
        discharge_mw=gives * rng.uniform(2, 20, number) * (rng.random(per_step) < 0.9),
        energy_mwh=energy,
        efficiency_charge=rng.uniform(0.7, 1.0, number),
        efficiency_discharge=rng.uniform(0.7, 1.0, number),
        kept_share=rng.choice([1.0, 0.97], number),
        initial_mwh=energy * rng.uniform(0, 1, number),
        inflow_mw=flows * rng.uniform(0, 16, per_step) * (rng.random(per_step) < 0.8),
        value_mwh=energy[:, None] * share,
        value_per_mwh=-np.sort(-rng.uniform(0, 90, (number, 3)), axis=1),
    )


def _with_hydro(rng: np.random.Generator, units: UnitData, stores: StoreProblem) -> UnitData:
    """Two like units for each store that has inflow and no converter to give it back."""
    store = np.repeat(np.flatnonzero((stores.inflow_mw.max(axis=0) > 0) & (stores.discharge_mw.max(axis=0) == 0)), 2)
    number, first = len(store), len(units.unit)
    if number == 0:
        return units
    size = np.repeat(rng.uniform(3, 15, number // 2), 2)
    own = {
        "unit": tuple(f"h{i}" for i in range(number)),
        "technology": ("hydro",) * number,
        "bus": stores.bus[store],
        "p_max_mw": size,
        "vm_set_pu": np.ones(number),
        "ramp_mw_per_h": np.repeat(rng.choice([6.0, np.inf], number // 2), 2),
        "profile": np.full(number, -1),
        "store": store,
        "segment_unit": first + np.arange(number),
        "segment_mw": size,
        "segment_cost_per_mwh": np.ones(number),
        "segment_co2_kg_per_mwh": np.zeros(number),
    }
    none = np.zeros(number)
    values = {field.name: getattr(units, field.name) for field in fields(units)}
    return UnitData(
        **{
            name: value + own[name]
            if isinstance(value, tuple)
            else np.concatenate([value, own.get(name, none).astype(value.dtype)])
            for name, value in values.items()
        }
    )


def _links(rng: np.random.Generator, steps: int, buses: int) -> LinkProblem:
    """None to two links, some without losses, some out of service now and then."""
    number = int(rng.integers(0, 3))
    from_bus = rng.integers(0, buses, number)
    return LinkProblem(
        index=np.arange(number),
        from_bus=from_bus,
        to_bus=(from_bus + rng.integers(1, buses, number)) % buses,
        rate_mw=rng.uniform(3, 25, number) * (rng.random((steps, number)) < 0.9),
        loss=rng.choice([0.0, 0.04, 0.1], number),
    )


def _limits(rng: np.random.Generator, units: UnitData, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Floors and availability (time, unit); now and then the wind must be taken, which ends in spill."""
    wind = units.profile >= 0
    available = np.tile(units.p_max_mw, (steps, 1))
    lower = np.tile(units.p_min_mw, (steps, 1))
    available[:, wind] *= rng.uniform(0, 1, (steps, 1))
    available[:, ~wind] *= rng.choice([1.0, 0.9])  # part of the last segment may be missing
    if rng.random() < 0.5:
        boost = rng.uniform(1, 4)
        available[:, wind] *= boost
        lower[:, wind] = available[:, wind]
    return lower, available


def _losses(rng: np.random.Generator, steps: int, buses: int, slack: int) -> LossEstimate:
    factor = rng.uniform(-0.04, 0.04, (steps, buses))
    factor[:, slack] = 0.0
    reference = rng.uniform(-30, 30, (steps, buses))
    at_bus = rng.uniform(0, 0.8, (steps, buses))
    return LossEstimate(at_bus.sum(axis=1), factor, reference, at_bus)


def _compute(rng: np.random.Generator, steps: int, buses: int, step_h: float) -> ComputeProblem:
    origins, classes, delays, bins, sites = (int(n) for n in rng.integers(1, [4, 3, 3, 3, 4]))
    shape = (origins, classes, delays, bins)
    released, due = _work(rng, steps, shape)
    allowed = rng.random((origins, classes, sites)) < 0.6
    allowed[:, :, 0] = True
    bandwidth = np.where(rng.random((origins, sites)) < 0.6, rng.uniform(2, 25, (origins, sites)), np.inf)
    per_step = (steps, sites, classes)
    occupancy = np.sort(rng.uniform(0, 1, (classes, bins, 5)), axis=2)[:, :, ::-1] * (
        np.arange(5) < rng.integers(1, 6, (classes, bins, 1))
    )
    load_factor = rng.uniform(2, 14)
    width = rng.uniform(2, 10, (classes, 3))
    width[:, -1] = np.inf
    return ComputeProblem(
        released_nodes=released,
        due_nodes=due,
        shape=shape,
        occupancy=occupancy,
        mean_runtime_h=occupancy.sum(axis=2),
        committed_nodes=rng.uniform(0, 3, per_step) * (np.arange(steps) < 3)[:, None, None],
        available_nodes=rng.uniform(0.3, 1.2, per_step) * load_factor,
        site_bus=rng.integers(0, buses, sites),
        base_mw=rng.uniform(0, 3, (steps, sites)),
        node_mw=rng.uniform(0.3, 1.5, per_step),
        connection_mw=np.where(rng.random(sites) < 0.5, rng.uniform(2, 10, sites), np.inf),
        route_cost=rng.uniform(0, 8, (origins, classes, sites)),
        route_gb=rng.uniform(0.5, 4, classes),
        route_allowed=allowed,
        bandwidth_gb=bandwidth,
        delay_steps=rng.integers(0, 5, delays),
        block_steps=int(rng.integers(1, 4)),
        terminal=TerminalValue(width, np.sort(rng.uniform(5, 60, (classes, 3)), axis=1)),
        preemptible=_preemptible(rng, steps, shape, sites, allowed, step_h),
    )


def _preemptible(
    rng: np.random.Generator,
    steps: int,
    shape: tuple[int, int, int, int],
    sites: int,
    allowed: np.ndarray,
    step_h: float,
) -> PreemptibleProblem:
    """Work as jobs would bring it: envelopes of runs of one to four steps, some of which began at a site before."""
    origins, classes, delays, _ = shape
    places = (steps, origins + sites, classes, delays)
    arriving, due, live = (np.zeros((steps + 12, *places[1:])) for _ in range(3))
    for _ in range(int(rng.integers(0, 12))):
        where = tuple(int(rng.integers(size)) for size in places[1:])
        begun = where[0] >= origins
        nodes, release = rng.uniform(0.2, 3), 0 if begun else int(rng.integers(steps))
        runtime, slack = int(rng.integers(1, 5)), int(rng.integers(0, 5))
        for series, first, length in (
            (arriving, release, runtime),
            (due, release + slack, runtime),
            (live, release, runtime + slack),
        ):
            series[(slice(first, first + length), *where)] += nodes
    stays = np.broadcast_to(np.eye(sites, dtype=bool)[:, None, :], (sites, classes, sites))
    cost = rng.uniform(0, 4, (origins, classes, sites))
    return PreemptibleProblem(
        arriving_node_h=arriving[:steps] * step_h,
        due_node_h=due[:steps] * step_h,
        width_nodes=live[:steps].sum(axis=1),
        held_nodes=rng.uniform(0, 2, (sites, classes)),
        interruption_cost=rng.choice([0.0, 1.0], classes) * rng.uniform(0.5, 6, classes),
        route_cost=np.concatenate([cost, np.zeros(stays.shape)]),
        route_gb=rng.uniform(0.2, 3, classes),
        route_allowed=np.concatenate([allowed, stays]),
    )


def _work(rng: np.random.Generator, steps: int, shape: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Node starts by (time, q): falling due 0 to 3 steps after release, or after the last step. Some queues idle."""
    queues = int(np.prod(shape))
    released = rng.integers(0, 6, (steps, queues)) * (rng.random((steps, queues)) < 0.6) * (rng.random(queues) < 0.8)
    share = rng.dirichlet(np.ones(5), (steps, queues))
    due = np.zeros((steps + 4, queues))
    for wait in range(4):
        due[wait : wait + steps] += released * share[:, :, wait]
    return released.astype(float), due[:steps]
