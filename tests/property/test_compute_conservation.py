"""Whatever the system, jobs and node-seconds are conserved, capacity holds, and windows leave no seam."""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridtwin.compute.engine import execute, initial_state
from gridtwin.records import ComputePlan, ComputeRecord, ComputeState, Fleet, QueueAxes
from gridtwin.workload.jobs import JobTable

STEP_S = 50
PLANNED = ("release_nodes", "route_nodes", "preemptible_nodes")
STEPS = 12


@dataclass(repr=False)
class System:
    fleet: Fleet
    jobs: JobTable
    plan: ComputePlan
    services: np.ndarray


@st.composite
def systems(draw):
    """Small random systems; sizes are drawn by hypothesis, contents from a drawn seed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    origins, classes, delays = draw(st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)))
    sites, jobs = draw(st.integers(1, 3)), draw(st.integers(0, 40))
    axes = QueueAxes(
        tuple(f"o{i}" for i in range(origins)),
        tuple(f"c{i}" for i in range(classes)),
        tuple(f"k{i}" for i in range(delays)),
        (20, 120),
    )
    capacity = rng.integers(0, 9, (sites, classes))
    capacity[0] += 4
    preference = np.full((origins, classes, sites), -1)
    for o in range(origins):
        for c in range(classes):
            allowed = np.unique(np.r_[0, np.flatnonzero((rng.random(sites) < 0.7) & (capacity[:, c] > 0))])
            preference[o, c, : len(allowed)] = rng.permutation(allowed)
    finite = draw(st.booleans())
    fleet = Fleet(
        site=tuple(f"s{i}" for i in range(sites)),
        bus=np.zeros(sites, np.int64),
        axes=axes,
        capacity_nodes=capacity,
        idle_w=np.ones((sites, classes)),
        peak_w=np.ones((sites, classes)),
        service_utilization=np.ones(classes),
        power_factor=np.ones(sites),
        connection_mw=np.full(sites, np.inf),
        preference=preference,
        bandwidth_gbps=rng.uniform(1, 20, (origins, sites)) if finite else np.full((origins, sites), np.inf),
        latency_oneway_s=rng.uniform(0, 0.1, (origins, sites)),
        price_per_gb=np.zeros((origins, sites)),
    )
    preemptible_share = draw(st.sampled_from([0.0, 0.5, 1.0]))
    longest_checkpoint_s = draw(st.sampled_from([0, 10, STEP_S + 10]))
    submit = np.sort(rng.integers(0, STEPS * STEP_S, jobs))
    runtime, delay = rng.integers(1, 121, jobs), rng.integers(0, delays, jobs)
    table = JobTable(
        axes=axes,
        job=np.arange(jobs),
        submit_s=submit,
        runtime_s=runtime,
        nodes=rng.integers(1, 5, jobs),
        due_s=submit + runtime + np.array([30, 400])[delay],
        origin=rng.integers(0, origins, jobs),
        compute_class=rng.integers(0, classes, jobs),
        delay_class=delay,
        data_gb=rng.exponential(5.0, jobs) * (rng.random(jobs) < 0.8),
        preemptible=rng.random(jobs) < preemptible_share,
        migratable=rng.random(jobs) < 0.5,
        checkpoint_s=rng.integers(0, longest_checkpoint_s + 1, jobs),
        restart_s=rng.integers(0, longest_checkpoint_s + 1, jobs),
        checkpoint_gb=rng.exponential(20.0, jobs) * (rng.random(jobs) < 0.7),
        estimate_s=runtime,
    )
    plan = ComputePlan(
        release_nodes=rng.exponential(2.0, (STEPS, axes.size)) * (rng.random((STEPS, axes.size)) < 0.5),
        route_nodes=rng.exponential(1.0, (STEPS, origins, classes, 2, sites)),
        preemptible_nodes=rng.uniform(0, 6, (STEPS, sites, classes)) * (rng.random((STEPS, sites, classes)) < 0.6),
    )
    return System(fleet, table, plan, rng.integers(0, 6, (STEPS, sites, classes)))


def run(system: System, planned: bool, discipline: str, cuts=()) -> tuple[ComputeState, list[ComputeRecord]]:
    state, records = initial_state(system.jobs, system.fleet), []
    edges = [0, *sorted(cuts), STEPS]
    for first, last in pairwise(edges):
        part = slice(first, last)
        plan = ComputePlan(*(getattr(system.plan, name)[part] for name in PLANNED)) if planned else None
        args = (system.jobs, system.fleet, plan, system.services[part], last - first, STEP_S, discipline)
        state, record = execute(state, *args)
        records.append(record)
    return state, records


def busy_node_s(system: System, record: ComputeRecord) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Node-seconds of work, checkpoints and restarts by (second, site, class) from the events, and work by job."""
    jobs, shape = system.jobs, (STEPS * STEP_S, len(system.fleet.site), system.fleet.axes.shape[1])
    worked, saved, loaded = (np.zeros(shape, np.int64) for _ in range(3))
    done = np.zeros(len(jobs), np.int64)
    stops = list(zip(record.stopped_row.tolist(), record.stop_s.tolist(), record.checkpoint_s.tolist(), strict=True))
    ends = dict(zip(record.finished_row.tolist(), record.finish_s.tolist(), strict=True))
    starts = zip(record.started_row, record.started_site, record.start_s, record.restart_s, strict=True)
    for row, site, start, restart in starts:
        pool, nodes = (site, jobs.compute_class[row]), jobs.nodes[row]
        stop = min((stop for stop in stops if stop[0] == row and stop[1] > start), default=None, key=lambda s: s[1])
        end = stop[1] if stop else ends.get(row, STEPS * STEP_S)
        loaded[(slice(start - restart, start), *pool)] += nodes
        worked[(slice(start, end), *pool)] += nodes
        done[row] += max(0, end - start)
        if stop:
            saved[(slice(stop[1], stop[1] + stop[2]), *pool)] += nodes
    return worked, saved, loaded, done


cases = pytest.mark.parametrize(
    ("planned", "discipline"), [(False, "fcfs"), (False, "edf"), (True, "fcfs"), (True, "edf")]
)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cases
@many
@given(system=systems())
def test_jobs_and_node_seconds_are_conserved(planned, discipline, system):
    state, (record,) = run(system, planned, discipline)
    jobs = system.jobs
    submitted = np.flatnonzero(jobs.submit_s < STEPS * STEP_S)
    parts = [record.finished_row, state.running_row, state.suspended_row, state.waiting_row]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), submitted)
    started, stopped = (np.bincount(rows, minlength=len(jobs)) for rows in (record.started_row, record.stopped_row))
    expected = stopped.copy()
    expected[np.concatenate([record.finished_row, state.running_row])] += 1
    np.testing.assert_array_equal(started, expected)
    assert (record.start_s - record.restart_s >= jobs.submit_s[record.started_row]).all()
    assert (np.diff(record.finish_s) >= 0).all()

    worked, saved, loaded, done = busy_node_s(system, record)
    np.testing.assert_array_equal(done[record.finished_row], jobs.runtime_s[record.finished_row])
    np.testing.assert_array_equal(
        done[state.suspended_row] + state.suspended_left_s, jobs.runtime_s[state.suspended_row]
    )
    by_step = [part.reshape(STEPS, STEP_S, *part.shape[1:]).sum(axis=1) for part in (worked, saved, loaded)]
    np.testing.assert_array_equal(record.busy_node_s, sum(by_step))
    np.testing.assert_array_equal(record.checkpoint_node_s, by_step[1])
    np.testing.assert_array_equal(record.restart_node_s, by_step[2])
    served = np.repeat(record.service_nodes, STEP_S, axis=0)
    assert (worked + saved + loaded + served <= system.fleet.capacity_nodes).all()
    np.testing.assert_array_equal(record.service_nodes + record.unserved_service_nodes, system.services)
    assert (record.unserved_service_nodes >= 0).all()
    assert jobs.preemptible[record.stopped_row].all()
    assert planned or not len(record.stopped_row)

    paused = np.zeros_like(system.fleet.capacity_nodes)
    at = state.suspended_site, jobs.compute_class[state.suspended_row]
    np.add.at(paused, at, jobs.nodes[state.suspended_row])
    np.testing.assert_array_equal(record.suspended_nodes[-1], paused)

    left = np.zeros(system.fleet.axes.size, np.int64)
    np.add.at(left, jobs.queue[state.waiting_row], jobs.nodes[state.waiting_row])
    np.testing.assert_array_equal(record.waiting_nodes[-1], left)
    assert (record.waiting_nodes >= 0).all()
    allowed = system.fleet.preference[jobs.origin, jobs.compute_class]
    assert all(site in allowed[row] for row, site in zip(record.started_row, record.started_site, strict=True))


@cases
@many
@given(system=systems(), cuts=st.sets(st.integers(1, STEPS - 1), max_size=4))
def test_any_division_into_windows_gives_the_same_bytes(planned, discipline, system, cuts):
    whole_state, (whole,) = run(system, planned, discipline)
    state, records = run(system, planned, discipline, cuts)
    for field in fields(ComputeRecord):
        joined = np.concatenate([getattr(record, field.name) for record in records])
        expected = getattr(whole, field.name)
        assert joined.dtype == expected.dtype, field.name
        assert joined.tobytes() == expected.tobytes(), field.name
    for field in fields(ComputeState):
        a, b = np.asarray(getattr(whole_state, field.name)), np.asarray(getattr(state, field.name))
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), field.name


@cases
@many
@given(system=systems())
def test_the_fleet_drains(planned, discipline, system):
    state, _ = run(system, planned, discipline)
    shape = (len(system.fleet.site), system.fleet.axes.shape[1])
    for _ in range(2000):
        if not len(state.waiting_row) + len(state.running_row) + len(state.suspended_row):
            break
        grants = ComputePlan(*(np.zeros_like(getattr(system.plan, name)[:1]) for name in PLANNED))
        services = np.zeros((1, *shape), np.int64)
        plan = grants if planned else None
        state, _ = execute(state, system.jobs, system.fleet, plan, services, 1, STEP_S, discipline)
    assert len(state.waiting_row) == len(state.running_row) == len(state.suspended_row) == 0
    assert state.next_row == len(system.jobs)


@many
@given(system=systems())
def test_fcfs_starts_in_the_order_of_submission(system):
    _, (record,) = run(system, planned=False, discipline="fcfs")
    for compute_class in range(system.fleet.axes.shape[1]):
        rows = record.started_row[system.jobs.compute_class[record.started_row] == compute_class]
        assert (np.diff(rows) > 0).all()


@dataclass
class Spell:
    """Nodes of a job at a site: its state loads until `begin`, it works until `end`; saving, it is on its way out."""

    row: int
    site: int
    begin: int
    end: int
    saving: bool = False


class Naive:
    """The rules once more, second by second and without any cleverness."""

    def __init__(self, system: System, planned: bool, discipline: str) -> None:
        self.system, self.planned, self.discipline = system, planned, discipline
        self.jobs = system.jobs
        self.free = system.fleet.capacity_nodes.copy()
        self.claimed = np.zeros_like(self.free)
        self.waiting: list[int] = []
        self.spells: list[Spell] = []
        self.left = self.jobs.runtime_s.copy()
        self.suspended: dict[int, tuple[int, int]] = {}  # row -> site, when its state is saved
        self.release = np.zeros(system.fleet.axes.size)
        self.route = np.zeros(system.plan.route_nodes.shape[1:])
        self.cap = np.zeros(self.free.shape, int)
        self.carry = np.zeros(self.free.shape)
        self.kept_waiting = np.zeros(self.free.shape, int)
        self.asked: set[int] = set()
        self.kept: dict[int, int] = {}  # row -> site that is kept for it in this step
        self.closed: set[int] = set()  # sites where nobody else of the class starts at this instant
        self.link_free_s = np.zeros(system.fleet.bandwidth_gbps.shape)
        self.starts: list[tuple[int, int, int]] = []  # row, site, start
        self.stops: list[tuple[int, int]] = []  # row, stop

    def run(self) -> None:
        jobs = self.jobs
        for now in range(STEPS * STEP_S):
            for spell in [spell for spell in self.spells if spell.end == now]:
                self.free[spell.site, jobs.compute_class[spell.row]] += jobs.nodes[spell.row]
                self.spells.remove(spell)
            if now % STEP_S == 0:
                self.cross_boundary(now)
            self.waiting += np.flatnonzero(jobs.submit_s == now).tolist()
            for compute_class in range(self.free.shape[1]):
                (self.start_planned if self.planned else self.start_in_order)(compute_class, now)
            if now % STEP_S == 0 and self.planned:
                planned = self.system.plan.preemptible_nodes[now // STEP_S] + self.carry
                unused = np.array([[planned[pool] - self.held(*pool)] for pool in np.ndindex(self.free.shape)])
                self.carry = np.minimum(unused.reshape(self.free.shape).clip(0.0), self.kept_waiting)

    def cross_boundary(self, now: int) -> None:
        step = now // STEP_S
        self.free += self.claimed - self.system.services[step]
        self.claimed = self.system.services[step]
        self.asked.clear()
        self.kept.clear()
        if not self.planned:
            return
        jobs, plan = self.jobs, self.system.plan
        origins, classes, delays, bins = self.system.fleet.axes.shape
        through = [row for row in self.waiting if not jobs.preemptible[row]]
        for o, c, b in np.ndindex(origins, classes, bins):
            queues = [((o * classes + c) * delays + k) * bins + b for k in range(delays)]
            empty = [q for q in queues if q not in jobs.queue[through]]
            dropped = sum(max(self.release[q], 0.0) for q in empty)
            positive = self.route[o, c, b].clip(0.0)
            if positive.sum() > 0.0:
                self.route[o, c, b] -= positive * min(1.0, dropped / positive.sum())
            self.release[empty] = self.release[empty].clip(max=0.0)
        self.release += plan.release_nodes[step]
        self.route += plan.route_nodes[step]
        self.cap = np.floor(plan.preemptible_nodes[step] + self.carry + 1e-6).astype(int)
        self.kept_waiting[:] = 0
        for compute_class in range(classes):
            for site in range(len(self.system.fleet.site)):
                excess = self.held(site, compute_class) - self.cap[site, compute_class]
                self.suspend(self.willing(site, compute_class, now), excess, now)

    def held(self, site: int, compute_class: int) -> int:
        """Nodes of preemptible jobs, less those on their way out."""
        jobs = self.jobs
        return sum(
            int(jobs.nodes[spell.row])
            for spell in self.spells
            if spell.site == site
            and jobs.compute_class[spell.row] == compute_class
            and jobs.preemptible[spell.row]
            and not spell.saving
        )

    def willing(self, site: int, compute_class: int, now: int) -> list[Spell]:
        """Jobs that have worked and may pause to the end of the step, most slack first."""
        jobs = self.jobs
        found = []
        for spell in self.spells:
            row = spell.row
            here = spell.site == site and jobs.compute_class[row] == compute_class and not spell.saving
            resume_by = jobs.due_s[row] - (spell.end - now) - jobs.restart_s[row]
            idle_until = max((now // STEP_S + 1) * STEP_S, now + jobs.checkpoint_s[row])
            if here and jobs.preemptible[row] and spell.begin < now and resume_by >= idle_until:
                found.append(((resume_by, row), spell))
        return [spell for _, spell in sorted(found, key=lambda pair: pair[0], reverse=True)]

    def suspend(self, willing: list[Spell], excess: int, now: int) -> None:
        jobs, chosen = self.jobs, []
        while willing and sum(jobs.nodes[spell.row] for spell in chosen) < excess:
            chosen.append(willing.pop(0))
        for spell in reversed(chosen[:-1]):
            others = [other for other in chosen if other is not spell]
            if sum(jobs.nodes[other.row] for other in others) >= excess:
                chosen = others
        for spell in chosen:
            row = spell.row
            self.stops.append((row, now))
            self.left[row] = spell.end - now
            self.suspended[row] = spell.site, now + jobs.checkpoint_s[row]
            spell.end, spell.saving = now + jobs.checkpoint_s[row], True
            if spell.end == now:
                self.free[spell.site, jobs.compute_class[row]] += jobs.nodes[row]
                self.spells.remove(spell)

    def in_line(self, compute_class: int, now: int) -> list[int]:
        saved = [row for row, (_, free) in self.suspended.items() if free <= now]
        return [row for row in self.waiting + saved if self.jobs.compute_class[row] == compute_class]

    def latest(self, row: int) -> tuple[int, int]:
        restart = self.jobs.restart_s[row] if row in self.suspended else 0
        return int(self.jobs.due_s[row] - self.left[row] - restart), row

    def order(self, rows: list[int]) -> list[int]:
        return sorted(rows, key=self.latest if self.discipline == "edf" else None)

    def places(self, row: int) -> list[int]:
        jobs = self.jobs
        if row in self.suspended and not jobs.migratable[row]:
            return [self.suspended[row][0]]
        return [s for s in self.system.fleet.preference[jobs.origin[row], jobs.compute_class[row]].tolist() if s >= 0]

    def room(self, row: int) -> list[int]:
        jobs = self.jobs
        if self.kept.get(row) in self.closed:
            return []
        open_places = [s for s in self.places(row) if s not in self.closed]
        return [s for s in open_places if self.free[s, jobs.compute_class[row]] >= jobs.nodes[row]]

    def keep_a_site(self, row: int) -> None:
        """Keep the site where there is room first for `row` and for those that wait there before it."""
        c = self.jobs.compute_class[row]
        if row not in self.kept:
            large = [s for s in self.places(row) if self.system.fleet.capacity_nodes[s, c] >= self.jobs.nodes[row]]
            self.kept[row] = min(large, key=lambda s: (self.room_at(row, s), self.wanted(s, c)))
        self.closed.add(self.kept[row])

    def wanted(self, site: int, c: int) -> int:
        """Nodes of the jobs of class `c` that `site` is kept for."""
        jobs = self.jobs
        return sum(int(jobs.nodes[row]) for row, s in self.kept.items() if s == site and jobs.compute_class[row] == c)

    def room_at(self, row: int, site: int) -> float:
        jobs, c = self.jobs, self.jobs.compute_class[row]
        free = self.free[site, c] - self.wanted(site, c)
        here = [x for x in self.spells if x.site == site and jobs.compute_class[x.row] == c]
        for spell in sorted(here, key=lambda spell: spell.end):
            free += jobs.nodes[spell.row]
            if free >= jobs.nodes[row]:
                return spell.end
        return np.inf

    def start_in_order(self, compute_class: int, now: int) -> None:
        for row in self.order(self.in_line(compute_class, now)):
            room = self.room(row)
            if not room:
                return
            self.start(row, room[0], now)

    def start_planned(self, compute_class: int, now: int) -> None:
        jobs = self.jobs
        step_end = (now // STEP_S + 1) * STEP_S
        for row in sorted(self.in_line(compute_class, now), key=self.latest):
            if self.latest(row)[0] < step_end:
                if not self.room(row):
                    self.ask_for_room(row, now)
                if not self.room(row):
                    self.keep_a_site(row)
                    continue
                (self.start_capped if jobs.preemptible[row] else self.start_where_granted)(row, now, urgent=True)
        self.start_granted(compute_class, now)
        self.start_under_caps(compute_class, now)
        self.closed.clear()

    def start_granted(self, compute_class: int, now: int) -> None:
        jobs, blocked = self.jobs, set()
        while True:
            heads: dict[int, int] = {}
            through = [row for row in self.in_line(compute_class, now) if not jobs.preemptible[row]]
            for row in self.order([row for row in through if row not in self.kept]):
                heads.setdefault(jobs.queue[row], row)
            ready = [row for q, row in heads.items() if self.release[q] > 0.0 and q not in blocked]
            if not ready:
                return
            row = min(ready, key=self.latest)
            if self.room(row):
                self.start_where_granted(row, now)
            else:
                blocked.add(jobs.queue[row])

    def start_under_caps(self, compute_class: int, now: int) -> None:
        jobs, closed = self.jobs, set()
        for row in sorted([row for row in self.in_line(compute_class, now) if row not in self.kept], key=self.latest):
            lot = (jobs.queue[row],)
            if row in self.suspended:
                lot = (self.suspended[row][0], jobs.origin[row] if jobs.migratable[row] else None)
            if jobs.preemptible[row] and lot not in closed and not self.start_capped(row, now):
                closed.add(lot)

    def ask_for_room(self, row: int, now: int) -> None:
        jobs, c = self.jobs, self.jobs.compute_class[row]
        if row in self.asked:
            return
        self.asked.add(row)
        saving = [
            sum(jobs.nodes[x.row] for x in self.spells if x.saving and x.site == s and jobs.compute_class[x.row] == c)
            for s in range(len(self.system.fleet.site))
        ]
        open_places = [s for s in self.places(row) if s not in self.closed]
        missing = {s: int(jobs.nodes[row] - self.free[s, c] - saving[s]) for s in open_places}
        if all(nodes > 0 for nodes in missing.values()):
            for s, nodes in missing.items():
                willing = self.willing(s, c, now)
                if sum(jobs.nodes[spell.row] for spell in willing) >= nodes:
                    self.suspend(willing, nodes, now)
                    break

    def start_capped(self, row: int, now: int, *, urgent: bool = False) -> bool:
        jobs, c = self.jobs, self.jobs.compute_class[row]
        under = {s: self.cap[s, c] - self.held(s, c) for s in self.room(row)}
        own = self.suspended[row][0] if row in self.suspended else None
        if not under:
            return False
        site = own if under.get(own, -1) >= jobs.nodes[row] else max(under, key=under.__getitem__)
        if under[site] < jobs.nodes[row] and not urgent:
            self.kept_waiting[site, c] = max(self.kept_waiting[site, c], jobs.nodes[row])
            return False
        self.start(row, site, now)
        return True

    def start_where_granted(self, row: int, now: int, *, urgent: bool = False) -> None:
        del urgent
        jobs = self.jobs
        route = self.route[jobs.origin[row], jobs.compute_class[row], jobs.duration_bin[row]]
        site = max(self.room(row), key=lambda site: route[site])
        route[site] -= jobs.nodes[row]
        self.release[jobs.queue[row]] -= jobs.nodes[row]
        self.start(row, site, now)

    def start(self, row: int, site: int, now: int) -> None:
        jobs, fleet = self.jobs, self.system.fleet
        link = jobs.origin[row], site
        begin, restart, gb = now, 0, jobs.data_gb[row]
        self.kept.pop(row, None)
        if row in self.suspended:
            own, _ = self.suspended.pop(row)
            restart, gb = int(jobs.restart_s[row]), 0.0 if own == site else jobs.checkpoint_gb[row]
        else:
            self.waiting.remove(row)
        if gb > 0.0 and np.isfinite(fleet.bandwidth_gbps[link]):
            seconds = gb * 8.0 / fleet.bandwidth_gbps[link]
            self.link_free_s[link] = max(now, self.link_free_s[link]) + seconds
            begin = int(np.ceil(self.link_free_s[link] + fleet.latency_oneway_s[link]))
        begin += restart
        self.free[site, jobs.compute_class[row]] -= jobs.nodes[row]
        self.spells.append(Spell(row, site, begin, begin + int(self.left[row])))
        self.starts.append((row, site, begin))


@cases
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(system=systems())
def test_the_engine_agrees_with_a_naive_one(planned, discipline, system):
    _, (record,) = run(system, planned, discipline)
    naive = Naive(system, planned, discipline)
    naive.run()
    columns = (record.started_row, record.started_site, record.start_s)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == naive.starts
    assert list(zip(record.stopped_row.tolist(), record.stop_s.tolist(), strict=True)) == naive.stops
