"""What AC makes of a dispatch: the injections it asks for, and who gives what the slack would have to."""

from __future__ import annotations

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.dispatch import GridPlan
from gridtwin.policies.base import Forecast, System
from gridtwin.policies.grid_problem import site_injection
from gridtwin.records import AcInjections
from gridtwin.units import FloatArray

__all__ = ["COMMITTED_MW", "ac_injections", "by_headroom"]

COMMITTED_MW = 1e-3


def ac_injections(
    system: System,
    conditions: Forecast,
    dispatch: GridPlan,
    site_mw: FloatArray,
    stores_mw: FloatArray,
    link_mw: FloatArray,
) -> AcInjections:
    """What AC is asked to carry; shed takes reactive load along, sites draw at their power factor, stores at 1.

    Parameters
    ----------
    system : System
    conditions : Forecast
    dispatch : GridPlan
        Over at least the steps of `conditions`, which alone are looked at.
    site_mw : ndarray (time, site), MW
        Draw of the sites in these steps, their stores apart.
    stores_mw : ndarray (time, store), MW
        Charge less discharge of stores with a converter of their own.
    link_mw : ndarray (time, link), MW
        Sent over each HVDC link, positive from -> to.
    """
    part = slice(0, conditions.steps)
    unit_mw = system.groups.split(dispatch.group_mw[part], conditions.unit_available_mw)
    drawn_mw = conditions.load_mw + site_injection(system, site_mw)
    drawn_mvar = conditions.load_mvar + site_injection(system, site_mw * np.tan(np.arccos(system.fleet.power_factor)))
    served = 1.0 - ratio_or_zero(dispatch.shed_mw[part], drawn_mw)
    return AcInjections(
        load_mw=drawn_mw * served
        + dispatch.dumped_mw[part]
        + sum_at(stores_mw, system.stores.bus, len(system.grid.bus)),
        load_mvar=drawn_mvar * served,
        unit_mw=unit_mw,
        committed=system.units.holds_voltage & ((unit_mw > COMMITTED_MW) | system.units.always_committed),
        link_mw=link_mw,
    )


def by_headroom(
    unit_mw: FloatArray, floor_mw: FloatArray, available_mw: FloatArray, excess_mw: FloatArray
) -> FloatArray:
    """Share `excess_mw` (time,) among running units (time, unit), never beyond what they have or must give."""
    room = np.where(excess_mw[:, None] > 0, available_mw - unit_mw, unit_mw - floor_mw)
    room = np.where(unit_mw > COMMITTED_MW, np.maximum(room, 0.0), 0.0)
    total = room.sum(axis=1, keepdims=True)
    taken = np.clip(excess_mw[:, None], -total, total)
    return ratio_or_zero(room, total) * taken
