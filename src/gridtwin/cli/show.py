"""`gridtwin show`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json

import typer

from gridtwin.cli.options import Json, Quiet, RunPath

__all__ = ["show"]


def show(
    run: RunPath,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print the summary of a saved run."""
    from gridtwin.cli.table import print_summary
    from gridtwin.results.saved_run import read_summary

    summary = read_summary(run)
    if as_json:
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    elif not quiet:
        print_summary(summary)
