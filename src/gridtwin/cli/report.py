"""`gridtwin report`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Quiet
from gridtwin.cli.progress import bar

__all__ = ["report"]


class Language(StrEnum):
    """Languages of reports."""

    EN = "en"
    ZH = "zh"


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…", help="Folders of runs; the first is the base of a comparison.", show_default=False
        ),
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

    with bar(shown=not quiet) as drawn:
        drawn.step("figures")
        folders = [run.parent if run.is_file() else run for run in runs]
        file = api.report(folders, out, lang.value, progress=drawn.advance)
    if not quiet:
        typer.echo(f"saved in {file}")
    if show:
        typer.launch(file.resolve().as_uri())
