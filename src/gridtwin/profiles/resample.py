"""Series on another step, and shapes that repeat every day."""

from __future__ import annotations

import numpy as np

from gridtwin.units import HOUR_S, FloatArray

__all__ = ["diurnal_factor", "resample", "wrapped"]


def resample(values: FloatArray, step_s: int, to_step_s: int, skip_s: int) -> FloatArray:
    """Bring a series to the step of a run: held where that is finer, averaged where it is coarser.

    Parameters
    ----------
    values : ndarray (row, ...)
        One row per `step_s`; a value covers its whole step.
    step_s, to_step_s : int
        Given and wanted step, s; one is a multiple of the other.
    skip_s : int
        Where the result begins, s after the first row; a multiple of the finer step.

    Returns
    -------
    ndarray (step, ...)
        Whole steps only: what does not fill the last one is left out.

    Raises
    ------
    ValueError
        Where the steps or the beginning do not fit each other.

    Examples
    --------
    >>> resample(np.array([1.0, 3.0, 5.0]), 3600, 7200, 0).tolist()
    [2.0]
    >>> resample(np.array([1.0, 3.0]), 3600, 1800, 1800).tolist()
    [1.0, 3.0, 3.0]
    """
    finer_s = min(step_s, to_step_s)
    if step_s % finer_s or to_step_s % finer_s or skip_s % finer_s:
        raise ValueError(f"a step of {step_s} s cannot become {to_step_s} s from {skip_s} s on")
    fine = np.repeat(values, step_s // finer_s, axis=0)[skip_s // finer_s :]
    group = to_step_s // finer_s
    steps = len(fine) // group
    grouped: FloatArray = fine[: steps * group].reshape(steps, group, *fine.shape[1:])
    return grouped[:, 0] if group == 1 else grouped.mean(axis=1)


def wrapped(values: FloatArray, rows: int) -> FloatArray:
    """Let a series go on from its beginning until it has `rows` rows; a longer one stays as it is.

    Parameters
    ----------
    values : ndarray (row, ...)
    rows : int

    Returns
    -------
    ndarray (row, ...)

    Examples
    --------
    >>> wrapped(np.array([1.0, 2.0, 3.0]), 5).tolist()
    [1.0, 2.0, 3.0, 1.0, 2.0]
    """
    return values if rows <= len(values) else values[np.arange(rows) % len(values)]


def diurnal_factor(hourly: FloatArray, first_s: int, step_s: int, steps: int) -> FloatArray:
    """Average a daily shape over each step.

    Parameters
    ----------
    hourly : ndarray (hour,)
        Factor in each hour of a local day, 24 values.
    first_s : int
        Local time of day at which the first step begins, s.
    step_s, steps : int

    Returns
    -------
    ndarray (step,)

    Examples
    --------
    >>> diurnal_factor(np.arange(24.0), 3600, 7200, 2).tolist()
    [1.5, 3.5]
    """
    edges_h = (first_s + np.arange(steps + 1) * step_s) / HOUR_S
    cumulative = np.concatenate([[0.0], np.cumsum(hourly)])
    days, hour = np.divmod(edges_h, len(hourly))
    integral = days * cumulative[-1] + np.interp(hour, np.arange(len(cumulative)), cumulative)
    factor: FloatArray = np.diff(integral) / (step_s / HOUR_S)
    return factor
