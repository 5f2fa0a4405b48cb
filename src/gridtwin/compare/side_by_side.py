"""The parts of one decomposition for several runs, matched by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from gridtwin.compare.records import Decomposition, Part

__all__ = ["Row", "grouped", "rows", "subtotal"]

Kind: TypeAlias = Literal["part", "total", "beside"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of several tables.

    Parameters
    ----------
    kind : {"part", "total", "beside"}
    name, label, group : str
    parts : tuple of Part or None
        One for each table; None where it has no such line.
    """

    kind: Kind
    name: str
    label: str
    group: str
    parts: tuple[Part | None, ...]

    @property
    def base(self) -> float | None:
        """What the base has; None where only differences have a meaning."""
        return next((part.base for part in self.parts if part is not None), None)

    def below(self, size: float) -> bool:
        """Whether nothing in any run is larger."""
        values = (value for part in self.parts if part for value in (part.delta, part.base or 0.0, part.change or 0.0))
        return all(abs(value) <= size for value in values)


def rows(tables: Sequence[Decomposition]) -> Iterator[Row]:
    """Yield parts in the order of their groups, then the total, then what belongs beside it."""
    parts = list(_matched("part", [table.parts for table in tables]))
    order = {group: place for place, group in enumerate(dict.fromkeys(row.group or row.name for row in parts))}
    yield from sorted(parts, key=lambda row: order[row.group or row.name])
    yield from _matched("total", [(table.total,) if table.total else () for table in tables])
    yield from _matched("beside", [table.beside for table in tables])


def subtotal(members: Sequence[Row]) -> Row:
    """Add up the lines of a group."""
    of_tables = zip(*(row.parts for row in members), strict=True)
    group = members[0].group
    sums = tuple(_sum(group, [part for part in parts if part is not None]) for parts in of_tables)
    return Row("part", group, group, "", sums)


def grouped(lines: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Yield runs of lines that stand in one group, and each line without a group by itself."""
    for group, members in groupby(lines, key=lambda row: row.group):
        if group:
            yield group, list(members)
        else:
            yield from (("", [row]) for row in members)


def _matched(kind: Kind, tables: Sequence[Sequence[Part]]) -> Iterator[Row]:
    by_name = [{part.name: part for part in table} for table in tables]
    for name in dict.fromkeys(part.name for table in tables for part in table):
        found = tuple(table.get(name) for table in by_name)
        first = next(part for part in found if part is not None)
        yield Row(kind, name, first.label, first.group, found)


def _sum(group: str, parts: Sequence[Part]) -> Part | None:
    if not parts:
        return None
    delta = sum(part.delta for part in parts)
    if any(part.base is None or part.change is None for part in parts):
        return Part(group, group, delta)
    base, change = (sum(side) for side in zip(*((part.base or 0.0, part.change or 0.0) for part in parts), strict=True))
    return Part(group, group, delta, base, change)
