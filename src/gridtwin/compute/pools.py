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

__all__ = ["NEVER_S", "Pools", "WindowJobs"]

NEVER_S = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class WindowJobs:
    """The jobs that one window can meet, as lists: waiting, then arriving, then running ones.

    `submit_s` has one entry more, an arrival that never comes, so that lines need not look for their end.
    """

    table: JobTable
    row: IntArray  # (job,) row of the run's job table
    waiting: int  # jobs that wait when the window begins
    queued: int  # jobs that wait or arrive
    submit_s: list[int]
    runtime_s: list[int]
    nodes: list[int]
    origin: list[int]
    data_gb: list[float]

    @classmethod
    def of(cls, jobs: JobTable, state: ComputeState, end_s: int) -> WindowJobs:
        """Collect them from the run's table."""
        stop = int(np.searchsorted(jobs.submit_s, end_s))
        row = np.concatenate([state.waiting_row, np.arange(state.next_row, stop), state.running_row]).astype(np.int64)
        table = jobs.take(row)
        return cls(
            table=table,
            row=row,
            waiting=len(state.waiting_row),
            queued=len(row) - len(state.running_row),
            submit_s=[*table.submit_s.tolist(), NEVER_S],
            runtime_s=table.runtime_s.tolist(),
            nodes=table.nodes.tolist(),
            origin=table.origin.tolist(),
            data_gb=table.data_gb.tolist(),
        )


class Pools:
    """Starts and ends jobs, and meters the nodes that work.

    The meter of a pool integrates its working nodes over the current step as Σ (change x time to come), in exact
    integers: `meter_node_s + working * now` is the node-seconds worked since the step began. It never looks at job
    records.

    Attributes
    ----------
    free, working : list of int, by pool
        Nodes that a job may take; nodes that compute for jobs. A node reserved for a job whose data still move is
        neither, nor is one that services claim.
    pool : list of int, by job
        Where a job runs or ran; -1 while it waits.
    started, reserved_s, start_s, finished
        The log of the window.
    """

    __slots__ = (
        "_calendar", "_claimed", "_gbps", "_jobs", "_latency_s", "_sites", "finished", "free", "link_free_s",
        "meter_node_s", "pool", "reserved_s", "start_s", "started", "working",
    )  # fmt: skip

    def __init__(self, fleet: Fleet, state: ComputeState, jobs: WindowJobs, calendar: Calendar) -> None:
        self._calendar, self._jobs = calendar, jobs
        self._sites = len(fleet.site)
        self._gbps: list[float] = fleet.bandwidth_gbps.ravel().tolist()
        self._latency_s: list[float] = fleet.latency_oneway_s.ravel().tolist()
        self.link_free_s: list[float] = state.link_free_s.ravel().tolist()
        self.free: list[int] = fleet.capacity_nodes.T.ravel().tolist()
        self._claimed = [0] * len(self.free)
        self.working = [0] * len(self.free)
        self.pool = [-1] * len(jobs.row)
        self.started: list[int] = []
        self.reserved_s: list[int] = []
        self.start_s: list[int] = []
        self.finished: list[int] = []
        self._resume(state)
        if min(self.free) < 0:
            pool = self.free.index(min(self.free))
            where = f"{fleet.site[pool % self._sites]}/{fleet.axes.compute_class[pool // self._sites]}"
            raise ComputeError(f"{where}: running jobs hold {-self.free[pool]} nodes more than there are")
        self.meter_node_s = [-nodes * state.now_s for nodes in self.working]

    def _resume(self, state: ComputeState) -> None:
        running = zip(
            range(self._jobs.queued, len(self._jobs.row)),
            state.running_site.tolist(),
            state.running_start_s.tolist(),
            strict=True,
        )
        for job, site, start_s in running:
            pool = int(self._jobs.table.compute_class[job]) * self._sites + site
            self.pool[job] = pool
            self.free[pool] -= self._jobs.nodes[job]
            if start_s > state.now_s:
                self._calendar.note(start_s, ~job)
            else:
                self.working[pool] += self._jobs.nodes[job]
            self._calendar.note(start_s + self._jobs.runtime_s[job], job)

    def take(self, job: int, pool: int, now_s: int) -> None:
        """Reserve the nodes of `job` at once; it begins to work when its data have arrived."""
        nodes = self._jobs.nodes[job]
        start_s = now_s
        if self._jobs.data_gb[job] > 0.0:
            start_s = self._data_arrival_s(job, self._jobs.origin[job] * self._sites + pool % self._sites, now_s)
        self.free[pool] -= nodes
        self.pool[job] = pool
        self.started.append(job)
        self.reserved_s.append(now_s)
        self.start_s.append(start_s)
        if start_s == now_s:
            self.working[pool] += nodes
            self.meter_node_s[pool] -= nodes * now_s
        else:
            self._calendar.note(start_s, ~job)
        self._calendar.note(start_s + self._jobs.runtime_s[job], job)

    def settle(self, now_s: int, due: list[int], wake_s: list[int]) -> None:
        """End the jobs that are due and begin those whose data arrived (noted as `~job`).

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
                self.working[pool] -= nodes
                self.meter_node_s[pool] += nodes * now_s
                self.finished.append(what)
                wake_s[pool // self._sites] = now_s
            else:
                pool, nodes = self.pool[~what], self._jobs.nodes[~what]
                self.working[pool] += nodes
                self.meter_node_s[pool] -= nodes * now_s

    def read_meter(self, now_s: int) -> list[int]:
        """Return the node-seconds worked in every pool since the last reading, and begin anew."""
        reading = [meter + nodes * now_s for meter, nodes in zip(self.meter_node_s, self.working, strict=True)]
        self.meter_node_s = [-nodes * now_s for nodes in self.working]
        return reading

    def serve(self, wanted_nodes: list[int]) -> list[int]:
        """Return what services get of the nodes they want: all but those of jobs that run or move their data.

        Nodes that come free while services are short stay free for them: `free` is negative as long as they are.
        """
        room = [free + claimed for free, claimed in zip(self.free, self._claimed, strict=True)]
        self._claimed = wanted_nodes
        self.free = [nodes - wanted for nodes, wanted in zip(room, wanted_nodes, strict=True)]
        return [min(pair) for pair in zip(wanted_nodes, room, strict=True)]

    def _data_arrival_s(self, job: int, link: int, now_s: int) -> int:
        gbps = self._gbps[link]
        if gbps == inf:
            return now_s
        self.link_free_s[link] = max(float(now_s), self.link_free_s[link]) + self._jobs.data_gb[job] * 8.0 / gbps
        return ceil(self.link_free_s[link] + self._latency_s[link])
