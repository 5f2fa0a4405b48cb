"""The map of a run and its values step by step."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response

from gridtwin.economics.corridors import share_percent
from gridtwin.results.saved_run import SavedRun
from gridtwin.view.network_map import STEP_VARIABLES, chunk, network_map
from gridtwin.view.routes.assets import cached
from gridtwin.view.workspace import Desk, found, opened, zone_s

__all__ = ["router"]

router = APIRouter(prefix="/runs/{run_id}")
NAMED = 8  # rows of the table below the map


@router.get("/map")
def map_page(
    request: Request, desk: Desk, run_id: str, step: Annotated[int, Query(ge=0, le=10_000_000)] = 0
) -> Response:
    """Show the grid at a step; the script of the page moves on from there."""
    saved = opened(desk, run_id)
    step = min(step, len(saved.time) - 1)
    drawn = network_map(saved)
    return desk.page(
        request,
        "map.html",
        run=found(desk, run_id),
        drawn=drawn,
        content=drawn.content(saved) | {"zone_s": zone_s(saved), "currency": saved.facts.currency},
        step=step,
        steps=len(saved.time),
        when=saved.facts.step_start(step),
        zone_s=zone_s(saved),
        currency=saved.facts.currency,
        fullest=_fullest(saved, step),
        sites=list(zip(saved.facts.coords["site"], saved.dataset["site_mw"][step].to_numpy(), strict=True)),
    )


@router.get("/steps/{variable}/{number}")
def steps(
    request: Request, desk: Desk, run_id: str, variable: str, number: Annotated[int, Path(ge=0, le=1_000_000)]
) -> Response:
    """Give one variable over some steps as little-endian float32, time by time."""
    saved = opened(desk, run_id)
    content = chunk(saved, variable, number) if variable in STEP_VARIABLES else None
    if content is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "this run has no such steps")
    stamp = (saved.path / "results.nc").stat()
    return cached(request, content, "application/octet-stream", f"{stamp.st_mtime_ns:x}-{stamp.st_size:x}")


def _fullest(saved: SavedRun, step: int) -> list[tuple[str, float]]:
    """Lines, or links where there are no lines, with percent of their limits."""
    if saved.transport:
        names = saved.facts.coords["link"]
        loading = share_percent(saved.inputs("links"), saved.at("link_mw", [step]))[0]
    else:
        names, loading = saved.facts.coords["line"], saved.dataset["loading_percent"][step].to_numpy()
    return [(names[place], float(loading[place])) for place in (-loading).argsort()[:NAMED]]
