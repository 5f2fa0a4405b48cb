"""The data of batch jobs against the links that would carry them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from gridtwin.errors import Issue
from gridtwin.records import Fleet
from gridtwin.scenario.kinds import duration_text
from gridtwin.scenario.load import LocatedScenario
from gridtwin.scenario.schema import Batch, Workload
from gridtwin.units import DAY_S, BoolArray, FloatArray
from gridtwin.workload.reach import largest_pool_nodes
from gridtwin.workload.streams import width_limit_nodes
from gridtwin.workload.traces import Trace

__all__ = ["transfer_issues"]

BITS_PER_BYTE = 8


def transfer_issues(
    scenario: LocatedScenario, fleet: Fleet, traces: Mapping[str, Trace], may: BoolArray
) -> Iterator[Issue]:
    """Check that the links of each origin can carry the mean data of its streams before the last job must start.

    A stream shares its links with those whose sites are among its own, so their data count together. What fails here
    cannot be carried; what passes may still wait for a link.

    Parameters
    ----------
    scenario : LocatedScenario
    fleet : Fleet
    traces : mapping of str to Trace
        Streams whose trace is not there are left out.
    may : ndarray (origin, class, site)
        Which sites may serve which origin.
    """
    assert scenario.value is not None
    time, workload, axes = scenario.value.time, scenario.value.workload, fleet.axes
    drawn = {
        i: stream
        for i, stream in enumerate(workload.batch)
        if stream.trace in traces
        and stream.compute_class in axes.compute_class
        and scenario.sound("workload", "batch", i)
    }
    if not drawn or not scenario.sound("time", "duration") or not scenario.sound("workload", "delay_classes"):
        return
    until_s = time.duration + max(workload.delay_classes.values())
    volume_gb = np.stack([_mean_gb(stream, workload, traces, fleet) for stream in drawn.values()])
    volume_gb *= time.duration / DAY_S
    reach = np.stack([may[:, axes.compute_class.index(stream.compute_class)] for stream in drawn.values()])
    carried_gb = np.where(reach, fleet.bandwidth_gbps, 0.0).sum(axis=-1) / BITS_PER_BYTE * until_s
    within: BoolArray = np.all(reach[None, :] <= reach[:, None], axis=-1)  # (stream, other, origin)
    asked_gb = (within * volume_gb).sum(axis=1)
    alike = within & np.transpose(within, (1, 0, 2))
    leading = np.argmax(alike * volume_gb, axis=1) == np.arange(len(drawn))[:, None]  # one issue for streams alike
    for row, o in np.argwhere(leading & (volume_gb > 0) & (asked_gb > carried_gb)).tolist():
        asked, carried = asked_gb[row, o], carried_gb[row, o]
        yield scenario.issue(
            f"origin {axes.origin[o]!r} sends {asked:,.0f} GB in the mean, {asked / carried:.3g} times the "
            f"{carried:,.0f} GB that its links carry in {duration_text(until_s)}, until the last job must start; "
            "lower it or jobs_per_day, or widen bandwidth_gbps in the WAN table",
            *("workload", "batch", list(drawn)[row], "data_gb_per_node"),
        )


def _mean_gb(stream: Batch, workload: Workload, traces: Mapping[str, Trace], fleet: Fleet) -> FloatArray:
    """Return the mean data of a stream per day by origin, (origin,); jobs that are left out send none."""
    largest = largest_pool_nodes(fleet)[:, fleet.axes.compute_class.index(stream.compute_class)]
    nodes = np.ceil(traces[stream.trace].cores * stream.nodes_per_core)
    limit = width_limit_nodes(largest, workload.max_share_of_pool)
    kept = [nodes[nodes <= most] if workload.wide_jobs == "drop" else nodes for most in limit.tolist()]
    nodes_per_job = np.array([float(part.sum()) / len(nodes) for part in kept])
    share = np.array([stream.origin_shares.get(origin, 0.0) for origin in fleet.axes.origin])
    size = stream.data_gb_per_node
    gb_per_node = size.median * math.exp(size.sigma**2 / 2)  # mean of a lognormal
    return np.asarray(stream.jobs_per_day * share * nodes_per_job * gb_per_node, np.float64)
