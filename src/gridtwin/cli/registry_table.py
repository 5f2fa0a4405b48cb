"""The registry of compute as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from gridtwin.catalogue.hardware import Hardware
from gridtwin.catalogue.pools import Group, Pool, Total, totals
from gridtwin.catalogue.registry import Registry
from gridtwin.catalogue.systems import System

__all__ = ["print_entry", "print_registry"]

ESTIMATED = "≈"
PARTS = {"unit_figures": "node unit", "system_figures": "system"}  # of an entry, shown as tables of their own


def print_registry(registry: Registry, by: Group, *, totals_only: bool = False) -> None:
    """Print pools of a model and their totals on stdout; without a model, systems and node units."""
    console = Console()
    if not registry.pools:
        console.print(_systems(registry.systems.values()))
        console.print(_units(registry.units.values()))
        console.print(f"{ESTIMATED} estimate; sources: gridtwin registry show NAME")
        return
    if not totals_only:
        console.print(_pools(registry.pools))
    console.print(_totals(totals(registry.pools, by), by))
    console.print("speeds of different precisions are different meters: they are never added")


def print_entry(found: Mapping[str, Any]) -> None:
    """Print one entry with its sources on stdout."""
    console = Console()
    parts = {found["entry"]: found} | {title: found[name] for name, title in PARTS.items() if name in found}
    for title, figures in parts.items():
        table = Table("field", "value", title=title, title_justify="left")
        for name, value in figures.items():
            if name not in (*PARTS, "entry", "estimates") and value not in (None, "", []):
                table.add_row(name, _shown(figures, name, value))
        console.print(table)


def _shown(figures: Mapping[str, Any], name: str, value: object) -> str:
    if isinstance(value, list):
        return "\n".join(_line(item) for item in value)
    text = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return f"{text} (estimate)" if name in figures.get("estimates", ()) else text


def _line(item: object) -> str:
    """Write an item of a list; a reading as its figures one after the other."""
    if isinstance(item, Mapping):
        return ", ".join(f"{name} {value}" for name, value in item.items() if value is not None)
    return str(item)


def _table(title: str, texts: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _systems(systems: Iterable[System]) -> Table:
    numbers = ("year", "FP64", "FP32", "FP16", "INT8", "idle W", "peak W", "GB", "per rack")
    table = _table("systems, TFLOP/s dense and TOP/s", ("system", "name", "isa", "stack"), numbers)
    for system in systems:
        figures = ("vintage", "fp64_tflops", "fp32_tflops", "fp16_tflops", "int8_tops", "idle_w", "peak_w", "memory_gb")
        cells = (_figure(system, name) for name in figures)
        name = f"{system.name}\n{system.name_zh}"
        table.add_row(
            system.system, name, system.instruction_set, system.stack, *cells, f"{system.per_standard_rack:.2f}"
        )
    return table


def _figure(record: System, name: str) -> str:
    value = getattr(record, name)
    if value != value:  # noqa: PLR0124 - NaN is not itself
        return "-"
    text = f"{value:d}" if isinstance(value, int) else f"{value:,.5g}"
    return f"{ESTIMATED}{text}" if name in record.estimates else text


def _units(units: Iterable[Hardware]) -> Table:
    texts = ("unit", "name", "class", "system", "isa", "stack")
    table = _table("node units", texts, ("year", "kW idle", "kW peak", "metered"))
    for unit in units:
        power = (f"{watt / 1000:,.4g}" for watt in (unit.idle_w, unit.peak_w))
        names = (unit.name, unit.name_zh, unit.compute_class, f"{unit.count} x {unit.based_on}")
        metered = f"{ESTIMATED * unit.estimated(unit.precision)}{unit.peak()}"
        table.add_row(*names, unit.instruction_set, unit.stack, str(unit.vintage), *power, metered)
    return table


def _pools(pools: Iterable[Pool]) -> Table:
    texts = ("identifier", "name", "isa", "stack")
    table = _table("compute", texts, ("year", "racks", "MW idle", "MW peak", "peak", "measured"))
    for pool in pools:
        names = str(pool.identifier), pool.name_zh or pool.name, pool.hardware.instruction_set, pool.hardware.stack
        table.add_row(*names, str(pool.vintage), *_sums(pool), str(pool.peak), _measured(pool, pool.identifier.count))
    return table


def _totals(found: Iterable[Total], by: Group) -> Table:
    texts = ("class",) if by == "class" else ("class", by)
    numbers = ("units", "racks", "MW idle", "MW peak", "peak", "measured", "counts", "made of")
    table = _table("totals", texts, numbers)
    for total in found:
        names = (total.compute_class,) if by == "class" else (total.compute_class, total.group)
        speeds = str(total.peak), _measured(total, total.units), str(total.metered), total.uses
        table.add_row(*names, f"{total.units:,}", *_sums(total), *speeds)
    return table


def _sums(found: Pool | Total) -> tuple[str, str, str]:
    return f"{found.racks:,.0f}", f"{found.idle_mw:,.1f}", f"{found.peak_mw:,.1f}"


def _measured(found: Pool | Total, units: int) -> str:
    if not found.measured_units:
        return "-"
    of = "" if found.measured_units == units else f" ({found.measured_units:,} units)"
    return f"{found.measured}{of}"
