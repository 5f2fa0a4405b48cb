import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.located import Field, Position, did_you_mean, override, parse_yaml, read_csv, read_yaml, shown
from gridtwin.located import _cells as cells


def parsed(text):
    issues = []
    return parse_yaml(text, "f.yaml", issues), [str(issue) for issue in issues]


class TestYaml:
    def test_positions_of_keys_and_values(self):
        document, issues = parsed("a: 1\nb:\n  - {c: x}\n  - d\n")
        assert issues == []
        assert document.value == {"a": 1, "b": [{"c": "x"}, "d"]}
        assert document.at("a") == Position("f.yaml", 1, 4)
        assert document.at("b", 0, "c") == Position("f.yaml", 3, 9)
        assert document.at_key("b", 0, "c") == Position("f.yaml", 3, 6)
        assert document.at("b", 1) == Position("f.yaml", 4, 5)

    def test_a_place_that_was_not_written_is_the_nearest_above(self):
        document, _ = parsed("a: {b: 1}\n")
        assert document.at("a", "c", "d") == document.at("a")
        assert document.at("z") == document.at()

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("NO", "NO"),
            ("12:30", "12:30"),
            ("2020-07-01T00:00:00-07:00", "2020-07-01T00:00:00-07:00"),
            ("1_000", 1000),
            ("0x10", 16),
            ("0", 0),
            ("-3", -3),
            ("1e3", 1000.0),
            (".inf", math.inf),
            ("true", True),
            ("~", None),
            ('"5"', "5"),
        ],
    )
    def test_scalars_as_yaml_1_2(self, text, value):
        document, issues = parsed(f"a: {text}")
        assert issues == []
        assert document.value == {"a": value}
        assert type(document.value["a"]) is type(value)

    def test_every_duplicate_key_is_reported_and_the_first_counts(self):
        document, issues = parsed("a: 1\nb: {c: 1, c: 2}\na: 3\n")
        assert document.value == {"a": 1, "b": {"c": 1}}
        assert issues == [
            "f.yaml:2:11: key 'c' is given twice; the first is in line 2",
            "f.yaml:3:1: key 'a' is given twice; the first is in line 1",
        ]

    @pytest.mark.parametrize("text", ["a: [1", "a: 1\n b: 2", "a: *x", "\ta: 1", "a: \x07", "a: 1\n---\nb: 1"])
    def test_what_is_not_yaml_is_one_issue(self, text):
        document, issues = parsed(text)
        assert document is None
        assert len(issues) == 1
        assert "not valid YAML" in issues[0]

    @pytest.mark.parametrize("text", ["a: !!python/object:os.system x", "a: !x 1", "{<<: {a: 1}, b: 2}", "? [a]\n: 1"])
    def test_tags_merge_keys_and_compound_keys_are_refused(self, text):
        _, issues = parsed(text)
        assert len(issues) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "[" * 60 + "]" * 60,
            "&a [*a]",
            "a: &a x\nb: [" + "*a, " * 200 + "*a]",
            "\n".join(
                ["a0: &a0 [x]", *(f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]" for i in range(9))],
            ),
        ],
        ids=["depth", "recursion", "aliases", "billion laughs"],
    )
    def test_documents_beyond_the_caps(self, text):
        document, issues = parsed(text)
        assert document is None
        assert "larger than gridtwin reads" in issues[0]

    def test_files_that_cannot_be_read(self, tmp_path):
        (tmp_path / "latin.yaml").write_bytes(b"a: \xff")
        issues = []
        assert read_yaml(tmp_path / "none.yaml", issues) is None
        assert read_yaml(tmp_path / "latin.yaml", issues) is None
        assert "No such file" in issues[0].message
        assert "not UTF-8" in issues[1].message


class TestOverride:
    @pytest.fixture
    def document(self):
        return parse_yaml("a: {b: 1, l: [{c: 1}, {c: 2}]}\nn:\n", "f.yaml", [])

    @pytest.mark.parametrize(
        ("assignment", "value"),
        [
            ("a.b=2", {"a": {"b": 2, "l": [{"c": 1}, {"c": 2}]}, "n": None}),
            ("a.l.1.c=[x, 3]", {"a": {"b": 1, "l": [{"c": 1}, {"c": ["x", 3]}]}, "n": None}),
            ("x.y=1h", {"a": {"b": 1, "l": [{"c": 1}, {"c": 2}]}, "n": None, "x": {"y": "1h"}}),
            ("n.m=", {"a": {"b": 1, "l": [{"c": 1}, {"c": 2}]}, "n": {"m": None}}),
            ("a=b=c", {"a": "b=c", "n": None}),
        ],
    )
    def test_sets_a_value(self, document, assignment, value):
        issues = []
        result = override(document, assignment, issues)
        assert issues == []
        assert result.value == value
        assert document.value["a"]["b"] == 1

    def test_the_value_stands_at_the_option(self, document):
        result = override(document, "a.l.0={c: 5}", [])
        assert result.at("a", "l", 0, "c") == Position("--set a.l.0", 1, 7)
        assert result.at("a", "l", 1, "c") == document.at("a", "l", 1, "c")

    @pytest.mark.parametrize("assignment", ["a.b", "=1", "a..b=1", "a.b.c=1", "a.l.7=1", "a.l.x=1", "a.b=[1"])
    def test_what_cannot_be_set(self, document, assignment):
        issues = []
        assert override(document, assignment, issues) == document
        assert len(issues) == 1
        assert issues[0].file == f"--set {assignment.partition('=')[0]}"


def table(tmp_path, text, fields, key=("name",)):
    issues = []
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    result = read_csv(tmp_path / "t.csv", fields, key, issues)
    return result, [(issue.line, issue.column, issue.message) for issue in issues]


FIELDS = (Field("name", "text"), Field("p_mw", at_least=0), Field("on", "flag"), Field("rate", empty=math.inf))


class TestCsv:
    def test_reads_columns(self, tmp_path):
        result, issues = table(tmp_path, '\ufeffname,p_mw,on,rate\n"a, ""x""",1.5,true,\n\nb , 2,FALSE,inf\n', FIELDS)
        assert issues == []
        assert result.columns == {
            "name": ['a, "x"', "b"],
            "p_mw": [1.5, 2.0],
            "on": [True, False],
            "rate": [math.inf, math.inf],
        }
        assert (result.at(1, "p_mw").line, result.at(1, "p_mw").column) == (4, 4)

    def test_only_ends_of_lines_end_a_line(self, tmp_path):
        result, issues = table(tmp_path, "name,p_mw,on,rate\r\na\u2028b\x85c\x0bd,1,true,1\r\n", FIELDS)
        assert issues == []
        assert result.columns["name"] == ["a\u2028b\x85c\x0bd"]

    def test_every_bad_cell_is_reported_at_its_place(self, tmp_path):
        text = "name,p_mw,on,rate\na,x,true,1\nb,-1,yes,1\nc,nan,true,\nd,,true,1\n,1,true,1\na,inf,true,1\n"
        _, issues = table(tmp_path, text, FIELDS)
        assert issues == [
            (6, 1, "name is empty; expected a name"),
            (2, 3, "p_mw is x; expected a number >= 0"),
            (3, 3, "p_mw is -1; expected a number >= 0"),
            (4, 3, "p_mw is nan; expected a number >= 0"),
            (5, 3, "p_mw is empty; expected a number >= 0"),
            (7, 3, "p_mw is inf; expected a number >= 0"),
            (3, 6, "on is 'yes'; expected true or false"),
            (7, 1, "name 'a' is there twice; the first is in line 2"),
        ]

    def test_header_faults(self, tmp_path):
        result, issues = table(tmp_path, "nam,p_mw,on,on,rate\n", FIELDS)
        assert result is None
        assert issues == [
            (1, 1, "unknown column 'nam' (did you mean 'name'?)"),
            (1, 13, "column 'on' is there twice"),
            (1, 1, "column 'name' is missing; expected name, p_mw, on, rate"),
        ]

    def test_empty_file_and_ragged_rows(self, tmp_path):
        result, issues = table(tmp_path, "", FIELDS)
        assert result is None
        assert issues
        result, issues = table(tmp_path, "name,p_mw,on,rate\na,1,true\nb,1,true,2\n", FIELDS)
        assert result.text("name") == ("b",)
        assert issues == [(2, 1, "row has 3 cells; the header has 4 columns")]

    def test_whole_numbers_and_optional_columns(self, tmp_path):
        fields = (
            Field("name", "text"),
            Field("n", "whole", at_least=0),
            Field("note", "text", optional=True, empty=""),
        )
        result, issues = table(tmp_path, "name,n\na,2\nb,2.5\n", fields)
        assert issues == [(3, 3, "n is 2.5; expected a whole number >= 0")]
        assert result.text("note") == ("", "")

    def test_unknown_names_are_suggested(self, tmp_path):
        result, _ = table(tmp_path, "name\nbus_1\nbus_9x\n", (Field("name", "text"),))
        (issue,) = result.unknown("name", ["bus_1", "bus_9"], "bus")
        assert (issue.line, issue.message) == (3, "unknown bus 'bus_9x' (did you mean 'bus_9'?)")

    @given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=6), min_size=2, max_size=6))
    def test_splits_lines_as_the_csv_module_writes_them(self, row):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(row)
        line = buffer.getvalue()
        assert [text for _, text in cells(line)] == row
        assert all(at == 1 or line[at - 2] == "," for at, _ in cells(line))


def test_suggestions():
    assert did_you_mean("buss", ["bus", "line"]) == " (did you mean 'bus'?)"
    assert did_you_mean("zz", ["bus", "line"]) == " (known: bus, line)"
    assert did_you_mean("zz", []) == ""
    assert did_you_mean("zz", [f"unit_{i}" for i in range(50)]).endswith("unit_11, …)")


def test_paths_are_shown_as_the_user_writes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(Path("a/b.csv")) == "a/b.csv"
    assert shown(tmp_path / "a" / "b.csv") == "a/b.csv"
    assert shown(Path("/elsewhere/b.csv")) == "/elsewhere/b.csv"
