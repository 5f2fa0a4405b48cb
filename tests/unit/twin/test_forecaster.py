from dataclasses import replace

import numpy as np
import pytest

from gridtwin.results.store import RunFolder
from gridtwin.scenario.forecast import Forecasts
from gridtwin.twin.build import build, initial_twin_state

NOISY = {"kind": "noisy", "error": 0.4, "correlation_h": 4.0}
HOUR_S = 3600


def built(study, tmp_path, **kinds):
    scenario = study.scenario.model_copy(update={"forecast": Forecasts.model_validate(kinds)})
    return build(replace(study, scenario=scenario), RunFolder(tmp_path))


def told(study, tmp_path, window=0, steps=36, **kinds):
    coordinator = built(study, tmp_path, **kinds)
    state = coordinator.run(initial_twin_state(study), until=window)
    return coordinator.forecaster.tell(window, state.compute, steps)


@pytest.fixture(scope="module")
def study(pocket):
    return pocket("policy=asap", "forecast.runtimes={kind: noisy, sigma: 0.5}")


def test_a_perfect_forecast_is_the_run_itself(pocket, tmp_path):
    study = pocket("policy=asap")
    known = told(study, tmp_path)
    assert known.jobs is study.jobs
    np.testing.assert_array_equal(known.series.load_mw, study.profiles.load_mw[:36])
    assert not known.clipped.any()


def test_persistence_repeats_the_last_day(pocket, tmp_path):
    study = pocket("policy=asap")
    known = told(study, tmp_path, window=3, series="persistence")
    before = [*range(12, 36), *range(12, 24)]
    for name in ("load_mw", "load_mvar", "available_mw", "inflow_mw"):
        np.testing.assert_array_equal(getattr(known.series, name), getattr(study.profiles, name)[before])
    for name in ("pue", "service_nodes", "reserve_mw"):
        np.testing.assert_array_equal(getattr(known.series, name), getattr(study.profiles, name)[36:72])


def test_file_tells_what_was_scheduled(pocket, tmp_path):
    study = pocket("policy=asap")
    scheduled = replace(study.profiles, load_mw=study.profiles.load_mw * 0.9)
    known = told(replace(study, day_ahead=scheduled), tmp_path, series="file")
    np.testing.assert_array_equal(known.series.load_mw, scheduled.load_mw[:36])


def test_noise_spares_the_present_and_stays_within_what_can_be(pocket, tmp_path):
    study = pocket("policy=asap")
    known = told(study, tmp_path, series=NOISY | {"load_error": 0.01})
    actual = study.profiles.available_mw[:36]
    np.testing.assert_array_equal(known.series.available_mw[0], actual[0])
    most = np.array([study.units.p_max_mw[study.units.profile == i].max() for i in range(actual.shape[1])])
    assert (known.series.available_mw >= 0).all()
    assert (known.series.available_mw <= np.maximum(most, actual)).all()
    assert known.clipped.sum() > 0
    ratio = known.series.load_mw / study.profiles.load_mw[:36]
    assert 0 < np.abs(np.nan_to_num(ratio, nan=1.0) - 1).max() < 0.05
    np.testing.assert_allclose(np.nanmin(ratio, axis=1), np.nanmax(ratio, axis=1))  # one error for all load


def test_noise_is_the_same_again_and_another_in_the_next_window(pocket, tmp_path):
    study = pocket("policy=asap")
    first, again, later = (told(study, tmp_path / str(i), window=w, series=NOISY) for i, w in enumerate((1, 1, 2)))
    np.testing.assert_array_equal(first.series.load_mw, again.series.load_mw)
    error, other = (
        (seen.series.load_mw.sum(axis=1) / study.profiles.load_mw[at : at + 36].sum(axis=1))
        for seen, at in ((first, 12), (later, 24))
    )
    assert not np.allclose(error[1:], other[1:])


def test_believed_runtimes_are_estimates_and_perfect_arrivals_those_that_come(study, tmp_path):
    known = told(study, tmp_path, window=1, steps=12, runtimes={"kind": "noisy", "sigma": 0.5})
    jobs = study.jobs
    there = known.compute.next_row
    assert there == len(known.compute.waiting_row) + len(known.compute.running_row) > 0
    coming = np.flatnonzero((jobs.submit_s >= 12 * HOUR_S) & (jobs.submit_s < 24 * HOUR_S))
    np.testing.assert_array_equal(known.jobs.submit_s[there:], jobs.submit_s[coming])
    np.testing.assert_array_equal(known.jobs.runtime_s[there:], jobs.estimate_s[coming])
    assert (jobs.estimate_s != jobs.runtime_s).mean() > 0.9
    end_s = known.compute.running_start_s + known.jobs.runtime_s[known.compute.running_row]
    assert (end_s > known.compute.now_s).all()


def test_arrivals_of_yesterday_are_expected_until_submissions_end(study, tmp_path):
    known = told(study, tmp_path, window=2, steps=36, arrivals="persistence")
    jobs, there = study.jobs, known.compute.next_row
    before = jobs.submit_s[jobs.submit_s < 12 * HOUR_S]  # the run's submissions end after 36 h
    np.testing.assert_array_equal(known.jobs.submit_s[there:], before + 24 * HOUR_S)


def test_noisy_arrivals_are_the_coming_ones_thinned_or_doubled(study, tmp_path):
    known = told(study, tmp_path, steps=36, arrivals=NOISY)
    expected = np.bincount(known.jobs.submit_s // HOUR_S, minlength=36)
    actual = np.bincount(study.jobs.submit_s // HOUR_S, minlength=36)
    assert expected[0] == actual[0]
    assert 0.05 < np.abs(expected / actual - 1).mean() < 0.8
    assert np.isin(known.jobs.submit_s, study.jobs.submit_s).all()


def test_profiles_of_a_technology_share_their_error(pocket, tmp_path):
    study = pocket("policy=asap")
    one_of_each = np.flatnonzero(study.units.profile >= 0)
    names = list(study.units.technology)
    names[one_of_each[0]] = "another"
    series = replace(study.profiles, available_mw=np.full_like(study.profiles.available_mw, 10.0))
    units = replace(study.units, p_max_mw=np.full_like(study.units.p_max_mw, 1e3))

    def ratios(technology):
        known = told(
            replace(study, profiles=series, units=replace(units, technology=tuple(technology))), tmp_path, series=NOISY
        )
        return known.series.available_mw[1:, study.units.profile[one_of_each]] / 10.0

    alike, apart = ratios(["wind"] * len(names)), ratios(names)
    np.testing.assert_allclose(alike, np.broadcast_to(alike[:, :1], alike.shape))
    assert not np.allclose(apart[:, 0], apart[:, 1])


def test_a_policy_measures_jobs_by_their_estimates(pocket, tmp_path):
    study = pocket("policy=co_dispatch", "forecast.runtimes={kind: noisy, sigma: 0.5}")
    shape, jobs = build(study, RunFolder(tmp_path)).policy.shape, study.jobs
    first = (jobs.compute_class == 0) & (jobs.duration_bin == 0)
    mean_s = np.average(jobs.estimate_s[first], weights=jobs.nodes[first])
    assert shape.mean_runtime_h[0, 0] == pytest.approx(mean_s / HOUR_S)
    assert mean_s != pytest.approx(np.average(jobs.runtime_s[first], weights=jobs.nodes[first]))
