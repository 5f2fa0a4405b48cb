"""Many AC power flows on one admittance matrix, each from the same start and blind to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from lightsim2grid.algorithm import NR_KLU
from numpy.typing import NDArray
from scipy import sparse

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = [
    "PowerFlows",
    "bus_injection",
    "limits_of",
    "line_injection",
    "next_limits",
    "solve_batch",
    "solve_within_limits",
]

TOLERANCE_PU: Final = 1e-10  # largest mismatch of power at a bus
MAX_ITERATIONS: Final = 20
Q_TOLERANCE_PU: Final = 1e-8  # a reactive limit is broken beyond this
VM_TOLERANCE_PU: Final = 1e-9  # a set-point is missed beyond this
HELD_TOLERANCE_PU: Final = 1e-8  # by voltages from elsewhere, which are less exact
MISMATCH_PU: Final = 1e-6  # voltages from elsewhere are not taken for a solution beyond this
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
    result = _unsolved(*injection_pu.shape)
    newton = NR_KLU()
    for pv, pq, rows in _patterns(holds, slack):
        for row in rows:
            v = v_start_pu.copy()  # the solver writes into it
            newton.solve(y_csc, v, injection_pu[row], slack_index, slack_weights, pv, pq, MAX_ITERATIONS, TOLERANCE_PU)
            result.iterations[row] = newton.get_nb_iter()
            if newton.converged():
                result.v_pu[row] = newton.get_V()
                result.converged[row] = True
    return result


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
        Limits of these units together, infinite where there is none; read only where `holds`.

    Returns
    -------
    PowerFlows
    """
    can_hold = holds.copy()
    can_hold[:, slack] = False
    result = _unsolved(*injection_pu.shape)
    still_open = np.arange(len(injection_pu))
    for turn in range(BLOCK_ROUNDS + SINGLE_ROUNDS):
        at = result.at_limit[still_open]
        limits_pu = q_min_pu[still_open], q_max_pu[still_open]
        flows, wanted = _turn(ybus, v_start_pu, injection_pu[still_open], can_hold[still_open], slack, at, *limits_pu)
        settled = flows.converged & (wanted == at).all(axis=1)
        result.iterations[still_open] += flows.iterations
        result.converged[still_open] = settled
        result.v_pu[still_open[settled]] = flows.v_pu[settled]
        going_on = flows.converged & ~settled
        if not going_on.any():
            break
        still_open = still_open[going_on]
        result.at_limit[still_open] = _allowed_change(at, wanted, single=turn >= BLOCK_ROUNDS)[going_on]
    return result


def _unsolved(steps: int, buses: int) -> PowerFlows:
    return PowerFlows(
        v_pu=np.full((steps, buses), np.nan, dtype=np.complex128),
        converged=np.zeros(steps, dtype=bool),
        iterations=np.zeros(steps, dtype=np.int64),
        at_limit=np.zeros((steps, buses), dtype=np.int8),
    )


def _turn(
    ybus: sparse.csr_matrix,
    v_start_pu: NDArray[np.complex128],
    injection_pu: NDArray[np.complex128],
    can_hold: BoolArray,
    slack: int,
    at_limit: NDArray[np.int8],
    q_min_pu: FloatArray,
    q_max_pu: FloatArray,
) -> tuple[PowerFlows, NDArray[np.int8]]:
    """Solve with buses at given limits; return the limits they should be at, too."""
    q_pu = np.where(at_limit > 0, q_max_pu, np.where(at_limit < 0, q_min_pu, 0.0))
    flows = solve_batch(ybus, v_start_pu, injection_pu + 1j * q_pu, can_hold & (at_limit == 0), slack)
    unit_q_pu = bus_injection(ybus, flows.v_pu).imag - injection_pu.imag
    deviation_pu = np.abs(flows.v_pu) - np.abs(v_start_pu)
    return flows, next_limits(at_limit, can_hold, deviation_pu, unit_q_pu - q_min_pu, unit_q_pu - q_max_pu)


def limits_of(
    ybus: sparse.csr_matrix,
    v_start_pu: NDArray[np.complex128],
    injection_pu: NDArray[np.complex128],
    holds: BoolArray,
    slack: int,
    *,
    q_min_pu: FloatArray,
    q_max_pu: FloatArray,
    v_pu: NDArray[np.complex128],
) -> NDArray[np.int8] | None:
    """Say at which reactive limits voltages found by other means put the buses.

    Parameters
    ----------
    ybus, v_start_pu, slack
        As for `solve_within_limits`.
    injection_pu, holds, q_min_pu, q_max_pu : ndarray (bus,)
        One step of it.
    v_pu : ndarray (bus,)

    Returns
    -------
    ndarray (bus,), as `PowerFlows.at_limit`, or None where the voltages do not solve the step or break a limit.
    """
    others = np.arange(len(v_pu)) != slack
    can_hold = holds & others
    deviation_pu = np.abs(v_pu) - np.abs(v_start_pu)
    off = can_hold & (np.abs(deviation_pu) > HELD_TOLERANCE_PU)
    at_limit = np.where(off, -np.sign(deviation_pu), 0).astype(np.int8)
    unit_pu = bus_injection(ybus, v_pu[None])[0] - injection_pu
    above_min_pu, above_max_pu = unit_pu.imag - q_min_pu, unit_pu.imag - q_max_pu
    q_error_pu = np.select([at_limit > 0, at_limit < 0, can_hold], [above_max_pu, above_min_pu, 0.0], unit_pu.imag)
    solved = np.maximum(np.abs(unit_pu.real), np.abs(q_error_pu))[others].max(initial=0.0) < MISMATCH_PU
    settled = np.array_equal(next_limits(at_limit, can_hold, deviation_pu, above_min_pu, above_max_pu), at_limit)
    return at_limit if solved and settled else None


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
    at_limit : ndarray (..., bus)
        1 upper, -1 lower, 0 holding its voltage (or not able to).
    can_hold : ndarray (..., bus)
    vm_deviation_pu : ndarray (..., bus)
        Voltage less set-point.
    q_above_min_pu, q_above_max_pu : ndarray (..., bus)
        Reactive power of the units at the bus less their lower and upper limit.

    Returns
    -------
    ndarray (..., bus), equal to `at_limit` where the complementarity conditions hold.
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


def _allowed_change(at: NDArray[np.int8], wanted: NDArray[np.int8], *, single: bool) -> NDArray[np.int8]:
    if not single:
        return wanted
    row = np.arange(len(at))
    first = (wanted != at).argmax(axis=1)
    changed = at.copy()
    changed[row, first] = wanted[row, first]
    return changed


def _patterns(holds: BoolArray, slack: int) -> list[tuple[NDArray[np.int32], NDArray[np.int32], IntArray]]:
    """Group steps by which buses hold voltage: (pv, pq, steps) of each group."""
    steps_of: dict[bytes, list[int]] = {}
    for step, pattern in enumerate(holds):
        steps_of.setdefault(pattern.tobytes(), []).append(step)
    other = np.arange(holds.shape[1]) != slack
    return [
        (
            np.flatnonzero(holds[steps[0]] & other).astype(np.int32),
            np.flatnonzero(~holds[steps[0]] & other).astype(np.int32),
            np.array(steps, dtype=np.int64),
        )
        for steps in steps_of.values()
    ]
