"""The page holds everything, asks for nothing, and says first what matters."""

import base64
import hashlib
import re

import pytest

from gridtwin import api
from gridtwin.errors import ResultsError
from gridtwin.report import first_screen
from gridtwin.report.figures import FIGURES
from gridtwin.report.language import words_in
from gridtwin.report.page import SECTIONS, page
from gridtwin.report.provenance import estimates, provenance
from gridtwin.results.saved_run import SavedRun, open_run

EN = words_in("en")


@pytest.fixture(scope="module")
def run(pocket_run):
    return open_run(pocket_run("co_dispatch").path)


@pytest.fixture(scope="module")
def text(run):
    return page([run], EN)


@pytest.fixture(scope="module")
def compared(pocket_run):
    return page([open_run(pocket_run(policy).path) for policy in ("asap", "co_dispatch")], EN)


def with_summary(run: SavedRun, **changes) -> SavedRun:
    return SavedRun(run.path, run.facts, {**run.summary, **changes})


def own(text: str) -> str:
    """The page without plotly."""
    return re.sub(r"<script>/\*\*\n\* plotly\.js.*?</script>", "", text, flags=re.DOTALL)


def test_every_figure_has_a_place():
    placed = [name for members in SECTIONS.values() for name in members]
    assert sorted(placed) == sorted(FIGURES)


def test_the_policy_allows_these_scripts_and_nothing_else(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert len(scripts) == 3
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_nothing_is_asked_of_the_network(text):
    assert set(re.findall(r"""(?:src|href|action)\s*=\s*["']?(.)""", own(text))) == {
        "#",
        "U",
    }  # U: of a download made here
    assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest", own(text))
    assert "http://" not in own(text)
    assert "https://" not in own(text)


def test_two_pages_of_one_run_are_the_same(run, text):
    assert page([run], EN) == text


def test_the_report_lies_with_the_run_unless_told_otherwise(pocket_run, tmp_path):
    path = pocket_run("asap").path
    try:
        assert api.report([path]) == path / "report.html"
        assert api.verify(path).holds
    finally:
        (path / "report.html").unlink()
    assert (
        api.report([path], tmp_path / "new" / "page.html", "zh")
        .read_text(encoding="utf-8")
        .startswith("<!DOCTYPE html>")
    )


def test_progress_counts_figures(run, tmp_path):
    told = []
    api.report([run.path], tmp_path / "r.html", progress=lambda done, total: told.append((done, total)))
    assert told == [(done + 1, len(FIGURES)) for done in range(len(FIGURES))]


def test_no_run_and_no_such_run_are_refused(tmp_path):
    with pytest.raises(ResultsError, match="needs the folder of a run"):
        api.report([])
    with pytest.raises(ResultsError, match="expected the folder of a finished run"):
        api.report([tmp_path])


def test_the_first_screen_says_what_changed_and_by_how_much(compared):
    first = compared[: compared.index("Differences</h2>")]
    assert "co_dispatch against asap: it " in first
    assert "policy  asap → co_dispatch" in first
    assert "All 14 ledgers hold" in first


def test_a_sound_run_is_said_to_be_sound(run):
    assert [check.state for check in first_screen.checks(run, EN)][:3] == ["good", "good", "good"]


def test_what_is_wrong_is_said_first(run):
    ledgers = {**run.summary["ledgers"], "co2": {**run.summary["ledgers"]["co2"], "pass": False}}
    kpis = {**run.kpis, "ac_steps_not_converged": 3, "unserved_mwh": 2.0, "jobs_unfinished": 7}
    checks = first_screen.checks(with_summary(run, ledgers=ledgers, kpis=kpis), EN)
    bad = [check.text for check in checks if check.state == "bad"]
    assert len(bad) == 4
    assert "CO2" in bad[0]
    assert "3 steps" in bad[1]
    assert "2 MWh" in bad[2]
    assert "7 jobs" in bad[3]


def test_what_was_not_asked_for_is_said(run, text):
    assert any("N-1 was not asked for" in check.text for check in first_screen.checks(run, EN))
    assert "N-1 was not asked for in this run" in text


def test_provenance_names_versions_seed_and_checksums(run, text):
    found = provenance(run, EN)
    assert ("seed", "7") in found.facts
    assert len(found.ledgers) == 14
    assert all(ledger.holds for ledger in found.ledgers)
    for name, value in found.hashes:
        assert name in text
        assert value in text
    assert dict(found.versions)["gridtwin"] in text


def test_estimates_are_those_that_sources_mark(run, tmp_path):
    sources = tmp_path / "inputs" / "models" / "m" / "SOURCES.md"
    sources.parent.mkdir(parents=True)
    sources.write_text(
        "# Sources\n\nA zone is *assumed*.\n\n## wan.csv (2 rows)\n\n| column | unit | what | source |\n"
        "| --- | --- | --- | --- |\n"
        "| `price_per_gb` | EUR/GB | 0.01 | ours, *estimate* |\n| `origin` | | names | ours |\n",
        encoding="utf-8",
    )
    found = [(estimate.place, estimate.text) for estimate in estimates(SavedRun(tmp_path, run.facts, run.summary))]
    assert found == [("Sources", "A zone is assumed."), ("wan.csv (2 rows)", "price_per_gb: 0.01 · ours, estimate")]


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [(74020733.8, "74.02 million", "7,402 万"), (-192661.3, "\u2212192,661", "\u221219.27 万"), (0.5, "0.5", "0.5"),
     (3.2e9, "3.2 billion", "32 亿")],
)  # fmt: skip
def test_large_numbers_have_words(value, en, zh):
    assert first_screen.scaled(value, EN) == en
    assert first_screen.scaled(value, words_in("zh")) == zh


def test_the_command_writes_a_report_and_says_where(called, pocket_run, tmp_path):
    file = tmp_path / "r.html"
    done = called("report", pocket_run("asap").path, "--out", file, "--lang", "zh")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, f"saved in {file}", "")
    assert 'lang="zh-CN"' in file.read_text(encoding="utf-8")
    assert called("report", tmp_path).returncode == 3
    assert called("report", pocket_run("asap").path, "--lang", "cn").returncode == 2
    assert called("report").returncode == 2
