"""The page in Chromium: lists, the map through time, drilling down, a run from the form; hostile names run nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect, sync_playwright

from gridtwin.results.saved_run import open_run

TESTS = Path(__file__).parents[1]
CHROMIUM = os.environ.get("GRIDTWIN_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
WAIT_MS = 60_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}; GRIDTWIN_CHROMIUM names another"),
]

XSS = (
    "<script>hacked()</script>", "\"><script>hacked()</script>", "'><script>hacked()</script>", "<img src=x onerror=hacked()>",
    "<svg onload=hacked()>", "\" onmouseover=\"hacked()", "' onfocus='hacked()' autofocus='", "javascript:hacked()",
    "<a href=\"javascript:hacked()\">x</a>", "<iframe srcdoc=\"<script>parent.hacked()</script>\">", "</title><script>hacked()</script>",
    "</textarea><script>hacked()</script>", "</script><script>hacked()</script>", "<!--<script>hacked()</script>-->",
    "{{7*7}}{% raw %}", "${hacked()}", "`${hacked()}`", "<details open ontoggle=hacked()>", "<body onload=hacked()>",
    "<math><mtext><style><img src=x onerror=hacked()>", "<input autofocus onfocus=hacked()>", "&lt;script&gt;hacked()&lt;/script&gt;",
    "\u003cscript\u003ehacked()\u003c/script\u003e", "<object data=\"javascript:hacked()\">", "x\u2028hacked()\u2029",
)  # fmt: skip


class Served:
    """`gridtwin view` in a process of its own."""

    def __init__(self, folder, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gridtwin", "view", str(folder), "--no-browser", *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.url = re.search(r"http://\S+", self.process.stdout.readline())[0]
        self.base = self.url.split("/?")[0]

    def stop(self):
        self.process.terminate()
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def runs(pocket_run, tmp_path_factory):
    """Two runs, and a folder in which the page may make more."""
    folder = tmp_path_factory.mktemp("browser") / "outputs"
    for policy in ("asap", "co_dispatch"):
        path = pocket_run(policy).path
        shutil.copytree(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def served(runs):
    server = Served(runs, "--allow-run", "--scenarios", str(TESTS / "scenarios"))
    yield server
    assert server.stop()[0] == 0


@pytest.fixture
def visit(browser):
    """Return a function that opens a page let in by its token; at the end nothing may have gone wrong in any of them."""
    wrong, contexts = [], []

    def enter(server, width=1440, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda r: None if r.url.startswith((server.base, "data:", "blob:")) else wrong.append(r.url))
        page.goto(server.url)
        return page

    yield enter
    for context in contexts:
        context.close()
    assert wrong == []


def run_named(runs, policy):
    return next(path.name for path in runs.iterdir() if f"_{policy}_" in path.name)


def test_the_token_leaves_the_address_bar(visit, served):
    page = visit(served)
    assert page.url == f"{served.base}/"
    page.reload()
    expect(page.locator("h1")).to_have_text("Runs")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_runs_are_filtered_and_sorted(visit, served, script):
    page = visit(served, java_script_enabled=script)
    rows = page.locator("tbody tr")
    several = rows.count()
    assert several >= 2
    page.get_by_label("policy").select_option("co_dispatch")
    if not script:
        page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**policy=co_dispatch**")
    assert all("co_dispatch" in text for text in rows.all_inner_texts())
    page.get_by_role("link", name="clear").click()
    page.get_by_role("link", name="production cost").click()
    page.wait_for_url("**sort=-system_cost**")
    assert rows.count() == several


def test_the_slider_moves_the_map(visit, served, runs):
    name = run_named(runs, "co_dispatch")
    saved = open_run(runs / name)
    page = visit(served)
    page.goto(f"{served.base}/runs/{name}/map")
    shown = page.locator("#map")
    expect(shown).to_have_attribute("data-shown", "0")
    for step in (1, 7, len(saved.time) - 1):
        page.locator("#step").fill(str(step))
        expect(shown).to_have_attribute("data-shown", str(step))
        told = [float(text.replace(",", "")) for text in page.locator("#site-table .num").all_inner_texts()]
        assert told == pytest.approx(saved.values("site_mw")[step], abs=0.051, rel=1e-3)
    radii = page.locator("#sites circle").evaluate_all("all => all.map(one => one.getAttribute('r'))")
    page.keyboard.press("Home")
    expect(shown).to_have_attribute("data-shown", "0")
    assert page.locator("#sites circle").evaluate_all("all => all.map(one => one.getAttribute('r'))") != radii
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_attribute("data-shown", "1")
    page.locator("#speed").select_option("24")
    page.locator("#play").click()
    page.wait_for_function("Number(document.getElementById('map').dataset.shown) > 4")
    page.locator("#play").click()
    price = page.locator("#buses circle").evaluate_all("all => all.map(one => one.getAttribute('fill'))")
    page.locator("#bus-variable").select_option("vm_pu")
    expect(page.locator("#bus-caption")).to_have_text("voltage, pu")
    page.wait_for_function(
        "was => [...document.querySelectorAll('#buses circle')].some((one, at) => one.getAttribute('fill') !== was[at])",
        arg=price,
    )


def test_a_site_a_line_and_a_job_are_opened(visit, served, runs):
    name = run_named(runs, "co_dispatch")
    page = visit(served)
    page.goto(f"{served.base}/runs/{name}/map")
    page.locator("#sites a").first.click()
    page.wait_for_url("**/sites/0")
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    assert page.locator(".chart path.js-line").count() >= 4
    page.goto(f"{served.base}/runs/{name}/lines")
    page.locator("tbody th a").first.click()
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.get_by_label("suspended").check()
    page.wait_for_url("**only=suspended**")
    page.locator("tbody th a").first.click()
    expect(page.get_by_text("What happened")).to_be_visible()
    assert page.locator(".life rect.running").count() >= 2


def test_every_figure_is_drawn(visit, served, runs):
    name = run_named(runs, "co_dispatch")
    page = visit(served)
    page.goto(f"{served.base}/runs/{name}/figures")
    count = page.locator("[data-figure]").count()
    assert count > 10
    for _ in range(count):
        pending = page.locator("[data-figure]:not([data-drawn])")
        if pending.count() == 0:
            break
        pending.first.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    page.wait_for_function("!document.querySelector('[data-figure]:not([data-drawn])')")
    drawn = page.locator(".plot").evaluate_all("all => all.map(one => one.querySelectorAll('svg *').length)")
    assert min(drawn) > 20


def test_runs_are_compared(visit, served):
    page = visit(served)
    button = page.get_by_role("button", name="Compare the selected runs")
    expect(button).to_be_disabled()
    for policy in ("asap", "co_dispatch"):
        page.locator(f"input[name=run][value*='_{policy}_']").first.check()
    button.click()
    page.wait_for_url("**/compare?**")
    expect(page.locator(".changes code").first).to_contain_text("policy")


def test_a_run_is_started_watched_and_opened(visit, served, runs):
    page = visit(served)
    page.get_by_role("link", name="Start a run").click()
    page.get_by_label("scenario").select_option("pocket")
    page.get_by_label("overrides").fill("polcy=asap\ntime.step=<b>x</b>")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".issues li")).to_have_count(2)
    expect(page.locator(".issues")).to_contain_text("did you mean")
    page.get_by_label("overrides").fill("policy=asap\nseed=7")
    page.get_by_role("button", name="Check and start").click()
    page.wait_for_url("**/activity/*")
    expect(page.locator("[data-phase]")).to_have_text("ended", timeout=4 * WAIT_MS)
    expect(page.locator("[data-log]")).to_contain_text("run folder")
    page.locator("[data-run] a").click()
    expect(page.get_by_text("May I trust it?")).to_be_visible()
    name = page.url.rsplit("/", 1)[1]
    assert open_run(runs / name).facts.seed == 7
    page.goto(served.base)
    expect(page.get_by_role("link", name=name)).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_is_wider_than_the_screen(visit, served, runs, width):
    name = run_named(runs, "co_dispatch")
    page = visit(served, width, 844)
    parts = ("", "/map", "/sites", "/sites/0", "/lines", "/jobs", "/jobs/0", "/findings", "/ledgers", "/inputs", "/figures")
    for path in ("/", "/start", "/activity", *(f"/runs/{name}{part}" for part in parts)):
        page.goto(served.base + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


# --- hostile names ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(pocket_run, tmp_path_factory):
    """A run in which every name is an attempt to run a script."""
    folder = tmp_path_factory.mktemp("hostile") / "outputs"
    source = pocket_run("co_dispatch").path
    run = folder / "hostile_20200101T000000"
    shutil.copytree(source, run)
    shutil.copytree(source, folder / "plain_20200102T000000")
    names = iter(XSS * 40)
    facts = json.loads((run / "inputs" / "run.json").read_text())
    coords = {dim: [f"{next(names)}{place}" for place, _ in enumerate(labels)] for dim, labels in facts["coords"].items()}
    delays = [next(names) for _ in facts["delay_class"]]
    facts |= {"coords": coords, "delay_class": delays, "scenario": XSS[0], "policy": XSS[1], "currency": XSS[3]}
    (run / "inputs" / "run.json").write_text(json.dumps(facts))
    summary = json.loads((run / "summary.json").read_text())
    findings = {next(names): 3}
    (run / "summary.json").write_text(
        json.dumps(summary | {"scenario": XSS[0], "policy": XSS[1], "currency": XSS[3], "findings": findings})
    )
    scenario = json.loads((run / "inputs" / "scenario.json").read_text())
    (run / "inputs" / "scenario.json").write_text(json.dumps(scenario | {"description": XSS[12]}))
    for table in [*(run / "inputs").glob("*.parquet"), run / "money.parquet", run / "findings.parquet"]:
        content = pq.read_table(table)
        for place, column in enumerate(content.column_names):
            if pa.types.is_string(content.schema.field(place).type):
                fitting = coords.get(column, [next(names) for _ in range(content.num_rows)])
                hostile_column = pa.array(fitting[: content.num_rows], pa.string())
                content = content.set_column(place, column, hostile_column)
        pq.write_table(content, table)
    return folder


def test_hostile_names_run_nothing(visit, hostile, tmp_path):
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    for number, text in enumerate(XSS):
        quoted = json.dumps(text)
        (scenarios / f"s{number}.yaml").write_text(f"model: {quoted}\ndescription: {quoted}\n")
    (scenarios / "<img src=x onerror=hacked()>.yaml").write_text("model: x\n")
    server = Served(hostile, "--allow-run", "--scenarios", str(scenarios))
    try:
        page = visit(server)
        hacked = []
        page.expose_function("hacked", lambda *_: hacked.append(page.url))
        base = f"/runs/{next(path.name for path in hostile.iterdir() if 'hostile' in path.name)}"
        parts = (
            "", "/map", "/sites", "/sites/0", "/lines", "/lines/0", "/buses/0", "/units/0", "/stores/0", "/jobs", "/jobs/0",
            "/findings", "/ledgers", "/inputs", "/figures", "/report",
        )  # fmt: skip
        compared = f"/compare?run=plain_20200102T000000&run={base.rsplit('/', 1)[1]}"
        for path in ("/", "/start", compared, *(base + part for part in parts)):
            answer = page.goto(server.base + path)
            assert answer.status == 200, path
            page.wait_for_load_state("networkidle")
            for mark in page.locator("#drawing [data-name]").all()[:6]:
                mark.hover(force=True)
            assert page.locator("script:not([src]):not([type='application/json'])").count() == 0 or "/report" in path
        page.goto(f"{server.base}/start")
        page.get_by_label("overrides").fill("\n".join(f"{text}={text}" for text in XSS if "\n" not in text))
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator(".issues")).to_be_visible()
        time.sleep(0.5)
        assert hacked == []
    finally:
        server.stop()


# --- the end ----------------------------------------------------------------------------------------------------------


def test_stopping_the_server_interrupts_runs_and_says_how_to_go_on(visit, tmp_path):
    server = Served(tmp_path / "outputs", "--allow-run", "--scenarios", str(TESTS / "scenarios"))
    page = visit(server)
    page.goto(f"{server.base}/start?scenario=pocket")
    page.get_by_label("scenario").select_option("rts_gmlc_day")
    page.get_by_label("overrides").fill("policy=asap")
    page.get_by_role("button", name="Check and start").click()
    page.wait_for_url("**/activity/*", timeout=4 * WAIT_MS)
    expect(page.locator("[data-run] a")).to_be_visible(timeout=4 * WAIT_MS)
    name = page.locator("[data-run] a").inner_text()
    page.close()
    code, said = server.stop()
    assert code == 130
    assert f"gridtwin resume {tmp_path / 'outputs' / name}" in said
    assert np.all([not (tmp_path / "outputs" / name / "summary.json").exists()])
