"""`gridtwin doctor`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtwin.cli.options import Json, Quiet
from gridtwin.cli.progress import bar
from gridtwin.errors import ExitCode

if TYPE_CHECKING:
    from gridtwin.doctor import Finding

__all__ = ["doctor"]

STYLES = {"ok": "green", "note": "yellow", "fail": "bold red"}


def doctor(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder that runs would be written to.")] = Path("outputs"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check this installation, and say what to do where something is wrong."""
    with bar(shown=not quiet) as progress:
        progress.step("importing libraries")
        from gridtwin.doctor import examine

        found = examine(out, progress.step)
    failed = any(finding.level == "fail" for finding in found)
    if as_json:
        content = {"sound": not failed, "checks": [asdict(finding) for finding in found]}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    elif not quiet:
        _print(found)
    raise typer.Exit(ExitCode.CHECK_FAILED if failed else ExitCode.OK)


def _print(found: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    width = max(len(finding.name) for finding in found)
    for finding in found:
        level = Text(f"{finding.level:<4}", style=STYLES[finding.level])
        console.print(level, Text(f" {finding.name:<{width}}  {finding.found}"))
        if finding.advice:
            console.print(Text(f"      {'':<{width}}  → {finding.advice}"))
