"""What is expected of series: the last day again, or what comes true with an error that grows with lead time."""

from __future__ import annotations

import numpy as np

from gridtwin.units import FloatArray, IntArray

__all__ = ["last_day", "relative_error", "with_error"]


def last_day(first: int, steps: int, steps_per_day: int) -> IntArray:
    """Steps whose values are expected in [first, first + steps): the same hours of the last day.

    Hours before the run are taken from its first day, as if the day before had been like it.

    Examples
    --------
    >>> last_day(first=6, steps=5, steps_per_day=4), last_day(first=0, steps=5, steps_per_day=4)
    (array([2, 3, 4, 5, 2]), array([0, 1, 2, 3, 0]))
    """
    at = first - steps_per_day + np.arange(steps) % steps_per_day
    return np.where(at < 0, at + steps_per_day, at)


def relative_error(
    rng: np.random.Generator, steps: int, columns: int, error: float, correlation_steps: float
) -> FloatArray:
    """Draw errors relative to what comes true.

    Parameters
    ----------
    rng : Generator
    steps, columns : int
    error : float
        Standard deviation far ahead.
    correlation_steps : float
        Lag after which the autocorrelation has fallen to 1/e.

    Returns
    -------
    ndarray (step, column)
        A first-order autoregression that starts at 0, for what happens now is known. k steps ahead its standard
        deviation is error · (1 - exp(-2k / correlation_steps))^½.
    """
    kept = np.exp(-1.0 / correlation_steps)
    shock = error * np.sqrt(1.0 - kept**2) * rng.standard_normal((steps, columns))
    drawn = np.zeros((steps, columns))
    for step in range(1, steps):
        drawn[step] = kept * drawn[step - 1] + shock[step]
    return drawn


def with_error(actual: FloatArray, error: FloatArray, most: FloatArray | float) -> tuple[FloatArray, IntArray]:
    """Apply relative errors, within [0, most].

    Parameters
    ----------
    actual : ndarray (step, column) >= 0
    error : ndarray (step, column)
    most : ndarray (column,) or float
        What can be; where more comes true, that.

    Returns
    -------
    expected : ndarray (step, column)
    clipped : ndarray (step,)
        How many values of each step the limits cut.
    """
    drawn = actual * (1.0 + error)
    expected = np.clip(drawn, 0.0, np.maximum(actual, most))
    return expected, np.count_nonzero(expected != drawn, axis=1)
