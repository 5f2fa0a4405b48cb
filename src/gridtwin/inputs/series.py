"""The series of a run from those of its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.catalogue.cooling import COOLING, pue
from gridtwin.errors import Issue
from gridtwin.inputs.clock import shortest, skipped_s
from gridtwin.inputs.generation import minimum_names, profile_names
from gridtwin.inputs.network import contract_names
from gridtwin.inputs.serving import service_load
from gridtwin.inputs.stores import inflow_names
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.located import Position, did_you_mean
from gridtwin.profiles.files import Series
from gridtwin.profiles.resample import resample, wrapped
from gridtwin.profiles.series import Profiles
from gridtwin.records import Fleet
from gridtwin.scenario.load import LocatedScenario
from gridtwin.scenario.schema import Scenario
from gridtwin.timegrid import TimeGrid
from gridtwin.units import W_PER_MW, BoolArray, FloatArray

__all__ = ["connection_issues", "run_profiles", "series_issues"]

RESERVE = "up_mw"


def series_issues(scenario: LocatedScenario, model: ModelFolder) -> Iterator[Issue]:
    """Check the series of a model against each other, and whether it has those that are to come true."""
    yield from _reserve_issues(model)
    for name, actual in model.real_time.items():
        yield from _overlay_issues(model, name, actual)
    assert scenario.value is not None
    if (
        scenario.value.series == "real_time"
        and model.model.sound("profiles")
        and not model.spec.profiles.real_time.files
    ):
        message = "model.yaml names no file under profiles.real_time"
        yield scenario.issue(f"{message}; add what came true, or choose scheduled", "series")


def _reserve_issues(model: ModelFolder) -> Iterator[Issue]:
    """Reserve is required of the whole system, or of areas."""
    reserve = model.series.get("reserve")
    if reserve is None or reserve.name == (RESERVE,) or not model.has("buses"):
        return
    areas = model.tables["buses"].text("area")
    for column, name in enumerate(reserve.name, start=1):
        if name not in areas:
            message = f"unknown column {name!r}{did_you_mean(name, areas)}"
            yield Position(reserve.file, 1, column).issue(f"{message}; expected areas of buses, or {RESERVE} alone")


def _area_reserve_mw(model: ModelFolder, at_run: Callable[[str, tuple[str, ...]], FloatArray]) -> FloatArray:
    """Reserve that each area holds (step, area), areas in the order of their names; 0 where none is asked."""
    areas = sorted(set(model.tables["buses"].text("area")))
    given = model.series["reserve"].name if "reserve" in model.series else ()
    asked = tuple(area for area in areas if area in given)
    if not asked:
        return np.zeros((len(at_run("load", tuple(areas))), len(areas)))
    values = at_run("reserve", asked)
    reserve_mw = np.zeros((len(values), len(areas)))
    reserve_mw[:, [areas.index(area) for area in asked]] = values
    return reserve_mw


def _overlay_issues(model: ModelFolder, name: str, actual: Series) -> Iterator[Issue]:
    """What came true has as many rows as what was scheduled, and no columns beside its."""
    scheduled = model.series.get(name)
    if scheduled is None:
        if getattr(model.spec.profiles, name) is None:
            message = f"the model has no profiles.{name} that these series could replace"
            yield model.model.issue(message, "profiles", "real_time", name)
        return
    for column, given in enumerate(actual.name, start=1):
        if given not in scheduled.name:
            message = f"unknown profile, no column of {scheduled.file}, {given!r}{did_you_mean(given, scheduled.name)}"
            yield Position(actual.file, 1, column).issue(message)
    if len(actual.values) != len(scheduled.values):
        message = f"has {len(actual.values)} rows, {scheduled.file} has {len(scheduled.values)}"
        yield Position(actual.file).issue(f"{message}; expected one for each")


def run_profiles(
    scenario: Scenario, model: ModelFolder, fleet: Fleet, may: BoolArray, wanted_steps: int = 0
) -> Profiles:
    """Build the series of a run whose scenario and model have no issues.

    Parameters
    ----------
    scenario : Scenario
    model : ModelFolder
    fleet : Fleet
    may : ndarray (origin, class, site)
        Which sites may serve which origin.
    wanted_steps : int
        How far the series shall reach if the model's wrap round; all that it has is always there.
    """
    buses, sites = model.tables["buses"], model.tables["sites"]
    step_s, skip_s = scenario.time.step, skipped_s(scenario, model)
    wanted_s = skip_s + wanted_steps * step_s if scenario.time.wrap else 0

    def at_run(name: str, columns: tuple[str, ...]) -> FloatArray:
        series = model.series[name]
        values = wrapped(series.columns(columns), -(-wanted_s // series.clock.step_s))
        return resample(values, series.clock.step_s, step_s, skip_s)

    load_mw = at_run("load", buses.text("area")) * numbers(buses, "load_share")
    base_mw, base_mvar = numbers(buses, "load_mw"), numbers(buses, "load_mvar")
    mvar_per_mw = ratio_or_zero(base_mvar, base_mw)
    names, inflows = profile_names(model), inflow_names(model)
    nothing = np.zeros((len(load_mw), 0))
    available_mw = at_run("availability", names) if names else nothing
    inflow_mw = at_run("inflow", inflows) if inflows else nothing
    minima, contracts = minimum_names(model), contract_names(model)
    minimum_mw = at_run("minimum", minima) if minima else nothing
    contract_mw = at_run("contract", contracts) if contracts else nothing
    of_system = "reserve" in model.series and model.series["reserve"].name == (RESERVE,)
    reserve_mw = at_run("reserve", (RESERVE,))[:, 0] if of_system else np.zeros(len(load_mw))
    area_reserve_mw = _area_reserve_mw(model, at_run)
    facility = _site_pue(model, at_run("temperature", sites.text("station")))
    steps = min(map(len, (load_mw, available_mw, inflow_mw, minimum_mw, contract_mw, area_reserve_mw, facility)))
    service_nodes, requests_gb = service_load(scenario, model, fleet, may, steps)
    return Profiles(
        profile=names,
        load_mw=load_mw[:steps],
        load_mvar=load_mw[:steps] * mvar_per_mw,
        available_mw=available_mw[:steps],
        inflow_mw=inflow_mw[:steps],
        minimum_mw=minimum_mw[:steps],
        contract_mw=contract_mw[:steps],
        reserve_mw=reserve_mw[:steps],
        area_reserve_mw=area_reserve_mw[:steps],
        pue=facility[:steps],
        service_nodes=service_nodes,
        requests_gb=requests_gb,
        model_steps=min(steps, (shortest(model.series.values()).length_s - skip_s) // step_s),
    )


def _site_pue(model: ModelFolder, temp_air_degc: FloatArray) -> FloatArray:
    """Return the PUE of each site (step, site) by its cooling.

    Where the table of sites gives an annual mean, what cooling adds to 1 is scaled, so that the PUE has that mean over
    the model's temperatures.
    """
    sites, series = model.tables["sites"], model.series["temperature"]
    stations, cooling = sites.text("station"), [COOLING[name] for name in sites.text("cooling")]
    facility = np.stack([pue(temp_air_degc[:, s], kind) for s, kind in enumerate(cooling)], axis=1)
    for s in np.flatnonzero(~np.isnan(numbers(sites, "pue"))).tolist():
        over_year = pue(series.columns((stations[s],))[:, 0], cooling[s])
        facility[:, s] = 1.0 + (facility[:, s] - 1.0) * (numbers(sites, "pue")[s] - 1.0) / (over_year.mean() - 1.0)
    return facility


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
