"""Series that go on from their beginning, so that the last jobs can end."""

import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study

WRAP = "time.wrap=true"
LAST_DAY = "time.start=2020-01-10T00:00:00+08:00"
SPARE = 7 * 24


def issue_of(lab, *overrides):
    with pytest.raises(InputError) as raised:
        load_study(lab.scenario, [WRAP, *overrides])
    (issue,) = raised.value.issues
    return str(issue)


def test_jobs_may_arrive_until_the_series_end(lab):
    with pytest.raises(InputError, match=r"or set time\.wrap"):
        load_study(lab.scenario, [LAST_DAY])
    study = load_study(lab.scenario, [LAST_DAY, WRAP])
    profiles = study.profiles
    due_steps = study.time.windows_until(int(study.jobs.due_s.max())) * study.time.window_steps
    assert profiles.model_steps == 24
    assert profiles.steps == due_steps + SPARE + study.time.horizon_steps
    assert profiles.load_mw[23:26].sum(axis=1).tolist() == [339 + 239, 100 + 0, 101 + 1]
    assert profiles.available_mw[23:26, 0].tolist() == [23, 0, 1]
    assert np.array_equal(profiles.service_nodes[24:48], profiles.service_nodes[:24])


@pytest.mark.parametrize(("step", "steps", "after"), [("30min", 48, [100, 100, 102]), ("2h", 12, [101, 105, 109])])
def test_other_steps_wrap_at_the_same_instant(lab, step, steps, after):
    profiles = load_study(lab.scenario, [LAST_DAY, WRAP, f"time.step={step}"]).profiles
    assert profiles.model_steps == steps
    assert profiles.load_mw[steps : steps + 3].sum(axis=1).tolist() == after


def test_series_that_are_long_enough_stay_as_they_are(lab):
    start = "time.start=2020-01-01T00:00:00+08:00"
    plain, wrapped = load_study(lab.scenario, [start]).profiles, load_study(lab.scenario, [start, WRAP]).profiles
    assert plain.steps == plain.model_steps == wrapped.steps == wrapped.model_steps == 240
    assert np.array_equal(plain.load_mw, wrapped.load_mw)


def test_all_hours_may_have_jobs_once(lab):
    start = "time.start=2020-01-01T00:00:00+08:00"
    assert load_study(lab.scenario, [start, WRAP, "time.duration=10d"]).profiles.model_steps == 240
    issue = issue_of(lab, start, "time.duration=11d")
    assert issue.startswith("--set time.duration:1:15: time.duration: 11d is longer than the model's series, 10d")


def test_series_that_cannot_wrap(lab):
    lab.edit("temperature.csv", "town\n10\n10\n", "town\n")
    issue = issue_of(lab)
    assert "temperature.csv covers 238h, models/tiny/load.csv more; series that wrap round must end together" in issue
    for name in ("load.csv", "availability.csv"):
        path = lab.root / "models/tiny" / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-2]))
    assert "time.wrap: the model's series cover 238h, no whole number of days; wrapped, noon" in issue_of(lab)
