"""What generation costs and emits."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.records import UnitData
from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["along_segments", "merit_order_price", "production_co2_kg_per_h", "production_cost_per_h"]


def production_cost_per_h(unit_mw: FloatArray, units: UnitData) -> FloatArray:
    """Fuel and variable cost of each unit, carbon excluded.

    Parameters
    ----------
    unit_mw : ndarray (time, unit), MW
    units : UnitData
        Segments are convex, so the cheapest fill first.

    Returns
    -------
    ndarray (time, unit), money per hour
    """
    return along_segments(unit_mw, units.segment_unit, units.segment_mw, units.segment_cost_per_mwh)


def production_co2_kg_per_h(unit_mw: FloatArray, units: UnitData) -> FloatArray:
    """CO2 of each unit (time, unit), kg per hour; `unit_mw` as in `production_cost_per_h`."""
    return along_segments(unit_mw, units.segment_unit, units.segment_mw, units.segment_co2_kg_per_mwh)


def merit_order_price(residual_mw: float, units: UnitData, carbon_per_t: float) -> float:
    """Cost of the segment that meets a residual load, cheapest first, no grid and no ramps.

    Parameters
    ----------
    residual_mw : float, MW
        Load less the output of all units that have a profile.
    units : UnitData
    carbon_per_t : float
        Money per tonne of CO2.

    Returns
    -------
    float, money per MWh
        Of the dearest segment where the residual exceeds all capacity; 0 where nothing but profiles is needed.
    """
    dispatchable = units.profile[units.segment_unit] < 0
    cost = (units.segment_cost_per_mwh + carbon_per_t * units.segment_co2_kg_per_mwh / KG_PER_T)[dispatchable]
    order = np.argsort(cost, kind="stable")
    capacity = np.cumsum(units.segment_mw[dispatchable][order])
    if residual_mw <= 0 or len(capacity) == 0:
        return 0.0
    return float(cost[order][min(int(np.searchsorted(capacity, residual_mw)), len(capacity) - 1)])


def along_segments(unit_mw: FloatArray, owner: IntArray, width_mw: FloatArray, rate: FloatArray) -> FloatArray:
    """What output costs or emits along the segments of each unit, the first of them first.

    Parameters
    ----------
    unit_mw : ndarray (time, unit), MW
    owner : ndarray (segment,)
        Unit of each segment, ascending.
    width_mw : ndarray (segment,), MW
    rate : ndarray (segment,), per MWh

    Returns
    -------
    ndarray (time, unit), per hour
    """
    ends = np.cumsum(width_mw)
    before = ends - width_mw
    before = before - before[np.searchsorted(owner, owner)]
    filled = np.clip(unit_mw[:, owner] - before, 0.0, width_mw)
    return sum_at(filled * rate, owner, unit_mw.shape[1])
