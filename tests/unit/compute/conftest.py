"""Small systems written out by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from gridtwin.compute.engine import execute, initial_state
from gridtwin.records import ComputePlan, ComputeRecord, ComputeState, Fleet, QueueAxes
from gridtwin.workload.jobs import JobTable

AXES = QueueAxes(("home",), ("general",), ("prompt", "day"), (100, 1000))


@dataclass
class Hand:
    """Builders with one origin and one class; delay class 1 is slack, queues are (delay, bin)."""

    axes: QueueAxes = AXES

    def fleet(self, capacity: list[int], gbps: float = np.inf, latency_s: float = 0.0) -> Fleet:
        sites = len(capacity)
        return Fleet(
            site=tuple(f"site_{i}" for i in range(sites)),
            bus=np.zeros(sites, np.int64),
            axes=self.axes,
            capacity_nodes=np.array(capacity)[:, None],
            idle_w=np.ones((sites, 1)),
            peak_w=np.ones((sites, 1)),
            service_utilization=np.ones(1),
            power_factor=np.ones(sites),
            connection_mw=np.full(sites, np.inf),
            preference=np.arange(sites)[None, None],
            bandwidth_gbps=np.full((1, sites), gbps),
            latency_oneway_s=np.full((1, sites), latency_s),
            price_per_gb=np.zeros((1, sites)),
        )

    def jobs(self, *rows: tuple[int, int, int, int], data_gb: float = 0.0, **columns: Sequence) -> JobTable:
        """Rows are (submit_s, runtime_s, nodes, allowed delay in s); `columns` replace those of the table."""
        submit, runtime, nodes, delay = np.array(rows, np.int64).reshape(-1, 4).T
        zero = np.zeros(len(rows), np.int64)
        table = JobTable(
            axes=self.axes,
            job=np.arange(len(rows)),
            submit_s=submit,
            runtime_s=runtime,
            nodes=nodes,
            due_s=submit + runtime + delay,
            origin=zero,
            compute_class=zero,
            delay_class=(delay > 100).astype(np.int64),
            data_gb=np.full(len(rows), data_gb),
            preemptible=np.zeros(len(rows), np.bool_),
            migratable=np.zeros(len(rows), np.bool_),
            checkpoint_s=np.zeros(len(rows), np.int64),
            restart_s=np.zeros(len(rows), np.int64),
            checkpoint_gb=np.zeros(len(rows)),
            estimate_s=runtime,
        )
        return replace(table, **{name: np.broadcast_to(values, len(rows)) for name, values in columns.items()})

    def caps(self, *nodes: Sequence[float]) -> ComputePlan:
        """Caps on preemptible jobs by (step, site), and no grants."""
        plan = self.plan({}, {}, len(nodes), len(nodes[0]))
        return replace(plan, preemptible_nodes=np.array(nodes, float)[:, :, None])

    def plan(self, release: dict[tuple[int, int], float], route: dict[tuple[int, int, int], float], steps: int, sites):
        """Grants by (step, queue) and by (step, bin, site)."""
        release_nodes, route_nodes = np.zeros((steps, 4)), np.zeros((steps, 1, 1, 2, sites))
        for where, nodes in release.items():
            release_nodes[where] = nodes
        for (step, duration_bin, site), nodes in route.items():
            route_nodes[step, 0, 0, duration_bin, site] = nodes
        return ComputePlan(release_nodes, route_nodes, np.zeros((steps, sites, 1)))

    def run(
        self,
        fleet: Fleet,
        jobs: JobTable,
        *,
        steps: int = 4,
        step_s: int = 100,
        plan: ComputePlan | None = None,
        services: np.ndarray | None = None,
        discipline: str = "fcfs",
        state: ComputeState | None = None,
        lead_s: np.ndarray | None = None,
    ) -> tuple[ComputeState, ComputeRecord]:
        wanted = np.zeros((steps, *fleet.capacity_nodes.shape), np.int64) if services is None else services
        before = initial_state(jobs, fleet) if state is None else state
        return execute(before, jobs, fleet, plan, wanted, steps, step_s, discipline, lead_s)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def starts() -> Callable[[ComputeRecord], dict[int, tuple[int, int]]]:
    """Start second and site by row, in order of start."""

    def by_row(record: ComputeRecord) -> dict[int, tuple[int, int]]:
        columns = (record.started_row, record.start_s, record.started_site)
        return {row: (start_s, site) for row, start_s, site in zip(*(c.tolist() for c in columns), strict=True)}

    return by_row
