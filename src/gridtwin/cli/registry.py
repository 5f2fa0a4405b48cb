"""`gridtwin registry`: what compute there is, by identifier, in one meter."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from gridtwin.cli.options import Json, Quiet

if TYPE_CHECKING:
    from gridtwin.catalogue.registry import Registry, Wanted

__all__ = ["registry"]

registry = typer.Typer(name="registry", no_args_is_help=True, help="List, search, show and export compute.")

Several: TypeAlias = list[str] | None
Model: TypeAlias = Annotated[
    str, typer.Option("--model", metavar="MODEL", help="Model folder or name; without, what ships with gridtwin.")
]
Variant: TypeAlias = Annotated[
    Several, typer.Option("--variant", metavar="NAME", help="Variant of the model; may be given again.")
]
Readings: TypeAlias = Annotated[
    Path | None, typer.Option("--readings", metavar="FILE", help="CSV file of measured throughput, beside the peaks.")
]
Region: TypeAlias = Annotated[Several, typer.Option("--region", metavar="NAME", help="Only there.")]
Class: TypeAlias = Annotated[Several, typer.Option("--class", metavar="NAME", help="general, intelligent, super, ...")]
Stack: TypeAlias = Annotated[Several, typer.Option("--stack", metavar="NAME", help="cuda, cann, dtk, none, ...")]
Isa: TypeAlias = Annotated[Several, typer.Option("--isa", metavar="NAME", help="x86_64, aarch64, sw64, ...")]
Vintage: TypeAlias = Annotated[Several, typer.Option("--vintage", metavar="YEARS", help="Such as 2022 or 2019-2021.")]
Tier: TypeAlias = Annotated[Several, typer.Option("--tier", metavar="NAME", help="edge, provincial, hub or super.")]


class By(StrEnum):
    """What totals tell apart."""

    by_class = "class"
    region = "region"
    vintage = "vintage"


@registry.command("list")
def list_(
    model: Model = "",
    variant: Variant = None,
    readings: Readings = None,
    region: Region = None,
    compute_class: Class = None,
    stack: Stack = None,
    isa: Isa = None,
    vintage: Vintage = None,
    tier: Tier = None,
    by: Annotated[By, typer.Option(help="What totals tell apart within a class.")] = By.by_class,
    totals_only: Annotated[bool, typer.Option("--totals", help="Totals only.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List compute and its totals; each class in its own precision, never across."""
    from gridtwin.catalogue.registry import narrowed

    wanted = _wanted(region, compute_class, stack, isa, vintage, tier)
    _say(narrowed(_read(model, variant, readings), wanted), by, totals_only=totals_only, as_json=as_json, quiet=quiet)


@registry.command()
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="English or Chinese; all must be there.")],
    model: Model = "",
    variant: Variant = None,
    readings: Readings = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find compute by its names, its maker, its class or its place."""
    from gridtwin.catalogue.registry import searched

    _say(searched(_read(model, variant, readings), words), By.by_class, as_json=as_json, quiet=quiet)


@registry.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An identifier, a node unit or a system.")],
    model: Model = "",
    variant: Variant = None,
    readings: Readings = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show all figures of one entry, which are estimates, and where they come from."""
    from gridtwin.catalogue.entries import entry
    from gridtwin.cli.registry_table import print_entry

    found = entry(_read(model, variant, readings), name)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif not quiet:
        print_entry(found)


@registry.command()
def export(
    out: Annotated[
        Path, typer.Argument(metavar="FILE", help="Ends in .csv (the list alone), .json or .xlsx (totals too).")
    ],
    model: Model = "",
    variant: Variant = None,
    readings: Readings = None,
    region: Region = None,
    compute_class: Class = None,
    stack: Stack = None,
    isa: Isa = None,
    vintage: Vintage = None,
    tier: Tier = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is there.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write compute and its totals for a spreadsheet or another tool."""
    from gridtwin.catalogue.entries import tables
    from gridtwin.catalogue.registry import narrowed
    from gridtwin.exports.resources import write_tables

    wanted = _wanted(region, compute_class, stack, isa, vintage, tier)
    found = tables(narrowed(_read(model, variant, readings), wanted))
    left_out = write_tables(found, out, replace=replace)
    rows = {name: len(table) for name, table in found.items() if name not in left_out}
    if as_json:
        typer.echo(json.dumps({"target": str(out), "rows": rows, "left_out": left_out}, indent=2, ensure_ascii=False))
    elif not quiet:
        typer.echo(f"written to {out}: {', '.join(f'{count:,} {name}' for name, count in rows.items())}")
        if left_out:
            typer.echo(f"left out, for a CSV file holds one table: {', '.join(left_out)}", err=True)


def _read(model: str, variants: Several, readings: Path | None) -> Registry:
    from gridtwin.inputs.resources import open_registry

    if not model and (variants or readings):
        raise typer.BadParameter("--variant and --readings belong to a model; give --model")
    return open_registry(model, variants or (), readings)


def _wanted(
    region: Several, compute_class: Several, stack: Several, isa: Several, vintage: Several, tier: Several
) -> Wanted:
    from gridtwin.catalogue.registry import Wanted

    return Wanted(*(tuple(given or ()) for given in (region, compute_class, stack, isa, vintage, tier)))


def _say(found: Registry, by: By, *, totals_only: bool = False, as_json: bool, quiet: bool) -> None:
    from gridtwin.catalogue.entries import tables
    from gridtwin.cli.registry_table import print_registry

    if as_json:
        typer.echo(json.dumps({"model": found.model or None, **tables(found)}, indent=2, ensure_ascii=False))
    elif not quiet:
        print_registry(found, by.value, totals_only=totals_only)
