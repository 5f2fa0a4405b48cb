"""What a site pays for its electricity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["Tariff", "charged_per_mwh", "energy_prices", "flat_year", "local_months", "monthly_peaks_mw"]

HALF_HOUR_S, HALF_HOURS_A_DAY, MONTHS = 1800, 48, 12


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """What sites pay for electricity."""

    energy_per_mwh: FloatArray  # (site, month, half hour) of the local year and day; NaN passes the nodal price on
    network_per_mwh: float  # on top of the energy
    demand_charge_per_mw: float  # for the highest draw of a site in each local calendar month
    carbon_per_t: float  # charged beside a fixed price of energy; a nodal price holds it already


def flat_year(hourly_per_mwh: FloatArray | None, sites: int) -> FloatArray:
    """Return one day's prices as the energy prices of a `Tariff`, the same for all sites and months.

    Parameters
    ----------
    hourly_per_mwh : ndarray (24,) or None
        By local hour; None passes the nodal price on.
    sites : int

    Returns
    -------
    ndarray (site, month, half hour)
    """
    day = np.full(HALF_HOURS_A_DAY, np.nan) if hourly_per_mwh is None else np.repeat(hourly_per_mwh, 2)
    return np.broadcast_to(day, (sites, MONTHS, HALF_HOURS_A_DAY))


def charged_per_mwh(
    tariff: Tariff, nodal_per_mwh: FloatArray, co2_kg_per_mwh: FloatArray, energy_per_mwh: FloatArray
) -> FloatArray:
    """Price of a MWh at each site's meter, demand charge apart.

    Parameters
    ----------
    tariff : Tariff
    nodal_per_mwh : ndarray (time, site)
        Price at the sites' buses, carbon included.
    co2_kg_per_mwh : ndarray (time,)
        Mean emissions of generation, by which a carbon price beside a fixed tariff is charged.
    energy_per_mwh : ndarray (time, site)
        Of the tariff in these steps, see `energy_prices`; NaN where the nodal price holds.

    Returns
    -------
    ndarray (time, site), money per MWh
    """
    carbon = tariff.carbon_per_t * co2_kg_per_mwh[:, None] / KG_PER_T
    return np.where(np.isnan(energy_per_mwh), nodal_per_mwh, energy_per_mwh + carbon) + tariff.network_per_mwh


def energy_prices(tariff: Tariff, instants: NDArray[np.datetime64], zone_s: int, step_s: int) -> FloatArray:
    """Price of energy in each step, the mean where several half hours lie in one.

    Parameters
    ----------
    tariff : Tariff
    instants : ndarray (time,), datetime64, UTC
    zone_s : int, s
        Offset of local time from UTC.
    step_s : int, s

    Returns
    -------
    ndarray (time, site), money per MWh
        NaN where the nodal price holds.
    """
    part_s = math.gcd(step_s, HALF_HOUR_S)
    begins = instants.astype("datetime64[s]")[:, None] + np.arange(0, step_s, part_s).astype("timedelta64[s]")
    half_hour = (begins.astype(np.int64) + zone_s) // HALF_HOUR_S % HALF_HOURS_A_DAY
    month = local_months(begins, zone_s) % MONTHS
    of_parts: FloatArray = tariff.energy_per_mwh[:, month, half_hour]
    price: FloatArray = of_parts.mean(axis=2).T
    return price


def monthly_peaks_mw(site_mw: FloatArray, month: IntArray) -> FloatArray:
    """Highest draw of each site in each month, never below zero.

    Parameters
    ----------
    site_mw : ndarray (time, site), MW
    month : ndarray (time,)

    Returns
    -------
    ndarray (month, site), MW, months in order of time

    Examples
    --------
    >>> monthly_peaks_mw(np.array([[1.0], [3.0], [2.0]]), np.array([600, 600, 601])).ravel()
    array([3., 2.])
    """
    months, place = np.unique(month, return_inverse=True)
    peaks = np.zeros((len(months), site_mw.shape[1]))
    np.maximum.at(peaks, place, site_mw)
    return peaks


def local_months(instants: NDArray[np.datetime64], zone_s: int) -> IntArray:
    """Number of the local calendar month, counted from January 1970, of instants in UTC.

    Examples
    --------
    >>> local_months(np.array(["1970-02-01T02:00"], "datetime64[s]"), -3 * 3600)
    array([0])
    """
    local = instants.astype("datetime64[s]") + np.timedelta64(zone_s, "s")
    return local.astype("datetime64[M]").astype(np.int64)
