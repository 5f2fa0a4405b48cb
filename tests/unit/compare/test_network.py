"""Lines beyond their limits, connections, weeks and months, what a run says of itself."""

import numpy as np
import pytest

from gridtwin.compare.periods import periods
from gridtwin.compare.reinforcement import reinforcement
from gridtwin.compare.series import align
from gridtwin.compare.trust import trust


@pytest.fixture
def run(make_run):
    run = make_run(1, steps=3)
    run.run.values_by_name |= {
        "loading_percent": np.array([[90.0, 101.0], [120.0, 99.0], [110.0, np.nan]]),
        "shadow_price_per_mwh": np.array([[5.0, 0.0], [0.0, 0.0], [7.0, 0.0]]),
    }
    return run


def test_what_lines_lack(run):
    ab, bc = reinforcement(run).lines
    assert (ab.line, ab.beyond_mw, ab.beyond_h, ab.binding_h) == ("ab", pytest.approx(0.2 * 20), 2.0, 2.0)
    assert (ab.shadow_price_per_mwh, ab.rent_cost, ab.mw_km) == (6.0, pytest.approx(12 * 20), pytest.approx(40.0))
    assert (bc.beyond_mw, bc.beyond_h, bc.binding_h) == (pytest.approx(0.6), 1.0, 0.0)
    assert (bc.length_km, bc.mw_km) == (None, None)
    assert reinforcement(run).mw_km is None


def test_a_price_counts_for_the_span_of_the_run_and_only_if_it_is_given(run):
    assert reinforcement(run).cost is None
    assert reinforcement(run, 100.0).cost is None  # the length of one is not known
    run.run.tables["lines"]["length_km"] = np.array([10.0, 5.0])
    assert reinforcement(run, 100.0).cost == pytest.approx(100.0 * (4.0 * 10 + 0.6 * 5) * 3 / 8760)


def test_a_line_without_a_rating_lacks_nothing(run):
    run.run.tables["lines"]["rate_mw"] = np.array([np.inf, np.inf])
    run.run.values_by_name["loading_percent"] = np.full((3, 2), np.nan)
    run.run.values_by_name["shadow_price_per_mwh"] = np.zeros((3, 2))
    assert reinforcement(run).lines == ()


def test_connections(run):
    east, west = reinforcement(run).connections
    assert (east.connection_mw, east.unused_mw) == (None, None)
    assert west.peak_mw == run.v["site_mw"][:, 1].max()
    assert west.unused_mw == 12.0 - west.peak_mw


def test_a_run_without_jobs_and_services_is_one_without_load(run):
    assert not reinforcement(run).without_load
    run.run.kpis["jobs_submitted"] = 0
    assert reinforcement(run).without_load
    run.run.values_by_name["service_nodes"] = np.ones((3, 2, 2))
    assert not reinforcement(run).without_load


def test_weeks_and_months_add_up_to_all_that_is_shared(make_run):
    base, change = make_run(1, steps=24 * 40), make_run(2, steps=24 * 40 + 12, first=24)
    both = align(base.card, change.card, base.run.time, change.run.time)
    found = periods(base, change, both)
    weeks, months = ([one for one in found if one.kind == kind] for kind in ("week", "month"))
    assert [week.label for week in weeks] == [f"2020-01-{day:02}" for day in (2, 9, 16, 23, 30)] + ["2020-02-06"]
    assert [month.label for month in months] == ["2020-01", "2020-02"]
    assert weeks[-1].hours == 24 * 4
    for kind in (weeks, months):
        assert sum(one.hours for one in kind) == 24 * 39
        assert sum(one.base_co2_t for one in kind) == pytest.approx(base.v["co2_kg"][24:].sum() / 1000)
        cost = base.v["production_cost"] + 0.03 * base.v["co2_kg"] + base.taken_cost + base.wan_cost
        slacks = 900 * base.v["shed_mw"].sum(1) + 300 * base.v["overload_mw"].sum(1) + 100 * base.v["spill_mw"]
        beyond = 300 * np.maximum(base.v["site_mw"][:, 1] - 12, 0)
        assert sum(one.base_cost for one in kind) == pytest.approx((cost + slacks + beyond)[24:].sum())


def test_two_weeks_are_not_split(make_run):
    base, change = make_run(1, steps=24 * 14), make_run(2, steps=24 * 14)
    assert periods(base, change, align(base.card, change.card, base.run.time, change.run.time)) == ()


def test_what_a_run_says_of_itself(run):
    run.run.summary["ledgers"]["money"] = {"pass": False}
    run.run.kpis |= {"unserved_mwh": 2.0, "overload_mwh": 0.0, "spill_mwh": 0.0, "jobs_unfinished": 3}
    found = trust(run)
    assert (found.ledgers, found.broken, found.sound) == (2, ("money",), False)
    assert (dict(found.slack_mwh), found.jobs_unfinished, found.optimality_gap) == ({"shed": 2.0}, 3, 1e-9)
