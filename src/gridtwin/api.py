"""Three calls: load a study, run it, open its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from gridtwin.errors import ExitCode
from gridtwin.inputs.load import load_study
from gridtwin.inputs.parts import sampled_weeks, with_perfect_forecast
from gridtwin.inputs.study import Study
from gridtwin.results.dataset import open_results
from gridtwin.results.files import read_columns, write_columns, write_json
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.closing import close_run, read_run
from gridtwin.twin.coordinator import Progress
from gridtwin.twin.inputs_kept import Table, input_tables
from gridtwin.twin.recorder import coordinates
from gridtwin.twin.regret import Regret, fluid_costs, settled_cost
from gridtwin.units import DAY_S

__all__ = ["RunResult", "Study", "load_study", "open_results", "regret", "run"]

SLACK_MWH = 1e-3
WHOLE_SPAN_S = 14 * DAY_S
BOUND_IS = "a lower bound: work cut into any pieces, perfect foresight of the whole span, losses never overestimated"


@dataclass(frozen=True, slots=True)
class RunResult:
    """Where a run is, what it found, how the command line should end, and what people must know beside the figures."""

    run_dir: Path
    summary: Mapping[str, Any]
    exit_code: ExitCode
    notice: str = ""


def run(study: Study, out_dir: Path | str = "outputs", progress: Progress | None = None) -> RunResult:
    """Run a study to the end of its last job, or of the last window that the model's series cover.

    Parameters
    ----------
    study : Study
    out_dir : path
        Parent folder; the run makes one of its own in it.
    progress : callable, optional
        Called with (windows done, windows expected) after each window.

    Returns
    -------
    RunResult

    Raises
    ------
    GridtwinError
        If the grid cannot be built, the fleet cannot run a job, or an optimisation has no optimum. What is refused
        before the first window leaves no folder.
    """
    begun = perf_counter()
    coordinator = build(study, RunFolder(Path(out_dir)))
    tables = input_tables(study, coordinator.ac_grid.ybus)
    start = initial_twin_state(study)
    folder = _new_folder(Path(out_dir), f"{study.name}_{study.scenario.policy}")
    coordinator.recorder.folder = folder  # made last: whatever refuses has refused by now
    _keep_inputs(folder, study, tables)
    timing = {"build": perf_counter() - begun}
    final = coordinator.run(start, progress=progress)
    timing |= coordinator.seconds
    closing = perf_counter()
    stored = read_run(folder, study, final.window, coordinates(coordinator.system), tables)
    timing["close"] = perf_counter() - closing
    timing["total"] = perf_counter() - begun
    summary = close_run(folder, study, stored, timing)
    return RunResult(folder.path, summary, exit_code(summary), _notice(study, summary))


def regret(
    study: Study,
    out_dir: Path | str = "outputs",
    finished: RunResult | None = None,
    weeks: int = 4,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare what a study costs with a lower bound, and say what the difference comes from.

    Where arrivals last no longer than 14 days, the whole run is compared; otherwise weeks of it that the seed draws,
    each run by itself from an empty fleet to the end of its last job.

    Parameters
    ----------
    study : Study
    out_dir : path
        Parent folder of the runs that this takes: with the study's forecast, if not `finished`, and with a perfect one.
    finished : RunResult, optional
        Of this study. Gets a `regret.json`.
    weeks : int
        How many to draw.
    progress : callable, optional
        As in `run`, for each run that this takes.

    Returns
    -------
    dict
        `spans`, one each with `bound`, `rolling`, `settled_perfect`, `settled` and the parts of the regret; and their
        sums under `total`.

    Raises
    ------
    GridtwinError
        As in `run`.
    """
    whole = study.time.submit_steps * study.time.step_s <= WHOLE_SPAN_S
    spans = [study] if whole else sampled_weeks(study, weeks)
    parts = [_regret_of(span, Path(out_dir), finished if whole else None, progress) for span in spans]
    total = {name: sum(part[name] for part in parts) for name in parts[0] if isinstance(parts[0][name], float)}
    result = {
        "scenario": study.name,
        "policy": study.scenario.policy,
        "currency": study.currency,
        "bound_is": BOUND_IS,
        "sampled": not whole,
        "spans": parts,
        "total": total,
    }
    if finished is not None:
        write_json(finished.run_dir / "regret.json", result)
    return result


def _regret_of(study: Study, out_dir: Path, finished: RunResult | None, progress: Progress | None) -> dict[str, Any]:
    """Return the regret of one span as JSON holds it."""
    told = finished or run(study, out_dir, progress)
    exact = with_perfect_forecast(study)
    perfect = told if study.scenario.forecast.perfect else run(exact, out_dir, progress)
    stored = _variables(perfect.run_dir)
    fluid = fluid_costs(exact, build(exact, RunFolder(perfect.run_dir)), stored)
    settled_perfect, settled = (_settled(study, result.run_dir) for result in (perfect, told))
    found = Regret(fluid.bound, fluid.rolling, sum(settled_perfect.values()), sum(settled.values()))
    return {
        "start": study.time.start.isoformat(),
        "steps": len(stored["losses_mw"]),
        "run": told.run_dir.name,
        "perfect_run": perfect.run_dir.name,
        **found.figures(),
        "bound_holds": found.bound_holds,
        "settled_by_cause": settled,
        "settled_perfect_by_cause": settled_perfect,
    }


def _settled(study: Study, run_dir: Path) -> dict[str, float]:
    return settled_cost(study, _variables(run_dir), read_columns(run_dir / "jobs.parquet"))


def _variables(run_dir: Path) -> dict[str, np.ndarray]:
    with open_results(run_dir) as dataset:
        return {str(name): values.to_numpy() for name, values in dataset.data_vars.items()}


def exit_code(summary: Mapping[str, Any]) -> ExitCode:
    """Say how the command line ends: a broken ledger outranks unfinished jobs, these AC, AC used slack."""
    kpis = summary["kpis"]
    if not all(ledger["pass"] for ledger in summary["ledgers"].values()):
        return ExitCode.CHECK_FAILED
    if kpis["jobs_unfinished"] > 0:
        return ExitCode.LIMIT
    if kpis["ac_steps_not_converged"] > 0:
        return ExitCode.NOT_CONVERGED
    if any(kpis[name] > SLACK_MWH for name in ("unserved_mwh", "overload_mwh", "spill_mwh")):
        return ExitCode.SLACK_USED
    return ExitCode.OK


def _notice(study: Study, summary: Mapping[str, Any]) -> str:
    """Say what to change if the run ended before its jobs did."""
    unfinished, submitted = (summary["kpis"][f"jobs_{what}"] for what in ("unfinished", "submitted"))
    if not unfinished:
        return ""
    return (
        f"{unfinished:,} of {submitted:,} jobs have not ended: the model's series cover no full window after "
        f"{study.time.instant(summary['steps']):%Y-%m-%d %H:%M} UTC; enlarge the fleet, start earlier, or shorten "
        "time.duration"
    )


def _new_folder(parent: Path, stem: str) -> RunFolder:
    """Make a folder that did not exist before."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    for attempt in range(1000):
        path = parent / (f"{stem}_{stamp}" if attempt == 0 else f"{stem}_{stamp}_{attempt}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        return RunFolder(path)
    raise FileExistsError(f"{parent}: no free name for a run of {stem}")


def _keep_inputs(folder: RunFolder, study: Study, tables: Mapping[str, Table]) -> None:
    write_json(folder.path / "inputs" / "scenario.json", study.resolved)
    write_json(folder.path / "inputs" / "model_hashes.json", dict(study.model_hashes))
    for name, columns in tables.items():
        write_columns(folder.path / "inputs" / f"{name}.parquet", columns)
