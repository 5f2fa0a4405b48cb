"""`gridtwin resume`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Json, Quiet
from gridtwin.cli.running import attended, end

__all__ = ["resume"]


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of an interrupted run.", show_default=False)],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take up an interrupted run where it stopped; the files come out as if it never had."""
    from gridtwin import api

    with attended(shown=not quiet) as (progress, say):
        result = api.resume(run, progress=progress, say=say)
    end(result, as_json=as_json, quiet=quiet)
