"""Jobs of a run: search, and the life of one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response

from gridtwin.view.jobs import ONLY, SORTS, Wanted, life, search
from gridtwin.view.workspace import Desk, found, labels, opened, zone_s

__all__ = ["router"]

router = APIRouter(prefix="/runs/{run_id}/jobs")
PAGE = 50
Choice = Annotated[str, Query(max_length=300)]


@router.get("")
def jobs(
    request: Request,
    desk: Desk,
    run_id: str,
    job: Annotated[str, Query(max_length=20)] = "",
    compute_class: Choice = "",
    site: Choice = "",
    origin: Choice = "",
    only: Annotated[list[str] | None, Query(max_length=10)] = None,
    sort: Annotated[str, Query(max_length=20)] = "job",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """List the jobs that fit, a page at a time."""
    saved = opened(desk, run_id)
    given = {"compute_class": compute_class, "site": site, "origin": origin}
    flags = [flag for flag in ONLY if flag in (only or ())]
    column = sort.removeprefix("-")
    wanted = Wanted(
        job=_whole(job),
        compute_class=_place(labels(saved, "compute_class"), compute_class),
        site=_place(labels(saved, "site"), site),
        origin=_place(labels(saved, "origin"), origin),
        only=frozenset(flags),
        sort=column if column in SORTS else "job",
        descending=sort.startswith("-"),
    )
    found_jobs = search(saved, wanted, page, PAGE)
    query = [*given.items(), ("job", job), *(("only", flag) for flag in flags), ("sort", sort)]
    query = [(name, value) for name, value in query if value]
    return desk.page(
        request,
        "jobs.html",
        run=found(desk, run_id),
        rows=[
            {"row": int(r), **{n: v[i] for n, v in found_jobs.columns.items()}} for i, r in enumerate(found_jobs.rows)
        ],
        count=found_jobs.total,
        total=saved.kpis["jobs_submitted"],
        page=page,
        pages=max(-(-found_jobs.total // PAGE), 1),
        names={dim: labels(saved, dim) for dim in given},
        given=given,
        job=job,
        flags=tuple(ONLY),
        only=flags,
        sort=sort,
        link=lambda **changed: "?" + urlencode([*((n, v) for n, v in query if n not in changed), *changed.items()]),
        zone_s=zone_s(saved),
        at=saved.facts.step_start,
        delay=saved.facts.delay_class,
    )


@router.get("/{row}")
def job_page(request: Request, desk: Desk, run_id: str, row: Annotated[int, Path(ge=0, le=2_000_000_000)]) -> Response:
    """Show the life of one job."""
    saved = opened(desk, run_id)
    told = life(saved, row)
    if told is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "this run has no such job")
    return desk.page(
        request,
        "job.html",
        run=found(desk, run_id),
        row=row,
        life=told,
        zone_s=zone_s(saved),
        at=saved.facts.step_start,
    )


def _whole(text: str) -> int | None:
    """Read the number of a job; a text that is none fits no job."""
    if not text.strip():
        return None
    return int(text) if text.strip().isdecimal() else -1


def _place(names: tuple[str, ...], name: str) -> int | None:
    """Return where a name stands; one that is not there fits no job."""
    if not name:
        return None
    return names.index(name) if name in names else -2
