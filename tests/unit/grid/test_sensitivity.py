import numpy as np
import pytest

from gridtwin.grid.ac import AcGrid
from gridtwin.grid.newton import solve_batch
from gridtwin.grid.sensitivity import voltage_sensitivity

STEP_PU = 1e-4


@pytest.mark.parametrize("holding", [(), (2,), (2, 3)])
def test_it_is_the_derivative(grid, units, holding):
    ac_grid = AcGrid(grid, units)
    holds = np.zeros(6, dtype=bool)
    holds[[grid.slack, *holding]] = True
    base_pu = np.array([0.1, 0.0, 0.5, 0.3, -0.4, -0.3]) - 0.1j * np.array([1, 0, 1, 1, 2, 1])
    start = ac_grid._v_base_pu

    def voltages(injection_pu):
        flows = solve_batch(ac_grid.ybus, start, injection_pu[None], holds[None], grid.slack)
        assert flows.converged.all()
        return flows.v_pu[0]

    bus = np.array([4, 2, 5])
    found = voltage_sensitivity(ac_grid.ybus, voltages(base_pu), holds, grid.slack, bus)
    for at in range(6):
        nudge = STEP_PU * np.eye(6)[at]
        up, down = (np.abs(voltages(base_pu + sign * nudge))[bus] for sign in (1, -1))
        np.testing.assert_allclose(found[:, at], (up - down) / (2 * STEP_PU), atol=1e-7)
    assert np.abs(found[[0, 2]]).max() > 1e-3
    assert not found[:, grid.slack].any()
    if 2 in holding:
        assert not found[1].any()
