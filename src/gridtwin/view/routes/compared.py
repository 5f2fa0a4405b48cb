"""Runs side by side."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from gridtwin.economics.kpi_table import KPIS, Kpi
from gridtwin.view.workspace import Desk, opened

__all__ = ["router"]

router = APIRouter()
MOST = 8


@router.get("/compare")
def compare(request: Request, desk: Desk, run: Annotated[list[str] | None, Query(max_length=MOST)] = None) -> Response:
    """Show the figures of runs beside those of the first."""
    names = list(dict.fromkeys(run or ()))
    if len(names) < 2:  # noqa: PLR2004
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"choose two to {MOST} finished runs in the list")
    saved = [opened(desk, name) for name in names]
    currency = saved[0].facts.currency
    rows = []
    for name in saved[0].kpis:
        kpi = KPIS.get(name, Kpi(name.replace("_", " "), ""))
        rows.append((kpi.label, kpi.unit.format(currency=currency), [one.kpis.get(name) for one in saved]))
    return desk.page(request, "compare.html", saved=saved, rows=rows)
