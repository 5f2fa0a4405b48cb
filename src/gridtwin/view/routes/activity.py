"""Starting runs, watching them, stopping and resuming them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from gridtwin.errors import Issue
from gridtwin.view.listing import State
from gridtwin.view.routes.run import told_progress
from gridtwin.view.runs import Started, check
from gridtwin.view.scenarios import Choice, named_elsewhere
from gridtwin.view.security import FORM
from gridtwin.view.workspace import Desk, Workspace, found

__all__ = ["router"]


def _allowed(desk: Desk) -> None:
    if not desk.settings.allow_run:
        raise HTTPException(HTTPStatus.NOT_FOUND, "runs are started here only with `gridtwin view --allow-run`")


router = APIRouter(dependencies=[Depends(_allowed)])
Number = Annotated[int, Path(ge=1, le=1_000_000)]
MAX_OVERRIDES = 100


@router.get("/start")
def start_form(request: Request, desk: Desk, scenario: Annotated[str, Query(max_length=300)] = "") -> Response:
    """Show the form that starts a run."""
    return _form(request, desk, scenario)


@router.post("/start")
def start(request: Request, desk: Desk) -> Response:
    """Check a scenario with its overrides; start it if that was asked for and nothing is wrong."""
    form = request.scope[FORM]
    name, text = form.get("scenario", ""), form.get("overrides", "")
    choice = desk.scenarios.choices().get(name)
    if choice is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such scenario in the list")
    overrides = [line.strip() for line in text.splitlines() if line.strip()]
    issues, facts = _checked(choice, overrides)
    if issues or form.get("action") != "start":
        status = HTTPStatus.UNPROCESSABLE_ENTITY if issues else HTTPStatus.OK
        return _form(request, desk, name, text, issues, facts, status)
    started = desk.queue.run(" ".join([name, *overrides]), choice.path, overrides)
    return RedirectResponse(f"/activity/{started.number}", HTTPStatus.SEE_OTHER)


@router.get("/activity")
def activity(request: Request, desk: Desk) -> Response:
    """List what was started here."""
    return desk.page(request, "activity.html", started=desk.queue.all())


@router.get("/activity/{number}")
def watch(request: Request, desk: Desk, number: Number) -> Response:
    """Show one run that was started here."""
    started = _started(desk, number)
    run = desk.folder.find(started.run_id) if started.run_id else None
    return desk.page(request, "watch.html", started=started, run=run, log=desk.told(started.told()), State=State)


@router.get("/activity/{number}/progress")
def watch_progress(desk: Desk, number: Number) -> dict[str, object]:
    """Tell how far it is."""
    started = _started(desk, number)
    run = desk.folder.find(started.run_id) if started.run_id else None
    progress = told_progress(desk, run) if run else {"state": "", "windows": 0, "planned": 0, "remaining_s": None}
    return progress | {
        "phase": started.phase,
        "outcome": started.outcome,
        "run_id": started.run_id if run else "",
        "log": desk.told(started.told()),
    }


@router.post("/activity/{number}/stop")
def stop(desk: Desk, number: Number) -> Response:
    """Stop a run after its window; the second time at once."""
    desk.queue.stop(_started(desk, number))
    return RedirectResponse(f"/activity/{number}", HTTPStatus.SEE_OTHER)


@router.post("/runs/{run_id}/resume")
def resume(desk: Desk, run_id: str) -> Response:
    """Take up an interrupted run."""
    run = found(desk, run_id)
    if run.state is not State.INTERRUPTED or desk.queue.of_run(run_id):
        raise HTTPException(HTTPStatus.CONFLICT, f"this run is {run.state}; only interrupted ones can be resumed")
    started = desk.queue.resume(f"resume {run_id}", run.path)
    return RedirectResponse(f"/activity/{started.number}", HTTPStatus.SEE_OTHER)


def _started(desk: Workspace, number: int) -> Started:
    started = desk.queue.find(number)
    if started is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "nothing of this number was started here")
    return started


def _checked(choice: Choice, overrides: list[str]) -> tuple[list[Issue], dict[str, object]]:
    """Return everything wrong with a scenario, and what `validate` says of it if nothing is."""
    if len(overrides) > MAX_OVERRIDES:
        return [Issue("--set", 1, 1, f"expected at most {MAX_OVERRIDES} overrides, got {len(overrides)}")], {}
    if elsewhere := named_elsewhere(choice, overrides):
        return elsewhere, {}
    facts, issues = check(choice.path, overrides)
    return issues, facts


def _form(
    request: Request,
    desk: Workspace,
    scenario: str,
    overrides: str = "",
    issues: list[Issue] | None = None,
    facts: dict[str, object] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    return desk.page(
        request,
        "start.html",
        status,
        choices=list(desk.scenarios.choices().values()),
        scenario=scenario,
        overrides=overrides,
        issues=issues or [],
        facts=facts or {},
    )
