"""The map: where buses, lines and sites are drawn, and their values step by step as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gridtwin.results.saved_run import SavedRun
from gridtwin.units import FloatArray

__all__ = ["CHUNK_STEPS", "STEP_VARIABLES", "NetworkMap", "chunk", "network_map"]

CHUNK_STEPS = 168
STEP_VARIABLES: Mapping[str, str] = {
    "loading_percent": "line",
    "price_per_mwh": "bus",
    "congestion_price_per_mwh": "bus",
    "marginal_co2_kg_per_mwh": "bus",
    "vm_pu": "bus",
    "site_mw": "site",
    "link_mw": "link",
    "load_mw": "bus",
}
WIDTH, HEIGHT, MARGIN = 1000.0, 620.0, 30.0
APART = 5.0  # between circuits of one pair of buses
RANGE_PERCENT = (2.0, 98.0)  # of all values, where colours begin and end


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """A line or link as it is drawn."""

    index: int
    name: str
    x1: float
    y1: float
    x2: float
    y2: float
    transformer: bool = False
    kind: str = ""
    limits_mw: tuple[float, float] = (0.0, 0.0)  # there and back


@dataclass(frozen=True, slots=True, eq=False)
class Dot:
    """A bus or a site as it is drawn."""

    index: int
    name: str
    x: float
    y: float
    tier: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkMap:
    """What is drawn, in the units of the drawing; `placed` says whether the model told where things are."""

    width: float
    height: float
    placed: bool
    lines: tuple[Branch, ...]
    links: tuple[Branch, ...]
    buses: tuple[Dot, ...]
    sites: tuple[Dot, ...]

    def content(self, saved: SavedRun) -> dict[str, Any]:
        """Return what the script of the page needs beside the drawing."""
        return {
            "steps": len(saved.time),
            "step_s": saved.facts.step_s,
            "start_s": int(saved.time[0].astype("datetime64[s]").astype(np.int64)),
            "chunk": CHUNK_STEPS,
            "sizes": {name: len(saved.facts.coords[dim]) for name, dim in STEP_VARIABLES.items()},
            "ranges": {name: _range(saved.values(name)) for name, dim in STEP_VARIABLES.items() if dim != "line"},
            "transport": saved.transport,
            "link_limits_mw": [link.limits_mw for link in self.links],
            "connection_mw": [
                mw if np.isfinite(mw) else None for mw in saved.inputs("sites")["connection_mw"].tolist()
            ],
        }


def network_map(saved: SavedRun) -> NetworkMap:
    """Lay out the grid of a run."""
    buses, lines, links, sites = (saved.inputs(name) for name in ("buses", "lines", "links", "sites"))
    placed = bool(np.isfinite(buses["lat"]).all() and np.isfinite(buses["lon"]).all())
    place = _projected(buses["lat"], buses["lon"]) if placed else _ring(len(buses["bus"]))
    return NetworkMap(
        width=WIDTH,
        height=HEIGHT,
        placed=placed,
        lines=_branches(lines["line"], lines["from_index"], lines["to_index"], place, lines["is_transformer"]),
        links=_links(links, place),
        buses=tuple(Dot(i, str(n), *_rounded(place[i])) for i, n in enumerate(buses["bus"])),
        sites=tuple(
            Dot(i, str(n), *_rounded(place[bus]), tier)
            for i, (n, bus, tier) in enumerate(
                zip(sites["site"], sites["bus_index"], saved.inputs("site_facts")["tier"].tolist(), strict=True)
            )
        ),
    )


def chunk(saved: SavedRun, variable: str, number: int) -> bytes | None:
    """Return one variable over `CHUNK_STEPS` steps, time by time, as little-endian float32; None past the end."""
    begin = number * CHUNK_STEPS
    values = saved.dataset[variable][begin : begin + CHUNK_STEPS].to_numpy()
    return values.astype("<f4").tobytes() if begin < len(saved.time) else None


def _range(values: FloatArray) -> list[float]:
    """Return between which values colours change: nearly all of them, so that a few outliers do not take all colour."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, RANGE_PERCENT) if known.size else (0.0, 1.0)
    return [float(low), float(high) if high > low else float(low) + 1.0]


def _projected(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Return places (bus, 2) in the drawing: as on a map at the middle latitude, as large as fits."""
    xy = np.column_stack([lon * np.cos(np.radians(lat.mean())), -lat])
    xy -= xy.min(axis=0)
    size = np.maximum(xy.max(axis=0), 1e-9)
    room = np.array([WIDTH, HEIGHT]) - 2 * MARGIN
    scale = (room / size).min()
    placed: FloatArray = MARGIN + (room - size * scale) / 2 + xy * scale
    return placed


def _ring(buses: int) -> FloatArray:
    """Return places (bus, 2) on a ring, in the order of the model."""
    angle = 2 * np.pi * np.arange(buses) / max(buses, 1) - np.pi / 2
    radius = HEIGHT / 2 - 2 * MARGIN
    return np.column_stack([WIDTH / 2 + 1.4 * radius * np.cos(angle), HEIGHT / 2 + radius * np.sin(angle)])


def _branches(
    names: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    place: FloatArray,
    transformer: np.ndarray | None = None,
) -> tuple[Branch, ...]:
    """Draw branches, those between the same buses side by side."""
    drawn = []
    pairs = [tuple(sorted(pair)) for pair in zip(begin.tolist(), end.tolist(), strict=True)]
    for index, pair in enumerate(pairs):
        low, high = place[pair[0]], place[pair[1]]
        along = high - low
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
        shift = APART * (pairs[:index].count(pair) - (pairs.count(pair) - 1) / 2)
        (x1, y1), (x2, y2) = _rounded(low + shift * across), _rounded(high + shift * across)
        drawn.append(
            Branch(index, str(names[index]), x1, y1, x2, y2, bool(transformer is not None and transformer[index]))
        )
    return tuple(drawn)


def _links(links: Mapping[str, np.ndarray], place: FloatArray) -> tuple[Branch, ...]:
    drawn = _branches(links["link"], links["from_index"], links["to_index"], place)
    kinds, limits = links["kind"].tolist(), np.stack([links["p_nom_mw"], links["p_nom_back_mw"]], axis=1).tolist()
    return tuple(replace(link, kind=kinds[link.index], limits_mw=tuple(limits[link.index])) for link in drawn)


def _rounded(place: FloatArray) -> tuple[float, float]:
    return round(float(place[0]), 1), round(float(place[1]), 1)
