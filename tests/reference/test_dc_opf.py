"""DC optimal power flow against published optima: MATPOWER's RTS-GMLC and PGLib-OPF.

MATPOWER and PGLib charge a unit its whole cost curve, we charge what lies above its floor; the rest is a constant that
`floor_cost` adds.
"""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from gridtwin.dispatch import GridProblem, LinkProblem, Penalties, StoreProblem, dispatch_grid, group_units
from gridtwin.grid.matrices import network_matrices, ptdf
from gridtwin.records import LossEstimate, NetworkMatrices, UnitData

RTS_OBJECTIVE_PER_H = 225806.07  # rts_matpower_solution_summary.csv, dcopf
PRINTED = 0.0051  # half a last digit of MW and of money per MWh
BASELINE_RELATIVE = 5.1e-5  # BASELINE.md prints five digits
PENALTIES = Penalties(10_000.0, 10_000.0, 10_000.0, 0.0, 0.0, 0.0, 0.0)
PIECEWISE = 1  # MATPOWER's cost model; 2 is a polynomial


@pytest.fixture(scope="module")
def rts(request, rts_case):
    with gzip.open(request.path.parent / "data" / "rts_gmlc_matpower_case.json.gz", "rt") as file:
        case = json.load(file)
    load = rts_case.injections.load_mw[0] + rts_case.grid.shunt_mw
    bus_index = {int(name): index for index, name in enumerate(rts_case.grid.bus)}
    units, constant = _units(case, bus_index)
    plan = dispatch_grid(_problem(network_matrices(rts_case.grid), units, load))
    return plan, constant


def test_rts_objective(rts):
    plan, constant = rts
    assert plan.solver.objective + constant == pytest.approx(RTS_OBJECTIVE_PER_H, abs=PRINTED)
    assert plan.shed_mw.max() == plan.spill_mw.max() == plan.overload_mw.max() == 0


def test_rts_prices(rts, rts_case):
    printed = rts_case.printed("bus", "dcopf")["lambda_p"].to_numpy()
    assert not np.isnan(printed).any()
    np.testing.assert_allclose(rts[0].price_per_mwh[0], printed, rtol=0, atol=PRINTED)


def test_rts_rows_written_are_few(rts):
    plan, _ = rts
    assert plan.binding.sum() < plan.binding.size / 20, "limits are added where they matter"


@pytest.fixture(scope="module")
def pglib(request):
    with gzip.open(request.path.parent / "data" / "pglib_linear_cases.json.gz", "rt") as file:
        return json.load(file)


@pytest.mark.parametrize(
    "name",
    [
        "case5_pjm",
        "case14_ieee",
        "case30_ieee",
        "case39_epri",
        "case57_ieee",
        "case118_ieee",
        "case162_ieee_dtc",
        "case179_goc",
    ],
)
def test_pglib_objective(pglib, name):
    case = pglib[name]
    bus = np.array(case["bus"])
    bus_index = {int(number): index for index, number in enumerate(bus[:, 0])}
    units, constant = _units(case, bus_index)
    plan = dispatch_grid(_problem(_powermodels_network(case, bus_index), units, bus[:, 2] + bus[:, 4]))
    assert plan.solver.objective + constant == pytest.approx(case["dc_usd_per_h"], rel=BASELINE_RELATIVE)


def _problem(network: NetworkMatrices, units: UnitData, load_mw: np.ndarray) -> GridProblem:
    groups, zero = group_units(units), np.zeros((1, len(load_mw)))
    return GridProblem(
        step_h=1.0,
        network=network,
        groups=groups,
        penalties=PENALTIES,
        lower_mw=groups.p_min_mw[None],
        upper_mw=groups.p_max_mw[None],
        initial_mw=None,
        load_mw=np.maximum(load_mw, 0.0)[None],
        site_mw=zero,
        injection_mw=-load_mw[None],
        losses=LossEstimate(np.zeros(1), zero, zero, zero),
        watched=np.zeros((1, len(network.line)), dtype=bool),
        rate_mw=network.rate_mw[None],
        stores=StoreProblem.none(1),
        links=LinkProblem.none(1),
        reserve_mw=np.zeros(1),
    )


def _powermodels_network(case: dict, bus_index: dict[int, int]) -> NetworkMatrices:
    """PGLib's optima come from PowerModels, whose DC susceptance is x / (r² + x²), taps apart."""
    branch = np.array([row for row in case["branch"] if row[10] > 0])
    line_from, line_to = (np.array([bus_index[int(number)] for number in branch[:, end]]) for end in (0, 1))
    r_pu, x_pu = branch[:, 2], branch[:, 3]
    slack = next(index for index, row in enumerate(case["bus"]) if row[1] == 3)
    lines, rate = len(branch), np.where(branch[:, 5] > 0, branch[:, 5], np.inf)
    return NetworkMatrices(
        bus=tuple(map(str, bus_index)),
        line=tuple(map(str, range(lines))),
        slack=slack,
        line_from=line_from,
        line_to=line_to,
        r_pu=r_pu,
        base_mva=case["baseMVA"],
        ptdf=ptdf(line_from, line_to, x_pu / (r_pu**2 + x_pu**2), len(bus_index), slack),
        lodf=np.zeros((lines, lines)),
        bridge=np.zeros(lines, dtype=bool),
        rate_mw=rate,
        rate_long_mw=rate,
        rate_short_mw=rate,
    )


def _units(case: dict, bus_index: dict[int, int]) -> tuple[UnitData, float]:
    """Units in service, and what their floors cost per hour."""
    online = [(gen, cost) for gen, cost in zip(case["gen"], case["gencost"], strict=True) if gen[7] > 0]
    gen = np.array([row for row, _ in online])
    curves = [_segments(cost, row[9], row[8]) for row, cost in online]
    units = len(gen)
    no, zero = np.zeros(units, dtype=bool), np.zeros(units)
    flat = np.array([segment for _, segments in curves for segment in segments])
    return UnitData(
        unit=tuple(f"{number:.0f}_{index}" for index, number in enumerate(gen[:, 0])),
        bus=np.array([bus_index[int(number)] for number in gen[:, 0]]),
        technology=("",) * units,
        p_min_mw=gen[:, 9],
        p_max_mw=gen[:, 8],
        q_min_mvar=zero,
        q_max_mvar=zero,
        vm_set_pu=np.ones(units),
        ramp_mw_per_h=np.full(units, np.inf),
        holds_voltage=no,
        always_committed=no,
        quick_start=no,
        renewable=no,
        curtailable=no,
        profile=np.full(units, -1),
        store=np.full(units, -1),
        segment_unit=np.repeat(np.arange(units), [len(segments) for _, segments in curves]),
        segment_mw=flat[:, 0],
        segment_cost_per_mwh=flat[:, 1],
        segment_co2_kg_per_mwh=np.zeros(len(flat)),
    ), sum(floor for floor, _ in curves)


def _segments(cost: list[float], p_min_mw: float, p_max_mw: float) -> tuple[float, list[tuple[float, float]]]:
    """Cost per hour at the floor, and (MW, cost per MWh) above it."""
    if int(cost[0]) == PIECEWISE:
        points = np.array(cost[4 : 4 + 2 * int(cost[3])]).reshape(-1, 2)
        knots = np.r_[p_min_mw, points[(points[:, 0] > p_min_mw) & (points[:, 0] < p_max_mw), 0], p_max_mw]
        height = np.interp(knots, *points.T)
        width = np.diff(knots)
        price = np.divide(np.diff(height), width, out=np.zeros_like(width), where=width > 0)
        return float(height[0]), list(zip(width, price, strict=True))
    *quadratic, slope, constant = cost[4 : 4 + int(cost[3])]
    assert not any(quadratic), "only linear costs are linear programs"
    return constant + slope * p_min_mw, [(p_max_mw - p_min_mw, slope)]
