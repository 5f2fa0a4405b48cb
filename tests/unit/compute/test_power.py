from dataclasses import replace

import numpy as np
import pytest

from gridtwin.compute.power import it_power_mw


def test_a_job_takes_the_peak_and_a_service_its_utilisation_of_what_is_above_idle(hand):
    watts = {"idle_w": np.full((2, 1), 2e5), "peak_w": np.full((2, 1), 1e6)}
    fleet = replace(hand.fleet([10, 4]), **watts, service_utilization=np.array([0.5]))
    busy, serving = np.array([[[3.0], [0.0]]]), np.array([[[2], [4]]])
    assert it_power_mw(busy, serving, fleet).tolist() == [
        [pytest.approx(2 + 3 * 0.8 + 2 * 0.4), pytest.approx(0.8 + 1.6)]
    ]
