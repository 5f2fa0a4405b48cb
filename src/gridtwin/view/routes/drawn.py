"""Figures, the report and exports of a run, as the rooms that make them do."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from gridtwin.exports.sheets import Sheet, csv_text
from gridtwin.report.figures import FIGURES
from gridtwin.report.language import words_in
from gridtwin.report.page import SECTIONS
from gridtwin.view.drawings import EXPORTS, exported
from gridtwin.view.routes.assets import cached
from gridtwin.view.security import ALONE, POLICY, WITH_PLOTLY
from gridtwin.view.workspace import Desk, Workspace, found, opened

__all__ = ["router"]

router = APIRouter(prefix="/runs/{run_id}")
Lang = Annotated[Literal["en", "zh"], Query()]
BUTTONS = ("download", "zoom", "pan", "zoom_in", "zoom_out", "autoscale", "reset")


@router.get("/figures")
def figures(request: Request, desk: Desk, run_id: str, lang: Lang = "en") -> Response:
    """Show all figures; the script of the page asks for each as it comes into sight."""
    opened(desk, run_id)
    words = words_in(lang)
    settings = {
        "lang": lang,
        "rows": words("page.rows"),
        "buttons": {name: words(f"button.{name}") for name in BUTTONS},
    }
    sections = [(words(f"section.{name}"), members) for name, members in SECTIONS.items()]
    headers = {POLICY: WITH_PLOTLY}
    content = {"sections": sections, "settings": settings, "lang": lang}
    return desk.page(request, "figures.html", HTTPStatus.OK, headers, run=found(desk, run_id), **content)


@router.get("/figures/{name}")
def figure(request: Request, desk: Desk, run_id: str, name: str, lang: Lang = "en") -> Response:
    """Give one figure to the script of the page; 204 where the run holds nothing of it."""
    drawn = _drawn(desk, run_id, name, lang)
    if drawn is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return cached(request, drawn[0], "application/json", sha256(drawn[0]).hexdigest()[:20])


@router.get("/figures/{name}/table.csv")
def figure_csv(desk: Desk, run_id: str, name: str, lang: Lang = "en") -> Response:
    """Give the numbers of one figure."""
    drawn = _drawn(desk, run_id, name, lang)
    if drawn is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "this run holds nothing of this figure")
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("\ufeff" + csv_text(drawn[1]), media_type="text/csv", headers=headers)


def _drawn(desk: Workspace, run_id: str, name: str, lang: str) -> tuple[bytes, Sheet] | None:
    if name not in FIGURES:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such figure")
    return desk.drawings.figure(opened(desk, run_id), name, lang)


@router.get("/report")
def report(desk: Desk, run_id: str, lang: Lang = "en") -> Response:
    """Show the report of a run; it is kept apart from this page and cannot reach it."""
    content = desk.drawings.report([opened(desk, run_id)], lang)
    return Response(content, media_type="text/html", headers={POLICY: ALONE})


@router.get("/export/{form}")
def export_run(desk: Desk, run_id: str, form: str) -> Response:
    """Give a run in the format of another tool; one that is a folder comes packed."""
    if form not in {one.name for one in EXPORTS}:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such format")
    saved = opened(desk, run_id)
    folder = Path(tempfile.mkdtemp(prefix="gridtwin-view-"))
    leave = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        path = exported(saved, form, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(path, filename=path.name, content_disposition_type="attachment", background=leave)
