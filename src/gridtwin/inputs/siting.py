"""Where data centres stand: what feeds them, and how far light has to travel to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from gridtwin.errors import Issue
from gridtwin.inputs.fleet import MS_PER_S
from gridtwin.inputs.network import indices
from gridtwin.inputs.tables import ModelFolder, numbers
from gridtwin.units import FloatArray

__all__ = ["great_circle_km", "siting_issues"]

EARTH_KM: Final = 6371.0088  # mean radius (IUGG)
FIBRE_S_PER_KM: Final = 4.9e-6  # refractive index 1.468 of ITU-T G.652 fibre over the speed of light
ROUTE_FACTOR: Final = 1.3  # estimate: fibre follows roads and railways
ROUNDING: Final = 0.01  # coordinates and latencies of a table are rounded
FEEDING: Final = (("units", ("bus",)), ("links", ("from_bus", "to_bus")), ("branches", ("from_bus", "to_bus")))


def siting_issues(model: ModelFolder) -> Iterator[Issue]:
    """Yield sites that nothing can feed, and links of the WAN that would be faster than light in fibre."""
    if model.has("sites", "buses"):
        yield from _unfed(model)
    if model.has("sites", "origins", "wan"):
        yield from _too_fast(model)


def great_circle_km(lat: FloatArray, lon: FloatArray, to_lat: FloatArray, to_lon: FloatArray) -> FloatArray:
    """Return the shortest way over the earth between places in degrees; NaN where one is not known.

    Examples
    --------
    >>> beijing_to_shanghai = great_circle_km(np.array(39.9), np.array(116.4), np.array(31.2), np.array(121.5))
    >>> round(float(beijing_to_shanghai))
    1071
    """
    phi, to_phi = np.radians(lat), np.radians(to_lat)
    half = np.sin((to_phi - phi) / 2) ** 2
    half = half + np.cos(phi) * np.cos(to_phi) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(half)), np.float64)


def _unfed(model: ModelFolder) -> Iterator[Issue]:
    """Check that a unit, a link or a branch is at the bus of each site; buses that are not known are told elsewhere."""
    sites, known = model.tables["sites"], set(model.tables["buses"].text("bus"))
    ends = [(model.tables[name], columns) for name, columns in FEEDING if name in model.tables]
    fed = {bus for table, columns in ends for column in columns for bus in table.text(column)}
    for row, (site, bus) in enumerate(zip(sites.text("site"), sites.text("bus"), strict=True)):
        if bus in known and bus not in fed:
            message = f"site {site!r} is without power: no unit, no link and no branch is at its bus {bus!r}"
            yield sites.at(row, "bus").issue(f"{message}; connect the bus, or move the site")


def _too_fast(model: ModelFolder) -> Iterator[Issue]:
    """Check latencies against the way between places; links without both coordinates are left out."""
    origins, sites, wan = (model.tables[name] for name in ("origins", "sites", "wan"))
    from_, to = wan.text("origin"), wan.text("site")
    if not set(from_) <= set(origins.text("origin")) or not set(to) <= set(sites.text("site")):
        return  # unknown names are reported elsewhere
    o, s = indices(from_, origins.text("origin")), indices(to, sites.text("site"))
    here = (numbers(origins, name)[o] for name in ("lat", "lon"))
    there = (numbers(sites, name)[s] for name in ("lat", "lon"))
    km = great_circle_km(*here, *there)
    least_ms = ROUTE_FACTOR * km * FIBRE_S_PER_KM * MS_PER_S
    given_ms = numbers(wan, "latency_oneway_ms")
    for row in np.flatnonzero(given_ms < least_ms * (1 - ROUNDING)).tolist():
        yield wan.at(row, "latency_oneway_ms").issue(
            f"latency_oneway_ms is {given_ms[row]:g} from {from_[row]!r} to {to[row]!r}, but light takes at least "
            f"{least_ms[row]:.3g} ms in fibre over {km[row]:,.0f} km; enlarge it, or correct the coordinates"
        )
