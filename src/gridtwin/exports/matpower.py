"""Snapshots of a run as MATPOWER case files (version 2), whose power flow is the one that the run stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.exports.network import (
    Carried,
    SavedGrid,
    instant,
    snapshots,
    write_file,
)
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import KG_PER_T, BoolArray, FloatArray

__all__ = ["case_text", "identifier", "quoted", "write"]

PQ, PV, REFERENCE = 1, 2, 3  # types of a bus
PIECEWISE = 1  # model of cost
UNUSED: Final = (0.0,) * 11  # columns of a generator that a power flow does not need
ANGLES: Final = (-360.0, 360.0)  # no limit
SYNTAX: Final = re.compile(r"""[\[\]{}();,%=#"!\\]|\.{3}""")  # what a reader of .m files might take for more than text
LONGEST: Final = 63  # name of a function
HEAD: Final = {
    "bus": "bus_i type Pd Qd Gs Bs area Vm Va baseKV zone Vmax Vmin",
    "gen": "bus Pg Qg Qmax Qmin Vg mBase status Pmax Pmin Pc1 Pc2 Qc1min Qc1max Qc2min Qc2max ramp_agc ramp_10 ramp_30 "
    "ramp_q apf",
    "branch": "fbus tbus r x b rateA rateB rateC ratio angle status angmin angmax",
    "gencost": "model startup shutdown n data",
}


def write(run: SavedRun, target: Path | str, selection: Selection) -> None:
    """Write the step with the greatest demand, or every step of the time chosen, one case file each.

    Parameters
    ----------
    run : SavedRun
    target : Path
        File; of several steps, a folder of that name.
    selection : Selection
        Only its time is looked at.

    Raises
    ------
    ResultsError
        If a step has no AC solution, the selection asks for more than time, or the target is there already.
    """
    saved, settled, places = snapshots(run, target, selection, "matpower", ".m")
    carbon_per_t = float(run.inputs("penalties")["carbon_per_t"][0])
    for place, step, file in places:
        about = f"run {run.run_id}, step of {instant(run, step)}, {run.facts.currency}"
        write_file(file, case_text(saved, settled, place, file.stem, about, carbon_per_t))


def case_text(saved: SavedGrid, settled: Carried, step: int, name: str, about: str, carbon_per_t: float = 0.0) -> str:
    """Return one step as a case file.

    Demand of a bus is that of loads and sites. Units come first among the generators, then stores with a converter of
    their own and the two ends of each HVDC link, which stand where they were settled.

    Parameters
    ----------
    saved : SavedGrid
    settled : Carried
    step : int
        Place in `settled`.
    name : str
        Of the case; made an identifier.
    about : str
        One line on where it comes from.
    carbon_per_t : float
        Money per tonne of CO2 that is part of the cost.
    """
    number = _bus_numbers(saved.grid.bus)
    holding_bus = np.zeros(len(number), dtype=bool)
    holding_bus[saved.units.bus[settled.holding[step]]] = True
    fixed_names, fixed = _fixed_injections(saved, settled, step, number)
    reference = _reference(saved, settled, step, number) if not holding_bus[saved.grid.slack] else []
    parts = [
        f"function mpc = {identifier(name)}",
        f"% {_one_line(about)}",
        "% Written by gridtwin. Pd holds loads and sites; stores and HVDC are generators that stand where they were.",
        f"% Costs of units are those of the dispatch, {carbon_per_t:g} per t of CO2 included.",
        "mpc.version = '2';",
        f"mpc.baseMVA = {saved.grid.base_mva!r};",
        _matrix("bus", _bus_rows(saved, settled, step, number, holding_bus)),
        _matrix("gen", chain(_unit_rows(saved, settled, step, number), fixed, reference)),
        _matrix("branch", _branch_rows(saved, number)),
        _matrix("gencost", _cost_rows(saved, carbon_per_t, len(fixed) + len(reference))),
        _cell("bus_name", saved.grid.bus),
        _cell("gen_name", [*saved.units.unit, *fixed_names, *(["slack"] * len(reference))]),
        _cell("branch_name", saved.grid.line),
    ]
    return "\n".join(parts) + "\n"


def identifier(name: str) -> str:
    """Return a name that a function may have.

    Examples
    --------
    >>> identifier("2020 peak"), identifier("day'; delete *")
    ('case_2020_peak', 'day___delete__')
    """
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return (plain if re.match(r"[A-Za-z]", plain) else f"case_{plain}")[:LONGEST]


def quoted(name: str) -> str:
    """Return a name as a string of the language: one line, apostrophes doubled, signs of syntax replaced by `_`.

    Readers made of regular expressions look for brackets, semicolons and per cent signs inside of strings, too.

    Examples
    --------
    >>> quoted("O'Hara"), quoted("a'}; system('x'); %")
    ("'O''Hara'", "'a''__ system_''x''__ _'")
    """
    return "'" + SYNTAX.sub("_", _one_line(name)).replace("'", "''") + "'"


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else "_" for sign in text)


def _bus_numbers(bus: Sequence[str]) -> list[int]:
    """Return the names where all of them are numbers that MATPOWER takes, otherwise 1, 2, …."""
    if all(re.fullmatch(r"[1-9][0-9]{0,8}", name) for name in bus):
        return [int(name) for name in bus]
    return list(range(1, len(bus) + 1))


def _bus_rows(
    saved: SavedGrid, settled: Carried, step: int, number: list[int], holding_bus: BoolArray
) -> Iterable[Sequence[float]]:
    grid, buses = saved.grid, len(number)
    kind = np.where(holding_bus, PV, PQ)
    kind[grid.slack] = REFERENCE
    areas = list(dict.fromkeys(saved.area))
    area = [areas.index(name) + 1 for name in saved.area]
    drawn_mw = settled.load_mw[step] + sum_at(settled.site_mw[step], saved.site_bus, buses)
    drawn_mvar = settled.load_mvar[step] + sum_at(settled.site_mvar[step], saved.site_bus, buses)
    return _rows(
        *(number, kind, drawn_mw, drawn_mvar, grid.shunt_mw, grid.shunt_mvar, area),
        *(settled.vm_pu[step], settled.va_deg[step], grid.vn_kv, area, grid.vm_max_pu, grid.vm_min_pu),
    )


def _unit_rows(saved: SavedGrid, settled: Carried, step: int, number: list[int]) -> list[Sequence[float]]:
    units, grid, holding = saved.units, saved.grid, settled.holding[step]
    output_mw = settled.unit_mw[step]
    wanted_pu = np.where(units.bus == grid.slack, grid.slack_vm_pu, units.vm_set_pu)
    must_take = (units.profile >= 0) & ~units.curtailable
    return _rows(
        *(_at(number, units.bus.tolist()), output_mw, settled.unit_mvar[step], units.q_max_mvar, units.q_min_mvar),
        *(np.where(holding, wanted_pu, settled.vm_pu[step, units.bus]), np.full(len(output_mw), grid.base_mva)),
        (holding | (output_mw != 0) | (settled.unit_mvar[step] != 0)).astype(int),
        *(settled.available_mw[step], np.where(must_take, settled.available_mw[step], units.p_min_mw)),
        *(np.zeros(len(output_mw)) for _ in UNUSED),
    )


def _fixed_injections(
    saved: SavedGrid, settled: Carried, step: int, number: list[int]
) -> tuple[list[str], list[Sequence[float]]]:
    """Return names and rows of stores with a converter of their own and of ends of HVDC links."""
    stores, grid = saved.stores, saved.grid
    own = np.flatnonzero((stores.charge_mw > 0) | (stores.discharge_mw > 0)).tolist()
    named = [
        *((stores.store[i], int(stores.bus[i]), -settled.store_mw[step, i]) for i in own),
        *((f"{n} from", int(grid.link_from[i]), settled.link_from_mw[step, i]) for i, n in enumerate(grid.link)),
        *((f"{n} to", int(grid.link_to[i]), settled.link_to_mw[step, i]) for i, n in enumerate(grid.link)),
    ]
    vm_pu = settled.vm_pu[step]
    rows: list[Sequence[float]] = [
        (number[bus], float(mw), 0.0, 0.0, 0.0, float(vm_pu[bus]), grid.base_mva, 1, float(mw), float(mw), *UNUSED)
        for _, bus, mw in named
    ]
    return [name for name, _, _ in named], rows


def _reference(saved: SavedGrid, settled: Carried, step: int, number: list[int]) -> list[Sequence[float]]:
    """Return the generator that a reference bus must have where no unit there holds its voltage."""
    grid, limits = saved.grid, (np.inf, -np.inf)
    given = float(settled.slack_mw[step]), float(settled.slack_mvar[step])
    return [(number[grid.slack], *given, *limits, grid.slack_vm_pu, grid.base_mva, 1, *limits, *UNUSED)]


def _branch_rows(saved: SavedGrid, number: list[int]) -> Iterable[Sequence[float]]:
    grid, nothing = saved.grid, np.zeros(len(saved.grid.line))
    rates = (np.where(np.isfinite(rate), rate, 0.0) for rate in (grid.rate_mw, grid.rate_long_mw, grid.rate_short_mw))
    return _rows(
        *(_at(number, grid.line_from.tolist()), _at(number, grid.line_to.tolist()), grid.r_pu, grid.x_pu, grid.b_pu),
        *rates,
        *(np.where(grid.is_transformer, grid.tap_ratio, 0.0), nothing, nothing.astype(int) + 1),
        *(nothing + limit for limit in ANGLES),
    )


def _cost_rows(saved: SavedGrid, carbon_per_t: float, others: int) -> list[Sequence[float]]:
    """Return convex costs along segments, padded to one width; nothing for what is fixed."""
    units = saved.units
    cost = units.segment_cost_per_mwh + carbon_per_t * units.segment_co2_kg_per_mwh / KG_PER_T
    rows = [_unit_cost(units.segment_mw[own], cost[own]) for own in _owned(units.segment_unit, len(units.unit))]
    rows += [_unit_cost(np.zeros(0), np.zeros(0))] * others
    width = max(map(len, rows))
    return [(*row, *(0.0,) * (width - len(row))) for row in rows]


def _owned(owner: np.ndarray, units: int) -> Iterable[BoolArray]:
    return (owner == unit for unit in range(units))


def _unit_cost(width_mw: FloatArray, cost_per_mwh: FloatArray) -> Sequence[float]:
    """Return points of output and cost; all rows have this one model, as some readers expect."""
    if not len(width_mw):
        width_mw, cost_per_mwh = np.ones(1), np.zeros(1)
    ends = np.concatenate([[0.0], np.cumsum(width_mw)])
    totals = np.concatenate([[0.0], np.cumsum(width_mw * cost_per_mwh)])
    return (PIECEWISE, 0.0, 0.0, len(ends), *np.stack([ends, totals], axis=1).ravel().tolist())


def _at(number: list[int], index: list[int]) -> list[int]:
    return [number[place] for place in index]


def _rows(*columns: Sequence[float] | np.ndarray) -> list[Sequence[float]]:
    plain = (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)
    return list(zip(*plain, strict=True))


def _matrix(name: str, rows: Iterable[Sequence[float]]) -> str:
    lines = ("\t" + "\t".join(map(_number, row)) + ";" for row in rows)
    return "\n".join([f"% {HEAD[name]}", f"mpc.{name} = [", *lines, "];"])


def _number(value: float) -> str:
    """Return a number in full; infinity as the language writes it."""
    return repr(value) if np.isfinite(value) else "Inf" if value > 0 else "-Inf"


def _cell(name: str, texts: Iterable[str]) -> str:
    return "\n".join([f"mpc.{name} = {{", *(f"\t{quoted(text)};" for text in texts), "};"])
