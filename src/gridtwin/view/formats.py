"""Numbers, instants and durations as the pages write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import numpy as np

__all__ = ["after", "duration", "highest", "instant", "lowest", "mean", "number", "signed", "step_instant", "zone_name"]

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
DAY_S, HOUR_S, MINUTE_S = 86400, 3600, 60


def number(value: object) -> str:
    """Write a number with separators and as many decimals as its size leaves meaning for.

    Examples
    --------
    >>> number(1234567.8), number(12.3456), number(3), number(None), number(float("nan"))
    ('1,234,568', '12.35', '3', '–', '–')
    """
    match value:
        case None:
            return DASH
        case bool() | np.bool_():
            return "yes" if value else "no"
        case int() | np.integer():
            return f"{int(value):,}".replace("-", MINUS)
        case float() | np.floating():
            return _real(float(value) + 0.0).replace("-", MINUS)
        case _:
            return str(value)


def _real(value: float) -> str:
    if not math.isfinite(value):
        return DASH if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if size >= 1000:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 100 else f"{value:.4g}"  # noqa: PLR2004


def signed(value: float) -> str:
    """Write a difference with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def duration(seconds: float | None) -> str:
    """Write a duration in its two largest units.

    Examples
    --------
    >>> duration(59), duration(3720), duration(90000), duration(None)
    ('59 s', '1 h 2 min', '1 d 1 h', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return DASH
    whole = round(abs(seconds))
    sign = MINUS if seconds < 0 and whole else ""
    units = ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"), (1, "s"))
    parts = []
    for size, unit in units:
        count, whole = divmod(whole, size)
        parts.append((count, unit))
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [(count, unit) for count, unit in parts[first : first + 2] if count] or parts[-1:]
    return sign + " ".join(f"{count} {unit}" for count, unit in shown)


def instant(when: datetime, zone_s: int = 0) -> str:
    """Write an instant on the clock of a zone."""
    return f"{when.astimezone(timezone(timedelta(seconds=zone_s))):%Y-%m-%d %H:%M}"


def zone_name(zone_s: int) -> str:
    """Write the offset of a zone, such as UTC−07:00.

    Examples
    --------
    >>> zone_name(0), zone_name(-25200), zone_name(28800)
    ('UTC', 'UTC−07:00', 'UTC+08:00')
    """
    if not zone_s:
        return str(UTC)
    hours, rest = divmod(abs(zone_s), HOUR_S)
    return f"UTC{MINUS if zone_s < 0 else '+'}{hours:02d}:{rest // MINUTE_S:02d}"


def after(start: datetime, seconds: float) -> datetime:
    """Return an instant some seconds later."""
    return start + timedelta(seconds=float(seconds))


def step_instant(when: np.datetime64, zone_s: int = 0) -> str:
    """Write an instant of a table, UTC there, on the clock of a zone."""
    return instant(datetime.fromtimestamp(float(when.astype("datetime64[s]").astype(np.int64)), tz=UTC), zone_s)


def mean(values: np.ndarray) -> float:
    """Return the mean of what is known; NaN where nothing is."""
    return _reduced(np.mean, values)


def lowest(values: np.ndarray) -> float:
    """Return the least of what is known; NaN where nothing is."""
    return _reduced(np.min, values)


def highest(values: np.ndarray) -> float:
    """Return the most of what is known; NaN where nothing is."""
    return _reduced(np.max, values)


def _reduced(reduce: Callable[[np.ndarray], np.floating], values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(reduce(known)) if known.size else math.nan
