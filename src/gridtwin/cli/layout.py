"""`gridtwin layout`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gridtwin.cli.options import Json, Quiet
from gridtwin.cli.running import attended
from gridtwin.errors import ExitCode

__all__ = ["layout"]


def layout(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="BASE RUN…", help="Folders of runs of the same work, the base first.", show_default=False
        ),
    ],
    noise: Annotated[
        list[Path] | None,
        typer.Option("--noise", metavar="RUN", help="A run of the base with another solver.permute; may be repeated."),
    ] = None,
    noise_runs: Annotated[
        int, typer.Option("--noise-runs", metavar="N", min=0, help="Run the base so many times more to measure chance.")
    ] = 0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Parent folder of these runs.")] = Path("outputs"),
    regions: Annotated[bool, typer.Option("--regions", help="Print the indicators of each region, too.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Print lines without a value and all moves, too.")] = False,
    lang: Annotated[str, typer.Option("--lang", metavar="en|zh", help="Language of the tables.")] = "en",
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write a workbook.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="DIR", help="Write one CSV a table.", show_default=False)
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare layouts of the same work: cost, CO2, curtailment, delay, where the grid binds, what is only chance."""
    from gridtwin import api
    from gridtwin.cli.layout_table import print_layouts
    from gridtwin.compare.layout import layout_content, layout_sheets
    from gridtwin.exports.sheets import write_csv, write_workbook
    from gridtwin.report.language import words_in

    words = words_in(lang)
    by_chance = list(noise or ())
    if noise_runs:
        with attended(shown=not (quiet or as_json)) as (progress, say, watch):
            by_chance += api.permuted(runs[0], noise_runs, out, progress, say, watch)
    found = api.layout(runs, by_chance)
    if xlsx is not None:
        write_workbook(xlsx, layout_sheets(found, lang))
    if csv is not None:
        for sheet in layout_sheets(found, lang):
            write_csv(csv / f"{sheet.name}.csv", sheet)
    if as_json:
        typer.echo(json.dumps(layout_content(found), indent=2, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print_layouts(found, words, regions=regions, every=every)
    raise typer.Exit(ExitCode.OK)
