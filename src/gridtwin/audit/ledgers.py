"""Each ledger compares two independently stored sources and reports the largest difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gridtwin.arrays import link_injection_mw, sum_at
from gridtwin.audit.job_meter import NEVER_S, job_spells, node_seconds_of_jobs
from gridtwin.economics.settlement import network_account, parties
from gridtwin.results.store import JOB_END, JOB_START, JOB_STOP, RunData
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
    """Compute all ledgers of a run; AC's where there is AC, else that of transport."""
    left_out = power_transport if "admittance" in run.inputs else power_ac
    return tuple(ledger(run) for ledger in LEDGERS if ledger is not left_out)


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


def power_transport(run: RunData) -> Ledger:
    """Injection at each bus, what links bring and take included, is nothing, per step."""
    return Ledger("power_transport", _largest(np.abs(run.variables["net_injection_mw"])), _power_tolerance(run), "MW")


def power_bus(run: RunData) -> Ledger:
    """Injection at each bus = units + stores + links - load served - surplus dumped - sites, per step."""
    v, inputs, buses = run.variables, run.inputs, len(run.coords["bus"])
    links, stores = inputs["links"], inputs["stores"]
    at_grid = stores["site_index"] < 0
    stores_mw = (v["discharge_mw"] - v["charge_mw"])[:, at_grid]
    expected_mw = (
        sum_at(v["unit_mw"], inputs["units"]["bus_index"], buses)
        + sum_at(stores_mw, stores["bus_index"][at_grid], buses)
        + link_injection_mw(v["link_mw"], links["from_index"], links["to_index"], links["loss"], buses)
        - (v["load_mw"] - v["shed_mw"])
        - v["dumped_mw"]
        - sum_at(v["site_mw"], inputs["sites"]["bus_index"], buses)
    )
    return Ledger("power_bus", _largest(np.abs(expected_mw - v["net_injection_mw"])), _power_tolerance(run), "MW")


def power_market(run: RunData) -> Ledger:
    """Generation + discharge + shed = load + facilities + charge + spill + losses of lines and links, per step."""
    v = run.variables
    supply = v["unit_mw"].sum(axis=1) + v["discharge_mw"].sum(axis=1) + v["slack_excess_mw"] + v["shed_mw"].sum(axis=1)
    drawn = v["load_mw"].sum(axis=1) + v["facility_mw"].sum(axis=1) + v["charge_mw"].sum(axis=1)
    lost = v["losses_mw"] + np.abs(v["link_mw"]) @ run.inputs["links"]["loss"]
    demand = drawn + v["spill_mw"] + lost
    done = v["ac_converged"].astype(bool)
    return Ledger("power_market", _largest(np.abs(supply - demand)[done]), _power_tolerance(run), "MW")


def ramps(run: RunData) -> Ledger:
    """Settled output changes from step to step, window boundaries included, by no more than the ramp.

    Three things go beyond it: what AC balancing moved in either step; what the availability of a unit with a profile
    forces, for it may fall as its availability falls, and rise as that rises where nothing may be curtailed; and the
    fall of a unit whose store runs empty.
    """
    v, units = run.variables, run.inputs["units"]
    change, available = np.diff(v["unit_mw"], axis=0), np.diff(v["available_mw"], axis=0)
    must_take = units["profiled"] & ~units["curtailable"]
    moved = np.abs(v["moved_mw"])
    ramp = units["ramp_mw_per_h"] * run.step_h
    fall = np.maximum(ramp, np.where(units["profiled"], -available, 0.0))
    fed = np.flatnonzero(units["store_index"] >= 0)
    empty = v["stored_mwh"][1:, units["store_index"][fed]] <= ENERGY_MWH
    fall[:, fed] = np.where(empty, np.inf, fall[:, fed])
    rise = np.maximum(ramp, np.where(must_take, available, 0.0))
    beyond = np.maximum(change - rise, -change - fall) - (moved[1:] + moved[:-1])[:, None]
    return Ledger("ramps", _largest(beyond), RAMP_MW, "MW")


def jobs(run: RunData) -> Ledger:
    """Submitted = waiting + running + suspended + ended, at every window's end, and each job does its work in its time.

    Submissions are counted from the job table; starts, stops and ends from the event tables; waiting, running and
    suspended jobs from the state that the fleet carried on. The nodes of those that wait or are suspended are also
    those of the queue meters.
    """
    v, nodes = run.variables, run.jobs["nodes"]
    windows = len(v["waiting_jobs"])
    last = slice(len(run.time) // windows - 1, None, len(run.time) // windows)
    one = np.ones_like(nodes)
    lost: list[FloatArray] = []
    for weight, counted in ((one, "jobs"), (nodes, "nodes")):
        submitted, begun, started, stopped, ended = _counts(run, weight, windows)
        waiting, suspended = submitted - begun, stopped - (started - begun)
        if counted == "jobs":
            running = started - stopped - ended
            lost += [waiting - v["waiting_jobs"], suspended - v["suspended_jobs"], running - v["running_jobs"]]
        else:
            lost += [waiting - v["waiting_nodes"][last].sum(axis=1)]
            lost += [suspended - v["suspended_nodes"][last].sum(axis=(1, 2))]
    residual = float(np.abs(lost).sum()) + _impossible_jobs(run, len(run.time) * run.step_s)
    return Ledger("jobs", residual, 0.0, "jobs or nodes")


def node_seconds(run: RunData) -> Ledger:
    """Node meters = job meter, per step, site and class: all that is busy, checkpoints, restarts.

    Available = work + checkpoint + restart + idle + services, where work is what is busy and neither of the other two,
    and idle is not negative: never more at work than there are. Work lost is none, see the ledger of jobs.
    """
    v, metered = run.variables, node_seconds_of_jobs(run)
    pairs = (
        (v["busy_node_s"], metered.busy),
        (v["checkpoint_node_s"], metered.checkpoint),
        (v["restart_node_s"], metered.restart),
    )
    difference = max(np.abs(meter - of_jobs).max(initial=0) for meter, of_jobs in pairs)
    capacity = _by_pool(run, "capacity_nodes").astype(np.int64)
    idle = (capacity - v["service_nodes"]) * run.step_s - v["busy_node_s"]
    return Ledger("node_seconds", float(max(difference, -idle.min(initial=0))), 0.0, "node-s")


def energy(run: RunData) -> Ledger:
    """Energy at the sites' meters = (idle + jobs + services) · PUE + charge - discharge, from the job records."""
    v = run.variables
    idle_w, peak_w = _by_pool(run, "idle_w"), _by_pool(run, "peak_w")
    serving = v["service_nodes"] * _by_pool(run, "service_utilization")
    at_work = node_seconds_of_jobs(run).busy / run.step_s + serving
    it_mw = (_by_pool(run, "capacity_nodes") * idle_w + at_work * (peak_w - idle_w)).sum(axis=2) / W_PER_MW
    of_equipment = np.abs(v["it_mw"] - it_mw) * run.step_h
    stores = run.inputs["stores"]["site_index"]
    behind_mw = sum_at((v["charge_mw"] - v["discharge_mw"])[:, stores >= 0], stores[stores >= 0], it_mw.shape[1])
    of_facility = np.abs(v["facility_mw"] - it_mw * v["pue"]) * run.step_h
    of_meter = np.abs(v["site_mw"] - it_mw * v["pue"] - behind_mw) * run.step_h
    residual = max(_largest(part) for part in (of_equipment, of_facility, of_meter))
    return Ledger("energy", residual, ENERGY_MWH, "MWh")


def stored(run: RunData) -> Ledger:
    """Energy at the end of a step = what was kept + charge + inflow - output of store and units - spill; 0 to full."""
    v, stores, hours = run.variables, run.inputs["stores"], run.step_h
    fed = run.inputs["units"]["store_index"]
    of_units = sum_at(v["unit_mw"][:, fed >= 0], fed[fed >= 0], len(stores["store"]))
    level = v["stored_mwh"]
    before = np.vstack([stores["initial_mwh"], level[:-1]]) * (1.0 - stores["standing_loss_per_h"]) ** hours
    added = stores["efficiency_charge"] * v["charge_mw"] + v["inflow_mw"] - v["store_spill_mw"]
    taken = (v["discharge_mw"] + of_units) / stores["efficiency_discharge"]
    unexplained = np.abs(before + (added - taken) * hours - level)
    outside = np.maximum(-level, level - stores["energy_mwh"])
    return Ledger("stored", max(_largest(unexplained), _largest(outside)), ENERGY_MWH, "MWh")


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
    explained = account.congestion + account.overload + account.voltage + account.losses
    parts = v["energy_price_per_mwh"][:, None] + v["congestion_price_per_mwh"] + v["loss_price_per_mwh"]
    unlike = np.abs(parts - v["price_per_mwh"]) / np.maximum(1.0, np.abs(v["price_per_mwh"]))
    apart = np.abs(account.surplus - explained) / _turnover(v["price_per_mwh"] * v["dispatched_injection_mw"], run)
    return Ledger("rent", max(_largest(unlike), _largest(apart)), MONEY_SHARE, "1")


def money(run: RunData) -> Ledger:
    """What all pay at their own meters = what all receive, the network included, per step, relative."""
    v, price = run.variables, run.variables["price_per_mwh"]
    account = network_account(v, run.inputs, run.step_h)
    received = account.congestion + account.overload + account.voltage + account.losses + account.balancing
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
    power_transport,
    power_bus,
    power_market,
    ramps,
    jobs,
    node_seconds,
    energy,
    stored,
    production_cost,
    co2,
    rent,
    money,
    solver_primal,
    solver_gap,
)


def _counts(run: RunData, weight: IntArray, windows: int) -> list[FloatArray]:
    """Sum what jobs weigh up to each window's end, over submissions, first starts, starts, stops and ends."""
    starts, stops, ends = (run.events[table] for table in (JOB_START, JOB_STOP, JOB_END))
    first = np.unique(starts["row"], return_index=True)[1]
    submit_window = run.jobs["submit_s"] // (len(run.time) // windows * run.step_s)
    events = (
        (submit_window, np.arange(len(weight))),
        (starts["window"][first], starts["row"][first]),
        *((table["window"], table["row"]) for table in (starts, stops, ends)),
    )
    return [np.cumsum(np.bincount(at, weights=weight[row], minlength=windows)[:windows]) for at, row in events]


def _impossible_jobs(run: RunData, end_s: int) -> int:
    """Count what cannot be: spells out of order or of the wrong length, and jobs that the events tell of otherwise.

    A spell does the work that is left from the one before, so no work is lost; the last one has none left or goes on.
    """
    spells, jobs = job_spells(run), run.jobs
    first, suspended = spells.first == 1, spells.suspended == 1
    over = spells.stop_s < NEVER_S
    free_s = np.where(suspended, spells.stop_s + spells.checkpoint_s, spells.stop_s)
    earliest_s = np.where(first, jobs["submit_s"][spells.row], np.concatenate([[0], free_s])[:-1])
    wrong = (
        (spells.start_s - spells.restart_s < earliest_s)
        | (first & (spells.restart_s != 0))
        | (over & (spells.stop_s - spells.start_s != spells.left_before_s - spells.left_after_s))
        | (suspended & ~jobs["preemptible"][spells.row])
        | (~over & (spells.start_s + spells.left_before_s <= end_s))
    )
    starts, stops, ends = (
        np.bincount(run.events[table]["row"], minlength=len(jobs["start_s"]))
        for table in (JOB_START, JOB_STOP, JOB_END)
    )
    began, done = jobs["start_s"] >= 0, jobs["end_s"] >= 0
    on_nodes = starts - stops - ends  # 1 while it runs
    unlike = (
        ((starts > 0) != began)
        | (ends != done)
        | (on_nodes < 0)
        | (on_nodes > 1)
        | (done & ((on_nodes != 0) | ~began | (jobs["end_s"] - jobs["start_s"] < jobs["runtime_s"])))
    )
    return int(wrong.sum()) + int(unlike.sum())


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
