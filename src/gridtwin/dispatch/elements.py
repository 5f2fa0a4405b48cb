"""What can set a price: segments of units, priced slacks, overloads of lines; one number and one word for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridtwin.dispatch.groups import UnitGroups
from gridtwin.units import BoolArray, IntArray

__all__ = ["Elements"]

OTHER = 0
SLACKS = ("shed", "spill")
FIRST_SEGMENT = 1 + len(SLACKS)


@dataclass(frozen=True, slots=True)
class Elements:
    """Numbering: anything else, shed, spill, then segments, then overloads by line.

    Parameters
    ----------
    segments, lines : int
    """

    segments: int
    lines: int

    @classmethod
    def of(cls, groups: UnitGroups, lines: int) -> Elements:
        """Count what there is."""
        return cls(len(groups.segment_group), lines)

    def __len__(self) -> int:
        return FIRST_SEGMENT + self.segments + self.lines

    def names(self, groups: UnitGroups, line: Sequence[str]) -> tuple[str, ...]:
        """One word each: `unit:<first of the group>:<segment>`, `overload:<line>`, `shed`, `spill`, `other`."""
        first = np.searchsorted(groups.segment_group, groups.segment_group)
        rank = np.arange(self.segments) - first + 1
        of_units = (f"unit:{groups.name[group]}:{i}" for group, i in zip(groups.segment_group, rank, strict=True))
        return ("other", *SLACKS, *of_units, *(f"overload:{name}" for name in line))

    def number(self, kind: str, index: IntArray) -> IntArray:
        """Numbers of the `index`-th elements of a kind: "shed", "spill", "unit" (segments) or "overload" (lines)."""
        if kind in SLACKS:
            return np.full(np.shape(index), 1 + SLACKS.index(kind), dtype=np.int64)
        first = {"unit": FIRST_SEGMENT, "overload": FIRST_SEGMENT + self.segments}[kind]
        return np.asarray(first + index, dtype=np.int64)

    @property
    def penalty(self) -> BoolArray:
        """Which elements are priced slacks (element,)."""
        number = np.arange(len(self))
        return ((number > OTHER) & (number < FIRST_SEGMENT)) | (number >= FIRST_SEGMENT + self.segments)
