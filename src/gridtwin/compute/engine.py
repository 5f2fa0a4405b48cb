"""Executes one window: rebuilds SimPy from a frozen state, lets jobs run, freezes the state again.

At one instant jobs end first, then a step boundary takes effect (services, grants), then jobs arrive, then jobs start,
class by class in the order of the axes; ties keep the order of submission. Jobs that end at the very end of a window
end in it. Because nothing but the frozen state crosses a window boundary, any division of a run into windows gives the
same bytes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.compute.checks import check_jobs, check_window
from gridtwin.compute.clock import Calendar
from gridtwin.compute.lines import Floor, Grants, lines_by_class
from gridtwin.compute.pools import NEVER_S, Pools, WindowJobs
from gridtwin.records import ComputePlan, ComputeRecord, ComputeState, Fleet
from gridtwin.units import FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["execute", "initial_state", "without_grants"]

_NO_ROWS = np.zeros(0, np.int64)


def initial_state(jobs: JobTable, fleet: Fleet) -> ComputeState:
    """Return the state in which nobody has been submitted yet.

    Parameters
    ----------
    jobs : JobTable
        Every job of the run.
    fleet : Fleet

    Raises
    ------
    ComputeError
        If jobs are out of order, take no time or no nodes, or fit no site that they may use.
    """
    check_jobs(jobs, fleet)
    origins, classes, _, bins = fleet.axes.shape
    sites = len(fleet.site)
    return ComputeState(
        now_s=0,
        next_row=0,
        waiting_row=_NO_ROWS,
        running_row=_NO_ROWS,
        running_site=_NO_ROWS,
        running_start_s=_NO_ROWS,
        running_left_s=_NO_ROWS,
        suspended_row=_NO_ROWS,
        suspended_site=_NO_ROWS,
        suspended_left_s=_NO_ROWS,
        release_nodes=np.zeros(fleet.axes.size),
        route_nodes=np.zeros((origins, classes, bins, sites)),
        link_free_s=np.zeros((origins, sites)),
    )


def without_grants(state: ComputeState) -> ComputeState:
    """Return the state with no node start granted."""
    return replace(
        state, release_nodes=np.zeros_like(state.release_nodes), route_nodes=np.zeros_like(state.route_nodes)
    )


def execute(
    state: ComputeState,
    jobs: JobTable,
    fleet: Fleet,
    plan: ComputePlan | None,
    service_nodes: IntArray,
    steps: int,
    step_s: int,
    discipline: str,
    lead_s: IntArray | None = None,
) -> tuple[ComputeState, ComputeRecord]:
    """Run the fleet for `steps` steps from `state.now_s`.

    Parameters
    ----------
    state : ComputeState
    jobs : JobTable
        The whole run; rows are what states and records refer to.
    fleet : Fleet
    plan : ComputePlan or None
        Grants of the coming steps (at least `steps`); None starts every job as soon as a site has room, in the order
        of `fleet.preference`, and leaves carried grants alone.
    service_nodes : ndarray (step, site, class)
        Nodes that services want; at least `steps` long. No job starts on a node that services want in this step, but
        they take none from jobs that run.
    steps : int
    step_s : int, s
    discipline : {"fcfs", "edf"}
        Order within a queue (within a class when there is no plan).
    lead_s : ndarray (job,), s, optional
        Under a plan, a job starts without a grant when its latest start less this lead lies before the end of the
        step. It leaves time for data to move, which otherwise may make a job late that was ordered at the last boundary
        before its latest start. See `data_lead_s`.

    Returns
    -------
    ComputeState, ComputeRecord
        `moved_gb` counts a transfer in the step in which it is ordered.

    Raises
    ------
    ComputeError
        If shapes do not fit, a number is negative or not finite, or running jobs exceed the capacity.
    """
    check_window(state, fleet, plan, service_nodes, steps, step_s, discipline)
    run = _Window(state, jobs, fleet, plan, service_nodes[:steps], step_s, discipline, lead_s)
    run.calendar.run()
    run.close()
    return run.frozen_state(), run.record()


class _Window:
    """One window in progress."""

    def __init__(
        self,
        state: ComputeState,
        jobs: JobTable,
        fleet: Fleet,
        plan: ComputePlan | None,
        service_nodes: IntArray,
        step_s: int,
        discipline: str,
        lead_s: IntArray | None,
    ) -> None:
        self.state, self.fleet, self.step_s, self.steps = state, fleet, step_s, len(service_nodes)
        self.end_s = state.now_s + self.steps * step_s
        self.calendar = Calendar(state.now_s, self.end_s, self._on_instant)
        self.jobs = WindowJobs.of(jobs, state, self.end_s)
        self.pools = Pools(fleet, state, self.jobs, self.calendar)
        self.grants = Grants.of(plan, state, self.jobs, self.pools)
        self.wake_s = [NEVER_S] * fleet.axes.shape[1]
        order_by_s = self.jobs.table.latest_start_s - (0 if lead_s is None else lead_s[self.jobs.row])
        floor = Floor(self.jobs, self.pools, self.calendar, _places(fleet), self.wake_s, order_by_s)
        self.lines = lines_by_class(floor, discipline, plan, self.grants)
        self.boundary_s = state.now_s
        self.wanted: list[list[int]] = service_nodes.swapaxes(1, 2).reshape(self.steps, -1).tolist()
        self.busy: list[list[int]] = []
        self.served: list[list[int]] = []
        self.forced: list[list[int]] = []
        for step in range(self.steps):
            self.calendar.wake(state.now_s + step * step_s)

    def _on_instant(self, now_s: int, due: list[int]) -> None:
        self.pools.settle(now_s, due, self.wake_s)
        if now_s == self.boundary_s:
            self._cross_boundary(now_s)
        for compute_class, line in self.lines.items():
            if self.wake_s[compute_class] <= now_s:
                line.start(now_s)

    def _cross_boundary(self, now_s: int) -> None:
        if now_s > self.state.now_s:
            self._close_step(now_s)
        step = len(self.busy)
        self.boundary_s = now_s + self.step_s
        self.served.append(self.pools.serve(self.wanted[step]))
        self.grants.open_step(step, self.boundary_s)
        for compute_class in self.lines:
            self.wake_s[compute_class] = now_s

    def _close_step(self, now_s: int) -> None:
        self.busy.append(self.pools.read_meter(now_s))
        self.forced.append(self.grants.read_forced())

    def close(self) -> None:
        """End the jobs that are due at the end of the window and close the last step."""
        self.pools.settle(self.end_s, self.calendar.due_at.get(self.end_s, []), self.wake_s)
        self._close_step(self.end_s)

    def frozen_state(self) -> ComputeState:
        """Return what the next window starts from."""
        pool = np.asarray(self.pools.pool, np.int64)
        queued = self.jobs.queued
        before = len(self.state.running_row)
        running = np.r_[queued : queued + before, self.pools.started].astype(np.int64)
        start_s = np.r_[self.state.running_start_s, self.pools.start_s].astype(np.int64)
        ended = np.zeros(len(pool), np.bool_)
        ended[self.pools.finished] = True
        alive = ~ended[running]
        return ComputeState(
            now_s=self.end_s,
            next_row=self.state.next_row + queued - self.jobs.waiting,
            waiting_row=self.jobs.row[:queued][pool[:queued] < 0],
            running_row=self.jobs.row[running[alive]],
            running_site=pool[running[alive]] % len(self.fleet.site),
            running_start_s=start_s[alive],
            running_left_s=self.jobs.table.runtime_s[running[alive]],
            suspended_row=_NO_ROWS,
            suspended_site=_NO_ROWS,
            suspended_left_s=_NO_ROWS,
            release_nodes=np.asarray(self.grants.release),
            route_nodes=np.asarray(self.grants.route).reshape(self.state.route_nodes.shape),
            link_free_s=np.asarray(self.pools.link_free_s).reshape(self.state.link_free_s.shape),
        )

    def record(self) -> ComputeRecord:
        """Return what happened."""
        started = np.asarray(self.pools.started, np.int64)
        finished = np.asarray(self.pools.finished, np.int64)
        site = np.asarray(self.pools.pool, np.int64)[started] % len(self.fleet.site)
        start_s = np.zeros(len(self.jobs.row), np.int64)
        start_s[self.jobs.queued :] = self.state.running_start_s
        start_s[started] = self.pools.start_s
        served = self._grid(self.served)
        return ComputeRecord(
            started_row=self.jobs.row[started],
            started_site=site,
            start_s=start_s[started],
            finished_row=self.jobs.row[finished],
            finish_s=(start_s + self.jobs.table.runtime_s)[finished],
            busy_node_s=self._grid(self.busy),
            service_nodes=served,
            unserved_service_nodes=self._grid(self.wanted) - served,
            waiting_nodes=self._waiting_nodes(started),
            forced_nodes=self._grid(self.forced),
            moved_gb=self._moved_gb(started, site),
        )

    def _grid(self, by_pool: list[list[int]]) -> IntArray:
        """Turn rows by pool into (step, site, class)."""
        sites, classes = self.fleet.capacity_nodes.shape
        grid = np.asarray(by_pool, np.int64).reshape(self.steps, classes, sites)
        return np.ascontiguousarray(grid.swapaxes(1, 2))

    def _step_of(self, instant_s: IntArray) -> IntArray:
        return np.maximum(instant_s - self.state.now_s, 0) // self.step_s

    def _waiting_nodes(self, started: IntArray) -> IntArray:
        """Nodes wanted at the end of each step: submitted before it and not started before it."""
        table, shape = self.jobs.table, (self.steps, self.fleet.axes.size)
        change = np.zeros(shape, np.int64)
        queued = slice(0, self.jobs.queued)
        queue = table.queue
        joined = self._step_of(table.submit_s[queued])
        np.add.at(change, (joined, queue[queued]), table.nodes[queued])
        left = self._step_of(np.asarray(self.pools.reserved_s, np.int64))
        np.subtract.at(change, (left, queue[started]), table.nodes[started])
        return change.cumsum(axis=0)

    def _moved_gb(self, started: IntArray, site: IntArray) -> FloatArray:
        moved = np.zeros((self.steps, *self.fleet.bandwidth_gbps.shape))
        origin = self.jobs.table.origin[started]
        over_wan = np.isfinite(self.fleet.bandwidth_gbps[origin, site])
        step = self._step_of(np.asarray(self.pools.reserved_s, np.int64))
        np.add.at(moved, (step, origin, site), np.where(over_wan, self.jobs.table.data_gb[started], 0.0))
        return moved


def _places(fleet: Fleet) -> list[list[tuple[int, ...]]]:
    """Return the allowed pools of every (class, origin), best first."""
    origins, classes, _ = fleet.preference.shape
    sites = len(fleet.site)
    return [
        [tuple(c * sites + s for s in fleet.preference[o, c].tolist() if s >= 0) for o in range(origins)]
        for c in range(classes)
    ]
