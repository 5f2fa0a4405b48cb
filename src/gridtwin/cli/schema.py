"""`gridtwin schema`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["schema"]


class Kind(StrEnum):
    """Files that have a schema."""

    scenario = "scenario"
    model = "model"


def schema(
    kind: Annotated[Kind, typer.Argument(help="Kind of file.")] = Kind.scenario,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of printing it.", show_default=False)
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, for editors.

    An editor with a YAML language server takes it from a first line in the file:
    `# yaml-language-server: $schema=FILE`
    """
    from gridtwin.results.files import write_atomically
    from gridtwin.scenario.json_schema import json_schema

    text = json.dumps(json_schema(kind.value), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_atomically(out, lambda file: file.write(text.encode()))
