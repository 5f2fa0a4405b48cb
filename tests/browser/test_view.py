"""The page in Chromium: lists, the map through time, drilling down, a run from the form; hostile names run nothing."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

from gridtwin import api
from gridtwin.inputs.load import load_study
from gridtwin.results.saved_run import open_run

TESTS = Path(__file__).parents[1]
WAIT_MS = 60_000

pytestmark = pytest.mark.slow


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
def enter(chromium):
    """Return a function that opens a page let in by its token; nothing may go wrong in any of them."""
    wrong, contexts = [], []

    def open_page(server, width=1440, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda told: wrong.append(told.text) if _complains(told) else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda r: None if r.url.startswith((server.base, "data:", "blob:")) else wrong.append(r.url))
        page.goto(server.url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _complains(told):
    """Whether the console says that something is wrong; 422 answers a form that is not valid, which is none."""
    return told.type in {"error", "warning"} and "status of 422" not in told.text


def run_named(runs, policy):
    return next(path.name for path in runs.iterdir() if f"_{policy}_" in path.name)


def test_the_token_leaves_the_address_bar(enter, served):
    page = enter(served)
    assert page.url == f"{served.base}/"
    page.reload()
    expect(page.locator("h1")).to_have_text("Runs")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_runs_are_filtered_and_sorted(enter, served, script):
    page = enter(served, java_script_enabled=script)
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


def test_the_slider_moves_the_map(enter, served, runs):
    name = run_named(runs, "co_dispatch")
    saved = open_run(runs / name)
    page = enter(served)
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
    expect(shown).to_have_attribute("data-shown", re.compile(r"^([5-9]|\d\d+)$"))
    page.locator("#play").click()
    price = page.locator("#buses circle").evaluate_all("all => all.map(one => one.getAttribute('fill'))")
    page.locator("#bus-variable").select_option("vm_pu")
    expect(page.locator("#bus-caption")).to_have_text("voltage, pu")
    expect(page.locator("#buses circle").first).not_to_have_attribute("fill", price[0])


def test_a_site_a_line_and_a_job_are_opened(enter, served, runs):
    name = run_named(runs, "co_dispatch")
    page = enter(served)
    page.goto(f"{served.base}/runs/{name}/map")
    page.locator(".site-name").first.click()
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


def test_every_figure_is_drawn(enter, served, runs):
    name = run_named(runs, "co_dispatch")
    page = enter(served)
    page.goto(f"{served.base}/runs/{name}/figures")
    count = page.locator("[data-figure]").count()
    assert count > 10
    for _ in range(count):
        pending = page.locator("[data-figure]:not([data-drawn])")
        if pending.count() == 0:
            break
        pending.first.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    expect(page.locator("[data-figure]:not([data-drawn])")).to_have_count(0)
    drawn = page.locator(".plot").evaluate_all("all => all.map(one => one.querySelectorAll('svg *').length)")
    assert min(drawn) > 20


def test_runs_are_compared(enter, served):
    page = enter(served)
    button = page.get_by_role("button", name="Compare the selected runs")
    expect(button).to_be_disabled()
    for policy in ("asap", "co_dispatch"):
        page.locator(f"input[name=run][value*='_{policy}_']").first.check()
    button.click()
    page.wait_for_url("**/compare?**")
    expect(page.locator(".changes code").first).to_contain_text("policy")


def test_a_run_is_started_watched_and_opened(enter, served, runs):
    page = enter(served)
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
def test_no_page_is_wider_than_the_screen(enter, served, runs, width):
    name = run_named(runs, "co_dispatch")
    page = enter(served, width, 844)
    parts = (
        "",
        "/map",
        "/sites",
        "/sites/0",
        "/lines",
        "/jobs",
        "/jobs/0",
        "/findings",
        "/ledgers",
        "/inputs",
        "/figures",
    )
    for path in ("/", "/start", "/activity", *(f"/runs/{name}{part}" for part in parts)):
        page.goto(served.base + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


# --- hostile names ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(hostile_study, tmp_path_factory):
    """Runs in which every name is an attempt to run a script, and the scenario that they come from."""
    folder = tmp_path_factory.mktemp("hostile")
    scenario, _ = hostile_study(folder)
    for policy in ("asap", "co_dispatch"):
        api.run(load_study(scenario, [f"policy={policy}"]), folder / "outputs")
    return folder


def test_hostile_names_run_nothing(enter, hostile, attacks):
    server = Served(hostile / "outputs", "--allow-run", "--scenarios", str(hostile / "scenarios"))
    try:
        page = enter(server)
        names = sorted(path.name for path in (hostile / "outputs").iterdir())
        run = f"/runs/{quote(names[1])}"
        parts = (
            "", "/map", "/sites", "/sites/0", "/lines", "/lines/0", "/buses/0", "/units/0", "/stores/0", "/jobs",
            "/jobs/0", "/findings", "/ledgers", "/inputs", "/figures", "/report",
        )  # fmt: skip
        compared = f"/compare?{urlencode([('run', name) for name in names])}"
        for path in ("/", "/?q=<script>window.hit=1</script>", "/start", compared, *(run + part for part in parts)):
            assert page.goto(server.base + path).status == 200, path
            page.wait_for_load_state("networkidle")
            for mark in page.locator("#drawing [data-name]").all()[:8]:
                mark.dispatch_event("pointerover")
            assert page.evaluate("window.hit") is None, path
            if not path.endswith("/report"):
                assert (
                    page.locator("script:not([src]):not([type='application/json']), [onerror], [onload]").count() == 0
                )
                assert page.locator("a[href^='javascript'], main img, iframe, base").count() == 0
        page.goto(f"{server.base}/start")
        page.get_by_label("overrides").fill("\n".join(f"{text}={text}" for text in attacks))
        page.get_by_role("button", name="Check", exact=True).click()
        expect(page.locator(".issues")).to_be_visible()
        assert page.evaluate("window.hit") is None
    finally:
        server.stop()


# --- the end ----------------------------------------------------------------------------------------------------------


def test_stopping_the_server_interrupts_runs_and_says_how_to_go_on(enter, tmp_path):
    server = Served(tmp_path / "outputs", "--allow-run", "--scenarios", str(TESTS / "scenarios"))
    page = enter(server)
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
    assert not (tmp_path / "outputs" / name / "summary.json").exists()
