"""Services: requests that are answered at once and never queue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.errors import InputError, Issue
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["Filled", "fill", "preferred", "service_nodes"]

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


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """Where requests went that look for room site by site."""

    nodes: IntArray  # (step, site) that they ask for; more than there is room only at the first choice of some
    sent_nodes: FloatArray  # (block, caller, site) sum over the steps of a block, those for which nobody has room too


def preferred(may: BoolArray, latency_s: FloatArray, tier: IntArray) -> IntArray:
    """Order the sites that may answer each caller by tier, latency and place in the table.

    Parameters
    ----------
    may : ndarray (caller, site) of bool
    latency_s : ndarray (caller, site), s
    tier : ndarray (site,)
        The lowest fills first.

    Returns
    -------
    ndarray (caller, rank)
        Site indices, the first to fill first; -1 after the last.

    Examples
    --------
    >>> preferred(np.array([[True, True, False, True]]), np.array([[4.0, 2.0, 1.0, 9.0]]), np.array([1, 1, 0, 0]))
    array([[ 3,  1,  0, -1]])
    """
    order = np.lexsort((latency_s, np.broadcast_to(tier, may.shape), ~may), axis=-1)
    return np.where(np.take_along_axis(may, order, axis=-1), order, -1)


def fill(asked_nodes: FloatArray, room_nodes: IntArray, order: IntArray, block: IntArray) -> Filled:
    """Fill sites in the order of each caller: what finds no room at one goes on to the next.

    Callers whose next site is the same share what room it has left in proportion to what they ask. What finds none
    anywhere is asked of the first choice beyond its room, so that it counts as unserved there.

    Parameters
    ----------
    asked_nodes : ndarray (step, caller)
        Not whole; > 0 only where a caller has a site.
    room_nodes : ndarray (step, site)
    order : ndarray (caller, rank)
        As `preferred` returns it.
    block : ndarray (step,)
        Over which `sent_nodes` is summed, ascending from 0.

    Returns
    -------
    Filled
        Nodes are whole per site, as in `service_nodes`.

    Examples
    --------
    >>> filled = fill(np.array([[3.0, 6.0]]), np.array([[6, 2]]), np.array([[0, 1], [0, -1]]), np.array([0]))
    >>> filled.nodes.tolist(), filled.sent_nodes[0].tolist()
    ([[8, 1]], [[2.0, 1.0], [6.0, 0.0]])
    """
    first = np.searchsorted(block, np.arange(block[-1] + 1))
    sent = np.zeros((len(order), room_nodes.shape[1], len(first)))  # steps come last here: rows are taken and put back
    rest, room = asked_nodes.T.copy(), room_nodes.T.astype(np.float64)
    asked = np.zeros_like(room)

    def send(nodes: FloatArray, callers: IntArray, site: IntArray) -> None:
        sent[callers, site] += np.add.reduceat(nodes, first, axis=1)

    for rank in range(order.shape[1]):
        callers, site, at = _grouped(rest, order[:, rank])
        if not len(callers):
            break
        offered = rest[callers]
        wanted = np.add.reduceat(offered, at, axis=0)
        accepted = np.divide(room[site], wanted, out=np.ones_like(wanted), where=wanted > room[site])
        taken = offered * np.repeat(accepted, np.diff(at, append=len(callers)), axis=0)
        send(taken, callers, order[callers, rank])
        rest[callers] = offered - taken
        got = np.add.reduceat(taken, at, axis=0)
        asked[site] += got
        room[site] = np.maximum(room[site] - got, 0.0)
    callers, site, at = _grouped(rest, order[:, 0])
    if len(callers):
        send(rest[callers], callers, order[callers, 0])
        asked[site] += np.add.reduceat(rest[callers], at, axis=0)
    return Filled(np.ceil(asked.T - _ROUNDING_NODES).astype(np.int64), sent.transpose(2, 0, 1))


def _grouped(rest: FloatArray, site: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return callers that still ask and have a site, by site; these sites; and where the callers of each begin."""
    callers = np.flatnonzero((rest.max(axis=1) > 0) & (site >= 0))
    callers = callers[np.argsort(site[callers], kind="stable")]
    return callers, *np.unique(site[callers], return_index=True)
