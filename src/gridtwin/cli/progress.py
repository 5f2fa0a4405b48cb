"""What a verb shows while it works, on a terminal's stderr, and how it ends when it is interrupted."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["NOTHING_WRITTEN", "Bar", "bar"]

NOTHING_WRITTEN = "nothing was written"


@dataclass(slots=True)
class Bar:
    """One line on stderr: what is being done, how far it is, how long it takes yet; nothing where it is not shown."""

    _progress: Progress | None = None
    _task: TaskID | None = None

    def step(self, text: str) -> None:
        """Name what is done from now on; how long it takes is not known before `advance` is called."""
        if self._progress is None:
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(text, total=None, count="")

    def advance(self, done: int, total: int) -> None:
        """Tell how much of the step is done."""
        if self._progress is not None:
            if self._task is None:
                self.step("working")
            assert self._task is not None
            self._progress.update(self._task, completed=done, total=total, count=f"{done}/{total}")


@contextmanager
def bar(*, shown: bool = True, interrupted: str = NOTHING_WRITTEN) -> Iterator[Bar]:
    """Yield a bar that is gone at the end; an interrupt ends what is inside as StoppedError.

    Parameters
    ----------
    shown : bool
        False for `--quiet`; where stderr is not a terminal, nothing is shown either way.
    interrupted : str
        What is true after Ctrl-C, or what to do then; notes on the KeyboardInterrupt take its place.
    """
    from gridtwin.errors import StoppedError

    try:
        with _on_terminal(shown=shown) as drawn:
            yield drawn
    except KeyboardInterrupt as error:
        left = getattr(error, "__notes__", None) or [interrupted]
        raise StoppedError("; ".join(["interrupted", *filter(None, left)])) from None


@contextmanager
def _on_terminal(*, shown: bool) -> Iterator[Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield Bar()
        return
    text, count = TextColumn("{task.description}"), TextColumn("{task.fields[count]}")
    columns = text, BarColumn(), count, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress)
