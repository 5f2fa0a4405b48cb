"""Preemptible jobs under a plan: how many nodes they may hold in every pool, who holds them, and who gives them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappush

import numpy as np

from gridtwin.compute.disciplines import cap_nodes, carried_cap, to_suspend
from gridtwin.compute.pools import Pools, WindowJobs
from gridtwin.records import ComputePlan, ComputeState
from gridtwin.units import IntArray

__all__ = ["Caps"]


@dataclass(slots=True, eq=False)
class Caps:
    """Caps of one window, and the preemptible jobs that run under them.

    The slack of a running job is how long it could pause, restart included, and still end in time; it does not change
    while the job works.
    """

    jobs: WindowJobs
    pools: Pools
    sites: int
    planned: list[list[float]]  # (step, pool)
    carry: list[float]  # (pool,)
    resume_by_s: list[int]  # (job,) latest resumption of a job with no work left: due - restart - lead
    checkpoint_s: list[int]  # (job,)
    returning: list[list[tuple[int, int]]]  # (class,) heaps of suspended jobs that are not in line yet: (free_s, job)
    cap: list[int]  # (pool,)
    room: list[int]  # (pool,) cap less what preemptible jobs hold
    kept_waiting: list[int]  # (pool,) widest job that had room in the pool, but not under the cap, in this step
    running: list[dict[int, int]]  # (pool,) slack of the preemptible jobs there, s
    begin_s: dict[int, int] = field(default_factory=dict)  # first second of work of each of them
    now_s: int = 0
    until_s: int = 0  # end of the step
    _step: int = -1
    _seen: int = 0  # entries of the log of ended jobs

    @classmethod
    def of(
        cls, plan: ComputePlan | None, state: ComputeState, jobs: WindowJobs, pools: Pools, resume_by_s: IntArray
    ) -> Caps:
        """Carry on from `state`."""
        sites, classes = state.preemptible_carry_nodes.shape
        size = sites * classes
        planned = np.zeros((0, sites, classes)) if plan is None else plan.preemptible_nodes
        caps = cls(
            jobs=jobs,
            pools=pools,
            sites=sites,
            planned=planned.swapaxes(1, 2).reshape(len(planned), size).tolist(),
            carry=state.preemptible_carry_nodes.T.ravel().tolist(),
            resume_by_s=resume_by_s.tolist(),
            checkpoint_s=jobs.table.checkpoint_s.tolist(),
            returning=[[] for _ in range(classes)],
            cap=[0] * size,
            room=[0] * size,
            kept_waiting=[0] * size,
            running=[{} for _ in range(size)],
        )
        for job, start_s in zip(jobs.running.tolist(), state.running_start_s.tolist(), strict=True):
            if jobs.table.preemptible[job]:
                caps.hold(job, start_s)
        for job, free_s in pools.suspended.items():
            heappush(caps.returning[pools.pool[job] // sites], (free_s, job))
        return caps

    def open_step(self, step: int, now_s: int, until_s: int) -> None:
        """Set the caps of `step` and suspend jobs of the pools that hold more; without a plan nobody is suspended."""
        if not self.planned:
            return
        self.see_ends()
        self._step, self.now_s, self.until_s = step, now_s, until_s
        self.kept_waiting = [0] * len(self.cap)
        for pool, (planned, carry) in enumerate(zip(self.planned[step], self.carry, strict=True)):
            cap = cap_nodes(planned, carry)
            self.room[pool] += cap - self.cap[pool]
            self.cap[pool] = cap
            if self.room[pool] < 0:
                self._suspend(pool, self._willing(pool, now_s), -self.room[pool], now_s)

    def close_boundary(self) -> list[int]:
        """Note what the caps leave to the next step; return the nodes held beyond them, by pool."""
        if not self.planned:
            return [0] * len(self.cap)
        held = [cap - room for cap, room in zip(self.cap, self.room, strict=True)]
        columns = (self.planned[self._step], self.carry, held, self.kept_waiting)
        self.carry = [carried_cap(*column) for column in zip(*columns, strict=True)]
        return [max(0, -room) for room in self.room]

    def see_ends(self) -> None:
        """Take the jobs that have ended off the caps."""
        for job in self.pools.finished[self._seen :]:
            if job in self.begin_s:
                self._drop(job)
        self._seen = len(self.pools.finished)

    def hold(self, job: int, start_s: int) -> None:
        """Put a job that begins to work at `start_s` under the cap of its pool."""
        pool = self.pools.pool[job]
        self.room[pool] -= self.jobs.nodes[job]
        self.begin_s[job] = start_s
        self.running[pool][job] = self.resume_by_s[job] - start_s - self.pools.left_s[job]

    def make_room(self, places: Sequence[int], nodes: int, now_s: int) -> bool:
        """Suspend jobs at the first of `places` where that makes room for an urgent job; False where none can.

        Nodes that save a state are as good as free: where they suffice nobody else is suspended.
        """
        pools = self.pools
        missing = [(pool, nodes - pools.free[pool] - pools.saving.nodes[pool]) for pool in places]
        if any(nodes_missing <= 0 for _, nodes_missing in missing):
            return False
        for pool, nodes_missing in missing:
            willing = self._willing(pool, now_s)
            if sum(self.jobs.nodes[job] for job in willing) >= nodes_missing:
                self._suspend(pool, willing, nodes_missing, now_s)
                return True
        return False

    def _willing(self, pool: int, now_s: int) -> list[int]:
        """Return the jobs of a pool that work and can pause until the step ends, the one with most slack first."""
        slack_s, need_s = self.running[pool], self.until_s - now_s
        return sorted(
            (
                job
                for job, slack in slack_s.items()
                if slack >= need_s and slack >= self.checkpoint_s[job] and self.begin_s[job] < now_s
            ),
            key=lambda job: (slack_s[job], job),
            reverse=True,
        )

    def _suspend(self, pool: int, willing: list[int], excess_nodes: int, now_s: int) -> None:
        for place in to_suspend([self.jobs.nodes[job] for job in willing], excess_nodes):
            job = willing[place]
            end_s = self._drop(job) + self.pools.left_s[job]
            free_s = self.pools.suspend(job, end_s, now_s)
            heappush(self.returning[pool // self.sites], (free_s, job))

    def _drop(self, job: int) -> int:
        pool = self.pools.pool[job]
        self.room[pool] += self.jobs.nodes[job]
        del self.running[pool][job]
        return self.begin_s.pop(job)
