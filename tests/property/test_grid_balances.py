"""What holds on any grid."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from gridtwin.grid.matrices import lodf, ptdf
from gridtwin.grid.newton import bus_injection, line_injection, solve_within_limits


@st.composite
def grids(draw):
    """A connected grid of 2 to 9 buses: a random tree and some lines more, parallel ones among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    buses = draw(st.integers(2, 9))
    more = draw(st.integers(0, 2 * buses))
    line_from = np.r_[np.arange(1, buses), rng.integers(0, buses, more)]
    line_to = np.r_[[rng.integers(0, bus) for bus in range(1, buses)], rng.integers(0, buses, more)].astype(int)
    line_to = np.where(line_to == line_from, (line_to + 1) % buses, line_to)
    turned = rng.random(len(line_from)) < 0.5
    line_from, line_to = np.where(turned, line_to, line_from), np.where(turned, line_from, line_to)
    x_pu = rng.uniform(0.02, 0.3, len(line_from))
    return rng, buses, line_from, line_to, x_pu


@given(grids())
@settings(max_examples=200, deadline=None)
def test_ptdf_balances_power_at_every_bus(grid):
    rng, buses, line_from, line_to, x_pu = grid
    slack = int(rng.integers(buses))
    factors = ptdf(line_from, line_to, 1 / x_pu, buses, slack)
    leaving = np.zeros((buses, buses))
    np.add.at(leaving, line_from, factors)
    np.add.at(leaving, line_to, -factors)
    expected = np.eye(buses)
    expected[slack] -= 1
    np.testing.assert_allclose(leaving, expected, atol=1e-9)


@given(grids())
@settings(max_examples=200, deadline=None)
def test_lodf_empties_the_line_and_balances_the_rest(grid):
    rng, buses, line_from, line_to, x_pu = grid
    factors = ptdf(line_from, line_to, 1 / x_pu, buses, 0)
    outage, bridge = lodf(factors, line_from, line_to)
    injection = rng.normal(size=buses)
    injection[0] -= injection.sum()
    flow = factors @ injection
    after = flow[:, None] + outage[:, ~bridge] * flow[~bridge]
    assert np.isfinite(after).all()
    np.testing.assert_allclose(after[np.flatnonzero(~bridge), np.arange(after.shape[1])], 0, atol=1e-9)
    leaving = np.zeros((buses, after.shape[1]))
    np.add.at(leaving, line_from, after)
    np.add.at(leaving, line_to, -after)
    np.testing.assert_allclose(leaving, np.broadcast_to(injection[:, None], leaving.shape), atol=1e-8)


def admittances(buses, line_from, line_to, x_pu, rng):
    line = np.arange(len(line_from))
    y_series = 1 / (rng.uniform(0, 0.3) * x_pu + 1j * x_pu)
    y_from, y_to = (np.zeros((len(line), buses), dtype=complex) for _ in range(2))
    charging = 0.5j * rng.uniform(0, 0.1, len(line))
    y_from[line, line_from] += y_series + charging
    y_from[line, line_to] -= y_series
    y_to[line, line_to] += y_series + charging
    y_to[line, line_from] -= y_series
    shunt = np.diag(rng.uniform(0, 0.02, buses) + 1j * rng.uniform(-0.1, 0.1, buses))
    ybus = shunt.copy()
    np.add.at(ybus, line_from, y_from)
    np.add.at(ybus, line_to, y_to)
    return sparse.csr_matrix(ybus), sparse.csr_matrix(y_from), sparse.csr_matrix(y_to), shunt.diagonal().real


@given(grids())
@settings(max_examples=200, deadline=None)
def test_ac_losses_and_reactive_limits(grid):
    rng, buses, line_from, line_to, x_pu = grid
    ybus, y_from, y_to, conductance = admittances(buses, line_from, line_to, x_pu, rng)
    steps = 4
    injection = 0.15 * (rng.normal(size=(steps, buses)) + 0.5j * rng.normal(size=(steps, buses)))
    holds = rng.random((steps, buses)) < 0.6
    start = rng.uniform(0.97, 1.05, buses).astype(complex)
    q_min, q_max = -rng.uniform(0, 0.4, (steps, buses)), rng.uniform(0, 0.4, (steps, buses))
    flows = solve_within_limits(ybus, start, injection, holds, 0, q_min_pu=q_min, q_max_pu=q_max)
    assume(flows.converged.any())

    solved = flows.v_pu[flows.converged]
    bus_pu = bus_injection(ybus, solved)
    line_losses = (line_injection(y_from, solved, line_from) + line_injection(y_to, solved, line_to)).real
    assert (line_losses >= -1e-12).all()
    shunt = (conductance * np.abs(solved) ** 2).sum(axis=1)
    np.testing.assert_allclose(line_losses.sum(axis=1), bus_pu.real.sum(axis=1) - shunt, atol=1e-10)
    np.testing.assert_allclose(bus_pu.real[:, 1:], injection[flows.converged].real[:, 1:], atol=1e-8)

    unit_q = (bus_pu - injection[flows.converged]).imag
    off = np.abs(solved) - np.abs(start)
    lower, upper, holding = q_min[flows.converged], q_max[flows.converged], holds[flows.converged]
    holding[:, 0] = False
    np.testing.assert_allclose(np.delete(unit_q, 0, axis=1)[~holding[:, 1:]], 0, atol=1e-8)
    assert (unit_q[holding] >= lower[holding] - 1e-7).all()
    assert (unit_q[holding] <= upper[holding] + 1e-7).all()
    room_up, room_down = upper - unit_q, unit_q - lower
    assert (np.minimum(-off, room_up)[holding] <= 1e-7).all(), "below the set-point with reactive power left"
    assert (np.minimum(off, room_down)[holding] <= 1e-7).all(), "above the set-point with absorption left"
