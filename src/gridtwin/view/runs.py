"""Runs that the page starts: processes of the command line, one after the other."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock, Thread
from time import monotonic
from typing import Any

from gridtwin.errors import ExitCode, Issue, ViewError

__all__ = ["Phase", "RunQueue", "Started", "check"]

PARALLEL = 1  # a run takes a core and gigabytes
MAX_WAITING = 20
MAX_KEPT = 200  # ended ones that are remembered
LOG_TAIL = 32 * 1024  # bytes shown
LOG_MAX = 64 * 1024  # bytes searched for where the run is
CHECK_S = 600.0
FOLDER_LINE = re.compile(r"^gridtwin: run folder (.+)$", re.MULTILINE)
COMMAND = (sys.executable, "-m", "gridtwin")


class Phase(StrEnum):
    """How a process stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


MEANING = {
    ExitCode.OK: "finished",
    ExitCode.INTERNAL: "internal error; see the log",
    ExitCode.INVALID_INPUT: "invalid input",
    ExitCode.SLACK_USED: "finished: load shed or lines overloaded",
    ExitCode.NOT_CONVERGED: "finished: power flow did not converge in some steps",
    ExitCode.LIMIT: "a limit was reached, or the disk is full",
    ExitCode.LOCKED: "another process is at work in the folder",
    ExitCode.CHECK_FAILED: "finished: a ledger does not hold",
    ExitCode.INTERRUPTED: "interrupted; it can be resumed",
}


@dataclass(eq=False)
class Started:
    """One run that was asked for; changed only by its queue.

    Parameters
    ----------
    number : int
    title : str
        What people asked for.
    arguments : tuple of str
        After `gridtwin`.
    log : Path
        What it writes to stderr.
    asked : datetime
    run_id : str
        Folder of the run; "" until the process says it.
    """

    number: int
    title: str
    arguments: tuple[str, ...]
    log: Path
    asked: datetime = field(default_factory=lambda: datetime.now(UTC))
    run_id: str = ""
    phase: Phase = Phase.WAITING
    code: int | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in {Phase.ENDED, Phase.WITHDRAWN}

    @property
    def outcome(self) -> str:
        """How it ended, for people; "" while it has not."""
        if self.code is None:
            return "withdrawn before it began" if self.phase is Phase.WITHDRAWN else ""
        return MEANING.get(self.code, f"ended by signal {-self.code}" if self.code < 0 else f"exit code {self.code}")  # type: ignore[call-overload, no-any-return]

    def told(self) -> str:
        """Return the end of what it has written."""
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - LOG_TAIL))
                return file.read().decode(errors="replace")
        except OSError:
            return ""


class RunQueue:
    """Processes that wait, work and have ended.

    Parameters
    ----------
    runs_dir : Path
        Parent of the runs' folders.
    command : sequence of str
        What comes before the verb.
    """

    def __init__(self, runs_dir: Path, command: Sequence[str] = COMMAND) -> None:
        self._out = runs_dir.absolute()
        self._command = tuple(command)
        self._all: dict[int, Started] = {}
        self._count = 0
        self._closed = False
        self._lock = Lock()
        self._logs = tempfile.TemporaryDirectory(prefix="gridtwin-view-", ignore_cleanup_errors=True)

    def run(self, title: str, scenario: Path, overrides: Sequence[str]) -> Started:
        """Ask for a run of a scenario.

        Raises
        ------
        ViewError
            If too many wait, or the server is stopping.
        """
        sets = [f"--set={line}" for line in overrides]
        return self._add(title, ("run", str(scenario), *sets, f"--out={self._out}", "--json"))

    def resume(self, title: str, run_dir: Path) -> Started:
        """Ask for a run to be taken up again; raises as `run` does."""
        return self._add(title, ("resume", str(run_dir), "--json"), run_dir.name)

    def all(self) -> list[Started]:
        """Return all that is remembered, the last asked for first."""
        with self._lock:
            self._note_folders()
            return sorted(self._all.values(), key=lambda one: one.number, reverse=True)

    def find(self, number: int) -> Started | None:
        """Return one by its number."""
        return next((one for one in self.all() if one.number == number), None)

    def of_run(self, run_id: str) -> Started | None:
        """Return what works on a run, or is to."""
        return next((one for one in self.unfinished() if one.run_id == run_id), None)

    def unfinished(self) -> list[Started]:
        """Return what waits or works."""
        return [one for one in self.all() if not one.over]

    def stop(self, started: Started) -> None:
        """Stop a run after the window that it is in, the second time at once; it can be resumed."""
        with self._lock:
            if started.phase is Phase.WAITING:
                started.phase = Phase.WITHDRAWN
            else:
                _interrupt(started)

    def close(self, patience_s: float = 20.0, say: Callable[[str], None] = lambda _: None) -> list[Started]:
        """Stop everything; returns the runs that were interrupted.

        Parameters
        ----------
        patience_s : float, s
            How long runs may finish the window they are in, before they are stopped at once.
        say : callable
            Told what is being waited for.
        """
        with self._lock:
            self._closed = True
            for one in self._all.values():
                if one.phase is Phase.WAITING:
                    one.phase = Phase.WITHDRAWN
            working = [one for one in self._all.values() if not one.over]
            for one in working:
                _interrupt(one)
        if working:
            say(f"stopping after the window that is being worked on: {', '.join(one.title for one in working)}")
        try:
            _wait(working, patience_s)
        except KeyboardInterrupt:
            say("stopping at once")
        for one in working:
            _interrupt(one)
        _wait(working, patience_s / 2)
        for one in working:
            if one.process is not None and one.process.poll() is None:
                one.process.kill()
                one.process.wait()
        self.all()  # to note where the runs are
        self._logs.cleanup()
        return [one for one in working if one.run_id and one.process and one.process.returncode != ExitCode.OK]

    def _add(self, title: str, arguments: tuple[str, ...], run_id: str = "") -> Started:
        with self._lock:
            waiting = sum(one.phase is Phase.WAITING for one in self._all.values())
            if self._closed or waiting >= MAX_WAITING:
                raise ViewError(f"{waiting} runs wait already; start this one when some of them have ended")
            self._count += 1
            started = Started(
                self._count, title, arguments, Path(self._logs.name) / f"{self._count}.log", run_id=run_id
            )
            self._all[started.number] = started
            self._forget()
            self._start_next()
        return started

    def _start_next(self) -> None:
        """Start what waits longest while there is room; the lock is held."""
        working = sum(not one.over and one.phase is not Phase.WAITING for one in self._all.values())
        waiting = [one for one in self._all.values() if one.phase is Phase.WAITING]
        for one in waiting[: max(PARALLEL - working, 0) if not self._closed else 0]:
            with one.log.open("wb") as log:
                one.process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell; scenario and overrides are checked
                    [*self._command, *one.arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C in the terminal reaches the server, which stops runs in order
                )
            one.phase = Phase.RUNNING
            Thread(target=self._attend, args=(one, one.process), daemon=True).start()

    def _attend(self, started: Started, process: subprocess.Popen[bytes]) -> None:
        """Wait for a process to end, and let the next one begin."""
        code = process.wait()
        with self._lock:
            self._note_folders()
            started.code, started.phase = code, Phase.ENDED
            self._start_next()

    def _note_folders(self) -> None:
        """Read where runs are from what they say; the lock is held."""
        for one in self._all.values():
            if not one.run_id and one.process is not None and one.log.is_file():
                with one.log.open("rb") as file:
                    said = FOLDER_LINE.search(file.read(LOG_MAX).decode(errors="replace"))
                one.run_id = Path(said[1]).name if said else ""

    def _forget(self) -> None:
        ended = [number for number, one in self._all.items() if one.over]
        for number in ended[: max(len(self._all) - MAX_KEPT, 0)]:
            self._all.pop(number).log.unlink(missing_ok=True)


def check(
    scenario: Path, overrides: Sequence[str], command: Sequence[str] = COMMAND
) -> tuple[dict[str, Any], list[Issue]]:
    """Let `gridtwin validate` look at a scenario.

    Returns
    -------
    tuple
        What it says of a valid one, and everything that is wrong with another.

    Raises
    ------
    ViewError
        If it says neither.
    """
    arguments = [*command, "validate", str(scenario), *(f"--set={line}" for line in overrides), "--json"]
    try:
        done = subprocess.run(  # noqa: S603 - as above
            arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CHECK_S, check=False
        )
        content = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise ViewError(f"checking took more than {CHECK_S:.0f} s; use `gridtwin validate`") from error
    except ValueError as error:
        raise ViewError(f"`gridtwin validate` ended with {done.returncode} and said: {done.stderr[-2000:]}") from error
    issues = [Issue(i["file"], i["line"], i["column"], i["message"]) for i in content.get("issues", ())]
    return content, issues


def _interrupt(started: Started) -> None:
    """Ask a process to stop. SIGTERM, as SIGINT may be ignored in what a shell started in the background."""
    if started.process is not None and started.process.poll() is None:
        started.process.send_signal(signal.SIGTERM)
        started.phase = Phase.STOPPING


def _wait(working: Sequence[Started], patience_s: float) -> None:
    """Wait for processes to end, all of them together no longer than given."""
    until = monotonic() + patience_s
    for one in working:
        if one.process is not None:
            try:
                one.process.wait(timeout=max(until - monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                return
