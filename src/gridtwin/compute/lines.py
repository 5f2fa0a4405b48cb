"""Waiting lines, one per class: who is in line, and when it is worth looking at it again.

A line is woken when a job may have become able to start: at its next arrival, when nodes of its class come free, and at
every step boundary. Between those instants nothing can change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar

import numpy as np

from gridtwin.compute.caps import Caps
from gridtwin.compute.clock import Calendar
from gridtwin.compute.disciplines import carried_grants, first_with_room, largest_grant_with_room, order_keys
from gridtwin.compute.pools import NEVER_S, Pools, WindowJobs
from gridtwin.compute.reserved import SiteLines, Vacancies
from gridtwin.records import ComputePlan, ComputeState
from gridtwin.units import IntArray

__all__ = ["EdfLine", "FcfsLine", "Floor", "Grants", "Line", "Lots", "PlannedLine", "ResumingLine", "lines_by_class"]


@dataclass(frozen=True, slots=True, eq=False)
class Floor:
    """What every line shares: jobs, pools, clock, and where a job may go."""

    jobs: WindowJobs
    pools: Pools
    calendar: Calendar
    places: Sequence[Sequence[tuple[int, ...]]]  # (class, origin) allowed pools, best first
    wake_s: list[int]  # (class,) when a line has to be looked at next
    order_by_s: IntArray  # (job,) latest start, less the time that its data may take


class Line(Protocol):
    """A waiting line of one class."""

    def start(self, now_s: int) -> None:
        """Start every job that can start at `now_s`, then set the next wake-up."""


class FcfsLine:
    """Strict order of submission: nobody passes the head of the line.

    While the head waits for room an arrival can change nothing, so arrivals behind it wake nobody; the line is simply
    the rest of the rows.
    """

    __slots__ = ("_class", "_floor", "_next", "_rows")

    def __init__(self, floor: Floor, compute_class: int, rows: list[int]) -> None:
        self._floor, self._class, self._rows, self._next = floor, compute_class, [*rows, -1], 0

    def start(self, now_s: int) -> None:
        """Start jobs from the head of the line until one has to wait."""
        floor = self._floor
        jobs, pools, places = floor.jobs, floor.pools, floor.places[self._class]
        job = self._rows[self._next]
        while jobs.submit_s[job] <= now_s:
            pool = first_with_room(places[jobs.origin[job]], pools.free, jobs.nodes[job])
            if pool < 0:
                floor.wake_s[self._class] = NEVER_S
                return
            pools.take(job, pool, now_s)
            self._next += 1
            job = self._rows[self._next]
        floor.wake_s[self._class] = jobs.submit_s[job]
        floor.calendar.wake(jobs.submit_s[job])


class EdfLine:
    """Earliest latest start first: nobody passes the head of the line, but a later arrival may become the head."""

    __slots__ = ("_class", "_count", "_floor", "_heap", "_keys", "_next", "_rows")

    def __init__(self, floor: Floor, compute_class: int, rows: list[int]) -> None:
        self._floor, self._class, self._rows, self._next = floor, compute_class, [*rows, -1], 0
        self._keys: list[int] = order_keys("edf", floor.jobs.table.latest_start_s).tolist()
        self._count = len(self._keys)
        self._heap: list[int] = []

    def start(self, now_s: int) -> None:
        """Let arrivals join, then start jobs from the head of the line until one has to wait."""
        floor, heap = self._floor, self._heap
        jobs, pools, places = floor.jobs, floor.pools, floor.places[self._class]
        arrival = self._rows[self._next]
        while jobs.submit_s[arrival] <= now_s:
            heappush(heap, self._keys[arrival])
            self._next += 1
            arrival = self._rows[self._next]
        while heap:
            job = heap[0] % self._count
            pool = first_with_room(places[jobs.origin[job]], pools.free, jobs.nodes[job])
            if pool < 0:
                break
            heappop(heap)
            pools.take(job, pool, now_s)
        floor.wake_s[self._class] = jobs.submit_s[arrival]
        floor.calendar.wake(jobs.submit_s[arrival])


Lot = TypeVar("Lot")


@dataclass(slots=True, eq=False)
class Grants:
    """Node starts that a plan allows, carried from step to step, and the jobs that wait for them."""

    shape: tuple[int, int, int, int]  # origins, classes, delay classes, bins
    sites: int
    release: list[float]  # (queue,)
    route: list[float]  # (origin, class, bin, site), flat
    waiting: list[int]  # (queue,) jobs
    forced: list[int]  # (pool,) nodes started without a grant in this step
    urgent_before_s: int = 0  # jobs with an earlier latest start need no grant
    plan: ComputePlan | None = None
    queue: list[int] = field(default_factory=list)  # (job,)
    route_offset: list[int] = field(default_factory=list)  # (job,) route index of pool 0 of the job's class

    @classmethod
    def of(cls, plan: ComputePlan | None, state: ComputeState, jobs: WindowJobs, pools: Pools) -> Grants:
        """Carry on from `state`."""
        shape = jobs.table.axes.shape
        sites = state.link_free_s.shape[1]
        queue = jobs.table.queue
        origin, compute_class, _, duration_bin = np.unravel_index(queue, shape)
        group = (origin * shape[1] + compute_class) * shape[3] + duration_bin
        return cls(
            shape=shape,
            sites=sites,
            release=state.release_nodes.tolist(),
            route=state.route_nodes.ravel().tolist(),
            waiting=[0] * jobs.table.axes.size,
            forced=[0] * len(pools.free),
            plan=plan,
            queue=queue.tolist(),
            route_offset=((group - compute_class) * sites).tolist(),
        )

    def open_step(self, step: int, urgent_before_s: int) -> None:
        """Drop what empty queues left over, then add the grants of `step`."""
        self.urgent_before_s = urgent_before_s
        if self.plan is None:
            return
        route = np.asarray(self.route).reshape(self.plan.route_nodes.shape[1:])
        release, route = carried_grants(np.asarray(self.release), route, np.asarray(self.waiting), self.shape)
        self.release = (release + self.plan.release_nodes[step]).tolist()
        self.route = (route + self.plan.route_nodes[step]).ravel().tolist()

    def read_forced(self) -> list[int]:
        """Return the nodes started without a grant since the last reading, by pool."""
        reading, self.forced = self.forced, [0] * len(self.forced)
        return reading


class Heads(Generic[Lot]):
    """Jobs in line by lot, each in the order of `order_keys`, and the latest-start key of the head of every lot."""

    __slots__ = ("_count", "_heaps", "_in_line", "_latest_keys", "_order_keys", "key_of")

    def __init__(self, order_keys: list[int], latest_keys: list[int], in_line: list[bool]) -> None:
        self._order_keys, self._latest_keys, self._in_line = order_keys, latest_keys, in_line
        self._count = len(latest_keys)
        self._heaps: dict[Lot, list[int]] = {}
        self.key_of: dict[Lot, int] = {}

    def join(self, lot: Lot, job: int) -> bool:
        """Put a job that is in line into its lot. Returns whether it is the head now."""
        key = self._order_keys[job]
        heap = self._heaps.get(lot)
        if heap is None:
            heap = self._heaps[lot] = []
        heappush(heap, key)
        if heap[0] != key:
            return False
        self.key_of[lot] = self._latest_keys[job]
        return True

    def leave(self, lot: Lot) -> None:
        """Find the new head of a lot after a job has left the line."""
        heap = self._heaps[lot]
        while heap:
            job = heap[0] % self._count
            if self._in_line[job] and heap[0] == self._order_keys[job]:
                self.key_of[lot] = self._latest_keys[job]
                return
            heappop(heap)
        self.key_of.pop(lot, None)


class Lots:
    """Preemptible jobs in line, in lots of jobs that may go to the same places.

    Jobs that have not begun are one lot per queue; suspended ones are one per pool and, where they may move, origin.
    The head of a lot has the earliest latest start; where it finds no room the others of its lot wait with it.
    """

    __slots__ = (
        "_caps", "_changed", "_count", "_floor", "_grants", "_heads", "_in_line", "_migratable", "_offered", "_own",
        "_places", "_until_s",
    )  # fmt: skip

    def __init__(
        self, floor: Floor, compute_class: int, caps: Caps, grants: Grants, keys: list[int], in_line: list[bool]
    ) -> None:
        self._floor, self._caps, self._grants, self._in_line = floor, caps, grants, in_line
        self._places, self._count = floor.places[compute_class], len(keys)
        self._own = slice(compute_class * caps.sites, (compute_class + 1) * caps.sites)  # pools of the class
        self._migratable: list[bool] = floor.jobs.table.migratable.tolist()
        self._heads: Heads[int | tuple[int, int]] = Heads(keys, keys, in_line)
        self._changed: set[int | tuple[int, int]] = set()  # lots with another head than when they were last tried
        self._offered: list[int] = []  # room in the pools when that was over
        self._until_s = -1  # end of the step in which it was

    def join(self, job: int) -> None:
        """Put a job in line."""
        lot = self._lot(job)
        if self._heads.join(lot, job):
            self._changed.add(lot)

    def start(self, now_s: int) -> None:
        """Start and resume jobs as far as caps and free nodes allow, earliest latest start first."""
        room, key_of = self._room(), self._heads.key_of
        if heads := self._promising(room):
            heapify(heads)
            while heads:
                job = heappop(heads) % self._count
                lot = self._lot(job)
                if self.start_one(job, now_s, urgent=False) and lot in key_of:
                    heappush(heads, key_of[lot])
            room = self._room()
        self._offered, self._until_s = room, self._grants.urgent_before_s
        self._changed.clear()

    def _promising(self, room: list[int]) -> list[int]:
        """Return the keys of heads that may find room.

        One that found none finds none before a pool has more room than it had then. In each step every head has a try
        all the same, as those whom the cap alone keeps waiting count for what is carried over.
        """
        key_of, changed = self._heads.key_of, self._changed
        if self._until_s != self._grants.urgent_before_s:
            return list(key_of.values())
        more = [now for now, before in zip(room, self._offered, strict=True) if now > before]
        if not more:
            return [key_of[lot] for lot in changed if lot in key_of]
        widest, nodes, count = max(more), self._floor.jobs.nodes, self._count
        return [key for lot, key in key_of.items() if nodes[key % count] <= widest or lot in changed]

    def _room(self) -> list[int]:
        return list(map(min, self._floor.pools.free[self._own], self._caps.room[self._own]))

    def start_one(self, job: int, now_s: int, *, urgent: bool) -> bool:
        """Start or resume `job`, beyond the cap if it is urgent; False where it finds no room."""
        caps, nodes = self._caps, self._floor.jobs.nodes[job]
        pool = self._pool_for(job)
        if pool < 0:
            return False
        if caps.room[pool] < nodes:
            if not urgent:
                caps.kept_waiting[pool] = max(caps.kept_waiting[pool], nodes)
                return False
            self._grants.forced[pool] += nodes
        self.leave(job)
        pools = self._floor.pools
        (pools.resume if job in pools.suspended else pools.take)(job, pool, now_s)
        caps.hold(job, pools.start_s[-1])
        return True

    def leave(self, job: int) -> None:
        """Take a job out of its lot."""
        lot = self._lot(job)
        self._in_line[job] = False
        self._heads.leave(lot)
        self._changed.add(lot)

    def places(self, job: int) -> tuple[int, ...]:
        """Return the pools where `job` may go: a suspended job that may not migrate stays at its site."""
        pools = self._floor.pools
        if job in pools.suspended and not self._migratable[job]:
            return (pools.pool[job],)
        return self._places[self._floor.jobs.origin[job]]

    def _pool_for(self, job: int) -> int:
        """Return the site of a suspended job where it fits; else the one with most room under the cap, or -1."""
        pools, room, nodes = self._floor.pools, self._caps.room, self._floor.jobs.nodes[job]
        own = pools.pool[job]
        if own >= 0 and pools.free[own] >= nodes and room[own] >= nodes:
            return own
        return largest_grant_with_room(self.places(job), pools.free, nodes, room, 0)

    def _lot(self, job: int) -> int | tuple[int, int]:
        """Queue; of a suspended job, origin (-1 for all) and pool."""
        pools = self._floor.pools
        if job not in pools.suspended:
            return self._grants.queue[job]
        return self._floor.jobs.origin[job] if self._migratable[job] else -1, pools.pool[job]


class PlannedLine:
    """Jobs start when the plan has released their queue or their cap has room, and at their latest start in any case.

    A job whose latest start, less the time that its data may take, lies before the end of the current step is urgent:
    it starts at once, grant or not, cap or not. An urgent job that finds no room has preemptible jobs suspended that
    can pause, once in a step. Failing that, it leaves its queue or lot for the line of one site until the step ends,
    see `SiteLines`. That site is closed to jobs with a later latest start; the others stay open to all, and so to the
    head of the line if they have room sooner.
    """

    __slots__ = (
        "_asked", "_by_latest", "_capped", "_caps", "_class", "_count", "_floor", "_grants", "_heads", "_in_line",
        "_latest_keys", "_lots", "_next", "_preemptible", "_rows", "_site_lines", "_until_s",
    )  # fmt: skip

    def __init__(
        self,
        floor: Floor,
        compute_class: int,
        rows: list[int],
        discipline: str,
        grants: Grants,
        caps: Caps,
        vacancies: Vacancies,
    ) -> None:
        self._floor, self._class, self._rows, self._next = floor, compute_class, [*rows, -1], 0
        self._grants, self._caps = grants, caps
        latest_start_s = floor.order_by_s
        self._latest_keys: list[int] = order_keys("edf", latest_start_s).tolist()
        order_by: list[int] = order_keys(discipline, latest_start_s).tolist()
        self._preemptible: list[bool] = floor.jobs.table.preemptible.tolist()
        self._capped = any(self._preemptible)
        self._count = len(self._latest_keys)
        self._in_line = [False] * self._count
        self._by_latest: list[int] = []
        self._heads: Heads[int] = Heads(order_by, self._latest_keys, self._in_line)
        self._lots = Lots(floor, compute_class, caps, grants, self._latest_keys, self._in_line)
        self._site_lines = SiteLines(floor.jobs, floor.pools, vacancies)
        self._until_s = -1  # end of the step in which those lines hold
        self._asked: set[tuple[int, int]] = set()  # jobs that had others suspended, and in which step
        for _ in range(sum(job < floor.jobs.arriving for job in rows)):
            self._admit_next()

    def start(self, now_s: int) -> None:
        """Let arrivals join, start urgent jobs, then jobs with a grant, then preemptible ones."""
        submit_s = self._floor.jobs.submit_s
        while submit_s[self._rows[self._next]] <= now_s:
            self._admit_next()
        if self._capped:
            self._caps.see_ends()
            self._admit_suspended(now_s)
        self._start_urgent(now_s)
        self._start_granted(now_s)
        if self._capped:
            self._lots.start(now_s)
        if self._site_lines.lines:
            self._site_lines.reopen()
        arrival_s = submit_s[self._rows[self._next]]
        self._floor.wake_s[self._class] = arrival_s
        self._floor.calendar.wake(arrival_s)

    def _admit_next(self) -> None:
        job = self._rows[self._next]
        self._next += 1
        self._join(job)
        if self._preemptible[job]:
            self._lots.join(job)
        else:
            queue = self._grants.queue[job]
            self._heads.join(queue, job)
            self._grants.waiting[queue] += 1

    def _admit_suspended(self, now_s: int) -> None:
        """Let suspended jobs join whose state is saved."""
        returning = self._caps.returning[self._class]
        while returning and returning[0][0] <= now_s:
            _, job = heappop(returning)
            resume_by_s = self._caps.resume_by_s[job] - self._floor.pools.left_s[job]
            self._latest_keys[job] = resume_by_s * self._count + job
            self._join(job)
            self._lots.join(job)

    def _join(self, job: int) -> None:
        self._in_line[job] = True
        heappush(self._by_latest, self._latest_keys[job])

    def _start_urgent(self, now_s: int) -> None:
        """Start urgent jobs, earliest latest start first, and close the sites that are kept for those left waiting."""
        until_s = self._grants.urgent_before_s
        if self._until_s != until_s:
            self._until_s = until_s
            for key in self._site_lines.dissolve():
                self._join(key % self._count)
        heads = self._site_lines.heads() if self._site_lines.lines else []
        while (job := self._next_urgent(heads[0][0] if heads else until_s * self._count, now_s)) >= 0 or heads:
            if job < 0:
                _, pool = heappop(heads)
                if (key := self._start_in_line(pool, now_s)) >= 0:
                    heappush(heads, (key, pool))
                continue
            self._site_lines.join(job, self._latest_keys[job], self._lots.places(job), now_s)
            if self._preemptible[job]:
                self._lots.leave(job)
            else:
                self._in_line[job] = False
                self._heads.leave(self._grants.queue[job])

    def _next_urgent(self, before: int, now_s: int) -> int:
        """Start urgent jobs with keys `before` that one until one has to wait, which is returned; -1 for none."""
        start_one = self._start_at_any_rate if self._capped else self._start_one
        while self._by_latest and self._by_latest[0] < before:
            key = heappop(self._by_latest)
            job = key % self._count
            if self._in_line[job] and key == self._latest_keys[job] and not start_one(job, now_s):
                return job
        return -1

    def _start_in_line(self, pool: int, now_s: int) -> int:
        """Start who heads the line of `pool`, there or at an open site; return the next key, -1 for none that may."""
        job = self._site_lines.head(pool) % self._count
        if self._site_lines.closed(pool) or not self._start_one(job, now_s):
            self._site_lines.close(pool)
            return -1
        return self._site_lines.leave(pool, self._floor.jobs.nodes[job])

    def _start_at_any_rate(self, job: int, now_s: int) -> bool:
        """Start an urgent job, at once or, failing that, where suspending others makes room at once."""
        if self._start_one(job, now_s):
            return True
        ask = job, self._grants.urgent_before_s
        if ask in self._asked:
            return False
        self._asked.add(ask)
        places, nodes = self._lots.places(job), self._floor.jobs.nodes[job]
        made = self._caps.make_room(places, nodes, now_s)
        if made:
            self._admit_suspended(now_s)
        return made and self._start_one(job, now_s)

    def _start_granted(self, now_s: int) -> None:
        release, key_of = self._grants.release, self._heads.key_of
        heads = [key for queue, key in key_of.items() if release[queue] > 0.0]
        heapify(heads)
        while heads:
            job = heappop(heads) % self._count
            queue = self._grants.queue[job]
            if self._start_one(job, now_s) and release[queue] > 0.0 and queue in key_of:
                heappush(heads, key_of[queue])

    def _start_one(self, job: int, now_s: int) -> bool:
        """Start `job` at the allowed site with the largest route grant that has room; False when none has."""
        if self._preemptible[job]:
            return self._lots.start_one(job, now_s, urgent=True)
        jobs, pools, grants = self._floor.jobs, self._floor.pools, self._grants
        nodes, offset = jobs.nodes[job], grants.route_offset[job]
        places = self._floor.places[self._class][jobs.origin[job]]
        pool = largest_grant_with_room(places, pools.free, nodes, grants.route, offset)
        if pool < 0:
            return False
        queue = grants.queue[job]
        if grants.release[queue] <= 0.0:
            grants.forced[pool] += nodes
        grants.release[queue] -= nodes
        grants.route[offset + pool] -= nodes
        grants.waiting[queue] -= 1
        self._in_line[job] = False
        self._heads.leave(queue)
        pools.take(job, pool, now_s)
        return True


class ResumingLine:
    """Without a plan: jobs that an earlier plan suspended go on as soon as they find room, before those in `line`."""

    __slots__ = ("_floor", "_jobs", "_line", "_migratable", "_places")

    def __init__(self, floor: Floor, compute_class: int, line: Line, suspended: list[int]) -> None:
        self._floor, self._line, self._jobs = floor, line, suspended
        self._places = floor.places[compute_class]
        self._migratable: list[bool] = floor.jobs.table.migratable.tolist()

    def start(self, now_s: int) -> None:
        """Resume jobs in order of suspension, then start those in line."""
        self._jobs = [job for job in self._jobs if not self._resume(job, now_s)]
        self._line.start(now_s)

    def _resume(self, job: int, now_s: int) -> bool:
        pools, own = self._floor.pools, self._floor.pools.pool[job]
        elsewhere = self._places[self._floor.jobs.origin[job]] if self._migratable[job] else ()
        pool = first_with_room((own, *elsewhere), pools.free, self._floor.jobs.nodes[job])
        if pool < 0 or pools.suspended[job] > now_s:
            return False
        pools.resume(job, pool, now_s)
        return True


def lines_by_class(
    floor: Floor, discipline: str, plan: ComputePlan | None, grants: Grants, caps: Caps
) -> dict[int, Line]:
    """Return the line of every class that has jobs in this window."""
    compute_class = floor.jobs.table.compute_class
    in_line, suspended = floor.jobs.in_line, floor.jobs.suspended
    vacancies = Vacancies(floor.jobs, floor.pools, floor.calendar)
    lines: dict[int, Line] = {}
    for index in np.unique(compute_class).tolist():
        rows: list[int] = in_line[compute_class[in_line] == index].tolist()
        if plan is not None:
            lines[index] = PlannedLine(floor, index, rows, discipline, grants, caps, vacancies)
            continue
        line: Line = FcfsLine(floor, index, rows) if discipline == "fcfs" else EdfLine(floor, index, rows)
        paused: list[int] = suspended[compute_class[suspended] == index].tolist()
        lines[index] = ResumingLine(floor, index, line, paused) if paused else line
    return lines
