"""Differences of tables are told by row and column; those of series by how many values differ."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gridtwin.compare.table_diff import read_table, table_changes
from gridtwin.errors import ResultsError

UNITS = "unit,bus,p_max_mw,profile\nct_1,101,20,\nct_2,101,20,\nwind,102,40,breeze\n"


@pytest.fixture
def changes(tmp_path):
    def told(base, change):
        for name, text in (("base.csv", base), ("change.csv", change)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return list(table_changes(read_table(tmp_path / "base.csv"), read_table(tmp_path / "change.csv")))

    return told


def test_a_cell_is_named_by_its_row_and_column(changes):
    assert changes(UNITS, UNITS.replace("ct_1,101,20", "ct_1,101,25")) == [("ct_1: p_max_mw", 20.0, 25.0, "")]


def test_numbers_written_otherwise_are_the_same(changes):
    assert changes(UNITS, UNITS.replace("ct_1,101,20", "ct_1,101,20.0")) == []


def test_an_empty_cell_is_none(changes):
    assert changes(UNITS, UNITS.replace("ct_1,101,20,", "ct_1,101,,")) == [("ct_1: p_max_mw", 20.0, None, "")]
    assert changes(UNITS, UNITS.replace("breeze", "")) == [("wind: profile", "breeze", None, "")]


def test_rows_and_columns_come_and_go_and_move_without_a_word(changes):
    head, ct_1, ct_2, wind = UNITS.splitlines(keepends=True)
    assert changes(UNITS, head + wind + ct_2 + ct_1) == []
    assert changes(UNITS, head + ct_1 + ct_2) == [("wind", None, None, "row removed")]
    assert changes(UNITS, UNITS + "sun,102,5,\n") == [("sun", None, None, "row added")]
    assert changes("a\n1\n", "a,b\n1,2\n") == [("column b", None, None, "added")]
    assert changes("a,b\n1,2\n", "a\n1\n") == [("column b", None, None, "removed")]


def test_rows_are_told_apart_by_as_many_columns_as_it_takes(changes):
    nodes = "site,compute_class,hardware,nodes\neast,general,cpu,60\neast,serving,gpu,30\nwest,general,cpu,90\n"
    assert changes(nodes, nodes.replace("gpu,30", "gpu,35")) == [("east/serving: nodes", 30.0, 35.0, "")]
    segments = "unit,p_from_mw,cost\ncoal,0,20\ncoal,40,26\n"
    assert changes(segments, segments.replace("26", "27")) == [("coal/40: cost", 26.0, 27.0, "")]


def test_rows_that_nothing_tells_apart_are_counted(changes):
    table = "kind,size\nx,1\nx,1\ny,2\n"
    assert changes(table, "kind,size\nx,1\nx,3\ny,2\n") == [("rows", None, None, "1 added, 1 removed")]


def test_many_cells_of_a_column_are_one_line(changes):
    base = "unit,p_max_mw\n" + "".join(f"u{n},10\n" for n in range(30))
    change = "unit,p_max_mw\n" + "".join(f"u{n},{10 + n}\n" for n in range(30))
    assert changes(base, change) == [
        ("column p_max_mw", None, None, "29 of 30 rows differ, most at u29: 10 → 39"),
    ]


def test_a_series_is_summarised(changes):
    base = "west,east\n1,2\n3,4\n5,6\n"
    assert changes(base, "west,east\n1,2\n3,4.5\n5,5\n") == [
        ("east", None, None, "2 of 3 values differ, most at row 2: -1")
    ]
    longer = changes(base, base + "7,8\n")
    assert [detail for *_, detail in longer] == ["3 → 4 values"] * 2


def test_parquet_is_read_too(tmp_path):
    for name, load in (("base", [1.0, 2.0]), ("change", [1.0, np.nan])):
        labels = pa.array(["a", "b"]).dictionary_encode()
        pq.write_table(pa.table({"bus": labels, "load": load}), tmp_path / f"{name}.parquet")
    base, change = (read_table(tmp_path / f"{name}.parquet") for name in ("base", "change"))
    assert list(table_changes(base, change)) == [("b: load", 2.0, None, "")]


@pytest.mark.parametrize("name", ["bad.parquet", "bad.csv", "missing.csv"])
def test_what_is_no_table_is_refused(tmp_path, name):
    if not name.startswith("missing"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultsError, match=f"{name}: cannot be read as a table"):
        read_table(tmp_path / name)
