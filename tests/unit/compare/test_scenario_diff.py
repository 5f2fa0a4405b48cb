"""Differences of scenarios are told by dotted path, members of lists by their name."""

import pytest

from gridtwin.compare.scenario_diff import scenario_changes, tree_changes


def texts(base, change):
    return [found.text for found in scenario_changes(base, change)]


def test_nothing_differs():
    scenario = {"time": {"step": "1h"}, "workload": {"batch": [{"name": "a", "n": 1}]}}
    assert texts(scenario, scenario) == []


@pytest.mark.parametrize(
    ("base", "change", "told"),
    [
        ({"dispatch": {"carbon_price_per_t": 50.0}}, {"dispatch": {"carbon_price_per_t": 60.0}}, "50.0 → 60.0"),
        ({"dispatch": {"carbon_price_per_t": 50}}, {"dispatch": {"carbon_price_per_t": None}}, "50 → none"),
    ],
)
def test_one_value_is_one_line(base, change, told):
    assert texts(base, change) == [f"dispatch.carbon_price_per_t  {told}"]


def test_whole_and_decimal_numbers_are_the_same_and_truth_is_no_number():
    assert texts({"seed": 1}, {"seed": 1.0}) == []
    assert texts({"seed": 1}, {"seed": True}) == ["seed  1 → true"]


def test_members_of_a_list_are_matched_by_name_wherever_they_stand():
    base = {"batch": [{"name": "a", "rate": 1}, {"name": "b", "rate": 2}]}
    change = {"batch": [{"name": "b", "rate": 3}, {"name": "a", "rate": 1}]}
    assert texts(base, change) == ["batch.b.rate  2 → 3", "batch.order  [a, b] → [b, a]"]


def test_members_come_and_go():
    base, change = {"batch": [{"name": "a", "rate": 1}]}, {"batch": []}
    assert texts(base, change) == ["batch.a  removed"]
    assert texts(change, base) == ["batch.a  added"]


def test_two_members_of_one_name_are_compared_by_place():
    twice = [{"name": "a", "rate": 1}, {"name": "a", "rate": 2}]
    other = [{"name": "a", "rate": 1}, {"name": "a", "rate": 3}]
    (found,) = texts({"batch": twice}, {"batch": other})
    assert found.startswith("batch  1 of 2 values differ, the first at 1")


def test_a_long_list_is_one_line_that_says_where():
    base, change = [1.0] * 24, [1.0] * 24
    change[5] = 1.5
    assert texts({"diurnal": base}, {"diurnal": change}) == [
        "diurnal  1 of 24 values differ, the first at 5: 1.0 → 1.5"
    ]
    assert texts({"bins": ["1h"]}, {"bins": ["1h", "4h"]}) == ["bins  [1h] → [1h, 4h]"]
    assert texts({"bins": [1] * 7}, {"bins": [1] * 8}) == ["bins  7 → 8 values"]
    assert texts({"price": None}, {"price": [0.1] * 24}) == ["price  none → [24 values]"]


def test_a_description_comes_last():
    base, change = {"description": "a", "policy": "asap"}, {"description": "b", "policy": "co_dispatch"}
    assert texts(base, change) == ["policy  asap → co_dispatch", "description  a → b"]


def test_keys_of_a_file_are_told_with_it():
    (found,) = tree_changes({"grid": {"slack": 1}}, {"grid": {"slack": 2}}, "model", "model.yaml")
    assert (found.kind, found.path, found.base, found.change) == ("model", "model.yaml: grid.slack", 1, 2)
