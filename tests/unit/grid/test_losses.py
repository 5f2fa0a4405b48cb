import numpy as np
import pytest

from gridtwin.errors import GridError
from gridtwin.grid.losses import MOST_SCALE, fit_losses, line_losses_mw, loss_estimate
from gridtwin.grid.matrices import network_matrices
from gridtwin.records import LossFit


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


def test_a_scale_holds_for_everything(matrices, injection):
    flow = injection @ matrices.ptdf.T
    plain, scaled = loss_estimate(flow, matrices), loss_estimate(flow, matrices, fit([1.1, 2.0], [0.0, 0.0]))
    for name in ("losses_mw", "factor", "bus_losses_mw"):
        np.testing.assert_allclose(getattr(scaled, name)[0], 1.1 * getattr(plain, name)[0])
    flows_mw = [losses.reference_injection_mw - losses.bus_losses_mw for losses in (plain, scaled)]
    np.testing.assert_allclose(*flows_mw, atol=1e-12)


def fit(scale, rest_mw):
    return LossFit(np.array(scale), np.array(rest_mw))


def test_a_rest_is_drawn_at_the_slack_and_changes_nothing_else(matrices, injection):
    flow = injection @ matrices.ptdf.T
    plain, rest = loss_estimate(flow, matrices), loss_estimate(flow, matrices, fit([1.0, 1.0], [0.3, 0.2]))
    np.testing.assert_allclose(rest.losses_mw - plain.losses_mw, [0.3, 0.2])
    for name in ("factor", "bus_losses_mw", "reference_injection_mw"):
        np.testing.assert_array_equal(getattr(rest, name), getattr(plain, name))


@pytest.mark.parametrize("ratio", [0.0, 0.96, MOST_SCALE, 2.0, 1e4])
def test_a_fit_has_the_losses_of_ac_and_factors_of_active_power(matrices, injection, ratio):
    flow = injection @ matrices.ptdf.T
    plain = loss_estimate(flow, matrices)
    ac_mw = np.array([ratio * plain.losses_mw[0], 0.4])  # nothing flows in the second step
    found = fit_losses(ac_mw, flow, matrices)
    assert found.scale.tolist() == pytest.approx([min(ratio, MOST_SCALE), 1.0])
    assert found.rest_mw[0] == (0 if ratio <= 1 else pytest.approx(max(ratio - MOST_SCALE, 0) * plain.losses_mw[0]))
    fitted = loss_estimate(flow, matrices, found)
    np.testing.assert_allclose(fitted.losses_mw, ac_mw)
    assert (np.abs(fitted.factor) <= MOST_SCALE * np.abs(plain.factor) * (1 + 1e-12)).all()


def test_what_is_not_a_number_is_refused(matrices, injection):
    flow = injection @ matrices.ptdf.T
    with pytest.raises(GridError, match="scale nan at step 1"):
        loss_estimate(flow, matrices, fit([1.0, np.nan], [0.0, 0.0]))
    with pytest.raises(GridError, match="rest_mw -1 at step 0"):
        loss_estimate(flow, matrices, fit([1.0, 1.0], [-1.0, 0.0]))
    flow[1, 3] = np.nan
    with pytest.raises(GridError, match="flow_mw at step 1"):
        loss_estimate(flow, matrices)
