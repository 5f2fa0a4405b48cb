"""What work is worth that a window leaves to the time after its horizon."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.dispatch import GridPlan, TerminalValue
from gridtwin.policies.base import System
from gridtwin.units import FloatArray, IntArray

__all__ = ["site_price", "store_price", "terminal_value"]

SEGMENTS = 3


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
