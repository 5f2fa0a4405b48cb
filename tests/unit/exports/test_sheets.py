"""Tables for spreadsheets hold what they were given, and nothing runs."""

import csv
import io

import numpy as np
import openpyxl
import pytest

from gridtwin.errors import ResultsError
from gridtwin.exports.sheets import Sheet, csv_text, defused, write_csv, write_workbook

FORMULAS = (
    "=1+1", '=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "  @x",
    "=cmd|' /C calc'!A0",
    "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "|x", "\ufeff=1", "=", "-", "+cmd|' /C calc'!A0",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_defused_in_csv(text):
    (read,) = csv.reader(io.StringIO(csv_text(Sheet("s", {"text": [text]})).split("\n", 1)[1], newline=""))
    assert read == [f"'{text}"]


@pytest.mark.parametrize("text", ["", "bus 101", "a=b", "101", "北京", "'quoted"])
def test_other_text_is_left_alone(text):
    assert defused(text) == text


def test_csv_keeps_every_digit_and_has_a_row_of_units(tmp_path):
    values = np.array([1 / 3, np.nan, 1e300])
    write_csv(tmp_path / "a.csv", Sheet("s", {"power_mw": values, "n": [1, 2, 3]}, {"power_mw": "MW"}))
    head, units, *rows = csv.reader((tmp_path / "a.csv").read_text().splitlines())
    assert (head, units) == (["power_mw", "n"], ["MW", ""])
    assert [float(row[0]) if row[0] else None for row in rows] == [1 / 3, None, 1e300]


def test_a_workbook_is_read_back_as_it_was_and_holds_no_formula(tmp_path):
    time = np.array(["2020-01-01T00", "2020-01-01T01"], "datetime64[ns]")
    columns = {
        "time": time,
        "x": np.array([1 / 3, np.inf]),
        "=name": ["=1+1", "b\x00c"],
        "flag": np.array([True, False]),
    }
    write_workbook(tmp_path / "a.xlsx", [Sheet("a/b", columns, {"x": "MW"}), Sheet("A_B", {"n": [None, 2]})])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["a_b", "A_B_2"]
    rows = list(book["a_b"].values)
    assert rows[0] == ("time", "x", "=name", "flag")
    assert rows[1][1] == "MW"
    assert rows[2] == ("2020-01-01T00:00:00Z", 1 / 3, "=1+1", True)
    assert rows[3] == ("2020-01-01T01:00:00Z", "inf", "b\ufffdc", False)
    assert {cell.data_type for page in book for row in page for cell in row} <= {"s", "n", "b", "inlineStr"}


def test_too_many_rows_are_refused_with_a_way_out(tmp_path):
    with pytest.raises(ResultsError, match="select fewer variables"):
        write_workbook(tmp_path / "a.xlsx", [Sheet("s", {"n": np.zeros(1_048_576)})])
    assert not list(tmp_path.iterdir())
