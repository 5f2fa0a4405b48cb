"""Sites, lines, buses and other parts of a run, one by one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response

from gridtwin.exports.sheets import Sheet, csv_text
from gridtwin.results.saved_run import SavedRun
from gridtwin.view.elements import Chart, Kind, charts, described, overview
from gridtwin.view.security import POLICY, WITH_PLOTLY
from gridtwin.view.workspace import Desk, found, labels, opened, zone_s

__all__ = ["router"]

router = APIRouter(prefix="/runs/{run_id}/{kind}")
Number = Annotated[int, Path(ge=0, le=10_000_000)]


@router.get("")
def parts(
    request: Request, desk: Desk, run_id: str, kind: Kind, sort: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """List the parts of a kind with their sums."""
    saved = opened(desk, run_id)
    columns = overview(saved, kind)
    names = labels(saved, kind.dim)
    order = list(range(len(names)))
    by = next((column for column in columns if column.label == sort.removeprefix("-")), None)
    if by is not None:
        order.sort(key=lambda i: _sortable(by.values[i]), reverse=sort.startswith("-"))
    return desk.page(
        request,
        "parts.html",
        run=found(desk, run_id),
        kind=kind,
        kinds=[(one, len(labels(saved, one.dim))) for one in Kind],
        names=names,
        columns=columns,
        order=order,
        sort=sort,
    )


@router.get("/{number}")
def part(request: Request, desk: Desk, run_id: str, kind: Kind, number: Number) -> Response:
    """Show one part."""
    saved = opened(desk, run_id)
    name = _name(saved, kind, number)
    return desk.page(
        request,
        "part.html",
        HTTPStatus.OK,
        {POLICY: WITH_PLOTLY},
        run=found(desk, run_id),
        kind=kind,
        number=number,
        name=name,
        facts=described(saved, kind, number),
        charts=charts(saved, kind, number),
        count=len(labels(saved, kind.dim)),
        zone_s=zone_s(saved),
    )


@router.get("/{number}/series")
def series(desk: Desk, run_id: str, kind: Kind, number: Number) -> dict[str, object]:
    """Give the curves of one part to the script of its page."""
    saved = opened(desk, run_id)
    _name(saved, kind, number)
    return {
        "start_s": int(saved.time[0].astype("datetime64[s]").astype(np.int64)) + zone_s(saved),
        "step_s": saved.facts.step_s,
        "charts": [_content(chart) for chart in charts(saved, kind, number)],
    }


@router.get("/{number}/series.csv")
def series_csv(desk: Desk, run_id: str, kind: Kind, number: Number) -> Response:
    """Give the curves of one part as a table."""
    saved = opened(desk, run_id)
    name = _name(saved, kind, number)
    curves = [(curve, chart.unit) for chart in charts(saved, kind, number) for curve in chart.series]
    sheet = Sheet(
        name,
        {"time": saved.time, **{curve.name: curve.values for curve, _ in curves}},
        {curve.name: unit for curve, unit in curves},
    )
    disposition = f'attachment; filename="{kind.dim}_{number}.csv"'
    return Response(csv_text(sheet), media_type="text/csv", headers={"Content-Disposition": disposition})


def _name(saved: SavedRun, kind: Kind, number: int) -> str:
    names = labels(saved, kind.dim)
    if number >= len(names):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"this run has {len(names)} {kind}")
    return names[number]


def _content(chart: Chart) -> dict[str, object]:
    curves = [{"name": s.name, "meaning": s.meaning, "values": _rounded(s.values)} for s in chart.series]
    return {"title": chart.title, "unit": chart.unit, "series": curves}


def _rounded(values: np.ndarray) -> list[float | None]:
    """Return values with six digits, None for NaN."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values.astype(float).tolist()]


def _sortable(value: object) -> tuple[bool, float, str]:
    number = isinstance(value, int | float) and value == value  # noqa: PLR0124 - NaN is not itself
    return number, float(value) if number else 0.0, "" if number else str(value)  # type: ignore[arg-type]
