"""What a model folder holds for the registry of compute: its machines, by identifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.pools import Pool
from gridtwin.catalogue.readings import with_readings
from gridtwin.catalogue.registry import Registry
from gridtwin.errors import InputError, Issue
from gridtwin.inputs.fleet import fleet_issues
from gridtwin.inputs.places import find_model, model_names
from gridtwin.inputs.tables import read_model
from gridtwin.located import Position, did_you_mean, rows

__all__ = ["open_registry", "pools_of", "read_pools"]


def open_registry(model: str = "", variants: Sequence[str] = (), readings: Path | None = None) -> Registry:
    """Return the registry of compute of a model, or of what ships with gridtwin.

    Parameters
    ----------
    model : str
        Folder of a model, or the name of a shipped one; empty for systems and node units alone.
    variants : sequence of str
        Of the model, the last one wins.
    readings : Path, optional
        CSV file of measured throughput.

    Raises
    ------
    InputError
        If there is no such model or variant, or its fleet or the readings cannot be read.

    Examples
    --------
    >>> from gridtwin.catalogue.pools import totals
    >>> for found in totals(open_registry("starter").pools):
    ...     print(found.compute_class, found.metered, found.uses, sep=": ")
    general: 943.7 PFLOP/s FP32: published peak
    inference: 7.531 EFLOP/s FP16: published peak
    intelligent: 44.33 EFLOP/s FP16: published peak
    """
    if not model:
        return Registry()
    pools = read_pools(model, variants)
    return Registry(pools=with_readings(pools, readings) if readings else pools, model=model)


def read_pools(name: str, variants: Sequence[str] = ()) -> tuple[Pool, ...]:
    """Read the machines of a model.

    Parameters
    ----------
    name : str
        Folder of a model, or the name of a shipped one.
    variants : sequence of str
        Of the model, the last one wins.

    Returns
    -------
    tuple of Pool
        In the order of the table of nodes; pools without machines are left out.

    Raises
    ------
    InputError
        If there is no such model or variant, or its fleet cannot be read.
    """
    folder = find_model(name, Path())
    if folder is None:
        hint = did_you_mean(name, model_names(Path()))
        raise InputError([Position(name).issue(f"no folder with a model.yaml and no shipped model of that name{hint}")])
    issues: list[Issue] = []
    model = read_model(folder, issues, variants)
    if model is not None:
        known = list(model.spec.variants)
        unknown = [variant for variant in variants if variant not in known]
        issues += [Position(name).issue(f"no variant {given!r}{did_you_mean(given, known)}") for given in unknown]
        issues += fleet_issues(model)
    if issues or model is None:
        raise InputError(issues)
    buses, sites, nodes = (model.tables[table] for table in ("buses", "sites", "nodes"))
    area = dict(zip(buses.text("bus"), buses.text("area"), strict=True))
    return tuple(pools_of(model.spec.country, rows(sites), rows(nodes), area))


def pools_of(
    country: str, sites: Iterable[Mapping[str, Any]], nodes: Iterable[Mapping[str, Any]], area: Mapping[str, str]
) -> Iterator[Pool]:
    """Yield the pools of a fleet without issues.

    Parameters
    ----------
    country : str
    sites, nodes : iterable of mapping
        Rows of the tables.
    area : mapping of str to str
        Of each bus; the region of its sites that have none.
    """
    by_name = {site["site"]: site for site in sites}
    for row in nodes:
        site, unit, count = by_name[row["site"]], row["hardware"], int(row["nodes"])
        region, hardware = site["region"] or area[site["bus"]], load_hardware()[unit]
        if count:
            yield Pool(
                identifier=Identifier(country, region, row["site"], row["compute_class"], unit, 1, count),
                hardware=hardware,
                vintage=int(row["vintage"]) or hardware.vintage,
                name=site["name"],
                name_zh=site["name_zh"],
                tier=site["tier"],
                hub=site["hub"],
            )
