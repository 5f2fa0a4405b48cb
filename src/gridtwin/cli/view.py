"""`gridtwin view`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridtwin.errors import ExitCode

__all__ = ["view"]

NEEDED = ("fastapi", "starlette", "uvicorn")


def view(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of runs.")] = Path("outputs"),
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port of 127.0.0.1; 0 takes a free one.")
    ] = 0,
    allow_run: Annotated[bool, typer.Option("--allow-run", help="Let the page start, stop and resume runs.")] = False,
    scenarios: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of further scenarios to start.", show_default=False)
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser, only print the address.")] = False,
) -> None:
    """Look at saved runs in the browser: list, compare, map through time, jobs; on this machine only."""
    try:
        from gridtwin.view.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in NEEDED:
            raise
        _say("gridtwin view needs fastapi and uvicorn: pip install 'gridtwin[view]'")
        raise typer.Exit(ExitCode.USAGE) from None
    serve(directory, port, _say, allow_run=allow_run, scenarios_dir=scenarios, browser=not no_browser)


def _say(message: str) -> None:
    typer.echo(f"gridtwin: {message}")
