"""Linear sensitivities of a grid: MATPOWER's DC power flow, b = 1 / (x · tap)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gridtwin.errors import GridError
from gridtwin.records import GridData, NetworkMatrices
from gridtwin.units import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from pandapower.auxiliary import pandapowerNet

__all__ = ["dc_angles_deg", "lodf", "network_matrices", "network_matrices_of_net", "ptdf"]

_BRIDGE_TOLERANCE: Final = 1e-8  # of the flow a line's own outage leaves to the rest of the grid
_UNLIMITED_MW: Final = 1e6  # a rating from here on means that there is none


def network_matrices(grid: GridData) -> NetworkMatrices:
    """Return what a linear dispatch needs to know of a grid.

    Raises
    ------
    GridError
        If a branch has no reactance or a bus is not connected to the slack.
    """
    if grid.transport:
        factors, outage, bridge = np.zeros((0, len(grid.bus))), np.zeros((0, 0)), np.zeros(0, dtype=np.bool_)
    else:
        factors = ptdf(grid.line_from, grid.line_to, _susceptance_pu(grid), len(grid.bus), grid.slack)
        outage, bridge = lodf(factors, grid.line_from, grid.line_to)
    return NetworkMatrices(
        transport=grid.transport,
        bus=grid.bus,
        line=grid.line,
        slack=grid.slack,
        line_from=grid.line_from,
        line_to=grid.line_to,
        r_pu=grid.r_pu,
        base_mva=grid.base_mva,
        ptdf=factors,
        lodf=outage,
        bridge=bridge,
        rate_mw=grid.rate_mw,
        rate_long_mw=grid.rate_long_mw,
        rate_short_mw=grid.rate_short_mw,
    )


def network_matrices_of_net(net: pandapowerNet) -> NetworkMatrices:
    """Return the matrices of any pandapower net, such as case118.

    Buses are those in service, in the order of `net.bus`; buses fused by a closed switch have equal columns. Lines are
    the branches in service: lines, transformers and whatever else pandapower makes a branch of, named "<table> <row>".
    Ratings come from `max_i_ka` and `sn_mva`, both emergency ratings equal the continuous one, other branches have
    none. Constant flows of phase shifters are not part of `ptdf @ injection_mw`.

    Raises
    ------
    GridError
        If the DC power flow of the net fails or the net has several slack buses.
    """
    from gridtwin.grid.network import dc_branches  # noqa: PLC0415 - pandapower only for those who bring a net

    found = dc_branches(net)
    x_tap = found.x_pu * found.tap_ratio
    _require_reactance(found.line, x_tap)
    factors = ptdf(found.internal_from, found.internal_to, 1 / x_tap, found.internal_buses, found.internal_slack)
    outage, bridge = lodf(factors, found.internal_from, found.internal_to)
    first_bus = np.full(found.internal_buses, -1)
    first_bus[found.bus_row[::-1]] = np.arange(len(found.bus))[::-1]
    return NetworkMatrices(
        bus=found.bus,
        line=found.line,
        slack=int(first_bus[found.internal_slack]),
        line_from=first_bus[found.internal_from],
        line_to=first_bus[found.internal_to],
        r_pu=found.r_pu,
        base_mva=found.base_mva,
        ptdf=factors[:, found.bus_row],
        lodf=outage,
        bridge=bridge,
        rate_mw=np.where(found.rate_mw < _UNLIMITED_MW, found.rate_mw, np.inf),
        rate_long_mw=np.where(found.rate_mw < _UNLIMITED_MW, found.rate_mw, np.inf),
        rate_short_mw=np.where(found.rate_mw < _UNLIMITED_MW, found.rate_mw, np.inf),
    )


def ptdf(line_from: IntArray, line_to: IntArray, susceptance_pu: FloatArray, buses: int, slack: int) -> FloatArray:
    """Power transfer distribution factors.

    Parameters
    ----------
    line_from, line_to : ndarray (line,)
        Bus indices.
    susceptance_pu : ndarray (line,)
        1 / (x · tap).
    buses, slack : int

    Returns
    -------
    ndarray (line, bus)
        Flow per unit of injection taken out at the slack, whose column is zero.

    Raises
    ------
    GridError
        If the grid falls apart.
    """
    flow_per_angle = _incidence(line_from, line_to, buses) * susceptance_pu[:, None]
    bus_susceptance = _incidence(line_from, line_to, buses).T @ flow_per_angle
    kept = np.arange(buses) != slack
    factors = np.zeros((len(line_from), buses))
    try:
        factors[:, kept] = np.linalg.solve(bus_susceptance[np.ix_(kept, kept)], flow_per_angle[:, kept].T).T
    except np.linalg.LinAlgError as error:
        raise GridError("grid: the DC power flow is singular; some bus is not connected to the slack") from error
    return factors


def lodf(ptdf_: FloatArray, line_from: IntArray, line_to: IntArray) -> tuple[FloatArray, BoolArray]:
    """Line outage distribution factors, and which lines are bridges.

    Parameters
    ----------
    ptdf_ : ndarray (line, bus)
    line_from, line_to : ndarray (line,)

    Returns
    -------
    lodf : ndarray (line, outage)
        Part of the flow before the outage that each line takes over; -1 on the diagonal, NaN in columns of bridges.
    bridge : ndarray (line,)
        Lines whose outage splits the grid, since all of a transfer between their ends flows through them.
    """
    transfer = ptdf_[:, line_from] - ptdf_[:, line_to]
    left_over = 1 - np.diagonal(transfer)
    bridge = np.abs(left_over) < _BRIDGE_TOLERANCE
    factors = transfer / np.where(bridge, np.nan, left_over)
    np.fill_diagonal(factors, np.where(bridge, np.nan, -1.0))
    return factors, bridge


def dc_angles_deg(grid: GridData, injection_mw: FloatArray) -> FloatArray:
    """Voltage angles of the DC power flow.

    Parameters
    ----------
    grid : GridData
    injection_mw : ndarray (time, bus)
        The slack's own value does not matter.

    Returns
    -------
    ndarray (time, bus), degrees, 0 at the slack
    """
    buses = len(grid.bus)
    incidence = _incidence(grid.line_from, grid.line_to, buses)
    bus_susceptance = incidence.T @ (incidence * _susceptance_pu(grid)[:, None])
    kept = np.arange(buses) != grid.slack
    angle_rad = np.zeros_like(injection_mw)
    angle_rad[:, kept] = np.linalg.solve(bus_susceptance[np.ix_(kept, kept)], injection_mw[:, kept].T / grid.base_mva).T
    return np.rad2deg(angle_rad)


def _susceptance_pu(grid: GridData) -> FloatArray:
    x_tap = grid.x_pu * grid.tap_ratio
    _require_reactance(grid.line, x_tap)
    return 1 / x_tap


def _require_reactance(line: tuple[str, ...], x_tap_pu: FloatArray) -> None:
    without = [line[index] for index in np.flatnonzero(x_tap_pu == 0)]
    if without:
        raise GridError(f"grid: {', '.join(without)}: a DC power flow needs x_pu and tap_ratio other than 0")


def _incidence(line_from: IntArray, line_to: IntArray, buses: int) -> FloatArray:
    incidence = np.zeros((len(line_from), buses))
    row = np.arange(len(line_from))
    np.add.at(incidence, (row, line_from), 1.0)
    np.add.at(incidence, (row, line_to), -1.0)
    return incidence
