"""Each ledger compares two independently stored sources and reports the largest difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gridtwin.arrays import sum_at
from gridtwin.audit.job_meter import busy_node_seconds
from gridtwin.economics.settlement import dumped_mw, network_account, parties
from gridtwin.results.store import JOB_END, JOB_START, RunData
from gridtwin.units import W_PER_MW, FloatArray, IntArray

__all__ = ["LEDGERS", "Ledger", "close_ledgers"]

POWER_MW = 1e-6
POWER_SHARE = 1e-9
RAMP_MW = 1e-6
ENERGY_MWH = 1e-6
PRIMAL = 1e-6
GAP = 1e-6
CURVE_SHARE = 1e-9
MONEY_SHARE = 1e-6
PROGRAMS = ("", "redispatch_")


@dataclass(frozen=True, slots=True)
class Ledger:
    """One identity of a run: it passes while `residual <= tolerance`."""

    name: str
    residual: float
    tolerance: float
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the identity holds; a residual that is not a number does not."""
        return bool(self.residual <= self.tolerance)


def close_ledgers(run: RunData) -> tuple[Ledger, ...]:
    """Compute all ledgers of a run."""
    return tuple(ledger(run) for ledger in LEDGERS)


def power_ac(run: RunData) -> Ledger:
    """Injections asked for and found = V·conj(Y·V), per AC step and bus; no voltage where AC did not converge."""
    v = run.variables
    admittance, slack = _admittance(run), np.flatnonzero(run.inputs["buses"]["slack"])[0]
    done = v["ac_converged"].astype(bool)
    if (np.isfinite(v["vm_pu"]) != done[:, None]).any():
        return Ledger("power_ac", np.inf, _power_tolerance(run), "MW")
    voltage = v["vm_pu"][done] * np.exp(1j * np.radians(v["va_deg"][done]))
    base_mva = float(run.inputs["buses"]["base_mva"][0])
    implied = voltage * np.conj((admittance @ voltage.T).T) * base_mva
    asked = v["net_injection_mw"][done].copy()
    asked[:, slack] += v["slack_excess_mw"][done]
    found = v["bus_mw"][done] + 1j * v["bus_mvar"][done]
    difference = np.maximum(np.abs(implied.real - asked), np.abs(implied - found))
    return Ledger("power_ac", _largest(difference), _power_tolerance(run), "MW")


def power_bus(run: RunData) -> Ledger:
    """Injection at each bus = units + links - load served - surplus dumped - sites, per step."""
    v, inputs, buses = run.variables, run.inputs, len(run.coords["bus"])
    links = inputs["links"]
    expected_mw = (
        sum_at(v["unit_mw"], inputs["units"]["bus_index"], buses)
        + sum_at(links["schedule_mw"], links["to_index"], buses)
        - sum_at(links["schedule_mw"], links["from_index"], buses)
        - (v["load_mw"] - v["shed_mw"])
        - dumped_mw(v["load_mw"], v["spill_mw"])
        - sum_at(v["site_mw"], inputs["sites"]["bus_index"], buses)
    )
    return Ledger("power_bus", _largest(np.abs(expected_mw - v["net_injection_mw"])), _power_tolerance(run), "MW")


def power_market(run: RunData) -> Ledger:
    """Generation + shed = load + sites + spill + losses, per step."""
    v = run.variables
    supply = v["unit_mw"].sum(axis=1) + v["slack_excess_mw"] + v["shed_mw"].sum(axis=1)
    demand = v["load_mw"].sum(axis=1) + v["site_mw"].sum(axis=1) + v["spill_mw"] + v["losses_mw"]
    done = v["ac_converged"].astype(bool)
    return Ledger("power_market", _largest(np.abs(supply - demand)[done]), _power_tolerance(run), "MW")


def ramps(run: RunData) -> Ledger:
    """Settled output changes from step to step, window boundaries included, by no more than the ramp.

    Two things go beyond it: what AC balancing moved in either step, and what the availability of a unit with a profile
    forces: it may fall as its availability falls, and rise as that rises where nothing may be curtailed.
    """
    v, units = run.variables, run.inputs["units"]
    change, available = np.diff(v["unit_mw"], axis=0), np.diff(v["available_mw"], axis=0)
    must_take = units["profiled"] & ~units["curtailable"]
    moved = np.abs(v["moved_mw"])
    ramp = units["ramp_mw_per_h"] * run.step_h
    fall = np.maximum(ramp, np.where(units["profiled"], -available, 0.0))
    rise = np.maximum(ramp, np.where(must_take, available, 0.0))
    beyond = np.maximum(change - rise, -change - fall) - (moved[1:] + moved[:-1])[:, None]
    return Ledger("ramps", _largest(beyond), RAMP_MW, "MW")


def jobs(run: RunData) -> Ledger:
    """Submitted = waiting + running + ended, at every window's end, and each job starts and ends once, in its time.

    Submissions are counted from the job table, starts and ends from the event tables, waiting and running jobs from the
    state that the fleet carried on. The nodes of those that wait are also those of the queue meter.
    """
    v, nodes = run.variables, run.jobs["nodes"]
    windows = len(v["waiting_jobs"])
    steps = len(run.time) // windows
    submit_window = run.jobs["submit_s"] // (steps * run.step_s)
    submitted, started, ended = (
        (submit_window, np.arange(len(nodes))),
        *((run.events[table]["window"], run.events[table]["row"]) for table in (JOB_START, JOB_END)),
    )

    def until_end(event: tuple[IntArray, IntArray], weight: IntArray) -> FloatArray:
        window, row = event
        return np.cumsum(np.bincount(window, weights=weight[row], minlength=windows)[:windows])

    one = np.ones_like(nodes)
    lost = (
        until_end(submitted, one) - until_end(started, one) - v["waiting_jobs"],
        until_end(started, one) - until_end(ended, one) - v["running_jobs"],
        until_end(submitted, nodes) - until_end(started, nodes) - v["waiting_nodes"][steps - 1 :: steps].sum(axis=1),
    )
    residual = float(np.abs(lost).sum()) + _impossible_jobs(run, len(run.time) * run.step_s)
    return Ledger("jobs", residual, 0.0, "jobs or nodes")


def node_seconds(run: RunData) -> Ledger:
    """Node meter = job meter, per step, site and class; and never more at work than there are."""
    v = run.variables
    metered = v["busy_node_s"]
    difference = np.abs(metered - busy_node_seconds(run)).max(initial=0)
    capacity = _by_pool(run, "capacity_nodes").astype(np.int64)
    excess = metered + (v["service_nodes"] - capacity) * run.step_s
    return Ledger("node_seconds", float(max(difference, excess.max(initial=0))), 0.0, "node-s")


def energy(run: RunData) -> Ledger:
    """Energy at the sites' meters = (idle + jobs + services) · PUE, from the job records."""
    v = run.variables
    idle_w, peak_w = _by_pool(run, "idle_w"), _by_pool(run, "peak_w")
    at_work = busy_node_seconds(run) / run.step_s + v["service_nodes"]
    it_mw = (_by_pool(run, "capacity_nodes") * idle_w + at_work * (peak_w - idle_w)).sum(axis=2) / W_PER_MW
    of_equipment = np.abs(v["it_mw"] - it_mw) * run.step_h
    of_meter = np.abs(v["site_mw"] - it_mw * v["pue"]) * run.step_h
    return Ledger("energy", _largest(np.maximum(of_equipment, of_meter)), ENERGY_MWH, "MWh")


def production_cost(run: RunData) -> Ledger:
    """Stored cost of each step = cost of the stored output along the stored segments, relative."""
    return Ledger("production_cost", _curve_residual(run, "cost_per_mwh", "production_cost"), CURVE_SHARE, "1")


def co2(run: RunData) -> Ledger:
    """Stored emissions of each step = emissions of the stored output along the stored segments, relative."""
    return Ledger("co2", _curve_residual(run, "co2_kg_per_mwh", "co2_kg"), CURVE_SHARE, "1")


def rent(run: RunData) -> Ledger:
    """Price is its parts; Σ price · (withdrawal - injection) = rent + overloads + loss surplus, per step, relative."""
    v = run.variables
    account = network_account(v, run.inputs, run.step_h)
    explained = account.congestion + account.overload + account.losses
    parts = v["energy_price_per_mwh"][:, None] + v["congestion_price_per_mwh"] + v["loss_price_per_mwh"]
    unlike = np.abs(parts - v["price_per_mwh"]) / np.maximum(1.0, np.abs(v["price_per_mwh"]))
    apart = np.abs(account.surplus - explained) / _turnover(v["price_per_mwh"] * v["dispatched_injection_mw"], run)
    return Ledger("rent", max(_largest(unlike), _largest(apart)), MONEY_SHARE, "1")


def money(run: RunData) -> Ledger:
    """What all pay at their own meters = what all receive, the network included, per step, relative."""
    v, price = run.variables, run.variables["price_per_mwh"]
    account = network_account(v, run.inputs, run.step_h)
    received = account.congestion + account.overload + account.losses + account.balancing
    bills = [price[:, party.bus] * party.withdrawal_mw for party in parties(v, run.inputs).values()]
    paid = sum(bill.sum(axis=1) for bill in bills) * run.step_h
    apart = np.abs(paid - received) / _turnover(np.concatenate(bills, axis=1), run)
    return Ledger("money", _largest(apart), MONEY_SHARE, "1")


def solver_primal(run: RunData) -> Ledger:
    """No row or bound of any window's plan or redispatch is violated; absolute, in the unit of the row."""
    residual = [run.variables[f"{program}primal_residual"] for program in PROGRAMS]
    return Ledger("solver_primal", _largest(np.concatenate(residual)), PRIMAL, "1")


def solver_gap(run: RunData) -> Ledger:
    """Primal objective = dual objective evaluated from multipliers and bounds, of plan and redispatch, relative."""
    primal, dual = (
        np.concatenate([run.variables[f"{program}{name}"] for program in PROGRAMS])
        for name in ("objective", "dual_objective")
    )
    gap = np.abs(primal - dual) / np.maximum(1.0, np.abs(primal))
    return Ledger("solver_gap", _largest(gap), GAP, "1")


LEDGERS: tuple[Callable[[RunData], Ledger], ...] = (
    power_ac,
    power_bus,
    power_market,
    ramps,
    jobs,
    node_seconds,
    energy,
    production_cost,
    co2,
    rent,
    money,
    solver_primal,
    solver_gap,
)


def _impossible_jobs(run: RunData, end_s: int) -> int:
    """Count jobs with a time that cannot be, and those that the event tables do not name just as often."""
    start, end, submit, runtime = (run.jobs[name] for name in ("start_s", "end_s", "submit_s", "runtime_s"))
    began, done = start >= 0, end >= 0
    impossible = (
        (began & (start < submit))
        | (done & (~began | (end - start != runtime)))
        | (began & ~done & (start + runtime <= end_s))
    )
    logged = (np.bincount(run.events[table]["row"], minlength=len(start)) for table in (JOB_START, JOB_END))
    unlike = sum(int((times != once).sum()) for times, once in zip(logged, (began, done), strict=True))
    return int(impossible.sum()) + unlike


def _largest(values: FloatArray) -> float:
    return float(np.max(values, initial=0.0))


def _turnover(money_per_h: FloatArray, run: RunData) -> FloatArray:
    """Money (time,) that changes hands, what is paid and what is received added; at least 1."""
    return np.asarray(np.maximum(1.0, np.abs(money_per_h).sum(axis=1) * run.step_h))


def _curve_residual(run: RunData, rate: str, stored: str) -> float:
    """Largest difference of a stored sum over units from its curves, relative to the largest sum."""
    segments, unit_mw = run.inputs["segments"], run.variables["unit_mw"]
    total = np.zeros(len(unit_mw))
    for unit in range(unit_mw.shape[1]):
        own = segments["unit_index"] == unit
        ends = np.concatenate([[0.0], np.cumsum(segments["width_mw"][own])])
        sums = np.concatenate([[0.0], np.cumsum(segments["width_mw"][own] * segments[rate][own])])
        total += np.interp(unit_mw[:, unit], ends, sums) * run.step_h
    scale = max(1.0, float(np.abs(total).max(initial=0.0)))
    return _largest(np.abs(total - run.variables[stored])) / scale


def _power_tolerance(run: RunData) -> float:
    return max(POWER_MW, POWER_SHARE * float(run.variables["load_mw"].sum(axis=1).max(initial=0.0)))


def _admittance(run: RunData) -> sparse.csr_array:
    table = run.inputs["admittance"]
    size = len(run.coords["bus"])
    entries = table["g_pu"] + 1j * table["b_pu"]
    return sparse.csr_array(sparse.coo_array((entries, (table["row"], table["column"])), shape=(size, size)))


def _by_pool(run: RunData, column: str) -> FloatArray:
    shape = len(run.coords["site"]), len(run.coords["compute_class"])
    return run.inputs["pools"][column].reshape(shape)
