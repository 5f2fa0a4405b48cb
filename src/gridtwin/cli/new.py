"""`gridtwin new`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Json, Quiet
from gridtwin.cli.progress import bar

__all__ = ["new"]


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the folder, its scenario and its model.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Parent of the folder.")] = Path(),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a study folder that runs: a small scenario, a model and jobs of its own, all synthetic."""
    from gridtwin.inputs.new_study import new_study

    with bar(shown=not quiet) as progress:
        progress.step("copying")
        made = new_study(name, out)
    if as_json:
        content = {
            "folder": str(made.folder),
            "scenario": str(made.scenario),
            "files": [path.relative_to(made.folder).as_posix() for path in made.files],
        }
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    elif not quiet:
        typer.echo(f"made {made.folder} ({len(made.files)} files); its README.md says what to do next:")
        typer.echo(f"  cd {made.folder}")
        typer.echo(f"  gridtwin run {made.scenario.name}")
