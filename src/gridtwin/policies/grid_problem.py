"""The grid problem that every policy poses, so that comparisons between policies are fair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.arrays import link_injection_mw, ratio_or_zero, sum_at
from gridtwin.dispatch import GridPlan, GridProblem, InjectionCuts, LinkProblem, StoreProblem
from gridtwin.policies.base import Forecast, Observation, System
from gridtwin.policies.terminal import first_price, store_price, store_value
from gridtwin.records import LossEstimate
from gridtwin.units import FloatArray

__all__ = [
    "output_limits",
    "pose_grid",
    "scheduled_injection",
    "site_injection",
    "unit_floor_mw",
    "with_prices",
]


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
        stores=_pose_stores(system, observation, site_mw),
        links=_pose_links(system, forecast.steps),
        reserve_mw=forecast.reserve_mw,
        cuts=InjectionCuts.none() if plan is None else plan.cuts.within(np.ones(forecast.steps, dtype=bool)),
        permute=system.permute,
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
    """HVDC schedules (time, bus), MW, signed into the grid, of links whose flow is not decided.

    What bus shunts draw counts as losses, as in AC.
    """
    grid, buses = system.grid, len(system.grid.bus)
    sent = np.where(grid.link_dispatched, 0.0, grid.link_schedule_mw)
    return np.tile(link_injection_mw(sent, grid.link_from, grid.link_to, grid.link_loss, buses), (steps, 1))


def with_prices(system: System, observation: Observation, plan: GridPlan) -> Observation:
    """Remember the prices of a first plan, so that a second one can value what is left in store."""
    return replace(observation, memory=replace(observation.memory, store_price_per_mwh=store_price(system, plan)))


def _pose_stores(system: System, observation: Observation, site_mw: FloatArray | None) -> StoreProblem:
    """Stores from their present energy; what they keep to the end is worth what prices were a day before."""
    stores, forecast, memory = system.stores, observation.forecast, observation.memory
    charge_mw, discharge_mw = _within_connections(system, site_mw, forecast.steps)
    price = memory.store_price_per_mwh
    price = np.where(np.isnan(price), first_price(system, forecast), price)
    fed = system.groups.store >= 0
    fed_mw = sum_at(system.groups.p_max_mw[fed], system.groups.store[fed], len(stores.store))
    value_mwh, value_per_mwh = store_value(
        price, stores.discharge_mw + fed_mw, stores.energy_mwh, stores.efficiency_discharge, system.step_h
    )
    return StoreProblem(
        bus=stores.bus,
        site=stores.site,
        charge_mw=charge_mw,
        discharge_mw=discharge_mw,
        energy_mwh=stores.energy_mwh,
        efficiency_charge=stores.efficiency_charge,
        efficiency_discharge=stores.efficiency_discharge,
        kept_share=(1.0 - stores.standing_loss_per_h) ** system.step_h,
        initial_mwh=memory.stored_mwh,
        inflow_mw=forecast.inflow_mw,
        value_mwh=value_mwh,
        value_per_mwh=value_per_mwh,
    )


def _within_connections(system: System, site_mw: FloatArray | None, steps: int) -> tuple[FloatArray, FloatArray]:
    """Charge and discharge (time, store), MW, at most.

    Where the draw of the sites is decided, stores behind a meter share what its connection leaves.
    """
    stores, connection_mw = system.stores, system.fleet.connection_mw
    charge_mw, discharge_mw = (np.tile(limit, (steps, 1)) for limit in (stores.charge_mw, stores.discharge_mw))
    own = stores.site >= 0
    if site_mw is None or not own.any():
        return charge_mw, discharge_mw
    site = stores.site[own]
    for limit_mw, room_mw in ((charge_mw, connection_mw - site_mw), (discharge_mw, connection_mw + site_mw)):
        total = sum_at(limit_mw[:, own], site, len(connection_mw))
        fits = np.where(total > room_mw, ratio_or_zero(np.maximum(room_mw, 0.0), total), 1.0)
        limit_mw[:, own] *= fits[:, site]
    return charge_mw, discharge_mw


def _pose_links(system: System, steps: int) -> LinkProblem:
    grid = system.grid
    index = np.flatnonzero(grid.link_dispatched).astype(np.int64)
    return LinkProblem(
        index=index,
        from_bus=grid.link_from[index],
        to_bus=grid.link_to[index],
        rate_mw=np.tile(grid.link_p_nom_mw[index], (steps, 1)),
        loss=grid.link_loss[index],
    )


def site_injection(system: System, site_mw: FloatArray) -> FloatArray:
    """Draw of the sites at their buses (time, bus), MW >= 0."""
    return sum_at(site_mw, system.fleet.bus, len(system.grid.bus))
