"""What work and energy are worth that a window leaves to the time after its horizon."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.dispatch import GridPlan, TerminalValue
from gridtwin.economics.production import merit_order_price
from gridtwin.policies.base import Forecast, System
from gridtwin.units import FloatArray, IntArray

__all__ = ["first_price", "site_price", "store_price", "store_value", "terminal_value"]

SEGMENTS = 3


def first_price(system: System, forecast: Forecast) -> float:
    """Price of the unit that meets the mean load when nothing else is known yet."""
    profiled_mw = forecast.unit_available_mw[:, system.units.profile >= 0].sum(axis=1)
    residual_mw = float((forecast.load_mw.sum(axis=1) - profiled_mw).mean())
    return merit_order_price(residual_mw, system.units, system.penalties.carbon_per_t)


def site_price(system: System, plan: GridPlan) -> FloatArray:
    """Price where the nodes of each class stand, over the last day of a plan; shorter plans repeat their steps.

    Returns
    -------
    ndarray (step, class), money per MWh
        Weighted by nodes; 0 for a class without any.
    """
    nodes = system.fleet.capacity_nodes
    return ratio_or_zero(_last_day(system, plan, system.fleet.bus) @ nodes, nodes.sum(axis=0))


def store_price(system: System, plan: GridPlan) -> FloatArray:
    """Price at the stores' buses (step, store) over the last day of a plan, as `site_price`."""
    return _last_day(system, plan, system.stores.bus)


def _last_day(system: System, plan: GridPlan, bus: IntArray) -> FloatArray:
    last_day = plan.price_per_mwh[-system.steps_per_day :, bus]
    return np.resize(last_day, (system.steps_per_day, len(bus)))


def terminal_value(
    price_per_mwh: FloatArray, node_mw: FloatArray, free_nodes: FloatArray, step_h: float
) -> TerminalValue:
    """Price leftover work as the next day's cheapest room would.

    The steps of a day, sorted by price, are cut into `SEGMENTS` equal parts. Each part offers the nodes that further
    arrivals leave free, at its mean price; what exceeds a day's room pays the dearest part.

    Parameters
    ----------
    price_per_mwh : ndarray (step, class)
        Expected over a day after the horizon.
    node_mw : ndarray (class,), MW
        Draw of one more busy node at the meter.
    free_nodes : ndarray (class,)
        Capacity less what jobs that arrive meanwhile need on average.
    step_h : float, h

    Returns
    -------
    TerminalValue
    """
    ascending = np.sort(price_per_mwh, axis=0)
    parts = np.array_split(ascending, min(SEGMENTS, len(ascending)))
    mean = np.stack([part.mean(axis=0) for part in parts], axis=1)
    hours = np.array([len(part) * step_h for part in parts])
    width = np.maximum(free_nodes, 0.0)[:, None] * hours
    width[:, -1] = np.inf
    return TerminalValue(width_node_h=width, price_per_node_h=node_mw[:, None] * mean)


def store_value(
    price_per_mwh: FloatArray,
    discharge_mw: FloatArray,
    energy_mwh: FloatArray,
    efficiency_discharge: FloatArray,
    step_h: float,
) -> tuple[FloatArray, FloatArray]:
    """Value energy left in store as the next day's dearest hours would.

    The first MWh are sold in the dearest hours, as fast as the store can discharge; the hours that it can fill are cut
    into `SEGMENTS` equal parts, each worth its mean price. A store that holds more than it can sell in a day need not
    sell in hours below the mean: what it does not sell above it waits for later days and is worth the mean. (The lowest
    price would empty reservoirs at night.) Nothing is worth less than 0, for it need not be sold.

    Parameters
    ----------
    price_per_mwh : ndarray (step, store)
        Expected over a day after the horizon.
    discharge_mw : ndarray (store,), MW
        Greatest output, that of the units it feeds included.
    energy_mwh : ndarray (store,), MWh
    efficiency_discharge : ndarray (store,)
    step_h : float, h

    Returns
    -------
    value_mwh, value_per_mwh : ndarray (store, SEGMENTS + 1)
        Energy behind the converter in segments that add up to `energy_mwh`, and what each is worth per MWh, descending.

    Examples
    --------
    >>> price = np.array([[10.0], [60.0], [20.0], [30.0]])
    >>> store_value(price, np.array([5.0]), np.array([15.0]), np.array([1.0]), 1.0)
    (array([[5., 5., 5., 0.]]), array([[60., 30., 20., 20.]]))
    """
    parts = [
        _value_of_one(price, power, energy, efficiency, step_h)
        for price, power, energy, efficiency in zip(
            price_per_mwh.T, discharge_mw, energy_mwh, efficiency_discharge, strict=True
        )
    ]
    table = np.array(parts).reshape(len(parts), 2, SEGMENTS + 1)
    return table[:, 0], table[:, 1]


def _value_of_one(
    price: FloatArray, discharge_mw: float, energy_mwh: float, efficiency: float, step_h: float
) -> tuple[FloatArray, FloatArray]:
    if discharge_mw == 0:
        return np.array([0.0] * SEGMENTS + [energy_mwh]), np.zeros(SEGMENTS + 1)
    dearest = np.sort(np.maximum(price, 0.0))[::-1]
    fill_h, day_h = energy_mwh * efficiency / discharge_mw, len(price) * step_h
    above_h = float((dearest > dearest.mean()).sum()) * step_h
    hours = np.linspace(0.0, fill_h if fill_h <= day_h else above_h, SEGMENTS + 1)
    earned = np.interp(hours, np.arange(len(price) + 1) * step_h, np.r_[0.0, np.cumsum(dearest) * step_h])
    worth = ratio_or_zero(np.diff(earned), np.diff(hours))
    rest = worth[-1] if fill_h <= day_h else dearest.mean()
    width = np.diff(hours) * discharge_mw / efficiency
    return np.r_[width, max(energy_mwh - width.sum(), 0.0)], np.r_[worth, rest] * efficiency
