"""Systems: real processors, accelerators and nodes with their published figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from gridtwin.catalogue.tables import ARCHITECTURE, SPEEDS, architecture_faults, estimate_faults, read_rows, words
from gridtwin.errors import Issue
from gridtwin.located import Field, Table

__all__ = ["SHIPPED_SYSTEMS", "STANDARD_RACK_W", "System", "load_systems"]

SHIPPED_SYSTEMS: Final = Path(__file__).with_name("systems.csv")
STANDARD_RACK_W: Final = 2500.0  # a standard rack is 2.5 kW of IT
KINDS: Final = ("cpu", "gpu", "npu", "server")


@dataclass(frozen=True, slots=True)
class System:
    """A processor, an accelerator or a node as its maker sells it.

    Speeds are peak values in dense arithmetic, NaN where it does not have it or nobody published it.
    """

    system: str
    name: str
    name_zh: str
    vendor: str
    kind: str  # cpu, gpu, npu, or server where a node was published as a whole
    vintage: int  # year in which it was first sold
    instruction_set: str  # of the host that it is shipped in
    stack: str  # software of the accelerator; none without
    idle_w: float
    peak_w: float
    host_w: float  # its share of the rest of the server at full load; 0 where peak_w is that of a whole node
    memory_gb: float
    fp64_tflops: float
    fp32_tflops: float
    fp16_tflops: float  # or BF16
    int8_tops: float
    estimates: tuple[str, ...]  # fields above that are estimates, not published values
    source: str

    @property
    def per_standard_rack(self) -> float:
        """How many, with their share of a server, a standard rack of 2.5 kW IT feeds."""
        return STANDARD_RACK_W / (self.peak_w + self.host_w)

    @property
    def speeds(self) -> dict[str, float]:
        """Peak speeds by field, those that there are."""
        named = {field.name: float(getattr(self, field.name)) for field in SPEEDS}
        return {name: speed for name, speed in named.items() if not math.isnan(speed)}


_FIGURES = ("vintage", "idle_w", "peak_w", "host_w", "memory_gb", *(field.name for field in SPEEDS))
_FIELDS = (
    *(Field(name, "text") for name in ("system", "name", "name_zh", "vendor", "kind")),
    *ARCHITECTURE,
    Field("idle_w", at_least=0),
    Field("peak_w", above=0),
    Field("host_w", at_least=0),
    Field("memory_gb", at_least=0),
    *SPEEDS,
    Field("estimates", "text", empty=""),
    Field("source", "text"),
)


@cache
def load_systems(path: Path = SHIPPED_SYSTEMS) -> Mapping[str, System]:
    """Read a table of systems.

    Parameters
    ----------
    path : Path
        A CSV file with one column per field of `System`; `estimates` lists field names separated by `;`.

    Returns
    -------
    mapping of str to System, by name

    Raises
    ------
    InputError
        With all faults at `file:line:column`.

    Examples
    --------
    >>> round(load_systems()["nvidia_h100_sxm"].per_standard_rack, 2)
    1.96
    """
    return read_rows(path, _FIELDS, "system", _faults, _system)


def _faults(table: Table) -> Iterator[Issue]:
    yield from architecture_faults(table)
    yield from estimate_faults(table, _FIGURES)
    yield from table.unknown("kind", KINDS, "kind of system")


def _system(**row: Any) -> System:  # noqa: ANN401 - cells of a table that has been checked
    return System(**{**row, "vintage": int(row["vintage"]), "estimates": words(row["estimates"])})
