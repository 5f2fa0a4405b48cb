"""A dataset with everything that its labels stand for: places, technologies, ends of lines, each with its unit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from gridtwin.results.dataset import open_results
from gridtwin.results.files import read_columns
from gridtwin.results.run_facts import RunFacts, read_facts
from gridtwin.results.store import RunFolder

__all__ = ["open_labelled"]

TABLES: Final = {
    "bus": "buses",
    "line": "lines",
    "link": "links",
    "unit": "units",
    "store": "stores",
    "site": "sites",
    "origin": "origins",
}
DIMENSIONS: Final = {
    "bus": "bus of the grid",
    "line": "line or transformer",
    "link": "HVDC link, positive from its from end to its to end",
    "unit": "generating unit or condenser",
    "store": "store of energy",
    "site": "data centre",
    "origin": "where work is submitted",
    "compute_class": "kind of computing",
    "queue": "origin / class / delay class / longest runtime",
    "element": "what sets a price: a unit, a line, a store, a link, or a penalty",
    "window": "number of the decision, from 0",
}
KEPT: Final = {  # column: unit, meaning
    "name": ("", "name for people"),
    "area": ("", "area of the bus"),
    "whole": ("", "origin that it is a part of, or itself"),
    "lat": ("degrees_north", "latitude"),
    "lon": ("degrees_east", "longitude"),
    "vn_kv": ("kV", "rated voltage"),
    "technology": ("", "technology, as the model calls it"),
    "renewable": ("1", "whether its energy counts as renewable"),
    "p_max_mw": ("MW", "greatest output"),
    "p_nom_mw": ("MW", "rated power"),
    "energy_mwh": ("MWh", "capacity"),
    "is_transformer": ("1", "whether it is a transformer"),
    "rate_mw": ("MW", "continuous rating; inf: none"),
    "length_km": ("km", "length; 0: unknown"),
    "connection_mw": ("MW", "limit at the meter; inf: none"),
}
ENDS: Final = {
    "bus_index": ("bus", "bus that it is at"),
    "from_index": ("from_bus", "bus at its from end"),
    "to_index": ("to_bus", "bus at its to end"),
    "site_index": ("site", "data centre behind whose meter it is; empty: none"),
}
QUEUE_PARTS: Final = ("origin", "compute_class", "delay_class")


def open_labelled(path: Path | str) -> xr.Dataset:
    """Open the results of a run as a dataset in which everything has a name, a unit and a place.

    Parameters
    ----------
    path : path
        Folder of a run, or the `results.nc` in it.

    Returns
    -------
    Dataset
        All series of the run by the names of the table of variables. Beside the labels of each dimension stands what
        they are, to select, group and draw by: `unit_technology`, `unit_bus`, `unit_area`, `bus_lat`, `line_from_bus`.
        Attributes give scenario, policy and currency. A `results.nc` that left its folder has labels only.

    Raises
    ------
    ResultsError
        If there are no results, or they cannot be read.
    """
    place = Path(path)
    dataset = open_results(place)
    for name, meaning in DIMENSIONS.items():
        if name in dataset.coords:
            dataset[name].attrs.setdefault("long_name", meaning)
    folder = RunFolder(place if place.is_dir() else place.parent)
    if not folder.inputs.is_dir():
        return dataset
    facts = read_facts(folder)
    described = dataset.assign_coords(
        {name: array for name, array in _coordinates(folder, facts) if name not in dataset}
    )
    described.attrs |= {
        "run_id": folder.path.resolve().name,
        "scenario": facts.scenario,
        "policy": facts.policy,
        "currency": facts.currency,
        "seed": facts.seed,
    }
    return described


def _coordinates(folder: RunFolder, facts: RunFacts) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield what the kept tables say of each label."""
    tables = {dim: read_columns(folder.inputs / f"{table}.parquet") for dim, table in TABLES.items()}
    labels = {dim: np.append(tables[dim][dim].astype(object), "") for dim in ("bus", "site")}  # -1 is the last of them
    area = np.append(tables["bus"]["area"].astype(object), "")
    for dim, columns in tables.items():
        for name, (unit, meaning) in KEPT.items():
            if name in columns:
                yield f"{dim}_{name}", _array(dim, columns[name], unit, meaning)
        for name, (end, meaning) in ENDS.items():
            if name in columns:
                yield (
                    f"{dim}_{end}",
                    _array(dim, labels["site" if end == "site" else "bus"][columns[name]], "", meaning),
                )
        if "bus_index" in columns:
            yield f"{dim}_area", _array(dim, area[columns["bus_index"]], "", "area of its bus")
    yield from _queues(facts)


def _queues(facts: RunFacts) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield the parts of each queue's label: origins, classes and delay classes in order, the runtimes within."""
    parts = facts.coords["origin"], facts.coords["compute_class"], facts.delay_class
    shape = tuple(len(part) for part in parts)
    bins = len(facts.coords["queue"]) // int(np.prod(shape))
    index = np.indices((*shape, bins)).reshape(len(shape) + 1, -1)
    for axis, (name, part) in enumerate(zip(QUEUE_PARTS, parts, strict=True)):
        yield f"queue_{name}", _array("queue", np.asarray(part, dtype=object)[index[axis]], "", f"{name} of its jobs")


def _array(dim: str, values: np.ndarray, unit: str, meaning: str) -> xr.DataArray:
    text = values.dtype.kind in "OU"
    attrs = {"long_name": meaning} | ({"units": unit} if unit else {})
    return xr.DataArray(values.astype(str) if text else values, dims=(dim,), attrs=attrs)
