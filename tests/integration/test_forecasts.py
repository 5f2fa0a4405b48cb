"""What is told is not what comes true, and yet every ledger closes and every job ends."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin import api
from gridtwin.errors import InputError
from gridtwin.policies.registry import POLICIES
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.state import load_state, save_state

WRONG = (
    "forecast={series: {kind: noisy, error: 0.15, load_error: 0.03, correlation_h: 6}, "
    "arrivals: {kind: noisy, error: 0.3, correlation_h: 6}, runtimes: {kind: noisy, sigma: 0.5}}"
)
NAIVE = "forecast={series: persistence, arrivals: persistence}"


@pytest.fixture(scope="module", params=POLICIES)
def wrong(request, pocket, tmp_path_factory, read_stored):
    study = pocket(f"policy={request.param}", WRONG)
    result = api.run(study, tmp_path_factory.mktemp("wrong"))
    return study, result.summary, read_stored(result.run_dir)


def test_ledgers_close_and_jobs_end(wrong):
    _, summary, _ = wrong
    assert all(ledger["pass"] for ledger in summary["ledgers"].values())
    assert summary["kpis"]["jobs_unfinished"] == 0
    assert summary["kpis"]["unserved_mwh"] == summary["kpis"]["overload_mwh"] == 0


def test_what_comes_true_is_what_the_series_say(wrong):
    study, _, data = wrong
    steps = len(data.time)
    np.testing.assert_array_equal(data.variables["load_mw"], study.profiles.load_mw[:steps])
    profiled = study.units.profile >= 0
    actual = study.profiles.available_mw[:steps, study.units.profile[profiled]]
    np.testing.assert_array_equal(data.variables["available_mw"][:, profiled], actual)
    np.testing.assert_array_equal(data.jobs["runtime_s"], study.jobs.runtime_s)
    took_s = data.jobs["end_s"] - data.jobs["start_s"]
    assert (took_s >= data.jobs["runtime_s"]).all()
    assert (took_s == data.jobs["runtime_s"])[~data.jobs["preemptible"]].all()


def test_errors_can_be_computed_from_what_is_stored(wrong):
    study, summary, data = wrong
    error = data.variables["forecast_load_mw"] / data.variables["load_mw"].sum(axis=1) - 1
    assert (error[:: study.time.window_steps] == 0).all()
    assert 0.005 < error.std() < 0.06
    assert summary["kpis"]["forecast_load_mae_mw"] > 0
    assert summary["kpis"]["forecast_available_mae_mw"] > 0


@pytest.mark.parametrize("policy", POLICIES)
def test_a_perfect_forecast_errs_in_nothing(pocket_run, policy):
    run = pocket_run(policy)
    assert {run.summary["kpis"][f"forecast_{what}_mw"] for what in ("load_mae", "available_mae")} == {0.0}
    assert not run.data.variables["forecast_clipped"].any()


@pytest.mark.parametrize("forecast", [WRONG, NAIVE])
def test_a_resumed_run_is_told_the_same(pocket, tmp_path, forecast):
    study = pocket("policy=co_dispatch", forecast)
    for name in ("straight", "resumed"):
        (tmp_path / name).mkdir()
    straight, resumed = (RunFolder(tmp_path / name) for name in ("straight", "resumed"))
    build(study, straight).run(initial_twin_state(study), until=3)
    save_state(build(study, resumed).run(initial_twin_state(study), until=1), tmp_path / "state.npz")
    build(study, resumed).run(load_state(tmp_path / "state.npz"), until=3)
    files = sorted(straight.windows.iterdir())
    assert [file.read_bytes() for file in files] == [(resumed.windows / file.name).read_bytes() for file in files]


def test_file_needs_something_else_to_come_true(pocket):
    with pytest.raises(InputError, match="forecast: file tells what was scheduled while something else comes true"):
        pocket("forecast=file")


def test_what_was_scheduled_is_planned_with_and_what_came_is_settled(pocket, tmp_path, read_stored):
    study = pocket("policy=co_dispatch", "forecast=persistence")
    forecast = study.scenario.forecast
    told = forecast.model_copy(update={"series": forecast.series.model_copy(update={"kind": "file"})})
    scheduled = replace(study.profiles, available_mw=study.profiles.available_mw * 0.8)
    scenario = study.scenario.model_copy(update={"forecast": told})
    study = replace(study, day_ahead=scheduled, scenario=scenario)
    result = api.run(study, tmp_path)
    kpis = result.summary["kpis"]
    profiled = study.units.profile >= 0
    came = read_stored(result.run_dir).variables["available_mw"][:, profiled]
    assert kpis["forecast_available_bias_mw"] == pytest.approx(-0.2 * came.sum(axis=1).mean())
    assert all(ledger["pass"] for ledger in result.summary["ledgers"].values())
