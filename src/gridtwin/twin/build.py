"""From a frozen study to a twin that can be run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from gridtwin.compute.disciplines import data_lead_s
from gridtwin.compute.engine import initial_state
from gridtwin.dispatch import Penalties, group_units
from gridtwin.economics.tariffs import Tariff, flat_year
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.matrices import network_matrices
from gridtwin.grid.transport import TransportGrid
from gridtwin.inputs.study import Study
from gridtwin.policies import GridMemory, System, make_policy
from gridtwin.policies.feedback import Feedback
from gridtwin.results.store import RunFolder
from gridtwin.twin.coordinator import Coordinator
from gridtwin.twin.forecaster import Forecaster
from gridtwin.twin.recorder import Recorder
from gridtwin.twin.state import TwinState
from gridtwin.workload.forecasts import with_estimates

__all__ = ["build", "initial_twin_state", "make_power_flow", "make_system", "prepare"]


def build(study: Study, folder: RunFolder) -> Coordinator:
    """Assemble grid, fleet and policy around the study's data, recording in `folder`.

    Raises
    ------
    GridError
        If the grid cannot be built or does not converge without load.
    """
    return prepare(study)(folder)


def prepare(study: Study) -> Callable[[RunFolder], Coordinator]:
    """Assemble all that can be refused; what is returned takes the folder to record in.

    Raises
    ------
    GridError
        If the grid cannot be built or does not converge without load.
    """
    system = make_system(study)
    power_flow = make_power_flow(study)
    record_in = partial(
        Coordinator,
        time=study.time,
        jobs=study.jobs,
        profiles=study.profiles,
        forecaster=Forecaster(
            study.scenario.forecast,
            study.time,
            study.profiles,
            study.day_ahead,
            study.jobs,
            study.units,
            study.scenario.seed,
        ),
        lead_s=data_lead_s(study.jobs, study.fleet, study.time.step_s),
        system=system,
        ac_grid=power_flow,
        policy=make_policy(system, with_estimates(study.jobs), study.scenario, _feedback(study, system, power_flow)),
    )
    return lambda folder: record_in(recorder=Recorder(folder, study.time, system))


def make_power_flow(study: Study) -> AcGrid | TransportGrid:
    """Return what turns injections into flows.

    Raises
    ------
    GridError
        If the grid cannot be built or does not converge without load.
    """
    return (TransportGrid if study.grid.transport else AcGrid)(study.grid, study.units)


def _feedback(study: Study, system: System, power_flow: AcGrid | TransportGrid) -> Feedback | None:
    """AC reviews plans where there is AC."""
    if not study.scenario.security.ac_feedback or isinstance(power_flow, TransportGrid):
        return None
    return Feedback(system, power_flow, study.time.window_steps, study.scenario.dispatch.voltage_price_per_mwh)


def initial_twin_state(study: Study) -> TwinState:
    """Return an empty fleet and a grid that nothing is known of."""
    sites, classes = study.fleet.capacity_nodes.shape
    return TwinState(
        window=0,
        compute=initial_state(study.jobs, study.fleet),
        memory=GridMemory.blank(
            study.time.steps_per_day,
            len(study.units.unit),
            len(study.grid.line),
            sites,
            classes,
            study.stores.initial_mwh,
        ),
    )


def make_system(study: Study) -> System:
    """Return what does not change during a run."""
    prices = study.scenario.dispatch
    return System(
        step_s=study.time.step_s,
        steps_per_day=study.time.steps_per_day,
        grid=study.grid,
        network=network_matrices(study.grid),
        link_terms=study.link_terms,
        area=np.unique(study.geography.area, return_inverse=True)[1].astype(np.int64),
        units=study.units,
        unit_terms=study.unit_terms,
        groups=group_units(study.units, study.unit_terms),
        stores=study.stores,
        fleet=study.fleet,
        site_terms=study.site_terms,
        contracts=study.contracts,
        green_share_price_per_mwh=prices.green_share_price_per_mwh,
        penalties=Penalties(
            shed_per_mwh=prices.shed_price_per_mwh,
            overload_per_mwh=prices.overload_price_per_mwh,
            spill_per_mwh=prices.spill_price_per_mwh,
            connection_per_mwh=prices.overload_price_per_mwh,
            late_per_node_h=prices.late_price_per_node_h,
            carbon_per_t=prices.carbon_price_per_t,
            reserve_per_mwh=prices.reserve_price_per_mwh,
        ),
        tariff=_tariff(study),
        zone_s=zone_s(study),
        discipline=study.scenario.compute.discipline,
        price_sides=study.scenario.dispatch.price_sides,
        permute=study.scenario.solver.permute,
    )


def zone_s(study: Study) -> int:
    """Return the offset of the model's zone from UTC, s."""
    return int(study.zone.utcoffset(None).total_seconds())


def _tariff(study: Study) -> Tariff:
    """A price of energy in the scenario holds for all sites; without one each pays by the tariff that it names."""
    given, terms = study.scenario.tariff, study.site_terms
    flat = None if given.energy_per_mwh is None else np.asarray(given.energy_per_mwh)
    return Tariff(
        energy_per_mwh=terms.tariff_per_mwh if flat is None else flat_year(flat, len(terms.region)),
        network_per_mwh=given.network_per_mwh,
        demand_charge_per_mw=given.demand_charge_per_mw,
        carbon_per_t=0.0 if given.includes_carbon else study.scenario.dispatch.carbon_price_per_t,
    )
