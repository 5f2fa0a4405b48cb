"""Executes one window: rebuilds SimPy from a frozen state, lets jobs run, freezes the state again.

At one instant jobs end first, then a step boundary takes effect (services, grants, caps and the suspensions they ask
for), then jobs arrive, then jobs start, class by class in the order of the axes; ties keep the order of submission.
Jobs that end at the very end of a window end in it. Because nothing but the frozen state crosses a window boundary, any
division of a run into windows gives the same bytes.

Without a plan every job runs through. Under a plan

- jobs that are not preemptible start when they are granted to, see `Grants`, and run through;
- preemptible jobs need no grants. In each step those of a pool may hold as many nodes as the cap says, whole nodes of
  `preemptible_nodes` and what was carried over, see `carried_cap`. At the boundary jobs of a pool that holds more are
  suspended, those with most slack first, see `to_suspend`; at any instant jobs are resumed and started, earliest latest
  start first, as long as cap and free nodes allow;
- a job is urgent when its latest start (due - work left - restart), less the time that its data may take, lies before
  the end of the step. It starts at once, beyond grant or cap (`forced_nodes`), and is not suspended, so that a cap may
  be overrun (`overrun_nodes`). If it finds no room, preemptible jobs that can pause until the step has ended are
  suspended for it; failing that, it waits in the line of one site, which is closed to those who come later until it has
  started or the step has ended, see `SiteLines`. Services suspend nobody;
- suspending stops the work at once and keeps the nodes busy for `checkpoint_s`; nothing is lost. A job whose data still
  move, or that still restarts, is not suspended;
- resuming keeps the nodes busy for `restart_s` before the work goes on. At the site where it ran last a job needs no
  transfer. Another one only a migratable job may take, when its own has no room; `checkpoint_gb` move there first, over
  the link from the job's origin and in line with input data: saved states are taken to be kept at the origin's storage
  as well, for data links are known between origins and sites only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridtwin.compute.caps import Caps
from gridtwin.compute.checks import check_jobs, check_window
from gridtwin.compute.clock import Calendar
from gridtwin.compute.lines import Floor, Grants, lines_by_class
from gridtwin.compute.pools import NEVER_S, Pools, WindowJobs
from gridtwin.records import ComputePlan, ComputeRecord, ComputeState, Fleet
from gridtwin.units import FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["execute", "initial_state", "without_grants"]

_NO_ROWS = np.zeros(0, np.int64)
_METERED = ("served", "busy", "checkpoint", "restart", "forced", "overrun", "suspended")


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
        suspended_free_s=_NO_ROWS,
        release_nodes=np.zeros(fleet.axes.size),
        route_nodes=np.zeros((origins, classes, bins, sites)),
        preemptible_carry_nodes=np.zeros((sites, classes)),
        link_free_s=np.zeros((origins, sites)),
    )


def without_grants(state: ComputeState) -> ComputeState:
    """Return the state with no node start granted and nothing left of the caps on preemptible jobs."""
    carried = ("release_nodes", "route_nodes", "preemptible_carry_nodes")
    return replace(state, **{name: np.zeros_like(getattr(state, name)) for name in carried})


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
        Grants and caps of the coming steps (at least `steps`); None starts every job as soon as a site has room, in the
        order of `fleet.preference`, those first that an earlier plan suspended, and leaves what is carried alone.
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
        `moved_gb` and `migrated_gb` count a transfer in the step in which it is ordered.

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
        lead = np.zeros(len(self.jobs.row), np.int64) if lead_s is None else lead_s[self.jobs.row]
        table = self.jobs.table
        outlasted_s = (
            table.estimate_s - table.runtime_s
        )  # work left is counted to the true end, urgency to the estimate
        resume_by_s = table.due_s - outlasted_s - table.restart_s - lead
        self.caps = Caps.of(plan, state, self.jobs, self.pools, resume_by_s)
        self.wake_s = [NEVER_S] * fleet.axes.shape[1]
        order_by_s = self.jobs.table.latest_start_s - lead
        floor = Floor(self.jobs, self.pools, self.calendar, _places(fleet), self.wake_s, order_by_s)
        self.lines = lines_by_class(floor, discipline, plan, self.grants, self.caps)
        self.boundary_s = state.now_s
        self.wanted: list[list[int]] = service_nodes.swapaxes(1, 2).reshape(self.steps, -1).tolist()
        self.readings: dict[str, list[list[int]]] = {name: [] for name in _METERED}
        for step in range(self.steps):
            self.calendar.wake(state.now_s + step * step_s)

    def _on_instant(self, now_s: int, due: list[int]) -> None:
        self.pools.settle(now_s, due, self.wake_s)
        crossing = now_s == self.boundary_s
        if crossing:
            self._cross_boundary(now_s)
        for compute_class, line in self.lines.items():
            if self.wake_s[compute_class] <= now_s:
                line.start(now_s)
        if crossing:
            self._read("overrun", self.caps.close_boundary())

    def _cross_boundary(self, now_s: int) -> None:
        if now_s > self.state.now_s:
            self._close_step(now_s)
        step = len(self.readings["served"])
        self.boundary_s = now_s + self.step_s
        self._read("served", self.pools.serve(self.wanted[step]))
        self.grants.open_step(step, self.boundary_s)
        self.caps.open_step(step, now_s, self.boundary_s)
        for compute_class in self.lines:
            self.wake_s[compute_class] = now_s

    def _close_step(self, now_s: int) -> None:
        self._read("busy", self.pools.working.read(now_s))
        self._read("checkpoint", self.pools.saving.read(now_s))
        self._read("restart", self.pools.restarting.read(now_s))
        self._read("forced", self.grants.read_forced())
        self._read("suspended", self.pools.suspended_nodes.copy())

    def _read(self, what: str, by_pool: list[int]) -> None:
        self.readings[what].append(by_pool)

    def close(self) -> None:
        """End the jobs that are due at the end of the window and close the last step."""
        self.pools.settle(self.end_s, self.calendar.due_at.get(self.end_s, []), self.wake_s)
        self._close_step(self.end_s)

    def frozen_state(self) -> ComputeState:
        """Return what the next window starts from."""
        pools, jobs = self.pools, self.jobs
        pool, left_s = np.asarray(pools.pool, np.int64), np.asarray(pools.left_s, np.int64)
        running, start_s = self._running()
        suspended = np.fromiter(pools.suspended, np.int64)
        sites, classes = self.fleet.capacity_nodes.shape
        return ComputeState(
            now_s=self.end_s,
            next_row=self.state.next_row + len(jobs.row) - jobs.arriving,
            waiting_row=jobs.row[pool < 0],
            running_row=jobs.row[running],
            running_site=pool[running] % sites,
            running_start_s=start_s,
            running_left_s=left_s[running],
            suspended_row=jobs.row[suspended],
            suspended_site=pool[suspended] % sites,
            suspended_left_s=left_s[suspended],
            suspended_free_s=np.fromiter(pools.suspended.values(), np.int64),
            release_nodes=np.asarray(self.grants.release),
            route_nodes=np.asarray(self.grants.route).reshape(self.state.route_nodes.shape),
            preemptible_carry_nodes=np.asarray(self.caps.carry, np.float64).reshape(classes, sites).T.copy(),
            link_free_s=np.asarray(pools.link_free_s).reshape(self.state.link_free_s.shape),
        )

    def _running(self) -> tuple[IntArray, IntArray]:
        """Return the jobs that run at the end, in order of their last start, and when that was."""
        job = np.concatenate([self.jobs.running, np.asarray(self.pools.started, np.int64)])
        start_s = np.concatenate([self.state.running_start_s, np.asarray(self.pools.start_s, np.int64)])
        last = np.full(len(self.jobs.row), -1)
        last[job] = np.arange(len(job))
        last[self.pools.finished] = -1
        last[list(self.pools.suspended)] = -1
        alive = last[job] == np.arange(len(job))
        return job[alive], start_s[alive]

    def record(self) -> ComputeRecord:
        """Return what happened."""
        pools, table, sites = self.pools, self.jobs.table, len(self.fleet.site)
        started, finished = np.asarray(pools.started, np.int64), np.asarray(pools.finished, np.int64)
        site = np.asarray(pools.started_pool, np.int64) % sites
        step = self._step_of(np.asarray(pools.reserved_s, np.int64))
        begin_s = np.zeros(len(self.jobs.row), np.int64)
        begin_s[self.jobs.running] = self.state.running_start_s
        begin_s[started] = pools.start_s
        restart_s = np.zeros(len(started), np.int64)
        restart_s[pools.resumed] = table.restart_s[started[pools.resumed]]
        stopped, stop_s, left_s = np.asarray(pools.stopped, np.int64).reshape(-1, 3).T
        served = self._grid("served")
        moved_gb, migrated_gb = table.data_gb[started], np.zeros(len(started))
        moved_gb[pools.resumed] = 0.0
        migrated_gb[pools.migrated] = table.checkpoint_gb[started[pools.migrated]]
        return ComputeRecord(
            started_row=self.jobs.row[started],
            started_site=site,
            start_s=np.asarray(pools.start_s, np.int64),
            restart_s=restart_s,
            stopped_row=self.jobs.row[stopped],
            stop_s=stop_s.copy(),
            checkpoint_s=table.checkpoint_s[stopped],
            stopped_left_s=left_s.copy(),
            finished_row=self.jobs.row[finished],
            finish_s=begin_s[finished] + np.asarray(pools.left_s, np.int64)[finished],
            busy_node_s=self._grid("busy"),
            checkpoint_node_s=self._grid("checkpoint"),
            restart_node_s=self._grid("restart"),
            service_nodes=served,
            unserved_service_nodes=self._by_site(self.wanted) - served,
            waiting_nodes=self._waiting_nodes(np.delete(started, pools.resumed), np.delete(step, pools.resumed)),
            suspended_nodes=self._grid("suspended"),
            forced_nodes=self._grid("forced"),
            overrun_nodes=self._grid("overrun"),
            moved_gb=self._over_wan(started, site, step, moved_gb + migrated_gb),
            migrated_gb=self._over_wan(started, site, step, migrated_gb),
        )

    def _grid(self, what: str) -> IntArray:
        return self._by_site(self.readings[what])

    def _by_site(self, by_pool: list[list[int]]) -> IntArray:
        """Turn rows by pool into (step, site, class)."""
        sites, classes = self.fleet.capacity_nodes.shape
        grid = np.asarray(by_pool, np.int64).reshape(self.steps, classes, sites)
        return np.ascontiguousarray(grid.swapaxes(1, 2))

    def _step_of(self, instant_s: IntArray) -> IntArray:
        return np.maximum(instant_s - self.state.now_s, 0) // self.step_s

    def _waiting_nodes(self, started: IntArray, step: IntArray) -> IntArray:
        """Nodes wanted at the end of each step: submitted before it and not started (in `step`) before it."""
        table = self.jobs.table
        change = np.zeros((self.steps, self.fleet.axes.size), np.int64)
        in_line, queue = self.jobs.in_line, table.queue
        joined = self._step_of(table.submit_s[in_line])
        np.add.at(change, (joined, queue[in_line]), table.nodes[in_line])
        np.subtract.at(change, (step, queue[started]), table.nodes[started])
        return change.cumsum(axis=0)

    def _over_wan(self, started: IntArray, site: IntArray, step: IntArray, moved_gb: FloatArray) -> FloatArray:
        """Sum what starts have moved by (step, origin, site), where data have to move at all."""
        total = np.zeros((self.steps, *self.fleet.bandwidth_gbps.shape))
        origin = self.jobs.table.origin[started]
        over_wan = np.isfinite(self.fleet.bandwidth_gbps[origin, site])
        np.add.at(total, (step, origin, site), np.where(over_wan, moved_gb, 0.0))
        return total


def _places(fleet: Fleet) -> list[list[tuple[int, ...]]]:
    """Return the allowed pools of every (class, origin), best first."""
    origins, classes, _ = fleet.preference.shape
    sites = len(fleet.site)
    return [
        [tuple(c * sites + s for s in fleet.preference[o, c].tolist() if s >= 0) for o in range(origins)]
        for c in range(classes)
    ]
