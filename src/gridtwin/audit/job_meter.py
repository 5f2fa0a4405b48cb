"""Node-seconds as the job records tell them, apart from the meters at the nodes."""

from __future__ import annotations

import numpy as np

from gridtwin.results.store import RunData
from gridtwin.units import IntArray

__all__ = ["busy_node_seconds"]


def busy_node_seconds(run: RunData) -> IntArray:
    """Spread each started job over the steps it ran in.

    Returns
    -------
    ndarray (time, site, class), s
        Exact node-seconds.
    """
    steps, step_s = len(run.time), run.step_s
    jobs = run.jobs
    began = jobs["start_s"] >= 0
    start = jobs["start_s"][began]
    end = np.minimum(start + jobs["runtime_s"][began], steps * step_s)
    start = np.minimum(start, end)
    pool = jobs["site_index"][began] * len(run.coords["compute_class"]) + jobs["class_index"][began]
    nodes = jobs["nodes"][began]
    pools = len(run.coords["site"]) * len(run.coords["compute_class"])
    return _until_step_ends(start, end, nodes, pool, steps, step_s, pools).reshape(
        steps, len(run.coords["site"]), len(run.coords["compute_class"])
    )


def _until_step_ends(
    start: IntArray, end: IntArray, nodes: IntArray, pool: IntArray, steps: int, step_s: int, pools: int
) -> IntArray:
    """Node-seconds per step as differences of a running total known at every step's end.

    A start at s in step k adds n·(end of k − s) to step k and n·step to each later one; an end takes the same away.
    """
    partial = np.zeros((steps + 1, pools), dtype=np.int64)
    whole = np.zeros((steps + 1, pools), dtype=np.int64)
    for instant, sign in ((start, 1), (end, -1)):
        step = instant // step_s
        np.add.at(partial, (step, pool), sign * nodes * ((step + 1) * step_s - instant))
        np.add.at(whole, (np.minimum(step + 1, steps), pool), sign * nodes * step_s)
    return (partial + np.cumsum(whole, axis=0))[:steps]
