"""`gridtwin show`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gridtwin.cli.options import Json

__all__ = ["show"]


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Print the summary of a saved run."""
    from gridtwin.cli.table import print_summary

    summary = _read_summary(run)
    if as_json:
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        print_summary(summary)


def _read_summary(run: Path) -> dict[str, Any]:
    """Read the summary of a run folder; raises ResultsError where there is none."""
    from gridtwin.errors import ResultsError
    from gridtwin.located import did_you_mean

    file = run / "summary.json" if run.is_dir() else run
    if not file.is_file():
        inside = [place.parent for place in run.glob("*/summary.json")]
        near = [place.parent for place in run.parent.glob("*/summary.json")]
        hint = did_you_mean(run, [str(place) for place in sorted(inside or near)])
        raise ResultsError(f"{run}: expected the folder of a finished run, with its summary.json{hint}")
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultsError(f"{file}: not the summary of a run: {error}") from None
    if not isinstance(summary, dict) or "kpis" not in summary:
        raise ResultsError(f"{file}: not the summary of a run: it has no 'kpis'")
    return summary
