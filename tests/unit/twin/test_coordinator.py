from dataclasses import replace

import numpy as np
import pytest

from gridtwin.policies.registry import POLICIES
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state


@pytest.mark.parametrize("policy", POLICIES)
def test_a_run_drains(pocket_run, policy):
    run = pocket_run(policy)
    data, time = run.data, run.study.time
    assert len(data.time) % time.window_steps == 0
    assert len(data.time) * time.step_s >= run.study.jobs.due_s.max()
    assert len(data.time) > time.submit_steps
    assert (data.jobs["end_s"] > 0).all()
    assert data.jobs["end_s"].max() <= len(data.time) * time.step_s
    assert not data.variables["waiting_nodes"][-1].any()
    assert (np.diff(data.time) == np.timedelta64(time.step_s, "s")).all()


def test_all_policies_cover_the_same_time(pocket_run):
    assert len({len(pocket_run(policy).data.time) for policy in POLICIES}) == 1


def test_progress_is_told_at_the_start_and_after_each_window(pocket, tmp_path):
    study, told = pocket("policy=asap"), []
    coordinator = build(study, RunFolder(tmp_path))
    final = coordinator.run(initial_twin_state(study), until=3, progress=lambda done, total: told.append((done, total)))
    total = coordinator.planned_windows
    assert told == [(done, total) for done in range(4)]
    assert final.window == 3
    assert coordinator.seconds.keys() == {"decide", "apply", "settle", "record"}


def test_a_run_that_is_over_goes_no_further(pocket, tmp_path):
    study = pocket("policy=asap")
    coordinator = build(study, RunFolder(tmp_path))
    final = coordinator.run(initial_twin_state(study))
    written = sorted((tmp_path / "windows").iterdir())
    assert coordinator.run(final) is final
    assert sorted((tmp_path / "windows").iterdir()) == written


def test_profiles_that_end_before_the_jobs_do(pocket, tmp_path):
    study = pocket("policy=asap")
    short = replace(
        study.profiles,
        **{
            name: getattr(study.profiles, name)[:30]
            for name in ("load_mw", "load_mvar", "available_mw", "pue", "service_nodes")
        },
    )
    coordinator = build(replace(study, profiles=short), RunFolder(tmp_path))
    told = []
    final = coordinator.run(initial_twin_state(study), progress=lambda done, total: told.append((done, total)))
    assert final.window == coordinator.planned_windows == 2
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert final.compute.next_row < len(study.jobs)
    assert coordinator.run(final) is final
    assert len(list((tmp_path / "windows").glob("*.solver.parquet"))) == 2


def test_a_fleet_that_falls_behind_needs_more_windows_than_were_planned(pocket, tmp_path):
    study = pocket("policy=asap", "workload.batch.0.jobs_per_day=2400", "time.duration=12h")
    coordinator = build(study, RunFolder(tmp_path))
    final = coordinator.run(initial_twin_state(study))
    assert final.window > coordinator.planned_windows
    assert len(final.compute.running_row) == len(final.compute.waiting_row) == 0


def test_the_next_window_starts_from_the_settled_output(pocket_run, pocket, tmp_path):
    study = pocket("policy=co_dispatch")
    state = build(study, RunFolder(tmp_path)).run(initial_twin_state(study), until=2)
    data = pocket_run("co_dispatch").data
    last = 2 * study.time.window_steps - 1
    np.testing.assert_array_equal(state.memory.unit_mw, data.variables["unit_mw"][last])
    flow = (data.variables["from_mw"] - data.variables["to_mw"])[: last + 1] / 2
    by_hour = {study.time.step_of_day(step): flow[step] for step in range(last + 1)}
    for hour, expected in by_hour.items():
        np.testing.assert_array_equal(state.memory.flow_mw[hour], expected)
