"""`gridtwin run`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Json, Overrides, ScenarioPath

__all__ = ["run"]


def run(
    scenario: ScenarioPath,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Parent of the run's folder.")] = Path("outputs"),
    as_json: Json = False,
    regret: Annotated[
        bool, typer.Option("--regret", help="Compare the cost with a lower bound; takes a second run.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
) -> None:
    """Run a scenario and save it under DIR/<run_id>."""
    from gridtwin import api
    from gridtwin.cli.table import print_regret, print_summary
    from gridtwin.inputs.places import find_scenario

    study = api.load_study(find_scenario(scenario), overrides or ())
    with _progress(shown=not quiet) as progress:
        result = api.run(study, out, progress=progress)
        found = api.regret(study, out, result, progress=progress) if regret else None
    if as_json:
        shown = result.summary if found is None else {**result.summary, "regret": found}
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    elif not quiet:
        print_summary(result.summary)
        if found:
            print_regret(found)
        typer.echo(f"saved in {result.run_dir}")
    if result.notice:
        typer.echo(f"gridtwin: {result.notice}", err=True)
    raise typer.Exit(result.exit_code)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar on stderr where that is a terminal; yields a function of (windows done, windows in all)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("windows", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
