"""`gridtwin compare`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtwin.cli.options import Json, Quiet
from gridtwin.errors import ExitCode

if TYPE_CHECKING:
    from gridtwin.compare import Comparison
    from gridtwin.compare.gate import Limit

__all__ = ["compare"]


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="BASE CHANGE…", help="Folders of runs, the base first.", show_default=False),
    ],
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE", help="Write a workbook.", show_default=False)
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="DIR", help="Write one CSV a table.", show_default=False)
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="NAME:LIMIT",
            help="End with code 8 if a figure rises (+2%, +100), falls (-5%), is above (>0) or below (<1.05).",
            show_default=False,
        ),
    ] = None,
    line_cost: Annotated[
        float | None,
        typer.Option(
            "--line-cost-per-mw-km",
            metavar="MONEY",
            min=0.0,
            help="Annuity of line capacity per MW, km and year; prices what lines lack.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every figure and line, those without a change too.")] = (
        False
    ),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare runs with a base: what went in, what came out, and what the differences are made of."""
    from gridtwin import api
    from gridtwin.compare.gate import breaches
    from gridtwin.exports.sheets import write_csv, write_workbook

    if len(runs) < 2:  # noqa: PLR2004 - a base and a change
        raise typer.BadParameter("needs two runs or more, the base first", param_hint="BASE CHANGE…")
    limits = _limits(fail_on or ())
    with _busy(f"comparing {len(runs)} runs", shown=not (quiet or as_json)):
        comparison = api.compare([run.parent if run.is_file() else run for run in runs], line_cost)
    broken = [breach.text for breach in breaches(comparison, limits)]
    if xlsx is not None:
        write_workbook(xlsx, comparison.sheets())
    if csv is not None:
        for sheet in comparison.sheets():
            write_csv(csv / f"{sheet.name}.csv", sheet)
    _show(comparison, broken, limits, as_json=as_json, quiet=quiet, every=every)
    for text in broken:
        typer.echo(f"gridtwin: {text}", err=True)
    raise typer.Exit(ExitCode.CHECK_FAILED if broken else ExitCode.OK)


@contextmanager
def _busy(what: str, *, shown: bool) -> Iterator[None]:
    """Show on stderr that something goes on, where that is a terminal: a year takes a while to read."""
    from rich.console import Console

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


def _limits(texts: Sequence[str]) -> list[Limit]:
    from gridtwin.compare.gate import parse_limit

    try:
        return [parse_limit(text) for text in texts]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fail-on") from None


def _show(
    comparison: Comparison, broken: Sequence[str], limits: Sequence[Limit], *, as_json: bool, quiet: bool, every: bool
) -> None:
    from gridtwin.cli.comparison_table import print_comparison

    if as_json:
        gate = {"limits": [limit.text for limit in limits], "broken": list(broken)}
        typer.echo(json.dumps(comparison.content() | {"fail_on": gate}, indent=2, ensure_ascii=False, allow_nan=False))
    elif not quiet:
        print_comparison(comparison, every=every)
