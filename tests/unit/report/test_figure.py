"""What a page carries of a figure is what the figure holds."""

import base64
import json

import numpy as np
import pytest

from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure, json_text, payload, rounded


def shown(values, column=None) -> dict:
    plot = {"data": [{"y": values}], "layout": {"height": 100}}
    return payload(
        Figure("f", "Title", "Caption", "MW", ("unit_mw",), plot, Sheet("f", {"a": column or [1.0]}, {"a": "MW"}))
    )


def decoded(array: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype=f"<{array['dtype']}")


@pytest.mark.parametrize("seed", range(5))
def test_six_digits_survive_four_bytes(seed):
    rng = np.random.default_rng(seed)
    values = rounded(rng.normal(size=500) * 10.0 ** rng.integers(-6, 9, size=500))
    array = shown(values)["data"][0]["y"]
    assert array["dtype"] == "f4"
    assert [float(f"{value:.6g}") for value in decoded(array).astype(float)] == [
        float(f"{value:.6g}") for value in values
    ]
    assert np.array_equal(rounded(decoded(array).astype(float)), values)


def test_numbers_with_more_digits_take_eight_bytes():
    values = np.array([43957262.75373088, 0.1])
    array = shown(values)["data"][0]["y"]
    assert array["dtype"] == "f8"
    assert np.array_equal(decoded(array), values)


def test_what_is_not_known_stays_unknown():
    assert np.isnan(decoded(shown(np.array([1.0, np.nan]))["data"][0]["y"])[1])
    assert shown([1.0, float("nan"), None])["data"][0]["y"] == [1.0, None, None]


def test_a_matrix_keeps_its_shape():
    assert shown(np.zeros((2, 3)))["data"][0]["y"]["shape"] == "2, 3"


def test_local_time_is_text():
    assert shown(np.array(["2020-07-01T12:30"], dtype="datetime64[s]"))["data"][0]["y"] == ["2020-07-01T12:30"]


@pytest.mark.parametrize("text", ["</script>", "<!--", "a & b", "\u2028\u2029", "北京"])
def test_json_holds_the_text_and_ends_no_script(text):
    written = json_text({"name": text})
    assert json.loads(written) == {"name": text}
    assert not set("<>&\u2028\u2029") & set(written)


def test_columns_know_their_kind():
    table = Sheet("f", {
        "when": np.array(["2020-01-01"], dtype="datetime64[s]"), "who": ["x"], "much": np.array([1.5]), "some": [None],
    })  # fmt: skip
    figure = Figure("f", "t", "c", "MW", (), {"data": [], "layout": {}}, table)
    columns = payload(figure)["table"]
    assert [column["kind"] for column in columns] == ["time", "text", "number", "number"]
    assert decoded(columns[0]["values"]).tolist() == [1577836800000.0]
