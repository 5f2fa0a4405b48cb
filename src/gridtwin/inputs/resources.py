"""What a model folder holds for the registry of compute: its machines, by identifier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.pools import Pool
from gridtwin.errors import InputError, Issue
from gridtwin.inputs.fleet import fleet_issues
from gridtwin.inputs.places import find_model, model_names
from gridtwin.inputs.tables import ModelFolder, read_model
from gridtwin.located import Position, did_you_mean, rows

__all__ = ["read_pools"]


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
    return tuple(_pools(model))


def _pools(model: ModelFolder) -> Iterator[Pool]:
    """Yield the pools of a model without issues."""
    area = dict(zip(model.tables["buses"].text("bus"), model.tables["buses"].text("area"), strict=True))
    sites = {site["site"]: site for site in rows(model.tables["sites"])}
    for row in rows(model.tables["nodes"]):
        site, hardware = sites[row["site"]], load_hardware()[row["hardware"]]
        region = site["region"] or area[site["bus"]]
        if row["nodes"]:
            yield Pool(
                identifier=Identifier(
                    model.spec.country, region, row["site"], row["compute_class"], row["hardware"], 1, int(row["nodes"])
                ),
                hardware=hardware,
                vintage=int(row["vintage"]) or hardware.vintage,
                name=site["name"],
                name_zh=site["name_zh"],
                tier=site["tier"],
                hub=site["hub"],
            )
