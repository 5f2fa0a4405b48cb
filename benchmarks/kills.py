"""Kill a run at random moments, resume it until it is finished, and compare it byte by byte with one left alone.

Usage: python benchmarks/kills.py [--scenario scenarios/rts_gmlc_week.yaml] [--times 20] [--kills 1] [--seed 0]
       [--set KEY=VALUE ...]

A moment is a window drawn evenly, the closing of the run counted as one, and a time drawn evenly within the mean length
of one; so it falls within the run however busy the machine is. With --kills 2 the first resumed process is killed as
well, and so on. A run that is killed before its inputs are kept cannot be resumed and says so; it
is started again. Ends with 1 if a single file differs.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCENARIO = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_week.yaml"
OF_THE_CLOCK = {"summary.json", "sessions.json"}  # compared apart
HEAD = "| kill | killed after, s | windows then | left over | sessions | files compared | differ |"
ENDED = 0
NOT_A_RUN = 3


@dataclass
class Trial:
    """What one run went through."""

    moments_s: list[float] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    left_over: int = 0


def main() -> None:
    """Run all trials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    wanted = parser.parse_args()
    call = ["run", str(wanted.scenario), *(part for one in wanted.overrides for part in ("--set", one))]
    rng = random.Random(wanted.seed)
    with tempfile.TemporaryDirectory() as place:
        span_s = left_alone(call, Path(place) / "straight")
        (straight,) = (Path(place) / "straight").iterdir()
        print(f"left alone, {straight.name} takes {span_s:.1f} s from the making of its folder\n\n{HEAD}")
        print("|" + " --- |" * (HEAD.count("|") - 1))
        bad = 0
        for number in range(1, wanted.times + 1):
            trial, folder = killed(call, Path(place) / f"killed{number}", rng, span_s, windows(straight), wanted.kills)
            compared, unlike = differences(straight, folder)
            bad += bool(unlike)
            print(row(number, trial, folder, compared, unlike), flush=True)
    print(f"\n{wanted.times - bad} of {wanted.times} equal, byte by byte")
    sys.exit(bool(bad))


def left_alone(call: Sequence[str], out: Path) -> float:
    """Run to the end; return the seconds since the folder was there."""
    process = start([*call, "--out", str(out)])
    await_folder(process, out)
    begun = time.perf_counter()
    _, errors = process.communicate()
    if process.returncode:
        sys.exit(f"the run ends with {process.returncode}: {errors}")
    return time.perf_counter() - begun


def killed(
    call: Sequence[str], out: Path, rng: random.Random, span_s: float, all_windows: int, kills: int
) -> tuple[Trial, Path]:
    """Run, kill, resume until finished."""
    trial = Trial()
    process = start([*call, "--out", str(out)])
    folder = await_folder(process, out)
    for _ in range(kills):
        await_work(process, folder)
        begun, first = time.perf_counter(), windows(folder)
        await_window(process, folder, rng.randint(first, all_windows))
        time.sleep(rng.uniform(0.0, span_s / (all_windows + 1)))
        process.kill()
        process.communicate()
        trial.moments_s.append(time.perf_counter() - begun)
        trial.windows.append(windows(folder))
        committed = committed_files(folder)
        trial.left_over += sum(path.relative_to(folder).as_posix() not in committed for path in files(folder))
        process = start(["resume", str(folder)])
    _, errors = process.communicate()
    if process.returncode == NOT_A_RUN and "before its inputs were kept" in errors:
        again = out.with_name(f"{out.name}_again")
        left_alone(call, again)
        (folder,) = again.iterdir()
    elif process.returncode != ENDED:
        sys.exit(f"resuming {folder} ends with {process.returncode}: {errors}")
    return trial, folder


def start(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start a process of gridtwin."""
    command = [sys.executable, "-m", "gridtwin", *arguments, "--quiet"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def await_folder(process: subprocess.Popen[str], out: Path) -> Path:
    """Wait until the run has made its folder."""
    while process.poll() is None:
        if out.is_dir() and (folders := list(out.iterdir())):
            return folders[0]
        time.sleep(0.002)
    sys.exit(f"no folder was made: {process.communicate()[1]}")


def await_work(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until a process holds the lock of the folder, so that it is not killed while it still loads Python."""
    while process.poll() is None:
        if (folder / "lock").exists() and f'"pid": {process.pid},' in (folder / "lock").read_text():
            return
        time.sleep(0.002)


def await_window(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    """Wait until as many windows are complete."""
    while process.poll() is None and windows(folder) < number:
        time.sleep(0.002)


def windows(folder: Path) -> int:
    """Return how many windows are complete."""
    journal = folder / "journal.jsonl"
    return journal.read_text().count('"entry": "window"') if journal.exists() else 0


def committed_files(folder: Path) -> set[str]:
    """Return what the journal names."""
    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True) if journal.exists() else []
    return {name for line in lines if line.endswith("\n") for name in json.loads(line)["files"]}


def files(folder: Path) -> list[Path]:
    """Return what counts only once it is committed."""
    return [path for path in folder.rglob("*") if path.is_file() and path.parent != folder]


def differences(straight: Path, folder: Path) -> tuple[int, list[str]]:
    """Compare two run folders. Returns (files compared, what differs)."""
    one, other = (
        {path.relative_to(place).as_posix(): path for path in place.rglob("*") if path.is_file()}
        for place in (straight, folder)
    )
    unlike = sorted(one.keys() ^ other.keys())
    for name in sorted(one.keys() & other.keys()):
        before, after = one[name].read_bytes(), other[name].read_bytes()
        if name == "journal.jsonl":  # its last line has the checksums of what follows the clock
            before, after = (text.rstrip(b"\n").rpartition(b"\n")[0] for text in (before, after))
        if name not in OF_THE_CLOCK and before != after:
            unlike.append(name)
    if timeless(straight) != timeless(folder):
        unlike.append("summary.json")
    return len(one) - 1, unlike


def timeless(folder: Path) -> dict[str, object]:
    """Return the summary without what depends on the clock and the name."""
    summary = json.loads((folder / "summary.json").read_text())
    return {key: value for key, value in summary.items() if key not in {"run_id", "timing_s", "sessions"}}


def row(number: int, trial: Trial, folder: Path, compared: int, unlike: Sequence[str]) -> str:
    """Return one row of the table."""
    sessions = json.loads((folder / "summary.json").read_text())["sessions"]
    cells = [
        number,
        ", ".join(f"{moment:.2f}" for moment in trial.moments_s),
        ", ".join(map(str, trial.windows)),
        f"{trial.left_over} files",
        sessions,
        compared,
        ", ".join(unlike) or "none",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
