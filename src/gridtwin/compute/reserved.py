"""Jobs without room: the one site that is kept for each of them, so that it starts and stops nobody elsewhere.

A pool that is kept is *closed* to all who come after the jobs in its line. Which pool a job waits for depends on the
frozen state alone, because every choice lapses at the next step boundary, the only instant at which windows meet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import accumulate

from gridtwin.compute.clock import Calendar
from gridtwin.compute.pools import NEVER_S, Pools, WindowJobs

__all__ = ["SiteLines", "Vacancies"]


class Vacancies:
    """When nodes that jobs hold come free, by estimates; looked up only when somebody waits.

    The calendar says who holds nodes at the first look, the logs of the pools what has changed at each further one.
    """

    __slots__ = ("_calendar", "_holders", "_jobs", "_outlasted_s", "_pool_of", "_pools", "_seen", "_sorted")

    def __init__(self, jobs: WindowJobs, pools: Pools, calendar: Calendar) -> None:
        self._jobs, self._pools, self._calendar = jobs, pools, calendar
        self._outlasted_s: list[int] = []
        self._holders: list[dict[int, int]] = []  # (pool,) jobs, and when they are expected to let go
        self._pool_of: dict[int, int] = {}
        self._sorted: dict[int, tuple[list[int], list[int]]] = {}  # by pool: instants, nodes that are free by then
        self._seen = (0, 0, 0)  # entries of the logs of starts, stops and ends

    def first_with_room(self, places: Sequence[int], wanted: Sequence[int], now_s: int) -> int:
        """Return the place in `places` where the nodes `wanted` there, beyond those free, come free first."""
        self._look()
        return min(range(len(places)), key=lambda place: (self._when(places[place], wanted[place], now_s), place))

    def _when(self, pool: int, wanted: int, now_s: int) -> int:
        """Return when `wanted` nodes will have come free; jobs that outlast their estimate may end at any time."""
        instants, nodes = self._sorted.get(pool) or self._sort(pool, now_s)
        place = bisect_left(nodes, wanted)
        return max(now_s, instants[place]) if place < len(nodes) else NEVER_S

    def _sort(self, pool: int, now_s: int) -> tuple[list[int], list[int]]:
        suspended, holders = self._pools.suspended, self._holders[pool]
        for job in [job for job in holders if suspended.get(job, NEVER_S) <= now_s]:
            self._let_go(job)
        by_instant = sorted((instant_s, self._jobs.nodes[job]) for job, instant_s in holders.items())
        found = [instant_s for instant_s, _ in by_instant], list(accumulate(nodes for _, nodes in by_instant))
        if not any(job in suspended for job in holders):
            self._sorted[pool] = found
        return found

    def _look(self) -> None:
        pools = self._pools
        seen, self._seen = self._seen, (len(pools.started), len(pools.stopped), len(pools.finished))
        if not self._holders:
            self._look_for_the_first_time()
            return
        for entry in range(seen[0], len(pools.started)):
            job = pools.started[entry]
            self._hold(job, pools.started_pool[entry], pools.start_s[entry] + pools.left_s[job])
        for job, _, _ in pools.stopped[seen[1] :]:
            if job in pools.suspended:
                self._hold(job, pools.pool[job], pools.suspended[job])
        for job in pools.finished[seen[2] :]:
            self._let_go(job)

    def _look_for_the_first_time(self) -> None:
        table, pools = self._jobs.table, self._pools
        self._outlasted_s = (table.estimate_s - table.runtime_s).tolist()
        self._holders = [{} for _ in pools.free]
        for instant_s, due in self._calendar.due_at.items():
            for what in due:
                if what >= 0 or ~what in pools.suspended:
                    job = max(what, ~what)
                    self._hold(job, pools.pool[job], instant_s)

    def _hold(self, job: int, pool: int, until_s: int) -> None:
        self._let_go(job)
        self._pool_of[job] = pool
        self._holders[pool][job] = until_s if job in self._pools.suspended else until_s + self._outlasted_s[job]
        self._sorted.pop(pool, None)

    def _let_go(self, job: int) -> None:
        pool = self._pool_of.pop(job, -1)
        if pool >= 0:
            del self._holders[pool][job]
            self._sorted.pop(pool, None)


class SiteLines:
    """Jobs of one class that wait for room at one site each, earliest key first at every site.

    Attributes
    ----------
    lines : dict of int to list of int, by pool
        Heaps of keys.
    """

    __slots__ = ("_closed", "_jobs", "_pools", "_vacancies", "_wanted", "lines")

    def __init__(self, jobs: WindowJobs, pools: Pools, vacancies: Vacancies) -> None:
        self._jobs, self._pools, self._vacancies = jobs, pools, vacancies
        self.lines: dict[int, list[int]] = {}
        self._wanted: dict[int, int] = {}  # by pool: nodes
        self._closed: list[int] = []

    def heads(self) -> list[tuple[int, int]]:
        """Return key and pool of the head of every line, smallest key first."""
        return sorted((line[0], pool) for pool, line in self.lines.items())

    def head(self, pool: int) -> int:
        """Return the key of the head of the line of `pool`."""
        return self.lines[pool][0]

    def join(self, job: int, key: int, places: Sequence[int], now_s: int) -> None:
        """Have `job` wait where it will have room first, behind those who wait there already; close that pool.

        Sites that are smaller than the job are left out; ties go to the site with fewest nodes wanted, then to the one
        named first.
        """
        nodes, capacity, wanted = self._jobs.nodes[job], self._pools.capacity, self._wanted
        large = sorted((pool for pool in places if capacity[pool] >= nodes), key=lambda pool: wanted.get(pool, 0))
        missing = [nodes + wanted.get(pool, 0) - self._free(pool) for pool in large]
        pool = large[self._vacancies.first_with_room(large, missing, now_s)]
        heappush(self.lines.setdefault(pool, []), key)
        wanted[pool] = wanted.get(pool, 0) + nodes
        self.close(pool)

    def leave(self, pool: int, nodes: int) -> int:
        """Take the head, of `nodes`, off the line of `pool`; return the key of the next, -1 where there is none."""
        line = self.lines[pool]
        heappop(line)
        self._wanted[pool] -= nodes
        if line:
            return line[0]
        del self.lines[pool]
        return -1

    def closed(self, pool: int) -> bool:
        """Return whether `pool` is closed at this instant."""
        return pool in self._closed

    def close(self, pool: int) -> None:
        """Let no further job start in `pool` before `reopen`."""
        if pool not in self._closed:
            self._closed.append(pool)
            self._pools.free[pool] -= NEVER_S

    def reopen(self) -> None:
        """Undo what `close` has done at this instant."""
        for pool in self._closed:
            self._pools.free[pool] += NEVER_S
        self._closed.clear()

    def dissolve(self) -> list[int]:
        """Return the keys of all who wait, who wait no longer here."""
        keys = [key for line in self.lines.values() for key in line]
        self.lines.clear()
        self._wanted.clear()
        return keys

    def _free(self, pool: int) -> int:
        return self._pools.free[pool] + (NEVER_S if pool in self._closed else 0)
