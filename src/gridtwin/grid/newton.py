"""Many AC power flows on one admittance matrix, each from the same start and blind to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from lightsim2grid.algorithm import NR_KLU
from numpy.typing import NDArray
from scipy import sparse

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["PowerFlows", "bus_injection", "line_injection", "next_limits", "solve_batch", "solve_within_limits"]

TOLERANCE_PU: Final = 1e-10  # largest mismatch of power at a bus
MAX_ITERATIONS: Final = 20
Q_TOLERANCE_PU: Final = 1e-8  # a reactive limit is broken beyond this
VM_TOLERANCE_PU: Final = 1e-9  # a set-point is missed beyond this
BLOCK_ROUNDS: Final = 12  # rounds in which all buses that ask for it change side at once
SINGLE_ROUNDS: Final = 60  # then one bus a round, the first in order, which cannot cycle on a P-matrix (Murty 1974)


@dataclass(frozen=True, slots=True, eq=False)
class PowerFlows:
    """Voltages of a batch. Rows that did not converge, or whose limits did not settle, are NaN."""

    v_pu: NDArray[np.complex128]  # (time, bus)
    converged: BoolArray  # (time,)
    iterations: IntArray  # (time,) Newton iterations, over all rounds
    at_limit: NDArray[np.int8]  # (time, bus) 1 at the upper reactive limit, -1 at the lower, 0 elsewhere


def solve_batch(
    ybus: sparse.csr_matrix,
    v_start_pu: NDArray[np.complex128],
    injection_pu: NDArray[np.complex128],
    holds: BoolArray,
    slack: int,
) -> PowerFlows:
    """Solve S = V·conj(Y·V) for every row of `injection_pu` by Newton's method.

    Parameters
    ----------
    ybus : csr_matrix (bus, bus), per unit
    v_start_pu : ndarray (bus,)
        Where every step starts; its magnitude is the set-point of the slack and of buses that hold voltage.
    injection_pu : ndarray (time, bus)
        Net injection; the reactive part does not matter where voltage is held.
    holds : ndarray (time, bus)
        PV buses. The slack need not be among them.
    slack : int

    Returns
    -------
    PowerFlows

    Notes
    -----
    lightsim2grid's `NR_KLU` starts afresh in each call (ordering, first factorisation, start voltage) and so the bytes
    of a step do not depend on its neighbours.
    """
    y_csc = sparse.csc_matrix(ybus)
    slack_index = np.array([slack], dtype=np.int32)
    slack_weights = np.zeros(len(v_start_pu))
    slack_weights[slack] = 1.0
    steps = len(injection_pu)
    v_pu = np.full(injection_pu.shape, np.nan, dtype=np.complex128)
    converged = np.zeros(steps, dtype=bool)
    iterations = np.zeros(steps, dtype=np.int64)
    newton = NR_KLU()
    for pv, pq, rows in _patterns(holds, slack):
        for row in rows:
            v = v_start_pu.copy()  # the solver writes into it
            newton.solve(y_csc, v, injection_pu[row], slack_index, slack_weights, pv, pq, MAX_ITERATIONS, TOLERANCE_PU)
            iterations[row] = newton.get_nb_iter()
            if newton.converged():
                v_pu[row] = newton.get_V()
                converged[row] = True
    return PowerFlows(v_pu, converged, iterations, np.zeros(injection_pu.shape, dtype=np.int8))


def solve_within_limits(
    ybus: sparse.csr_matrix,
    v_start_pu: NDArray[np.complex128],
    injection_pu: NDArray[np.complex128],
    holds: BoolArray,
    slack: int,
    *,
    q_min_pu: FloatArray,
    q_max_pu: FloatArray,
) -> PowerFlows:
    """Solve like `solve_batch`, with the reactive power of buses that hold voltage between limits.

    At the end each such bus is in one of three states: it holds its set-point within its limits, it is at its upper
    limit with a voltage at or below the set-point, or at its lower limit with a voltage at or above it. The slack has
    no limits. A step that does not come to such an end is given up.

    Parameters
    ----------
    ybus, v_start_pu, holds, slack
        As for `solve_batch`.
    injection_pu : ndarray (time, bus)
        Net injection without the reactive power of units that hold voltage.
    q_min_pu, q_max_pu : ndarray (time, bus)
        Limits of these units together; read only where `holds`.

    Returns
    -------
    PowerFlows
    """
    steps = len(injection_pu)
    can_hold = holds.copy()
    can_hold[:, slack] = False
    result = PowerFlows(
        v_pu=np.full(injection_pu.shape, np.nan, dtype=np.complex128),
        converged=np.zeros(steps, dtype=bool),
        iterations=np.zeros(steps, dtype=np.int64),
        at_limit=np.zeros(injection_pu.shape, dtype=np.int8),
    )
    open_steps = np.arange(steps)
    for turn in range(BLOCK_ROUNDS + SINGLE_ROUNDS):
        at = result.at_limit[open_steps]
        q_pu = np.where(at > 0, q_max_pu[open_steps], np.where(at < 0, q_min_pu[open_steps], 0.0))
        target_pu = injection_pu[open_steps] + 1j * q_pu
        flows = solve_batch(ybus, v_start_pu, target_pu, can_hold[open_steps] & (at == 0), slack)
        unit_q_pu = bus_injection(ybus, flows.v_pu).imag - injection_pu[open_steps].imag
        wanted = next_limits(
            at,
            can_hold[open_steps],
            np.abs(flows.v_pu) - np.abs(v_start_pu),
            unit_q_pu - q_min_pu[open_steps],
            unit_q_pu - q_max_pu[open_steps],
        )
        settled = flows.converged & (wanted == at).all(axis=1)
        result.iterations[open_steps] += flows.iterations
        result.converged[open_steps] = settled
        result.v_pu[open_steps[settled]] = flows.v_pu[settled]
        going_on = flows.converged & ~settled
        if not going_on.any():
            break
        open_steps = open_steps[going_on]
        result.at_limit[open_steps] = _limited_change(at, wanted, single=turn >= BLOCK_ROUNDS)[going_on]
    return result


def next_limits(
    at_limit: NDArray[np.int8],
    can_hold: BoolArray,
    vm_deviation_pu: FloatArray,
    q_above_min_pu: FloatArray,
    q_above_max_pu: FloatArray,
) -> NDArray[np.int8]:
    """Say which limit each bus should be at, given a solution with it at `at_limit`.

    Parameters
    ----------
    at_limit : ndarray (time, bus)
        1 upper, -1 lower, 0 holding its voltage (or not able to).
    can_hold : ndarray (time, bus)
    vm_deviation_pu : ndarray (time, bus)
        Voltage less set-point.
    q_above_min_pu, q_above_max_pu : ndarray (time, bus)
        Reactive power of the units at the bus less their lower and upper limit.

    Returns
    -------
    ndarray (time, bus), equal to `at_limit` where the complementarity conditions hold.
    """
    holding = can_hold & (at_limit == 0)
    wanted = at_limit.copy()
    wanted[holding & (q_above_max_pu > Q_TOLERANCE_PU)] = 1
    wanted[holding & (q_above_min_pu < -Q_TOLERANCE_PU)] = -1
    wanted[at_limit * vm_deviation_pu > VM_TOLERANCE_PU] = 0
    return wanted


def bus_injection(admittance: sparse.csr_matrix, v_pu: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Power that leaves each bus into the network, V·conj(Y·V).

    Parameters
    ----------
    admittance : csr_matrix (bus, bus)
    v_pu : ndarray (time, bus)

    Returns
    -------
    ndarray (time, bus), per unit
    """
    return line_injection(admittance, v_pu, np.arange(v_pu.shape[1]))


def line_injection(
    admittance: sparse.csr_matrix, v_pu: NDArray[np.complex128], end: IntArray
) -> NDArray[np.complex128]:
    """Power that leaves the bus at one end of each line into it.

    Parameters
    ----------
    admittance : csr_matrix (line, bus)
        Current into the line at this end.
    v_pu : ndarray (time, bus)
    end : ndarray (line,)
        Bus at this end.

    Returns
    -------
    ndarray (time, line), per unit
    """
    current_pu = np.ascontiguousarray((admittance @ v_pu.T).T)
    injection_pu: NDArray[np.complex128] = v_pu[:, end] * current_pu.conj()
    return injection_pu


def _limited_change(at: NDArray[np.int8], wanted: NDArray[np.int8], *, single: bool) -> NDArray[np.int8]:
    if not single:
        return wanted
    row = np.arange(len(at))
    first = (wanted != at).argmax(axis=1)
    changed = at.copy()
    changed[row, first] = wanted[row, first]
    return changed


def _patterns(holds: BoolArray, slack: int) -> list[tuple[NDArray[np.int32], NDArray[np.int32], IntArray]]:
    """Group steps by which buses hold voltage: (pv, pq, steps) of each group."""
    if not len(holds):
        return []
    patterns, group = np.unique(holds, axis=0, return_inverse=True)
    other = np.arange(holds.shape[1]) != slack
    return [
        (
            np.flatnonzero(pattern & other).astype(np.int32),
            np.flatnonzero(~pattern & other).astype(np.int32),
            np.flatnonzero(group.ravel() == index),
        )
        for index, pattern in enumerate(patterns)
    ]
