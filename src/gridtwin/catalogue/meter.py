"""The meter: operations per second in one precision, which the type carries so that unlike ones are never added."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Generic, TypeVar

from gridtwin.errors import PrecisionError
from gridtwin.located import did_you_mean

__all__ = ["FP16", "FP32", "FP64", "INT8", "METERED_IN", "PRECISIONS", "Precision", "Throughput", "total"]


class Precision:
    """Arithmetic in which compute is metered; a type, never an object."""

    name: ClassVar[str]
    column: ClassVar[str]  # of the catalogue's tables, in 1e12 operations per second
    operation: ClassVar[str] = "FLOP"


class FP64(Precision):
    """Double precision: simulation."""

    name = "fp64"
    column = "fp64_tflops"


class FP32(Precision):
    """Single precision: general computing."""

    name = "fp32"
    column = "fp32_tflops"


class FP16(Precision):
    """Half precision, FP16 or BF16: training and inference."""

    name = "fp16"
    column = "fp16_tflops"


class INT8(Precision):
    """Bytes: inference with quantised weights. Operations, not floating-point ones."""

    name = "int8"
    column = "int8_tops"
    operation = "OP"


PRECISIONS: Final = MappingProxyType({precision.name: precision for precision in (FP64, FP32, FP16, INT8)})
# edge is metered as what stands there: its hardware says in which
METERED_IN: Final = MappingProxyType({"general": "fp32", "intelligent": "fp16", "inference": "fp16", "super": "fp64"})
PREFIXES: Final = MappingProxyType({"": 1.0, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18})

P = TypeVar("P", bound=Precision)


@dataclass(frozen=True, slots=True)
class Throughput(Generic[P]):
    """Operations per second in one precision.

    A type checker refuses to add a `Throughput[FP16]` to a `Throughput[FP32]`; so does running it.

    Parameters
    ----------
    per_s : float, operations per second
    precision : type of Precision

    Examples
    --------
    >>> Throughput.of(1.5, "PFLOP/s", FP32) + Throughput.of(500, "TFLOP/s", FP32)
    Throughput(2e+15, FP32)
    >>> Throughput.of(1.5, "PFLOP/s", FP32) + Throughput.of(500, "TFLOP/s", FP16)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    gridtwin.errors.PrecisionError: FP32 and FP16 are not the same meter; ...
    """

    per_s: float
    precision: type[P]

    @classmethod
    def of(cls, value: float, unit: str, precision: type[P]) -> Throughput[P]:
        """Return a throughput given in FLOP/s, GFLOP/s, TFLOP/s, PFLOP/s or EFLOP/s; in OP/s … where bytes are counted.

        Raises
        ------
        PrecisionError
            If the precision is not counted in this unit.
        """
        return cls(value * _scale(unit, precision), precision)

    def to(self, unit: str) -> float:
        """Return the value in a unit, such as TFLOP/s.

        Raises
        ------
        PrecisionError
            If the precision is not counted in this unit.
        """
        return self.per_s / _scale(unit, self.precision)

    def __add__(self, other: Throughput[P]) -> Throughput[P]:
        if not isinstance(other, Throughput):
            return NotImplemented
        self._require_same(other)
        return Throughput(self.per_s + other.per_s, self.precision)

    def __mul__(self, count: float) -> Throughput[P]:
        return Throughput(self.per_s * count, self.precision)

    def __lt__(self, other: Throughput[P]) -> bool:
        self._require_same(other)
        return self.per_s < other.per_s

    def __repr__(self) -> str:
        return f"Throughput({self.per_s:g}, {self.precision.__name__})"

    def __str__(self) -> str:
        prefix = max(
            ((scale, name) for name, scale in PREFIXES.items() if scale <= abs(self.per_s)), default=(1.0, "")
        )[1]
        unit = f"{prefix}{self.precision.operation}/s"
        return f"{self.to(unit):,.4g} {unit} {self.precision.__name__}"

    def _require_same(self, other: Throughput[P]) -> None:
        if self.precision is not other.precision:
            raise PrecisionError(
                f"{self.precision.__name__} and {other.precision.__name__} are not the same meter; "
                "total each precision by itself"
            )


def total(precision: type[P], rates: Iterable[Throughput[P]]) -> Throughput[P]:
    """Add throughputs of one precision.

    Raises
    ------
    PrecisionError
        If one of them is of another.

    Examples
    --------
    >>> print(total(FP64, [Throughput.of(9.7, "TFLOP/s", FP64)] * 48))
    465.6 TFLOP/s FP64
    """
    found = Throughput(0.0, precision)
    for rate in rates:
        found += rate
    return found


def _scale(unit: str, precision: type[Precision]) -> float:
    scales = {f"{prefix}{precision.operation}/s": scale for prefix, scale in PREFIXES.items()}
    if unit not in scales:
        raise PrecisionError(f"{precision.__name__} is not metered in {unit!r}{did_you_mean(unit, scales)}")
    return scales[unit]
