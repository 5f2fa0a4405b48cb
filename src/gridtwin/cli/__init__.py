"""The command line: one thin file per verb.

Modules here import only what `--help` needs; the rest is imported where a verb runs.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from gridtwin import __version__
from gridtwin.cli import (
    compare,
    doctor,
    export,
    layout,
    new,
    registry,
    report,
    resume,
    run,
    schema,
    show,
    validate,
    verify,
    view,
)
from gridtwin.errors import ExitCode, GridtwinError

__all__ = ["app", "main"]


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gridtwin {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="gridtwin",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(new.new)
app.command()(validate.validate)
app.command()(run.run)
app.command()(resume.resume)
app.command()(verify.verify)
app.command()(show.show)
app.command()(compare.compare)
app.command()(layout.layout)
app.command()(report.report)
app.command()(export.export)
app.command()(view.view)
app.add_typer(registry.registry)
app.command()(schema.schema)
app.command()(doctor.doctor)


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Compute-power co-dispatch digital twin: data-centre jobs and an AC power grid on one clock."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with an `ExitCode`."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: Sequence[str] | None) -> int:
    """Run one verb; the only place where errors become messages and exit codes."""
    try:
        code = app(arguments, standalone_mode=False)
    except GridtwinError as error:
        _say(str(error))
        return error.exit_code
    except OSError as error:
        _say("; ".join([f"cannot read or write: {error}", *getattr(error, "__notes__", ())]))
        return ExitCode.LIMIT
    except (typer.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets an exit code and something to report
        if show_usage := getattr(error, "show", None):  # click's errors, by what they do: some typers bring their own
            show_usage()
            return ExitCode.USAGE
        traceback.print_exc()
        _say("internal error: this is a fault of gridtwin; please report it with the lines above")
        return ExitCode.INTERNAL
    if code == ExitCode.INTERRUPTED:  # some typers end with the code of a signal themselves
        _say("interrupted")
    return int(code or ExitCode.OK)


def _say(message: str) -> None:
    print(f"gridtwin: {message}" if "\n" not in message else message, file=sys.stderr)  # noqa: T201
