"""Cost curves as a linear dispatch can use them."""

from __future__ import annotations

import numpy as np

from gridtwin.units import FloatArray, IntArray

__all__ = ["convex_segments"]


def _lower_hull(x: FloatArray, y: FloatArray) -> IntArray:
    """Return the points of the lower convex envelope, `x` ascending (Andrew's monotone chain)."""
    hull: list[int] = []
    for i in range(len(x)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[i] - x[b]) < (y[i] - y[b]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(i)
    return np.asarray(hull, dtype=np.int64)


def convex_segments(
    width_mw: FloatArray, cost_per_mwh: FloatArray, co2_kg_per_mwh: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Turn a published cost curve into convex segments for relaxed commitment.

    Parameters
    ----------
    width_mw : ndarray (segment,), MW
        > 0, from 0 MW up; the first segment is the block at minimum load at its average cost.
    cost_per_mwh : ndarray (segment,)
    co2_kg_per_mwh : ndarray (segment,)

    Returns
    -------
    width_mw, cost_per_mwh, co2_kg_per_mwh : ndarray (convex segment,)
        Cost ascends strictly. CO2 has the same breakpoints: exact at each of them, linear between.

    Notes
    -----
    A unit that may run at a fraction of a whole unit can reach every point between (0, 0) and its curve, so its cost
    is the lower convex envelope of {(0, 0), (p_min, cost at p_min), ..., (p_max, cost at p_max)}.

    Examples
    --------
    A block of 10 MW at an average 30 per MWh, then 10 MW at 20: running is cheapest at full load.

    >>> [part.tolist() for part in convex_segments(np.array([10., 10.]), np.array([30., 20.]), np.array([8., 6.]))]
    [[20.0], [25.0], [7.0]]
    """
    power, cost, co2 = (
        np.concatenate([[0.0], np.cumsum(increment)])
        for increment in (width_mw, width_mw * cost_per_mwh, width_mw * co2_kg_per_mwh)
    )
    hull = _lower_hull(power, cost)
    width = np.diff(power[hull])
    return width, np.diff(cost[hull]) / width, np.diff(co2[hull]) / width
