"""From a frozen study to a twin that can be run."""

from __future__ import annotations

import math

import numpy as np

from gridtwin.compute.engine import initial_state
from gridtwin.dispatch import Penalties, group_units
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.matrices import network_matrices
from gridtwin.inputs.study import Study
from gridtwin.policies import GridMemory, System, make_policy
from gridtwin.records import Fleet
from gridtwin.results.store import RunFolder
from gridtwin.twin.coordinator import Coordinator
from gridtwin.twin.recorder import Recorder
from gridtwin.twin.state import TwinState
from gridtwin.workload.jobs import JobTable

__all__ = ["build", "initial_twin_state"]


def build(study: Study, folder: RunFolder) -> Coordinator:
    """Assemble grid, fleet and policy around the study's data.

    Raises
    ------
    GridError
        If the grid cannot be built or does not converge without load.
    """
    system = make_system(study)
    return Coordinator(
        time=study.time,
        jobs=study.jobs,
        profiles=study.profiles,
        system=system,
        ac_grid=AcGrid(study.grid, study.units),
        policy=make_policy(system, study.jobs, study.scenario),
        recorder=Recorder(folder, study.time, system),
    )


def initial_twin_state(study: Study) -> TwinState:
    """Return an empty fleet and a grid that nothing is known of."""
    steps_per_day = max(1, 24 * 3600 // study.time.step_s)
    return TwinState(
        window=0,
        compute=initial_state(study.jobs, study.fleet),
        memory=GridMemory.blank(steps_per_day, len(study.units.unit), len(study.grid.line)),
    )


def make_system(study: Study) -> System:
    prices = study.scenario.dispatch
    return System(
        step_s=study.time.step_s,
        grid=study.grid,
        network=network_matrices(study.grid),
        units=study.units,
        groups=group_units(study.units),
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
        urgent_margin_s=_urgent_margin_s(study.jobs, study.fleet),
    )


def _urgent_margin_s(jobs: JobTable, fleet: Fleet) -> int:
    """Twice the longest time that the data of one job can take: once for itself, once for a transfer before it."""
    slowest_gbps = fleet.bandwidth_gbps.min(initial=np.inf, where=fleet.bandwidth_gbps > 0)
    latency_s = fleet.latency_oneway_s.max(initial=0.0, where=np.isfinite(fleet.latency_oneway_s))
    return 2 * math.ceil(float(jobs.data_gb.max(initial=0.0) * 8.0 / slowest_gbps + latency_s))
