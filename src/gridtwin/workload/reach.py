"""What of a fleet the jobs of an origin can use."""

from __future__ import annotations

import numpy as np

from gridtwin.records import Fleet
from gridtwin.units import IntArray

__all__ = ["largest_pool_nodes"]


def largest_pool_nodes(fleet: Fleet) -> IntArray:
    """Return the nodes of the largest site that jobs of each origin and class may use.

    Returns
    -------
    ndarray (origin, class), nodes
        0 where no site is within reach. A job runs at one site, so none can be wider.
    """
    classes = np.arange(fleet.preference.shape[1])[None, :, None]
    nodes = np.where(fleet.preference >= 0, fleet.capacity_nodes[fleet.preference, classes], 0)
    return np.asarray(nodes.max(axis=-1, initial=0), np.int64)
