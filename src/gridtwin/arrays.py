"""Array operations that several packages share."""

from __future__ import annotations

import numpy as np

from gridtwin.units import FloatArray, IntArray

__all__ = ["link_injection_mw", "ratio_or_zero", "sum_at"]


def ratio_or_zero(part: FloatArray | IntArray | float, whole: FloatArray | IntArray) -> FloatArray:
    """`part / whole`, and 0 where there is no whole to share; the two broadcast.

    Examples
    --------
    >>> ratio_or_zero(np.array([1.0, 2.0]), np.array([4.0, 0.0]))
    array([0.25, 0.  ])
    """
    share: FloatArray = np.zeros(np.broadcast(part, whole).shape)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def sum_at(values: FloatArray | IntArray, index: IntArray, size: int) -> FloatArray:
    """Add up the last axis of `values` by `index`, such as units at their buses.

    Parameters
    ----------
    values : ndarray (…, item)
    index : ndarray (item,)
        Where each item counts; places may repeat.
    size : int
        Length of the new last axis.

    Returns
    -------
    ndarray (…, size)

    Examples
    --------
    >>> sum_at(np.array([[1.0, 2.0, 4.0]]), np.array([0, 2, 0]), 3)
    array([[5., 0., 2.]])
    """
    total = np.zeros((*values.shape[:-1], size))
    np.add.at(np.moveaxis(total, -1, 0), index, np.moveaxis(values, -1, 0))
    return total


def link_injection_mw(
    link_mw: FloatArray, link_from: IntArray, link_to: IntArray, loss: FloatArray, buses: int
) -> FloatArray:
    """What HVDC links inject at their ends.

    Parameters
    ----------
    link_mw : ndarray (…, link), MW
        Sent, positive from -> to.
    link_from, link_to : ndarray (link,)
        Bus indices.
    loss : ndarray (link,)
        Share of the power sent that does not arrive.
    buses : int

    Returns
    -------
    ndarray (…, bus), MW, signed into the grid

    Examples
    --------
    >>> ends = np.array([0]), np.array([1])
    >>> link_injection_mw(np.array([[100.0], [-100.0]]), *ends, np.array([0.03]), 2)
    array([[-100.,   97.],
           [  97., -100.]])
    """
    arrives = 1.0 - loss
    at_to, at_from = np.where(link_mw > 0, arrives, 1.0) * link_mw, np.where(link_mw > 0, 1.0, arrives) * link_mw
    return sum_at(at_to, link_to, buses) - sum_at(at_from, link_from, buses)
