"""Whatever the model of China names has a Chinese name, so that tables and reports can be printed in Chinese."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from gridtwin.catalogue.registry import CLASS_ZH
from gridtwin.report.language import words_in
from gridtwin.report.style import technologies

MODEL = Path(__file__).parents[3] / "models" / "east_west_china"
CHINESE = re.compile("[\u4e00-\u9fff]")
NAMED = ("buses", "links", "origins", "sites", "stores", "supply", "units")
TABLES = sorted(file.name for table in NAMED for file in MODEL.glob(f"{table}*.csv"))


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def nameless(rows: list[dict[str, str]], column: str = "name_zh") -> list[str]:
    """Return the first cell of every row without a Chinese name."""
    return [next(iter(row.values())) for row in rows if not CHINESE.search(row[column])]


def all_rows(table: str) -> list[dict[str, str]]:
    return [row for file in sorted(MODEL.glob(f"{table}*.csv")) for row in rows_of(file)]


def test_every_table_that_names_something_is_looked_at() -> None:
    assert set(TABLES) == {file.name for file in MODEL.glob("*.csv") if "name" in rows_of(file)[0]} | {"supply.csv"}
    assert len(TABLES) > 15


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_chinese_name(table: str) -> None:
    rows = rows_of(MODEL / table)
    assert rows
    assert nameless(rows) == []


@pytest.mark.parametrize("table", [table for table in TABLES if table != "supply.csv"])  # a row for each unit there
def test_no_two_rows_are_called_the_same_in_chinese(table: str) -> None:
    names = [row["name_zh"] for row in rows_of(MODEL / table)]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_a_row_without_a_chinese_name_is_noticed() -> None:
    assert nameless(
        [{"bus": "A", "name_zh": "北京"}, {"bus": "B", "name_zh": ""}, {"bus": "C", "name_zh": "C"}]
    ) == list("BC")


def test_the_eight_hubs_and_ten_clusters_have_chinese_names() -> None:
    clusters = rows_of(MODEL / "sources" / "fleet_clusters.csv")
    assert len(clusters) == 10
    assert nameless(clusters) == nameless(clusters, "hub_zh") == []
    hubs = {row["hub"]: row["hub_zh"] for row in clusters}
    assert len(hubs) == len(set(hubs.values())) == 8
    assert {row["hub"] for row in all_rows("sites")} - {""} == set(hubs)


@pytest.mark.parametrize(("table", "column", "group"), [("nodes", "compute_class", "class"), ("links", "kind", "kind")])
def test_words_has_the_kinds_of_the_model(table: str, column: str, group: str) -> None:
    words = words_in("zh")
    kinds = sorted({row[column] for row in all_rows(table)})
    assert len(kinds) > 2
    assert [kind for kind in kinds if not CHINESE.search(words.named(group, kind))] == []


def test_every_class_can_be_found_by_its_chinese_name() -> None:
    assert {row["compute_class"] for row in all_rows("nodes")} == set(CLASS_ZH)


def test_every_technology_has_a_chinese_name_of_its_own() -> None:
    names = sorted({row["technology"] for table in ("units", "stores") for row in all_rows(table)})
    labels = [one.label for one in technologies(names, words_in("zh"))]
    assert [label for label in labels if not CHINESE.search(label)] == []
    assert len(set(labels)) == len(names)
