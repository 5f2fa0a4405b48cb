"""What the verbs that run something share: progress, an orderly end when interrupted, and what is printed last."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from gridtwin.cli.progress import Bar, bar

if TYPE_CHECKING:
    from gridtwin.api import RunResult

__all__ = ["attended", "end"]

Progress = Callable[[int, int], None]
Say = Callable[[str], None]


@contextmanager
def attended(*, shown: bool) -> Iterator[tuple[Progress, Say | None, Bar]]:
    """Yield what a run calls after each window, what it tells people with, and who watches; all write to stderr.

    The first interrupt (Ctrl-C, or SIGTERM) stops the run after the window it is in, the second at once. Either way it
    ends as StoppedError, with how to go on.
    """
    with bar(shown=shown, interrupted="") as shown_bar, _stopping() as stop_if_asked:

        def progress(done: int, expected: int) -> None:
            shown_bar.advance(done, expected)
            stop_if_asked()

        yield progress, _say if shown else None, shown_bar


def end(
    result: RunResult, regret: Mapping[str, Any] | None = None, *, as_json: bool = False, quiet: bool = False
) -> None:
    """Print the outcome of a run, and its regret if that was asked for; end with the exit code of the run."""
    from gridtwin.cli.table import print_regret, print_summary

    if as_json:
        shown = result.summary if regret is None else {**result.summary, "regret": regret}
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    elif not quiet:
        print_summary(result.summary)
        if regret is not None:
            print_regret(regret)
        typer.echo(f"look at it: gridtwin report {result.run_dir}")
        typer.echo(f"saved in {result.run_dir}")
    if result.notice:
        _say(result.notice)
    raise typer.Exit(result.exit_code)


def _say(message: str) -> None:
    typer.echo(f"gridtwin: {message}", err=True)


@contextmanager
def _stopping() -> Iterator[Callable[[], None]]:
    """Take interrupts down; yields a function that raises KeyboardInterrupt if there was one."""
    asked = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        _say("stopping after this window; interrupt again to stop at once")

    def stop_if_asked() -> None:
        if asked:
            raise KeyboardInterrupt

    before = {kind: signal.signal(kind, ask) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop_if_asked
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
