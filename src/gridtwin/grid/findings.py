"""What an AC solution breaks: ratings, voltage bands, the slack's reactive range, convergence itself."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridtwin.records import AcInjections, AcSolution, Finding, GridData, UnitData
from gridtwin.units import BoolArray, FloatArray

__all__ = ["find_violations", "slack_q_range_mvar"]

_LOADING_TOLERANCE_PERCENT: Final = 1e-6
_VM_TOLERANCE_PU: Final = 1e-6
_Q_TOLERANCE_MVAR: Final = 1e-4


def find_violations(
    solution: AcSolution,
    grid: GridData,
    instants: NDArray[np.datetime64],
    *,
    units: UnitData | None = None,
    injections: AcInjections | None = None,
) -> tuple[Finding, ...]:
    """List everything that a solution breaks, in order of time.

    Parameters
    ----------
    solution : AcSolution
    grid : GridData
    instants : ndarray (time,) of datetime64, UTC
        First instant of each step.
    units, injections : UnitData, AcInjections, optional
        What was solved; with both, the reactive power of the slack is held against its units' limits, too.

    Returns
    -------
    tuple of Finding
    """
    rate_mva = np.broadcast_to(grid.rate_mw, solution.loading_percent.shape)
    apparent_mva = np.maximum(
        np.hypot(solution.from_mw, solution.from_mvar), np.hypot(solution.to_mw, solution.to_mvar)
    )
    vm_pu = solution.vm_pu
    low, high = (np.broadcast_to(limit, vm_pu.shape) for limit in (grid.vm_min_pu, grid.vm_max_pu))
    overloaded = solution.loading_percent > 100 + _LOADING_TOLERANCE_PERCENT
    nothing = np.full((len(vm_pu), 1), np.nan)
    found = [
        *_findings("thermal", overloaded, grid.line, apparent_mva, rate_mva, unit="MVA", instants=instants),
        *_findings("voltage_low", vm_pu < low - _VM_TOLERANCE_PU, grid.bus, vm_pu, low, unit="pu", instants=instants),
        *_findings(
            "voltage_high", vm_pu > high + _VM_TOLERANCE_PU, grid.bus, vm_pu, high, unit="pu", instants=instants
        ),
        *_findings("not_converged", ~solution.converged[:, None], ("",), nothing, nothing, unit="", instants=instants),
    ]
    if units is not None and injections is not None:
        found += _slack_q_findings(solution, grid, instants, units, injections)
    return tuple(sorted(found, key=lambda finding: finding.step))


def slack_q_range_mvar(grid: GridData, units: UnitData, committed: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Reactive limits of the committed units at the slack bus together.

    Parameters
    ----------
    grid : GridData
    units : UnitData
    committed : ndarray (time, unit)

    Returns
    -------
    lower, upper : ndarray (time,), Mvar
    """
    there = committed & units.holds_voltage & (units.bus == grid.slack)
    return (
        np.where(there, units.q_min_mvar, 0.0).sum(axis=1),
        np.where(there, units.q_max_mvar, 0.0).sum(axis=1),
    )


def _slack_q_findings(
    solution: AcSolution,
    grid: GridData,
    instants: NDArray[np.datetime64],
    units: UnitData,
    injections: AcInjections,
) -> list[Finding]:
    lower, upper = slack_q_range_mvar(grid, units, injections.committed)
    q_mvar = solution.bus_mvar[:, grid.slack] + injections.load_mvar[:, grid.slack]
    outside = (q_mvar < lower - _Q_TOLERANCE_MVAR) | (q_mvar > upper + _Q_TOLERANCE_MVAR)
    limit = np.where(q_mvar > upper, upper, lower)
    name = (grid.bus[grid.slack],)
    return _findings("slack_q", outside[:, None], name, q_mvar[:, None], limit[:, None], unit="Mvar", instants=instants)


def _findings(
    kind: str,
    broken: BoolArray,
    names: tuple[str, ...],
    value: FloatArray,
    limit: FloatArray,
    *,
    unit: str,
    instants: NDArray[np.datetime64],
) -> list[Finding]:
    return [
        Finding(kind, step, instants[step], names[index], float(value[step, index]), float(limit[step, index]), unit)
        for step, index in np.argwhere(broken).tolist()
    ]
