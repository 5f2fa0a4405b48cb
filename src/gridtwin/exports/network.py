"""The grid of a saved run and what AC carried on it, as every network format needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from gridtwin.arrays import link_injection_mw, ratio_or_zero, sum_at
from gridtwin.errors import ResultsError
from gridtwin.exports.selection import Selection, choose
from gridtwin.records import GridData, StoreData, UnitData
from gridtwin.results.files import write_atomically
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = [
    "Carried",
    "SavedGrid",
    "carried",
    "check_power_flow",
    "check_selection",
    "chosen_steps",
    "instant",
    "saved_grid",
    "snapshot_files",
    "snapshot_steps",
    "snapshots",
    "write_file",
]

BALANCED_MW: Final = 1e-6  # parts of a bus's injection that differ from the whole by more are not this run's
LISTED: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class SavedGrid:
    """What stays the same in a run's grid."""

    grid: GridData  # links have no schedule of their own here: what was sent is in the series
    units: UnitData  # `profile` says only whether there is one
    stores: StoreData
    bus_name: tuple[str, ...]  # "" where there is none
    area: tuple[str, ...]  # (bus,)
    lat: FloatArray  # (bus,) degrees, NaN where unknown
    lon: FloatArray  # (bus,)
    length_km: FloatArray  # (line,) 0 where unknown
    link_kind: tuple[str, ...]
    link_back_mw: FloatArray  # (link,) limit to -> from
    load_mvar_per_mw: FloatArray  # (bus,)
    site: tuple[str, ...]
    site_bus: IntArray  # (site,)
    site_mvar_per_mw: FloatArray  # (site,)


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What AC carried, by element; in each step the parts at a bus add up to what was settled there.

    A unit that holds voltage takes what reactive power its bus needs, in proportion to its range. A unit at a bus whose
    reactive power is at its limit does not hold voltage any more: its share is a fixed injection.
    """

    load_mw: FloatArray  # (time, bus) served; surplus that was dumped is in it
    load_mvar: FloatArray  # (time, bus)
    site_mw: FloatArray  # (time, site) served, stores behind the meter apart
    site_mvar: FloatArray  # (time, site)
    store_mw: FloatArray  # (time, store) charge less discharge of its own converter
    stored_mwh: FloatArray  # (time, store) at the end of the step
    unit_mw: FloatArray  # (time, unit)
    unit_mvar: FloatArray  # (time, unit)
    available_mw: FloatArray  # (time, unit)
    holding: BoolArray  # (time, unit) holds voltage
    link_from_mw: FloatArray  # (time, link) injected at its from end
    link_to_mw: FloatArray  # (time, link) injected at its to end
    slack_mw: FloatArray  # (time,) given by the slack beyond the units at its bus
    slack_mvar: FloatArray  # (time,) the same where no unit there holds voltage, otherwise 0
    vm_pu: FloatArray  # (time, bus)
    va_deg: FloatArray  # (time, bus)


def saved_grid(run: SavedRun) -> SavedGrid:
    """Return the grid of a run from the inputs that it kept."""
    buses, sites = run.inputs("buses"), run.inputs("sites")
    lines, links = run.inputs("lines"), run.inputs("links")
    return SavedGrid(
        grid=_grid(buses, lines, links),
        units=_units(run.inputs("units"), run.inputs("segments")),
        stores=_stores(run.inputs("stores")),
        bus_name=_names(buses["name"]),
        area=_names(buses["area"]),
        lat=buses["lat"],
        lon=buses["lon"],
        length_km=lines["length_km"],
        link_kind=_names(links["kind"]),
        link_back_mw=links["p_nom_back_mw"],
        load_mvar_per_mw=buses["load_mvar_per_mw"],
        site=_names(sites["site"]),
        site_bus=sites["bus_index"],
        site_mvar_per_mw=np.tan(np.arccos(sites["power_factor"])),
    )


def carried(run: SavedRun, saved: SavedGrid, steps: IntArray) -> Carried:
    """Return what AC carried in some steps.

    Parameters
    ----------
    run : SavedRun
    saved : SavedGrid
    steps : ndarray (step,)

    Raises
    ------
    ResultsError
        If AC did not converge in one of the steps, or the stored parts do not add up to what was settled.
    """
    _refuse_unsolved(run, steps)
    value = {name: run.at(name, steps) for name in NEEDED}
    grid, units, stores, buses = saved.grid, saved.units, saved.stores, len(saved.grid.bus)
    at_sites = sum_at(value["facility_mw"], saved.site_bus, buses)
    served = 1.0 - ratio_or_zero(value["shed_mw"], value["load_mw"] + at_sites)
    load_mw = value["load_mw"] * served
    load_mvar = load_mw * saved.load_mvar_per_mw
    site_mw = value["facility_mw"] * served[:, saved.site_bus]
    site_mvar = site_mw * saved.site_mvar_per_mw
    load_mw = load_mw + value["dumped_mw"]
    store_mw = value["charge_mw"] - value["discharge_mw"]
    ends = np.arange(len(grid.link))
    links = len(ends)
    at_ends = link_injection_mw(value["link_mw"], ends, links + ends, grid.link_loss, 2 * links)
    link_mw = sum_at(at_ends, np.concatenate([grid.link_from, grid.link_to]), buses)
    drawn_mw = load_mw + sum_at(site_mw, saved.site_bus, buses) + sum_at(store_mw, stores.bus, buses)
    injected_mw = sum_at(value["unit_mw"], units.bus, buses) + link_mw - drawn_mw
    _check_parts(run, steps, injected_mw, value["net_injection_mw"], grid.bus)
    needed_mvar = value["bus_mvar"] + load_mvar + sum_at(site_mvar, saved.site_bus, buses)
    regulating = (value["committed"] > 0) & units.holds_voltage
    unit_mvar, left_mvar = _reactive_shares(needed_mvar, regulating, units)
    return Carried(
        load_mw=load_mw,
        load_mvar=load_mvar,
        site_mw=site_mw,
        site_mvar=site_mvar,
        store_mw=store_mw,
        stored_mwh=value["stored_mwh"],
        unit_mw=value["unit_mw"],
        unit_mvar=unit_mvar,
        available_mw=value["available_mw"],
        holding=regulating & (value["holds_voltage"][:, units.bus] > 0),
        link_from_mw=at_ends[:, :links],
        link_to_mw=at_ends[:, links:],
        slack_mw=value["bus_mw"][:, grid.slack] - injected_mw[:, grid.slack],
        slack_mvar=left_mvar[:, grid.slack],
        vm_pu=value["vm_pu"],
        va_deg=value["va_deg"],
    )


NEEDED: Final = (
    *("load_mw", "shed_mw", "dumped_mw", "facility_mw", "charge_mw", "discharge_mw", "stored_mwh", "unit_mw"),
    *(
        "available_mw",
        "committed",
        "link_mw",
        "net_injection_mw",
        "bus_mw",
        "bus_mvar",
        "holds_voltage",
        "vm_pu",
        "va_deg",
    ),
)


def check_selection(selection: Selection, format_name: str) -> None:
    """Refuse what a network format cannot do.

    Raises
    ------
    ResultsError
        If variables are selected, time is resampled or another tool's signs are asked for.
    """
    asked = {
        "a choice of variables": bool(selection.variables),
        "resampling": selection.resample_s is not None,
        f"the convention {selection.convention}": selection.convention not in {"gridtwin", format_name},
    }
    if refused := [what for what, is_asked in asked.items() if is_asked]:
        raise ResultsError(
            f"{format_name} holds a whole network step by step, with its own signs: leave out {' and '.join(refused)}; "
            "only a range of time can be chosen"
        )


def check_power_flow(run: SavedRun, format_name: str) -> None:
    """Refuse to write a power flow that was never solved.

    Raises
    ------
    ResultsError
        If the grid of the run has no lines.
    """
    if run.transport:
        raise ResultsError(
            f"{run.path}: {format_name} holds voltages and lines, and this run has none: its model has "
            "`grid.power_flow: transport`, where links carry what is sent over them; write its corridors with "
            "--to pypsa or --to geojson, their series with --to csv"
        )


def chosen_steps(run: SavedRun, selection: Selection) -> IntArray:
    """Return the steps of the run in the time chosen."""
    edges = choose(run, Selection(start=selection.start, end=selection.end)).edges
    return np.asarray(edges[:-1], dtype=np.int64)


def snapshot_steps(run: SavedRun, selection: Selection) -> IntArray:
    """Return the steps in the time chosen, and where none is chosen the step with the greatest demand.

    Demand is that of loads and sites together; the first of equal ones counts.
    """
    if not selection.whole_time:
        return chosen_steps(run, selection)
    demand_mw = run.values("load_mw").sum(axis=1) + run.values("facility_mw").sum(axis=1)
    return np.array([int(np.argmax(demand_mw))])


def snapshot_files(run: SavedRun, target: Path | str, steps: IntArray, suffix: str) -> list[Path]:
    """Say where snapshots go: one is `target` itself, several are files of a folder of that name.

    Raises
    ------
    ResultsError
        If the target is there already.
    """
    place = Path(target)
    if place.exists():
        raise ResultsError(f"{place} is there already; name another target, or remove it")
    if len(steps) == 1:
        return [place]
    stem = place.stem if place.suffix == suffix else place.name
    stamps = (instant(run, step).replace("-", "").replace(":", "") for step in steps.tolist())
    return [place / f"{stem}_{stamp}{suffix}" for stamp in stamps]


def snapshots(
    run: SavedRun, target: Path | str, selection: Selection, format_name: str, suffix: str
) -> tuple[SavedGrid, Carried, Iterator[tuple[int, int, Path]]]:
    """Return a run's grid, what AC carried in the steps chosen, and of each step its place there, its number, its file.

    Raises
    ------
    ResultsError
        If the run has no power flow, a step of it no AC solution, the selection asks for more than time, or the target
        is there already.
    """
    check_selection(selection, format_name)
    check_power_flow(run, format_name)
    steps = snapshot_steps(run, selection)
    files = snapshot_files(run, target, steps, suffix)
    saved = saved_grid(run)
    places = ((place, step, file) for place, (step, file) in enumerate(zip(steps.tolist(), files, strict=True)))
    return saved, carried(run, saved, steps), places


def instant(run: SavedRun, step: int) -> str:
    """Return when a step begins, UTC, to the second."""
    return run.facts.step_start(step).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_file(path: Path, text: str) -> None:
    """Write a text in UTF-8; a crash leaves either nothing or all of it."""
    write_atomically(path, lambda file: file.write(text.encode()))


def _names(column: np.ndarray) -> tuple[str, ...]:
    return tuple(str(name) for name in column.tolist())


def _grid(
    buses: Mapping[str, np.ndarray], lines: Mapping[str, np.ndarray], links: Mapping[str, np.ndarray]
) -> GridData:
    at_bus = ("vn_kv", "vm_min_pu", "vm_max_pu", "shunt_mw", "shunt_mvar")
    of_line = ("r_pu", "x_pu", "b_pu", "tap_ratio", "is_transformer", "rate_mw", "rate_long_mw", "rate_short_mw")
    return GridData(
        base_mva=float(buses["base_mva"][0]),
        bus=_names(buses["bus"]),
        slack=int(np.flatnonzero(buses["slack"])[0]),
        slack_vm_pu=float(buses["slack_vm_pu"][0]),
        line=_names(lines["line"]),
        line_from=lines["from_index"],
        line_to=lines["to_index"],
        link=_names(links["link"]),
        link_from=links["from_index"],
        link_to=links["to_index"],
        link_p_nom_mw=links["p_nom_mw"],
        link_schedule_mw=np.zeros(len(links["link"])),
        link_dispatched=np.ones(len(links["link"]), dtype=bool),
        link_loss=links["loss"],
        transport=not len(lines["line"]),
        **{name: buses[name] for name in at_bus},
        **{name: lines[name] for name in of_line},
    )


def _units(units: Mapping[str, np.ndarray], segments: Mapping[str, np.ndarray]) -> UnitData:
    renamed = {"unit", "bus", "technology", "profile", "store"}
    same = [field.name for field in fields(UnitData) if not field.name.startswith("segment_")]
    return UnitData(
        unit=_names(units["unit"]),
        bus=units["bus_index"],
        technology=_names(units["technology"]),
        profile=np.where(units["profiled"], 0, -1),
        store=units["store_index"],
        segment_unit=segments["unit_index"],
        segment_mw=segments["width_mw"],
        segment_cost_per_mwh=segments["cost_per_mwh"],
        segment_co2_kg_per_mwh=segments["co2_kg_per_mwh"],
        **{name: units[name] for name in same if name not in renamed},
    )


def _stores(stores: Mapping[str, np.ndarray]) -> StoreData:
    renamed = {"store", "technology", "bus", "site", "inflow"}
    return StoreData(
        store=_names(stores["store"]),
        technology=_names(stores["technology"]),
        bus=stores["bus_index"],
        site=stores["site_index"],
        inflow=stores["inflow_index"],
        **{field.name: stores[field.name] for field in fields(StoreData) if field.name not in renamed},
    )


def _reactive_shares(needed_mvar: FloatArray, regulating: BoolArray, units: UnitData) -> tuple[FloatArray, FloatArray]:
    """Share what each (time, bus) needs among the units that regulate there; return it and what finds no unit.

    Units have the same place between their limits, or equal shares where a limit is infinite or there is no range.
    """
    buses = needed_mvar.shape[1]
    low = np.where(regulating, units.q_min_mvar, 0.0)
    span = np.where(regulating, units.q_max_mvar - units.q_min_mvar, 0.0)
    total_span = sum_at(span, units.bus, buses)[:, units.bus]
    count = sum_at(regulating.astype(float), units.bus, buses)
    by_range = np.isfinite(total_span) & (total_span > 0)
    base = np.where(by_range | (total_span == 0), low, 0.0)
    equal = ratio_or_zero(regulating.astype(float), count[:, units.bus])
    share = np.where(by_range, ratio_or_zero(span, total_span), equal)
    above_mvar = needed_mvar - sum_at(base, units.bus, buses)
    unit_mvar = np.where(regulating, base + share * above_mvar[:, units.bus], 0.0)
    return unit_mvar, np.where(count > 0, 0.0, needed_mvar)


def _refuse_unsolved(run: SavedRun, steps: IntArray) -> None:
    lost = steps[run.dataset["ac_converged"][steps].to_numpy() == 0]
    if len(lost):
        named = ", ".join(instant(run, step) for step in lost[:LISTED].tolist())
        more = f" and {len(lost) - LISTED} more" if len(lost) > LISTED else ""
        raise ResultsError(
            f"{run.path}: AC did not converge in {len(lost)} of {len(steps)} steps ({named}{more}), so there is "
            "nothing to export of them; choose a time without them"
        )


def _check_parts(
    run: SavedRun, steps: IntArray, parts_mw: FloatArray, whole_mw: FloatArray, bus: tuple[str, ...]
) -> None:
    wrong = np.argwhere(~(np.abs(parts_mw - whole_mw) <= BALANCED_MW))
    if len(wrong):
        step, place = wrong[0].tolist()
        raise ResultsError(
            f"{run.path}: at {instant(run, int(steps[step]))} units, loads, sites, stores and links inject "
            f"{parts_mw[step, place]:.9g} MW at bus {bus[place]!r}, but {whole_mw[step, place]:.9g} MW were settled "
            f"there; look for damage with: gridtwin verify {run.path}"
        )
