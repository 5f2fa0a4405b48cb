"""The batch against `pandapower.runpp`, step by step."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest
from scipy import sparse

from gridtwin.grid.ac import AcGrid
from gridtwin.grid.network import build_net
from gridtwin.grid.newton import solve_batch
from gridtwin.records import AcInjections

STEPS = 36
VM_PU = 1e-8


def runpp(net, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pp.runpp(net, init="dc", lightsim2grid=False, numba=False, tolerance_mva=1e-8, **options)
    return net.res_bus["vm_pu"].to_numpy()


@pytest.fixture(scope="module")
def varied(rts_case) -> AcInjections:
    """Load from 35 to 95 % of the peak, each bus on its own; one unit in ten is not committed."""
    rng = np.random.default_rng(7)
    level = np.linspace(0.35, 0.95, STEPS)
    scaled = rts_case.repeated(level)
    committed = scaled.committed & (rng.random(scaled.committed.shape) < 0.9)
    unit_mw = np.where(committed, scaled.unit_mw, 0.0)
    unit_mw *= (scaled.load_mw.sum(axis=1) / unit_mw.sum(axis=1))[:, None]
    noise = rng.uniform(0.9, 1.1, (2, *scaled.load_mw.shape))
    return replace(
        scaled,
        load_mw=scaled.load_mw * noise[0],
        load_mvar=scaled.load_mvar * noise[1],
        unit_mw=unit_mw,
        committed=committed,
    )


@pytest.fixture(scope="module")
def net_of_record(rts_case):
    return build_net(rts_case.grid, rts_case.units)


def solve_with_pandapower(net, rts_case, injections, step, **options):
    """|V| and reactive power of all units at each bus."""
    holds = rts_case.units.holds_voltage
    net.load["p_mw"], net.load["q_mvar"] = injections.load_mw[step], injections.load_mvar[step]
    net.gen["p_mw"], net.gen["in_service"] = injections.unit_mw[step][holds], injections.committed[step][holds]
    net.sgen["p_mw"] = injections.unit_mw[step][~holds]
    vm_pu = runpp(net, **options)
    unit_mvar = np.zeros(len(vm_pu))
    np.add.at(unit_mvar, net.gen["bus"].to_numpy(), net.res_gen["q_mvar"].fillna(0.0).to_numpy())
    return vm_pu, unit_mvar


def limits_mvar(rts_case, committed):
    buses, units = len(rts_case.grid.bus), rts_case.units
    there = committed & units.holds_voltage
    lower, upper, holding = np.zeros(buses), np.zeros(buses), np.zeros(buses, dtype=bool)
    np.add.at(lower, units.bus[there], units.q_min_mvar[there])
    np.add.at(upper, units.bus[there], units.q_max_mvar[there])
    holding[units.bus[there]] = True
    holding[rts_case.grid.slack] = False
    return lower, upper, holding


def complementarity_gap(rts_case, committed, vm_pu, unit_mvar):
    """Largest breach, in pu: outside a limit, or off the set-point on the side that no limit explains."""
    lower, upper, holding = limits_mvar(rts_case, committed)
    setpoint = np.full(len(vm_pu), np.nan)
    setpoint[rts_case.units.bus[committed]] = rts_case.units.vm_set_pu[committed]
    q, low, high, off = (value[holding] for value in (unit_mvar, lower, upper, vm_pu - setpoint))
    outside = np.maximum(low - q, q - high) / 100
    too_low = np.minimum(-off, (high - q) / 100)  # voltage below the set-point although reactive power is left
    too_high = np.minimum(off, (q - low) / 100)
    return max(outside.max(), too_low.max(), too_high.max())


def test_without_limits(rts_case, varied, net_of_record):
    ac = AcGrid(rts_case.grid, rts_case.units).solve(varied, enforce_q_limits=False)
    assert ac.method == ("batch",) * STEPS
    for step in range(STEPS):
        vm_pu, _ = solve_with_pandapower(net_of_record, rts_case, varied, step)
        np.testing.assert_allclose(ac.vm_pu[step], vm_pu, rtol=0, atol=VM_PU)
        np.testing.assert_allclose(ac.va_deg[step], net_of_record.res_bus["va_degree"], rtol=0, atol=np.rad2deg(VM_PU))


def test_with_limits(rts_case, varied, net_of_record):
    ac = AcGrid(rts_case.grid, rts_case.units).solve(varied)
    assert ac.method == ("batch",) * STEPS
    equal = 0
    for step in range(STEPS):
        committed = varied.committed[step]
        _, _, holding = limits_mvar(rts_case, committed)
        vm_pu, unit_mvar = solve_with_pandapower(net_of_record, rts_case, varied, step, enforce_q_lims=True)
        ours_mvar = ac.bus_mvar[step] + varied.load_mvar[step]
        assert complementarity_gap(rts_case, committed, ac.vm_pu[step], ours_mvar) <= VM_PU
        setpoint = np.zeros(len(vm_pu))
        setpoint[rts_case.units.bus[committed]] = rts_case.units.vm_set_pu[committed]
        theirs_limited = holding & (np.abs(vm_pu - setpoint) > VM_PU)
        if np.array_equal(theirs_limited, ac.q_limited[step]):
            np.testing.assert_allclose(ac.vm_pu[step], vm_pu, rtol=0, atol=VM_PU)
            equal += 1
        else:  # pandapower never lets a bus hold its voltage again
            assert complementarity_gap(rts_case, committed, vm_pu, unit_mvar) > VM_PU
    assert equal >= 24
    assert ac.q_limited.any(axis=1).sum() >= 24, "steps must reach limits for this test to mean anything"


@pytest.mark.parametrize("name", ["case14", "case118", "case1354pegase"])
def test_solver_core_on_known_cases(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = getattr(pandapower.networks, name)()
    runpp(net)
    internal, order = net._ppc["internal"], net._pd2ppc_lookups["bus"][net.bus.index]
    rng = np.random.default_rng(1)
    factors = [1.0, *rng.uniform(0.85, 1.02, 3)]
    load_mw, load_mvar, gen_mw = (
        net.load["p_mw"].copy(),
        net.load["q_mvar"].copy(),
        net.gen["p_mw"].copy(),
    )
    injection, expected, holds = [], [], np.zeros((len(factors), len(internal["V"])), dtype=bool)
    start = internal["V"].copy()
    for step, factor in enumerate(factors):
        net.load["p_mw"], net.load["q_mvar"] = factor * load_mw, factor * load_mvar
        net.gen["p_mw"] = factor * gen_mw
        expected.append(runpp(net))
        injection.append(net._ppc["internal"]["Sbus"])
        holds[step, net._ppc["internal"]["pv"]] = True
    flows = solve_batch(sparse.csr_matrix(internal["Ybus"]), start, np.array(injection), holds, int(internal["ref"][0]))
    assert flows.converged.all()
    np.testing.assert_allclose(np.abs(flows.v_pu)[:, order], np.array(expected), rtol=0, atol=1e-9)
