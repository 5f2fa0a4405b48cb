"""Tables of the catalogue: read whole or refused with everything that is wrong in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from gridtwin.catalogue.requirements import INSTRUCTION_SETS, STACKS
from gridtwin.errors import InputError, Issue
from gridtwin.located import Field, Table, read_csv, rows

__all__ = ["ARCHITECTURE", "SPEEDS", "architecture_faults", "estimate_faults", "read_rows", "words"]

SPEEDS = tuple(
    Field(name, at_least=0, empty=math.nan) for name in ("fp64_tflops", "fp32_tflops", "fp16_tflops", "int8_tops")
)
ARCHITECTURE = (Field("instruction_set", "text"), Field("stack", "text"), Field("vintage", "whole", at_least=1990))

Row = TypeVar("Row")
Faults = Callable[[Table], Iterator[Issue]]


def read_rows(
    path: Path, fields: Sequence[Field], key: str, faults: Faults, build: Callable[..., Row]
) -> Mapping[str, Row]:
    """Read a table into records by name.

    Parameters
    ----------
    path : Path
    fields : sequence of Field
        The columns, named as the arguments of `build`.
    key : str
        Column of names, each unique.
    faults : callable
        Yields what the cells of a readable table say against each other.
    build : callable
        Makes a record of the cells of a row.

    Raises
    ------
    InputError
        With all faults at `file:line:column`.
    """
    issues: list[Issue] = []
    table = read_csv(path, fields, (key,), issues)
    if table is not None:
        issues += faults(table)
    if issues or table is None:
        raise InputError(issues)
    return MappingProxyType({row[key]: build(**row) for row in rows(table)})


def estimate_faults(table: Table, known: Sequence[str]) -> Iterator[Issue]:
    """Yield names under `estimates` that are no columns with figures."""
    for row, text in enumerate(table.text("estimates")):
        for name in words(text):
            if name not in known:
                yield table.at(row, "estimates").issue(f"unknown field {name!r}; expected some of {', '.join(known)}")


def architecture_faults(table: Table) -> Iterator[Issue]:
    """Yield instruction sets and stacks that nobody knows, and machines that idle above their peak."""
    yield from table.unknown("instruction_set", list(INSTRUCTION_SETS), "instruction set")
    yield from table.unknown("stack", list(STACKS), "stack")
    for row, (idle_w, peak_w) in enumerate(zip(table.columns["idle_w"], table.columns["peak_w"], strict=True)):
        if idle_w > peak_w:
            yield table.at(row, "idle_w").issue(f"idle_w {idle_w:g} is above peak_w {peak_w:g}")


def words(text: str) -> tuple[str, ...]:
    """Split a cell that lists names."""
    return tuple(name.strip() for name in text.split(";") if name.strip())
