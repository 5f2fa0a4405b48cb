import numpy as np
import pytest

from gridtwin.errors import GridError
from gridtwin.grid.losses import line_losses_mw, loss_estimate
from gridtwin.grid.matrices import network_matrices


@pytest.fixture
def matrices(grid):
    return network_matrices(grid)


@pytest.fixture
def injection():
    """Two steps; the second has nothing at all."""
    return np.array([[30.0, 25.0, -50.0, 10.0, 25.0, -40.0], [0.0] * 6])


def test_losses_by_hand(matrices):
    flow = np.zeros((1, 8))
    flow[0, 2] = 50.0  # r = 0.008 pu of 100 MVA
    losses = loss_estimate(flow, matrices)
    assert losses.losses_mw[0] == pytest.approx(0.008 * 50**2 / 100)
    np.testing.assert_allclose(losses.bus_losses_mw, [[0, 0.1, 0.1, 0, 0, 0]], atol=1e-15)
    np.testing.assert_allclose(losses.reference_injection_mw, [[0, 50.1, -49.9, 0, 0, 0]])


def test_factor_is_the_derivative(matrices, injection):
    losses = loss_estimate(injection @ matrices.ptdf.T, matrices)
    np.testing.assert_allclose(losses.reference_injection_mw, injection + losses.bus_losses_mw, atol=1e-9)
    step = 1e-3
    for bus in range(6):
        nearby = [
            line_losses_mw((injection + sign * step * np.eye(6)[bus]) @ matrices.ptdf.T, matrices).sum(axis=1)
            for sign in (1, -1)
        ]
        np.testing.assert_allclose(losses.factor[:, bus], (nearby[0] - nearby[1]) / (2 * step), atol=1e-9)
    assert (losses.factor[:, matrices.slack] == 0).all()


def test_losses_of_buses_add_up(matrices, injection):
    losses = loss_estimate(injection @ matrices.ptdf.T, matrices)
    np.testing.assert_allclose(losses.bus_losses_mw.sum(axis=1), losses.losses_mw)
    assert losses.losses_mw[1] == 0


def test_ratio_scales_everything(matrices, injection):
    flow = injection @ matrices.ptdf.T
    plain, scaled = loss_estimate(flow, matrices), loss_estimate(flow, matrices, np.array([1.1, 2.0]))
    for name in ("losses_mw", "factor", "bus_losses_mw"):
        np.testing.assert_allclose(getattr(scaled, name)[0], 1.1 * getattr(plain, name)[0])
    flows_mw = [losses.reference_injection_mw - losses.bus_losses_mw for losses in (plain, scaled)]
    np.testing.assert_allclose(*flows_mw, atol=1e-12)


def test_what_is_not_a_number_is_refused(matrices, injection):
    flow = injection @ matrices.ptdf.T
    with pytest.raises(GridError, match="ratio nan at step 1"):
        loss_estimate(flow, matrices, np.array([1.0, np.nan]))
    flow[1, 3] = np.nan
    with pytest.raises(GridError, match="flow_mw at step 1"):
        loss_estimate(flow, matrices)
