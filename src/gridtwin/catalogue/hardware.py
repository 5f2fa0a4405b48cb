"""Compute units: power, memory and peak speed of the things that stand in racks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gridtwin.catalogue.meter import METERED_IN, PRECISIONS, Precision, Throughput
from gridtwin.catalogue.tables import ARCHITECTURE, SPEEDS, architecture_faults, estimate_faults, read_rows, words
from gridtwin.errors import Issue
from gridtwin.located import Field, Table

__all__ = ["SHIPPED_HARDWARE", "Hardware", "load_hardware"]

SHIPPED_HARDWARE = Path(__file__).with_name("hardware.csv")


@dataclass(frozen=True, slots=True)
class Hardware:
    """A schedulable unit of compute.

    Speeds are peak values in dense arithmetic, NaN where a machine does not have it. Compute is metered in one
    precision (general FP32, intelligent and inference FP16, super FP64, edge as what stands there); speeds of different
    precisions are never added.
    """

    name: str
    name_zh: str
    compute_class: str  # what it is meant for: general, intelligent, inference, super or edge
    precision: str  # that it is metered in
    system: str  # the real machine behind the numbers
    based_on: str  # that machine in systems.csv
    count: int  # how many of these
    instruction_set: str
    stack: str  # software of its accelerators; none without
    vintage: int  # year in which such machines were first sold
    idle_w: float
    peak_w: float
    memory_gb: float
    per_rack: int
    fp64_tflops: float
    fp32_tflops: float
    fp16_tflops: float
    int8_tops: float
    estimates: tuple[str, ...]  # fields above that are estimates, not published values
    source: str

    def peak(self, precision: str = "") -> Throughput[Precision] | None:
        """Return the peak throughput in a precision, by default that which it is metered in; None without."""
        kind: type[Precision] = PRECISIONS[precision or self.precision]
        speed = float(getattr(self, kind.column))
        return None if math.isnan(speed) else Throughput.of(speed, f"T{kind.operation}/s", kind)

    def estimated(self, precision: str) -> bool:
        """Whether the peak in a precision is an estimate."""
        return PRECISIONS[precision].column in self.estimates


_FIGURES = ("vintage", "idle_w", "peak_w", "memory_gb", "per_rack", *(field.name for field in SPEEDS))
_FIELDS = (
    *(Field(name, "text") for name in ("name", "name_zh", "compute_class", "precision", "system", "based_on")),
    Field("count", "whole", above=0),
    *ARCHITECTURE,
    *(Field(name, at_least=0) for name in ("idle_w", "peak_w", "memory_gb")),
    Field("per_rack", "whole", above=0),
    *SPEEDS,
    Field("estimates", "text", empty=""),
    Field("source", "text"),
)


@cache
def load_hardware(path: Path = SHIPPED_HARDWARE) -> Mapping[str, Hardware]:
    """Read a hardware catalogue.

    Parameters
    ----------
    path : Path
        A CSV file with one column per field of `Hardware`; `estimates` lists field names separated by `;`.

    Returns
    -------
    mapping of str to Hardware, by name

    Raises
    ------
    InputError
        With all faults at `file:line:column`: missing columns or cells, duplicate names, numbers that are none or
        negative, unknown instruction sets and stacks, a class metered in another precision than the standard's, idle
        above peak power, estimates of unknown fields.

    Examples
    --------
    >>> load_hardware()["training_block_40kw"].peak_w
    40000.0
    """
    return read_rows(path, _FIELDS, "name", _faults, _hardware)


def _faults(table: Table) -> Iterator[Issue]:
    yield from architecture_faults(table)
    yield from estimate_faults(table, _FIGURES)
    yield from table.unknown("precision", list(PRECISIONS), "precision")
    for row, (compute_class, precision) in enumerate(
        zip(table.text("compute_class"), table.text("precision"), strict=True)
    ):
        standard = METERED_IN.get(compute_class, precision)
        if precision != standard and precision in PRECISIONS:
            yield table.at(row, "precision").issue(f"class {compute_class!r} is metered in {standard}, not {precision}")
        speed = PRECISIONS[precision].column if precision in PRECISIONS else ""
        if speed and math.isnan(table.columns[speed][row]):
            yield table.at(row, "precision").issue(f"is metered in {precision} and has no {speed}")


def _hardware(**row: Any) -> Hardware:  # noqa: ANN401 - cells of a table that has been checked
    whole = {name: int(row[name]) for name in ("count", "vintage", "per_rack")}
    return Hardware(**{**row, **whole, "estimates": words(row["estimates"])})
