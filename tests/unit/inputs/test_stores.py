# ruff: noqa: E501 - a table of faults reads better one to a line
"""Stores, reserve, links that are dispatched, and series that come true otherwise than scheduled."""

import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study

FAULTS = [
    ("stores.csv", "cell,1", "cell,7", "stores.csv:2:6: unknown bus '7'"),
    ("stores.csv", "lake,2", "lake,7", "stores.csv:3:6: unknown bus '7'"),
    ("stores.csv", "cell,1", "cell,2", "stores.csv:2:6: store stands at bus '2', its site 'east' at '1'"),
    ("stores.csv", "east", "eastt", "stores.csv:2:16: unknown site 'eastt' (did you mean 'east'?)"),
    ("stores.csv", "lake,2", "cell,1,Battery,east,1,1,1,1,1,1,\nlake,2", "stores.csv:3:1: store 'cell' is there twice; the first is in line 2"),
    ("stores.csv", "lake,2", "lake,3", "units.csv:5:7: unit stands at bus '2', its store 'lake' at '3'"),
    ("stores.csv", "river", "rivr", "stores.csv:3:35: unknown inflow, no column of models/tiny/inflow.csv, 'rivr' (did you mean 'river'?)"),
    ("stores.csv", ",river", ",", "stores.csv:3:19: nothing fills this store: charge_mw is 0 and it has no inflow; give one of them"),
    ("stores.csv", "2,1,4", "2,0,4", "stores.csv:2:23: nothing empties store 'cell': discharge_mw is 0 and no unit of models/tiny/units.csv draws on it"),
    ("stores.csv", "0,0,200", "0,9,200", "stores.csv:3:21: discharge_mw is 9 but unit 'hydro' draws on store 'lake'; expected 0"),
    ("stores.csv", "lake,2,Reservoir,", "lake,1,Reservoir,east", "stores.csv:3:18: store 'lake' stands behind the meter of site 'east', but unit 'hydro' draws on it"),
    ("stores.csv", "0.9,0.8", "1.9,0.8", "stores.csv:2:27: efficiency_charge is 1.9; expected at most 1"),
    ("stores.csv", "0.9,0.8", "0.9,0", "stores.csv:2:31: efficiency_discharge is 0; expected a number > 0"),
    ("stores.csv", "0.8,0.25", "0.8,1.25", "stores.csv:2:35: initial_share is 1.25; expected at most 1"),
    ("stores.csv", "0.8,0.25", "0.8,-0.25", "stores.csv:2:35: initial_share is -0.25; expected a number >= 0"),
    ("stores.csv", "2,1,4", "2,1,0", "stores.csv:2:25: energy_mwh is 0; expected a number > 0"),
    ("stores.csv", "initial_share", "initial_shr", "unknown column 'initial_shr' (did you mean 'initial_share'?)"),
    ("units.csv", ",,lake", ",,lak", "units.csv:5:55: unknown store 'lak' (did you mean 'lake'?)"),
    ("units.csv", ",,lake", ",breeze,lake", "units.csv:5:61: unit draws on store 'lake' and follows profile 'breeze'; expected one of the two"),
    ("model.yaml", "stores: {table: stores.csv}\n", "", "units.csv:5:55: unknown store (the model has no table of stores) 'lake'"),
    ("model.yaml", "stores: {table: stores.csv}", "stores: {table: store.csv}", "stores.table: file models/tiny/store.csv does not exist (did you mean 'stores.csv'?)"),
    ("model.yaml", "  inflow: {file: inflow.csv}\n", "", "stores.csv:3:35: unknown inflow (profiles.inflow names no file) 'river'"),
    ("model.yaml", "{availability: {file", "{inflo: {file", "unknown key 'profiles.real_time.inflo' (did you mean 'inflow'?)"),
    ("inflow.csv", "river\n0\n", "river\n-1\n", "inflow.csv:2:1: column 'river' is -1 in row 1 (2020-01-01T00:00:00+08:00); expected numbers >= 0"),
    ("inflow.csv", "river\n0\n", "river\nnan\n", "inflow.csv:2:1: river is nan; expected a number"),
    ("reserve.csv", "up_mw", "up", "models/tiny/reserve.csv:1:1: unknown column 'up' (known: north, south); expected areas of buses, or up_mw alone"),
    ("reserve.csv", "up_mw\n0\n", "up_mw\n-3\n", "reserve.csv:2:1: column 'up_mw' is -3 in row 1"),
    ("came_true.csv", "breeze", "breze", "came_true.csv:1:1: unknown profile, no column of models/tiny/availability.csv, 'breze' (did you mean 'breeze'?)"),
    ("came_true.csv", "breeze\n5\n", "breeze\n", "models/tiny/came_true.csv:1:1: has 239 rows, models/tiny/availability.csv has 240; expected one for each"),
    ("came_true.csv", "breeze\n5\n", "breeze\n51\n", "units.csv:3:15: p_max_mw = 50 is below the 51 MW that profile 'breeze' reaches in models/tiny/came_true.csv"),
    ("links.csv", "schedule_mw\nDC,1,3,20,5", "schedule_mw,dispatched\nDC,1,3,20,5,true", "links.csv:2:11: schedule_mw is 5 at a link that is dispatched, expected 0"),
    ("links.csv", "schedule_mw\nDC,1,3,20,5", "schedule_mw,loss_share\nDC,1,3,20,5,1", "links.csv:2:13: loss_share is 1; expected a share of at least 0, below 1"),
]  # fmt: skip


@pytest.fixture
def lab(lab):
    lab.add_stores()
    return lab


def issues_of(lab, *overrides):
    with pytest.raises(InputError) as raised:
        load_study(lab.scenario, overrides)
    return [str(issue) for issue in raised.value.issues]


@pytest.mark.parametrize(("name", "old", "new", "message"), FAULTS, ids=[f"{f[0]}-{f[3][:40]}" for f in FAULTS])
def test_one_fault(lab, name, old, new, message):
    lab.edit(name, old, new)
    issues = issues_of(lab)
    assert any(message in issue for issue in issues), issues
    assert len(issues) <= 2, "a fault drags others along"


def test_standing_loss(lab):
    lab.edit("stores.csv", "initial_share,inflow", "initial_share,inflow,standing_loss_per_h")
    lab.edit("stores.csv", "0.25,", "0.25,,0.01")
    lab.edit("stores.csv", "0.5,river", "0.5,river,")
    assert load_study(lab.scenario).stores.standing_loss_per_h.tolist() == [0.01, 0]
    lab.edit("stores.csv", "0.25,,0.01", "0.25,,1")
    (issue,) = issues_of(lab)
    assert "stores.csv:2:41: standing_loss_per_h is 1; expected a share of at least 0, below 1" in issue


def test_stores(lab):
    study = load_study(lab.scenario)
    stores = study.stores
    assert (stores.store, stores.technology) == (("cell", "lake"), ("Battery", "Reservoir"))
    assert (stores.bus.tolist(), stores.site.tolist(), stores.inflow.tolist()) == ([0, 1], [0, -1], [-1, 0])
    assert (stores.charge_mw.tolist(), stores.discharge_mw.tolist()) == ([2, 0], [1, 0])
    assert (stores.energy_mwh.tolist(), stores.initial_mwh.tolist()) == ([4, 200], [1, 100])
    assert (stores.efficiency_charge.tolist(), stores.efficiency_discharge.tolist()) == ([0.9, 1], [0.8, 1])
    assert study.units.store.tolist() == [-1, -1, -1, 1]
    assert study.units.profile.tolist() == [-1, 0, -1, -1]
    assert study.counts["stores"] == 2


def test_a_model_may_do_without(lab):
    lab.edit("model.yaml", "stores: {table: stores.csv}\n", "")
    lab.edit("model.yaml", "  inflow: {file: inflow.csv}\n  reserve: {file: reserve.csv}\n", "")
    lab.edit("units.csv", ",,lake", ",,")
    study = load_study(lab.scenario)
    assert (study.stores.store, study.units.store.tolist()) == ((), [-1] * 4)
    assert study.profiles.inflow_mw.shape == (210, 0)
    assert study.profiles.reserve_mw.tolist() == [0] * 210


@pytest.mark.parametrize(
    ("step", "inflow", "reserve"),
    [("1h", [30, 31], [6, 7]), ("30min", [30, 30], [6, 6]), ("2h", [30.5, 32.5], [6.5, 8.5])],
)
def test_inflow_and_reserve_on_the_step_of_the_run(lab, step, inflow, reserve):
    profiles = load_study(lab.scenario, [f"time.step={step}"]).profiles
    assert profiles.inflow_mw[:2, 0].tolist() == inflow
    assert profiles.reserve_mw[:2].tolist() == reserve


def test_a_link_that_is_dispatched(lab):
    assert load_study(lab.scenario).grid.link_dispatched.tolist() == [False]
    lab.edit("links.csv", "schedule_mw\nDC,1,3,20,5", "dispatched,loss_share\nDC,1,3,20,true,0.02")
    grid = load_study(lab.scenario).grid
    assert (grid.link_dispatched.tolist(), grid.link_loss.tolist(), grid.link_schedule_mw.tolist()) == (
        [True],
        [0.02],
        [0],
    )


def test_what_was_scheduled_and_what_comes_true(lab):
    plain, actual = load_study(lab.scenario), load_study(lab.scenario, ["series=real_time"])
    assert plain.day_ahead is None
    assert plain.profiles.available_mw[:2, 0].tolist() == [6, 7]
    assert actual.profiles.available_mw[:2, 0].tolist() == [11, 12]
    assert actual.day_ahead.available_mw[:2, 0].tolist() == [6, 7]
    assert np.array_equal(actual.day_ahead.load_mw, actual.profiles.load_mw)
    assert np.array_equal(actual.profiles.service_nodes, plain.profiles.service_nodes)


def test_columns_that_came_true_as_scheduled_are_left_out(lab):
    lab.edit("model.yaml", "real_time: {", "real_time: {load: {file: true_load.csv}, ")
    (lab.root / "models/tiny/true_load.csv").write_text("south\n" + "7\n" * 240, encoding="utf-8")
    profiles = load_study(lab.scenario, ["series=real_time"]).profiles
    assert profiles.load_mw[0].tolist() == [130 * 0.25, 130 * 0.75, 7]


def test_a_model_that_does_not_know_what_came_true(lab):
    lab.edit("model.yaml", "  real_time: {availability: {file: came_true.csv}}\n", "")
    (issue,) = issues_of(lab, "series=real_time")
    assert "series: model.yaml names no file under profiles.real_time; add what came true, or choose scheduled" in issue


def test_nothing_scheduled_that_could_come_true(lab):
    lab.edit(
        "model.yaml",
        "availability: {file: came_true.csv}",
        "availability: {file: came_true.csv}, inflow: {file: inflow.csv}",
    )
    lab.edit("model.yaml", "  inflow: {file: inflow.csv}\n", "")
    lab.edit("stores.csv", "0,0,200,1,1,0.5,river", "1,0,200,1,1,0.5,")
    (issue,) = issues_of(lab)
    assert "profiles.real_time.inflow: the model has no profiles.inflow that these series could replace" in issue
