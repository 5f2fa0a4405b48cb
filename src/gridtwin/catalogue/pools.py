"""Pools of like machines, what was measured of them, and their totals: never across precisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from gridtwin.catalogue.hardware import Hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.meter import PRECISIONS, Precision, Throughput, total
from gridtwin.catalogue.systems import STANDARD_RACK_W
from gridtwin.units import W_PER_MW

__all__ = ["GROUPS", "Group", "Pool", "Reading", "Total", "totals"]

Group: TypeAlias = Literal["class", "region", "vintage"]
GROUPS: Final[tuple[Group, ...]] = ("class", "region", "vintage")


@dataclass(frozen=True, slots=True)
class Reading:
    """A throughput that somebody measured.

    Parameters
    ----------
    identifier : Identifier
        One machine, or a range of which each gives this.
    each : Throughput
    day : date
    method : str
        How it was measured, such as the name of a benchmark.
    """

    identifier: Identifier
    each: Throughput[Precision]
    day: date
    method: str


@dataclass(frozen=True, slots=True)
class Pool:
    """The machines of one kind that a site holds for one class.

    Parameters
    ----------
    identifier : Identifier
        From #1 to the last, or a part of these.
    hardware : Hardware
    vintage : int
        Year of the machines; that of the hardware where the model does not say.
    name, name_zh, tier, hub : str
        Of the site; may be empty.
    readings : tuple of Reading
        Of these machines, in any precision.
    """

    identifier: Identifier
    hardware: Hardware
    vintage: int
    name: str = ""
    name_zh: str = ""
    tier: str = ""
    hub: str = ""
    readings: tuple[Reading, ...] = ()

    @property
    def precision(self) -> type[Precision]:
        """What the pool is metered in."""
        return PRECISIONS[self.hardware.precision]

    @property
    def peak(self) -> Throughput[Precision]:
        """What all machines could do at best."""
        each = self.hardware.peak()
        assert each is not None, "the catalogue refuses machines without the speed that they are metered in"
        return each * self.identifier.count

    @property
    def measured(self) -> Throughput[Precision]:
        """What the machines give that have a reading in this precision; the others are left out."""
        return total(self.precision, (each * units for units, each in self._spans()))

    @property
    def measured_units(self) -> int:
        """How many machines have a reading in the precision of the pool."""
        return sum(units for units, _ in self._spans())

    @property
    def estimated_units(self) -> int:
        """How many machines count with a peak that is an estimate."""
        return self.hardware.estimated(self.hardware.precision) * (self.identifier.count - self.measured_units)

    @property
    def metered(self) -> Throughput[Precision]:
        """What counts: the reading where there is one, the peak elsewhere."""
        each = self.hardware.peak()
        assert each is not None
        return self.measured + each * (self.identifier.count - self.measured_units)

    @property
    def racks(self) -> float:
        """Standard racks of 2.5 kW IT that the machines fill."""
        return self.identifier.count * self.hardware.peak_w / STANDARD_RACK_W

    @property
    def idle_mw(self) -> float:
        """What the machines draw with nothing to do."""
        return self.identifier.count * self.hardware.idle_w / W_PER_MW

    @property
    def peak_mw(self) -> float:
        """What the machines draw at full load."""
        return self.identifier.count * self.hardware.peak_w / W_PER_MW

    def part(self, identifier: Identifier) -> Pool:
        """Return some machines of the pool, with what was measured of them."""
        readings = []
        for reading in self.readings:
            first, last = (
                max(identifier.first, reading.identifier.first),
                min(identifier.last, reading.identifier.last),
            )
            if first <= last:
                readings.append(replace(reading, identifier=replace(identifier, first=first, last=last)))
        return replace(self, identifier=identifier, readings=tuple(readings))

    def _spans(self) -> Iterator[tuple[int, Throughput[Precision]]]:
        """Yield how many machines in a row have a reading, and the last one of each."""
        readings = [reading for reading in self.readings if reading.each.precision is self.precision]
        readings.sort(key=lambda reading: reading.day)
        edges = sorted(
            {edge for reading in readings for edge in (reading.identifier.first, reading.identifier.last + 1)}
        )
        for start, end in pairwise(edges):
            found = [reading for reading in readings if reading.identifier.first <= start <= reading.identifier.last]
            if found:
                yield end - start, found[-1].each


@dataclass(frozen=True, slots=True)
class Total:
    """What pools of one class and one precision come to.

    Parameters
    ----------
    compute_class, precision : str
    group : str
        Region or vintage; empty where the pools of the class are one group.
    units, measured_units, estimated_units : int
        All; those with a reading; those that count with a peak that is an estimate.
    racks : float
        Standard racks of 2.5 kW IT.
    idle_mw, peak_mw : float
        IT power.
    peak : Throughput
        Of all units.
    measured : Throughput
        Of `measured_units`.
    metered : Throughput
        Measured where somebody did, peak for the other units.
    """

    compute_class: str
    precision: str
    group: str
    units: int
    measured_units: int
    estimated_units: int
    racks: float
    idle_mw: float
    peak_mw: float
    peak: Throughput[Precision]
    measured: Throughput[Precision]
    metered: Throughput[Precision]

    @property
    def uses(self) -> str:
        """Say which figures `metered` is made of, such as `measured` or `measured 40, published peak 60`."""
        published = self.units - self.measured_units - self.estimated_units
        parts = {"measured": self.measured_units, "published peak": published, "estimated peak": self.estimated_units}
        there = {name: units for name, units in parts.items() if units}
        return next(iter(there)) if len(there) == 1 else ", ".join(f"{name} {n:,}" for name, n in there.items())


def totals(pools: Iterable[Pool], by: Group = "class") -> list[Total]:
    """Add pools up, each class and precision by itself.

    Parameters
    ----------
    pools : iterable of Pool
    by : {"class", "region", "vintage"}
        What to tell apart within a class.

    Returns
    -------
    list of Total
        In the order of class, group and precision.
    """
    cells: dict[tuple[str, str, str], list[Pool]] = {}
    for pool in pools:
        group = {"class": "", "region": pool.identifier.region, "vintage": str(pool.vintage)}[by]
        cells.setdefault((pool.identifier.compute_class, group, pool.hardware.precision), []).append(pool)
    return [_total(*key, found) for key, found in sorted(cells.items())]


def _total(compute_class: str, group: str, precision: str, pools: Sequence[Pool]) -> Total:
    kind: type[Precision] = PRECISIONS[precision]
    return Total(
        compute_class=compute_class,
        precision=precision,
        group=group,
        units=sum(pool.identifier.count for pool in pools),
        measured_units=sum(pool.measured_units for pool in pools),
        estimated_units=sum(pool.estimated_units for pool in pools),
        racks=sum(pool.racks for pool in pools),
        idle_mw=sum(pool.idle_mw for pool in pools),
        peak_mw=sum(pool.peak_mw for pool in pools),
        peak=total(kind, (pool.peak for pool in pools)),
        measured=total(kind, (pool.measured for pool in pools)),
        metered=total(kind, (pool.metered for pool in pools)),
    )
