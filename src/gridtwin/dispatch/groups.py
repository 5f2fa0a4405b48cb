"""Units that cannot be told apart by the dispatch are dispatched as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.records import UnitData, UnitTerms
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["UnitGroups", "group_units"]


@dataclass(frozen=True, slots=True, eq=False)
class UnitGroups:
    """Merged units: same bus, store, technology, limits and cost curve."""

    name: tuple[str, ...]  # (group,) its first unit's
    group_of_unit: IntArray  # (unit,)
    members: IntArray  # (group,) number of units
    bus: IntArray  # (group,)
    p_min_mw: FloatArray  # (group,) sum
    p_max_mw: FloatArray  # (group,) sum
    profiled: BoolArray  # (group,) weather limits it, so that its output may have to fall faster than its ramp
    ramp_mw_per_h: FloatArray  # (group,) sum
    store: IntArray  # (group,) store whose energy the output takes, -1 where there is none
    daily: BoolArray  # (group,) online capacity is decided by the day
    least_share: FloatArray  # (group,) of the online capacity that is given at least
    link: IntArray  # (group,) link that carries all the output away, -1 where there is none
    segment_group: IntArray  # (segment,) ascending
    segment_mw: FloatArray  # (segment,) sum of the members'
    segment_cost_per_mwh: FloatArray  # (segment,)
    segment_co2_kg_per_mwh: FloatArray  # (segment,)

    def __len__(self) -> int:
        return len(self.members)

    def total(self, unit_value: FloatArray) -> FloatArray:
        """Sum a (time, unit) array into (time, group)."""
        return sum_at(unit_value, self.group_of_unit, len(self))

    def split(self, group_mw: FloatArray, available_mw: FloatArray) -> FloatArray:
        """Share (time, group) output among members in proportion to what each has available (time, unit)."""
        total = self.total(available_mw)[..., self.group_of_unit]
        return group_mw[..., self.group_of_unit] * ratio_or_zero(available_mw, total)


def group_units(units: UnitData, terms: UnitTerms | None = None) -> UnitGroups:
    """Merge units at one bus that have equal limits, ramps, cost curves, roles and terms.

    Units with a profile merge too: the limits of a group are then the sum of what its members have available.
    """
    terms = terms or UnitTerms.plain(len(units.unit))
    keys = [_likeness(units, terms, i) for i in range(len(units.unit))]
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    group_of_unit = np.array([number[key] for key in keys], dtype=np.int64)
    first = np.array([keys.index(key) for key in number], dtype=np.int64)
    representative = np.concatenate([np.flatnonzero(units.segment_unit == unit) for unit in first])
    rank = _segment_rank(units.segment_unit)
    width = np.zeros((len(number), int(rank.max(initial=0)) + 1))
    np.add.at(width, (group_of_unit[units.segment_unit], rank), units.segment_mw)
    segment_group = group_of_unit[units.segment_unit[representative]]

    return UnitGroups(
        name=tuple(units.unit[unit] for unit in first),
        group_of_unit=group_of_unit,
        members=np.bincount(group_of_unit).astype(np.int64),
        bus=units.bus[first],
        p_min_mw=sum_at(units.p_min_mw, group_of_unit, len(number)),
        p_max_mw=sum_at(units.p_max_mw, group_of_unit, len(number)),
        profiled=units.profile[first] >= 0,
        ramp_mw_per_h=sum_at(units.ramp_mw_per_h, group_of_unit, len(number)),
        store=units.store[first],
        daily=terms.daily[first],
        least_share=terms.least_share[first],
        link=terms.link[first],
        segment_group=segment_group,
        segment_mw=width[segment_group, rank[representative]],
        segment_cost_per_mwh=units.segment_cost_per_mwh[representative],
        segment_co2_kg_per_mwh=units.segment_co2_kg_per_mwh[representative],
    )


def _likeness(units: UnitData, terms: UnitTerms, i: int) -> tuple[object, ...]:
    segment = units.segment_unit == i
    has_profile = bool(units.profile[i] >= 0)
    sized = not has_profile or int(segment.sum()) > 1
    size = (*units.segment_mw[segment], units.p_min_mw[i], units.p_max_mw[i]) if sized else ()
    return (
        int(units.bus[i]),
        int(units.store[i]),
        bool(terms.daily[i]),
        float(terms.least_share[i]),
        int(terms.link[i]),
        int(terms.minimum[i]),
        units.technology[i],
        has_profile,
        *(bool(flag[i]) for flag in (units.renewable, units.curtailable, units.quick_start, units.holds_voltage)),
        *size,
        float(units.ramp_mw_per_h[i]),
        *units.segment_cost_per_mwh[segment],
        *units.segment_co2_kg_per_mwh[segment],
    )


def _segment_rank(segment_unit: IntArray) -> IntArray:
    """Position of each segment within its unit."""
    first = np.searchsorted(segment_unit, segment_unit)
    return np.arange(len(segment_unit), dtype=np.int64) - first
