"""Cooling: power usage effectiveness as a function of the outdoor air temperature."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from gridtwin.units import FloatArray

__all__ = ["COOLING", "Cooling", "pue"]


@dataclass(frozen=True, slots=True)
class Cooling:
    """A piecewise-linear PUE(T), constant outside its breakpoints.

    Parameters
    ----------
    name, description : str
    temp_air_degc : tuple of float, degC
        Breakpoints, ascending.
    pue : tuple of float
        Facility power over IT power at each, >= 1.
    source : str
        Where the values come from; *estimate* where nobody published them.
    """

    name: str
    description: str
    temp_air_degc: tuple[float, ...]
    pue: tuple[float, ...]
    source: str


_SHAPE: Final = (
    "estimate: flat while outside air cools for free, rising as fans, pumps and then compressors join; "
    "levels chosen so that annual means fall in the range that operators publish (about 1.1 to 1.5)"
)

COOLING: Final = MappingProxyType(
    {
        cooling.name: cooling
        for cooling in (
            Cooling(
                "free_air",
                "outside air, fans only, compressors on hot days",
                (-10.0, 15.0, 25.0, 35.0, 45.0),
                (1.07, 1.08, 1.14, 1.32, 1.48),
                _SHAPE,
            ),
            Cooling(
                "evaporative",
                "outside air over wet media, compressors assist on hot days",
                (-10.0, 10.0, 20.0, 30.0, 40.0, 46.0),
                (1.11, 1.12, 1.16, 1.22, 1.31, 1.37),
                _SHAPE + "; annual mean 1.19 with the typical year of Phoenix",
            ),
            Cooling(
                "chilled_water",
                "water chillers with cooling towers, economiser below 10 degC",
                (-10.0, 5.0, 10.0, 20.0, 35.0, 45.0),
                (1.18, 1.20, 1.25, 1.33, 1.45, 1.55),
                _SHAPE,
            ),
        )
    }
)


def pue(temp_air_degc: FloatArray, cooling: Cooling) -> FloatArray:
    """Power usage effectiveness at an outdoor temperature.

    Parameters
    ----------
    temp_air_degc : ndarray (...), degC
    cooling : Cooling

    Returns
    -------
    ndarray (...)
        Facility power over IT power, >= 1; NaN where the temperature is NaN.

    Examples
    --------
    >>> pue(np.array([25.0]), COOLING["evaporative"]).round(3).tolist()
    [1.19]
    """
    return np.asarray(np.interp(temp_air_degc, cooling.temp_air_degc, cooling.pue), np.float64)
