"""`gridtwin export`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gridtwin.cli.options import Json, Quiet

if TYPE_CHECKING:
    from gridtwin.exports.export import Exported
    from gridtwin.exports.selection import Selection
    from gridtwin.exports.signs import Convention

__all__ = ["export"]

FORMATS = (
    "csv, parquet, netcdf, zarr, xlsx, iamc, geojson, swf, duckdb, influx, pypsa, pandapower, matpower, "
    "or a database such as postgresql://user@host/runs"
)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help=f"One of {FORMATS}.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="File or folder to write.", show_default="exports/RUN and an ending"),
    ] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Variables or tables, such as 'site_*', line or jobs; may be given again.",
            show_default="all",
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First instant, such as 2026-07-01 or with an hour.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Instant after the last.")] = None,
    resample: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Longer steps, such as 1d; each variable by its rule.")
    ] = None,
    zone: Annotated[str, typer.Option(metavar="NAME", help="Zone of times, such as Asia/Shanghai.")] = "UTC",
    convention: Annotated[
        str, typer.Option(metavar="NAME", help="Whose signs: gridtwin, pandapower or pypsa.")
    ] = "gridtwin",
    replace: Annotated[bool, typer.Option("--replace", help="Replace an export that is there.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a saved run for another tool."""
    from gridtwin.exports.export import export as write
    from gridtwin.results.saved_run import open_run

    selection = _selection(tuple(variable or ()), start, until, resample, zone, convention)
    with _bar(shown=not quiet) as progress:
        done = write(open_run(run), to, out, selection, replace=replace, progress=progress)
    if as_json:
        typer.echo(json.dumps(_content(done), indent=2, ensure_ascii=False))
    elif not quiet:
        _print(done)


def _selection(
    variables: tuple[str, ...], start: str | None, until: str | None, resample: str | None, zone: str, convention: str
) -> Selection:
    from gridtwin.exports.selection import Selection
    from gridtwin.scenario.kinds import duration_s

    signs = cast("Convention", convention)  # Selection refuses others
    unbounded = Selection(zone=zone, convention=signs)
    try:
        instants = [text and datetime.fromisoformat(text) for text in (start, until)]
        resample_s = duration_s(resample) if resample else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    begin, end = (
        instant.replace(tzinfo=unbounded.tz) if instant and instant.utcoffset() is None else instant or None
        for instant in instants
    )
    return Selection(variables, begin, end, resample_s, zone, signs)


def _content(done: Exported) -> dict[str, Any]:
    return {
        "format": done.format,
        "target": done.target,
        "files": [{"path": path, "bytes": size} for path, size in done.files.items()],
        "bytes": done.bytes,
        "rows": done.rows,
        "left_out": list(done.left_out),
    }


def _print(done: Exported) -> None:
    counted = "" if done.rows is None else f"{sum(done.rows.values()):,} rows of {len(done.rows)} tables"
    sized = f"{len(done.files)} files, {done.bytes / 1e6:,.1f} MB" if done.files else ""
    typer.echo(f"written to {done.target}: {', '.join(filter(None, (counted, sized)))}")
    if done.left_out:
        typer.echo(f"left out, for it stands for the whole run: {', '.join(done.left_out)}", err=True)


@contextmanager
def _bar(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr where that is a terminal; yields a function of (done, in all)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("exporting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
