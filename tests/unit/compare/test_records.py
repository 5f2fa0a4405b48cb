"""Small arithmetic of the records: shares without a base, tables that do not add up, lines beside each other."""

import pytest

from gridtwin.compare.records import Decomposition, Figure, InputChange, LineNeed, Overlap, Part, Reinforcement
from gridtwin.compare.side_by_side import grouped, rows, subtotal


@pytest.mark.parametrize(
    ("base", "change", "delta", "percent"),
    [
        (100.0, 110.0, 10.0, 10.0),
        (-100.0, -110.0, -10.0, -10.0),
        (0, 5, 5, None),
        (0, 0, 0, 0.0),
        (None, 5.0, None, None),
        (5.0, None, None, None),
        (None, None, None, None),
    ],
)
def test_a_figure_without_a_base_has_no_share(base, change, delta, percent):
    figure = Figure("n", "l", "u", base, change)
    assert (figure.delta, figure.percent) == (delta, percent)


def test_a_difference_is_held_against_chance_where_that_was_measured():
    assert Figure("n", "l", "u", 1.0, 2.0).beyond_noise is None
    assert Figure("n", "l", "u", 1.0, 2.0, noise=0.5).beyond_noise is True
    assert Figure("n", "l", "u", 1.0, 2.0, noise=1.0).beyond_noise is False
    assert Figure("n", "l", "u", None, 2.0, noise=1.0).beyond_noise is None


def table(*deltas, total=6.0, **more):
    parts = tuple(Part(f"p{place}", f"part {place}", delta) for place, delta in enumerate(deltas))
    return Decomposition("t", "title", "t", parts, Part("all", "all", total, 100.0, 100.0 + total), **more)


def test_parts_are_held_against_the_total():
    assert table(1.0, 2.0, 3.0).holds is True
    assert table(1.0, 2.0, 3.0 + 5e-8).holds is True  # 1e-9 of 106
    broken = table(1.0, 2.0, 3.1)
    assert broken.holds is False
    assert broken.residual == pytest.approx(0.1)
    assert Decomposition("t", "title", "t", (), None).holds is None


def test_steps_that_only_one_run_has_are_taken_out_of_what_can_be_compared():
    parts = Part("a", "a", 2.0, 10.0, 12.0), Part("other_steps", "o", 4.0, 0.0, 4.0)
    found = Decomposition("t", "title", "t", parts, Part("all", "all", 6.0, 10.0, 16.0)).shared
    assert (found.base, found.change, found.delta) == (10.0, 12.0, 2.0)
    assert table(6.0).shared.delta == 6.0


def test_tables_of_several_runs_are_matched_by_name():
    one = Decomposition("t", "", "t", (Part("a", "a", 1.0, 1.0, 2.0, "g"), Part("b", "b", 5.0)), None)
    two = Decomposition("t", "", "t", (Part("b", "b", 6.0), Part("c", "c", 3.0, 2.0, 5.0, "g")), None)
    lines = list(rows([one, two]))
    assert [(line.name, [part and part.delta for part in line.parts]) for line in lines] == [
        ("a", [1.0, None]),
        ("c", [None, 3.0]),
        ("b", [5.0, 6.0]),
    ]
    groups = list(grouped(lines))
    assert [(group, len(members)) for group, members in groups] == [("g", 2), ("", 1)]
    total = subtotal(groups[0][1])
    assert [(part.base, part.change, part.delta) for part in total.parts] == [(1.0, 2.0, 1.0), (2.0, 5.0, 3.0)]


def test_megawatt_kilometres_need_a_length_only_where_capacity_is_short():
    def line(beyond_mw, length_km):
        return LineNeed("l", beyond_mw, 1.0, 1.0, 1.0, 1.0, length_km)

    assert Reinforcement((line(2.0, 10.0), line(0.0, None)), (), without_load=False).mw_km == 20.0
    assert Reinforcement((line(2.0, 10.0), line(1.0, None)), (), without_load=False).mw_km is None


def test_a_change_is_told_in_one_line():
    assert InputChange("scenario", "a.b", [1, 2], {"x": True}).text == "a.b  [1, 2] → {x: true}"
    assert InputChange("model", "load.csv", None, None, "3 → 4 values").text == "load.csv  3 → 4 values"


def test_overlap():
    assert Overlap(3, 0, 0).same
    assert not Overlap(3, 1, 0).same
    assert not Overlap(0, 0, 0, "no").same
