"""Envelopes against second-by-second counting."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridtwin.workload.envelopes import committed_node_s, due_nodes, occupancy, released_nodes, work_envelope

FIRST_S, STEP_S, STEPS, QUEUES = 200, 30, 8, 3
END_S = FIRST_S + STEP_S * STEPS
CLOCK = (FIRST_S, STEP_S, STEPS)
many = settings(max_examples=300, deadline=None)


@st.composite
def job_arrays(draw):
    count = draw(st.integers(0, 12))

    def column(low, high):
        return draw(arrays(np.int64, count, elements=st.integers(low, high)))

    return column(0, 500), column(1, 150), column(0, 300), column(1, 9), column(0, QUEUES - 1)


def run_node_s(start_s, runtime_s, nodes, queue):
    """Node-seconds done by each second of the horizon (second, queue), counted one by one."""
    second = np.zeros((1000, QUEUES), np.int64)
    for job in range(len(nodes)):
        second[start_s[job] : start_s[job] + runtime_s[job], queue[job]] += nodes[job]
    return second


@many
@given(job_arrays())
def test_lower_never_exceeds_upper_and_both_hold_all_work(jobs):
    release_s, runtime_s, slack_s, nodes, queue = jobs
    due_s = release_s + runtime_s + slack_s
    envelope = work_envelope(release_s, due_s, runtime_s, nodes, queue, QUEUES, *CLOCK)
    assert (envelope.lower_node_s <= envelope.upper_node_s).all()
    assert (np.diff(envelope.upper_node_s, axis=0) <= envelope.width_nodes[1:] * STEP_S + 1e-9).all()
    long = work_envelope(release_s, due_s, runtime_s, nodes, queue, QUEUES, FIRST_S, STEP_S, 60)
    np.testing.assert_array_equal(long.upper_node_s[-1], envelope.work_node_s)
    np.testing.assert_array_equal(long.lower_node_s[-1], envelope.work_node_s)


@many
@given(job_arrays())
def test_envelopes_count_every_second(jobs):
    release_s, runtime_s, slack_s, nodes, queue = jobs
    due_s = release_s + runtime_s + slack_s
    envelope = work_envelope(release_s, due_s, runtime_s, nodes, queue, QUEUES, *CLOCK)
    edges = FIRST_S + STEP_S * np.arange(1, STEPS + 1) - 1
    earliest = np.maximum(release_s, FIRST_S)
    latest = np.maximum(due_s - runtime_s, earliest)
    for start_s, bound in ((earliest, envelope.upper_node_s), (latest, envelope.lower_node_s)):
        counted = run_node_s(start_s, runtime_s, nodes, queue).cumsum(axis=0)[edges]
        np.testing.assert_array_equal(bound, counted)


@many
@given(job_arrays())
def test_committed_work_counts_every_second(jobs):
    start_s, runtime_s, _, nodes, queue = jobs
    zero = np.zeros_like(queue)
    node_s = committed_node_s(start_s, runtime_s, nodes, queue, zero, *CLOCK, QUEUES, 1)
    counted = run_node_s(start_s, runtime_s, nodes, queue)[FIRST_S:END_S]
    np.testing.assert_array_equal(node_s[:, :, 0], counted.reshape(STEPS, STEP_S, QUEUES).sum(axis=1))


@many
@given(job_arrays())
def test_starts_are_released_before_they_are_due(jobs):
    submit_s, _, slack_s, nodes, queue = jobs
    released = released_nodes(submit_s, nodes, queue, QUEUES, *CLOCK)
    due = due_nodes(submit_s + slack_s, nodes, queue, QUEUES, *CLOCK)
    assert (due.cumsum(axis=0) <= released.cumsum(axis=0)).all()
    assert released.sum() == nodes[submit_s < END_S].sum()
    assert due.sum() == nodes[submit_s + slack_s < END_S].sum()


@many
@given(job_arrays(), st.integers(1, 8))
def test_occupancy_is_the_mean_over_starts(jobs, lags):
    _, runtime_s, _, nodes, queue = jobs
    share = occupancy(runtime_s, nodes, np.zeros_like(queue), queue, 1, QUEUES, STEP_S, lags)[0]
    starts = (np.arange(600) + 0.5) / 600 * STEP_S
    edges = STEP_S * np.arange(lags + 1)
    for cell in range(QUEUES):
        mine = queue == cell
        total = sum(
            n * np.diff(np.clip(edges - starts[:, None], 0, p), axis=1).mean(axis=0) / STEP_S
            for n, p in zip(nodes[mine], runtime_s[mine], strict=True)
        )
        expected = total / nodes[mine].sum() if mine.any() else np.zeros(lags)
        np.testing.assert_allclose(share[cell], expected, atol=1e-5)
    assert ((share >= 0) & (share <= 1 + 1e-12)).all()
