"""How voltages answer to active power."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["voltage_sensitivity"]


def voltage_sensitivity(
    ybus: sparse.csr_matrix, v_pu: NDArray[np.complex128], holds: BoolArray, slack: int, bus: IntArray
) -> FloatArray:
    """Change of voltage magnitudes per unit of active power injected anywhere, the slack taking up the difference.

    Parameters
    ----------
    ybus : csr_matrix (bus, bus), per unit
    v_pu : ndarray (bus,)
        A solution.
    holds : ndarray (bus,)
        Buses that hold their voltage in it. That they do is taken as given, and so is the reactive power of the others.
    slack : int
    bus : ndarray (k,)
        Whose voltage is asked for.

    Returns
    -------
    ndarray (k, bus), pu of voltage per pu of power
        Rows of buses that hold their voltage are zero, and so is the column of the slack.

    Notes
    -----
    Rows of the inverse of Newton's Jacobian at the solution, found by solving with its transpose.
    """
    others = np.arange(len(v_pu)) != slack
    column = _places(others), _places(others & ~holds)
    size = int(others.sum())
    factors = splu(_transposed_jacobian(ybus, v_pu, *column, size))
    place = column[1][bus]
    free = np.flatnonzero(place >= 0)
    unit = np.zeros((factors.shape[0], len(free)))
    unit[size + place[free], np.arange(len(free))] = 1.0
    sensitivity = np.zeros((len(bus), len(v_pu)))
    sensitivity[np.ix_(free, others)] = factors.solve(unit)[:size].T
    return sensitivity


def _places(wanted: BoolArray) -> IntArray:
    """Number the wanted buses (bus,); -1 for the others."""
    return np.where(wanted, np.cumsum(wanted) - 1, -1)


def _transposed_jacobian(
    ybus: sparse.csr_matrix, v_pu: NDArray[np.complex128], angle: IntArray, magnitude: IntArray, angles: int
) -> sparse.csc_array:
    """Derivative of (P, Q) by (angle in rad, magnitude), transposed; P goes with angles, Q with magnitudes."""
    admittance = sparse.coo_array(ybus)
    row, column = admittance.coords
    through = v_pu[row] * (admittance.data * v_pu[column]).conj()  # of S at `row`, by `column`
    own = v_pu * (ybus @ v_pu).conj()
    every = np.arange(len(v_pu))
    at, by = np.concatenate([row, every]), np.concatenate([column, every])
    by_angle = np.concatenate([-1j * through, 1j * own])
    by_magnitude = np.concatenate([through / np.abs(v_pu[column]), own / np.abs(v_pu)])
    blocks = (
        (by_angle.real, angle[at], angle[by], 0, 0),
        (by_magnitude.real, angle[at], magnitude[by], 0, angles),
        (by_angle.imag, magnitude[at], angle[by], angles, 0),
        (by_magnitude.imag, magnitude[at], magnitude[by], angles, angles),
    )
    kept = [(value, i, j, up, left, (i >= 0) & (j >= 0)) for value, i, j, up, left in blocks]
    value = np.concatenate([value[own] for value, _, _, _, _, own in kept])
    i = np.concatenate([i[own] + up for _, i, _, up, _, own in kept])
    j = np.concatenate([j[own] + left for _, _, j, _, left, own in kept])
    size = angles + int(magnitude.max(initial=-1)) + 1
    return sparse.csc_array(sparse.coo_array((value, (j, i)), shape=(size, size)))
