import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtwin.audit.job_meter import NEVER_S, job_spells, node_seconds_of_jobs
from gridtwin.results.store import RunData

STEP_S, STEPS, SITES, CLASSES = 10, 5, 2, 3
END_S = STEP_S * STEPS

spell = st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(1, 25), st.integers(0, 12), st.integers(0, 1))
job = st.tuples(
    st.integers(1, 4),
    st.integers(0, CLASSES - 1),
    st.lists(spell, max_size=4),  # each: gap, restart, work, checkpoint (s), site
    st.sampled_from(["ended", "running", "suspended"]),
)


def run_of(jobs):
    """Lay spells out one after the other; the last one ends the job, is cut off by the end, or is a suspension."""
    columns = {"job_start": [], "job_stop": [], "job_end": []}
    runtime = []
    for row, (_, _, spells, fate) in enumerate(jobs):
        now, left = 0, sum(spell[2] for spell in spells) + (0 if fate == "ended" else END_S)
        runtime.append(max(left, 1))
        for place, (gap, restart, work, checkpoint, site) in enumerate(spells):
            load = restart if place else 0
            start = now + gap + load
            now, left = start + work, left - work
            columns["job_start"].append((row, site, start, load))
            last = place == len(spells) - 1
            if last and fate == "ended":
                columns["job_end"].append((row, now))
            elif not last or fate == "suspended":
                columns["job_stop"].append((row, now, checkpoint, left))
                now += checkpoint
    names = {
        "job_start": ("row", "site_index", "start_s", "restart_s"),
        "job_stop": ("row", "stop_s", "checkpoint_s", "left_s"),
        "job_end": ("row", "end_s"),
    }
    events = {
        table: dict(zip(keys, np.array(columns[table], np.int64).reshape(-1, len(keys)).T, strict=True))
        for table, keys in names.items()
    }
    return RunData(
        step_s=STEP_S,
        coords={"site": ("s",) * SITES, "compute_class": ("c",) * CLASSES},
        time=np.arange(STEPS),
        variables={},
        jobs={
            "runtime_s": np.array(runtime, np.int64),
            "nodes": np.array([job[0] for job in jobs], np.int64),
            "class_index": np.array([job[1] for job in jobs], np.int64),
        },
        events=events,
        inputs={},
    )


@given(st.lists(job, max_size=6))
@settings(max_examples=200, deadline=None)
def test_the_job_meter_counts_every_second(jobs):
    expected = {name: np.zeros((STEPS, SITES, CLASSES), np.int64) for name in ("work", "checkpoint", "restart")}

    def count(what, begin, end, site, compute_class, nodes):
        for second in range(begin, min(end, END_S)):
            expected[what][second // STEP_S, site, compute_class] += nodes

    for nodes, compute_class, spells, fate in jobs:
        now = 0
        for place, (gap, restart, work, checkpoint, site) in enumerate(spells):
            pool, last = (site, compute_class, nodes), place == len(spells) - 1
            loaded = now + gap
            start = loaded + (restart if place else 0)
            now = start + work
            count("restart", loaded, start, *pool)
            count("work", start, END_S if last and fate == "running" else now, *pool)
            if not last or fate == "suspended":
                count("checkpoint", now, now + checkpoint, *pool)
                now += checkpoint
    metered = node_seconds_of_jobs(run_of(jobs))
    for name, node_s in expected.items():
        assert getattr(metered, name).dtype == np.int64
        np.testing.assert_array_equal(getattr(metered, name), node_s)
    np.testing.assert_array_equal(metered.busy, sum(expected.values()))


def test_by_hand():
    """Two nodes work for 8 s, save for 3, load for 2 at the other site and work to the end; nobody else is there."""
    jobs = [(9, 0, [], "ended"), (2, 2, [(5, 0, 8, 3, 1), (4, 2, 10, 0, 0)], "ended")]
    run = run_of(jobs)
    spells, metered = job_spells(run), node_seconds_of_jobs(run)
    assert spells.start_s.tolist() == [5, 22]
    assert spells.stop_s.tolist() == [13, 32]
    assert spells.left_before_s.tolist() == [18, 10]
    assert spells.left_after_s.tolist() == [10, 0]
    assert metered.work[:, 1, 2].tolist() == [10, 6, 0, 0, 0]
    assert metered.checkpoint[:, 1, 2].tolist() == [0, 6, 0, 0, 0]
    assert metered.restart[:, 0, 2].tolist() == [0, 0, 4, 0, 0]
    assert metered.work[:, 0, 2].tolist() == [0, 0, 16, 4, 0]
    assert metered.busy[:, :, :2].sum() == 0


def test_a_job_that_runs_when_the_run_ends_has_no_stop():
    run = run_of([(1, 0, [(5, 0, 5, 0, 0)], "running")])
    assert job_spells(run).stop_s.tolist() == [NEVER_S]
    assert node_seconds_of_jobs(run).busy[:, 0, 0].tolist() == [5, 10, 10, 10, 10]
