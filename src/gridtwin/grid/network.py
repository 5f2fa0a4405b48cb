"""The pandapower net of record, and the few calls made of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from gridtwin.arrays import link_injection_mw
from gridtwin.errors import GridError
from gridtwin.records import GridData, UnitData
from gridtwin.units import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from types import ModuleType

    from pandapower.auxiliary import pandapowerNet

__all__ = ["Admittances", "DcBranches", "admittances", "build_net", "check_grid", "dc_branches", "run_step"]

_FREQUENCY_HZ = 50.0  # only turns per-unit charging into nF and back
_SETPOINT_TOLERANCE_PU = 1e-9
_TOLERANCE_PU = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Admittances:
    """Admittance matrices of a grid in per unit, rows and columns in the order of `GridData`."""

    ybus: sparse.csr_matrix  # (bus, bus)
    y_from: sparse.csr_matrix  # (line, bus) current into the line at its from end
    y_to: sparse.csr_matrix  # (line, bus)
    v_base_pu: NDArray[np.complex128]  # (bus,) solved without load; |V| is the set-point where a unit can hold it


@dataclass(frozen=True, slots=True, eq=False)
class DcBranches:
    """Branches in service of a pandapower net, as its DC power flow sees them."""

    base_mva: float
    bus: tuple[str, ...]  # in service, in the order of `net.bus`
    bus_row: IntArray  # (bus,) internal bus; fused buses share one
    internal_buses: int
    internal_slack: int
    line: tuple[str, ...]
    internal_from: IntArray  # (line,)
    internal_to: IntArray  # (line,)
    r_pu: FloatArray  # (line,)
    x_pu: FloatArray  # (line,)
    tap_ratio: FloatArray  # (line,)
    rate_mw: FloatArray  # (line,) inf where unknown


def build_net(grid: GridData, units: UnitData) -> pandapowerNet:
    """Build the pandapower model of a grid, with every injection at zero.

    Tables keep the order of `grid` and `units`: `net.load` has one row per bus, `net.gen` one per unit that can hold
    voltage, `net.sgen` one per other unit, then two per HVDC link (from end, to end) at its flat schedule.

    Parameters
    ----------
    grid : GridData
        Transformers carry their tap at `line_from`, whichever side that is.
    units : UnitData

    Returns
    -------
    pandapowerNet
        `sn_mva` is `grid.base_mva`; reactive limits of units are set, limits of active power too.

    Raises
    ------
    GridError
        If the grid cannot be stated in pandapower, see `check_grid`.
    """
    check_grid(grid, units)
    pp = _pandapower()
    with _quiet():
        net = deepcopy(_empty_net())
        net.sn_mva = grid.base_mva
        buses = len(grid.bus)
        pp.create_buses(net, buses, grid.vn_kv, name=grid.bus, min_vm_pu=grid.vm_min_pu, max_vm_pu=grid.vm_max_pu)
        pp.create_ext_grid(net, grid.slack, vm_pu=grid.slack_vm_pu)
        _add_lines(pp, net, grid)
        _add_transformers(pp, net, grid)
        shunt = np.flatnonzero((grid.shunt_mw != 0) | (grid.shunt_mvar != 0))
        pp.create_shunts(net, shunt, -grid.shunt_mvar[shunt], grid.shunt_mw[shunt], vn_kv=grid.vn_kv[shunt])
        pp.create_loads(net, np.arange(buses), np.zeros(buses), np.zeros(buses), name=grid.bus)
        _add_units(pp, net, units)
        _add_links(pp, net, grid)
    return net


def check_grid(grid: GridData, units: UnitData) -> None:
    """Refuse what pandapower cannot carry or would change without a word.

    Raises
    ------
    GridError
        All that is wrong, one per line: a branch without impedance or with one end only, a line between two voltage
        levels, a transformer with charging, a link that ends where it begins or is scheduled beyond its capacity, a
        bus that no line reaches from the slack, units at one bus that want different voltages.

    Notes
    -----
    `inputs` says the same of a model's tables, with file and line; this guards against grids from elsewhere.
    """
    z_pu = np.hypot(grid.r_pu, grid.x_pu)
    charged = grid.is_transformer & (grid.b_pu != 0)
    tapped = ~grid.is_transformer & (grid.tap_ratio != 1)
    stepped = ~grid.is_transformer & (grid.vn_kv[grid.line_from] != grid.vn_kv[grid.line_to])
    problems = [
        *_named(grid.line, grid.line_from == grid.line_to, "ends where it begins"),
        *_named(grid.link, grid.link_from == grid.link_to, "ends where it begins"),
        *_named(grid.link, np.abs(grid.link_schedule_mw) > grid.link_p_nom_mw, "is scheduled beyond its p_nom_mw"),
        *_named(grid.line, z_pu == 0, "has no impedance: join its buses, or give it r_pu and x_pu"),
        *_named(grid.line, grid.tap_ratio <= 0, "has a tap_ratio that is not positive: 1 is the nominal ratio"),
        *_named(grid.line, stepped, "joins buses of different vn_kv: set is_transformer"),
        *_named(grid.line, tapped, "has a tap_ratio other than 1: set is_transformer"),
        *_named(grid.line, charged, "is a transformer with charging (b_pu): give it as shunts at its two buses"),
        *_named(grid.bus, ~_reached(grid), f"is not connected to the slack bus {grid.bus[grid.slack]}"),
        *_setpoint_conflicts(grid, units),
    ]
    if problems:
        raise GridError("grid: " + "\ngrid: ".join(problems))


def admittances(net: pandapowerNet, grid: GridData) -> Admittances:
    """Read pandapower's own matrices out of one converged `runpp` of `net`.

    Raises
    ------
    GridError
        If the grid does not converge without load, or pandapower merged or dropped a bus or a line.
    """
    if not _run(net, enforce_q_limits=False):
        raise GridError(
            "grid: the power flow without load does not converge. Look for set-points far apart (vm_set_pu), "
            "or impedances in ohm where per unit is expected."
        )
    internal = net._ppc["internal"]  # noqa: SLF001 - the only place where pandapower keeps its matrices
    order = net._pd2ppc_lookups["bus"][: len(grid.bus)].astype(np.int64)  # noqa: SLF001
    lines = len(grid.line)
    if not np.array_equal(np.sort(order), np.arange(internal["Ybus"].shape[0])) or internal["Yf"].shape[0] != lines:
        raise GridError("grid: pandapower merged or dropped a bus or a line; every bus and line must be in service")
    row = np.empty(lines, dtype=np.int64)  # pandapower lists lines, then transformers
    row[np.argsort(grid.is_transformer, kind="stable")] = np.arange(lines)
    y_hv, y_lv = (sparse.csr_matrix(internal[name])[row][:, order] for name in ("Yf", "Yt"))
    swap = sparse.diags_array(_from_is_lv(grid).astype(float))
    keep = sparse.diags_array((~_from_is_lv(grid)).astype(float))
    return Admittances(
        ybus=_canonical(sparse.csr_matrix(internal["Ybus"])[order][:, order]),
        y_from=_canonical(keep @ y_hv + swap @ y_lv),
        y_to=_canonical(keep @ y_lv + swap @ y_hv),
        v_base_pu=np.asarray(internal["V"], dtype=np.complex128)[order],
    )


def dc_branches(net: pandapowerNet) -> DcBranches:
    """Read buses and branches of any pandapower net out of its DC power flow.

    Raises
    ------
    GridError
        If that fails or there are several slack buses.
    """
    pp = _pandapower()
    with _quiet():
        try:
            pp.rundcpp(net)
        except (UserWarning, ValueError, KeyError) as error:
            raise GridError(f"pandapower net: the DC power flow fails: {error}") from error
    internal, lookups = net._ppc["internal"], net._pd2ppc_lookups  # noqa: SLF001 - kept nowhere else
    if len(internal["ref"]) != 1:
        raise GridError(f"pandapower net: {len(internal['ref'])} slack buses, expected 1")
    index = net.bus.index.to_numpy()
    row = lookups["bus"][index].astype(np.int64)
    served = net.bus["in_service"].to_numpy(dtype=bool) & (row >= 0)
    kept = np.asarray(internal["branch_is"], dtype=bool)
    named = np.concatenate([_branch_names(net, table, *ends) for table, ends in lookups["branch"].items()])
    rate_mw = np.concatenate([_branch_rates(net, table, *ends) for table, ends in lookups["branch"].items()])
    f_bus, t_bus, r_pu, x_pu, tap = (np.asarray(internal["branch"][:, column].real) for column in (0, 1, 2, 3, 8))
    return DcBranches(
        base_mva=float(internal["baseMVA"]),
        bus=tuple(str(bus) for bus in index[served]),
        bus_row=row[served],
        internal_buses=len(internal["bus"]),
        internal_slack=int(internal["ref"][0]),
        line=tuple(named[kept].tolist()),
        internal_from=f_bus.astype(np.int64),
        internal_to=t_bus.astype(np.int64),
        r_pu=r_pu,
        x_pu=x_pu,
        tap_ratio=np.where(tap == 0, 1.0, tap),
        rate_mw=rate_mw[kept],
    )


def run_step(
    net: pandapowerNet,
    injection_mw: FloatArray,
    injection_mvar: FloatArray,
    holding: BoolArray,
    *,
    enforce_q_limits: bool,
) -> NDArray[np.complex128] | None:
    """Solve one step with `runpp`; the fallback of the batch.

    Parameters
    ----------
    net : pandapowerNet
        From `build_net`. Its loads and generators are overwritten.
    injection_mw, injection_mvar : ndarray (bus,)
        Net injection, without the reactive power of units that hold voltage.
    holding : ndarray (gen,)
        Which rows of `net.gen` hold voltage.
    enforce_q_limits : bool
        Let units at a reactive limit give up their voltage.

    Returns
    -------
    ndarray (bus,) of complex voltages in per unit, or None where it does not converge.
    """
    net.load["p_mw"], net.load["q_mvar"] = -injection_mw, -injection_mvar
    net.gen["p_mw"] = 0.0
    net.gen["in_service"] = holding
    net.sgen["p_mw"] = 0.0
    if not _run(net, enforce_q_limits=enforce_q_limits):
        return None
    angle_rad = np.deg2rad(net.res_bus["va_degree"].to_numpy(dtype=float))
    voltage: NDArray[np.complex128] = net.res_bus["vm_pu"].to_numpy(dtype=float) * np.exp(1j * angle_rad)
    return voltage if bool(np.isfinite(voltage).all()) else None


def _run(net: pandapowerNet, *, enforce_q_limits: bool) -> bool:
    pp = _pandapower()
    with _quiet():
        try:
            pp.runpp(
                net,
                init="dc",
                max_iteration=30,
                tolerance_mva=_TOLERANCE_PU * net.sn_mva,
                enforce_q_lims=enforce_q_limits,
                numba=False,
                lightsim2grid=False,
            )
        except pp.LoadflowNotConverged:
            return False
    return bool(net.converged)


def _add_lines(pp: ModuleType, net: pandapowerNet, grid: GridData) -> None:
    line = np.flatnonzero(~grid.is_transformer)
    vn_kv = grid.vn_kv[grid.line_from[line]]
    z_base_ohm = vn_kv**2 / grid.base_mva
    pp.create_lines_from_parameters(
        net,
        grid.line_from[line],
        grid.line_to[line],
        length_km=1.0,
        r_ohm_per_km=grid.r_pu[line] * z_base_ohm,
        x_ohm_per_km=grid.x_pu[line] * z_base_ohm,
        c_nf_per_km=grid.b_pu[line] / z_base_ohm / (2 * np.pi * _FREQUENCY_HZ) * 1e9,
        max_i_ka=_finite_rate_mw(grid)[line] / (np.sqrt(3) * vn_kv),
        name=[grid.line[index] for index in line],
    )


def _add_transformers(pp: ModuleType, net: pandapowerNet, grid: GridData) -> None:
    trafo = np.flatnonzero(grid.is_transformer)
    if not trafo.size:
        return
    from_is_lv = _from_is_lv(grid)[trafo]
    hv = np.where(from_is_lv, grid.line_to[trafo], grid.line_from[trafo])
    lv = np.where(from_is_lv, grid.line_from[trafo], grid.line_to[trafo])
    r_pu, x_pu = grid.r_pu[trafo], grid.x_pu[trafo]
    pp.create_transformers_from_parameters(
        net,
        hv,
        lv,
        sn_mva=grid.base_mva,
        vn_hv_kv=grid.vn_kv[hv],
        vn_lv_kv=grid.vn_kv[lv],
        vkr_percent=100 * r_pu,
        vk_percent=100 * np.copysign(np.hypot(r_pu, x_pu), x_pu),
        pfe_kw=0.0,
        i0_percent=0.0,
        shift_degree=0.0,
        tap_side=np.where(from_is_lv, "lv", "hv"),
        tap_neutral=0,
        tap_min=-1,
        tap_max=1,
        tap_pos=1,
        tap_step_percent=100 * (grid.tap_ratio[trafo] - 1),
        tap_step_degree=0.0,
        tap_changer_type="Ratio",
        max_loading_percent=100 * _finite_rate_mw(grid)[trafo] / grid.base_mva,
        name=[grid.line[index] for index in trafo],
    )


def _add_units(pp: ModuleType, net: pandapowerNet, units: UnitData) -> None:
    gen, sgen = np.flatnonzero(units.holds_voltage), np.flatnonzero(~units.holds_voltage)
    zero = np.zeros(len(units.unit))
    slack, slack_vm_pu = net.ext_grid.at[0, "bus"], net.ext_grid.at[0, "vm_pu"]
    pp.create_gens(
        net,
        units.bus[gen],
        zero[gen],
        vm_pu=np.where(units.bus[gen] == slack, slack_vm_pu, units.vm_set_pu[gen]),
        min_q_mvar=units.q_min_mvar[gen],
        max_q_mvar=units.q_max_mvar[gen],
        min_p_mw=units.p_min_mw[gen],
        max_p_mw=units.p_max_mw[gen],
        name=[units.unit[index] for index in gen],
    )
    pp.create_sgens(
        net,
        units.bus[sgen],
        zero[sgen],
        min_p_mw=units.p_min_mw[sgen],
        max_p_mw=units.p_max_mw[sgen],
        name=[units.unit[index] for index in sgen],
    )


def _add_links(pp: ModuleType, net: pandapowerNet, grid: GridData) -> None:
    own = np.arange(len(grid.link))
    ends = 2 * own, 2 * own + 1
    at_ends = link_injection_mw(grid.link_schedule_mw, *ends, grid.link_loss, 2 * len(own))
    names = [f"{link} {end}" for link in grid.link for end in ("from", "to")]
    pp.create_sgens(net, np.stack([grid.link_from, grid.link_to], axis=1).ravel(), at_ends, name=names)


def _branch_names(net: pandapowerNet, table: str, first: int, end: int) -> NDArray[np.str_]:
    index = net[table].index
    rows = index if len(index) == end - first else range(end - first)  # a three-winding transformer is three branches
    return np.array([f"{table} {row}" for row in rows], dtype=np.str_)


def _branch_rates(net: pandapowerNet, table: str, first: int, end: int) -> FloatArray:
    rows = net[table]
    if table == "line":
        vn_kv = net.bus["vn_kv"].loc[rows["from_bus"]].to_numpy(dtype=float)
        rate_mw = np.sqrt(3) * vn_kv * (rows["max_i_ka"] * rows["df"] * rows["parallel"]).to_numpy(dtype=float)
    elif table == "trafo":
        rate_mw = (rows["sn_mva"] * rows["df"] * rows["parallel"]).to_numpy(dtype=float)
    else:
        rate_mw = np.full(end - first, np.inf)
    return np.where(np.isnan(rate_mw), np.inf, rate_mw)


def _finite_rate_mw(grid: GridData) -> FloatArray:
    return np.where(np.isfinite(grid.rate_mw), grid.rate_mw, np.nan)  # pandapower reports no loading then


def _from_is_lv(grid: GridData) -> BoolArray:
    lower: BoolArray = grid.is_transformer & (grid.vn_kv[grid.line_from] < grid.vn_kv[grid.line_to])
    return lower


def _reached(grid: GridData) -> BoolArray:
    buses = len(grid.bus)
    links = sparse.coo_array((np.ones(len(grid.line)), (grid.line_from, grid.line_to)), shape=(buses, buses))
    island: IntArray = connected_components(links, directed=False)[1]
    return np.asarray(island == island[grid.slack])


def _setpoint_conflicts(grid: GridData, units: UnitData) -> list[str]:
    holding = np.flatnonzero(units.holds_voltage)
    first = {int(bus): int(unit) for unit, bus in zip(holding[::-1], units.bus[holding][::-1], strict=True)}
    return [
        f"units {units.unit[first[bus]]} and {units.unit[unit]} hold the voltage of bus {grid.bus[bus]} at "
        f"{units.vm_set_pu[first[bus]]:g} and {units.vm_set_pu[unit]:g} pu: give one set-point"
        for unit, bus in zip(holding.tolist(), units.bus[holding].tolist(), strict=True)
        if abs(units.vm_set_pu[unit] - units.vm_set_pu[first[bus]]) > _SETPOINT_TOLERANCE_PU
    ]


def _named(names: tuple[str, ...], mask: BoolArray, message: str) -> Iterator[str]:
    return (f"{names[index]} {message}" for index in np.flatnonzero(mask))


def _canonical(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    canonical = sparse.csr_matrix(matrix, dtype=np.complex128)
    canonical.sum_duplicates()
    return canonical


@cache
def _empty_net() -> pandapowerNet:
    """Net without elements, to be copied: pandapower makes its tables in twenty times the time of a copy."""
    return _pandapower().create_empty_network(f_hz=_FREQUENCY_HZ)


def _pandapower() -> ModuleType:
    import pandapower  # noqa: PLC0415 - takes seconds to import, and not every run needs it

    module: ModuleType = pandapower
    return module


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence pandapower's deprecation notes about itself; its failures are raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
