"""A run costs no less than its bound, and the parts of the difference add up."""

import json

import pytest

from gridtwin import api
from gridtwin.inputs import parts

WRONG = "forecast={series: {kind: noisy, error: 0.3, load_error: 0.1, correlation_h: 6}}"
DAY_S = 86_400


@pytest.fixture(scope="module", params=["asap", "co_dispatch"])
def found(request, pocket, tmp_path_factory):
    study = pocket(f"policy={request.param}", WRONG)
    out_dir = tmp_path_factory.mktemp("regret")
    finished = api.run(study, out_dir)
    return study, finished, api.regret(study, out_dir, finished)


def test_the_parts_add_up(found):
    _, _, result = found
    total = result["total"]
    assert total["bound"] + total["horizon"] == pytest.approx(total["rolling"])
    assert total["rolling"] + total["execution"] == pytest.approx(total["settled_perfect"])
    assert total["settled_perfect"] + total["forecast_error"] == pytest.approx(total["settled"])
    assert total["horizon"] + total["execution"] + total["forecast_error"] == pytest.approx(total["regret"])


def test_the_bound_is_one_and_is_near(found):
    _, _, result = found
    total = result["total"]
    assert 0.99 * total["settled_perfect"] < total["bound"] < total["settled_perfect"]
    assert -1e-6 * total["bound"] < total["horizon"] < 1e-3 * total["bound"]
    assert all(span["bound_holds"] for span in result["spans"])


def test_errors_cost_and_the_run_says_as_much(found):
    _, finished, result = found
    (span,) = result["spans"]
    kpis = finished.summary["kpis"]
    assert span["forecast_error"] > 1e-4 * span["bound"]
    assert span["settled_by_cause"]["production"] == pytest.approx(kpis["system_cost"])
    assert span["settled_by_cause"]["carbon"] == pytest.approx(kpis["carbon_cost"])
    assert span["settled_by_cause"]["wan"] == pytest.approx(kpis["wan_cost"])
    assert json.loads((finished.run_dir / "regret.json").read_text()) == result


def test_a_perfect_forecast_is_compared_with_itself(pocket, tmp_path):
    study = pocket("policy=co_dispatch")
    result = api.regret(study, tmp_path)
    assert result["total"]["forecast_error"] == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_long_runs_are_sampled(pocket, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "WHOLE_SPAN_S", DAY_S)
    monkeypatch.setattr(parts, "WEEK_S", DAY_S // 2)
    study = pocket("policy=asap")
    drawn = [part.time.start for part in parts.sampled_weeks(study, 2)]
    assert len(set(drawn)) == 2
    assert drawn == sorted(drawn)
    assert [part.time.start for part in parts.sampled_weeks(study, 9)] == [study.time.instant(t) for t in (0, 12, 24)]
    result = api.regret(study, tmp_path, weeks=2)
    assert result["sampled"]
    assert [span["start"] for span in result["spans"]] == [start.isoformat() for start in drawn]
    assert result["total"]["settled"] == pytest.approx(sum(span["settled"] for span in result["spans"]))


def test_a_part_of_a_study_is_its_jobs_on_its_weather(pocket):
    study = pocket("policy=asap")
    part = parts.part_of(study, 12, 12)
    inside = (study.jobs.submit_s >= 12 * 3600) & (study.jobs.submit_s < 24 * 3600)
    assert part.jobs.job.tolist() == study.jobs.job[inside].tolist()
    assert (part.jobs.submit_s + 12 * 3600).tolist() == study.jobs.submit_s[inside].tolist()
    assert (part.jobs.latest_start_s - part.jobs.submit_s).tolist() == (
        (study.jobs.latest_start_s - study.jobs.submit_s)[inside].tolist()
    )
    assert part.time.instant(0) == study.time.instant(12)
    assert (part.profiles.load_mw == study.profiles.load_mw[12:]).all()


@pytest.mark.slow
def test_half_a_day_of_rts_gmlc(tmp_path, request):
    scenario = request.config.rootpath / "scenarios" / "rts_gmlc_day.yaml"
    told = "forecast={series: {kind: noisy, error: 0.15, load_error: 0.03, correlation_h: 6}}"
    total = api.regret(api.load_study(scenario, [told, "time.duration=12h"]), tmp_path)["total"]
    assert 0 < total["horizon"] < 1e-4 * total["bound"]
    assert 0 < total["execution"] < 1e-2 * total["bound"]
    assert 1e-4 * total["bound"] < total["forecast_error"] < 1e-2 * total["bound"]


def test_the_command_line_prints_it(called, tmp_path, request):
    scenario = request.config.rootpath / "tests" / "scenarios" / "pocket.yaml"
    short = ("--out", tmp_path, "--set", "time.duration=12h")
    shown = called("run", scenario, *short, "--set", WRONG, "--regret")
    assert shown.returncode == 0, shown.stderr
    for label in ("regret of the whole run", "lower bound", "forecasts that do not come true", "= settled"):
        assert label in shown.stdout
    told = called("run", scenario, *short, "--regret", "--json")
    total = json.loads(told.stdout)["regret"]["total"]
    assert total["regret"] == pytest.approx(total["settled"] - total["bound"])
