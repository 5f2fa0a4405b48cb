"""The series of a run from those of its model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.catalogue.cooling import COOLING, pue
from gridtwin.errors import Issue
from gridtwin.inputs.clock import skipped_s
from gridtwin.inputs.generation import profile_names
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.profiles.files import Series
from gridtwin.profiles.resample import diurnal_factor, resample
from gridtwin.profiles.series import Profiles
from gridtwin.records import Fleet
from gridtwin.scenario.schema import Scenario, Service
from gridtwin.timegrid import TimeGrid
from gridtwin.units import HOUR_S, W_PER_MW, BoolArray, FloatArray, IntArray
from gridtwin.workload.services import service_nodes

__all__ = ["connection_issues", "run_profiles"]


def run_profiles(scenario: Scenario, model: ModelFolder, fleet: Fleet, may: BoolArray) -> Profiles:
    """Build the series of a run whose scenario and model have no issues.

    Parameters
    ----------
    scenario : Scenario
    model : ModelFolder
    fleet : Fleet
    may : ndarray (origin, class, site)
        Which sites may serve which origin.
    """
    buses, sites = model.tables["buses"], model.tables["sites"]

    def at_run(series: Series, names: tuple[str, ...]) -> FloatArray:
        step_s, skip_s = scenario.time.step, skipped_s(scenario, model)
        return resample(series.columns(names), series.clock.step_s, step_s, skip_s)

    load_mw = at_run(model.series["load"], buses.text("area")) * numbers(buses, "load_share")
    base_mw, base_mvar = numbers(buses, "load_mw"), numbers(buses, "load_mvar")
    mvar_per_mw = ratio_or_zero(base_mvar, base_mw)
    names = profile_names(model)
    available_mw = at_run(model.series["availability"], names) if names else np.zeros((len(load_mw), 0))
    temp_air_degc = at_run(model.series["temperature"], sites.text("station"))
    cooling = [COOLING[name] for name in sites.text("cooling")]
    facility = np.stack([pue(temp_air_degc[:, s], kind) for s, kind in enumerate(cooling)], axis=1)
    steps = min(len(load_mw), len(available_mw), len(facility))
    return Profiles(
        profile=names,
        load_mw=load_mw[:steps],
        load_mvar=load_mw[:steps] * mvar_per_mw,
        available_mw=available_mw[:steps],
        inflow_mw=np.zeros((steps, 0)),
        reserve_mw=np.zeros(steps),
        pue=facility[:steps],
        service_nodes=_service_nodes(scenario, model, fleet, may, steps),
    )


def _service_nodes(scenario: Scenario, model: ModelFolder, fleet: Fleet, may: BoolArray, steps: int) -> IntArray:
    """Return the nodes that all services ask for, (step, site, class)."""
    local = scenario.time.start.astimezone(model.spec.profiles.start.tzinfo)
    first_s = local.hour * HOUR_S + local.minute * 60 + local.second
    nodes = np.zeros((steps, len(fleet.site), len(fleet.axes.compute_class)), dtype=np.int64)
    for service in scenario.workload.services:
        c = fleet.axes.compute_class.index(service.compute_class)
        factor = diurnal_factor(np.asarray(service.diurnal), first_s, scenario.time.step, steps)
        requests_per_s = factor[:, None] * _mean_requests_per_s(service, fleet)
        weight = np.where(may[:, c, :], fleet.capacity_nodes[:, c], 0.0)
        total = weight.sum(axis=1, keepdims=True)
        share = ratio_or_zero(weight, total)
        nodes[:, :, c] += service_nodes(requests_per_s, share, service.throughput_per_node, service.target_utilization)
    return nodes


def _mean_requests_per_s(service: Service, fleet: Fleet) -> FloatArray:
    """Return the daily mean of a service by origin, (origin,)."""
    return np.array([service.requests_per_s.get(origin, 0.0) for origin in fleet.axes.origin])


def connection_issues(
    model: ModelFolder, fleet: Fleet, series: Profiles, time: TimeGrid, steps: int
) -> Iterator[Issue]:
    """Check that each grid connection carries what its site draws in any case: idle nodes and services.

    Parameters
    ----------
    model : ModelFolder
    fleet : Fleet
    series : Profiles
    time : TimeGrid
    steps : int
        How long the run is expected to last.

    Notes
    -----
    Batch jobs come on top of that. They may ask for more than a connection carries: a plan holds them back.
    """
    served = np.minimum(series.service_nodes[:steps], fleet.capacity_nodes) * fleet.service_utilization
    it_w = fleet.capacity_nodes * fleet.idle_w + served * (fleet.peak_w - fleet.idle_w)
    base_mw = it_w.sum(axis=-1) / W_PER_MW * series.pue[:steps]
    sites = model.tables["sites"]
    for row in np.flatnonzero((base_mw > fleet.connection_mw).any(axis=0)).tolist():
        step = int(base_mw[:, row].argmax())
        message = (
            f"site {fleet.site[row]!r} draws {base_mw[step, row]:.3g} MW with idle nodes and services alone at "
            f"{time.instant(step).isoformat()}, its connection carries {fleet.connection_mw[row]:g}"
        )
        yield sites.at(row, "connection_mw").issue(f"{message}; enlarge it, or take out nodes or services")
