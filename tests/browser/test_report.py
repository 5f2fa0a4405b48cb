"""Reports open in a browser without a network, draw every figure, give their numbers away and run nobody's names."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from gridtwin import api
from gridtwin.exports.sheets import csv_text
from gridtwin.report.figures import FIGURES
from gridtwin.report.language import words_in
from gridtwin.results.saved_run import open_run

CASES = [("pocket", "en"), ("pocket", "zh"), ("compared", "en"), ("compared", "zh"), ("day", "en")]
UNDRAWN = """[...document.querySelectorAll("figure[data-figure]")].filter((figure) => {
    const marks = figure.querySelectorAll(".plot svg path, .plot svg image, .plot svg .point, .plot svg rect.bg");
    const box = figure.querySelector(".plot").getBoundingClientRect();
    return marks.length < 2 || box.width < 200 || box.height < 100;
}).map((figure) => figure.id)"""
PAYLOAD = "(id) => JSON.parse(document.getElementById(id).querySelector('script').textContent)"
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.mark.parametrize(("name", "lang"), CASES)
def test_opens_without_a_network_and_draws_every_figure(visit, reports, name, lang):
    file = reports(name, lang)
    seen = visit(file)
    seen.draw_all()
    assert seen.page.evaluate("document.querySelectorAll('figure[data-figure]').length") >= 18
    assert seen.page.evaluate(UNDRAWN) == []
    assert seen.complaints == []
    assert seen.requests == [file.resolve().as_uri()]
    assert seen.page.evaluate("document.documentElement.lang") == {"en": "en", "zh": "zh-CN"}[lang]


def test_what_is_undrawn_is_noticed(visit, reports):
    assert len(visit(reports("pocket")).page.evaluate(UNDRAWN)) > 0  # only those near the screen are drawn at first


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_fits_a_telephone(visit, reports, lang):
    seen = visit(reports("compared", lang), width=390, height=844)
    seen.draw_all()
    assert not seen.page.evaluate(TOO_WIDE)
    assert seen.page.evaluate(UNDRAWN) == []


def test_csv_of_every_figure_is_its_table(visit, reports, pocket_run):
    run = open_run(pocket_run("co_dispatch").path)
    page = visit(reports("pocket")).page
    for name, make in FIGURES.items():
        if (figure := make(run, words_in("en"))) is None:
            continue
        text = page.evaluate(f"(id) => gridtwin.csv(({PAYLOAD})(id))", f"r0-{name}")
        written, wanted = (list(csv.reader(io.StringIO(held, newline=""))) for held in (text, csv_text(figure.table)))
        assert len(written) == len(wanted), name
        for row, expected in zip(written, wanted, strict=True):
            assert [value(cell) for cell in row] == [value(cell) for cell in expected], name


def value(cell: str) -> object:
    """Numbers as numbers: 1e-07 and 1e-7 are the same."""
    try:
        return float(cell)
    except ValueError:
        return cell


def test_a_download_is_reached_by_keyboard(visit, reports):
    page = visit(reports("pocket"), accept_downloads=True).page
    page.locator("#r0-dispatch button.csv").focus()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    text = started.value.path().read_text(encoding="utf-8-sig")
    assert started.value.suggested_filename == "dispatch.csv"
    assert text == page.evaluate(f"gridtwin.csv(({PAYLOAD})('r0-dispatch'))").replace("\r\n", "\n")


def test_the_table_is_there_for_those_who_cannot_see_the_picture(visit, reports):
    page = visit(reports("pocket")).page
    assert "locational prices" in page.locator("#r0-grid_map .plot").get_attribute("aria-label")
    page.locator("#r0-grid_map summary").click()
    assert page.locator("#r0-grid_map tbody tr").count() == 3


def test_printing_draws_everything(visit, reports):
    page = visit(reports("compared")).page
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page") - paper.count(b"/Type /Pages") > 10
    assert page.evaluate("document.querySelectorAll('figure .main-svg').length") > 40


def test_runs_are_shown_one_at_a_time(visit, reports):
    page = visit(reports("compared")).page
    assert page.locator(".run:visible").count() == 1
    page.locator(".switch button").first.click()
    assert page.locator("#run0").is_visible()
    assert not page.locator("#run1").is_visible()


@pytest.fixture(scope="module")
def hostile(hostile_study, tmp_path_factory):
    """Two runs of a study whose every name is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    scenario, names = hostile_study(folder)
    runs = [
        api.run(api.load_study(scenario, (f"policy={policy}",)), folder / "outputs").run_dir
        for policy in ("asap", "co_dispatch")
    ]
    return api.report(runs, folder / "report.html"), names


def test_every_attack_is_a_name(hostile, attacks):
    assert len(attacks) >= 25
    assert set(attacks) <= hostile[1].used


def test_no_name_becomes_markup_or_script(visit, hostile):
    file, names = hostile
    seen = visit(file)
    seen.draw_all()
    for summary in seen.page.locator("summary").all():
        if summary.is_visible():
            summary.click()
    hover(seen.page)
    assert seen.page.evaluate("window.hit") is None
    assert seen.complaints == []
    assert seen.requests == [file.resolve().as_uri()]
    assert seen.page.evaluate("document.querySelectorAll('img, iframe, base, link, object, embed').length") == 0
    assert (
        seen.page.evaluate("document.querySelectorAll('svg a, main svg script, main script:not([type])').length") == 0
    )
    shown = seen.page.evaluate(
        "[...document.querySelectorAll('#r1-work_by_site .xtick text')].map((t) => t.textContent)"
    )
    assert sorted(shown) == sorted(" ".join(name.split()) for name in names.of("site"))


def hover(page):
    """Let labels appear, which Plotly makes from names as well."""
    for figure in ("r1-dispatch", "r1-work_by_site", "r1-grid_map", "r1-energy_flow"):
        page.locator(f"#{figure} .plot").scroll_into_view_if_needed()
        box = page.locator(f"#{figure} .plot").bounding_box()
        for share in np.linspace(0.1, 0.9, 9):
            page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
            page.wait_for_timeout(60)
