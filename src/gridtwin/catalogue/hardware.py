"""Compute units: power, memory and peak speed of the things that stand in racks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path

from gridtwin.errors import InputError, Issue

__all__ = ["SHIPPED_HARDWARE", "Hardware", "load_hardware"]

SHIPPED_HARDWARE = Path(__file__).with_name("hardware.csv")


@dataclass(frozen=True, slots=True)
class Hardware:
    """A schedulable unit of compute.

    Speeds are peak values in dense arithmetic. Compute is metered per class in one precision (general FP32, intelligent
    FP16, super FP64); speeds of different precisions are never added.
    """

    name: str
    compute_class: str  # what it is meant for: general, intelligent, inference or super
    system: str  # the real machine behind the numbers
    idle_w: float
    peak_w: float
    memory_gb: float
    per_rack: int
    fp64_tflops: float
    fp32_tflops: float
    fp16_tflops: float
    estimates: tuple[str, ...]  # fields above that are estimates, not published values
    source: str


_COLUMNS = tuple(field.name for field in fields(Hardware))
_NUMBERS = ("idle_w", "peak_w", "memory_gb", "per_rack", "fp64_tflops", "fp32_tflops", "fp16_tflops")


def load_hardware(path: Path = SHIPPED_HARDWARE) -> dict[str, Hardware]:
    """Read a hardware catalogue.

    Parameters
    ----------
    path : Path
        A CSV file with one column per field of `Hardware`; `estimates` lists field names separated by `;`.

    Returns
    -------
    dict of str to Hardware, by name

    Raises
    ------
    InputError
        With all faults at `file:line:column`: missing columns or cells, duplicate names, numbers that are none or
        negative, idle above peak power, estimates of unknown fields.

    Examples
    --------
    >>> load_hardware()["training_block_40kw"].peak_w
    40000.0
    """
    if not path.is_file():
        raise InputError([Issue(str(path), 0, 0, "no such hardware catalogue")])
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError([Issue(str(path), 1, 0, f"missing column {name!r}") for name in missing])
        column = {name: index for index, name in enumerate(reader.fieldnames or (), 1)}
        rows = [(reader.line_num, row) for row in reader]
    faults = [
        Issue(str(path), line, column.get(name, 0), message)
        for line, row in rows
        for name, message in [*_cell_faults(row), *_row_faults(row, [other["name"] for _, other in rows])]
    ]
    if faults:
        raise InputError(faults)
    return {row["name"]: _hardware(row) for _, row in rows}


def _cell_faults(row: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name in _COLUMNS:
        text = (row[name] or "").strip()
        if name in _NUMBERS:
            value = _number(text)
            if value is None or value < 0.0:
                yield name, f"{name}: got {text!r}, expected a number >= 0"
        elif not text and name != "estimates":
            yield name, f"{name}: is empty"
    if None in row:
        yield "source", "more cells than columns; quote texts that hold a comma"


def _row_faults(row: dict[str, str], names: list[str]) -> Iterator[tuple[str, str]]:
    if names.count(row["name"]) > 1:
        yield "name", f"duplicate name {row['name']!r}"
    idle_w, peak_w = _number(row["idle_w"]), _number(row["peak_w"])
    if idle_w is not None and peak_w is not None and idle_w > peak_w:
        yield "idle_w", f"idle_w {idle_w:g} is above peak_w {peak_w:g}"
    for name in _names(row["estimates"]):
        if name not in _NUMBERS:
            yield "estimates", f"unknown field {name!r}; expected some of {', '.join(_NUMBERS)}"


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if isfinite(value) else None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(";") if name.strip())


def _hardware(row: dict[str, str]) -> Hardware:
    return Hardware(
        name=row["name"],
        compute_class=row["compute_class"],
        system=row["system"],
        idle_w=float(row["idle_w"]),
        peak_w=float(row["peak_w"]),
        memory_gb=float(row["memory_gb"]),
        per_rack=int(float(row["per_rack"])),
        fp64_tflops=float(row["fp64_tflops"]),
        fp32_tflops=float(row["fp32_tflops"]),
        fp16_tflops=float(row["fp16_tflops"]),
        estimates=_names(row["estimates"]),
        source=row["source"],
    )
