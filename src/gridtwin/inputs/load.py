"""From a scenario file to a study."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timezone
from pathlib import Path
from typing import Any

from gridtwin.errors import InputError, Issue
from gridtwin.inputs.clock import clock_issues, coverage_issues, skipped_s, time_grid, wanted_steps
from gridtwin.inputs.demand import draw_jobs, find_traces, fit_issues, name_issues, read_traces
from gridtwin.inputs.facts import model_facts
from gridtwin.inputs.fleet import fleet_data, fleet_issues, reachable
from gridtwin.inputs.forecasts import forecast_issues
from gridtwin.inputs.generation import unit_data, unit_issues, unit_terms
from gridtwin.inputs.network import geography, grid_data, link_terms, network_issues, power_flow_issues
from gridtwin.inputs.places import find_model, model_names
from gridtwin.inputs.series import connection_issues, run_profiles, series_issues
from gridtwin.inputs.siting import siting_issues
from gridtwin.inputs.stores import store_data, store_issues
from gridtwin.inputs.study import Study
from gridtwin.inputs.supply import contracts, supply_issues
from gridtwin.inputs.tables import ModelFolder, read_model
from gridtwin.inputs.tariffs import tariff_issues
from gridtwin.inputs.terms import site_terms, terms_issues
from gridtwin.inputs.transfers import transfer_issues
from gridtwin.inputs.unserved import unserved_issues
from gridtwin.located import did_you_mean, shown
from gridtwin.records import Fleet, Geography
from gridtwin.scenario.load import LocatedScenario, read_scenario
from gridtwin.scenario.schema import Scenario
from gridtwin.workload.traces import Trace

__all__ = ["load_study"]

FLEET_TABLES = ("buses", "sites", "nodes", "origins", "wan")


def load_study(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """Read a scenario with its model and traces, and check them against each other.

    Parameters
    ----------
    path : str or Path
        Scenario file.
    overrides : sequence of str
        `a.b=value`, the value in YAML; later ones win.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        With everything that is wrong with the scenario, the model and the traces.
    """
    path = Path(path)
    issues: list[Issue] = []
    scenario = read_scenario(path, overrides, issues)
    model = _model(scenario, path.parent, issues)
    trace_files = find_traces(scenario, path.parent, issues) if scenario.value else {}
    traces = read_traces(trace_files, issues)
    if model:
        issues += [*network_issues(model), *unit_issues(model), *store_issues(model), *fleet_issues(model)]
        issues += siting_issues(model)
        issues += [*tariff_issues(model), *supply_issues(model), *terms_issues(model)]
    if scenario.value and model:
        issues += power_flow_issues(scenario, model)
        issues += [*series_issues(scenario, model), *clock_issues(scenario, model), *name_issues(scenario, model)]
        if fleet := _fleet(scenario.value, model, issues):
            may = reachable(model, scenario.value, fleet)
            issues += [
                *unserved_issues(scenario, model, fleet),
                *fit_issues(scenario, fleet, traces),
                *transfer_issues(scenario, fleet, traces, may),
            ]
    if issues or model is None:
        raise InputError(issues)
    return _study(path.stem, scenario, model, traces, trace_files)


def _model(scenario: LocatedScenario, near: Path, issues: list[Issue]) -> ModelFolder | None:
    """Read the model a scenario names."""
    if scenario.value is None or not scenario.sound("model"):
        return None
    name = scenario.value.model
    folder = find_model(name, near)
    if folder is None:
        hint = did_you_mean(name, model_names(near))
        issues.append(scenario.issue(f"no folder with a model.yaml and no shipped model {name!r}{hint}", "model"))
        return None
    wanted = scenario.value.variants if scenario.sound("variants") else ()
    model = read_model(folder, issues, wanted)
    if model is not None:
        known = list(model.spec.variants)
        issues += [
            scenario.issue(f"model {name!r} has no variant {variant!r}{did_you_mean(variant, known)}", "variants", i)
            for i, variant in enumerate(wanted)
            if variant not in known
        ]
    return model


def _fleet(scenario: Scenario, model: ModelFolder, issues: Sequence[Issue]) -> Fleet | None:
    """Build the fleet where nothing is wrong with its tables, so that more can be checked."""
    faulty = {issue.file for issue in issues}
    if not model.model.sound("compute") or any(
        name not in model.tables or model.tables[name].file in faulty for name in FLEET_TABLES
    ):
        return None
    return fleet_data(model, scenario)


def _study(
    name: str,
    located: LocatedScenario,
    model: ModelFolder,
    traces: Mapping[str, Trace],
    trace_files: Mapping[str, Path],
) -> Study:
    """Build a study from parts without issues; what only shows in the whole is checked last."""
    scenario = located.value
    fleet = None if scenario is None else _fleet(scenario, model, ())
    assert scenario is not None
    assert fleet is not None
    time = time_grid(scenario)
    jobs, job_counts = draw_jobs(scenario, fleet, traces, skipped_s(scenario, model))
    last_due_s = int(jobs.due_s.max(initial=0))
    may, wanted = reachable(model, scenario, fleet), wanted_steps(time, last_due_s)
    scheduled = run_profiles(scenario, model, fleet, may, wanted)
    surprised = scenario.series == "real_time"
    series = run_profiles(scenario, model.came_true, fleet, may, wanted) if surprised else scheduled
    day_ahead = scheduled if surprised else None
    run_steps = time.windows_until(last_due_s) * time.window_steps
    issues = [
        *coverage_issues(located, time, last_due_s, series.steps),
        *forecast_issues(located, time, series, day_ahead),
        *connection_issues(model, fleet, series, time, run_steps),
        *_outside(model),
    ]
    if issues:
        raise InputError(issues)
    grid, units, stores = grid_data(model), unit_data(model), store_data(model)
    place = f"models/{model.spec.name}"
    files = {f"{place}/{os.path.relpath(file, model.folder)}": file for file in model.files}
    trace_keys = _trace_keys(trace_files)
    files |= {trace_keys[name]: file for name, file in trace_files.items()}
    offset = model.spec.profiles.start.utcoffset()
    assert offset is not None
    sizes = {
        "buses": grid.bus,
        "lines": grid.line,
        "links": grid.link,
        "units": units.unit,
        "stores": stores.store,
        "sites": fleet.site,
    }
    return Study(
        name=name,
        scenario=scenario,
        resolved=scenario.resolved(),
        portable=_portable(scenario.resolved(), place, trace_keys),
        currency=model.spec.currency,
        time=time,
        grid=grid,
        units=units,
        stores=stores,
        fleet=fleet,
        link_terms=link_terms(model, scenario.dispatch.balancing),
        unit_terms=unit_terms(model),
        site_terms=site_terms(model, fleet),
        contracts=contracts(model),
        geography=_places(model, fleet),
        facts=model_facts(model),
        jobs=jobs,
        profiles=series,
        day_ahead=day_ahead,
        zone=timezone(offset),
        model_hashes={key: hashlib.sha256(file.read_bytes()).hexdigest() for key, file in files.items()},
        files=files,
        counts={key: len(names) for key, names in sizes.items()} | {"jobs": len(jobs)} | job_counts,
    )


def _places(model: ModelFolder, fleet: Fleet) -> Geography:
    """Return where things are; a part of an origin is where the origin is, and its name says which part it is."""
    places, known = geography(model), model.tables["origins"].text("origin")
    whole = [fleet.axes.origin[o] for o in fleet.axes.link_origin.tolist()]
    row = [known.index(name) for name in whole]
    names = [places.origin_name[r] for r in row]
    parts = [part.removeprefix(name) for part, name in zip(fleet.axes.origin, whole, strict=True)]
    return replace(
        places,
        origin_name=tuple(name + part if name else "" for name, part in zip(names, parts, strict=True)),
        origin_lat=places.origin_lat[row],
        origin_lon=places.origin_lon[row],
    )


def _outside(model: ModelFolder) -> Iterator[Issue]:
    """Yield files that the model names but does not hold: a run keeps a copy of the whole folder."""
    for file in model.files:
        if os.path.relpath(file, model.folder).startswith(os.pardir):
            yield Issue(shown(file), 0, 0, f"lies outside the model folder {shown(model.folder)}; move it there")


def _trace_keys(files: Mapping[str, Path]) -> dict[str, str]:
    """Return a name in `traces/` for each trace of a scenario; files of one name from two folders are numbered."""
    keys: dict[Path, str] = {}
    for path in files.values():
        taken = [key for other, key in keys.items() if other.name == path.name]
        keys.setdefault(path, f"traces/{len(taken)}_{path.name}" if taken else f"traces/{path.name}")
    return {name: keys[path] for name, path in files.items()}


def _portable(resolved: dict[str, Any], model: str, trace_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return a resolved scenario that finds its model and traces by their paths relative to it."""
    workload = resolved["workload"]
    batch = [stream | {"trace": trace_keys[stream["trace"]]} for stream in workload["batch"]]
    return resolved | {"model": model, "workload": workload | {"batch": batch}}
