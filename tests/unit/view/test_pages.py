"""What the pages show of runs."""

import json
import re
import shutil

import numpy as np
import pytest

from gridtwin.results.files import read_columns
from gridtwin.results.lock import locked
from gridtwin.results.saved_run import open_run
from gridtwin.view.jobs import Wanted, life, search
from gridtwin.view.listing import RunsFolder, State
from gridtwin.view.network_map import CHUNK_STEPS, STEP_VARIABLES, chunk, network_map

PAGES = (
    "", "/figures", "/map", "/map?step=999999", "/sites", "/sites/0", "/sites/0/series", "/sites/1/series.csv",
    "/lines",
    "/lines?sort=-rating", "/lines/0", "/buses", "/buses/0", "/units", "/units/0", "/stores", "/stores/0", "/links",
    "/links/0", "/jobs", "/jobs/0", "/jobs?only=late&only=moved&sort=-wait&page=7", "/findings",
    "/findings?kind=thermal&element=x", "/ledgers", "/inputs", "/files/results.nc", "/files/summary.json", "/progress",
    "/steps/price_per_mwh/0", "/figures/dispatch", "/figures/dispatch?lang=zh", "/figures/costs/table.csv", "/report",
    "/report?lang=zh", "/export/netcdf", "/export/csv",
)  # fmt: skip


@pytest.fixture
def saved(few_runs, run_id):
    return open_run(few_runs / run_id)


@pytest.mark.parametrize("part", PAGES)
def test_every_page_of_a_run_opens(page, run_id, part):
    assert page.get(f"/runs/{run_id}{part}").status == 200


@pytest.mark.parametrize(
    "part",
    [
        "/sites/9", "/sites/-1", "/sites/x", "/lines/1e9", "/nothing", "/jobs/999999", "/jobs/x", "/steps/nothing/0",
        "/steps/price_per_mwh/77", "/figures/nothing", "/export/postgresql", "/export/nothing", "/files/nothing",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(page, run_id, part):
    answer = page.get(f"/runs/{run_id}{part}")
    assert answer.status == 404
    assert "<h1>404 Not Found</h1>" in answer.text


@pytest.mark.parametrize("query", ["?page=0", "?page=x", "?q=" + "a" * 300, "?page=99999999999999999999"])
def test_a_query_that_is_none_is_told_so(page, query):
    answer = page.get(f"/{query}")
    assert answer.status == 400
    assert "not understood" in answer.text
    assert "aaaa" not in answer.text


# --- the list ---------------------------------------------------------------------------------------------------------


def shown(answer) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/runs/([^"]+)"', answer.text)


def test_runs_are_filtered_and_sorted_without_a_script(page):
    every = shown(page.get("/"))
    assert len(every) == 2
    (asap,) = shown(page.get("/?policy=asap"))
    assert "_asap_" in asap
    assert shown(page.get("/?q=CO_DISP")) == [name for name in every if name != asap]
    assert shown(page.get("/?state=interrupted")) == []
    assert "No run fits" in page.get("/?scenario=x").text
    assert shown(page.get("/?sort=policy")) == [asap, *(name for name in every if name != asap)]
    assert shown(page.get("/?sort=-policy"))[-1] == asap
    costs = [page.get(f"/runs/{name}/files/summary.json") for name in shown(page.get("/?sort=system_cost"))]
    costs = [json.loads(answer.text)["kpis"]["system_cost"] for answer in costs]
    assert costs == sorted(costs)


def test_running_interrupted_and_broken_runs_are_told_apart(serve, few_runs, run_id, stopped):
    folder = stopped()
    runs = folder.parent
    shutil.copytree(few_runs / run_id, runs / run_id)
    shutil.copytree(few_runs / run_id, runs / "broken")
    (runs / "broken" / "summary.json").write_text("{")
    (runs / "no_run").mkdir()
    listing = RunsFolder(runs)
    states = {name: run.state for name, run in listing.runs().items()}
    assert states == {folder.name: State.INTERRUPTED, run_id: State.FINISHED, "broken": State.UNREADABLE}
    with locked(folder / "lock"):
        assert listing.find(folder.name).state is State.RUNNING
        page = serve(runs).enter()
        assert "a process is at work" in page.get(f"/runs/{folder.name}").text
    assert listing.find(folder.name).state is State.INTERRUPTED
    text = page.get(f"/runs/{folder.name}").text
    assert f"gridtwin resume runs/{folder.name}" in text
    told = json.loads(page.get(f"/runs/{folder.name}/progress").text)
    assert (told["state"], told["windows"]) == ("interrupted", 2)
    assert told["planned"] > 2
    assert page.get(f"/runs/{folder.name}/map").status == 409
    assert "cannot be read" in page.get("/runs/broken").text


def test_a_run_is_read_again_when_it_has_changed(few_runs, run_id, tmp_path, monkeypatch):
    shutil.copytree(few_runs / run_id, tmp_path / run_id)
    listing = RunsFolder(tmp_path)
    assert listing.find(run_id).scenario == "pocket"
    reads = []
    read = __import__("gridtwin.view.listing", fromlist=["_read"])._read
    monkeypatch.setattr("gridtwin.view.listing._read", lambda path: reads.append(path) or read(path))
    listing.runs()
    assert reads == []
    summary = tmp_path / run_id / "summary.json"
    summary.write_text(json.dumps(json.loads(summary.read_text()) | {"scenario": "another"}))
    assert listing.find(run_id).scenario == "another"
    assert len(reads) == 1


def test_an_empty_folder_says_how_to_begin(serve, tmp_path):
    assert "gridtwin run rts_gmlc_day" in serve(tmp_path).enter().get("/").text


# --- the map ----------------------------------------------------------------------------------------------------------


def test_the_bytes_of_the_map_are_the_values_of_the_run(page, saved, run_id):
    steps = len(saved.time)
    for name in STEP_VARIABLES:
        parts = [chunk(saved, name, number) for number in range(-(-steps // CHUNK_STEPS))]
        stored = saved.values(name)
        assert np.array_equal(
            np.frombuffer(b"".join(parts), "<f4").reshape(stored.shape), stored.astype("<f4"), equal_nan=True
        )
        assert page.get(f"/runs/{run_id}/steps/{name}/0").body == parts[0]
    assert chunk(saved, "site_mw", steps // CHUNK_STEPS + 1) is None


def test_the_browser_may_keep_the_bytes(page, run_id):
    address = f"/runs/{run_id}/steps/loading_percent/0"
    first = page.get(address)
    again = page.ask("GET", address, {"If-None-Match": first.headers["etag"]})
    assert again.status == 304
    assert again.body == b""
    assert first.headers["cache-control"] == "private, max-age=3600"
    assert page.ask("GET", address, {"If-None-Match": '"other"'}).status == 200


def test_a_model_without_places_is_drawn_on_a_ring(page, saved, run_id):
    drawn = network_map(saved)
    assert not drawn.placed
    assert len({(bus.x, bus.y) for bus in drawn.buses}) == len(saved.facts.coords["bus"])
    assert "they stand on a ring" in page.get(f"/runs/{run_id}/map").text


def test_what_the_script_reads_is_json(page, run_id):
    text = page.get(f"/runs/{run_id}/map").text
    content = re.search(r'id="map-content">(.*?)</script>', text, re.DOTALL)[1]

    def refuse(name):
        raise ValueError(name)

    assert json.loads(content, parse_constant=refuse)["connection_mw"] == [None, 12.0]


def test_the_map_shows_a_step_without_a_script(page, saved, run_id):
    text = page.get(f"/runs/{run_id}/map?step=3").text
    for site, mw in zip(saved.facts.coords["site"], saved.values("site_mw")[3], strict=True):
        assert re.search(rf'{site}</a></td><td class="num">{mw:.4g}<', text), site


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_jobs_are_found_by_what_they_are(saved):
    jobs = saved.jobs()
    found = search(saved, Wanted(compute_class=1, only=frozenset({"suspended"})), 1, 1000)
    expected = np.flatnonzero((jobs["class_index"] == 1) & (jobs["suspensions"] > 0))
    assert len(expected)
    assert found.rows.tolist() == expected.tolist()
    waits = search(saved, Wanted(sort="wait", descending=True), 1, 10).columns["wait_s"]
    assert waits.tolist() == sorted(jobs["wait_s"], reverse=True)[:10]
    second = search(saved, Wanted(), 2, 5)
    assert second.rows.tolist() == [5, 6, 7, 8, 9]
    assert second.total == len(jobs["job"])
    assert search(saved, Wanted(job=-1), 1, 5).total == 0


def test_the_spans_of_a_life_are_the_seconds_of_the_job(saved):
    jobs = saved.jobs()
    for row in range(len(jobs["job"])):
        told = life(saved, row)
        spent = {
            kind: sum(s.end_s - s.begin_s for s in told.spans if s.kind == kind)
            for kind in ("running", "saving", "restarting")
        }
        assert spent == {
            "running": jobs["runtime_s"][row],
            "saving": jobs["checkpoint_s"][row],
            "restarting": jobs["restart_s"][row],
        }
        assert sum(event.what == "suspended" for event in told.events) == jobs["suspensions"][row]
        assert sum(event.what == "moved and resumed" for event in told.events) == jobs["migrations"][row]
        assert [event.time_s for event in told.events if event.what == "ended"] == [jobs["end_s"][row]]
        assert told.spans[0].begin_s in {jobs["submit_s"][row], jobs["start_s"][row]}
    assert life(saved, len(jobs["job"])) is None


def test_one_job_is_shown(page, saved, run_id):
    row = int(np.flatnonzero(saved.jobs(["suspensions"])["suspensions"])[0])
    text = page.get(f"/runs/{run_id}/jobs/{row}").text
    assert all(word in text for word in ("submitted", "started", "suspended", "ended", "due"))
    assert 'class="span running"' in text


def test_no_such_class_fits_no_job(page, run_id):
    assert "No job fits" in page.get(f"/runs/{run_id}/jobs?compute_class=nothing").text
    assert "No job fits" in page.get(f"/runs/{run_id}/jobs?job=x").text


# --- parts, comparison, files -----------------------------------------------------------------------------------------


def test_the_series_of_a_site_are_those_of_the_run(page, saved, run_id):
    told = json.loads(page.get(f"/runs/{run_id}/sites/1/series").text)
    curves = {curve["name"]: curve["values"] for chart in told["charts"] for curve in chart["series"]}
    assert curves["site_mw"] == pytest.approx(saved.values("site_mw")[:, 1], rel=1e-5)
    lines = page.get(f"/runs/{run_id}/sites/1/series.csv").text.splitlines()
    assert lines[0].split(",")[:2] == ["time", "site_mw"]
    assert float(lines[2].split(",")[1]) == saved.values("site_mw")[0, 1]


def test_runs_are_compared_with_the_first(page, few_runs):
    names = sorted(path.name for path in few_runs.iterdir())
    query = "&".join(f"run={name}" for name in names)
    text = page.get(f"/compare?{query}").text
    assert "policy  asap → co_dispatch" in text
    assert text.count("add up to the total") >= 2
    assert "miss the total" not in text
    assert page.get(f"/compare/comparison.xlsx?{query}").body[:2] == b"PK"
    assert page.get(f"/compare/report?{query}").status == 200
    for bad in ("", f"?run={names[0]}", f"?run={names[0]}&run={names[0]}"):
        assert page.get(f"/compare{bad}").status == 400
    assert page.get(f"/compare?run={names[0]}&run=nothing").status == 404


def test_files_are_given_as_they_are(page, few_runs, run_id):
    answer = page.get(f"/runs/{run_id}/files/jobs.parquet")
    assert answer.body == (few_runs / run_id / "jobs.parquet").read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}.jobs.parquet"'
    assert read_columns(few_runs / run_id / "jobs.parquet")


def test_nothing_is_written_into_a_run(page, few_runs, run_id):
    before = {path: path.stat().st_mtime_ns for path in few_runs.rglob("*")}
    for part in PAGES:
        page.get(f"/runs/{run_id}{part}")
    assert {path: path.stat().st_mtime_ns for path in few_runs.rglob("*")} == before
