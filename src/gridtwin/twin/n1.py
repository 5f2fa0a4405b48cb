"""N-1 of every settled step, from the files of a run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import numpy as np
import pyarrow as pa
from scipy import sparse

from gridtwin.errors import ResultsError
from gridtwin.grid.contingency import (
    FAILED,
    FULL_PERCENT,
    ISLANDED,
    OK,
    STATUS,
    BranchNetwork,
    Contingencies,
    OperatingPoints,
    islands,
    solve_outages,
)
from gridtwin.results.files import read_columns, write_columns, write_json
from gridtwin.results.store import RunFolder
from gridtwin.watch import UNWATCHED, Watch

__all__ = ["N1_FILES", "read_network", "read_points", "report_n1"]

N1_FILES: Final = ("n1.parquet", "n1.json")
NAMED: Final = (("lines", "line"), ("buses", "bus"))
WORST_PAIRS: Final = 20
POINT_COLUMNS: Final = ["time", "vm_pu", "va_deg", "bus_mw", "bus_mvar", "holds_voltage"]


def report_n1(folder: RunFolder, watch: Watch = UNWATCHED) -> dict[str, Any]:
    """Take out each line and transformer in each settled step of a run; write `n1.parquet` and `n1.json`.

    Returns
    -------
    dict
        What `n1.json` holds.

    Raises
    ------
    ResultsError
        If it is no folder of a run, or no window is complete.
    """
    windows = folder.read_journal().windows
    if not windows:
        raise ResultsError(f"{folder.path}: no window is complete; go on with: gridtwin resume {folder.path}")
    network, names = read_network(folder), _labels(folder)
    steps, parts = [], []
    watch.step("outages")
    for window in range(windows):
        watch.advance(window, windows)
        time, points = read_points(folder, window)
        steps.append(time)
        parts.append(solve_outages(network, points))
    found = _joined(parts)
    section = _summary(found, network, *names)
    write_columns(folder.path / N1_FILES[0], _table(np.concatenate(steps), found, *names))
    write_json(folder.path / N1_FILES[1], section)
    return section


def _labels(folder: RunFolder) -> tuple[np.ndarray, np.ndarray]:
    """Names of lines and of buses."""
    line, bus = (read_columns(folder.inputs / f"{table}.parquet", [name])[name] for table, name in NAMED)
    return line, bus


def read_network(folder: RunFolder) -> BranchNetwork:
    """Return the network that a run solved, from its `inputs/`."""
    buses, lines, admittance = (
        read_columns(folder.inputs / f"{name}.parquet") for name in ("buses", "lines", "admittance")
    )
    size = len(buses["bus"])
    values = admittance["g_pu"] + 1j * admittance["b_pu"]
    return BranchNetwork(
        base_mva=float(buses["base_mva"][0]),
        slack=int(np.flatnonzero(buses["slack"])[0]),
        ybus=sparse.csc_matrix((values, (admittance["row"], admittance["column"])), shape=(size, size)),
        line_from=lines["from_index"],
        line_to=lines["to_index"],
        y_pu=np.stack([lines[f"g_{end}_pu"] + 1j * lines[f"b_{end}_pu"] for end in ("ff", "ft", "tf", "tt")], axis=1),
        rate_long_mw=lines["rate_long_mw"],
        rate_short_mw=lines["rate_short_mw"],
    )


def read_points(folder: RunFolder, window: int) -> tuple[np.ndarray, OperatingPoints]:
    """Return the instants of a window and its AC solutions."""
    columns = read_columns(folder.file(window, "bus"), POINT_COLUMNS)
    steps = len(np.unique(columns["time"]))
    time, vm_pu, va_deg, mw, mvar, holds = (columns[name].reshape(steps, -1) for name in POINT_COLUMNS)
    return time[:, 0], OperatingPoints(
        v_pu=vm_pu * np.exp(1j * np.deg2rad(va_deg)), injection_mva=mw + 1j * mvar, holds_voltage=holds.astype(bool)
    )


def _joined(parts: list[Contingencies]) -> Contingencies:
    joined = {}
    for field in fields(Contingencies):
        own = [getattr(part, field.name) for part in parts]
        if field.name == "over_steps":
            joined[field.name] = np.sum(own, axis=0)
        elif field.name == "worst_percent":
            joined[field.name] = np.max(own, axis=0)
        else:
            joined[field.name] = np.concatenate(own)
    return Contingencies(**joined)


def _table(time: np.ndarray, found: Contingencies, line: np.ndarray, bus: np.ndarray) -> dict[str, pa.Array]:
    steps, outages = found.status.shape
    every = np.tile(np.arange(outages), steps)
    return {
        "time": pa.array(np.repeat(time.astype("datetime64[s]"), outages), pa.timestamp("s", tz="UTC")),
        "outage": _names(every, line),
        "status": _names(found.status.ravel(), np.array(STATUS)),
        "loading_long_percent": _numbers(found.loading_long_percent),
        "long_line": _names(found.long_line.ravel(), line),
        "loading_short_percent": _numbers(found.loading_short_percent),
        "short_line": _names(found.short_line.ravel(), line),
        "vm_min_pu": _numbers(found.vm_min_pu),
        "vm_min_bus": _names(found.vm_min_bus.ravel(), bus),
        "vm_max_pu": _numbers(found.vm_max_pu),
        "vm_max_bus": _names(found.vm_max_bus.ravel(), bus),
    }


def _names(index: np.ndarray, labels: np.ndarray) -> pa.Array:
    """Labels by index; null where it is -1."""
    places = pa.array(np.where(index < 0, 0, index).astype(np.int32), mask=index < 0)
    return pa.DictionaryArray.from_arrays(places, pa.array([str(label) for label in labels]))


def _numbers(values: np.ndarray) -> pa.Array:
    flat = values.ravel().astype(np.float32)
    return pa.array(flat, mask=np.isnan(flat))


def _summary(found: Contingencies, network: BranchNetwork, line: np.ndarray, bus: np.ndarray) -> dict[str, Any]:
    count = {name: int((found.status == number).sum()) for number, name in enumerate(STATUS)}
    solved = found.status == OK
    over = np.nan_to_num(found.loading_long_percent) > FULL_PERCENT
    parted = islands(network)
    failed = (found.status == FAILED).sum(axis=0)
    return {
        "steps": len(found.status),
        "outages": len(line),
        "status": count,
        "steps_with_overload": int(over.any(axis=1).sum()),
        "outages_with_overload": int(over.any(axis=0).sum()),
        "worst_pairs": _worst_pairs(found, line),
        "islanded": {
            str(line[outage]): [str(name) for name in bus[parted[outage]]]
            for outage in np.flatnonzero((found.status == ISLANDED).any(axis=0))
        },
        "failed": {str(line[outage]): int(failed[outage]) for outage in np.flatnonzero(failed)},
        "vm_min_pu": _extreme(found.vm_min_pu, solved, np.min),
        "vm_max_pu": _extreme(found.vm_max_pu, solved, np.max),
        "unrated": [str(name) for name in line[np.isinf(network.rate_long_mw)]],
    }


def _worst_pairs(found: Contingencies, line: np.ndarray) -> list[dict[str, Any]]:
    """Outage and monitored line, most steps beyond the long-time rating first, then the greatest loading."""
    outage, monitored = np.nonzero(found.over_steps)
    steps, percent = found.over_steps[outage, monitored], found.worst_percent[outage, monitored]
    order = np.lexsort((-percent, -steps))[:WORST_PAIRS]
    return [
        {
            "outage": str(line[outage[place]]),
            "line": str(line[monitored[place]]),
            "steps": int(steps[place]),
            "worst_percent": round(float(percent[place]), 3),
        }
        for place in order
    ]


def _extreme(values: np.ndarray, known: np.ndarray, of: Any) -> float | None:  # noqa: ANN401 - np.min or np.max
    return float(of(values[known])) if known.any() else None
