"""Whole runs in which a plan makes preemptible jobs come and go: ledgers hold, windows leave no seam, files agree."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from gridtwin.audit import close_ledgers
from gridtwin.audit.job_meter import job_spells
from gridtwin.policies import Policy
from gridtwin.results.files import read_columns
from gridtwin.results.reading import read_run
from gridtwin.results.run_facts import read_facts
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state
from gridtwin.twin.closing import close_run
from gridtwin.twin.keeping import keep_inputs
from gridtwin.twin.sessions import Sessions
from gridtwin.twin.state import load_state, save_state

SCENARIO = ("policy=co_dispatch", "workload.batch.0.preemptible_share=0.7", "workload.batch.0.migratable_share=0.5")


@dataclass(frozen=True)
class Waves:
    """Let preemptible jobs have the first site in even steps and the second in odd ones, and nothing every third."""

    policy: Policy

    def decide(self, observation):
        plan = self.policy.decide(observation)
        nodes = np.zeros_like(plan.fleet.compute.preemptible_nodes)
        nodes[0::2, 0], nodes[1::2, 1], nodes[::3] = 30.5, 30.5, 0.0
        compute = replace(plan.fleet.compute, preemptible_nodes=nodes)
        return replace(plan, fleet=replace(plan.fleet, compute=compute))


def advance(study, path, state=None, until=None):
    path.mkdir(exist_ok=True)
    coordinator = build(study, RunFolder(path))
    coordinator.policy = Waves(coordinator.policy)
    if state is None:
        keep_inputs(RunFolder(path), study, coordinator)
    return coordinator, coordinator.run(initial_twin_state(study) if state is None else state, until)


@pytest.fixture(scope="module")
def closed(pocket, tmp_path_factory):
    """Run to the end and close; return what was read back, the summary and the folder."""
    study, path = pocket(*SCENARIO), tmp_path_factory.mktemp("waves")
    coordinator, _ = advance(study, path)
    folder = RunFolder(path)
    summary = close_run(folder, Sessions(path, 0, coordinator.seconds, begun=0.0))
    return read_run(folder, folder.read_journal(), read_facts(folder)), summary, path


def test_every_ledger_holds_while_jobs_come_and_go(closed):
    run, summary, _ = closed
    assert all(ledger.passed for ledger in close_ledgers(run)), close_ledgers(run)
    figures = summary["kpis"]
    assert figures["jobs_unfinished"] == 0
    assert min(figures["jobs_suspended"], figures["jobs_migrated"], figures["migrated_gb"]) > 0
    assert figures["checkpoint_node_h"] == pytest.approx(run.variables["checkpoint_node_s"].sum() / 3600)
    assert figures["migrated_gb"] < figures["wan_gb"]


def test_the_job_file_adds_up_what_events_tell(closed):
    run, summary, path = closed
    jobs, spells = read_columns(path / "jobs.parquet"), job_spells(run)
    assert jobs["suspensions"].sum() == summary["kpis"]["jobs_suspended"] == spells.suspended.sum()
    assert jobs["migrations"].sum() == summary["kpis"]["jobs_migrated"]
    first, last = spells.first == 1, spells.suspended == 0
    np.testing.assert_array_equal(jobs["start_s"][spells.row[first]], spells.start_s[first])
    np.testing.assert_array_equal(jobs["site_index"][spells.row[last]], spells.site[last])
    on_nodes = jobs["runtime_s"] + jobs["checkpoint_s"] + jobs["restart_s"]
    assert (jobs["nodes"] * on_nodes).sum() == run.variables["busy_node_s"].sum()
    assert (jobs["restart_s"][jobs["class_index"] == 1] == 180 * jobs["suspensions"][jobs["class_index"] == 1]).all()


def test_going_on_from_a_saved_state_with_suspended_jobs_gives_the_same_bytes(pocket, closed, tmp_path):
    study, (_, _, straight) = pocket(*SCENARIO), closed
    suspended = 0
    for until in (1, 2, 3):
        _, state = advance(study, tmp_path / "resumed", None if until == 1 else load_state(tmp_path / "state"), until)
        suspended += len(state.compute.suspended_row)
        save_state(state, tmp_path / "state")
    assert suspended > 0
    written = sorted((tmp_path / "resumed" / "windows").iterdir())
    assert written
    assert [file.name for file in written if file.read_bytes() != (straight / "windows" / file.name).read_bytes()] == []


def with_event(run, table, column, change):
    """Change one number of a job that was suspended and resumed."""
    spells = job_spells(run)
    row = spells.row[np.flatnonzero((spells.first == 0) & (spells.suspended == 0))[0]]
    values = run.events[table][column].copy()
    values[np.flatnonzero(run.events[table]["row"] == row)[-1]] += change
    return replace(run, events={**run.events, table: {**run.events[table], column: values}})


@pytest.mark.parametrize(
    ("table", "column", "ledgers"),
    [
        ("job_start", "start_s", {"jobs"}),
        ("job_start", "restart_s", {"node_seconds"}),
        ("job_stop", "stop_s", {"jobs", "node_seconds"}),
        ("job_stop", "checkpoint_s", {"node_seconds"}),
        ("job_stop", "left_s", {"jobs", "node_seconds"}),
        ("job_end", "end_s", {"jobs"}),
    ],
)
def test_one_second_in_one_event_breaks_a_ledger(closed, table, column, ledgers):
    spoilt = close_ledgers(with_event(closed[0], table, column, 1))
    assert ledgers <= {ledger.name for ledger in spoilt if not ledger.passed}


@pytest.mark.parametrize(
    ("name", "ledger"),
    [
        ("checkpoint_node_s", "node_seconds"),
        ("restart_node_s", "node_seconds"),
        ("suspended_nodes", "jobs"),
        ("suspended_jobs", "jobs"),
    ],
)
def test_one_unit_in_one_meter_breaks_a_ledger(closed, name, ledger):
    run = closed[0]
    values = run.variables[name].copy()
    values.flat[-1] += 1
    spoilt = close_ledgers(replace(run, variables={**run.variables, name: values}))
    assert not {found.name: found for found in spoilt}[ledger].passed
