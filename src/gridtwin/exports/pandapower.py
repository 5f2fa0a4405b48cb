"""Snapshots of a run as pandapower networks, of which a plain `runpp` finds the voltages that the run stored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gridtwin.exports.network import (
    Carried,
    SavedGrid,
    instant,
    snapshots,
    write_file,
)
from gridtwin.exports.selection import Selection
from gridtwin.grid.network import build_net
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import FloatArray

if TYPE_CHECKING:
    from pandapower.auxiliary import pandapowerNet

__all__ = ["snapshot_net", "write"]


def write(run: SavedRun, target: Path | str, selection: Selection) -> None:
    """Write the step with the greatest demand, or every step of the time chosen, one JSON file each.

    Parameters
    ----------
    run : SavedRun
    target : Path
        File; of several steps, a folder of that name.
    selection : Selection
        Only its time is looked at.

    Raises
    ------
    ResultsError
        If a step has no AC solution, the selection asks for more than time, or the target is there already.
    """
    import pandapower as pp  # noqa: PLC0415 - takes seconds to import

    saved, settled, places = snapshots(run, target, selection, "pandapower", ".json")
    for place, step, file in places:
        net = snapshot_net(saved, settled, place)
        net.name = f"{run.run_id} {instant(run, step)}"
        write_file(file, pp.to_json(net))


def snapshot_net(saved: SavedGrid, settled: Carried, step: int) -> pandapowerNet:
    """Return one step as a network.

    A unit is in `gen` while it holds voltage and in `sgen`, with the power that was settled, otherwise: weather-driven
    units, idle ones, and those whose bus is at its reactive limit. HVDC is two `sgen` with what was settled at either
    end. Transformers have their tap where the run had it.

    Parameters
    ----------
    saved : SavedGrid
    settled : Carried
    step : int
        Place in `settled`.
    """
    import pandapower as pp  # noqa: PLC0415

    holding = settled.holding[step]
    net = build_net(saved.grid, replace(saved.units, holds_voltage=holding))
    _name_buses(net, saved)
    _stretch_lines(net, saved)
    net.load["p_mw"], net.load["q_mvar"] = settled.load_mw[step], settled.load_mvar[step]
    net.load["type"] = "native"
    _fill_units(net, saved, settled, step)
    pp.create_loads(
        net, saved.site_bus, settled.site_mw[step], settled.site_mvar[step], name=list(saved.site), type="data_centre"
    )
    _add_stores(net, saved, settled, step)
    return net


def _fill_units(net: pandapowerNet, saved: SavedGrid, settled: Carried, step: int) -> None:
    units, holding = saved.units, settled.holding[step]
    technology = np.array(units.technology, dtype=object)
    net.gen["p_mw"], net.gen["type"] = settled.unit_mw[step, holding], technology[holding]
    ends = np.stack([settled.link_from_mw[step], settled.link_to_mw[step]], axis=1).ravel()
    net.sgen["p_mw"] = np.concatenate([settled.unit_mw[step, ~holding], ends])
    net.sgen["q_mvar"] = np.concatenate([settled.unit_mvar[step, ~holding], np.zeros(len(ends))])
    net.sgen["type"] = [*technology[~holding], *(["HVDC"] * len(ends))]


def _add_stores(net: pandapowerNet, saved: SavedGrid, settled: Carried, step: int) -> None:
    """Add stores with a converter of their own; reservoirs and the like show in what their units give."""
    import pandapower as pp  # noqa: PLC0415

    stores = saved.stores
    for index in np.flatnonzero((stores.charge_mw > 0) | (stores.discharge_mw > 0)).tolist():
        pp.create_storage(
            net,
            int(stores.bus[index]),
            p_mw=float(settled.store_mw[step, index]),
            max_e_mwh=float(stores.energy_mwh[index]),
            soc_percent=float(100 * settled.stored_mwh[step, index] / stores.energy_mwh[index]),
            name=stores.store[index],
            type=stores.technology[index],
        )


def _name_buses(net: pandapowerNet, saved: SavedGrid) -> None:
    net.bus["zone"] = list(saved.area)
    net.bus["long_name"] = list(saved.bus_name)
    net.bus["geo"] = [_point(lat, lon) for lat, lon in zip(saved.lat, saved.lon, strict=True)]


def _point(lat: float, lon: float) -> str | None:
    if np.isnan(lat) or np.isnan(lon):
        return None
    return json.dumps({"type": "Point", "coordinates": [float(lon), float(lat)]})


def _stretch_lines(net: pandapowerNet, saved: SavedGrid) -> None:
    """Give lines the length that the model states; what is per kilometre shrinks as much."""
    length_km: FloatArray = saved.length_km[~saved.grid.is_transformer]
    known = np.where(length_km > 0, length_km, 1.0)
    for column in ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"):
        net.line[column] /= known
    net.line["length_km"] = known
