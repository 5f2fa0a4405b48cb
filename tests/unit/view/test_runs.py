"""Runs that are started from the page."""

import json
import os
import signal
import sys
import time

import pytest

from gridtwin.errors import ViewError
from gridtwin.results.saved_run import open_run
from gridtwin.view.listing import RunsFolder, State
from gridtwin.view.runs import MAX_WAITING, Phase, RunQueue
from gridtwin.view.scenarios import Scenarios, named_elsewhere

SLEEPS = "import sys, time; print('gridtwin: run folder x/some_run', file=sys.stderr, flush=True); time.sleep(60)"
STOPS = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
    "print('gridtwin: run folder x/some_run', file=sys.stderr, flush=True)\n"
    "time.sleep(60)"
)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
TELLS = "import sys; print(sys.argv[1:], file=sys.stderr)"


@pytest.fixture
def queue(tmp_path):
    made = []

    def make(code):
        made.append(RunQueue(tmp_path, (sys.executable, "-c", code)))
        return made[-1]

    yield make
    for one in made:
        one.close(patience_s=0.2)


def wait(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def scenarios_dir(tmp_path):
    """A folder with the pocket scenario, which finds its model and jobs beside it."""
    tests = __import__("pathlib").Path(__file__).parents[2]
    (tmp_path / "scenarios").mkdir()
    for name in ("pocket.yaml", "pocket_jobs.csv"):
        (tmp_path / "scenarios" / name).write_bytes((tests / "scenarios" / name).read_bytes())
    (tmp_path / "models").symlink_to(tests / "models")
    return tmp_path / "scenarios"


@pytest.fixture
def page(serve, scenarios_dir, tmp_path):
    (tmp_path / "outputs").mkdir()
    return serve(tmp_path / "outputs", allow_run=True, scenarios_dir=scenarios_dir).enter()


def test_arguments_are_passed_as_a_list_and_never_to_a_shell(queue, tmp_path):
    started = queue(TELLS).run("t", tmp_path / "a.yaml", ["seed=1; touch hacked", "$(touch hacked)", "--out=elsewhere"])
    wait(lambda: started.over)
    assert started.told().strip() == str(
        ["run", f"{tmp_path}/a.yaml", "--set=seed=1; touch hacked", "--set=$(touch hacked)", "--set=--out=elsewhere",
         f"--out={tmp_path}", "--json"]
    )  # fmt: skip


def test_one_works_and_the_others_wait(queue, tmp_path):
    runs = queue(STOPS)
    first, second, third = (runs.run(name, tmp_path, []) for name in "abc")
    assert [one.phase for one in (first, second, third)] == [Phase.RUNNING, Phase.WAITING, Phase.WAITING]
    runs.stop(second)
    assert second.phase is Phase.WITHDRAWN
    wait(lambda: runs.all()[-1].run_id == "some_run")
    assert runs.of_run("some_run") is first
    runs.stop(first)
    wait(lambda: third.phase is Phase.RUNNING)
    assert (first.phase, first.code) == (Phase.ENDED, 130)
    assert "can be resumed" in first.outcome


def test_the_queue_has_an_end(queue, tmp_path):
    runs = queue(SLEEPS)
    for _ in range(MAX_WAITING + 1):
        runs.run("t", tmp_path, [])
    with pytest.raises(ViewError, match="wait already"):
        runs.run("one too many", tmp_path, [])


def test_closing_stops_in_order_and_says_what_was_interrupted(queue, tmp_path):
    runs = queue(STOPS)
    first, second = runs.run("a", tmp_path, []), runs.run("b", tmp_path, [])
    wait(lambda: runs.all()[-1].run_id)
    said = []
    assert runs.close(say=said.append) == [first]
    assert "after the window" in said[0]
    assert second.phase is Phase.WITHDRAWN
    with pytest.raises(ViewError):
        runs.run("c", tmp_path, [])


def test_what_does_not_stop_is_killed(queue, tmp_path):
    runs = queue(STUBBORN)
    started = runs.run("a", tmp_path, [])
    time.sleep(1)
    runs.close(patience_s=0.3)
    assert started.process.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(started.process.pid, 0)


# --- scenarios --------------------------------------------------------------------------------------------------------


def test_scenarios_are_those_that_ship_and_those_of_the_folder(scenarios_dir, tmp_path):
    (tmp_path / "outside.yaml").write_text("model: x")
    (scenarios_dir / "leads_out.yaml").symlink_to(tmp_path / "outside.yaml")
    (scenarios_dir / "notes.txt").write_text("no scenario")
    choices = Scenarios(scenarios_dir).choices()
    assert {"pocket", "rts_gmlc_day"} <= choices.keys()
    assert not {"leads_out", "outside", "notes"} & choices.keys()
    assert "RTS-GMLC" in choices["rts_gmlc_day"].description
    assert not choices["pocket"].shipped


@pytest.mark.parametrize(
    "override",
    [
        "model=../secret", "model=/etc", 'model="\\x2fetc"', "model=~/x", "model=..", "model=a/b", "model=C:\\x",
        "workload.batch.0.trace=/etc/passwd", "workload.batch.0.trace=../../etc/passwd",
        'workload.batch.0.trace="a\\0b"',
    ],
)  # fmt: skip
def test_overrides_name_no_path(scenarios_dir, override):
    choice = Scenarios(scenarios_dir).choices()["pocket"]
    (issue,) = named_elsewhere(choice, [override])
    assert "paths are not taken" in issue.message


def test_overrides_may_name_what_ships(scenarios_dir):
    choice = Scenarios(scenarios_dir).choices()["pocket"]
    assert named_elsewhere(choice, ["model=rts_gmlc", "workload.batch.0.trace=gaia_azure_vm_100k", "seed=2"]) == []


@pytest.mark.parametrize(
    "name", ["../pocket", "/etc/passwd", "..%2fpocket", "pocket\0", "outside", "leads_out", "", "pocket.yaml"]
)
def test_a_scenario_that_is_not_in_the_list_is_not_found(page, name):
    assert page.post("/start", scenario=name, action="start").status == 404
    assert page.queue.all() == []


def test_everything_wrong_is_shown_where_it_stands(page, tmp_path):
    answer = page.post("/start", scenario="pocket", overrides="polcy=asap\ntime.step=x\n<b>nonsense", action="start")
    assert answer.status == 422
    text = answer.text
    assert "--set polcy:1:" in text
    assert "--set time.step:1:" in text
    assert "did you mean" in text
    assert "&lt;b&gt;nonsense" in text
    assert "<b>nonsense" not in text
    assert str(tmp_path) not in text
    assert page.queue.all() == []


def test_a_valid_scenario_is_only_started_when_asked(page):
    answer = page.post("/start", scenario="pocket", overrides="policy=asap", action="check")
    assert answer.status == 200
    assert "pocket is valid" in answer.text
    assert page.queue.all() == []


def test_a_run_is_started_finishes_and_can_be_opened(page, tmp_path):
    answer = page.post("/start", scenario="pocket", overrides="policy=asap", action="start")
    assert answer.status == 303
    where = answer.headers["location"]
    wait(lambda: json.loads(page.get(f"{where}/progress").text)["phase"] == "ended", 120)
    told = json.loads(page.get(f"{where}/progress").text)
    assert told["state"] == "finished"
    assert "run folder outputs/pocket_asap_" in told["log"]
    assert str(tmp_path) not in told["log"]
    assert open_run(tmp_path / "outputs" / told["run_id"]).facts.policy == "asap"
    assert page.get(f"/runs/{told['run_id']}/map").status == 200


def test_an_interrupted_run_is_resumed(serve, stopped):
    folder = stopped()
    page = serve(folder.parent, allow_run=True).enter()
    assert "<button" in page.get(f"/runs/{folder.name}").text
    answer = page.post(f"/runs/{folder.name}/resume")
    assert answer.status == 303
    listing = RunsFolder(folder.parent)
    wait(lambda: listing.find(folder.name).state is State.FINISHED, 120)
    wait(lambda: page.queue.all()[0].over)
    assert page.post(f"/runs/{folder.name}/resume").status == 409
