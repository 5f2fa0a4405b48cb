"""After the last window: jobs, ledgers, indicators, dataset and manifest, all from the files of the run."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

import gridtwin
from gridtwin.audit import Ledger, close_ledgers
from gridtwin.economics.kpis import kpis
from gridtwin.inputs.study import Study
from gridtwin.results.dataset import to_dataset, write_dataset
from gridtwin.results.files import read_columns, write_columns, write_json
from gridtwin.results.store import FINDING, JOB_END, JOB_START, JOB_STOP, Coordinates, RunData, RunFolder
from gridtwin.twin.inputs_kept import Table
from gridtwin.units import HOUR_S, FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["close_run", "read_run"]

NEVER = -1
OPTIMAL = "optimal"  # the only end of a program that lets a window be stored
VERSIONED = ("pandapower", "lightsim2grid", "numpy", "scipy", "simpy", "highspy", "pyarrow", "xarray")


def read_run(
    folder: RunFolder, study: Study, windows: int, coords: Coordinates, tables: Mapping[str, Table]
) -> RunData:
    """Read back what `windows` windows have stored and join job starts and ends with the job table."""
    time, variables = folder.read_variables(windows, coords)
    events = {table: folder.read_events(windows, table) for table in (JOB_START, JOB_STOP, JOB_END, FINDING)}
    return RunData(
        step_s=study.time.step_s,
        coords=coords,
        time=time,
        variables=variables,
        jobs=_job_columns(study.jobs, events),
        events=events,
        inputs={name: read_columns(folder.path / "inputs" / f"{name}.parquet") for name in tables},
    )


def close_run(folder: RunFolder, study: Study, run: RunData, timing_s: Mapping[str, float]) -> dict[str, Any]:
    """Write jobs, findings, dataset, manifest and summary. Returns the summary."""
    write_columns(folder.path / "jobs.parquet", _named(run.jobs, run.coords, study.jobs))
    ledgers = close_ledgers(run)
    attrs = {"title": f"gridtwin run of {study.name}", "source": f"gridtwin {gridtwin.__version__}"}
    write_dataset(to_dataset(run, study.currency, attrs), folder.path / "results.nc")
    write_json(folder.path / "manifest.json", _manifest(study, run, ledgers))
    findings = _findings(run)
    write_columns(folder.path / "findings.parquet", findings)
    summary = {
        "run_id": folder.path.name,
        "scenario": study.name,
        "policy": study.scenario.policy,
        "currency": study.currency,
        "steps": len(run.time),
        "step_s": run.step_s,
        "kpis": kpis(run.variables, run.jobs, run.inputs, run.step_s, study.scenario.dispatch.carbon_price_per_t),
        "ledgers": {ledger.name: _ledger(ledger) for ledger in ledgers},
        "findings": dict(sorted(Counter(findings["kind"].tolist()).items())),
        "timing_s": {phase: round(seconds, 3) for phase, seconds in timing_s.items()},
    }
    write_json(folder.path / "summary.json", summary)
    return summary


def _job_columns(jobs: JobTable, events: Mapping[str, Mapping[str, IntArray]]) -> dict[str, np.ndarray]:
    """Join the job table with what became of each job; -1 where it never started or ended.

    The site is that of the last start, the time that of the first; checkpoints and restarts are added up.
    """
    starts, stops, ends = (events[table] for table in (JOB_START, JOB_STOP, JOB_END))
    site, start, end = (np.full(len(jobs), NEVER, dtype=np.int64) for _ in range(3))
    site[starts["row"]], end[ends["row"]] = starts["site_index"], ends["end_s"]
    start[starts["row"][::-1]] = starts["start_s"][::-1]
    return {
        "job": jobs.job,
        "submit_s": jobs.submit_s,
        "runtime_s": jobs.runtime_s,
        "nodes": jobs.nodes,
        "due_s": jobs.due_s,
        "origin_index": jobs.origin,
        "class_index": jobs.compute_class,
        "delay_class_index": jobs.delay_class,
        "data_gb": jobs.data_gb,
        "preemptible": jobs.preemptible,
        "migratable": jobs.migratable,
        "site_index": site,
        "start_s": start,
        "end_s": end,
        "suspensions": np.bincount(stops["row"], minlength=len(jobs)),
        "migrations": _migrations(starts, len(jobs)),
        "checkpoint_s": _total(stops["row"], stops["checkpoint_s"], len(jobs)),
        "restart_s": _total(starts["row"], starts["restart_s"], len(jobs)),
    }


def _migrations(starts: Mapping[str, IntArray], jobs: int) -> IntArray:
    """Count how often each job started at another site than the time before."""
    order = np.argsort(starts["row"], kind="stable")
    row, site = starts["row"][order], starts["site_index"][order]
    elsewhere = (np.diff(row) == 0) & (np.diff(site) != 0)
    return np.bincount(row[1:][elsewhere], minlength=jobs)


def _total(row: IntArray, seconds: IntArray, jobs: int) -> IntArray:
    return np.bincount(row, weights=seconds, minlength=jobs).astype(np.int64)


def _named(columns: Mapping[str, np.ndarray], coords: Coordinates, jobs: JobTable) -> dict[str, np.ndarray]:
    """Add names for people beside the indices; "" where a job has no site."""
    names = {
        "origin": jobs.axes.origin,
        "class": jobs.axes.compute_class,
        "delay_class": jobs.axes.delay_class,
        "site": (*coords["site"], ""),
    }
    started = columns["start_s"] >= 0
    return {
        **columns,
        **{name: np.array(labels)[columns[f"{name}_index"]] for name, labels in names.items()},
        "wait_s": np.where(started, columns["start_s"] - columns["submit_s"], NEVER),
        "late": (columns["end_s"] < 0) | (columns["end_s"] > columns["due_s"]),
    }


def _manifest(study: Study, run: RunData, ledgers: Sequence[Ledger]) -> dict[str, Any]:
    return {
        "gridtwin": gridtwin.__version__,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in VERSIONED},
        "seed": study.scenario.seed,
        "model_hashes": dict(study.model_hashes),
        "counts": dict(study.counts),
        "windows": _windows(run),
        "ledgers": {ledger.name: _ledger(ledger) for ledger in ledgers},
    }


def _windows(run: RunData) -> list[dict[str, Any]]:
    """How each window's programs ended and what gave way in it."""
    v = run.variables
    relaxed = _relaxations(run)
    return [
        {
            "status": OPTIMAL,
            **{
                f"{program}{name}": value
                for program in ("", "redispatch_")
                for name, value in _optimum(v, program, window).items()
            },
            **{name: int(v[name][window]) for name in ("columns", "rows", "rounds")},
            "relaxations": {name: float(values[window]) for name, values in relaxed.items()},
        }
        for window in range(len(v["objective"]))
    ]


def _optimum(variables: Mapping[str, np.ndarray], program: str, window: int) -> dict[str, float | None]:
    primal, dual, residual = (
        float(variables[f"{program}{name}"][window]) for name in ("objective", "dual_objective", "primal_residual")
    )
    return {"objective": primal, "duality_gap": _number(primal - dual), "primal_residual": residual}


def _relaxations(run: RunData) -> dict[str, FloatArray]:
    """What was taken of every priced slack, by window: energy as settled, node-hours of jobs that ended late in it."""
    v, windows, ends = run.variables, len(run.variables["objective"]), run.events[JOB_END]
    nodes, due_s = (run.jobs[name][ends["row"]] for name in ("nodes", "due_s"))
    late_node_h = nodes * np.maximum(ends["end_s"] - due_s, 0) / HOUR_S
    return {
        **{
            f"{name}_mwh": v[f"{name}_mw"].reshape(windows, -1).sum(axis=1) * run.step_h
            for name in ("shed", "spill", "overload")
        },
        "late_node_h": np.bincount(ends["window"], weights=late_node_h, minlength=windows),
    }


def _ledger(ledger: Ledger) -> dict[str, Any]:
    return {
        "residual": _number(ledger.residual),
        "tolerance": ledger.tolerance,
        "unit": ledger.unit,
        "pass": ledger.passed,
    }


def _findings(run: RunData) -> dict[str, np.ndarray]:
    """All that AC broke in the run, one row each, in order of time."""
    texts = ("kind", "element", "unit")
    columns = {name: values for name, values in run.events[FINDING].items() if name != "window"}
    return {name: values.astype(str) if name in texts else values for name, values in columns.items()}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
