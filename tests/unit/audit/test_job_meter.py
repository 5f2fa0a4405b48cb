import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtwin.audit.job_meter import busy_node_seconds
from gridtwin.results.store import RunData

STEP_S, STEPS, SITES, CLASSES = 10, 5, 2, 3

job = st.tuples(
    st.integers(-1, STEP_S * STEPS + 5).map(lambda start: start if start < STEP_S * STEPS else -1),
    st.integers(1, 2 * STEP_S * STEPS),
    st.integers(1, 4),
    st.integers(0, SITES - 1),
    st.integers(0, CLASSES - 1),
)


def run_of(jobs):
    start, runtime, nodes, site, compute_class = np.array(jobs, np.int64).reshape(-1, 5).T
    return RunData(
        step_s=STEP_S,
        coords={"site": ("s",) * SITES, "compute_class": ("c",) * CLASSES},
        time=np.arange(STEPS),
        variables={},
        jobs={"start_s": start, "runtime_s": runtime, "nodes": nodes, "site_index": site, "class_index": compute_class},
        events={},
        inputs={},
    )


@given(st.lists(job, max_size=12))
@settings(max_examples=200, deadline=None)
def test_the_job_meter_counts_every_second(jobs):
    expected = np.zeros((STEPS, SITES, CLASSES), np.int64)
    for start, runtime, nodes, site, compute_class in jobs:
        for second in range(start, min(start + runtime, STEPS * STEP_S)) if start >= 0 else ():
            expected[second // STEP_S, site, compute_class] += nodes
    metered = busy_node_seconds(run_of(jobs))
    assert metered.dtype == np.int64
    np.testing.assert_array_equal(metered, expected)


def test_by_hand():
    metered = busy_node_seconds(run_of([(5, 10, 2, 1, 2), (-1, 10, 9, 0, 0), (40, 100, 1, 0, 1)]))
    assert metered[:, 1, 2].tolist() == [10, 10, 0, 0, 0]
    assert metered[:, 0, 1].tolist() == [0, 0, 0, 0, 10]
    assert metered[:, 0, 0].sum() == 0
