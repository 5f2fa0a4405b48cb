from dataclasses import replace

import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.records import QueueAxes
from gridtwin.workload.bursts import Burst
from gridtwin.workload.streams import BatchStream, generate_jobs
from gridtwin.workload.traces import Trace

HOUR_S, DAY_S = 3600, 86_400
AXES = QueueAxes(("west", "east"), ("general", "intelligent"), ("prompt", "day"), (HOUR_S, 100 * HOUR_S))
DELAY_S = {"prompt": HOUR_S, "day": DAY_S}
POOLS = np.array([[100, 50], [100, 50]])


def trace(jobs: int = 1000, days: int = 10, seed: int = 0) -> Trace:
    rng = np.random.default_rng(seed)
    return Trace(
        submit_s=np.r_[np.sort(rng.integers(0, days * DAY_S, jobs - 1)), days * DAY_S - 1],
        runtime_s=rng.integers(60, 20 * HOUR_S, jobs),
        cores=rng.integers(1, 9, jobs) / 2.0,
    )


def stream(**changes) -> BatchStream:
    base = BatchStream(
        name="batch",
        trace=trace(),
        compute_class="general",
        jobs_per_day=2000.0,
        nodes_per_core=1.0,
        origin_shares={"west": 0.25, "east": 0.75},
        delay_shares={"prompt": 0.4, "day": 0.6},
        preemptible_share=0.5,
        migratable_share=0.0,
        checkpoint_s=0,
        restart_s=0,
        checkpoint_gb_per_node=0.0,
        data_gb_per_node_median=10.0,
        data_gb_per_node_sigma=1.0,
    )
    return replace(base, **changes)


def generate(*streams: BatchStream, **changes):
    arguments = {
        "axes": AXES,
        "allowed_delay_s": DELAY_S,
        "duration_s": 10 * DAY_S,
        "trace_offset_s": 0,
        "pool_nodes": POOLS,
        "max_share_of_pool": 0.1,
        "wide_jobs": "split",
        "seed": 7,
    }
    return generate_jobs(streams, **(arguments | changes))


def columns(jobs, rows=slice(None)):
    names = ("submit_s", "runtime_s", "nodes", "due_s", "origin", "delay_class", "data_gb", "preemptible")
    return [getattr(jobs, name)[rows].tolist() for name in names]


def test_replication_reaches_the_asked_rate_and_shares():
    jobs, counts = generate(stream())
    assert len(jobs) == pytest.approx(20_000, rel=0.005)
    assert counts["replication_permille_batch"] == 20_000
    assert counts["jobs_batch"] == len(jobs) == counts["jobs_drawn"]
    assert np.mean(jobs.origin == 0) == pytest.approx(0.25, abs=0.01)
    assert np.mean(jobs.delay_class == 0) == pytest.approx(0.4, abs=0.01)
    assert np.mean(jobs.preemptible) == pytest.approx(0.5, abs=0.01)
    gb_per_node = jobs.data_gb / jobs.nodes
    assert np.median(gb_per_node) == pytest.approx(10.0, rel=0.03)
    assert np.log(gb_per_node).std() == pytest.approx(1.0, rel=0.03)


def test_jobs_are_well_formed():
    jobs, _ = generate(stream())
    assert (np.diff(jobs.submit_s) >= 0).all()
    assert jobs.submit_s.min() >= 0
    assert jobs.submit_s.max() < 10 * DAY_S
    assert jobs.job.tolist() == list(range(len(jobs)))
    np.testing.assert_array_equal(jobs.latest_start_s - jobs.submit_s, np.array([HOUR_S, DAY_S])[jobs.delay_class])
    assert {values.dtype.kind for values in (jobs.submit_s, jobs.nodes, jobs.origin, jobs.compute_class)} == {"i"}


def test_arrivals_follow_the_hours_of_the_trace():
    source = trace()
    jobs, _ = generate(stream(trace=source, jobs_per_day=source.jobs_per_day * 5))
    expected = np.bincount(source.submit_s // HOUR_S, minlength=240) * 5
    np.testing.assert_array_equal(np.bincount(jobs.submit_s // HOUR_S, minlength=240), expected)


def test_runtime_and_width_are_drawn_together():
    source = trace()
    jobs, _ = generate(stream(trace=source))
    known = set(zip(source.runtime_s.tolist(), np.ceil(source.cores).tolist(), strict=True))
    assert set(zip(jobs.runtime_s.tolist(), jobs.nodes.tolist(), strict=True)) <= known


def test_a_trace_wraps_round():
    source = trace()
    jobs, _ = generate(
        stream(trace=source, jobs_per_day=source.jobs_per_day), duration_s=25 * DAY_S, trace_offset_s=9 * DAY_S
    )
    days = np.bincount(source.submit_s // DAY_S, minlength=10)
    np.testing.assert_array_equal(np.bincount(jobs.submit_s // DAY_S), np.resize(np.roll(days, -9), 25))


def test_a_run_that_ends_within_an_hour_keeps_its_end():
    source = replace(trace(), submit_s=np.linspace(0, DAY_S - 1, 1000).astype(np.int64))
    jobs, _ = generate(stream(trace=source, jobs_per_day=500_000.0), duration_s=HOUR_S + 60)
    assert HOUR_S <= jobs.submit_s.max() < HOUR_S + 60


def test_streams_do_not_disturb_each_other():
    alone, _ = generate(stream())
    other = stream(name="other", compute_class="intelligent")
    for together in (generate(stream(), other)[0], generate(other, stream())[0]):
        assert columns(together, together.compute_class == 0) == columns(alone)


def test_checkpoints_leave_everything_else_as_it_was():
    plain, _ = generate(stream())
    saving, _ = generate(stream(migratable_share=0.25, checkpoint_s=60, restart_s=90, checkpoint_gb_per_node=3.0))
    for values, expected in zip(columns(saving), columns(plain), strict=True):
        np.testing.assert_array_equal(values, expected)
    assert not plain.migratable.any()
    assert not (saving.migratable & ~saving.preemptible).any()
    assert np.mean(saving.migratable[saving.preemptible]) == pytest.approx(0.25, abs=0.01)
    assert (saving.checkpoint_s == 60).all()
    assert (saving.restart_s == 90).all()
    np.testing.assert_array_equal(saving.checkpoint_gb, 3.0 * saving.nodes)


def test_the_seed_decides():
    assert columns(generate(stream())[0]) == columns(generate(stream())[0])
    assert columns(generate(stream())[0]) != columns(generate(stream(), seed=8)[0])


def test_ties_keep_the_order_of_streams():
    quick = {"duration_s": 20, "pool_nodes": POOLS}
    dense = trace(jobs=500, days=1)
    dense = replace(dense, submit_s=np.r_[np.zeros(499, np.int64), DAY_S - 1])
    jobs, _ = generate(stream(trace=dense), stream(name="other", trace=dense, compute_class="intelligent"), **quick)
    for submit_s in range(20):
        assert (np.diff(jobs.compute_class[jobs.submit_s == submit_s]) >= 0).all()


def test_wide_jobs_split_into_near_equal_parts():
    source = replace(trace(), cores=np.full(1000, 23.0))
    jobs, counts = generate(stream(trace=source, jobs_per_day=100.0))
    assert counts["jobs_split"] == counts["jobs_drawn"] == 1000
    assert counts["parts_from_split"] == len(jobs) == 3000
    whole = {}
    for row in range(len(jobs)):
        key = (jobs.runtime_s[row], jobs.due_s[row], jobs.data_gb[row] / jobs.nodes[row])
        whole.setdefault(tuple(np.round(key, 9).tolist()), []).append(int(jobs.nodes[row]))
    assert {tuple(sorted(parts)) for parts in whole.values()} == {(7, 8, 8)}


def test_what_is_wide_depends_on_what_the_origin_may_use():
    source = replace(trace(), cores=np.full(1000, 12.0))
    pools = np.array([[40, 50], [100, 50]])
    jobs, _ = generate(stream(trace=source), pool_nodes=pools)
    assert set(jobs.nodes[jobs.origin == 0].tolist()) == {4}
    assert set(jobs.nodes[jobs.origin == 1].tolist()) == {6}
    jobs, counts = generate(stream(trace=source), pool_nodes=pools, max_share_of_pool=0.15, wide_jobs="drop")
    assert set(jobs.origin.tolist()) == {1}
    assert counts["jobs_left_out"] == pytest.approx(5000, rel=0.05)
    with pytest.raises(InputError, match=r"one of 12 nodes where it has 11"):
        generate(stream(trace=source), pool_nodes=np.array([[11, 50], [100, 50]]), wide_jobs=None)


def test_wide_jobs_can_be_left_out():
    source = replace(trace(), cores=np.where(np.arange(1000) % 4 == 0, 11.0, 10.0))
    jobs, counts = generate(stream(trace=source), wide_jobs="drop")
    assert set(jobs.nodes.tolist()) == {10}
    assert counts["jobs_left_out"] == counts["jobs_drawn"] - len(jobs) == pytest.approx(5000, rel=0.1)


def test_a_job_wider_than_any_site_needs_a_decision():
    with pytest.raises(
        InputError, match=r"20000 jobs .* \(one of 101 nodes where it has 100\); set wide_jobs to split"
    ):
        generate(stream(trace=replace(trace(), cores=np.full(1000, 101.0))), wide_jobs=None)


def test_wide_jobs_that_fit_a_site_are_taken_as_they_are():
    jobs, counts = generate(stream(trace=replace(trace(), cores=np.full(1000, 100.0))), wide_jobs=None)
    assert set(jobs.nodes.tolist()) == {100}
    assert counts["jobs_split"] == counts["jobs_left_out"] == 0


def test_no_streams_no_jobs():
    jobs, counts = generate()
    assert len(jobs) == counts["jobs_drawn"] == 0
    assert jobs.preemptible.dtype == np.bool_


def test_data_can_be_nothing():
    assert generate(stream(data_gb_per_node_median=0.0))[0].data_gb.sum() == 0.0


def test_everything_wrong_is_reported_at_once():
    wrong = stream(
        compute_class="quantum",
        origin_shares={"west": 0.5, "north": 0.6},
        delay_shares={"prompt": -0.5, "day": 1.5},
        jobs_per_day=0.0,
    )
    with pytest.raises(InputError) as raised:
        generate(
            wrong,
            stream(name="other", compute_class="intelligent"),
            pool_nodes=np.array([[1, 0], [1, 1]]),
            allowed_delay_s={"day": 1},
        )
    assert [issue.message for issue in raised.value.issues] == [
        "delay_shares: shares are >= 0 and add up to 1, got 1 in all",
        "jobs_per_day: got 0.0, expected a number above 0",
        "origin_shares: shares are >= 0 and add up to 1, got 1.1 in all",
        "origin_shares: unknown north; expected west, east",
        "unknown compute_class 'quantum'; expected general, intelligent",
        "west: no site with nodes of class 'intelligent' within reach",
        "no allowed delay for 'prompt'",
    ]


def test_a_job_longer_than_the_last_bin_is_refused():
    short = replace(AXES, bin_upper_s=(HOUR_S, 10 * HOUR_S))
    with pytest.raises(InputError, match=r"run longer than the last bin, 36000 s; extend it to at least 7\d{4} s"):
        generate(stream(), axes=short)


def test_streams_need_names_of_their_own():
    with pytest.raises(InputError, match=r"workload\.batch\.batch:0:0: duplicate name"):
        generate(stream(), stream(compute_class="intelligent"))


def test_estimates_leave_all_other_draws_as_they_were():
    exact, counts = generate(stream())
    guessed, counted = generate(stream(), estimate_sigma=0.5)
    assert columns(guessed) == columns(exact)
    assert exact.estimate_s.tolist() == exact.runtime_s.tolist()
    log = np.log(guessed.estimate_s / guessed.runtime_s)
    assert (log.mean(), log.std()) == pytest.approx((0.0, 0.5), abs=0.02)
    assert "estimates_cut" not in counts
    assert counted["estimates_cut"] == (guessed.estimate_s == AXES.bin_upper_s[-1]).sum()


def test_estimates_are_cut_to_the_last_bin_and_counted():
    jobs, counts = generate(stream(), estimate_sigma=2.0)
    assert jobs.estimate_s.max() == AXES.bin_upper_s[-1]
    assert counts["estimates_cut"] == (jobs.estimate_s == AXES.bin_upper_s[-1]).sum() > 100


def test_parts_of_a_wide_job_share_its_estimate():
    jobs, counts = generate(stream(nodes_per_core=8.0), estimate_sigma=0.5)
    assert counts["jobs_split"] > 0
    whole = generate(stream(), estimate_sigma=0.5)[0]
    assert set(jobs.estimate_s) == set(whole.estimate_s)


WEST, EVERYWHERE = np.array([True, False]), np.array([True, True])


def burst_day(factor, origin=EVERYWHERE):
    """The jobs of ten days with a burst from 12:30 of the third to 12:30 of the fourth, and those without."""
    spans = (Burst(2 * DAY_S + 45_000, 3 * DAY_S + 45_000, factor, origin),)
    usual, burst = (generate(stream(bursts=bursts, jobs_per_day=20_000.0))[0] for bursts in ((), spans))
    return (
        usual,
        burst,
        *((jobs.submit_s >= spans[0].start_s) & (jobs.submit_s < spans[0].end_s) for jobs in (usual, burst)),
    )


def test_a_burst_multiplies_jobs_within_its_span():
    usual, burst, inside, within = burst_day(2.5)
    assert within.sum() / inside.sum() == pytest.approx(2.5, rel=0.01)
    assert columns(burst, ~within) == columns(usual, ~inside)
    start_s, part_s = 2 * DAY_S + 45_000, 4 * HOUR_S
    parts = [
        np.bincount((jobs.submit_s[rows] - start_s) // part_s) for jobs, rows in ((usual, inside), (burst, within))
    ]
    assert parts[1] / parts[0] == pytest.approx(np.full(6, 2.5), rel=0.1)


def test_what_was_there_before_stays_in_a_burst():
    usual, burst, inside, within = burst_day(2.0)
    keys = [
        set(zip(*(getattr(jobs, name)[rows].tolist() for name in ("submit_s", "runtime_s", "data_gb")), strict=True))
        for jobs, rows in ((usual, inside), (burst, within))
    ]
    assert keys[0] < keys[1]


def test_a_burst_below_one_leaves_jobs_out():
    usual, burst, inside, within = burst_day(0.3)
    assert within.sum() / inside.sum() == pytest.approx(0.3, rel=0.03)
    assert len(usual) - len(burst) == inside.sum() - within.sum()


def test_a_burst_of_one_origin_leaves_the_others_alone():
    usual, burst, inside, within = burst_day(3.0, WEST)
    west = [np.bincount(jobs.origin[rows], minlength=2) for jobs, rows in ((usual, inside), (burst, within))]
    assert west[1][0] / west[0][0] == pytest.approx(3.0, rel=0.03)
    assert west[1][1] == west[0][1]


def test_nobody_submits_after_the_end_of_a_run_that_a_burst_outlasts():
    jobs, _ = generate(stream(bursts=(Burst(9 * DAY_S, 20 * DAY_S, 2.0, EVERYWHERE),)), duration_s=10 * DAY_S - 1800)
    assert jobs.submit_s.max() < 10 * DAY_S - 1800
    assert np.bincount(jobs.submit_s // DAY_S)[9] > 1.7 * np.bincount(jobs.submit_s // DAY_S)[8]
