"""AC power flow of a grid over many steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gridtwin.arrays import link_injection_mw
from gridtwin.errors import GridError
from gridtwin.grid.network import admittances, build_net, run_step
from gridtwin.grid.newton import PowerFlows, bus_injection, limits_of, line_injection, solve_within_limits
from gridtwin.records import AcInjections, AcSolution, GridData, UnitData
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["AcGrid"]


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """What is asked of the Newton solver."""

    injection_pu: NDArray[np.complex128]  # (time, bus) without the reactive power of units that hold voltage
    holds: BoolArray  # (time, bus)
    q_min_pu: FloatArray  # (time, bus)
    q_max_pu: FloatArray  # (time, bus)


class AcGrid:
    """A grid ready to be solved: pandapower builds it once, then only injections and PV buses change.

    Parameters
    ----------
    grid : GridData
    units : UnitData

    Attributes
    ----------
    ybus : csr_matrix (bus, bus), per unit
        Bus admittances in the order of `grid.bus`, shunts included.
    y_from, y_to : csr_matrix (line, bus), per unit
        Current into each line at either end, in the order of `grid.line`.

    Raises
    ------
    GridError
        If the grid cannot be built, or does not converge without load.
    """

    def __init__(self, grid: GridData, units: UnitData) -> None:
        self.grid = grid
        self.units = units
        self._net = build_net(grid, units)
        matrices = admittances(self._net, grid)
        self.ybus, self.y_from, self.y_to = matrices.ybus, matrices.y_from, matrices.y_to
        self._v_base_pu = matrices.v_base_pu
        self._unit_to_bus = _summation(units.bus, len(grid.bus))

    def solve(self, injections: AcInjections, *, enforce_q_limits: bool = True) -> AcSolution:
        """Solve every step on its own.

        A bus holds its voltage while a unit there that `holds_voltage` is committed. The bytes of a step do not depend
        on the other steps of the batch.

        Parameters
        ----------
        injections : AcInjections
        enforce_q_limits : bool
            Keep the reactive power of such buses within the committed units' limits together, at the price of their
            voltage. The slack is left out, as in pandapower.

        Returns
        -------
        AcSolution
            Steps that do not converge, or whose limits do not settle, are tried again by `runpp`; what fails there is
            NaN throughout, with method "failed".

        Raises
        ------
        GridError
            If an array has the wrong shape or holds NaN or infinity.
        """
        _check(injections, self.grid, self.units)
        problem = self._problem(injections, enforce_q_limits=enforce_q_limits)
        flows = solve_within_limits(
            self.ybus,
            self._v_base_pu,
            problem.injection_pu,
            problem.holds,
            self.grid.slack,
            q_min_pu=problem.q_min_pu,
            q_max_pu=problem.q_max_pu,
        )
        method = np.where(flows.converged, "batch", "failed")
        for step in np.flatnonzero(~flows.converged).tolist():
            if self._fall_back(step, problem, injections.committed[step], flows, enforce_q_limits=enforce_q_limits):
                method[step] = "runpp"
        return self._solution(problem, flows, tuple(method.tolist()))

    def _problem(self, injections: AcInjections, *, enforce_q_limits: bool) -> _Problem:
        base_mva = self.grid.base_mva
        holding = injections.committed & self.units.holds_voltage
        grid = self.grid
        links_mw = link_injection_mw(injections.link_mw, grid.link_from, grid.link_to, grid.link_loss, len(grid.bus))
        injection_mw = _summed(self._unit_to_bus, injections.unit_mw) + links_mw - injections.load_mw
        q_min_mvar, q_max_mvar = self.units.q_min_mvar, self.units.q_max_mvar
        if not enforce_q_limits:
            q_min_mvar, q_max_mvar = np.full_like(q_min_mvar, -np.inf), np.full_like(q_max_mvar, np.inf)
        return _Problem(
            injection_pu=np.asarray((injection_mw - 1j * injections.load_mvar) / base_mva, dtype=np.complex128),
            holds=_summed(self._unit_to_bus, holding.astype(float)) > 0,
            q_min_pu=_summed(self._unit_to_bus, np.where(holding, q_min_mvar, 0.0)) / base_mva,
            q_max_pu=_summed(self._unit_to_bus, np.where(holding, q_max_mvar, 0.0)) / base_mva,
        )

    def _fall_back(
        self, step: int, problem: _Problem, committed: BoolArray, flows: PowerFlows, *, enforce_q_limits: bool
    ) -> bool:
        """Try one step by `runpp` and write it into `flows`; False where that does not solve it."""
        injection_pu = problem.injection_pu[step]
        injection_mva = injection_pu * self.grid.base_mva
        v_pu = run_step(
            self._net,
            injection_mva.real,
            injection_mva.imag,
            committed[self.units.holds_voltage],
            enforce_q_limits=enforce_q_limits,
        )
        if v_pu is None:
            return False
        at_limit = limits_of(
            self.ybus,
            self._v_base_pu,
            injection_pu,
            problem.holds[step],
            self.grid.slack,
            q_min_pu=problem.q_min_pu[step],
            q_max_pu=problem.q_max_pu[step],
            v_pu=v_pu,
        )
        if at_limit is None:
            return False
        flows.v_pu[step], flows.at_limit[step] = v_pu, at_limit
        return True

    def _solution(self, problem: _Problem, flows: PowerFlows, method: tuple[str, ...]) -> AcSolution:
        grid, v_pu = self.grid, flows.v_pu
        converged = np.array([name != "failed" for name in method], dtype=bool)
        q_limited = (flows.at_limit != 0) & converged[:, None]
        holds_voltage = problem.holds & ~q_limited
        holds_voltage[:, grid.slack] = True
        bus_mva = bus_injection(self.ybus, v_pu) * grid.base_mva
        from_mva = line_injection(self.y_from, v_pu, grid.line_from) * grid.base_mva
        to_mva = line_injection(self.y_to, v_pu, grid.line_to) * grid.base_mva
        vm_pu = np.abs(v_pu)
        shunt_mw = (grid.shunt_mw * vm_pu**2).sum(axis=1)
        return AcSolution(
            converged=converged,
            iterations=flows.iterations,
            method=method,
            vm_pu=vm_pu,
            va_deg=np.rad2deg(np.angle(v_pu)),
            bus_mw=bus_mva.real.copy(),
            bus_mvar=bus_mva.imag.copy(),
            holds_voltage=holds_voltage,
            q_limited=q_limited,
            from_mw=from_mva.real.copy(),
            from_mvar=from_mva.imag.copy(),
            to_mw=to_mva.real.copy(),
            to_mvar=to_mva.imag.copy(),
            loading_percent=100 * np.maximum(np.abs(from_mva), np.abs(to_mva)) / grid.rate_mw,
            losses_mw=(from_mva.real + to_mva.real).sum(axis=1) + shunt_mw,
            slack_excess_mw=bus_mva.real[:, grid.slack] - problem.injection_pu.real[:, grid.slack] * grid.base_mva,
        )


def _summation(bus: IntArray, buses: int) -> sparse.csr_matrix:
    """Return the matrix (bus, element) that adds up elements at their bus."""
    return sparse.csr_matrix((np.ones(len(bus)), (bus, np.arange(len(bus)))), shape=(buses, len(bus)))


def _summed(summation: sparse.csr_matrix, value: FloatArray) -> FloatArray:
    """Add up (time, element) at buses; sparse, because BLAS rounds a step by how many there are."""
    return np.ascontiguousarray((summation @ value.T).T)


def _check(injections: AcInjections, grid: GridData, units: UnitData) -> None:
    steps = len(injections.load_mw)
    widths = {
        "load_mw": grid.bus,
        "load_mvar": grid.bus,
        "unit_mw": units.unit,
        "committed": units.unit,
        "link_mw": grid.link,
    }
    for name, elements in widths.items():
        value = getattr(injections, name)
        if value.shape != (steps, len(elements)):
            raise GridError(f"AcInjections.{name}: shape {value.shape}, expected {(steps, len(elements))}")
        wrong = np.argwhere(~np.isfinite(value))
        if len(wrong):
            step, element = wrong[0].tolist()
            raise GridError(
                f"AcInjections.{name}: {value[step, element]} at step {step}, {elements[element]}; "
                f"expected a finite number ({len(wrong)} such values)"
            )
