"""The grid problem that every policy poses, so that comparisons between policies are fair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.arrays import link_injection_mw, ratio_or_zero, sum_at
from gridtwin.dispatch import Bundles, Commitment, GridPlan, GridProblem, InjectionCuts, LinkProblem, StoreProblem
from gridtwin.policies.base import Forecast, Observation, System
from gridtwin.policies.terminal import first_price, store_price, store_value
from gridtwin.records import LossEstimate
from gridtwin.units import DAY_S, HOUR_S, FloatArray, IntArray

__all__ = [
    "output_limits",
    "pose_grid",
    "pose_links",
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
        links=pose_links(system, observation),
        price_sides=system.price_sides,
        commitment=_pose_commitment(system, observation),
        bundles=_pose_bundles(system, forecast.steps),
        reserve_mw=forecast.reserve_mw,
        cuts=InjectionCuts.none() if plan is None else plan.cuts.within(np.ones(forecast.steps, dtype=bool)),
        permute=system.permute,
    )


def _rate_mw(system: System, observation: Observation) -> FloatArray:
    return system.network.rate_mw * observation.memory.rate_share[observation.step_of_day]


def output_limits(system: System, forecast: Forecast) -> tuple[FloatArray, FloatArray]:
    """Return what (time, group) must give and what it can give, MW."""
    floor = unit_floor_mw(system, forecast)
    return system.groups.total(floor), system.groups.total(forecast.unit_available_mw)


def unit_floor_mw(system: System, forecast: Forecast) -> FloatArray:
    """What each unit must give (time, unit): its minimum, and all that is available where it cannot be curtailed."""
    units, available_mw = system.units, forecast.unit_available_mw
    must_take = (units.profile >= 0) & ~units.curtailable
    least_mw = np.minimum(np.maximum(units.p_min_mw, forecast.minimum_mw), available_mw)
    return np.where(must_take, available_mw, least_mw)


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
        cost_per_mwh=stores.cost_per_mwh,
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


def pose_links(system: System, observation: Observation) -> LinkProblem:
    """Links whose flow is decided, each within its limits and by its contract."""
    grid, terms, steps = system.grid, system.link_terms, observation.forecast.steps
    index = np.flatnonzero(grid.link_dispatched).astype(np.int64)
    contract_mw = observation.forecast.contract_mw[:, index]
    return LinkProblem(
        index=index,
        from_bus=grid.link_from[index],
        to_bus=grid.link_to[index],
        rate_mw=np.tile(grid.link_p_nom_mw[index], (steps, 1)),
        loss=grid.link_loss[index],
        back_mw=np.tile(terms.back_mw[index], (steps, 1)),
        least_mw=np.tile(terms.least_mw[index], (steps, 1)),
        slot=_set_points(terms.hold_h[index], contract_mw, _local_s(system, observation)),
        contract_mw=contract_mw,
        deviation_per_mwh=terms.deviation_per_mwh[index],
        cost_per_mwh=terms.cost_per_mwh[index],
    )


def _local_s(system: System, observation: Observation) -> IntArray:
    """Local time of each step (time,), s."""
    return observation.instants.astype("datetime64[s]").astype(np.int64) + system.zone_s


def _set_points(hold_h: FloatArray, contract_mw: FloatArray, local_s: IntArray) -> IntArray:
    """Number the set-points (time, link): one a step, or one while a contract stays, or one for each `hold_h`."""
    steps = np.arange(len(local_s), dtype=np.int64)
    slot = np.tile(steps[:, None], (1, len(hold_h)))
    for link in np.flatnonzero(hold_h > 0):
        span = local_s // round(hold_h[link] * HOUR_S)
        changes = span if np.isnan(contract_mw[:, link]).all() else contract_mw[:, link]
        slot[:, link] = np.cumsum(np.concatenate([[0], np.diff(changes) != 0]))
    return slot


def _pose_commitment(system: System, observation: Observation) -> Commitment | None:
    """Online capacity by local day; None where no unit is committed so."""
    groups, day = system.groups, _local_s(system, observation) // DAY_S
    committed = np.flatnonzero(groups.daily).astype(np.int64)
    if not len(committed):
        return None
    return Commitment(
        group=committed,
        least_share=groups.least_share[committed],
        block=day - day[0],
        zone=system.area,
        reserve_mw=observation.forecast.area_reserve_mw,
    )


def _pose_bundles(system: System, steps: int) -> Bundles | None:
    """Plants that serve a link which is dispatched; None where there are none."""
    groups, dispatched = system.groups, np.flatnonzero(system.grid.link_dispatched)
    bundled = np.flatnonzero(groups.link >= 0).astype(np.int64)
    if not len(bundled):
        return None
    place = np.full(len(system.grid.link), -1, dtype=np.int64)
    place[dispatched] = np.arange(len(dispatched))
    scheduled_mw = np.tile(system.grid.link_schedule_mw[groups.link[bundled]], (steps, 1))
    return Bundles(bundled, place[groups.link[bundled]], scheduled_mw)


def site_injection(system: System, site_mw: FloatArray) -> FloatArray:
    """Draw of the sites at their buses (time, bus), MW >= 0."""
    return sum_at(site_mw, system.fleet.bus, len(system.grid.bus))
