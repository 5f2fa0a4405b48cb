"""Indicators of each region and of the nation, from what a run stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from gridtwin.economics.indicator_table import indicator_table
from gridtwin.economics.regions import Fleet, totals
from gridtwin.units import HOUR_S, FloatArray, IntArray

__all__ = ["NATION", "Reading", "Work", "hhi", "indicators", "nation", "share"]

NATION: Final = ""  # region of readings for the whole model
ALL: Final = ""  # class of readings that tell classes not apart
RINGS_MS: Final = (5, 20)
GFLOPS_PER_PFLOPS: Final = 1e6

Columns: TypeAlias = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of an indicator.

    Parameters
    ----------
    indicator : str
        Of `indicator_table`.
    region : str
        "" for the nation.
    compute_class : str
        "" for all classes.
    value : float or None
        None where it is not defined or not known; never 0 in its place.
    """

    indicator: str
    region: str
    compute_class: str
    value: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What was asked and done, means over the time in which jobs arrive unless said otherwise.

    Parameters
    ----------
    asked_node_h : ndarray (origin, class), node-h
        Of all jobs submitted.
    service_share : ndarray (origin, class)
        Share of each origin in what services of a class ask for; NaN in a column where it is not known.
    run_node_h : ndarray (origin, class, site), node-h
        Of the jobs that started, at their last site.
    wanted_service_nodes : ndarray (class,)
    busy_nodes : ndarray (site, class)
        With jobs or services.
    done_node_h : ndarray (site, class), node-h
        The same over the whole run.
    hours : float, h
        In which jobs arrive.
    """

    asked_node_h: FloatArray
    service_share: FloatArray
    run_node_h: FloatArray
    wanted_service_nodes: FloatArray
    busy_nodes: FloatArray
    done_node_h: FloatArray
    hours: float


def share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Divide, with NaN where there is no whole; the two broadcast.

    Examples
    --------
    >>> share(np.array([1.0, 0.0]), np.array([4.0, 0.0]))
    array([0.25,  nan])
    """
    shares: FloatArray = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def hhi(amounts: FloatArray) -> FloatArray:
    """Herfindahl-Hirschman index of amounts along the first axis: the sum of their squared shares.

    Parameters
    ----------
    amounts : ndarray (holder, …)
        At least 0.

    Returns
    -------
    ndarray (…)
        Between 1/holders and 1; NaN where nobody has anything.

    Examples
    --------
    >>> float(hhi(np.array([3.0, 1.0])))
    0.625
    """
    return np.asarray((share(amounts, amounts.sum(axis=0)) ** 2).sum(axis=0))


def indicators(
    fleet: Fleet,
    work: Work,
    jobs: Columns,
    sites: Columns,
    data_cost: Columns,
    green: Mapping[str, FloatArray] | None = None,
) -> list[Reading]:
    """Return all readings, in the order of the table, then the nation before regions.

    Parameters
    ----------
    fleet : Fleet
    work : Work
    jobs : mapping of arrays (job,)
        `origin_index`, `submit_s`, `due_s`, `start_s`, `end_s`; -1 where a job never started or ended.
    sites : mapping of arrays (site,)
        Over the run: `energy_mwh` at the meter, `facility_mwh`, `it_mwh`, `paid` by tariff, `co2_kg` and
        `marginal_co2_kg` of the energy.
    data_cost : mapping of arrays (origin,), money
        `wan_cost` and `requests_cost`.
    green : mapping of arrays (region + 1,), optional
        `green_share_annual` and `green_share_hourly`, the nation last; both are None without it.
    """
    nothing = {f"green_share_{span}": np.full(len(fleet.regions) + 1, np.nan) for span in ("annual", "hourly")}
    values: dict[str, FloatArray] = {
        **_supply(fleet, work),
        **_rings(fleet, work),
        **_layout(fleet, work),
        **_moved(fleet, work),
        **_reach(fleet),
        **_delays(fleet, work, jobs),
        **_energy(fleet, sites),
        **{name: totals(cost, fleet.origin_region, len(fleet.regions)) for name, cost in data_cost.items()},
        **(green or nothing),
    }
    return [reading for name in indicator_table() for reading in _readings(name, values[name], fleet)]


def _readings(name: str, values: FloatArray, fleet: Fleet) -> Iterator[Reading]:
    """Yield the cells of (region + 1,) or (region + 1, class), where a last column may stand for all classes."""
    table = values[:, None] if values.ndim == 1 else values
    classes = (ALL,) if values.ndim == 1 else (*fleet.classes, ALL)[: table.shape[1]]
    for place, region in ((-1, NATION), *enumerate(fleet.regions)):
        for column, compute_class in enumerate(classes):
            value = float(table[place, column])
            yield Reading(name, region, compute_class, value if np.isfinite(value) else None)


def _supply(fleet: Fleet, work: Work) -> dict[str, FloatArray]:
    """Capacity against what is asked (region + 1, class)."""
    regions = len(fleet.regions)
    nodes, pflops = (totals(held, fleet.site_region, regions) for held in (fleet.capacity_nodes, fleet.pflops))
    asked = totals(work.asked_node_h / work.hours, fleet.origin_region, regions)
    of_services = work.service_share * work.wanted_service_nodes
    asked += totals(np.where(work.wanted_service_nodes > 0, of_services, 0.0), fleet.origin_region, regions)
    asked[-1] = work.asked_node_h.sum(axis=0) / work.hours + work.wanted_service_nodes
    idle = totals(fleet.capacity_nodes - work.busy_nodes, fleet.site_region, regions)
    return {
        "capacity_nodes": nodes,
        "capacity_pflops": pflops,
        "asked_nodes": asked,
        "gap_nodes": asked - nodes,
        "gap_pflops": asked * share(pflops[-1], nodes[-1]) - pflops,
        "idle_share": share(idle, nodes),
    }


def _rings(fleet: Fleet, work: Work) -> dict[str, FloatArray]:
    """Idle nodes of others near each region (region + 1, class); none of the nation, where they would count twice."""
    regions = len(fleet.regions)
    own = totals(fleet.capacity_nodes, fleet.site_region, regions)
    idle = np.maximum(fleet.capacity_nodes - work.busy_nodes, 0.0)
    found = {}
    for ring_ms in RINGS_MS:
        near = np.full(own.shape, np.nan)
        for region in range(regions):
            nearest_ms = fleet.nearest_ms(region)
            if np.isfinite(nearest_ms).any():
                near[region] = idle[(nearest_ms <= ring_ms) & (fleet.site_region != region)].sum(axis=0)
        found[f"idle_ring_{ring_ms}ms_nodes"] = near
        found[f"duplicated_{ring_ms}ms_share"] = share(np.minimum(own, near), own)
    return found


def _layout(fleet: Fleet, work: Work) -> dict[str, FloatArray]:
    """Structure of each region, and how concentrated capacity and work are."""
    regions = len(fleet.regions)
    racks = totals(fleet.racks, fleet.site_region, regions)
    room = totals(fleet.rack_room, fleet.site_region, regions)
    everywhere = (fleet.site_region >= 0).all()
    spread = {"hhi_capacity": fleet.pflops, "hhi_work": work.done_node_h}
    return {
        "rack_share": share(racks, racks.sum(axis=1, keepdims=True)),
        "rack_use": share(racks.sum(axis=1), room),
        **{
            name: _of_nation(
                hhi(totals(amount, fleet.site_region, regions)[:-1])
                if everywhere
                else np.full(amount.shape[1], np.nan),
                regions,
            )
            for name, amount in spread.items()
        },
    }


def _of_nation(values: FloatArray, regions: int) -> FloatArray:
    """Values (class,) as those of the nation (region + 1, class); a region has none."""
    table = np.full((regions + 1, len(values)), np.nan)
    table[-1] = values
    return table


def _moved(fleet: Fleet, work: Work) -> dict[str, FloatArray]:
    """Work that ran elsewhere, and work that may not (region + 1, class + 1)."""
    regions, weight = len(fleet.regions), np.append(fleet.mean_w, 0.0)
    here = fleet.origin_region[:, None] == fleet.site_region
    unknown = (fleet.origin_region < 0)[:, None] | (fleet.site_region < 0)
    parts = [(work.run_node_h * where[:, None, :]).sum(axis=2) for where in (~here, unknown)]
    outside, lost = (totals(part, fleet.origin_region, regions) for part in parts)
    ran = totals(work.run_node_h.sum(axis=2), fleet.origin_region, regions)
    asked = totals(work.asked_node_h, fleet.origin_region, regions)
    barred = totals(work.asked_node_h * fleet.resident[:, None], fleet.origin_region, regions)
    dependence = share(_with_all(outside, weight), _with_all(ran, weight))
    return {
        "wan_dependence": np.where(_with_all(lost, weight) > 0, np.nan, dependence),
        "barred_share": share(_with_all(barred, weight), _with_all(asked, weight)),
    }


def _with_all(node_h: FloatArray, weight_w: FloatArray) -> FloatArray:
    """Append a column for all classes, weighted by the power that a node of each takes."""
    return np.column_stack([node_h, node_h @ weight_w[:-1]])


def _reach(fleet: Fleet) -> dict[str, FloatArray]:
    """Compute per person and within rings of latency (region + 1, class)."""
    regions = len(fleet.regions)
    pflops = totals(fleet.pflops, fleet.site_region, regions)
    lived_in = np.isin(np.arange(regions), fleet.origin_region)
    people = np.append(fleet.population, fleet.population[lived_in].sum() if lived_in.any() else np.nan)
    found = {"per_head_gflops": share(pflops * GFLOPS_PER_PFLOPS, people[:, None])}
    for ring_ms in RINGS_MS:
        reached = np.full(pflops.shape, np.nan)
        for region in np.flatnonzero(lived_in):
            reached[region] = fleet.pflops[fleet.nearest_ms(int(region)) <= ring_ms].sum(axis=0)
        reached[-1] = share(fleet.population[lived_in] @ reached[:-1][lived_in], people[-1])
        found[f"reachable_{ring_ms}ms_pflops"] = reached
    return found


def _delays(fleet: Fleet, work: Work, jobs: Columns) -> dict[str, FloatArray]:
    """Latency, waits and lateness of what origins asked (region + 1,)."""
    regions, origin = len(fleet.regions), fleet.origin_region
    node_h = work.run_node_h.sum(axis=1)
    delay = np.where(node_h > 0, node_h * np.where(node_h > 0, fleet.latency_ms, 0.0), 0.0)
    of_job, started = origin[jobs["origin_index"]], jobs["start_s"] >= 0
    late = (jobs["end_s"] < 0) | (jobs["end_s"] > jobs["due_s"])
    wait_h = np.where(started, jobs["start_s"] - jobs["submit_s"], 0) / HOUR_S
    return {
        "latency_ms": share(totals(delay.sum(axis=1), origin, regions), totals(node_h.sum(axis=1), origin, regions)),
        "wait_h": _mean(wait_h, started, of_job, regions),
        "late_share": _mean(late.astype(np.float64), np.ones(len(late), dtype=bool), of_job, regions),
    }


def _mean(values: FloatArray, counted: np.ndarray, region: IntArray, regions: int) -> FloatArray:
    return share(totals(values * counted, region, regions), totals(counted.astype(np.float64), region, regions))


def _energy(fleet: Fleet, sites: Columns) -> dict[str, FloatArray]:
    """What sites draw, pay and cause (region + 1,)."""
    of = {name: totals(values, fleet.site_region, len(fleet.regions)) for name, values in sites.items()}
    return {
        "energy_mwh": of["energy_mwh"],
        "pue": share(of["facility_mwh"], of["it_mwh"]),
        "electricity_per_mwh": share(of["paid"], of["energy_mwh"]),
        "co2_kg_per_mwh": share(of["co2_kg"], of["energy_mwh"]),
        "marginal_co2_kg_per_mwh": share(of["marginal_co2_kg"], of["energy_mwh"]),
    }


def nation(readings: Iterable[Reading]) -> dict[tuple[str, str], float | None]:
    """Return the readings of the nation by indicator and class."""
    return {(one.indicator, one.compute_class): one.value for one in readings if one.region == NATION}
