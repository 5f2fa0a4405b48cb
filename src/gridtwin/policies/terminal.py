"""What work is worth that a window leaves to the time after its horizon."""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch import GridPlan, TerminalValue
from gridtwin.policies.base import System
from gridtwin.units import FloatArray

__all__ = ["site_price", "terminal_value"]

SEGMENTS = 3


def site_price(system: System, plan: GridPlan) -> FloatArray:
    """Mean price at the sites over the last day of a plan (step,), money per MWh; shorter plans repeat their steps."""
    steps_per_day = 24 * 3600 // system.step_s
    return np.resize(plan.price_per_mwh[-steps_per_day:, system.fleet.bus].mean(axis=1), steps_per_day)


def terminal_value(
    price_per_mwh: FloatArray, node_mw: FloatArray, free_nodes: FloatArray, step_h: float
) -> TerminalValue:
    """Price leftover work as the next day's cheapest room would.

    The steps of a day, sorted by price, are cut into `SEGMENTS` equal parts. Each part offers the nodes that further
    arrivals leave free, at its mean price; what exceeds a day's room pays the dearest part.

    Parameters
    ----------
    price_per_mwh : ndarray (step,)
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
    parts = np.array_split(np.sort(price_per_mwh), SEGMENTS)
    mean = np.array([part.mean() for part in parts])
    hours = np.array([len(part) * step_h for part in parts])
    width = np.maximum(free_nodes, 0.0)[:, None] * hours
    width[:, -1] = np.inf
    return TerminalValue(width_node_h=width, price_per_node_h=node_mw[:, None] * mean)
