"""Time and memory of a run folder at the size of a year: writing windows, committing them, closing, verifying.

Usage: python benchmarks/run_folder.py [--windows 361] [--jobs 4000000]

The numbers are noise of the shape that RTS-GMLC has, so that nothing compresses better than it would in a run; the
ledgers are computed and, of course, do not hold.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from gridtwin.audit.verify import verify
from gridtwin.inputs.load import load_study
from gridtwin.results.store import FINDING, JOB_END, JOB_START, JOB_STOP, RunFolder
from gridtwin.results.variables import variables
from gridtwin.timegrid import TimeGrid
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.closing import close_run
from gridtwin.twin.keeping import keep_inputs
from gridtwin.twin.recorder import coordinates
from gridtwin.twin.sessions import Sessions
from gridtwin.twin.state import state_writer
from gridtwin.workload.jobs import JobTable

DAY = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_day.yaml"
WHOLE = ("nodes", "jobs", "node_s", "columns", "rows", "rounds", "committed", "converged")


def main() -> None:
    """Print one row per phase."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=361)
    parser.add_argument("--jobs", type=int, default=4_000_000)
    wanted = parser.parse_args()
    study = load_study(DAY)
    rng = np.random.default_rng(0)
    span_s = wanted.windows * study.time.window_steps * study.time.step_s
    study = replace(study, jobs=many(study.jobs, wanted.jobs, span_s, rng))
    print("| phase | s | s per window | peak memory by then, MB |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder.create(Path(place), "year")
        coordinator = build(study, folder)
        timed("inputs kept", lambda: keep_inputs(folder, study, coordinator))
        labels, save = coordinates(coordinator.system), state_writer(initial_twin_state(study))

        def write() -> None:
            for window in range(wanted.windows):
                time, values, events = made_up(window, labels, study.time, study.jobs, rng)
                folder.write_window(window, labels, time, values, events, save)

        timed("windows written", write, wanted.windows)
        timed("closed", lambda: close_run(folder, Sessions(folder.path, 0, {}, perf_counter())), wanted.windows)
        timed("verified", lambda: verify(folder.path), wanted.windows)
        sizes = {path.name: path.stat().st_size / 1e6 for path in folder.path.iterdir() if path.is_file()}
        sizes |= {
            f"{sub}/": sum(path.stat().st_size for path in (folder.path / sub).rglob("*") if path.is_file()) / 1e6
            for sub in ("inputs", "windows")
        }
        print("\nMB on disk: " + ", ".join(f"{name} {size:.1f}" for name, size in sorted(sizes.items())))


def timed(phase: str, work: Callable[[], object], windows: int = 0) -> None:
    """Print how long something takes."""
    begun = perf_counter()
    work()
    seconds = perf_counter() - begun
    share = f"{seconds / windows:.4f}" if windows else ""
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {phase} | {seconds:.1f} | {share} | {peak_mb:.0f} |", flush=True)


def many(jobs: JobTable, count: int, span_s: int, rng: np.random.Generator) -> JobTable:
    """Return as many jobs as a year has, drawn from those of a day."""
    drawn = jobs.take(rng.integers(len(jobs), size=count))
    submit_s = np.sort(rng.integers(span_s, size=count))
    delay_s = drawn.due_s - drawn.submit_s
    return replace(drawn, job=np.arange(count), submit_s=submit_s, due_s=submit_s + delay_s)


def made_up(
    window: int, labels: dict[str, tuple[str, ...]], time: TimeGrid, jobs: JobTable, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
    """Return instants, values of every variable, and events of one window."""
    steps = time.window_steps
    lengths = {name: len(names) for name, names in labels.items()} | {"time": steps, "window": 1}
    values = {}
    for name, variable in variables().items():
        shape = tuple(lengths[dim] for dim in variable.dims)
        values[name] = rng.integers(2, size=shape) if name.endswith(WHOLE) else rng.normal(size=shape)
    first, last = np.searchsorted(jobs.submit_s, np.array([window, window + 1]) * steps * time.step_s)
    row = np.arange(first, last)
    kinds = np.array(["thermal", "voltage_high"])
    found = 300
    events = {
        JOB_START: {
            "row": row,
            "site_index": row % len(labels["site"]),
            "start_s": jobs.submit_s[row],
            "restart_s": np.zeros(len(row), np.int64),
        },
        JOB_STOP: dict.fromkeys(("row", "stop_s", "checkpoint_s", "left_s"), np.zeros(0, np.int64)),
        JOB_END: {"row": row, "end_s": (jobs.submit_s + jobs.runtime_s)[row]},
        FINDING: {
            "time": np.repeat(time.instants(window * steps, 1), found),
            "kind": kinds[rng.integers(2, size=found)],
            "element": np.array(labels["bus"])[rng.integers(len(labels["bus"]), size=found)],
            "value": rng.normal(size=found),
            "limit": np.full(found, 1.05),
            "unit": np.full(found, "pu"),
        },
    }
    return time.instants(window * steps, steps), values, events


if __name__ == "__main__":
    main()
