"""Writes docs/systems.md from the tables of systems and node units: `python docs/make_systems.py`."""

from __future__ import annotations

from pathlib import Path

from gridtwin.catalogue.hardware import Hardware, load_hardware
from gridtwin.catalogue.systems import System, load_systems

PAGE = Path(__file__).with_name("systems.md")
SPEEDS = ("fp64_tflops", "fp32_tflops", "fp16_tflops", "int8_tops")
HEAD = """\
# Systems and node units

Made by `docs/make_systems.py` from `src/gridtwin/catalogue/systems.csv` and `hardware.csv`; edit those, not this page.
What the figures are for: [registry](registry.md).

`≈` is an estimate. Everything else was published: by the maker, by a benchmark list, or, where the source says so, by
the press. `-` means that a machine does not have it, or that nobody published it.

## Systems

Peak speed in dense arithmetic, TFLOP/s (INT8: TOP/s). *Host* is the share of the rest of the server at full load; *per
rack* is how many, with that share, a standard rack of 2.5 kW IT feeds.

"""
COLUMNS = ("system", "name", "名称", "year", "instruction set", "stack", "FP64", "FP32", "FP16", "INT8")
POWER = ("idle W", "peak W", "host W", "GB", "per rack")
UNITS = """
## Node units

What a model's `nodes.csv` may name under `hardware`. *Metered* is the peak in the precision of the class.

| unit | 名称 | class | made of | instruction set | stack | idle kW | peak kW | metered |
| --- | --- | --- | --- | --- | --- | --: | --: | --: |
"""


def page() -> str:
    """Return the page that the tables give."""
    systems = load_systems().values()
    head = _row(*COLUMNS, *POWER) + _row(*["---"] * 6, *["--:"] * 9)
    rows = head + "".join(map(_system, systems)), "".join(map(_unit, load_hardware().values()))
    sources = "".join(f"- `{system.system}`: {system.source}.\n" for system in systems)
    return f"{HEAD}{rows[0]}{UNITS}{rows[1]}\n## Sources of systems\n\n{sources}"


def _system(system: System) -> str:
    names = system.system, system.name, system.name_zh
    power = (_figure(system, name) for name in ("idle_w", "peak_w", "host_w", "memory_gb"))
    speeds = (_figure(system, name) for name in SPEEDS)
    built = _figure(system, "vintage"), system.instruction_set, system.stack
    return _row(f"`{names[0]}`", *names[1:], *built, *speeds, *power, f"{system.per_standard_rack:.2f}")


def _unit(unit: Hardware) -> str:
    metered = f"{'≈' * unit.estimated(unit.precision)}{unit.peak()}"
    made_of = f"{unit.count} x `{unit.based_on}`"
    power = (_figure(unit, name, 1000.0) for name in ("idle_w", "peak_w"))
    return _row(
        f"`{unit.name}`", unit.name_zh, unit.compute_class, made_of, unit.instruction_set, unit.stack, *power, metered
    )


def _figure(record: System | Hardware, name: str, scale: float = 1.0) -> str:
    value = getattr(record, name)
    if value != value:  # noqa: PLR0124 - NaN is not itself
        return "-"
    return f"{'≈' if name in record.estimates else ''}{value / scale:.6g}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
