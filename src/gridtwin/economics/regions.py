"""Sites and origins of a run by region, and what stands there in the meter of its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["RACK_W", "Fleet", "regional_fleet", "totals"]

RACK_W: Final = 2500.0  # equipment of a standard rack at full load
SPEED: Final[Mapping[str, str]] = {
    "fp64": "fp64_tflops", "fp32": "fp32_tflops", "fp16": "fp16_tflops", "int8": "int8_tops",
}  # fmt: skip
RESIDENT: Final = "resident"  # last part of the label of work that may not leave its region
PART: Final = "/"

Tables: TypeAlias = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """What indicators need of sites and origins.

    Parameters
    ----------
    regions : tuple of str
        Those of origins, then those of sites alone.
    classes : tuple of str
    site_region : ndarray (site,)
        Place in `regions`; -1 where the model gives none.
    origin_region : ndarray (origin,)
        Likewise, of the origins that queues know; parts of one have its region.
    resident : ndarray (origin,) of bool
        Work that may not leave the region of its origin.
    population : ndarray (region,), persons
        NaN where that of an origin is not known, and in regions without origins.
    capacity_nodes : ndarray (site, class)
    pflops : ndarray (site, class), PFLOP/s
        Peak speed in the precision of the class; NaN in classes that hold machines metered in several, or in none.
    racks : ndarray (site, class)
        Standard racks of the equipment.
    rack_room : ndarray (site,)
        Standard racks that there is room for; NaN where not known.
    added_w, mean_w : ndarray (site, class), (class,), W
        What a job adds to the draw of a node; its mean over all nodes.
    latency_ms : ndarray (origin, site)
        One way; inf where no link leads.
    """

    regions: tuple[str, ...]
    classes: tuple[str, ...]
    site_region: IntArray
    origin_region: IntArray
    resident: BoolArray
    population: FloatArray
    capacity_nodes: FloatArray
    pflops: FloatArray
    racks: FloatArray
    rack_room: FloatArray
    added_w: FloatArray
    mean_w: FloatArray
    latency_ms: FloatArray

    def nearest_ms(self, region: int) -> FloatArray:
        """Latency from the nearest origin of a region to each site (site,), ms; inf in a region without origins."""
        return np.asarray(self.latency_ms[self.origin_region == region].min(axis=0, initial=np.inf))


def totals(values: FloatArray, region: IntArray, regions: int) -> FloatArray:
    """Add up places by region, then all of them.

    Parameters
    ----------
    values : ndarray (place, …)
    region : ndarray (place,)
        -1 counts for the nation only.
    regions : int

    Returns
    -------
    ndarray (region + 1, …)
        The nation last.

    Examples
    --------
    >>> totals(np.array([1.0, 2.0, 4.0]), np.array([0, 1, -1]), 2)
    array([1., 2., 7.])
    """
    total = np.zeros((regions + 1, *values.shape[1:]))
    known = region >= 0
    np.add.at(total, region[known], values[known])
    total[-1] = values.sum(axis=0)
    return total


def regional_fleet(inputs: Tables, origins: Sequence[str], classes: Sequence[str]) -> Fleet:
    """Arrange the kept tables of a run by region.

    Parameters
    ----------
    inputs : mapping of tables
        `sites`, `site_terms`, `site_facts`, `origins`, `origin_facts`, `node_facts`, `pools` and `wan` of a run folder.
    origins, classes : sequence of str
        As the coordinates of the run have them; `Beijing/resident` is a part of `Beijing`.
    """
    terms, facts = inputs["site_terms"], inputs["origin_facts"]
    given = dict(zip(facts["origin"].tolist(), facts["region"].tolist(), strict=True))
    of_origin = np.array([given[whole] for whole in inputs["origins"]["whole"].tolist()], dtype=object)
    shape = (len(terms["region"]), len(classes))
    regions = tuple(dict.fromkeys(name for name in (*of_origin.tolist(), *terms["region"].tolist()) if name))
    pools = inputs["pools"]
    capacity = pools["capacity_nodes"].reshape(shape).astype(np.float64)
    added_w = (pools["peak_w"] - pools["idle_w"]).reshape(shape)
    nodes = capacity.sum(axis=0)
    mean_w = np.divide((capacity * added_w).sum(axis=0), nodes, out=np.zeros(len(classes)), where=nodes > 0)
    return Fleet(
        regions=regions,
        classes=tuple(classes),
        site_region=_places(terms["region"], regions),
        origin_region=_places(of_origin, regions),
        resident=np.array([label.split(PART)[-1] == RESIDENT for label in origins], dtype=bool),
        population=_population(facts, regions),
        capacity_nodes=capacity,
        pflops=_metered(inputs["node_facts"], shape),
        racks=capacity * pools["peak_w"].reshape(shape) / RACK_W,
        rack_room=inputs["site_facts"]["racks"],
        added_w=added_w,
        mean_w=mean_w,
        latency_ms=inputs["wan"]["latency_oneway_ms"].reshape(len(origins), shape[0]),
    )


def _places(names: np.ndarray, regions: Sequence[str]) -> IntArray:
    place = {name: index for index, name in enumerate(regions)}
    return np.array([place.get(name, -1) for name in names.tolist()], dtype=np.int64)


def _population(facts: Mapping[str, np.ndarray], regions: Sequence[str]) -> FloatArray:
    """People of each region; NaN where an origin does not say, or there is none. Parts of an origin count once."""
    place = _places(facts["region"], regions)
    total = totals(facts["population"].astype(np.float64), place, len(regions))[:-1]
    return np.where(np.isin(np.arange(len(regions)), place), total, np.nan)


def _metered(nodes: Mapping[str, np.ndarray], shape: tuple[int, int]) -> FloatArray:
    """Metered speed (site, class), POP/s; machines of one class that are metered differently leave it NaN."""
    speed, meter = np.zeros(shape), nodes["precision"].astype(str)
    for row, (site, place, kind) in enumerate(zip(nodes["site_index"], nodes["class_index"], meter, strict=True)):
        alike = (meter[nodes["class_index"] == place] == kind).all()
        speed[site, place] += nodes["nodes"][row] * nodes[SPEED[kind]][row] / 1000.0 if alike else np.nan
    return speed
