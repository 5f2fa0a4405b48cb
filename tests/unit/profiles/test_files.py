from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gridtwin.profiles.files import Clock, read_series

CLOCK = Clock(datetime(2020, 1, 1, tzinfo=UTC), 3600)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def read(path, **limits):
    issues = []
    return read_series(path, CLOCK, issues, **limits), [str(issue) for issue in issues]


def test_columns_by_name(tmp_path):
    series, issues = read(parquet(tmp_path / "p.parquet", a=np.float32([1, 2]), b=[3, 4]))
    assert issues == []
    assert series.columns(("b", "a", "b")).tolist() == [[3, 1, 3], [4, 2, 4]]
    (tmp_path / "p.csv").write_text("a,b\n1,3\n2,4\n")
    again, issues = read(tmp_path / "p.csv")
    assert issues == []
    assert np.array_equal(again.values, series.values)


def test_names_may_be_quoted(tmp_path):
    (tmp_path / "p.csv").write_text('"a, east","b ""x"""\n1,3\n')
    series, issues = read(tmp_path / "p.csv")
    assert issues == []
    assert series.columns(("a, east", 'b "x"')).tolist() == [[1, 3]]


def test_nan_and_negative_values_are_named_by_file_row_and_column(tmp_path):
    path = parquet(tmp_path / "p.parquet", a=[1.0, 2.0, 3.0], b=[0.0, np.nan, -2.0], c=[0.0, 0.0, -1.0], d=[1, None, 2])
    _, issues = read(path, at_least=0.0)
    second = "in row 2 (2020-01-01T01:00:00+00:00)"
    assert issues == [
        f"p.parquet:2:2: column 'b' is nan {second} and in 1 more rows; expected numbers >= 0",
        "p.parquet:3:3: column 'c' is -1 in row 3 (2020-01-01T02:00:00+00:00); expected numbers >= 0",
        f"p.parquet:2:4: column 'd' is nan {second}; expected numbers >= 0",
    ]


def test_csv_faults_stand_at_their_cells(tmp_path):
    (tmp_path / "p.csv").write_text("a,b\n1,3\nx,\n")
    series, issues = read(tmp_path / "p.csv")
    assert series is None
    assert issues == ["p.csv:3:1: a is x; expected a number", "p.csv:3:3: b is empty; expected a number"]
    (tmp_path / "p.csv").write_text("a,b\n1,3\n2,-4\n")
    _, issues = read(tmp_path / "p.csv", at_least=0.0, at_most=9.0)
    assert issues == ["p.csv:3:2: column 'b' is -4 in row 2 (2020-01-01T01:00:00+00:00); expected numbers from 0 to 9"]


def test_files_that_cannot_be_used(tmp_path):
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really")
    for path, message in [
        (tmp_path / "bad.parquet", "cannot be read as Parquet"),
        (tmp_path / "none.csv", "cannot be read: No such file"),
        (parquet(tmp_path / "text.parquet", a=["x"]), "column 'a' is string; expected numbers"),
        (parquet(tmp_path / "empty.parquet", a=pa.array([], pa.float64())), "holds no values"),
    ]:
        series, issues = read(path)
        assert series is None
        assert len(issues) == 1
        assert message in issues[0]
