"""`gridtwin run`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Json, Overrides, Quiet, ScenarioPath
from gridtwin.cli.progress import bar
from gridtwin.cli.running import attended, end

__all__ = ["run"]


def run(
    scenario: ScenarioPath,
    overrides: Overrides = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Parent of the run's folder.")] = Path("outputs"),
    as_json: Json = False,
    regret: Annotated[
        bool, typer.Option("--regret", help="Compare the cost with a lower bound; takes a second run.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run a scenario and save it under DIR/<run_id>."""
    from gridtwin import api
    from gridtwin.inputs.places import find_scenario

    with bar(shown=not quiet) as reading:
        reading.step("reading the scenario")
        study = api.load_study(find_scenario(scenario), overrides or ())
    if regret:
        api.check_bound(study)
    with attended(shown=not quiet) as (progress, say, watch):
        result = api.run(study, out, progress=progress, say=say, watch=watch)
        found = api.regret(study, out, result, progress=progress, watch=watch) if regret else None
    end(result, found, as_json=as_json, quiet=quiet)
