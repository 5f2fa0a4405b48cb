"""Every text is there in both languages, is used, and has the same gaps to fill."""

import csv
import re
import string
from pathlib import Path

import pytest

import gridtwin.report
from gridtwin.audit.ledgers import LEDGERS
from gridtwin.economics.kpi_table import KPIS
from gridtwin.errors import ResultsError
from gridtwin.report.language import words_in
from gridtwin.report.page import SECTIONS
from gridtwin.results.variables import variables

ROOM = Path(gridtwin.report.__file__).parent
ROWS = list(csv.DictReader((ROOM / "words.csv").read_text(encoding="utf-8").splitlines()))
CODE = "\n".join(
    file.read_text(encoding="utf-8")
    for file in (*sorted(ROOM.rglob("*")), ROOM.with_name("cli") / "layout_table.py")
    if file.suffix in {".py", ".jinja"}
)
CHINESE = re.compile("[\u4e00-\u9fff]")


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("row", ROWS, ids=[row["key"] for row in ROWS])
def test_a_text_is_there_in_both_languages(row):
    assert row["en"]
    assert row["zh"]
    assert gaps(row["en"]) == gaps(row["zh"])


def test_no_key_comes_twice():
    assert len({row["key"] for row in ROWS}) == len(ROWS)


def used(key: str) -> bool:
    """The code names it, or makes it from a group or a name, as in `f"costs.{name}"` or `f"{name}.title"`."""
    group, _, name = key.partition(".")
    made = (f'f"{group}.{{', f'"{group}." ~', f'named("{group}"', f'f"{{name}}.{name}"')
    return f'"{key}"' in CODE or f"'{key}'" in CODE or any(text in CODE for text in made) or _by_way(key)


def _by_way(key: str) -> bool:
    stem, _, way = key.rpartition(".")
    return way in {"less", "more", "same"} and f'"{stem}"' in CODE and 'f"{key}.{way}"' in CODE


@pytest.mark.parametrize("key", [row["key"] for row in ROWS])
def test_a_text_is_used(key):
    assert used(key)


def test_an_unused_text_is_noticed():
    assert not used("page.nothing")


def test_every_text_that_the_code_names_is_there():
    keys = {row["key"] for row in ROWS}
    asked = set(re.findall(r"""words\(\s*["']([a-z0-9_]+\.[a-z0-9_]+)["']""", CODE))
    assert len(asked) > 100
    assert asked - keys == set()
    assert {f"section.{name}" for name in SECTIONS} <= keys


@pytest.mark.parametrize("ledger", [ledger.__name__ for ledger in LEDGERS])
def test_every_ledger_has_a_name(ledger):
    assert f"ledger.{ledger}" in words_in("zh").table


@pytest.mark.parametrize("name", KPIS)
def test_every_key_figure_has_a_chinese_name(name):
    assert CHINESE.search(words_in("zh").kpi(name))
    assert words_in("en").kpi(name) == KPIS[name].label


@pytest.mark.parametrize("name", variables())
def test_every_variable_has_a_chinese_meaning(name):
    assert CHINESE.search(words_in("zh").variable(name))
    assert words_in("en").variable(name) == variables()[name].meaning


def test_another_language_is_refused():
    with pytest.raises(ResultsError, match="no words in 'cn': expected en or zh"):
        words_in("cn")


def test_what_nobody_foresaw_keeps_its_name():
    assert words_in("en").named("ledger", "of_a_later_version") == "of a later version"
    assert words_in("zh").kpi("new_figure") == "new figure"
