import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.inputs.segments import convex_segments

CURVES = st.lists(st.tuples(st.floats(0.1, 200), st.floats(-20, 300), st.floats(0, 1500)), min_size=1, max_size=8)


def test_a_convex_curve_stays():
    parts = convex_segments(np.array([10.0, 5.0]), np.array([20.0, 30.0]), np.array([700.0, 800.0]))
    assert [part.tolist() for part in parts] == [[10, 5], [20, 30], [700, 800]]


def test_co2_follows_the_breakpoints_of_cost():
    width, cost, co2 = convex_segments(
        np.array([10.0, 10.0, 20.0]), np.array([30.0, 20.0, 35.0]), np.array([9.0, 7.0, 8.0])
    )
    assert width.tolist() == [20, 20]
    assert cost.tolist() == [25, 35]
    assert co2.tolist() == [8, 8]


@given(CURVES)
def test_the_envelope_is_the_cheapest_mixture_of_two_points_of_the_curve(curve):
    width, cost, co2 = map(np.array, zip(*curve, strict=True))
    convex_width, convex_cost, convex_co2 = convex_segments(width, cost, co2)
    assert (np.diff(convex_cost) > -1e-6).all()
    assert convex_width.sum() == pytest.approx(width.sum())
    assert convex_width @ convex_cost == pytest.approx(width @ cost, abs=1e-6)
    assert convex_width @ convex_co2 == pytest.approx(width @ co2, abs=1e-6)

    power = np.concatenate([[0], np.cumsum(width)])
    total = np.concatenate([[0], np.cumsum(width * cost)])
    for at in np.linspace(0, power[-1], 7):
        mixtures = [
            np.interp(at, [power[i], power[j]], [total[i], total[j]])
            for i in range(len(power))
            for j in range(i, len(power))
            if power[i] <= at <= power[j]
        ]
        reached = np.interp(
            at,
            np.concatenate([[0], np.cumsum(convex_width)]),
            np.concatenate([[0], np.cumsum(convex_width * convex_cost)]),
        )
        assert reached == pytest.approx(min(mixtures), rel=1e-6, abs=1e-4)
