import json

import pytest

from gridtwin.errors import InputError
from gridtwin.scenario.load import load_scenario, read_scenario


def issues_of(path, overrides=()):
    with pytest.raises(InputError) as raised:
        load_scenario(path, overrides)
    return [str(issue) for issue in raised.value.issues]


def test_defaults(write):
    scenario = load_scenario(write()).value
    assert (scenario.time.step, scenario.time.window, scenario.time.horizon) == (3600, 86_400, 172_800)
    assert (scenario.policy, scenario.compute.discipline) == ("co_dispatch", "edf")
    assert scenario.forecast.perfect
    assert scenario.workload.batch[0].nodes_per_core == 1
    assert scenario.policies.co_dispatch.capacity_margin == 0.1


def test_resolved_is_json_and_loads_again(write, tmp_path):
    scenario = load_scenario(write(), ["time.step=15min", "seed=3"]).value
    text = json.dumps(scenario.resolved())
    assert '"step": "15min"' in text
    (tmp_path / "again.yaml").write_text(text)
    assert load_scenario(tmp_path / "again.yaml").value == scenario


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("duration: 1d", "durration: 1d"), "s.yaml:2:42: unknown key 'time.durration' (did you mean 'duration'?)"),
        (("duration: 1d", "durration: 1d"), "s.yaml:2:7: 'time.duration' is missing: How long jobs arrive"),
        (("-07:00", ""), "s.yaml:2:15: time.start: time 2020-07-01T00:00:00 has no zone"),
        (("duration: 1d", "duration: 24"), "s.yaml:2:52: time.duration: expected a duration in whole seconds"),
        (
            ("duration: 1d", "duration: 10h, step: 4h"),
            "s.yaml:2:52: time.duration: 10h is not a multiple of time.step = 4h",
        ),
        (
            ("duration: 1d", "duration: 1d, horizon: 6h"),
            "s.yaml:2:65: time.horizon: 6h is shorter than time.window = 1d",
        ),
        (("jobs_per_day: 5", "jobs_per_day: 0"), "jobs_per_day: expected greater than 0, got 0"),
        (("jobs_per_day: 5", "jobs_per_day: .inf"), "jobs_per_day: expected a finite number, got inf"),
        (("{o: 1}", "{o: 0.5}"), "origin_shares: shares add to 0.5, expected 1"),
        (("{day: 1}", "{dya: 1}"), "s.yaml:7:100: unknown delay class 'dya' (did you mean 'day'?)"),
        (("[1h, 72h]", "[72h, 1h]"), "s.yaml:5:18: workload.duration_bins: duration bins must ascend"),
        (("model: m", "model: m\nmodel: n"), "s.yaml:2:1: key 'model' is given twice; the first is in line 1"),
        (
            ("model: m", "model: m\npolicy: co_dispach"),
            "policy: expected 'asap', 'co_dispatch' or 'customer', got 'co_dispach' (did",
        ),
        (("model: m", "model: m\ncompute: {discipline: fifo}"), "expected 'edf' or 'fcfs', got 'fifo'"),
        (("workload:", "wrkload:"), "s.yaml:3:1: unknown key 'wrkload' (did you mean 'workload'?)"),
        (("model: m\n", ""), "'model' is missing: Name of a shipped model"),
    ],
)
def test_one_fault_one_message_at_its_place(write, edit, message):
    assert any(message in issue for issue in issues_of(write(edit)))


@pytest.mark.parametrize("step", ["5h", "7h", "2d", "7min"])
def test_a_step_divides_the_day(write, step):
    (issue,) = issues_of(write(("duration: 1d", f"duration: 70d, step: {step}, window: 70d, horizon: 70d")))
    assert issue.startswith(f"s.yaml:2:63: time.step: a day is no whole number of steps of {step}; choose one that")


@pytest.mark.parametrize("step", ["1min", "15min", "90min", "8h", "12h", "1d"])
def test_steps_that_divide_the_day(write, step):
    assert load_scenario(write(), [f"time.step={step}"]).value.time.step


def test_names_are_unique(write):
    stream = (
        "    - {name: a, trace: t, compute_class: c, jobs_per_day: 5, origin_shares: {o: 1}, delay_shares: {day: 1}}\n"
    )
    assert "s.yaml:8:14: workload.batch.1.name: 'a' is already the name of another" in issues_of(write(more=stream))


def test_all_faults_at_once(write):
    path = write(("-07:00", ""), ("jobs_per_day: 5", "jobs_per_day: -5"), ("{day: 1}", "{dya: 1}"), more="sed: 1\n")
    issues = issues_of(path, ["policy=nothing", "time.windw=1h"])
    assert len(issues) == 6


def test_overrides_are_checked_like_the_file(write):
    path = write()
    assert load_scenario(path, ["time.duration=7d", "time.duration=2d"]).value.time.duration == 172_800
    (issue,) = issues_of(path, ["time.duration=soon"])
    assert issue.startswith("--set time.duration:1:15: time.duration: expected a duration in whole seconds")
    assert issue.endswith("such as 15min or 7d, got 'soon'")
    assert issues_of(path, ["time.durration=7d"]) == [
        "--set time.durration:1:16: unknown key 'time.durration' (did you mean 'duration'?)"
    ]


@pytest.mark.parametrize("text", ["", "just text", "- a\n- b"])
def test_files_that_hold_no_scenario(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text)
    (issue,) = issues_of(tmp_path / "s.yaml", ["a=1"])
    assert "a scenario starts with" in issue


def test_what_is_sound_stays_usable(write):
    issues = []
    located = read_scenario(write(("jobs_per_day: 5", "jobs_per_day: -5"), ("duration: 1d", "duration: 2")), (), issues)
    assert len(issues) == 2
    assert located.value.workload.batch[0].trace == "t"
    assert located.sound("workload", "batch", 0, "trace")
    assert not located.sound("workload", "batch", 0, "jobs_per_day")
    assert not located.sound("workload", "batch", 0)
    assert not located.sound("time")
    assert located.sound("model")


@pytest.mark.parametrize("text", ["model: 5\ntime: 3\nworkload: {batch: [3], delay_classes: x}\n", "model: {a: 1}\n"])
def test_any_fault_has_a_stand_in(tmp_path, text):
    issues = []
    (tmp_path / "s.yaml").write_text(text)
    assert read_scenario(tmp_path / "s.yaml", (), issues).value is not None
    assert issues


def test_services_of_a_class_run_at_one_utilisation(write):
    service = "{name: %s, compute_class: %s, requests_per_s: {o: 1}, throughput_per_node: 1, target_utilization: %s}"
    listed = "".join(f"    - {service % row}\n" for row in (("b", "c", 0.5), ("d", "e", 0.7), ("f", "c", 0.6)))
    (issue,) = issues_of(write(more=f"  services:\n{listed}"))
    assert issue.startswith(
        "s.yaml:11:103: workload.services.2.target_utilization: 0.6, but service 'b' of class 'c' has"
    )


def test_delays_from_minutes_to_a_week(write):
    delays = "{prompt: 5min, hour: 1h, day: 24h, week: 7d}"
    workload = load_scenario(write(("{day: 24h}", delays))).value.workload
    assert list(workload.delay_classes.values()) == [300, 3600, 86_400, 604_800]
