"""The list of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gridtwin.view.listing import Listed, State
from gridtwin.view.workspace import Desk

__all__ = ["router"]

router = APIRouter()
PAGE = 50
FIGURES = ("system_cost", "co2_t", "renewable_share", "jobs_late", "max_line_loading_percent")


def _kpi(name: str, run: Listed) -> float | None:
    kpis: Mapping[str, float | None] = run.summary.get("kpis", {})
    return kpis.get(name)


SORTS: Mapping[str, Callable[[Listed], Any]] = {
    "run": lambda run: run.run_id,
    "scenario": lambda run: run.scenario,
    "policy": lambda run: run.policy,
    "state": lambda run: run.state,
    "started": lambda run: run.started,
    **{name: partial(_kpi, name) for name in FIGURES},
}


@router.get("/")
def runs(
    request: Request,
    desk: Desk,
    q: Annotated[str, Query(max_length=200)] = "",
    scenario: Annotated[str, Query(max_length=300)] = "",
    policy: Annotated[str, Query(max_length=300)] = "",
    state: Annotated[str, Query(max_length=30)] = "",
    sort: Annotated[str, Query(max_length=40)] = "-started",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """List the runs that fit, a page at a time."""
    every = list(desk.folder.runs().values())
    chosen = {"scenario": scenario, "policy": policy, "state": state}
    shown = [run for run in every if _fits(run, q, chosen)]
    shown = _sorted(shown, sort)
    query = {name: value for name, value in {"q": q, **chosen, "sort": sort}.items() if value}
    return desk.page(
        request,
        "runs.html",
        runs=shown[(page - 1) * PAGE : page * PAGE],
        count=len(shown),
        total=len(every),
        page=page,
        pages=max(-(-len(shown) // PAGE), 1),
        choices={name: sorted({str(getattr(run, name)) for run in every} - {""}) for name in chosen},
        chosen=chosen,
        q=q,
        sort=sort,
        link=lambda **changed: f"/?{urlencode({**query, **changed})}",
        left_out=desk.folder.left_out(),
        State=State,
    )


def _fits(run: Listed, q: str, chosen: Mapping[str, str]) -> bool:
    text = f"{run.run_id} {run.scenario} {run.policy}".lower()
    return q.lower() in text and all(not value or getattr(run, name) == value for name, value in chosen.items())


def _sorted(runs: Sequence[Listed], sort: str) -> list[Listed]:
    """Sort by a column; `-` before its name turns it round, and what has no value comes last either way."""
    key = SORTS.get(sort.removeprefix("-"), SORTS["started"])
    known = [run for run in runs if key(run) is not None]
    return sorted(known, key=key, reverse=sort.startswith("-")) + [run for run in runs if key(run) is None]
