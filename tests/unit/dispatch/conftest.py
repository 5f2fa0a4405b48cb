"""Dispatch problems small enough to check by hand, shared by the tests of `dispatch` and of its formulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

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

Segment = tuple[float, float, float]  # MW, cost per MWh, kg CO2 per MWh

HAND_PENALTIES = Penalties(
    shed_per_mwh=1000.0,
    overload_per_mwh=500.0,
    spill_per_mwh=100.0,
    connection_per_mwh=70.0,
    late_per_node_h=40.0,
    carbon_per_t=0.0,
    reserve_per_mwh=200.0,
)


@pytest.fixture
def hand_units() -> Callable[..., UnitData]:
    """Units from rows of (bus, floor in MW, ramp in MW/h, segments)."""
    return _units


@pytest.fixture
def hand_grid() -> Callable[..., GridProblem]:
    """Three buses in a triangle of equal lines, the slack last; 120 MW of load at bus 2, two units, no losses."""
    return _grid


@pytest.fixture
def hand_work() -> Callable[..., ComputeProblem]:
    """Nothing to do, and room for ten nodes of 1 MW at each site, all at bus 2."""
    return _work


@pytest.fixture
def hand_stores() -> Callable[..., StoreProblem]:
    """One battery at bus 2: 20 MW either way, 40 MWh, 80 % each way, half full; worth nothing at the end."""
    return _stores


@pytest.fixture
def hand_links() -> Callable[..., LinkProblem]:
    """One link from bus 0 to bus 2 that carries 50 MW and loses a tenth."""
    return _links


def _stores(steps: int = 1, **changes: Any) -> StoreProblem:
    problem = StoreProblem(
        bus=np.array([2]),
        site=np.array([-1]),
        charge_mw=np.full((steps, 1), 20.0),
        discharge_mw=np.full((steps, 1), 20.0),
        energy_mwh=np.array([40.0]),
        efficiency_charge=np.array([0.8]),
        efficiency_discharge=np.array([0.8]),
        kept_share=np.array([1.0]),
        initial_mwh=np.array([20.0]),
        inflow_mw=np.zeros((steps, 1)),
        value_mwh=np.array([[40.0]]),
        value_per_mwh=np.array([[0.0]]),
    )
    return replace(problem, **changes)


def _links(steps: int = 1, **changes: Any) -> LinkProblem:
    problem = LinkProblem(
        index=np.array([0]),
        from_bus=np.array([0]),
        to_bus=np.array([2]),
        rate_mw=np.full((steps, 1), 50.0),
        loss=np.array([0.1]),
    )
    return replace(problem, **changes)


def _units(rows: Sequence[tuple[int, float, float, Sequence[Segment]]], technology: Sequence[str] = ()) -> UnitData:
    bus, floor, ramp, segments = zip(*rows, strict=True)
    flat = np.array([segment for own in segments for segment in own], dtype=float)
    units = len(rows)
    no, zero = np.zeros(units, dtype=bool), np.zeros(units)
    return UnitData(
        unit=tuple(f"u{i}" for i in range(units)),
        bus=np.array(bus),
        technology=tuple(technology) or ("steam",) * units,
        p_min_mw=np.array(floor, dtype=float),
        p_max_mw=np.array(floor, dtype=float) + [sum(width for width, _, _ in own) for own in segments],
        q_min_mvar=zero,
        q_max_mvar=zero,
        vm_set_pu=np.ones(units),
        ramp_mw_per_h=np.array(ramp, dtype=float),
        holds_voltage=no,
        always_committed=no,
        quick_start=no,
        renewable=no,
        curtailable=no,
        profile=np.full(units, -1),
        store=np.full(units, -1),
        segment_unit=np.repeat(np.arange(units), [len(own) for own in segments]),
        segment_mw=flat[:, 0],
        segment_cost_per_mwh=flat[:, 1],
        segment_co2_kg_per_mwh=flat[:, 2],
    )


def _grid(units: UnitData | None = None, steps: int = 1, rate_mw: float = np.inf, **changes: Any) -> GridProblem:
    if units is None:
        units = _units([(0, 0.0, np.inf, [(100.0, 10.0, 0.0)]), (1, 0.0, np.inf, [(100.0, 30.0, 0.0)])])
    groups = group_units(units)
    load = np.tile([0.0, 0.0, 120.0], (steps, 1))
    zero = np.zeros((steps, 3))
    problem = GridProblem(
        step_h=1.0,
        network=_triangle(rate_mw),
        groups=groups,
        penalties=HAND_PENALTIES,
        lower_mw=np.tile(groups.p_min_mw, (steps, 1)),
        upper_mw=np.tile(groups.p_max_mw, (steps, 1)),
        initial_mw=None,
        load_mw=load,
        site_mw=zero,
        injection_mw=-load,
        losses=LossEstimate(np.zeros(steps), zero, zero, zero),
        watched=np.zeros((steps, 3), dtype=bool),
        rate_mw=np.full((steps, 3), rate_mw),
        stores=StoreProblem.none(steps),
        links=LinkProblem.none(steps),
        reserve_mw=np.zeros(steps),
    )
    return replace(problem, **changes)


def _triangle(rate_mw: float) -> NetworkMatrices:
    """Two thirds of what goes from one corner to another take the direct way."""
    rate = np.full(3, rate_mw)
    return NetworkMatrices(
        bus=("a", "b", "c"),
        line=("ab", "ac", "bc"),
        slack=2,
        line_from=np.array([0, 0, 1]),
        line_to=np.array([1, 2, 2]),
        r_pu=np.zeros(3),
        base_mva=100.0,
        ptdf=np.array([[1.0, -1.0, 0.0], [2.0, 1.0, 0.0], [1.0, 2.0, 0.0]]) / 3.0,
        lodf=np.full((3, 3), np.nan),
        bridge=np.zeros(3, dtype=bool),
        rate_mw=rate,
        rate_long_mw=rate,
        rate_short_mw=rate,
    )


def _work(
    steps: int = 2, shape: tuple[int, int, int, int] = (1, 1, 1, 1), sites: int = 1, lags: int = 1, **changes: Any
) -> ComputeProblem:
    origins, classes, _, bins = shape
    queues = int(np.prod(shape))
    problem = ComputeProblem(
        released_nodes=np.zeros((steps, queues)),
        due_nodes=np.zeros((steps, queues)),
        shape=shape,
        occupancy=np.ones((classes, bins, lags)),
        mean_runtime_h=np.full((classes, bins), float(lags)),
        committed_nodes=np.zeros((steps, sites, classes)),
        available_nodes=np.full((steps, sites, classes), 10.0),
        site_bus=np.full(sites, 2),
        base_mw=np.zeros((steps, sites)),
        node_mw=np.ones((steps, sites, classes)),
        connection_mw=np.full(sites, np.inf),
        route_cost=np.zeros((origins, classes, sites)),
        route_gb=np.zeros(classes),
        route_allowed=np.ones((origins, classes, sites), dtype=bool),
        delay_steps=np.zeros(shape[2], dtype=np.int64),
        bandwidth_gb=np.full((origins, sites), np.inf),
        block_steps=1,
        terminal=TerminalValue(np.full((classes, 1), np.inf), np.zeros((classes, 1))),
        preemptible=PreemptibleProblem.none(steps, shape, sites),
    )
    return replace(problem, **changes)
