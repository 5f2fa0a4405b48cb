"""Whatever two runs are, the parts of every table add up to a total that was computed without them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.compare.costs import all_costs, cost_decomposition
from gridtwin.compare.emissions import co2_by_technology, co2_decomposition
from gridtwin.compare.payments import payments
from gridtwin.compare.series import align

SEEDS = st.integers(0, 2**32 - 1)
STEPS = st.integers(1, 8)
FIRST = st.integers(0, 4)


def aligned(base, change):
    return align(base.card, change.card, base.run.time, change.run.time)


def deltas(base, change):
    both = aligned(base, change)
    tables = cost_decomposition(base, change, both), co2_decomposition(base, change, both)
    return {f"{table.name} {part.name}": part.delta for table in tables for part in table.parts}


@given(seed=SEEDS, other=SEEDS, steps=STEPS, others=STEPS, first=FIRST)
def test_every_table_adds_up(make_run, seed, other, steps, others, first):
    base, change = make_run(seed, steps), make_run(other, others, first, label="change")
    steps_of_both = aligned(base, change)
    tables = [
        cost_decomposition(base, change, steps_of_both),
        co2_decomposition(base, change, steps_of_both),
        co2_by_technology(base, change, steps_of_both),
        payments(base, change, steps_of_both),
    ]
    for table in tables:
        if table.unavailable:
            assert (table.name, steps_of_both.usable) == ("co2", False)
            continue
        assert table.holds, (table.name, table.residual, table.tolerance)
        apart = math.fsum(part.delta for part in table.parts) - table.total.delta
        assert abs(apart) <= 1e-9 * max(abs(table.total.base), abs(table.total.change), table.scale, 1e-3)


@given(seed=SEEDS, steps=STEPS)
def test_a_run_does_not_differ_from_itself(make_run, seed, steps):
    run = make_run(seed, steps)
    both = aligned(run, run)
    for table in (cost_decomposition(run, run, both), co2_decomposition(run, run, both), payments(run, run, both)):
        assert {part.delta for part in (*table.parts, *table.beside, table.total)} == {0.0}


@given(seed=SEEDS, other=SEEDS, steps=STEPS, others=STEPS, first=FIRST)
def test_the_other_way_round_everything_has_the_other_sign(make_run, seed, other, steps, others, first):
    base, change = make_run(seed, steps), make_run(other, others, first)
    there, back = deltas(base, change), deltas(change, base)
    assert there.keys() == back.keys()
    for name, delta in there.items():
        assert delta == pytest.approx(-back[name], rel=1e-9, abs=1e-6), name


def test_a_total_that_the_parts_do_not_reach_is_told(make_run):
    base, change = make_run(1), make_run(2)
    change.run.kpis["system_cost"] += 0.01
    table = cost_decomposition(base, change, aligned(base, change))
    assert table.holds is False
    assert table.residual == pytest.approx(-0.01)


def test_all_costs_are_those_of_the_summary_and_every_slack(make_run):
    run = make_run(3)
    kpis, (window,) = run.run.kpis, run.run.manifest["windows"]
    relaxed = window["relaxations"]
    jobs = run.run.jobs(["nodes", "due_s", "end_s"])
    never = jobs["end_s"] < 0
    late_h = (jobs["nodes"] * np.maximum(6 * 3600 - jobs["due_s"], 0))[never].sum() / 3600
    expected = kpis["system_cost"] + kpis["carbon_cost"] + kpis["wan_cost"] + kpis["stock_change_cost"]
    expected += 900 * relaxed["shed_mwh"] + 300 * relaxed["overload_mwh"] + 100 * relaxed["spill_mwh"]
    expected += 50 * (relaxed["late_node_h"] + late_h)
    expected += 300 * np.maximum(run.v["site_mw"][:, 1] - 12.0, 0.0).sum()
    assert all_costs(run) == pytest.approx(expected, rel=1e-12)


def test_start_costs_are_said_not_to_be_modelled(make_run):
    base, change = make_run(1), make_run(2)
    (start,) = (p for p in cost_decomposition(base, change, aligned(base, change)).parts if p.name == "start")
    assert (start.base, start.change, start.delta) == (0.0, 0.0, 0.0)
    assert "not modelled" in start.note


def test_another_carbon_price_is_told_from_other_emissions(make_run):
    base, change = make_run(1), make_run(1)
    change.run.scenario["dispatch"]["carbon_price_per_t"] = 40.0
    (carbon,) = (p for p in cost_decomposition(base, change, aligned(base, change)).parts if p.name == "carbon")
    assert carbon.delta == pytest.approx(10.0 * base.run.kpis["co2_t"])
    assert f"{carbon.delta:+,.0f}" in carbon.note


def test_other_money_is_not_subtracted(make_run):
    base, change = make_run(1), make_run(2, currency="CNY")
    for of in (cost_decomposition, payments):
        table = of(base, change, aligned(base, change))
        assert (table.parts, table.total, table.holds) == ((), None, None)
        assert "EUR and in CNY" in table.unavailable


def test_other_buses_leave_the_total_alone(make_run):
    base, change = make_run(1), make_run(2)
    change.run.facts.coords = {"bus": ("a", "b", "x")}
    table = co2_decomposition(base, change, aligned(base, change))
    assert (table.parts, table.holds) == ((), None)
    assert table.total.delta == change.run.kpis["co2_t"] - base.run.kpis["co2_t"]
    assert "different buses" in table.unavailable


def test_runs_of_other_steps_or_times_are_not_matched(make_run):
    base = make_run(1)
    for change, reason in ((make_run(2, step_h=0.5), "steps of 1 h and of 0.5 h"), (make_run(2, first=99), "no step")):
        both = aligned(base, change)
        assert not both.usable
        assert reason in both.overlap.reason
        assert cost_decomposition(base, change, both).holds
        assert co2_decomposition(base, change, both).unavailable


def test_jobs_in_steps_that_only_one_run_has_stay_in_the_comparison(make_run):
    base, longer = make_run(1, steps=4), make_run(5, steps=6)
    for name, values in base.run.values_by_name.items():
        longer.run.values_by_name[name] = np.concatenate([values, longer.run.values_by_name[name][4:]])
    both = aligned(base, longer)
    parts = {part.name: part for part in cost_decomposition(base, longer, both).parts}
    energy = longer.work_mwh[4:]
    assert parts["other_jobs"].change == pytest.approx((longer.v["price_per_mwh"][4:] * energy).sum())
    assert parts["fuel:Coal"].delta == pytest.approx(0.0, abs=1e-9)
    volume = next(part for part in co2_decomposition(base, longer, both).parts if part.name == "volume")
    assert volume.note == f"{energy.sum():+,.0f} MWh"
