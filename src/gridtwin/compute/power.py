"""Power of sites from what their nodes do."""

from __future__ import annotations

import numpy as np

from gridtwin.records import Fleet
from gridtwin.units import W_PER_MW, FloatArray, IntArray

__all__ = ["it_power_mw", "marginal_node_mw"]


def it_power_mw(busy_nodes: FloatArray, service_nodes: IntArray, fleet: Fleet) -> FloatArray:
    """Mean draw of all nodes: with a job at their peak, with services at their target utilisation, the others idle.

    Parameters
    ----------
    busy_nodes : ndarray (time, site, class)
        Mean number of nodes that run jobs.
    service_nodes : ndarray (time, site, class)
    fleet : Fleet

    Returns
    -------
    ndarray (time, site), MW
        Before cooling and conversion.
    """
    at_work = busy_nodes + service_nodes * fleet.service_utilization
    draw_w = fleet.capacity_nodes * fleet.idle_w + at_work * (fleet.peak_w - fleet.idle_w)
    return np.asarray(draw_w.sum(axis=2) / W_PER_MW)


def marginal_node_mw(fleet: Fleet) -> FloatArray:
    """Further IT draw (site, class) of one more node at work, MW."""
    return (fleet.peak_w - fleet.idle_w) / W_PER_MW
