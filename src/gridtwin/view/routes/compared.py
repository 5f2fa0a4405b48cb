"""Runs side by side."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from gridtwin.compare import Comparison
from gridtwin.results.saved_run import SavedRun
from gridtwin.view.drawings import workbook
from gridtwin.view.security import ALONE, POLICY
from gridtwin.view.workspace import Desk, Workspace, opened

__all__ = ["router"]

router = APIRouter(prefix="/compare")
MOST = 8
LINES = 12  # of what lines lack
Runs = Annotated[list[str] | None, Query(max_length=MOST)]


@router.get("")
def compare_page(request: Request, desk: Desk, run: Runs = None) -> Response:
    """Show what differs between runs and the first of them."""
    compared = _compared(desk, run)
    names = [card.run_id for card in compared.runs]
    return desk.page(
        request,
        "compare.html",
        compared=compared,
        query=_query(names),
        based=lambda base: "/compare?" + _query([base, *(name for name in names if name != base)]),
        lines=LINES,
    )


@router.get("/report")
def compare_report(desk: Desk, run: Runs = None, lang: Literal["en", "zh"] = "en") -> Response:
    """Show the report about several runs, apart from this page."""
    content = desk.drawings.report(_opened(desk, run), lang)
    return Response(content, media_type="text/html", headers={POLICY: ALONE})


@router.get("/comparison.xlsx")
def compare_workbook(desk: Desk, run: Runs = None) -> Response:
    """Give the whole comparison as a workbook."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    headers = {"Content-Disposition": 'attachment; filename="comparison.xlsx"'}
    return Response(workbook(_compared(desk, run)), media_type=kind, headers=headers)


def _compared(desk: Workspace, names: list[str] | None) -> Comparison:
    return desk.drawings.comparison(_opened(desk, names))


def _opened(desk: Workspace, names: list[str] | None) -> list[SavedRun]:
    chosen = list(dict.fromkeys(names or ()))
    if len(chosen) < 2:  # noqa: PLR2004 - a base and a change
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"choose two to {MOST} finished runs in the list")
    return [opened(desk, name) for name in chosen]


def _query(names: list[str]) -> str:
    return urlencode([("run", name) for name in names])
