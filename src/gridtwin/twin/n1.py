"""N-1 of every settled step, from the files of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
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

__all__ = ["N1_FILE", "read_network", "read_points", "report_n1"]

N1_FILE: Final = "n1.parquet"
WORST_PAIRS: Final = 20
POINT_COLUMNS: Final = ("time", "vm_pu", "va_deg", "bus_mw", "bus_mvar", "holds_voltage")

Columns = Mapping[str, np.ndarray]


def report_n1(run_dir: Path) -> dict[str, Any]:
    """Take out each line and transformer in each settled step of a run; write `n1.parquet` and enter it in the summary.

    Parameters
    ----------
    run_dir : Path
        Folder of a finished run.

    Returns
    -------
    dict
        The section `n1` of `summary.json`.

    Raises
    ------
    ResultsError
        If there is no finished run at `run_dir`, or it was stored without what this needs.
    """
    files = sorted((run_dir / "windows").glob("w*.bus.parquet"))
    if not files or not (run_dir / "summary.json").is_file():
        raise ResultsError(f"{run_dir}: no finished run here; pass the folder that `gridtwin run` printed")
    buses, lines = (read_columns(run_dir / "inputs" / f"{name}.parquet") for name in ("buses", "lines"))
    network = read_network(run_dir)
    steps, parts = [], []
    for file in files:
        time, points = read_points(read_columns(file, POINT_COLUMNS), len(buses["bus"]))
        steps.append(time)
        parts.append(solve_outages(network, points))
    found = _joined(parts)
    write_columns(run_dir / N1_FILE, _table(np.concatenate(steps), found, lines["line"], buses["bus"]))
    section = _summary(found, network, lines["line"], buses["bus"])
    summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    write_json(run_dir / "summary.json", summary | {"n1": section})
    return section


def read_network(run_dir: Path) -> BranchNetwork:
    """Return the network that a run solved, from its `inputs/`."""
    buses, lines, admittance = (
        read_columns(run_dir / "inputs" / f"{name}.parquet") for name in ("buses", "lines", "admittance")
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


def read_points(columns: Columns, buses: int) -> tuple[np.ndarray, OperatingPoints]:
    """Return instants and AC solutions of a window from `POINT_COLUMNS` of its table `bus`."""
    time, vm_pu, va_deg, mw, mvar, holds = (columns[name].reshape(-1, buses) for name in POINT_COLUMNS)
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
