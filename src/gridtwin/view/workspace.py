"""What every page of one server works with, and how a page is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, cast

from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from gridtwin.results.saved_run import SavedRun, open_run
from gridtwin.view import formats
from gridtwin.view.drawings import Drawings
from gridtwin.view.kept import Kept
from gridtwin.view.listing import Listed, RunsFolder, State
from gridtwin.view.runs import RunQueue
from gridtwin.view.scenarios import Scenarios
from gridtwin.view.security import WITH_FORMS
from gridtwin.view.settings import Settings

__all__ = ["Desk", "Workspace", "found", "labels", "opened", "zone_s"]

OPEN_RUNS = 6  # kept open at a time; a run holds a file handle and what was read of it
PATH = re.compile(r"(?<![\w./:<])(?:~|[A-Za-z]:)?[/\\](?:[^\s'\",;:()<>]+[/\\])+")


class Workspace:
    """The runs, scenarios and processes of a server, and its templates.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = RunsFolder(settings.runs_dir)
        self.scenarios = Scenarios(settings.scenarios_dir)
        self.drawings = Drawings()
        self.queue = RunQueue(settings.runs_dir)
        self._open: Kept[SavedRun] = Kept(OPEN_RUNS)
        self._pages = Environment(
            loader=PackageLoader("gridtwin.view"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._pages.filters |= {name: getattr(formats, name) for name in formats.__all__} | {"told": self.told}

    def page(
        self,
        request: Request,
        template: str,
        code: int = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        /,
        **content: object,
    ) -> HTMLResponse:
        """Write a page from a template."""
        common: dict[str, object] = {
            "allow_run": self.settings.allow_run,
            "form_token": self.settings.form_token,
            "folder": self.folder.path.name,
            "path": request.url.path,
            "busy": len(self.queue.unfinished()),
        }
        policies = WITH_FORMS if self.settings.allow_run else {}
        return HTMLResponse(
            self._pages.get_template(template).render(common | content), code, {**policies, **(headers or {})}
        )

    def told(self, text: object) -> str:
        """Return a message without the paths of this machine: the page may be seen by others than its user."""
        message = str(text)
        for root in sorted({str(self.folder.path), str(self.settings.runs_dir)}, key=len, reverse=True):
            message = message.replace(f"{root}/", f"{self.folder.path.name}/").replace(root, self.folder.path.name)
        return PATH.sub("", message)

    def open(self, run: Listed) -> SavedRun:
        """Return a finished run; the last few stay open.

        Raises
        ------
        ResultsError
            If it cannot be read.
        """
        key = run.run_id, (run.path / "summary.json").stat().st_mtime_ns
        return self._open.get(key, lambda: open_run(run.path))


def _workspace(request: Request) -> Workspace:
    return cast("Workspace", request.app.state.workspace)


Desk = Annotated[Workspace, Depends(_workspace)]


def found(desk: Workspace, run_id: str) -> Listed:
    """Return the run of this name; answers 404 where there is none."""
    run = desk.folder.find(run_id)
    if run is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such run in this folder")
    return run


def opened(desk: Workspace, run_id: str) -> SavedRun:
    """Return the finished run of this name; answers 404 where there is none, 409 where it has not ended."""
    run = found(desk, run_id)
    if run.state is not State.FINISHED:
        raise HTTPException(HTTPStatus.CONFLICT, run.fault or f"this run is {run.state}; there is nothing to show yet")
    return desk.open(run)


def labels(saved: SavedRun, dim: str) -> tuple[str, ...]:
    """Return the names along a dimension of a run."""
    return tuple(saved.facts.coords[dim])


def zone_s(saved: SavedRun) -> int:
    """Return the clock of the model, seconds ahead of UTC."""
    return int(saved.inputs("tariff")["zone_s"][0])
