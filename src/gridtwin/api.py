"""Three calls: load a study, run it, open its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from gridtwin.errors import ExitCode
from gridtwin.inputs.load import load_study
from gridtwin.inputs.study import Study
from gridtwin.results.dataset import open_results
from gridtwin.results.files import write_columns, write_json
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.closing import close_run, read_run
from gridtwin.twin.coordinator import Progress
from gridtwin.twin.inputs_kept import Table, input_tables
from gridtwin.twin.n1 import report_n1
from gridtwin.twin.recorder import coordinates

__all__ = ["RunResult", "Study", "load_study", "n1", "open_results", "run"]

SLACK_MWH = 1e-3
NAMED = 5  # of a longer list


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
    tables = input_tables(study, coordinator.ac_grid)
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
    if study.scenario.security.n1 == "report":
        summary |= {"n1": n1(folder.path)}
    return RunResult(folder.path, summary, exit_code(summary), _notice(study, summary))


def n1(run_dir: Path | str) -> dict[str, Any]:
    """Take each line and transformer out of each settled step of a finished run.

    Parameters
    ----------
    run_dir : path
        Folder of the run; gets `n1.parquet`, and its `summary.json` the section that is returned.

    Returns
    -------
    dict
        How many outages were solved, parted the grid or failed, and which; the outages that overload others most.

    Raises
    ------
    ResultsError
        If there is no finished run at `run_dir`, or it was stored without what this needs.
    """
    return report_n1(Path(run_dir))


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
    return "\n".join(notice for notice in (_unfinished(study, summary), _unrated(summary)) if notice)


def _unrated(summary: Mapping[str, Any]) -> str:
    """Say of which lines N-1 tells nothing."""
    report = summary.get("n1", {})
    unrated = report.get("unrated", ())
    if not unrated:
        return ""
    return (
        f"N-1 says nothing of {len(unrated)} of {report['outages']} lines, which have no rate_long_mw: "
        f"{', '.join(unrated[:NAMED])}{', …' if len(unrated) > NAMED else ''}"
    )


def _unfinished(study: Study, summary: Mapping[str, Any]) -> str:
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
