"""One run: its figures, ledgers, findings, inputs and files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response

from gridtwin.economics.kpi_table import KPIS, Kpi
from gridtwin.results.saved_run import SavedRun
from gridtwin.view.drawings import EXPORTS
from gridtwin.view.listing import Listed, State
from gridtwin.view.workspace import Desk, Workspace, found, opened, zone_s

__all__ = ["router"]

router = APIRouter(prefix="/runs/{run_id}")
PAGE = 100
FILES = MappingProxyType(
    {
        "results.nc": "all series (netCDF, CF)",
        "jobs.parquet": "all jobs and what became of them",
        "findings.parquet": "what AC broke",
        "money.parquet": "what everybody pays",
        "accounts.parquet": "energy, green shares, CO2 and costs of sites, regions and all",
        "supply.parquet": "green energy under contract",
        "carbon.parquet": "emissions by area, as produced and as consumed",
        "rules.parquet": "rules of sites, kept or broken",
        "wan_settlement.parquet": "what regions pay each other for data",
        "n1.parquet": "N-1, each outage of each step",
        "summary.json": "key figures and ledgers",
        "manifest.json": "versions, checksums, solver figures",
    }
)
FIRST = (
    "system_cost", "co2_t", "renewable_share", "curtailment_mwh",
    "energy_mwh", "jobs_completed", "jobs_late", "wait_p95_s",
)  # fmt: skip


@router.get("")
def overview(request: Request, desk: Desk, run_id: str) -> Response:
    """Show what a run came to, or how far it is."""
    run = found(desk, run_id)
    if run.state is not State.FINISHED:
        return desk.page(request, "unfinished.html", run=run, started=desk.queue.of_run(run_id), State=State)
    saved = desk.open(run)
    return desk.page(
        request,
        "overview.html",
        run=run,
        saved=saved,
        first=[_figure(saved, name) for name in FIRST],
        figures=[_figure(saved, name) for name in saved.kpis],
        zone_s=zone_s(saved),
        files=_files(run),
        formats=EXPORTS,
        seconds=saved.summary.get("timing_s", {}),
    )


@router.get("/progress")
def progress(desk: Desk, run_id: str) -> dict[str, object]:
    """Tell how far a run is."""
    run = found(desk, run_id)
    started = desk.queue.of_run(run_id)
    return told_progress(desk, run) | {"log": desk.told(started.told()) if started else ""}


def told_progress(desk: Workspace, run: Listed) -> dict[str, object]:
    """Return how far a run is, as the script of the page reads it."""
    return {
        "state": run.state,
        "windows": run.windows,
        "planned": run.planned_windows,
        "remaining_s": run.remaining_s,
        "fault": desk.told(run.fault),
    }


@router.get("/ledgers")
def ledgers(request: Request, desk: Desk, run_id: str) -> Response:
    """Show whether a run adds up, and what it was made with."""
    saved = opened(desk, run_id)
    windows = saved.manifest.get("windows", [])
    return desk.page(
        request,
        "ledgers.html",
        run=found(desk, run_id),
        ledgers=saved.summary["ledgers"],
        versions=saved.facts.versions,
        hashes=saved.facts.model_hashes,
        counts=saved.facts.counts,
        seed=saved.facts.seed,
        status=Counter(str(window.get("status", "")) for window in windows),
    )


@router.get("/findings")
def findings(
    request: Request,
    desk: Desk,
    run_id: str,
    kind: Annotated[str, Query(max_length=60)] = "",
    element: Annotated[str, Query(max_length=300)] = "",
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    """List what AC broke, by element and one by one."""
    saved = opened(desk, run_id)
    table = saved.findings()
    kinds, elements = (table[name].astype(str) for name in ("kind", "element"))
    rows = np.flatnonzero((~bool(kind) | (kinds == kind)) & (~bool(element) | (elements == element)))
    shown = rows[(page - 1) * PAGE : page * PAGE]
    return desk.page(
        request,
        "findings.html",
        run=found(desk, run_id),
        worst=_worst(table, rows),
        rows=[{name: values[row] for name, values in table.items()} for row in shown],
        kinds=sorted(set(kinds.tolist())),
        kind=kind,
        element=element,
        link=lambda **changed: "?" + urlencode({"kind": kind, "element": element} | changed),
        count=len(rows),
        page=page,
        pages=max(-(-len(rows) // PAGE), 1),
        outages=saved.summary.get("n1"),
        transport=saved.transport,
        zone_s=zone_s(saved),
    )


@router.get("/inputs")
def inputs(request: Request, desk: Desk, run_id: str) -> Response:
    """Show the scenario with all its defaults."""
    saved = opened(desk, run_id)
    text = json.dumps(saved.scenario, indent=2, ensure_ascii=False)
    return desk.page(request, "inputs.html", run=found(desk, run_id), scenario=text, counts=saved.facts.counts)


@router.get("/files/{name}")
def file(desk: Desk, run_id: str, name: str) -> Response:
    """Give one of the files of a run."""
    run = found(desk, run_id)
    if name not in _files(run):
        raise HTTPException(HTTPStatus.NOT_FOUND, "this run has no such file")
    return FileResponse(run.path / name, filename=f"{run.run_id}.{name}", content_disposition_type="attachment")


def _files(run: Listed) -> dict[str, tuple[str, int]]:
    """Return what can be taken away: name, meaning and bytes of each file that is there."""
    if run.state is not State.FINISHED:
        return {}
    there = {name: meaning for name, meaning in FILES.items() if (run.path / name).is_file()}
    return {name: (meaning, (run.path / name).stat().st_size) for name, meaning in there.items()}


def _figure(saved: SavedRun, name: str) -> tuple[str, object, str]:
    kpi = KPIS.get(name, Kpi(name.replace("_", " "), ""))
    return kpi.label, saved.kpis.get(name), kpi.unit.format(currency=saved.facts.currency)


def _worst(table: Mapping[str, np.ndarray], rows: np.ndarray) -> list[dict[str, object]]:
    """Return how often each element broke a limit, and the worst of it, the most frequent first."""
    keys = [(str(table["kind"][row]), str(table["element"][row])) for row in rows]
    far = np.abs(table["value"][rows] - table["limit"][rows])
    count = Counter(keys)
    last: dict[tuple[str, str], int] = {}
    for place in np.argsort(far, kind="stable"):
        last[keys[place]] = int(rows[place])
    return [
        {
            "kind": key[0],
            "element": key[1],
            "count": number,
            **{n: table[n][last[key]] for n in ("value", "limit", "unit", "time")},
        }
        for key, number in count.most_common(PAGE)
    ]
