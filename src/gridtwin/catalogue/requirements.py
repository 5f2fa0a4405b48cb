"""What a job needs of a machine beside speed: an instruction set, a software stack of its accelerators."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

__all__ = ["INSTRUCTION_SETS", "STACKS", "Architecture", "Requirement"]

INSTRUCTION_SETS: Final = MappingProxyType(
    {
        "x86_64": "Intel, AMD, Hygon, Zhaoxin",
        "aarch64": "Kunpeng, Phytium, Fujitsu, Ampere",
        "loongarch64": "Loongson",
        "sw64": "Sunway",
        "riscv64": "RISC-V",
        "ppc64le": "IBM POWER",
    }
)
STACKS: Final = MappingProxyType(
    {
        "none": "no accelerator",
        "cuda": "NVIDIA",
        "rocm": "AMD",
        "cann": "Huawei Ascend",
        "dtk": "Hygon DCU",
        "neuware": "Cambricon",
        "xpu": "Kunlunxin",
        "musa": "Moore Threads",
        "athread": "the slave cores of Sunway processors",
        "matrix2000": "the Matrix-2000 of Tianhe-2A",
    }
)


class Architecture(Protocol):
    """Anything with an instruction set and a stack: a node unit or a system of the catalogue."""

    @property
    def instruction_set(self) -> str: ...  # noqa: D102 - the names say it

    @property
    def stack(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a job can run on.

    Parameters
    ----------
    instruction_set, stack : frozenset of str
        Those for which the program was built; empty where any will do.

    Examples
    --------
    >>> from gridtwin.catalogue.hardware import load_hardware
    >>> hardware = load_hardware()
    >>> needs_cuda = Requirement(stack=frozenset({"cuda"}))
    >>> needs_cuda.accepts(hardware["a100_block_40kw"]), needs_cuda.accepts(hardware["ascend_block_40kw"])
    (True, False)
    """

    instruction_set: frozenset[str] = frozenset()
    stack: frozenset[str] = frozenset()

    def accepts(self, hardware: Architecture) -> bool:
        """Whether a job with this requirement runs on a machine."""
        fits = not self.instruction_set or hardware.instruction_set in self.instruction_set
        return fits and (not self.stack or hardware.stack in self.stack)
