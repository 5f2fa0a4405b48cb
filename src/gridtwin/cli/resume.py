"""`gridtwin resume`."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from gridtwin.cli.options import Json, Quiet, RunPath
from gridtwin.cli.running import attended, end

__all__ = ["resume"]


def resume(
    run: RunPath,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take up an interrupted run where it stopped; the files come out as if it never had."""
    from gridtwin import api

    with attended(shown=not quiet) as (progress, say, watch):
        result = api.resume(run, progress=progress, say=say, watch=watch)
    end(result, as_json=as_json, quiet=quiet)
