"""`gridtwin validate`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from gridtwin.cli.options import Json, Overrides, Quiet, ScenarioPath
from gridtwin.cli.progress import bar

if TYPE_CHECKING:
    from gridtwin.inputs.study import Study

__all__ = ["validate"]


def validate(scenario: ScenarioPath, overrides: Overrides = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Check a scenario, its model and its traces; report everything that is wrong at once."""
    from gridtwin.errors import InputError
    from gridtwin.inputs.load import load_study
    from gridtwin.inputs.places import find_scenario

    try:
        with bar(shown=not quiet) as progress:
            progress.step("reading scenario, model and traces")
            study = load_study(find_scenario(scenario), overrides or ())
    except InputError as error:
        if as_json:
            issues = [{name: getattr(i, name) for name in ("file", "line", "column", "message")} for i in error.issues]
            typer.echo(json.dumps({"valid": False, "issues": issues}, indent=2, ensure_ascii=False))
        raise
    facts = _facts(study)
    if as_json:
        typer.echo(json.dumps({"valid": True, **facts}, indent=2, ensure_ascii=False))
        return
    if quiet:
        return
    counts = ", ".join(
        f"{study.counts[name]:,} {name}"
        for name in ("jobs", "sites", "buses", "lines", "units", "stores")
        if study.counts[name]
    )
    typer.echo(f"{study.name} is valid: {counts}")
    typer.echo(f"jobs arrive {facts['start']} to {facts['submit_end']} ({study.time.submit_steps} steps)")


def _facts(study: Study) -> dict[str, Any]:
    """Return what a user may want to see before a run."""
    time = study.time
    return {
        "scenario": study.name,
        "start": time.start.astimezone(study.zone).isoformat(),
        "submit_end": time.instant(time.submit_steps).astimezone(study.zone).isoformat(),
        "counts": dict(study.counts),
        "resolved": study.resolved,
    }
