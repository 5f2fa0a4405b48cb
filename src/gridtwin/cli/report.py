"""`gridtwin report`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Quiet

__all__ = ["report"]


class Language(StrEnum):
    """Languages of reports."""

    EN = "en"
    ZH = "zh"


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of runs; the first is the base of a comparison.", show_default=False),
    ],
    lang: Annotated[Language, typer.Option(help="English or Chinese.")] = Language.EN,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it; report.html in the first run's folder by default."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write one HTML file about runs that opens without a network and prints well."""
    from gridtwin import api

    with _bar(shown=not quiet) as progress:
        file = api.report(runs, out, lang.value, progress=progress)
    if not quiet:
        typer.echo(f"saved in {file}")
    if show:
        typer.launch(file.resolve().as_uri())


@contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr, where that is a terminal, how many figures are made."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("figures", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
