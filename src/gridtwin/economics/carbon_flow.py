"""Whose electricity is how dirty: emissions follow the power from units to those who draw it."""

from __future__ import annotations

import numpy as np

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["consumption_co2_kg_per_mwh"]

STEPS_AT_ONCE = 512  # a matrix of buses x buses for each, which a year of a large grid would not leave room for


def consumption_co2_kg_per_mwh(
    withdrawal_mw: FloatArray,
    co2_kg_per_h: FloatArray,
    sent_mw: FloatArray,
    from_index: IntArray,
    to_index: IntArray,
) -> FloatArray:
    """Emission factor of what is drawn at each bus, what flows in from elsewhere included.

    Parameters
    ----------
    withdrawal_mw : ndarray (time, bus), MW
        All that leaves the grid there: loads, sites, charging stores, dumped surplus; >= 0.
    co2_kg_per_h : ndarray (time, bus), kg/h
        Of the units at the bus.
    sent_mw : ndarray (time, edge), MW
        Power into each line or link at the end that sends: positive from -> to, negative where `to_index` sends.
    from_index, to_index : ndarray (edge,)
        Bus indices.

    Returns
    -------
    ndarray (time, bus), kg/MWh
        NaN where nothing of what passes the bus is drawn anywhere.

    Notes
    -----
    Proportional sharing: all that leaves a bus is the same mixture. With factor ρ, withdrawal w, emissions E and power
    s_ji that j sends to i, ρ_i (w_i + Σ_k s_ik) = E_i + Σ_j ρ_j s_ji. What is lost under way burdens those who
    receive, so Σ ρ w = Σ E holds whatever the losses. No flow proves whose power went where; the rule is a convention.

    References
    ----------
    J. Bialek, "Tracing the flow of electricity", IEE Proc. Gener. Transm. Distrib. 143 (1996) 313-320.

    Examples
    --------
    Coal at the first bus sends 50 of its 100 MW to the second, which has 50 MW of wind of its own.

    >>> consumption_co2_kg_per_mwh(
    ...     np.array([[50.0, 100.0]]), np.array([[90e3, 0.0]]), np.array([[50.0]]), np.array([0]), np.array([1])
    ... )
    array([[900., 450.]])
    """
    factor = np.empty(withdrawal_mw.shape)
    for first in range(0, len(factor), STEPS_AT_ONCE):
        part = slice(first, first + STEPS_AT_ONCE)
        to_mw = _exchange(sent_mw[part], from_index, to_index, withdrawal_mw.shape[1])
        factor[part] = _factor(withdrawal_mw[part], co2_kg_per_h[part], to_mw)
    return factor


def _exchange(sent_mw: FloatArray, from_index: IntArray, to_index: IntArray, buses: int) -> FloatArray:
    """What each bus sends to each other (time, from, to), MW."""
    exchange = np.zeros((len(sent_mw), buses, buses))
    step = np.arange(len(sent_mw))[:, None]
    np.add.at(exchange, (step, from_index[None, :], to_index[None, :]), np.maximum(sent_mw, 0.0))
    np.add.at(exchange, (step, to_index[None, :], from_index[None, :]), np.maximum(-sent_mw, 0.0))
    return exchange


def _factor(withdrawal_mw: FloatArray, co2_kg_per_h: FloatArray, exchange_mw: FloatArray) -> FloatArray:
    """Solve the balance of emissions at all buses of each step."""
    drawn = _drawn_somewhere(withdrawal_mw, exchange_mw)
    leaving = np.where(drawn, withdrawal_mw + exchange_mw.sum(axis=2), 1.0)
    balance = -exchange_mw.transpose(0, 2, 1)
    balance[~drawn] = 0.0  # what reaches a bus without a factor comes from others without one
    every = np.arange(balance.shape[1])
    balance[:, every, every] = leaving
    factor = np.linalg.solve(balance, co2_kg_per_h[..., None])[..., 0]
    return np.where(drawn, factor, np.nan)


def _drawn_somewhere(withdrawal_mw: FloatArray, exchange_mw: FloatArray) -> BoolArray:
    """Whether some of what leaves a bus is drawn there or farther down (time, bus)."""
    drawn: BoolArray = withdrawal_mw > 0
    sends = exchange_mw > 0
    while True:
        further: BoolArray = drawn | (sends & drawn[:, None, :]).any(axis=2)
        if (further == drawn).all():
            return drawn
        drawn = further
