"""N-1: every branch out once, in every step, by AC power flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from lightsim2grid.algorithm import NR_KLU
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from gridtwin.errors import GridError
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = [
    "FAILED",
    "FULL_PERCENT",
    "ISLANDED",
    "NO_BASE",
    "OK",
    "STATUS",
    "BranchNetwork",
    "Contingencies",
    "OperatingPoints",
    "OutageFlows",
    "islands",
    "solve_outages",
]

STATUS: Final = ("ok", "islanded", "failed", "no_base")  # what the numbers below stand for
OK, ISLANDED, FAILED, NO_BASE = range(4)

TOLERANCE_PU: Final = 1e-9  # largest mismatch of power at a bus
MAX_ITERATIONS: Final = 20
FULL_PERCENT: Final = 100.0
MISMATCH_PU: Final = 1e-6  # an operating point whose voltages do not give its injections is none


@dataclass(frozen=True, slots=True, eq=False)
class BranchNetwork:
    """Admittances of a grid by branch, per unit on `base_mva`."""

    base_mva: float
    slack: int
    ybus: sparse.csc_matrix  # (bus, bus) all branches in service, shunts included
    line_from: IntArray  # (line,) bus index
    line_to: IntArray  # (line,)
    y_pu: NDArray[np.complex128]  # (line, 4) from-from, from-to, to-from, to-to
    rate_long_mw: FloatArray  # (line,) long-time emergency rating, inf where there is none
    rate_short_mw: FloatArray  # (line,) short-time emergency rating, inf where there is none


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoints:
    """AC solutions before any outage."""

    v_pu: NDArray[np.complex128]  # (time, bus) NaN where there is none
    injection_mva: NDArray[np.complex128]  # (time, bus) that the voltages imply, shunts apart
    holds_voltage: BoolArray  # (time, bus) PV or slack


@dataclass(frozen=True, slots=True, eq=False)
class Contingencies:
    """What each outage leads to. Values are NaN and indices -1 where its status is not `OK`, or nothing is rated."""

    status: NDArray[np.int8]  # (time, outage) index into `STATUS`
    loading_long_percent: FloatArray  # (time, outage) greatest apparent power over a long-time emergency rating
    long_line: IntArray  # (time, outage) where
    loading_short_percent: FloatArray  # (time, outage) the same for short-time ratings
    short_line: IntArray  # (time, outage)
    vm_min_pu: FloatArray  # (time, outage)
    vm_min_bus: IntArray  # (time, outage)
    vm_max_pu: FloatArray  # (time, outage)
    vm_max_bus: IntArray  # (time, outage)
    over_steps: IntArray  # (outage, line) steps in which the line is loaded beyond its long-time rating
    worst_percent: FloatArray  # (outage, line) greatest loading over the long-time rating, 0 where none is known


def islands(network: BranchNetwork) -> tuple[IntArray, ...]:
    """Buses that the outage of each line parts from the slack; empty where it parts none."""
    buses, lines = network.ybus.shape[0], np.arange(len(network.line_from))
    parted = []
    for line in lines:
        kept = lines != line
        ends = network.line_from[kept], network.line_to[kept]
        graph = sparse.coo_array((np.ones(len(ends[0])), ends), shape=(buses, buses))
        island = connected_components(graph, directed=False)[1]
        parted.append(np.flatnonzero(island != island[network.slack]))
    return tuple(parted)


def solve_outages(network: BranchNetwork, points: OperatingPoints) -> Contingencies:
    """Take out each line and transformer of each step in turn.

    Buses that held their voltage go on holding it, whatever reactive power that takes; the others keep their injection,
    units at a reactive limit among them; the slack takes up what losses change. So does pandapower's `runpp` with the
    element out of service, limits not enforced.

    Parameters
    ----------
    network : BranchNetwork
    points : OperatingPoints

    Returns
    -------
    Contingencies
        An outage that parts buses from the slack is not solved. One that does not converge from the voltages before it
        is tried again from a flat start.

    Raises
    ------
    GridError
        If the voltages of a step do not imply its injections in this network.
    """
    _check(network, points)
    result = _blank(len(points.v_pu), len(network.line_from))
    newton = OutageFlows(network)
    result.status[:, [len(island) > 0 for island in islands(network)]] = ISLANDED
    for step, v_pu in enumerate(points.v_pu):
        if not np.isfinite(v_pu).all():
            result.status[step] = NO_BASE
            continue
        outage = np.flatnonzero(result.status[step] == OK)
        injection_pu = points.injection_mva[step] / network.base_mva
        v_after = newton.solve(v_pu, injection_pu, points.holds_voltage[step], outage)
        solved = np.isfinite(v_after).all(axis=1)
        result.status[step, outage[~solved]] = FAILED
        _fill(result, network, step, outage[solved], v_after[solved])
    return result


class OutageFlows:
    """Power flows on the admittances of the whole grid less those of one branch."""

    def __init__(self, network: BranchNetwork) -> None:
        self._network = network
        self._whole = sparse.csc_matrix(network.ybus)
        self._whole.sort_indices()
        self._without = self._whole.copy()
        f, t = network.line_from, network.line_to
        places = [_places(self._whole, row, column) for row, column in ((f, f), (f, t), (t, f), (t, t))]
        self._place = np.stack(places, axis=1)
        self._newton = NR_KLU()
        self._slack = np.array([network.slack], dtype=np.int32)
        self._weight = np.zeros(self._whole.shape[0])
        self._weight[network.slack] = 1.0

    def solve(
        self, v_pu: NDArray[np.complex128], injection_pu: NDArray[np.complex128], holds: BoolArray, outage: IntArray
    ) -> NDArray[np.complex128]:
        """Solve the outages of one step.

        Parameters
        ----------
        v_pu, injection_pu : ndarray (bus,)
            Before the outage.
        holds : ndarray (bus,)
        outage : ndarray (outage,)
            Lines, none of which parts the grid.

        Returns
        -------
        ndarray (outage, bus)
            Voltages; NaN where there is no solution.
        """
        other = np.arange(len(v_pu)) != self._network.slack
        pv, pq = (np.flatnonzero(mask & other).astype(np.int32) for mask in (holds, ~holds))
        flat = np.where(holds, np.abs(v_pu), 1.0) * np.exp(1j * np.angle(v_pu[self._network.slack]))
        result = np.full((len(outage), len(v_pu)), np.nan, dtype=np.complex128)
        for row, line in enumerate(outage.tolist()):
            self._take_out(line)
            for start in (v_pu, flat):
                self._newton.solve(
                    self._without,
                    start.copy(),  # the solver writes into it
                    injection_pu,
                    self._slack,
                    self._weight,
                    pv,
                    pq,
                    MAX_ITERATIONS,
                    TOLERANCE_PU,
                )
                if self._newton.converged():
                    result[row] = self._newton.get_V()
                    break
        return result

    def _take_out(self, line: int) -> None:
        np.copyto(self._without.data, self._whole.data)
        np.subtract.at(self._without.data, self._place[line], self._network.y_pu[line])


def _places(matrix: sparse.csc_matrix, row: IntArray, column: IntArray) -> IntArray:
    """Where entries (row, column) stand in the data of a sorted matrix."""
    entries = matrix.tocoo()
    key = entries.col.astype(np.int64) * matrix.shape[0] + entries.row
    place: IntArray = np.searchsorted(key, column * matrix.shape[0] + row)
    return place


def _fill(
    result: Contingencies, network: BranchNetwork, step: int, outage: IntArray, v_pu: NDArray[np.complex128]
) -> None:
    """Enter the extremes of solved outages (outage, bus) of one step."""
    if not len(outage):
        return
    apparent_mva = _apparent_mva(network, v_pu)
    apparent_mva[np.arange(len(outage)), outage] = 0.0
    row = np.arange(len(outage))
    for name, rate_mw in (("long", network.rate_long_mw), ("short", network.rate_short_mw)):
        if np.isfinite(rate_mw).any():
            percent = 100.0 * apparent_mva / rate_mw
            line = percent.argmax(axis=1)
            getattr(result, f"loading_{name}_percent")[step, outage] = percent[row, line]
            getattr(result, f"{name}_line")[step, outage] = line
    percent = 100.0 * apparent_mva / network.rate_long_mw
    result.over_steps[outage] += percent > FULL_PERCENT
    result.worst_percent[outage] = np.maximum(result.worst_percent[outage], percent)
    vm_pu = np.abs(v_pu)
    for name, bus in (("min", vm_pu.argmin(axis=1)), ("max", vm_pu.argmax(axis=1))):
        getattr(result, f"vm_{name}_pu")[step, outage] = vm_pu[row, bus]
        getattr(result, f"vm_{name}_bus")[step, outage] = bus


def _apparent_mva(network: BranchNetwork, v_pu: NDArray[np.complex128]) -> FloatArray:
    """Apparent power (time, line) of the fuller end."""
    at_from, at_to = v_pu[:, network.line_from], v_pu[:, network.line_to]
    y_ff, y_ft, y_tf, y_tt = network.y_pu.T
    from_mva = np.abs(at_from) * np.abs(y_ff * at_from + y_ft * at_to)
    to_mva = np.abs(at_to) * np.abs(y_tf * at_from + y_tt * at_to)
    apparent_mva: FloatArray = np.maximum(from_mva, to_mva) * network.base_mva
    return apparent_mva


def _blank(steps: int, lines: int) -> Contingencies:
    def unknown() -> FloatArray:
        return np.full((steps, lines), np.nan)

    def nowhere() -> IntArray:
        return np.full((steps, lines), -1, dtype=np.int64)

    return Contingencies(
        status=np.full((steps, lines), OK, dtype=np.int8),
        loading_long_percent=unknown(),
        long_line=nowhere(),
        loading_short_percent=unknown(),
        short_line=nowhere(),
        vm_min_pu=unknown(),
        vm_min_bus=nowhere(),
        vm_max_pu=unknown(),
        vm_max_bus=nowhere(),
        over_steps=np.zeros((lines, lines), dtype=np.int64),
        worst_percent=np.zeros((lines, lines)),
    )


def _check(network: BranchNetwork, points: OperatingPoints) -> None:
    implied_pu = points.v_pu * np.conj((network.ybus @ points.v_pu.T).T)
    off_pu = np.abs(implied_pu - points.injection_mva / network.base_mva).max(axis=1, initial=0.0)
    if (off_pu > MISMATCH_PU).any():  # NaN, a step without a solution, is not
        step = int(np.nanargmax(off_pu))
        raise GridError(
            f"N-1: the voltages of step {step} do not give its injections in this network (off by {off_pu[step]:.2g} "
            "pu); expected the network that was solved"
        )
