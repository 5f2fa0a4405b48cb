"""From a frozen study to a twin that can be run."""

from __future__ import annotations

from gridtwin.compute.disciplines import data_lead_s
from gridtwin.compute.engine import initial_state
from gridtwin.dispatch import Penalties, group_units
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.matrices import network_matrices
from gridtwin.inputs.study import Study
from gridtwin.policies import GridMemory, System, make_policy
from gridtwin.policies.feedback import Feedback
from gridtwin.results.store import RunFolder
from gridtwin.twin.coordinator import Coordinator
from gridtwin.twin.recorder import Recorder
from gridtwin.twin.state import TwinState

__all__ = ["build", "initial_twin_state"]


def build(study: Study, folder: RunFolder) -> Coordinator:
    """Assemble grid, fleet and policy around the study's data.

    Raises
    ------
    GridError
        If the grid cannot be built or does not converge without load.
    """
    system = make_system(study)
    ac_grid = AcGrid(study.grid, study.units)
    return Coordinator(
        lead_s=data_lead_s(study.jobs, study.fleet, study.time.step_s),
        time=study.time,
        jobs=study.jobs,
        profiles=study.profiles,
        system=system,
        ac_grid=ac_grid,
        policy=make_policy(system, study.jobs, study.scenario, _feedback(study, system, ac_grid)),
        recorder=Recorder(folder, study.time, system),
    )


def _feedback(study: Study, system: System, ac_grid: AcGrid) -> Feedback | None:
    if not study.scenario.security.ac_feedback:
        return None
    return Feedback(system, ac_grid, study.time.window_steps, study.scenario.dispatch.voltage_price_per_mwh)


def initial_twin_state(study: Study) -> TwinState:
    """Return an empty fleet and a grid that nothing is known of."""
    classes = len(study.fleet.axes.compute_class)
    return TwinState(
        window=0,
        compute=initial_state(study.jobs, study.fleet),
        memory=GridMemory.blank(
            study.time.steps_per_day,
            len(study.units.unit),
            len(study.grid.line),
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
        units=study.units,
        groups=group_units(study.units),
        stores=study.stores,
        fleet=study.fleet,
        penalties=Penalties(
            shed_per_mwh=prices.shed_price_per_mwh,
            overload_per_mwh=prices.overload_price_per_mwh,
            spill_per_mwh=prices.spill_price_per_mwh,
            connection_per_mwh=prices.overload_price_per_mwh,
            late_per_node_h=prices.late_price_per_node_h,
            carbon_per_t=prices.carbon_price_per_t,
        ),
        discipline=study.scenario.compute.discipline,
    )
