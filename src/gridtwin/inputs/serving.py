"""Services of a scenario: who answers their requests, on how many nodes, and what that moves over the WAN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.inputs.bursts import bursts_of
from gridtwin.inputs.fleet import MS_PER_S, at_home
from gridtwin.inputs.tables import ModelFolder
from gridtwin.profiles.resample import diurnal_factor
from gridtwin.records import Fleet
from gridtwin.scenario.schema import Scenario, Service
from gridtwin.units import HOUR_S, BoolArray, FloatArray, IntArray
from gridtwin.workload.bursts import mean_factor
from gridtwin.workload.services import fill, preferred, service_nodes

__all__ = ["Callers", "callers_of", "service_load"]


@dataclass(frozen=True, slots=True, eq=False)
class Callers:
    """Who asks a service: the origins and, where some requests may not leave a region, their residents."""

    origin: IntArray  # (caller,) index along the origins of the fleet
    share: FloatArray  # (caller,) of the requests of its origin
    resident: BoolArray  # (caller,)
    may: BoolArray  # (caller, site) who may answer


def callers_of(service: Service, model: ModelFolder, fleet: Fleet, may: BoolArray) -> Callers:
    """Return the callers of a service.

    Parameters
    ----------
    service : Service
    model : ModelFolder
    fleet : Fleet
    may : ndarray (origin, class, site)
        Which sites may work for which origin.
    """
    whole = np.unique(fleet.axes.link_origin)
    limit_ms = service.max_latency_oneway_ms
    near = fleet.latency_oneway_s[whole] <= (np.inf if limit_ms is None else limit_ms / MS_PER_S)
    anywhere = may[whole, fleet.axes.compute_class.index(service.compute_class)] & near
    home = at_home(model, [fleet.axes.origin[o] for o in whole.tolist()])
    kinds = [(1 - service.resident_share, False), (service.resident_share, True)]
    kinds = [(share, stays) for share, stays in kinds if share > 0]
    return Callers(
        origin=np.tile(whole, len(kinds)),
        share=np.repeat([share for share, _ in kinds], len(whole)),
        resident=np.repeat([stays for _, stays in kinds], len(whole)),
        may=np.concatenate([anywhere & home if stays else anywhere for _, stays in kinds]),
    )


def service_load(
    scenario: Scenario, model: ModelFolder, fleet: Fleet, may: BoolArray, steps: int
) -> tuple[IntArray, FloatArray]:
    """Return what all services ask for.

    Parameters
    ----------
    scenario : Scenario
    model : ModelFolder
    fleet : Fleet
    may : ndarray (origin, class, site)
        Which sites may work for which origin.
    steps : int

    Returns
    -------
    nodes : ndarray (step, site, class)
        Services that fill tiers look for room in the order in which the scenario has them; of the others each site
        gets its share, whether it has the room or not.
    requests_gb : ndarray (window, origin, site)
        Data of the requests that are sent to a site, answered or not, where they go over a link of the WAN.
    """
    window = np.arange(steps) * scenario.time.step // scenario.time.window
    nodes = np.zeros((steps, len(fleet.site), len(fleet.axes.compute_class)), dtype=np.int64)
    requests_gb = np.zeros((int(window[-1]) + 1, *fleet.bandwidth_gbps.shape))
    over_wan = np.isfinite(fleet.bandwidth_gbps)
    for service in scenario.workload.services:
        c = fleet.axes.compute_class.index(service.compute_class)
        callers = callers_of(service, model, fleet, may)
        requests_per_s = _requests_per_s(service, scenario, model, fleet, callers, steps)
        per_node = service.throughput_per_node * service.target_utilization
        if service.tiers:
            order = preferred(callers.may, fleet.latency_oneway_s[callers.origin], _tier_rank(service, model))
            room = np.maximum(fleet.capacity_nodes[:, c] - nodes[:, :, c], 0)
            filled = fill(requests_per_s / per_node, room, order, window)
            nodes[:, :, c] += filled.nodes
            sent_per_s = filled.sent_nodes * per_node
        else:
            weight = np.where(callers.may, fleet.capacity_nodes[:, c], 0.0)
            share = ratio_or_zero(weight, weight.sum(axis=1, keepdims=True))
            throughput, target = service.throughput_per_node, service.target_utilization
            nodes[:, :, c] += service_nodes(requests_per_s, share, throughput, target)
            first = np.searchsorted(window, np.arange(len(requests_gb)))
            sent_per_s = np.add.reduceat(requests_per_s, first, axis=0)[:, :, None] * share
        gb = sent_per_s * (scenario.time.step * service.gb_per_request) * over_wan[callers.origin]
        np.add.at(requests_gb.swapaxes(0, 1), callers.origin, gb.swapaxes(0, 1))
    return nodes, requests_gb


def _requests_per_s(
    service: Service, scenario: Scenario, model: ModelFolder, fleet: Fleet, callers: Callers, steps: int
) -> FloatArray:
    """Return what each caller asks (step, caller), 1/s."""
    local = scenario.time.start.astimezone(model.spec.profiles.start.tzinfo)
    first_s = local.hour * HOUR_S + local.minute * 60 + local.second
    mean = np.array([service.requests_per_s.get(origin, 0.0) for origin in fleet.axes.origin])
    factor = diurnal_factor(np.asarray(service.diurnal), first_s, scenario.time.step, steps)
    asked = factor[:, None] * (mean[callers.origin] * callers.share)
    if service.bursts:
        bursts = bursts_of(service.bursts, scenario.time.start, fleet.axes)
        asked *= mean_factor(bursts, steps, scenario.time.step, len(mean))[:, callers.origin]
    return np.asarray(asked, np.float64)


def _tier_rank(service: Service, model: ModelFolder) -> IntArray:
    """Return when each site fills (site,): the place of its tier, the others last."""
    tiers = model.tables["sites"].text("tier")
    return np.array([service.tiers.index(tier) if tier in service.tiers else len(service.tiers) for tier in tiers])
