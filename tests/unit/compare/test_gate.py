"""Limits: what they mean, when they are broken, and what is refused."""

from types import SimpleNamespace

import pytest

from gridtwin.compare.gate import breaches, parse_limit
from gridtwin.compare.records import Figure


def figure(base, change):
    return Figure("co2_t", "CO2", "t", base, change)


@pytest.mark.parametrize(
    ("limit", "base", "change", "broken"),
    [
        ("+2%", 100.0, 102.0, False),
        ("+2%", 100.0, 102.1, True),
        ("+2%", 100.0, 10.0, False),
        ("+0%", 100.0, 100.0, False),
        ("+2%", -100.0, -97.0, True),
        ("+2%", 0, 0, False),
        ("+2%", 0, 1e-6, True),
        ("-5%", 100.0, 95.0, False),
        ("-5%", 100.0, 94.0, True),
        ("-5%", 100.0, 200.0, False),
        ("-5%", 0.0, -1.0, True),
        ("+100", 50.0, 150.0, False),
        ("+100", 50.0, 150.5, True),
        ("-100", 150.0, 50.0, False),
        ("-100", 150.0, 49.0, True),
        (">0", 5, 0, False),
        (">0", 0, 1, True),
        ("<1.05", 2.0, 1.05, False),
        ("<1.05", 2.0, 1.04, True),
        (">-3e2", 0.0, -299.0, True),
        ("+2%", None, 1.0, True),
        ("+2%", 1.0, None, True),
        (">0", None, 0.0, False),
        (">0", 1.0, None, True),
    ],
)
def test_when_a_limit_is_broken(limit, base, change, broken):
    assert parse_limit(f"co2_t:{limit}").broken(figure(base, change)) is broken


@pytest.mark.parametrize(
    "text",
    [
        "co2_t",
        "co2_t:",
        "co2_t:2%",
        "co2_t:>2%",
        "co2_t:<1%",
        "co2_t:+-2%",
        "co2_t:+x",
        "co2_t:=1",
        ":+2%",
        "co2_t:+1e999",
    ],
)
def test_other_forms_are_refused(text):
    with pytest.raises(ValueError, match="expected name:"):
        parse_limit(text)


def test_an_unknown_figure_is_told_with_the_nearest():
    with pytest.raises(ValueError, match=r"no figure 'co2' \(did you mean 'co2_t'\?\)"):
        parse_limit("co2:+2%")


def test_a_breach_names_figure_run_base_change_and_limit():
    changes = [
        SimpleNamespace(run=SimpleNamespace(label=label), figure=lambda _, change=change: figure(100.0, change))
        for label, change in (("b", 101.0), ("c", 110.0))
    ]
    (found,) = breaches(SimpleNamespace(changes=changes), [parse_limit("co2_t:+2%")])
    assert found.text == "co2_t of c: base 100, change 110 (+10 t, +10 %) breaks co2_t:+2%"


def test_a_breach_without_a_value_says_so():
    change = SimpleNamespace(run=SimpleNamespace(label="b"), figure=lambda _: figure(None, 1.0))
    (found,) = breaches(SimpleNamespace(changes=[change]), [parse_limit("co2_t:+2%")])
    assert found.text == "co2_t of b: no value to hold against co2_t:+2%"
