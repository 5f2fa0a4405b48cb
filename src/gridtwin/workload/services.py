"""Services: requests that are answered at once and never queue."""

from __future__ import annotations

import numpy as np

from gridtwin.errors import InputError, Issue
from gridtwin.units import FloatArray, IntArray

__all__ = ["service_nodes"]

_ROUNDING_NODES = 1e-9


def service_nodes(
    requests_per_s: FloatArray,
    share: FloatArray,
    throughput_per_node: float,
    target_utilization: float,
) -> IntArray:
    """Nodes that answer the requests of every origin at a comfortable utilisation.

    Parameters
    ----------
    requests_per_s : ndarray (step, origin), 1/s
    share : ndarray (origin, site)
        Part of the requests of an origin that a site answers; rows add up to 1.
    throughput_per_node : float, 1/s
        Requests that a fully used node answers.
    target_utilization : float
        In (0, 1].

    Returns
    -------
    ndarray (step, site), nodes
        ceil(rate / throughput / target utilisation); 1e-9 of a node is taken as rounding.

    Raises
    ------
    InputError
        If a number is negative, not finite or, for the last two, not above 0.

    Examples
    --------
    >>> service_nodes(np.array([[100.0], [0.0]]), np.array([[0.3, 0.7]]), 10.0, 0.5)
    array([[ 6, 14],
           [ 0,  0]])
    """
    if not (throughput_per_node > 0.0 and 0.0 < target_utilization <= 1.0):
        given = f"throughput_per_node {throughput_per_node}, target_utilization {target_utilization}"
        raise InputError([Issue("services", 0, 0, f"got {given}; expected > 0 and in (0, 1]")])
    for name, values in (("requests_per_s", requests_per_s), ("share", share)):
        if not (np.isfinite(values).all() and (values >= 0.0).all()):
            raise InputError([Issue("services", 0, 0, f"{name}: expected finite numbers >= 0")])
    nodes = requests_per_s @ share / (throughput_per_node * target_utilization)
    return np.ceil(nodes - _ROUNDING_NODES).astype(np.int64)
