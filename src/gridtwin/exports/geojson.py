"""Sites, buses, lines, links and origins on the map, each with what it did (RFC 7946)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, product
from pathlib import Path
from typing import Any, Final

import numpy as np

from gridtwin.errors import ResultsError
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import MAKE, Chosen, Selection, choose
from gridtwin.results.saved_run import SavedRun
from gridtwin.results.variables import Resample, variables

__all__ = ["write"]

DIGITS: Final = 7  # of a degree, a centimetre
KINDS: Final = ("site", "bus", "line", "link", "origin")
EXTREMES: Final[tuple[Resample, ...]] = ("min", "max")
Position = list[float]


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write one collection of features.

    A variable becomes properties over the time chosen: `_mean` with `_min` and `_max`, or `_sum`, `_last`, `_min`,
    `_max` alone, as the table of variables has it; one for each class or site where it runs along these too.

    Raises
    ------
    ResultsError
        If the model has no coordinates, or the run is to be resampled.
    """
    if selection.resample_s is not None:
        raise ResultsError("geojson holds one value for the whole time chosen; leave out --resample")
    chosen = choose(run, selection)
    places = _places(run)
    features = []
    for done, kind in enumerate(KINDS):
        features += list(_features(chosen, kind, places[kind]))
        progress(done + 1, len(KINDS))
    collection = {"type": "FeatureCollection", "features": features}
    text = json.dumps(collection, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    Path(target).write_text(text + "\n", encoding="utf-8")
    return {kind: len(run.facts.coords[kind]) for kind in KINDS}


def _places(run: SavedRun) -> Mapping[str, Sequence[Mapping[str, Any] | None]]:
    """Return the geometry of everything of each kind, None where its coordinates are not known."""
    points = {kind: _points(run.inputs(f"{_plural(kind)}")) for kind in ("site", "bus", "origin")}
    if not any(points["bus"]) and not any(points["site"]):
        raise ResultsError(
            f"{run.path}: model {run.scenario['model']} has no coordinates; give lat and lon in its tables of buses, "
            "sites and origins and run the scenario again"
        )
    places: dict[str, Sequence[Mapping[str, Any] | None]] = {
        kind: [{"type": "Point", "coordinates": point} if point else None for point in found]
        for kind, found in points.items()
    }
    for kind in ("line", "link"):
        ends = run.inputs(_plural(kind))
        pairs = zip(ends["from_index"].tolist(), ends["to_index"].tolist(), strict=True)
        places[kind] = [_between(points["bus"][begin], points["bus"][end]) for begin, end in pairs]
    return places


def _plural(kind: str) -> str:
    return "buses" if kind == "bus" else f"{kind}s"


def _points(table: Mapping[str, np.ndarray]) -> list[Position | None]:
    """Return longitude and latitude, in this order."""
    pairs = np.round(np.stack([table["lon"], table["lat"]], axis=1), DIGITS)
    return [pair if all(map(math.isfinite, pair)) else None for pair in pairs.tolist()]


def _between(begin: Position | None, end: Position | None) -> Mapping[str, Any] | None:
    return {"type": "LineString", "coordinates": [begin, end]} if begin and end else None


def _features(chosen: Chosen, kind: str, places: Sequence[Mapping[str, Any] | None]) -> Iterator[Mapping[str, Any]]:
    run = chosen.run
    columns = {**_known(run, kind), **_aggregates(chosen, kind)}
    for row, name, place in zip(count(), run.facts.coords[kind], places, strict=False):
        properties = {key: values[row] for key, values in columns.items()}
        yield {
            "type": "Feature",
            "id": f"{kind}/{name}",
            "geometry": place,
            "properties": {"kind": kind, kind: name, **properties},
        }


def _known(run: SavedRun, kind: str) -> Mapping[str, Sequence[Any]]:
    """What the model says of everything of a kind."""
    table = {**_facts(run, kind), **run.inputs(_plural(kind))}
    bus = run.facts.coords["bus"]
    kept = {name: _plain(table[name]) for name in KEPT if name in table}
    ends = {
        column.removesuffix("_index"): [bus[place] for place in table[column].tolist()]
        for column in ("bus_index", "from_index", "to_index")
        if column in table
    }
    kinds = {"link_kind": _plain(table["kind"])} if kind == "link" else {}
    return {**kept, **kinds, **ends}


def _facts(run: SavedRun, kind: str) -> Mapping[str, np.ndarray]:
    """Chinese names of a kind and tiers of sites. Parts of origins are rows of their own, which facts do not have."""
    if kind == "origin":
        return {"name_zh": np.array(run.called(kind, "zh"), dtype=str)}
    return run.inputs(f"{kind}_facts") if kind in {"site", "bus"} else {}


KEPT: Final[tuple[str, ...]] = (
    *("name", "name_zh", "area", "vn_kv", "connection_mw", "is_transformer", "rate_mw", "length_km"),
    *("p_nom_mw", "p_nom_back_mw", "tier"),
)


def _aggregates(chosen: Chosen, kind: str) -> Mapping[str, Sequence[Any]]:
    """What each variable of a kind was over the time chosen."""
    columns: dict[str, Sequence[Any]] = {}
    edges = np.array([0, len(chosen.time)])
    for name in chosen.names:
        dims, rule = variables()[name].dims, variables()[name].resample
        if dims[:2] != ("time", kind):
            continue
        values = chosen.values(name)
        for made in (rule, *EXTREMES) if rule == "mean" else (rule,):
            whole = MAKE[made](values, edges)[0]
            suffixes = list(product(*(chosen.labels(dim) for dim in dims[2:])))
            for place, labels in enumerate(suffixes):
                key = "_".join((name, made, *map(str, labels)))
                columns[key] = _plain(whole.reshape(len(whole), len(suffixes))[:, place])
    return columns


def _plain(values: np.ndarray) -> list[Any]:
    """Return plain values, None for what JSON cannot hold."""
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
    return [value if known else None for value, known in zip(values.tolist(), finite, strict=True)]
