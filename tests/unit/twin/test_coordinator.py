from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from gridtwin.economics.tariffs import local_months
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
            for name in ("load_mw", "load_mvar", "available_mw", "inflow_mw", "reserve_mw", "pue", "service_nodes")
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


def test_peaks_go_on_over_windows_and_begin_anew_with_a_local_month(pocket, tmp_path):
    """The run starts on 31 January at 12:00 UTC, 15:00 in a zone of UTC+3: February begins nine hours later.

    Windows take six hours, so that the second ends in another month than it began in and the third goes on with that.
    """
    study = pocket("policy=asap", "time.window=6h")
    coordinator = build(study, RunFolder(tmp_path))
    coordinator.system = replace(coordinator.system, zone_s=3 * 3600)
    coordinator.time = replace(study.time, start=study.time.start.replace(month=1, day=31, hour=12))
    state, drawn, months = initial_twin_state(study), [], []
    assert not state.memory.peak_mw.any()
    for _ in range(4):
        before, state = state, coordinator.advance(state)
        kept = coordinator._kept(before)
        months.append(local_months(kept.instants, 3 * 3600))
        drawn.append(_site_mw(tmp_path, before.window, len(kept.instants)))
        month = np.concatenate(months)
        this = month == month[-1]
        assert state.memory.peak_month == month[-1]
        np.testing.assert_array_equal(state.memory.peak_mw, np.concatenate(drawn)[this].max(axis=0))
    assert [len(set(month)) for month in months] == [1, 2, 1, 1]


def _site_mw(folder, window, steps):
    """Draw at the meters in a window as it was stored (step, site), MW."""
    table = pq.read_table(folder / "windows" / f"w{window:05d}.site.parquet")
    return table["site_mw"].to_numpy().reshape(steps, -1)
