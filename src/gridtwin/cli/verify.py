"""`gridtwin verify`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from gridtwin.cli.options import Json, Quiet, RunPath
from gridtwin.cli.progress import bar
from gridtwin.errors import ExitCode

if TYPE_CHECKING:
    from gridtwin.audit.verify import Verification

__all__ = ["verify"]


def verify(
    run: RunPath,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check a saved run from its files alone: journal, checksums, ledgers, results."""
    from gridtwin import api

    with bar(shown=not quiet) as watch:
        found = api.verify(run, watch)
    if as_json:
        typer.echo(json.dumps(_content(found), indent=2, ensure_ascii=False))
    elif not quiet:
        _print(found)
    raise typer.Exit(ExitCode.OK if found.holds else ExitCode.CHECK_FAILED)


def _content(found: Verification) -> dict[str, Any]:
    return {
        "run_dir": str(found.run_dir),
        "holds": found.holds,
        "finished": found.finished,
        "windows": found.windows,
        "planned_windows": found.planned_windows,
        "checks": [
            {"name": check.name, "checked": check.checked, "holds": check.holds, "failed": list(check.failed)}
            for check in found.checks
        ],
    }


def _print(found: Verification) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    table = Table("check", "of", "holds", title=str(found.run_dir), title_justify="left")
    for check in found.checks:
        table.add_row(check.name, check.checked, "pass" if check.holds else "[bold red]FAIL[/]")
    console.print(table)
    for failure in (failure for check in found.checks for failure in check.failed):
        console.print(f"FAIL {failure}", markup=False, highlight=False)
    if not found.finished:
        console.print(
            f"not finished: {found.windows} windows of {found.planned_windows}; "
            f"go on with: gridtwin resume {found.run_dir}"
        )
