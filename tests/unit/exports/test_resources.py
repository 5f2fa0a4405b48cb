import csv
import json

import openpyxl
import pytest

from gridtwin.errors import RegistryError
from gridtwin.exports.resources import write_tables

TABLES = {
    "pools": [{"identifier": "CN-a-b/general/u#1", "racks": 16.0, "peak_fp32_tflops": 1.5, "peak_fp64_tflops": None}],
    "totals_by_class": [{"class": "general", "peak_mw": 0.04}],
}


def test_csv_holds_the_first_table_and_says_what_it_left_out(tmp_path):
    path = tmp_path / "there" / "pools.csv"
    assert write_tables(TABLES, path) == ["totals_by_class"]
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(csv.DictReader(stream)) == [
            {"identifier": "CN-a-b/general/u#1", "racks": "16.0", "peak_fp32_tflops": "1.5", "peak_fp64_tflops": ""}
        ]


def test_json_holds_all(tmp_path):
    path = tmp_path / "all.json"
    assert write_tables(TABLES, path) == []
    assert json.loads(path.read_text(encoding="utf-8")) == TABLES


def test_a_workbook_holds_all_with_units(tmp_path):
    path = tmp_path / "all.xlsx"
    assert write_tables(TABLES, path) == []
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == list(TABLES)
    rows = list(book["pools"].iter_rows(values_only=True))
    assert rows[1:] == [(None, "2.5 kW IT", "TFLOP/s", "TFLOP/s"), ("CN-a-b/general/u#1", 16, 1.5, None)]


def test_nothing_is_replaced_unasked_and_endings_are_known(tmp_path):
    path = tmp_path / "all.json"
    path.write_text("mine")
    with pytest.raises(RegistryError, match="is there; replace it with --replace"):
        write_tables(TABLES, path)
    assert path.read_text() == "mine"
    write_tables(TABLES, path, replace=True)
    with pytest.raises(RegistryError, match=r"ends in '.ods'; expected one of .csv, .json, .xlsx"):
        write_tables(TABLES, tmp_path / "all.ods")
