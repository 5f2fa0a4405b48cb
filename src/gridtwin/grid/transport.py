"""Grids without a power flow: what is dispatched over links is what flows."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import link_injection_mw, sum_at
from gridtwin.records import AcInjections, AcSolution, GridData, UnitData

__all__ = ["TransportGrid"]


class TransportGrid:
    """Stands where `AcGrid` stands for grids whose links carry what is sent over them.

    Parameters
    ----------
    grid : GridData
        Without lines.
    units : UnitData
    """

    def __init__(self, grid: GridData, units: UnitData) -> None:
        self.grid = grid
        self.units = units

    def solve(self, injections: AcInjections, *, enforce_q_limits: bool = True) -> AcSolution:  # noqa: ARG002 - as AcGrid
        """Take the net injection of every bus; there are no voltages, so they are NaN.

        No slack makes up for a bus that its dispatch leaves unbalanced: the ledger of transport tells.
        """
        grid, steps, buses = self.grid, len(injections.unit_mw), len(self.grid.bus)
        links = link_injection_mw(injections.link_mw, grid.link_from, grid.link_to, grid.link_loss, buses)
        net_mw = sum_at(injections.unit_mw, self.units.bus, buses) + links - injections.load_mw
        unknown, nobody, line = (
            np.full((steps, buses), np.nan),
            np.zeros((steps, buses), dtype=bool),
            np.zeros((steps, 0)),
        )
        return AcSolution(
            converged=np.ones(steps, dtype=bool),
            iterations=np.zeros(steps, dtype=np.int64),
            method=("transport",) * steps,
            vm_pu=unknown,
            va_deg=unknown,
            bus_mw=net_mw,
            bus_mvar=unknown,
            holds_voltage=nobody,
            q_limited=nobody,
            from_mw=line,
            from_mvar=line,
            to_mw=line,
            to_mvar=line,
            loading_percent=line,
            losses_mw=np.zeros(steps),
            slack_excess_mw=np.zeros(steps),
        )
