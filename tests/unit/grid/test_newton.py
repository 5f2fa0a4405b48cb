import numpy as np
import pytest
from scipy import sparse

from gridtwin.grid.newton import bus_injection, next_limits, solve_batch, solve_within_limits

X_PU = 0.1


@pytest.fixture
def two_buses():
    y = -1j / X_PU
    return sparse.csr_matrix(np.array([[y, -y], [-y, y]]))


def flat(buses):
    return np.ones(buses, dtype=complex)


def test_two_buses_as_by_hand(two_buses):
    """V2² solves V⁴ − V² + x²P² = 0 for a unity power factor load behind a reactance."""
    load_pu = np.array([0.5, 1.0, 2.0, 4.9])
    injection = np.stack([load_pu * 0, -load_pu + 0j], axis=1)
    flows = solve_batch(two_buses, flat(2), injection, np.zeros((4, 2), dtype=bool), slack=0)
    expected = np.sqrt((1 + np.sqrt(1 - 4 * (X_PU * load_pu) ** 2)) / 2)
    assert flows.converged.all()
    np.testing.assert_allclose(np.abs(flows.v_pu[:, 1]), expected, atol=1e-9)


def test_beyond_the_nose_is_nan(two_buses):
    injection = np.array([[0, -1.0], [0, -5.1], [0, -2.0]], dtype=complex)
    flows = solve_batch(two_buses, flat(2), injection, np.zeros((3, 2), dtype=bool), slack=0)
    assert flows.converged.tolist() == [True, False, True]
    assert np.isnan(flows.v_pu[1]).all()
    alone = solve_batch(two_buses, flat(2), injection[[0, 2]], np.zeros((2, 2), dtype=bool), slack=0)
    assert flows.v_pu[[0, 2]].tobytes() == alone.v_pu.tobytes()


def test_an_empty_batch(two_buses):
    flows = solve_batch(two_buses, flat(2), np.zeros((0, 2), dtype=complex), np.zeros((0, 2), dtype=bool), slack=0)
    assert flows.v_pu.shape == (0, 2)


def test_a_bus_stops_at_its_upper_limit(two_buses):
    injection = np.array([[0, -2.0], [0, -2.0]], dtype=complex)
    holds = np.ones((2, 2), dtype=bool)
    q_max = np.array([[0.0, 9.0], [0.0, 0.1]])
    flows = solve_within_limits(two_buses, flat(2), injection, holds, 0, q_min_pu=-q_max, q_max_pu=q_max)
    assert flows.at_limit.tolist() == [[0, 0], [0, 1]]
    assert abs(flows.v_pu[0, 1]) == pytest.approx(1.0, abs=1e-12)
    assert abs(flows.v_pu[1, 1]) < 1
    assert bus_injection(two_buses, flows.v_pu)[1, 1].imag == pytest.approx(0.1, abs=1e-9)


def test_a_bus_holds_its_voltage_again():
    """b, kept low by c, first asks for more than it has; once c may absorb less, b has enough."""
    y_ab, y_bc = -1j / 0.3, -1j / 0.05
    ybus = sparse.csr_matrix([[y_ab, -y_ab, 0], [-y_ab, y_ab + y_bc, -y_bc], [0, -y_bc, y_bc]])
    start = np.array([1.0, 1.0, 0.95], dtype=complex)
    injection, holds = np.zeros((1, 3), dtype=complex), np.ones((1, 3), dtype=bool)
    q_max, q_min = np.array([[0.0, 0.3, 1.0]]), np.array([[0.0, -0.3, -0.1]])
    first = solve_batch(ybus, start, injection, holds, 0)
    assert bus_injection(ybus, first.v_pu)[0, 1].imag > 0.3
    flows = solve_within_limits(ybus, start, injection, holds, 0, q_min_pu=q_min, q_max_pu=q_max)
    assert flows.converged.all()
    assert flows.at_limit.tolist() == [[0, 0, -1]]
    assert abs(flows.v_pu[0, 1]) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("at", "deviation", "above_min", "above_max", "wanted"),
    [
        (0, 0.0, 0.5, -0.5, 0),
        (0, 0.0, 1.5, 0.5, 1),
        (0, 0.0, -0.5, -1.5, -1),
        (1, -0.01, 1.0, 0.0, 1),
        (1, 0.01, 1.0, 0.0, 0),
        (-1, 0.01, 0.0, -1.0, -1),
        (-1, -0.01, 0.0, -1.0, 0),
    ],
)
def test_complementarity(at, deviation, above_min, above_max, wanted):
    arrays = (np.array([[value]], dtype=float) for value in (deviation, above_min, above_max))
    found = next_limits(np.array([[at]], dtype=np.int8), np.array([[True]]), *arrays)
    assert found.tolist() == [[wanted]]
