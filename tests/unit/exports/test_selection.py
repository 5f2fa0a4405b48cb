"""What is chosen of a run, and what steps become when they are made longer."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gridtwin.errors import ResultsError
from gridtwin.exports.selection import MAKE, RECORDS, Selection, choose, record_file, select
from gridtwin.exports.signs import CONVENTIONS, signs
from gridtwin.results.saved_run import SavedRun, open_run
from gridtwin.results.variables import tables, variables

BEGIN = datetime(2020, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def run(pocket_run) -> SavedRun:
    return open_run(pocket_run("co_dispatch").path)


def instants(*texts: str) -> list[np.datetime64]:
    return [np.datetime64(text) for text in texts]


def test_without_a_selection_everything_is_there_as_it_was_stored(run):
    dataset = select(run, Selection())
    assert list(dataset.data_vars) == list(variables())
    unlike = [name for name in variables() if not np.array_equal(dataset[name], run.values(name), equal_nan=True)]
    assert unlike == []
    assert dataset.sizes == run.dataset.sizes


def test_patterns_name_variables_tables_and_records(run):
    chosen = choose(run, Selection(variables=("site_*", "link", "jobs")))
    assert chosen.names == ("site_mw", "link_mw", "contract_mw")
    assert chosen.records == ("jobs",)
    assert set(chosen.tables) == {"site", "link"}


@pytest.mark.parametrize(
    ("pattern", "hint"), [("site_wm", "site_mw"), ("prise_per_mwh", "price_per_mwh"), ("job", "jobs"), ("n2*", "known")]
)
def test_a_pattern_that_names_nothing_is_answered_with_the_nearest(run, pattern, hint):
    with pytest.raises(ResultsError, match=hint):
        choose(run, Selection(variables=("site_mw", pattern)))


def test_steps_that_begin_in_the_time_are_taken_and_the_windows_that_they_meet(run):
    chosen = choose(run, Selection(start=BEGIN + timedelta(hours=11, minutes=1), end=BEGIN + timedelta(hours=13)))
    assert chosen.time.tolist() == instants("2020-01-02T12:00:00")
    assert chosen.labels("window") == (1,)
    assert np.array_equal(chosen.values("load_mw"), run.values("load_mw")[12:13])
    assert chosen.values("objective").tolist() == run.values("objective")[1:2].tolist()


@pytest.mark.parametrize(("hours", "length"), [(-5, 5), (24 * 300, 1)])
def test_a_time_without_steps_is_refused_and_the_runs_own_is_told(run, hours, length):
    start = BEGIN + timedelta(hours=hours)
    with pytest.raises(ResultsError, match="the run covers 2020-01-02T00:00:00"):
        choose(run, Selection(start=start, end=start + timedelta(hours=length)))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"start": BEGIN, "end": BEGIN}, "the end must be the later"),
        ({"start": datetime(2020, 1, 1)}, "has no zone"),  # noqa: DTZ001
        ({"resample_s": 0}, "cannot resample"),
        ({"resample_s": 7 * 3600}, "part of a day"),
        ({"resample_s": 90_000}, "whole days"),
        ({"zone": "Asia/Shangai"}, "did you mean 'Asia/Shanghai'"),
        ({"zone": "../../etc/passwd"}, "unknown time zone"),
        ({"zone": ""}, "unknown time zone"),
        ({"convention": "pandpower"}, "did you mean 'pandapower'"),
    ],
)
def test_what_cannot_be_is_refused(wrong, says):
    with pytest.raises(ResultsError, match=says):
        Selection(**wrong)


def test_money_stands_for_the_whole_run(run):
    assert "money" in choose(run, Selection()).records
    assert "money" not in choose(run, Selection(start=BEGIN)).records
    with pytest.raises(ResultsError, match="settled over the whole run"):
        choose(run, Selection(variables=("money",), start=BEGIN))


# --- longer steps -----------------------------------------------------------------------------------------------------


def by_hand(values: np.ndarray, rule: str) -> np.ndarray:
    """Make one of many, the slow way."""
    first = values[0] * 1.0
    for value in values[1:]:
        first = {"max": np.maximum, "min": np.minimum}[rule](first, value) if rule in ("max", "min") else first + value
    return values[-1] if rule == "last" else first / len(values) if rule == "mean" else first


@pytest.mark.parametrize("variable", [v for v in variables().values() if v.dims[0] == "time"], ids=lambda v: v.name)
def test_each_variable_follows_its_rule(run, variable):
    chosen = choose(run, Selection(resample_s=6 * 3600))
    values, stored = chosen.values(variable.name), run.values(variable.name)
    assert chosen.steps.sum() == len(run.time)
    for made, first, last in zip(values, chosen.edges[:-1], chosen.edges[1:], strict=True):
        np.testing.assert_allclose(made, by_hand(stored[first:last], variable.resample), rtol=1e-12, atol=1e-12)


def test_every_variable_along_time_has_a_rule_and_no_other():
    assert {v.resample for v in variables().values()} - {""} == MAKE.keys()
    assert [v.name for v in variables().values() if bool(v.resample) != (v.dims[0] == "time")] == []


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("unit_mw", "mean"),
        ("moved_gb", "sum"),
        ("busy_node_s", "sum"),
        ("production_cost", "sum"),
        ("co2_kg", "sum"),
        ("stored_mwh", "last"),
        ("waiting_nodes", "last"),
        ("ac_converged", "min"),
        ("price_degenerate", "max"),
    ],
)
def test_the_rules_are_those_of_energy_counts_and_levels(name, rule):
    assert variables()[name].resample == rule


def test_energy_is_kept(run):
    chosen = choose(run, Selection(resample_s=86_400, zone="America/New_York"))
    mwh = (chosen.values("unit_mw") * chosen.steps[:, None]).sum() * run.step_h
    assert mwh == pytest.approx(run.values("unit_mw").sum() * run.step_h, rel=1e-12)


def test_days_begin_at_midnight_of_the_zone_and_the_first_may_be_short(run):
    chosen = choose(run, Selection(resample_s=86_400, zone="Asia/Shanghai"))
    assert chosen.time[:2].tolist() == instants("2020-01-01T16:00:00", "2020-01-02T16:00:00")
    assert chosen.ends[0] == chosen.time[1]
    assert chosen.steps[:2].tolist() == [16, 24]
    assert chosen.local_texts()[0] == "2020-01-02T00:00:00+08:00"


def test_a_zone_whose_midnight_no_step_begins_at_is_refused(run):
    assert choose(run, Selection(zone="Asia/Kolkata")).local_texts()[0] == "2020-01-02T05:30:00+05:30"
    with pytest.raises(ResultsError, match="do not fill that from midnight in Asia/Kolkata"):
        choose(run, Selection(zone="Asia/Kolkata", resample_s=86_400))


def test_steps_are_not_made_shorter(run):
    with pytest.raises(ResultsError, match="take a multiple of the step"):
        choose(run, Selection(resample_s=900))


def test_days_on_which_clocks_change_have_23_or_25_hours(run, monkeypatch):
    zone = ZoneInfo("America/New_York")
    for day, hours in ((datetime(2020, 3, 8, tzinfo=zone), 23), (datetime(2020, 11, 1, tzinfo=zone), 25)):
        begin = np.datetime64(int(day.timestamp()), "s")
        time = begin + np.arange(len(run.time)) * np.timedelta64(3600, "s")
        monkeypatch.setattr(SavedRun, "time", property(lambda _, time=time: time.astype("datetime64[ns]")))
        assert choose(run, Selection(resample_s=86_400, zone=zone.key)).steps[0] == hours
        quarters = choose(run, Selection(resample_s=6 * 3600, zone=zone.key))
        assert quarters.steps[:5].sum() == (24 + 5 if hours == 23 else 6 * 4 + 1)
        assert (quarters.steps[:-1] <= 6).all()
        assert len(set(quarters.time.tolist())) == len(quarters.time)


# --- signs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_signs_are_turned_where_the_table_says_so_and_nowhere_else(run, convention):
    turned = {name for name, sign in signs(convention).items() if sign.factor < 0}
    assert turned <= variables().keys()
    chosen = choose(run, Selection(convention=convention))
    for name in (v.name for v in variables().values() if v.dims[0] == "time"):
        expected = -run.values(name) if name in turned else run.values(name)
        assert np.array_equal(chosen.values(name), expected, equal_nan=True), name
        assert not (np.signbit(chosen.values(name)) & (chosen.values(name) == 0) & (name in turned)).any()


def test_stores_have_the_sign_of_each_tool(run):
    net_mw = run.values("charge_mw") - run.values("discharge_mw")
    assert np.abs(net_mw).max() > 0
    for convention, expected in (("pandapower", net_mw), ("pypsa", -net_mw)):
        chosen = choose(run, Selection(convention=convention))
        assert np.array_equal(chosen.values("charge_mw") + chosen.values("discharge_mw"), expected)


def test_a_turned_variable_says_so(run):
    dataset = select(run, Selection(variables=("bus_mw",), convention="pandapower"))
    assert "positive out of the grid" in dataset["bus_mw"].attrs["long_name"]
    assert dataset.attrs["sign_convention"] == "pandapower"


def test_the_records_are_files_of_a_run(run):
    assert {name for name in RECORDS if record_file(run, name).is_file()} == {"jobs", "money", "findings"}
    assert not RECORDS.keys() & (variables().keys() | tables().keys())
