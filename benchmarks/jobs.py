"""Jobs per second of the executor, against a SimPy process per job on the same jobs in the same run.

System: one site, 1,024 nodes, jobs of 1-64 nodes (powers of two, equally likely), log-normal runtimes (median 30 min,
sigma 1.5), Poisson arrivals at utilisation 0.95.

    python benchmarks/jobs.py [jobs]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np
import simpy

from gridtwin.compute.engine import execute, initial_state
from gridtwin.records import ComputePlan, Fleet, QueueAxes
from gridtwin.workload.jobs import JobTable

NODES, UTILISATION, STEP_S, REPEATS = 1024, 0.95, 3600, 5


def system(jobs: int, seed: int = 1) -> tuple[JobTable, Fleet]:
    rng = np.random.default_rng(seed)
    nodes = 2 ** rng.integers(0, 7, jobs)
    runtime_s = np.maximum(1, rng.lognormal(np.log(1800.0), 1.5, jobs)).astype(np.int64)
    gap_s = (nodes * runtime_s).mean() / (NODES * UTILISATION)
    submit_s = rng.exponential(gap_s, jobs).cumsum().astype(np.int64)
    zero = np.zeros(jobs, np.int64)
    axes = QueueAxes(("origin",), ("general",), ("day",), (3600, 14_400, int(runtime_s.max())))
    table = JobTable(
        axes=axes,
        job=np.arange(jobs),
        submit_s=submit_s,
        runtime_s=runtime_s,
        nodes=nodes,
        due_s=submit_s + runtime_s + 86_400,
        origin=zero,
        compute_class=zero,
        delay_class=zero,
        data_gb=np.zeros(jobs),
        preemptible=np.zeros(jobs, np.bool_),
        migratable=np.zeros(jobs, np.bool_),
        checkpoint_s=np.zeros(jobs, np.int64),
        restart_s=np.zeros(jobs, np.int64),
        checkpoint_gb=np.zeros(jobs),
        estimate_s=runtime_s,
    )
    one = np.ones((1, 1))
    fleet = Fleet(
        site=("site",),
        bus=np.zeros(1, np.int64),
        axes=axes,
        capacity_nodes=np.full((1, 1), NODES),
        idle_w=one,
        peak_w=one,
        service_utilization=np.ones(1),
        power_factor=np.ones(1),
        connection_mw=np.full(1, np.inf),
        preference=np.zeros((1, 1, 1), np.int64),
        bandwidth_gbps=np.full((1, 1), np.inf),
        latency_oneway_s=np.zeros((1, 1)),
        price_per_gb=np.zeros((1, 1)),
    )
    return table, fleet


def run_preemptible(table: JobTable, fleet: Fleet) -> None:
    """Caps that swing by day: every job may be suspended, checkpoint and restart take 2 and 3 min."""
    steps = int(table.submit_s[-1]) // STEP_S + 1
    jobs = len(table)
    saving = {"checkpoint_s": np.full(jobs, 120), "restart_s": np.full(jobs, 180)}
    table = replace(table, preemptible=np.ones(jobs, np.bool_), **saving)
    caps = NODES * (0.8 + 0.3 * np.sin(np.arange(steps) * np.pi / 12.0)).reshape(steps, 1, 1)
    bins = len(table.axes.bin_upper_s)
    plan = ComputePlan(np.zeros((steps, table.axes.size)), np.zeros((steps, 1, 1, bins, 1)), caps)
    services = np.zeros((steps, 1, 1), np.int64)
    state, record = execute(initial_state(table, fleet), table, fleet, plan, services, steps, STEP_S, "edf")
    live = (record.finished_row, state.running_row, state.suspended_row, state.waiting_row)
    if sum(map(len, live)) != jobs:
        raise SystemExit("jobs were lost")


def run_gridtwin(table: JobTable, fleet: Fleet, discipline: str, planned: bool) -> None:
    steps = int(table.submit_s[-1]) // STEP_S + 1
    plan = None
    if planned:
        grant = np.full(steps, NODES / 4.0)
        release = np.repeat(grant[:, None], table.axes.size, axis=1)
        plan = ComputePlan(release, release.reshape(steps, 1, 1, -1, 1).copy(), np.zeros((steps, 1, 1)))
    services = np.zeros((steps, 1, 1), np.int64)
    state, record = execute(initial_state(table, fleet), table, fleet, plan, services, steps, STEP_S, discipline)
    if len(record.finished_row) + len(state.running_row) + len(state.waiting_row) != len(table):
        raise SystemExit("jobs were lost")


def run_processes(table: JobTable, _fleet: Fleet) -> None:
    """One process per job on a Container of nodes (first come, first served)."""
    env = simpy.Environment()
    pool = simpy.Container(env, NODES, NODES)

    def job(nodes: int, runtime_s: int) -> Generator[simpy.Event, object, None]:
        yield pool.get(nodes)
        yield env.timeout(runtime_s)
        yield pool.put(nodes)

    def source() -> Generator[simpy.Event, object, None]:
        rows = zip(table.submit_s.tolist(), table.nodes.tolist(), table.runtime_s.tolist(), strict=True)
        for submit_s, nodes, runtime_s in rows:
            yield env.timeout(submit_s - env.now)
            env.process(job(nodes, runtime_s))

    env.process(source())
    env.run()


def jobs_per_s(table: JobTable, run: Callable[[], None]) -> float:
    rates = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        rates.append(len(table) / (time.perf_counter() - begin))
    return statistics.median(rates)


def main() -> None:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    table, fleet = system(jobs)
    print(f"{jobs:,} jobs; median of {REPEATS} runs; {(__doc__ or '').split('System: ')[1].split('python')[0].strip()}")
    peer = jobs_per_s(table, lambda: run_processes(table, fleet))
    print(f"{'SimPy process per job':<28}{peer:>12,.0f} jobs/s")
    for discipline, planned in (("fcfs", False), ("edf", False), ("edf", True)):
        rate = jobs_per_s(table, lambda d=discipline, p=planned: run_gridtwin(table, fleet, d, p))
        name = f"gridtwin {discipline}{', planned' if planned else ''}"
        print(f"{name:<28}{rate:>12,.0f} jobs/s {rate / peer:>8.1f} x")
    rate = jobs_per_s(table, lambda: run_preemptible(table, fleet))
    print(f"{'gridtwin, all preemptible':<28}{rate:>12,.0f} jobs/s {rate / peer:>8.1f} x")


if __name__ == "__main__":
    main()
