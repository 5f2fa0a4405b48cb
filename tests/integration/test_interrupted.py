"""Whatever stops a run, what is complete is kept, and going on gives what never stopping would have given."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from gridtwin import api
from gridtwin.errors import InputError, LockedError, ResultsError
from gridtwin.results.files import read_columns
from gridtwin.results.store import RunFolder

OF_THE_CLOCK = {"summary.json", "sessions.json", "journal.jsonl"}


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def timeless(summary):
    return {key: value for key, value in summary.items() if key not in {"run_id", "timing_s", "sessions"}}


def require_equal(folder, run):
    """Compare a run that was resumed with one that never stopped."""
    straight, resumed = contents(run.path), contents(folder)
    assert straight.keys() == resumed.keys()
    assert {name for name in straight if straight[name] != resumed[name]} <= OF_THE_CLOCK
    journals = [one["journal.jsonl"].splitlines()[:-1] for one in (straight, resumed)]
    assert journals[0] == journals[1]
    assert timeless(json.loads(resumed["summary.json"])) == timeless(run.summary)


@pytest.mark.parametrize("policy", ["asap", "co_dispatch"])
@pytest.mark.parametrize("windows", [0, 1, 5])
def test_a_stopped_run_goes_on_from_its_folder_alone(stopped, pocket_run, tmp_path, windows, policy):
    folder = stopped(windows, policy)
    moved = tmp_path / "elsewhere" / folder.name
    shutil.move(folder, moved)
    told, progress = [], []
    result = api.resume(moved, progress=lambda done, expected: progress.append((done, expected)), say=told.append)
    assert (result.run_dir, told) == (moved, [])
    assert [done for done, _ in progress] == list(range(windows, progress[-1][0] + 1))
    assert result.summary["sessions"] == 2
    require_equal(moved, pocket_run(policy))
    assert api.verify(moved).holds


def test_it_may_be_stopped_again_and_times_add_up(stopped, pocket_run):
    folder = stopped(1)
    for windows in (1, 3):

        def stop(done, _expected, windows=windows):
            if done == windows:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            api.resume(folder, progress=stop)
    summary = api.resume(folder).summary
    sessions = json.loads((folder / "sessions.json").read_text())
    assert [(session["first_window"], session["windows"]) for session in sessions] == [(0, 1), (1, 1), (1, 3), (3, 6)]
    assert summary["sessions"] == 4
    for phase, seconds in summary["timing_s"].items():
        assert seconds == pytest.approx(sum(one["seconds"].get(phase, 0) for one in sessions), abs=0.01)
    assert next(iter(summary["timing_s"])) == "build"
    assert list(summary["timing_s"])[-1] == "total"
    require_equal(folder, pocket_run("asap"))


def test_leftovers_of_a_crash_are_removed_and_named(stopped, pocket_run):
    folder = stopped(2)
    left_over = (
        "windows/w00002.bus.parquet",
        "windows/w00002.of_old.parquet",
        "windows/.w00002.x.part",
        "state/s00003.npz",
    )
    for name in left_over:
        (folder / name).write_bytes(b"half")
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"previous": "12')
    told = []
    api.resume(folder, say=told.append)
    (said,) = told
    assert said.startswith("removed what the interruption left unfinished: line 4 of journal.jsonl: ")
    for name in left_over:
        assert name in said
    require_equal(folder, pocket_run("asap"))


def test_a_window_whose_state_is_damaged_is_computed_again(stopped, pocket_run):
    folder = stopped(3)
    (folder / "state" / "s00003.npz").write_bytes(b"spoilt")
    told = []
    api.resume(folder, say=told.append)
    assert "window 2, whose state is damaged" in told[0]
    require_equal(folder, pocket_run("asap"))


def test_stopped_while_it_was_closed(stopped, pocket_run, monkeypatch):
    folder = stopped(2)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("gridtwin.twin.closing.write_dataset", stop)
        with pytest.raises(KeyboardInterrupt):
            api.resume(folder)
    assert (folder / "jobs.parquet").exists()
    assert not (folder / "summary.json").exists()
    found = api.verify(folder)
    assert (found.holds, found.finished, found.windows) == (True, False, found.planned_windows)
    api.resume(folder)
    require_equal(folder, pocket_run("asap"))


def test_a_finished_run_is_left_as_it_is(pocket_run):
    run = pocket_run("asap")
    before, told = contents(run.path), []
    result = api.resume(run.path, say=told.append)
    assert told == [f"{run.path} is finished; nothing is left to do"]
    assert result.summary == run.summary
    assert contents(run.path) == before


@pytest.mark.parametrize(
    "name", ["windows/w00000.bus.parquet", "inputs/models/pocket/units.csv", "inputs/run.json", "inputs/jobs.parquet"]
)
@pytest.mark.parametrize("missing", [True, False])
def test_what_was_altered_is_named_and_nothing_is_touched(stopped, name, missing):
    folder = stopped(2)
    if missing:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    before = contents(folder)
    with pytest.raises(ResultsError, match=f"missing or altered since it was written: {name}"):
        api.resume(folder)
    assert contents(folder) == before


def test_a_study_that_was_changed_in_memory_is_not_taken_for_its_files(pocket, tmp_path):
    study = pocket("policy=asap")
    changed = replace(study, grid=replace(study.grid, vm_max_pu=np.full(3, 1.005)))

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.run(changed, tmp_path, progress=stop)
    (folder,) = tmp_path.iterdir()
    with pytest.raises(ResultsError, match="no longer give the grid it began with"):
        api.resume(folder)


def test_another_version_goes_on_with_a_warning(stopped, monkeypatch):
    folder = stopped(2)
    version = dict(api.versions()) | {"highspy": "9.9"}
    monkeypatch.setattr(api, "versions", lambda: version)
    told = []
    api.resume(folder, say=told.append)
    assert "is now 9.9: what follows may differ" in told[0]


def test_inputs_that_change_while_they_are_read_leave_no_folder(pocket, tmp_path):
    study = pocket("policy=asap")
    changed = replace(study, model_hashes=dict.fromkeys(study.model_hashes, "0"))
    with pytest.raises(InputError, match="changed after the study was loaded"):
        api.run(changed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run(tmp_path, stopped):
    with pytest.raises(ResultsError, match="no such folder; pass the folder"):
        api.resume(tmp_path / "nothing")
    with pytest.raises(ResultsError, match="not the folder of a run, it has no journal"):
        api.resume(tmp_path)
    assert list(tmp_path.iterdir()) == []
    folder = stopped(0)
    (folder / "journal.jsonl").write_bytes(b"")
    with pytest.raises(ResultsError, match="stopped before its inputs were kept"):
        api.resume(folder)


def test_a_journal_with_a_line_taken_out_is_refused(stopped):
    folder = stopped(3)
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join([lines[0], *lines[2:]]))
    with pytest.raises(ResultsError, match=r"line 2 of journal\.jsonl: does not follow"):
        api.resume(folder)


def test_only_one_process_writes(stopped, command):
    folder = stopped(1)
    before = contents(folder)
    with RunFolder(folder).locked():
        with pytest.raises(LockedError):
            api.resume(folder)
        for verb in ("resume", "verify"):
            done = command(verb, folder)
            assert (done.returncode, done.stdout) == (7, "")
            assert f"process {os.getpid()} on " in done.stderr
    assert contents(folder) == before


def limited(*arguments, **limits):
    """Run the command line in a process of its own that may not write files beyond a size."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits["bytes"], limits["bytes"]))

    return subprocess.run(
        [sys.executable, "-m", "gridtwin", *map(str, arguments)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_ends_a_run_that_can_go_on(request, pocket_run, tmp_path):
    run = pocket_run("asap")
    scenario = request.path.parents[1] / "scenarios" / "pocket.yaml"
    sizes = {file: file.stat().st_size for file in run.path.rglob("*") if file.is_file()}
    room = sizes.pop(run.path / "results.nc") - 1
    assert room > max(sizes.values())
    done = limited("run", scenario, "--set", "policy=asap", "--out", tmp_path, bytes=room)
    (folder,) = tmp_path.iterdir()
    assert (done.returncode, done.stdout) == (6, "")
    assert "cannot read or write: [Errno 27]" in done.stderr
    assert f"go on with: gridtwin resume {folder}" in done.stderr
    api.resume(folder)
    require_equal(folder, run)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_window_and_says_how_to_go_on(request, tmp_path, kind):
    scenario = request.path.parents[1] / "scenarios" / "pocket.yaml"
    call = [sys.executable, "-m", "gridtwin", "run", str(scenario), "--out", str(tmp_path), "--json"]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline().startswith("gridtwin: run folder ")
    (folder,) = tmp_path.iterdir()
    while not (folder / "sessions.json").exists():
        time.sleep(0.002)
    process.send_signal(kind)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), errors
    assert "stopping after this window" in errors
    assert errors.endswith(f"go on with: gridtwin resume {folder}\n")
    found = api.verify(folder)
    assert found.holds
    assert not found.finished
    assert not [file for file in folder.rglob("*") if ".part" in file.name or file.name == "lock"]
    assert len(list((folder / "windows").iterdir())) % max(found.windows, 1) == 0


def test_jobs_read_back_as_they_were_submitted(pocket_run):
    run = pocket_run("asap")
    stored, jobs = read_columns(run.path / "inputs" / "jobs.parquet"), run.study.jobs
    assert len(stored["job"]) == len(jobs)
    for name in ("submit_s", "runtime_s", "nodes", "due_s", "data_gb", "preemptible"):
        np.testing.assert_array_equal(stored[name], getattr(jobs, name))
    np.testing.assert_array_equal(stored["class_index"], jobs.compute_class)
    assert run.data.jobs["nodes"].dtype == np.int64
