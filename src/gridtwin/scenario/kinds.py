"""Kinds of values that scenario and model files are made of."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

__all__ = [
    "NAME_SCHEMA",
    "Duration",
    "Instant",
    "Name",
    "NonNegative",
    "Positive",
    "Schema",
    "Share",
    "Shares",
    "Span",
    "duration_s",
    "duration_text",
]

SHARE_TOLERANCE: Final = 1e-6

_UNIT_S: Final = {"w": 604_800, "d": 86_400, "h": 3600, "min": 60, "s": 1}
_LENGTH: Final = r"(\d+(?:\.\d+)?)\s*(w|d|h|min|s)\s*"
_DURATION: Final = re.compile(rf"\s*{_LENGTH}")

# what an editor is told of values that are written as text
_DURATION_SCHEMA: Final = {"type": "string", "pattern": rf"^\s*{_LENGTH}$", "examples": ["15min", "1h", "7d"]}
_SPAN_SCHEMA: Final = _DURATION_SCHEMA | {"pattern": rf"^\s*(?![0.]+\s*[a-z]){_LENGTH}$"}
_INSTANT_SCHEMA: Final = {
    "type": "string",
    "pattern": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}(:\d{2}(:\d{2})?)?\s*(Z|[+-]\d{2}(:?\d{2})?)$",
    "examples": ["2025-06-01T00:00:00+08:00"],
}
NAME_SCHEMA: Final = {"type": ["string", "integer"], "minLength": 1}


class Schema(BaseModel):
    """Base of all schemas: frozen, unknown keys refused, every number finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def duration_s(given: Any) -> int:  # noqa: ANN401 - a file holds any value
    """Read `15min`, `1h` or `7d` as whole seconds."""
    found = _DURATION.fullmatch(given) if isinstance(given, str) else None
    seconds = float(found[1]) * _UNIT_S[found[2]] if found else math.nan
    if not seconds.is_integer():
        raise ValueError(
            f"expected a duration in whole seconds with its unit (s, min, h, d or w), such as 15min or 7d, "
            f"got {given!r}"
        )
    return int(seconds)


def duration_text(seconds: int) -> str:
    """Return a duration in its largest whole unit.

    Examples
    --------
    >>> duration_text(5400), duration_text(172800)
    ('90min', '2d')
    """
    unit = next(unit for unit, length in _UNIT_S.items() if seconds % length == 0 and (seconds or unit == "s"))
    return f"{seconds // _UNIT_S[unit]}{unit}"


def _instant(given: Any) -> datetime:  # noqa: ANN401 - a file holds any value
    """Read an ISO 8601 time that states its zone."""
    example = "2020-07-01T00:00:00-07:00"
    try:
        instant = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise ValueError(f"expected a time with its zone such as {example}, got {given!r}") from None
    if instant.utcoffset() is None:
        raise ValueError(f"time {given!s} has no zone; append the offset from UTC, as in {example}")
    if instant.microsecond:
        raise ValueError(f"expected a time in whole seconds, got {given!r}")
    return instant


def _positive_s(seconds: int) -> int:
    if seconds <= 0:
        raise ValueError("expected a duration longer than zero")
    return seconds


def _name(given: Any) -> Any:  # noqa: ANN401 - a file holds any value
    """Let a bus called 113 be written without quotes."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _adding_to_one(shares: Mapping[str, float]) -> Mapping[str, float]:
    total = math.fsum(shares.values())
    if abs(total - 1) > SHARE_TOLERANCE:
        raise ValueError(f"shares add to {total:g}, expected 1")
    return shares


Name: TypeAlias = Annotated[str, BeforeValidator(_name), Field(min_length=1), WithJsonSchema(NAME_SCHEMA)]
Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0)]
NonNegative: TypeAlias = Annotated[float, Field(strict=True, ge=0)]
Share: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1)]
Shares: TypeAlias = Annotated[dict[Name, Share], AfterValidator(_adding_to_one)]
Instant: TypeAlias = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(datetime.isoformat, when_used="json"),
    WithJsonSchema(_INSTANT_SCHEMA),
]
Duration: TypeAlias = Annotated[
    int,
    BeforeValidator(duration_s),
    PlainSerializer(duration_text, when_used="json"),
    WithJsonSchema(_DURATION_SCHEMA),
]
Span: TypeAlias = Annotated[Duration, AfterValidator(_positive_s), WithJsonSchema(_SPAN_SCHEMA)]
