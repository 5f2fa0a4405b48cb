"""Nodes of every (class, site), the data links that lead to them, and their meters.

A *pool* is the nodes of one class at one site: `pool = class * sites + site`. Hot-path state is in plain lists, which
Python reads several times faster than arrays, one scalar at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from gridtwin.compute.clock import Calendar
from gridtwin.errors import ComputeError
from gridtwin.records import ComputeState, Fleet
from gridtwin.units import IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["NEVER_S", "Meter", "Pools", "WindowJobs"]

NEVER_S = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class WindowJobs:
    """The jobs that one window can meet, as lists in order of submission.

    `submit_s` has one entry more, an arrival that never comes, so that lines need not look for their end.
    """

    table: JobTable
    row: IntArray  # (job,) row of the run's job table, ascending
    waiting: IntArray  # jobs that wait when the window begins
    running: IntArray  # in order of start
    suspended: IntArray  # in order of suspension
    arriving: int  # the first job that is submitted in this window
    submit_s: list[int]
    nodes: list[int]
    origin: list[int]
    data_gb: list[float]

    @classmethod
    def of(cls, jobs: JobTable, state: ComputeState, end_s: int) -> WindowJobs:
        """Collect them from the run's table."""
        known = np.sort(np.concatenate([state.waiting_row, state.running_row, state.suspended_row]))
        stop = int(np.searchsorted(jobs.submit_s, end_s))
        row = np.concatenate([known, np.arange(state.next_row, stop)]).astype(np.int64)
        table = jobs.take(row)
        return cls(
            table=table,
            row=row,
            waiting=np.searchsorted(row, state.waiting_row),
            running=np.searchsorted(row, state.running_row),
            suspended=np.searchsorted(row, state.suspended_row),
            arriving=len(known),
            submit_s=[*table.submit_s.tolist(), NEVER_S],
            nodes=table.nodes.tolist(),
            origin=table.origin.tolist(),
            data_gb=table.data_gb.tolist(),
        )

    @property
    def in_line(self) -> IntArray:
        """Jobs that wait or arrive."""
        return np.concatenate([self.waiting, np.arange(self.arriving, len(self.row))])


class Meter:
    """Node-seconds of every pool since the last reading, as Σ (change x time to come) in exact integers.

    `node_s + nodes * now` is what has been counted. It never looks at job records.
    """

    __slots__ = ("node_s", "nodes")

    def __init__(self, pools: int) -> None:
        self.nodes, self.node_s = [0] * pools, [0] * pools

    def add(self, pool: int, nodes: int, now_s: int) -> None:
        """Count `nodes` more from now on."""
        self.nodes[pool] += nodes
        self.node_s[pool] -= nodes * now_s

    def read(self, now_s: int) -> list[int]:
        """Return the node-seconds counted in every pool since the last reading, and begin anew."""
        reading = [node_s + nodes * now_s for node_s, nodes in zip(self.node_s, self.nodes, strict=True)]
        self.node_s = [-nodes * now_s for nodes in self.nodes]
        return reading


class Pools:
    """Starts, suspends, resumes and ends jobs, and meters the nodes that work.

    Attributes
    ----------
    capacity : list of int, by pool
        All nodes.
    free : list of int, by pool
        Nodes that a job may take. A node reserved for a job whose data still move is not, nor is one that saves a
        state, nor one that services claim.
    working, saving, restarting : Meter
        Nodes busy with jobs; those of them that save a state, and those that load one.
    pool : list of int, by job
        Where a job runs or ran last; -1 while it has not begun.
    left_s : list of int, by job, s
        Work left when it starts next or, while it runs, when it started.
    suspended : dict of int to int, s
        Suspended jobs in order of suspension, and when their state is saved and their nodes are free.
    suspended_nodes : list of int, by pool
        What they want, where they ran.
    started, started_pool, reserved_s, start_s, resumed, migrated, stopped, finished
        The log of the window; `resumed` and `migrated` are places in the log of starts.
    """

    __slots__ = (
        "_calendar", "_checkpoint_gb", "_checkpoint_s", "_claimed", "_gbps", "_jobs", "_latency_s", "_link",
        "_loading", "_restart_s", "_returning", "_sites", "capacity", "finished", "free", "left_s", "link_free_s",
        "migrated", "pool", "reserved_s", "restarting", "resumed", "saving", "start_s", "started", "started_pool",
        "stopped", "suspended", "suspended_nodes", "working",
    )  # fmt: skip

    def __init__(self, fleet: Fleet, state: ComputeState, jobs: WindowJobs, calendar: Calendar) -> None:
        self._calendar, self._jobs = calendar, jobs
        self._sites = len(fleet.site)
        self._gbps: list[float] = fleet.bandwidth_gbps.ravel().tolist()
        self._latency_s: list[float] = fleet.latency_oneway_s.ravel().tolist()
        self._link: list[int] = (fleet.axes.link_origin[jobs.table.origin] * self._sites).tolist()
        self._checkpoint_s: list[int] = jobs.table.checkpoint_s.tolist()
        self._restart_s: list[int] = jobs.table.restart_s.tolist()
        self._checkpoint_gb: list[float] = jobs.table.checkpoint_gb.tolist()
        self.link_free_s: list[float] = state.link_free_s.ravel().tolist()
        self.capacity: list[int] = fleet.capacity_nodes.T.ravel().tolist()
        self.free = self.capacity.copy()
        self._claimed = [0] * len(self.free)
        self.working, self.saving, self.restarting = (Meter(len(self.free)) for _ in range(3))
        self.pool = [-1] * len(jobs.row)
        left_s = jobs.table.runtime_s.copy()
        left_s[jobs.running], left_s[jobs.suspended] = state.running_left_s, state.suspended_left_s
        self.left_s: list[int] = left_s.tolist()
        self.suspended: dict[int, int] = {}
        self.suspended_nodes = [0] * len(self.free)
        self._returning: set[int] = set()  # resumed, their state still moves
        self._loading: set[int] = set()  # resumed, their state is being loaded
        self.started: list[int] = []
        self.started_pool: list[int] = []
        self.reserved_s: list[int] = []
        self.start_s: list[int] = []
        self.resumed: list[int] = []
        self.migrated: list[int] = []
        self.stopped: list[tuple[int, int, int]] = []  # job, instant, work left
        self.finished: list[int] = []
        self._take_up_running(state)
        self._take_up_suspended(state)
        if min(self.free) < 0:
            pool = self.free.index(min(self.free))
            where = f"{fleet.site[pool % self._sites]}/{fleet.axes.compute_class[pool // self._sites]}"
            raise ComputeError(f"{where}: running jobs hold {-self.free[pool]} nodes more than there are")

    def _take_up_running(self, state: ComputeState) -> None:
        resumed = state.running_left_s < self._jobs.table.runtime_s[self._jobs.running]
        columns = (self._jobs.running, state.running_site, state.running_start_s, resumed)
        for job, site, start_s, again in zip(*(column.tolist() for column in columns), strict=True):
            pool = self._hold(job, site)
            if start_s <= state.now_s:
                self.working.add(pool, self._jobs.nodes[job], state.now_s)
            elif again:
                self._load_from(job, start_s, state.now_s)
            else:
                self._calendar.note(start_s, ~job)
            self._calendar.note(start_s + self.left_s[job], job)

    def _take_up_suspended(self, state: ComputeState) -> None:
        columns = (self._jobs.suspended, state.suspended_site, state.suspended_free_s)
        for job, site, free_s in zip(*(column.tolist() for column in columns), strict=True):
            self.suspended[job] = free_s
            pool = self._hold(job, site)
            self.suspended_nodes[pool] += self._jobs.nodes[job]
            if free_s > state.now_s:
                self._save_until(job, free_s, state.now_s)
                self.working.add(pool, self._jobs.nodes[job], state.now_s)
            else:
                self.free[pool] += self._jobs.nodes[job]

    def _hold(self, job: int, site: int) -> int:
        pool = int(self._jobs.table.compute_class[job]) * self._sites + site
        self.pool[job] = pool
        self.free[pool] -= self._jobs.nodes[job]
        return pool

    def take(self, job: int, pool: int, now_s: int) -> None:
        """Reserve the nodes of `job` at once; it begins to work when its data have arrived."""
        nodes = self._jobs.nodes[job]
        start_s = now_s
        if self._jobs.data_gb[job] > 0.0:
            start_s = self._arrival_s(job, pool, self._jobs.data_gb[job], now_s)
        self.free[pool] -= nodes
        self.pool[job] = pool
        self.started.append(job)
        self.started_pool.append(pool)
        self.reserved_s.append(now_s)
        self.start_s.append(start_s)
        if start_s == now_s:
            self.working.nodes[pool] += nodes
            self.working.node_s[pool] -= nodes * now_s
        else:
            self._calendar.note(start_s, ~job)
        self._calendar.note(start_s + self.left_s[job], job)

    def resume(self, job: int, pool: int, now_s: int) -> None:
        """Reserve nodes for a suspended job; it loads its state, which moves there first if it ran elsewhere."""
        arrival_s = now_s
        if pool != self.pool[job]:
            self.migrated.append(len(self.started))
            if self._checkpoint_gb[job] > 0.0:
                arrival_s = self._arrival_s(job, pool, self._checkpoint_gb[job], now_s)
        del self.suspended[job]
        self.suspended_nodes[self.pool[job]] -= self._jobs.nodes[job]
        self.resumed.append(len(self.started))
        self.free[pool] -= self._jobs.nodes[job]
        self.pool[job] = pool
        start_s = arrival_s + self._restart_s[job]
        self.started.append(job)
        self.started_pool.append(pool)
        self.reserved_s.append(now_s)
        self.start_s.append(start_s)
        self._load_from(job, start_s, now_s)
        self._calendar.note(start_s + self.left_s[job], job)

    def suspend(self, job: int, end_s: int, now_s: int) -> int:
        """Stop a job that works and would end at `end_s`; return when its state is saved and its nodes are free."""
        self._calendar.drop(end_s, job)
        self.left_s[job] = end_s - now_s
        self.stopped.append((job, now_s, end_s - now_s))
        free_s = now_s + self._checkpoint_s[job]
        self.suspended[job] = free_s
        self.suspended_nodes[self.pool[job]] += self._jobs.nodes[job]
        self._save_until(job, free_s, now_s)
        return free_s

    def _save_until(self, job: int, free_s: int, now_s: int) -> None:
        if free_s > now_s:
            self.saving.add(self.pool[job], self._jobs.nodes[job], now_s)
            self._calendar.note(free_s, ~job)
        else:
            self._let_go(job, now_s)

    def _load_from(self, job: int, start_s: int, now_s: int) -> None:
        """Load the state of a resumed job in the last seconds before `start_s`, or what is left of them."""
        pool, nodes, from_s = self.pool[job], self._jobs.nodes[job], start_s - self._restart_s[job]
        if from_s > now_s:
            self._returning.add(job)
            self._calendar.note(from_s, ~job)
            return
        self.working.add(pool, nodes, now_s)
        if start_s > now_s:
            self._loading.add(job)
            self.restarting.add(pool, nodes, now_s)
            self._calendar.note(start_s, ~job)

    def settle(self, now_s: int, due: list[int], wake_s: list[int]) -> None:
        """End the jobs that are due and let those noted as `~job` go on: data or state arrived, loaded or saved.

        Parameters
        ----------
        now_s : int, s
        due : list of int
        wake_s : list of int, by pool's class, s
            Set to `now_s` where nodes came free.
        """
        for what in due:
            if what >= 0:
                pool, nodes = self.pool[what], self._jobs.nodes[what]
                self.free[pool] += nodes
                self.working.nodes[pool] -= nodes
                self.working.node_s[pool] += nodes * now_s
                self.finished.append(what)
                wake_s[pool // self._sites] = now_s
            else:
                self._go_on(~what, now_s, wake_s)

    def _let_go(self, job: int, now_s: int) -> None:
        self.free[self.pool[job]] += self._jobs.nodes[job]
        self.working.add(self.pool[job], -self._jobs.nodes[job], now_s)

    def _go_on(self, job: int, now_s: int, wake_s: list[int]) -> None:
        pool, nodes = self.pool[job], self._jobs.nodes[job]
        if job in self.suspended:
            self.saving.add(pool, -nodes, now_s)
            self._let_go(job, now_s)
            wake_s[pool // self._sites] = now_s
        elif job in self._loading:
            self._loading.remove(job)
            self.restarting.add(pool, -nodes, now_s)
        elif job in self._returning:
            self._returning.remove(job)
            self._load_from(job, now_s + self._restart_s[job], now_s)
        else:
            self.working.add(pool, nodes, now_s)

    def serve(self, wanted_nodes: list[int]) -> list[int]:
        """Return what services get of the nodes they want: all but those of jobs that run or move their data.

        Nodes that come free while services are short stay free for them: `free` is negative as long as they are.
        """
        room = [free + claimed for free, claimed in zip(self.free, self._claimed, strict=True)]
        self._claimed = wanted_nodes
        self.free = [nodes - wanted for nodes, wanted in zip(room, wanted_nodes, strict=True)]
        return [min(pair) for pair in zip(wanted_nodes, room, strict=True)]

    def _arrival_s(self, job: int, pool: int, data_gb: float, now_s: int) -> int:
        """Queue a transfer behind those on the link from the origin; return when it is through."""
        link = self._link[job] + pool % self._sites
        gbps = self._gbps[link]
        if gbps == inf:
            return now_s
        self.link_free_s[link] = max(float(now_s), self.link_free_s[link]) + data_gb * 8.0 / gbps
        return ceil(self.link_free_s[link] + self._latency_s[link])
