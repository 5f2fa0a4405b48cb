"""What a site pays for its electricity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridtwin.units import HOUR_S, KG_PER_T, FloatArray, IntArray

__all__ = ["Tariff", "charged_per_mwh", "local_hours", "local_months", "monthly_peaks_mw"]

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True, eq=False)
class Tariff:
    """A retail tariff, the same for all sites."""

    energy_per_mwh: FloatArray | None  # (24,) by local hour; None passes the nodal price on
    network_per_mwh: float  # on top of the energy
    demand_charge_per_mw: float  # for the highest draw of a site in each local calendar month
    carbon_per_t: float  # charged beside a fixed tariff; a nodal price holds it already


def charged_per_mwh(
    tariff: Tariff, nodal_per_mwh: FloatArray, co2_kg_per_mwh: FloatArray, hour: IntArray
) -> FloatArray:
    """Price of a MWh at each site's meter, demand charge apart.

    Parameters
    ----------
    tariff : Tariff
    nodal_per_mwh : ndarray (time, site)
        Price at the sites' buses, carbon included.
    co2_kg_per_mwh : ndarray (time,)
        Mean emissions of generation, by which a carbon price beside a fixed tariff is charged.
    hour : ndarray (time,)
        Local hour of the day, 0 to 23.

    Returns
    -------
    ndarray (time, site), money per MWh
    """
    if tariff.energy_per_mwh is None:
        return nodal_per_mwh + tariff.network_per_mwh
    fixed = tariff.energy_per_mwh[hour] + tariff.network_per_mwh + tariff.carbon_per_t * co2_kg_per_mwh / KG_PER_T
    return np.broadcast_to(fixed[:, None], nodal_per_mwh.shape)


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


def local_hours(instants: NDArray[np.datetime64], zone_s: int) -> IntArray:
    """Hour of the local day, 0 to 23, of instants in UTC; `zone_s` is the zone's offset from UTC."""
    local_s = instants.astype("datetime64[s]").astype(np.int64) + zone_s
    return local_s // HOUR_S % HOURS_A_DAY


def local_months(instants: NDArray[np.datetime64], zone_s: int) -> IntArray:
    """Number of the local calendar month, counted from January 1970, of instants in UTC.

    Examples
    --------
    >>> local_months(np.array(["1970-02-01T02:00"], "datetime64[s]"), -3 * 3600)
    array([0])
    """
    local = instants.astype("datetime64[s]") + np.timedelta64(zone_s, "s")
    return local.astype("datetime64[M]").astype(np.int64)
