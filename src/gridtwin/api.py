"""Load a study, run it, take it up again, check it, open its results."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from gridtwin import compare as comparing
from gridtwin.audit.verify import Verification, verify
from gridtwin.compare import Comparison
from gridtwin.compare.layout import Layouts, layouts
from gridtwin.errors import ExitCode
from gridtwin.inputs import load
from gridtwin.inputs.parts import sampled_weeks, with_perfect_forecast
from gridtwin.inputs.places import find_scenario
from gridtwin.inputs.study import Study
from gridtwin.results.files import read_columns, read_json, write_json
from gridtwin.results.labelled import open_labelled as open_results
from gridtwin.results.run_facts import read_facts
from gridtwin.results.saved_run import open_run
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state, prepare
from gridtwin.twin.closing import close_run
from gridtwin.twin.coordinator import Coordinator, Progress
from gridtwin.twin.keeping import keep_inputs, kept_study, require_same_study, versions
from gridtwin.twin.n1 import report_n1
from gridtwin.twin.regret import Regret, check_bound, fluid_costs, settled_cost
from gridtwin.twin.sessions import Sessions
from gridtwin.twin.state import TwinState, load_state
from gridtwin.twin.taking_up import take_up
from gridtwin.units import DAY_S
from gridtwin.watch import UNWATCHED, Watch

__all__ = [
    "Comparison",
    "Layouts",
    "RunResult",
    "Study",
    "Verification",
    "check_bound",
    "compare",
    "layout",
    "load_study",
    "n1",
    "open_results",
    "permuted",
    "regret",
    "report",
    "resume",
    "run",
    "verify",
]

SLACK_MWH = 1e-3
NAMED = 5  # of a longer list
WHOLE_SPAN_S = 14 * DAY_S
BOUND_IS = "a lower bound: work cut into any pieces, perfect foresight of the whole span, losses never overestimated"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RunResult:
    """Where a run is, what it found, how the command line should end, and what people must know beside the figures."""

    run_dir: Path
    summary: Mapping[str, Any]
    exit_code: ExitCode
    notice: str = ""


def load_study(scenario: Path | str, overrides: Sequence[str] = ()) -> Study:
    """Read a scenario with its model and traces, and check them against each other.

    Parameters
    ----------
    scenario : path or str
        Scenario file, or the name of a shipped one, such as `starter`.
    overrides : sequence of str
        `a.b=value`, the value in YAML; later ones win.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        With everything that is wrong with the scenario, the model and the traces.
    """
    return load.load_study(find_scenario(scenario), overrides)


def run(
    study: Study,
    out_dir: Path | str = "outputs",
    progress: Progress | None = None,
    say: Say | None = None,
    watch: Watch = UNWATCHED,
) -> RunResult:
    """Run a study to the end of its last job, or of the last window that the model's series cover.

    Parameters
    ----------
    study : Study
    out_dir : path
        Parent folder; the run makes one of its own in it.
    progress : callable, optional
        Called with (windows done, windows expected) at the start and after each window, once that is on disk. What it
        raises stops the run, which can then be resumed.
    say : callable, optional
        Told what people must know while the run goes on: first of all where it is.
    watch : Watch
        Told of what comes before and after the windows.

    Returns
    -------
    RunResult

    Raises
    ------
    GridtwinError
        If the grid cannot be built, the fleet cannot run a job, or an optimisation has no optimum. What is refused
        before the first window leaves no folder.
    OSError
        If the folder cannot be written. Once the inputs are kept, the run can be resumed; a note on the error says how.
    """
    begun = perf_counter()
    watch.step("building the grid")
    record_in, start = prepare(study), initial_twin_state(study)
    folder = RunFolder.create(Path(out_dir), f"{study.name}_{study.scenario.policy}")
    with folder.locked():
        _tell(say, f"run folder {folder.path}")
        coordinator = record_in(folder)
        with _gone_if_refused(folder):
            keep_inputs(folder, study, coordinator)
        return _go_on(folder, coordinator, start, progress, begun, watch)


def resume(
    run_dir: Path | str, progress: Progress | None = None, say: Say | None = None, watch: Watch = UNWATCHED
) -> RunResult:
    """Take up a run that was interrupted, from its folder alone; the result is that of never stopping.

    Parameters
    ----------
    run_dir : path
        Folder of the run. A finished run is left as it is.
    progress, say, watch : optional
        As in `run`; progress begins at the windows that are done.

    Returns
    -------
    RunResult

    Raises
    ------
    LockedError
        If another process is at work in the folder.
    ResultsError
        If something in the folder is missing or altered, or its inputs no longer give the study that it began with.
    OSError
        As in `run`.
    """
    begun = perf_counter()
    folder = RunFolder(Path(run_dir))
    with folder.locked():
        journal, dropped = take_up(folder)
        if dropped:
            _tell(say, f"removed what the interruption left unfinished: {', '.join(dropped)}")
        if journal.closed:
            _tell(say, f"{folder.path} is finished; nothing is left to do")
            return _result(folder, read_json(folder.path / "summary.json"))
        watch.step("reading the inputs")
        study = kept_study(folder)
        require_same_study(folder, study)
        _tell(say, *_other_versions(folder))
        windows = journal.windows
        state = load_state(folder.state(windows)) if windows else initial_twin_state(study)
        return _go_on(folder, build(study, folder), state, progress, begun, watch)


def n1(run_dir: Path | str, watch: Watch = UNWATCHED) -> dict[str, Any]:
    """Take each line and transformer out of each settled step of a run.

    Parameters
    ----------
    run_dir : path
        Folder of the run; gets `n1.parquet`, one row for each outage of each step, and `n1.json`, what is returned.
    watch : Watch

    Returns
    -------
    dict
        How many outages were solved, parted the grid or failed, and which; the outages that overload others most.

    Raises
    ------
    LockedError
        If a process is at work in the folder.
    ResultsError
        If it is no folder of a run, or no window is complete.
    """
    folder = RunFolder(Path(run_dir))
    folder.require_unlocked()
    return report_n1(folder, watch)


def compare(paths: Sequence[Path | str], line_cost_per_mw_km: float | None = None) -> Comparison:
    """Compare finished runs with the first of them.

    Parameters
    ----------
    paths : sequence of path
        Folders of at least two runs, the base first.
    line_cost_per_mw_km : float, optional
        Annuity of line capacity, money per MW·km and year; prices what lines lack. There is no default.

    Returns
    -------
    Comparison

    Raises
    ------
    ResultsError
        If there are fewer than two, or one is no finished run.
    """
    return comparing.compare([open_run(path) for path in paths], line_cost_per_mw_km)


def layout(paths: Sequence[Path | str], noise: Sequence[Path | str] = ()) -> Layouts:
    """Compare layouts of the same work with the first of them.

    Parameters
    ----------
    paths : sequence of path
        Folders of finished runs with the same seed, jobs, requests and weather, the base first.
    noise : sequence of path
        Runs of the base that differ in `solver.permute` alone: their spread is the noise floor.

    Returns
    -------
    Layouts

    Raises
    ------
    ResultsError
        If one is no finished run, or runs are not paired.
    """
    return layouts([open_run(path) for path in paths], [open_run(path) for path in noise])


def permuted(
    run_dir: Path | str,
    number: int,
    out_dir: Path | str = "outputs",
    progress: Progress | None = None,
    say: Say | None = None,
    watch: Watch = UNWATCHED,
) -> list[Path]:
    """Run what a run was made from again, each time with the solver's programs in another order.

    Parameters
    ----------
    run_dir : path
        Folder of the run; it need not have ended.
    number : int
    out_dir : path
        Parent folder of the new runs.
    progress, say, watch : optional
        As in `run`.

    Returns
    -------
    list of Path
        Their folders.

    Raises
    ------
    GridtwinError
        As in `run`.
    """
    folder = RunFolder(Path(run_dir))
    first = int(kept_study(folder).scenario.solver.permute) + 1
    studies = (kept_study(folder, [f"solver.permute={first + place}"]) for place in range(number))
    return [run(study, out_dir, progress, say, watch).run_dir for study in studies]


def report(
    paths: Sequence[Path | str], out: Path | str | None = None, lang: str = "en", progress: Progress | None = None
) -> Path:
    """Write one HTML file about a run, or about several with the first as the base.

    Parameters
    ----------
    paths : sequence of path
        Folders of finished runs.
    out : path, optional
        The file; `report.html` in the folder of the first run by default.
    lang : {"en", "zh"}
    progress : callable, optional
        Called with (figures done, figures in all).

    Returns
    -------
    Path

    Raises
    ------
    ResultsError
        If there is no run, one of them cannot be read, or there are no words in the language.
    """
    from gridtwin.report.page import write_report  # noqa: PLC0415 - plotly, which only reports need

    return write_report(paths, out, lang, progress)


def _go_on(
    folder: RunFolder,
    coordinator: Coordinator,
    state: TwinState,
    progress: Progress | None,
    begun: float,
    watch: Watch,
) -> RunResult:
    """Advance from a state to the end and close the run."""
    sessions = Sessions(folder.path, state.window, coordinator.seconds, begun)

    def after_window(done: int, expected: int) -> None:
        sessions.note(done)
        if progress is not None:
            progress(done, expected)

    with _resumable(folder):
        watch.step("windows")
        coordinator.run(state, progress=after_window)
        summary = close_run(folder, sessions, watch)
    return _result(folder, summary)


@contextmanager
def _gone_if_refused(folder: RunFolder) -> Iterator[None]:
    """Leave no folder that could not be resumed."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise


@contextmanager
def _resumable(folder: RunFolder) -> Iterator[None]:
    """Note on what stops a run from outside how to go on with it."""
    try:
        yield
    except (OSError, MemoryError, KeyboardInterrupt) as error:
        error.add_note(f"what is done is kept; go on with: gridtwin resume {folder.path}")
        raise


def _result(folder: RunFolder, summary: Mapping[str, Any]) -> RunResult:
    return RunResult(folder.path, summary, exit_code(summary), _notice(folder, summary))


def _tell(say: Say | None, *messages: str) -> None:
    if say is not None:
        for message in messages:
            say(message)


def _other_versions(folder: RunFolder) -> Iterator[str]:
    """Yield a warning where what runs now is not what began the run."""
    here, begun = versions(), read_facts(folder).versions
    other = [f"{name} {begun[name]} is now {here[name]}" for name in here if begun.get(name, here[name]) != here[name]]
    if other:
        yield f"{', '.join(other)}: what follows may differ from what an uninterrupted run would have given"


def regret(
    study: Study,
    out_dir: Path | str = "outputs",
    finished: RunResult | None = None,
    weeks: int = 4,
    progress: Progress | None = None,
    watch: Watch = UNWATCHED,
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
    progress, watch : optional
        As in `run`, for each run that this takes.

    Returns
    -------
    dict
        `spans`, one each with `bound`, `rolling`, `settled_perfect`, `settled` and the parts of the regret; and their
        sums under `total`.

    Raises
    ------
    GridtwinError
        As in `run`, and where the study holds what a bound knows nothing of.
    """
    check_bound(study)
    whole = study.time.submit_steps * study.time.step_s <= WHOLE_SPAN_S
    spans = [study] if whole else sampled_weeks(study, weeks)
    parts = [_regret_of(span, Path(out_dir), finished if whole else None, progress, watch) for span in spans]
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


def _regret_of(
    study: Study, out_dir: Path, finished: RunResult | None, progress: Progress | None, watch: Watch
) -> dict[str, Any]:
    """Return the regret of one span as JSON holds it."""
    told = finished or run(study, out_dir, progress, watch=watch)
    exact = with_perfect_forecast(study)
    perfect = told if study.scenario.forecast.perfect else run(exact, out_dir, progress, watch=watch)
    stored = {result.run_dir: _variables(result.run_dir) for result in (told, perfect)}
    steps = min(len(variables["losses_mw"]) for variables in stored.values())
    watch.step("the bound")
    fluid = fluid_costs(exact, build(exact, RunFolder(perfect.run_dir)), stored[perfect.run_dir], steps)
    settled_perfect, settled = (
        settled_cost(study, stored[run_dir], read_columns(run_dir / "jobs.parquet"), fluid.stores, steps)
        for run_dir in (perfect.run_dir, told.run_dir)
    )
    found = Regret(fluid.bound, fluid.rolling, sum(settled_perfect.values()), sum(settled.values()))
    return {
        "start": study.time.start.isoformat(),
        "steps": steps,
        "run": told.run_dir.name,
        "perfect_run": perfect.run_dir.name,
        **found.figures(),
        "bound_holds": found.bound_holds,
        "settled_by_cause": settled,
        "settled_perfect_by_cause": settled_perfect,
    }


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


def _notice(folder: RunFolder, summary: Mapping[str, Any]) -> str:
    return "\n".join(notice for notice in (_unfinished(folder, summary), _unrated(summary)) if notice)


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


def _unfinished(folder: RunFolder, summary: Mapping[str, Any]) -> str:
    """Say what to change if the run ended before its jobs did."""
    unfinished, submitted = (summary["kpis"][f"jobs_{what}"] for what in ("unfinished", "submitted"))
    if not unfinished:
        return ""
    return (
        f"{unfinished:,} of {submitted:,} jobs have not ended: the model's series cover no full window after "
        f"{read_facts(folder).step_start(summary['steps']):%Y-%m-%d %H:%M} UTC; enlarge the fleet, start earlier, or "
        "shorten time.duration"
    )
