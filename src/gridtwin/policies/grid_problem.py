"""The grid problem that every policy poses, so that comparisons between policies are fair."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.dispatch import GridPlan, GridProblem, InjectionCuts, LinkProblem, StoreProblem
from gridtwin.policies.base import Forecast, Observation, System
from gridtwin.records import LossEstimate
from gridtwin.units import FloatArray

__all__ = ["output_limits", "pose_grid", "scheduled_injection", "site_injection", "unit_floor_mw"]


def pose_grid(
    system: System,
    observation: Observation,
    losses: LossEstimate,
    site_mw: FloatArray | None = None,
    plan: GridPlan | None = None,
) -> GridProblem:
    """Dispatch of the forecast steps from the present output of the units.

    Parameters
    ----------
    system, observation : what is fixed and what is seen
    losses : LossEstimate
        Over the forecast steps.
    site_mw : ndarray (time, site), MW, optional
        Draw of the sites if it is decided already.
    plan : GridPlan, optional
        What was planned for these steps; its limits of the network hold again. Otherwise lines may carry what reactive
        power left of their ratings at the same time of day before.
    """
    forecast, memory = observation.forecast, observation.memory
    lower, upper = output_limits(system, forecast)
    seen = not np.isnan(memory.unit_mw).any()
    drawn_mw = np.zeros_like(forecast.load_mw) if site_mw is None else site_injection(system, site_mw)
    return GridProblem(
        step_h=system.step_h,
        network=system.network,
        groups=system.groups,
        penalties=system.penalties,
        lower_mw=lower,
        upper_mw=upper,
        initial_mw=system.groups.total(memory.unit_mw) if seen else None,
        load_mw=forecast.load_mw,
        site_mw=drawn_mw,
        injection_mw=scheduled_injection(system, forecast.steps) - forecast.load_mw - drawn_mw,
        losses=losses,
        watched=memory.binding[observation.step_of_day],
        rate_mw=_rate_mw(system, observation) if plan is None else plan.rate_mw[: forecast.steps],
        stores=StoreProblem.none(forecast.steps),
        links=LinkProblem.none(forecast.steps),
        reserve_mw=forecast.reserve_mw,
        cuts=InjectionCuts.none() if plan is None else plan.cuts.head(forecast.steps),
    )


def _rate_mw(system: System, observation: Observation) -> FloatArray:
    return system.network.rate_mw * observation.memory.rate_share[observation.step_of_day]


def output_limits(system: System, forecast: Forecast) -> tuple[FloatArray, FloatArray]:
    """Return what (time, group) must give and what it can give, MW."""
    floor = unit_floor_mw(system, forecast.unit_available_mw)
    return system.groups.total(floor), system.groups.total(forecast.unit_available_mw)


def unit_floor_mw(system: System, available_mw: FloatArray) -> FloatArray:
    """What each unit must give (time, unit): all that is available where it cannot be curtailed."""
    units = system.units
    must_take = (units.profile >= 0) & ~units.curtailable
    return np.where(must_take, available_mw, units.p_min_mw)


def scheduled_injection(system: System, steps: int) -> FloatArray:
    """HVDC schedules (time, bus), MW, signed into the grid; what bus shunts draw counts as losses, as in AC."""
    grid = system.grid
    sent, buses = grid.link_schedule_mw, len(grid.bus)
    return np.tile(sum_at(sent, grid.link_to, buses) - sum_at(sent, grid.link_from, buses), (steps, 1))


def site_injection(system: System, site_mw: FloatArray) -> FloatArray:
    """Draw of the sites at their buses (time, bus), MW >= 0."""
    return sum_at(site_mw, system.fleet.bus, len(system.grid.bus))
