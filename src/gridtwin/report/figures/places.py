"""Where buses are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from gridtwin.results.saved_run import SavedRun
from gridtwin.units import FloatArray

__all__ = ["Places", "places", "schematic"]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Buses on a plane.

    Parameters
    ----------
    x, y : ndarray (bus,)
        Degrees of longitude and latitude, or any unit where `schematic`.
    stretch : float
        Length of a unit of y over one of x, so that distances look the same both ways.
    schematic : bool
        The model has no coordinates: neighbours are near each other, and that is all.
    """

    x: FloatArray
    y: FloatArray
    stretch: float
    schematic: bool


def places(run: SavedRun) -> Places:
    """Place the buses of a run by their coordinates; as a scheme where one of them has none."""
    buses = run.inputs("buses")
    lon, lat = np.asarray(buses["lon"], dtype=np.float64), np.asarray(buses["lat"], dtype=np.float64)
    if np.isfinite(lon).all() and np.isfinite(lat).all():
        return Places(lon, lat, float(1.0 / max(np.cos(np.radians(lat.mean())), 0.1)), schematic=False)
    ends = [(run.inputs(table)["from_index"], run.inputs(table)["to_index"]) for table in ("lines", "links")]
    start, end = (np.concatenate([side[place] for side in ends]).astype(np.int64) for place in (0, 1))
    x, y = schematic(start, end, len(lon))
    return Places(x, y, 1.0, schematic=True)


def schematic(start: np.ndarray, end: np.ndarray, buses: int) -> tuple[FloatArray, FloatArray]:
    """Lay out a network so that distances look like the number of lines between buses.

    Parameters
    ----------
    start, end : ndarray (line,)
        Bus indices.
    buses : int

    Notes
    -----
    Classical multidimensional scaling: the two largest eigenvectors of the doubly centred squared distances.
    """
    links = coo_array((np.ones(len(start)), (start, end)), shape=(buses, buses))
    hops = shortest_path(links.tocsr(), directed=False, unweighted=True)
    hops = np.where(np.isfinite(hops), hops, np.max(hops[np.isfinite(hops)], initial=0.0) + 2.0)
    centre = np.eye(buses) - 1.0 / buses
    size, vector = np.linalg.eigh(-0.5 * centre @ hops**2 @ centre)
    spread = vector[:, ::-1][:, :2] * np.sqrt(np.maximum(size[::-1][:2], 0.0))
    spread = np.pad(spread, ((0, 0), (0, 2 - spread.shape[1])))
    sign = np.where(
        spread[np.abs(spread).argmax(axis=0), (0, 1)] < 0, -1.0, 1.0
    )  # eigenvectors have no sign of their own
    return spread[:, 0] * sign[0], spread[:, 1] * sign[1]
