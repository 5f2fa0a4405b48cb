"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from gridtwin.cli import completion

__all__ = ["Json", "Overrides", "Quiet", "RunPath", "ScenarioPath"]

ScenarioPath: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO",
        help="Scenario file, or the name of a shipped one.",
        show_default=False,
        autocompletion=completion.scenarios,
    ),
]
RunPath: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Folder of a run.", show_default=False, autocompletion=completion.runs),
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key, such as time.duration=7d.",
        show_default=False,
        autocompletion=completion.overrides,
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", help="No progress, no table.")]
