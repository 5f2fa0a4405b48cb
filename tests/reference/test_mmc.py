"""The executor against Erlang C: mean wait of an M/M/c queue, with confidence intervals.

That takes millions of jobs, of which the executor runs the first ones of some replications: every one of them waits to
the second as long as in the recursion of Kiefer and Wolfowitz (Transactions of the American Mathematical Society 78,
1955), which all replications go through at once.

Every utilisation uses the same random numbers (seeds 0 to 29), scaled. The realised mean runtime and mean gap between
arrivals, whose expectations are known, serve as control variates (Lavenberg and Welch, Management Science 27, 1981).
"""

from dataclasses import dataclass
from math import factorial

import numpy as np
import pytest
from scipy import stats

from gridtwin.compute.engine import execute, initial_state
from gridtwin.records import Fleet, QueueAxes
from gridtwin.units import IntArray
from gridtwin.workload.jobs import JobTable

REPLICATIONS = 30
EXECUTED = (2, 10_000)  # replications, jobs of each
MEAN_RUNTIME_S = 10_000  # whole seconds are 1e-4 of it
SERVERS = 3


@dataclass(frozen=True)
class Interval:
    mean: float
    half_width: float

    def holds(self, value: float) -> bool:
        return abs(self.mean - value) <= self.half_width


def erlang_c_wait_s(servers: int, utilisation: float) -> float:
    """Mean wait of M/M/c (Erlang 1917; Kleinrock, Queueing Systems I, 1975, section 3.5)."""
    load = servers * utilisation
    idle = sum(load**k / factorial(k) for k in range(servers))
    full = load**servers / factorial(servers) / (1.0 - utilisation)
    return full / (idle + full) * MEAN_RUNTIME_S / (servers - load)


def one_server_pool(axes: QueueAxes, servers: int) -> Fleet:
    one = np.ones((1, 1))
    return Fleet(
        site=("site",),
        bus=np.zeros(1, np.int64),
        axes=axes,
        capacity_nodes=np.full((1, 1), servers),
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


def arrivals(seed: int, gap_s: float, jobs: int) -> tuple[IntArray, IntArray]:
    """Instants at which jobs are submitted and their runtimes, s."""
    rng = np.random.default_rng(seed)
    runtime_s = np.maximum(1, np.round(MEAN_RUNTIME_S * rng.exponential(size=jobs))).astype(np.int64)
    return np.floor(gap_s * rng.exponential(size=jobs).cumsum()).astype(np.int64), runtime_s


def executed_wait_s(submit_s: IntArray, runtime_s: IntArray, servers: int) -> IntArray:
    """Wait of each job in the executor, s."""
    jobs = len(submit_s)
    zero = np.zeros(jobs, np.int64)
    axes = QueueAxes(("origin",), ("class",), ("delay",), (int(runtime_s.max()),))
    table = JobTable(
        axes=axes,
        job=np.arange(jobs),
        submit_s=submit_s,
        runtime_s=runtime_s,
        nodes=zero + 1,
        due_s=submit_s + runtime_s,
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
    fleet = one_server_pool(axes, servers)
    drained_s = int(submit_s[-1]) + 1000 * MEAN_RUNTIME_S
    services = np.zeros((1, 1, 1), np.int64)
    _, record = execute(initial_state(table, fleet), table, fleet, None, services, 1, drained_s, "fcfs")
    wait_s = np.full(jobs, -1)
    wait_s[record.started_row] = record.start_s - submit_s[record.started_row]
    return wait_s


def recursive_wait_s(submit_s: IntArray, runtime_s: IntArray, servers: int) -> IntArray:
    """Wait of each job (replication, job) if the server that is free first takes the job that came first, s."""
    free_s = np.zeros((len(submit_s), servers), np.int64)
    row = np.arange(len(submit_s))
    wait_s = np.empty_like(submit_s)
    for job in range(submit_s.shape[1]):
        server = free_s.argmin(axis=1)
        wait_s[:, job] = np.maximum(free_s[row, server] - submit_s[:, job], 0)
        free_s[row, server] = submit_s[:, job] + wait_s[:, job] + runtime_s[:, job]
    return wait_s


def replications(servers: int, gap_s: float, jobs: int) -> tuple[IntArray, IntArray, IntArray]:
    """Instants, runtimes and waits (replication, job), s; the executor has confirmed the first of them."""
    submit_s, runtime_s = map(
        np.array, zip(*(arrivals(seed, gap_s, jobs) for seed in range(REPLICATIONS)), strict=True)
    )
    wait_s = recursive_wait_s(submit_s, runtime_s, servers)
    for number in range(EXECUTED[0]):
        first = number, slice(EXECUTED[1])
        np.testing.assert_array_equal(executed_wait_s(submit_s[first], runtime_s[first], servers), wait_s[first])
    return submit_s, runtime_s, wait_s


def mean_wait_s(servers: int, gap_s: float, jobs: int, warm_up: int) -> Interval:
    """99 % confidence interval of the mean wait after the warm-up."""
    submit_s, runtime_s, wait_s = (part[:, warm_up:] for part in replications(servers, gap_s, jobs))
    of_runtime, of_gap = runtime_s.mean(axis=1) - MEAN_RUNTIME_S, np.diff(submit_s).mean(axis=1) - gap_s
    controls = np.column_stack([np.ones(REPLICATIONS), of_runtime, of_gap])
    mean_s = wait_s.mean(axis=1)
    coefficients, *_ = np.linalg.lstsq(controls, mean_s, rcond=None)
    residual = mean_s - controls @ coefficients
    freedom = REPLICATIONS - controls.shape[1]
    variance = residual @ residual / freedom * np.linalg.inv(controls.T @ controls)[0, 0]
    return Interval(float(coefficients[0]), float(stats.t.ppf(0.995, freedom) * np.sqrt(variance)))


@pytest.mark.parametrize(
    ("utilisation", "jobs", "warm_up", "tolerance"),
    [(0.5, 80_000, 500, 0.02), (0.8, 120_000, 2000, 0.02), (0.95, 130_000, 8000, 0.05)],
)
def test_mean_wait_is_erlang_c(utilisation, jobs, warm_up, tolerance):
    expected_s = erlang_c_wait_s(SERVERS, utilisation)
    interval = mean_wait_s(SERVERS, MEAN_RUNTIME_S / (SERVERS * utilisation), jobs, warm_up)
    assert interval.half_width <= tolerance * expected_s
    assert interval.holds(expected_s)


@pytest.mark.parametrize("servers", [SERVERS - 1, SERVERS + 1])
def test_the_wrong_number_of_servers_is_noticed(servers):
    utilisation = 0.6
    interval = mean_wait_s(servers, MEAN_RUNTIME_S / (SERVERS * utilisation), 5000, 500)
    assert not interval.holds(erlang_c_wait_s(SERVERS, utilisation))
