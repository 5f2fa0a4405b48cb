"""Every ledger holds on a real run, and breaks when one stored number is off by ten tolerances."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gridtwin.audit import close_ledgers
from gridtwin.audit.ledgers import LEDGERS, power_transport, ramps
from gridtwin.policies.registry import POLICIES
from gridtwin.results.store import RunData

POLICY = "co_dispatch"
BASE_MVA = 100.0
STEP_S = 3600

# ten tolerances, in the unit of the number that is changed
MW = 1e-5
PU = MW / BASE_MVA
DEGREE = np.degrees(PU)
MWH = 1e-5
W = MWH * 1e6  # a pool has at least one node, a step lasts an hour
SHARE = 1e-5
SHARE_OF_COST = 1e-8
PRICE = 1e-3  # per MWh; a price is less than 100
MWH_IN_RENT = 1e-1  # MW; 100 to 200 MW change hands in a step
MW_IN_MONEY = SHARE_OF_COST * 10_000 / 20  # output that costs it: a step costs at most 10,000, a MWh at least 20
ONE = 1

WINDOW = "windows/w00001."
CONGESTED = "windows/w00005."  # in which a line is full
LOSSY = "windows/w00005."  # in which the link that loses power carries some
STOPS = "windows/w00001."  # in which jobs are suspended
LAST = "windows/w00005."
BATTERY, BACKUP, LAKE = range(3)
HYDRO = 6
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Spoilt:
    """One number of one stored table, and what is added to it."""

    ledger: str
    table: str
    column: str
    by: float | Callable[[Columns, int], float]
    row: int | Callable[[Columns], int] = 0

    def __str__(self) -> str:
        return f"{self.ledger}-{self.table}.{self.column}"


def largest(column):
    return lambda table: int(np.argmax(table[column]))


def cost_share(column):
    """Ten tolerances of the greatest step's cost, which is not less than this step's."""
    return lambda table, _row: SHARE_OF_COST * table[column].max() * 2


def crosses_a_step(table):
    """Return the first job that does not start on a boundary of steps."""
    return int(np.flatnonzero(table["start_s"] % STEP_S)[0])


def to_the_next_step(table, row):
    return STEP_S - table["start_s"][row] % STEP_S


def beyond_capacity(table, row):
    return 1000 - table["service_nodes"][row]


STORED = [
    Spoilt("power_ac", "bus", "net_injection_mw", MW, 4),
    Spoilt("power_ac", "bus", "vm_pu", PU, 4),
    Spoilt("power_ac", "bus", "va_deg", DEGREE, 4),
    Spoilt("power_ac", "bus", "bus_mvar", MW, 4),
    Spoilt("power_ac", "system", "slack_excess_mw", MW, 3),
    Spoilt("power_ac", "inputs/admittance", "g_pu", PU * 10, 1),
    Spoilt("power_ac", "inputs/admittance", "b_pu", PU * 10, 1),
    Spoilt("power_ac", "inputs/admittance", "row", ONE, 0),
    Spoilt("power_ac", "inputs/admittance", "column", ONE, 0),
    Spoilt("power_ac", "inputs/buses", "base_mva", MW, 0),
    Spoilt("power_ac", "bus", "bus_mw", MW, 4),
    Spoilt("power_ac", "system", "ac_converged", -ONE, 3),
    Spoilt("power_bus", "bus", "net_injection_mw", MW, 4),
    Spoilt("power_bus", "bus", "load_mw", MW, 4),
    Spoilt("power_bus", "bus", "shed_mw", MW, 4),
    Spoilt("power_bus", "unit", "unit_mw", MW, 4),
    Spoilt("power_bus", "site", "site_mw", MW, 4),
    Spoilt("power_bus", "bus", "dumped_mw", MW, 4),
    Spoilt("power_bus", "link", "link_mw", MW, 0),
    Spoilt("power_bus", "store", "charge_mw", MW, 0),
    Spoilt("power_bus", "store", "discharge_mw", MW, 0),
    Spoilt("power_bus", "inputs/links", "loss", SHARE, 1),
    Spoilt("power_bus", "inputs/links", "to_index", -ONE, 0),
    Spoilt("power_bus", "inputs/stores", "bus_index", -ONE, 0),
    Spoilt("power_bus", "inputs/stores", "site_index", ONE, 0),
    Spoilt("power_bus", "inputs/links", "from_index", ONE, 0),
    Spoilt("power_bus", "inputs/sites", "bus_index", -ONE, 0),
    Spoilt("power_bus", "inputs/units", "bus_index", ONE, 0),
    Spoilt("power_market", "unit", "unit_mw", MW, 7),
    Spoilt("power_market", "bus", "load_mw", MW, 7),
    Spoilt("power_market", "bus", "shed_mw", MW, 7),
    Spoilt("power_market", "site", "facility_mw", MW, 7),
    Spoilt("power_market", "store", "charge_mw", MW, 7),
    Spoilt("power_market", "store", "discharge_mw", MW, 7),
    Spoilt("power_market", f"{LOSSY}link", "link_mw", MW * 100, largest("link_mw")),
    Spoilt("power_market", "inputs/links", "loss", SHARE, 1),
    Spoilt("power_market", "system", "spill_mw", MW, 7),
    Spoilt("power_market", "system", "losses_mw", MW, 7),
    Spoilt("power_market", "system", "slack_excess_mw", MW, 7),
    Spoilt("ramps", "unit", "unit_mw", 200, 0),
    Spoilt("ramps", "inputs/units", "ramp_mw_per_h", lambda t, r: -t["ramp_mw_per_h"][r], 0),
    Spoilt("jobs", "fleet", "waiting_jobs", ONE, 0),
    Spoilt("jobs", "fleet", "running_jobs", -ONE, 0),
    Spoilt("jobs", "queue", "waiting_nodes", ONE, -1),
    Spoilt("jobs", "fleet", "suspended_jobs", ONE, 0),
    Spoilt("jobs", "pool", "suspended_nodes", ONE, -1),
    Spoilt("jobs", f"{STOPS}job_stop", "stop_s", ONE, 0),
    Spoilt("jobs", f"{STOPS}job_stop", "left_s", ONE, 0),
    Spoilt("jobs", f"{STOPS}job_stop", "row", ONE, 0),
    Spoilt("jobs", "job_start", "start_s", ONE, 0),
    Spoilt("jobs", "job_end", "end_s", ONE, 0),
    Spoilt("jobs", "job_start", "row", ONE, 0),
    Spoilt("jobs", "job_end", "row", ONE, 0),
    Spoilt("jobs", "windows/w00005.queue", "waiting_nodes", ONE, -1),
    Spoilt("node_seconds", "pool", "busy_node_s", ONE, largest("busy_node_s")),
    Spoilt("node_seconds", "pool", "busy_node_s", -ONE, largest("busy_node_s")),
    Spoilt("node_seconds", "pool", "checkpoint_node_s", ONE, 0),
    Spoilt("node_seconds", "pool", "restart_node_s", ONE, 0),
    Spoilt("node_seconds", "job_start", "restart_s", ONE, 0),
    Spoilt("node_seconds", f"{STOPS}job_stop", "checkpoint_s", ONE, 0),
    Spoilt("node_seconds", "pool", "service_nodes", beyond_capacity, 0),
    Spoilt("node_seconds", "job_start", "start_s", ONE, crosses_a_step),
    Spoilt("node_seconds", "job_start", "site_index", lambda t, r: 1 - 2 * t["site_index"][r], 0),
    Spoilt("node_seconds", "inputs/pools", "capacity_nodes", -1000, 0),
    Spoilt("energy", "site", "site_mw", MWH, 5),
    Spoilt("energy", "site", "facility_mw", MWH, 5),
    Spoilt("energy", "site", "it_mw", MWH, 5),
    Spoilt("energy", "store", "charge_mw", MWH, BACKUP),
    Spoilt("energy", "store", "discharge_mw", MWH, BACKUP),
    Spoilt("energy", "inputs/stores", "site_index", -ONE, BACKUP),
    Spoilt("energy", "site", "pue", MWH, 5),
    Spoilt("energy", "pool", "service_nodes", ONE, largest("service_nodes")),
    Spoilt("energy", "job_start", "start_s", to_the_next_step, crosses_a_step),
    Spoilt("energy", "job_start", "site_index", lambda t, r: 1 - 2 * t["site_index"][r], 0),
    Spoilt("energy", "inputs/pools", "capacity_nodes", ONE, 0),
    Spoilt("energy", "inputs/pools", "idle_w", W, 0),
    Spoilt("energy", "inputs/pools", "peak_w", W, 0),
    Spoilt("energy", "inputs/pools", "service_utilization", SHARE, 2),
    Spoilt("stored", "store", "stored_mwh", MWH, BATTERY),
    Spoilt("stored", "store", "charge_mw", MWH * 2, BATTERY),
    Spoilt("stored", "store", "discharge_mw", MWH, BATTERY),
    Spoilt("stored", "store", "inflow_mw", MWH, LAKE),
    Spoilt("stored", "store", "store_spill_mw", MWH, LAKE),
    Spoilt("stored", "unit", "unit_mw", MWH, HYDRO),
    Spoilt("stored", f"{LAST}store", "stored_mwh", MWH, -1),
    Spoilt("stored", "inputs/stores", "initial_mwh", MWH, BATTERY),
    Spoilt("stored", "inputs/stores", "energy_mwh", -ONE, LAKE),
    Spoilt("stored", "inputs/stores", "efficiency_charge", SHARE, BATTERY),
    Spoilt("stored", "inputs/stores", "efficiency_discharge", -SHARE, LAKE),
    Spoilt("stored", "inputs/stores", "standing_loss_per_h", SHARE, BATTERY),
    Spoilt("stored", "inputs/units", "store_index", -ONE, HYDRO),
    Spoilt("production_cost", "system", "production_cost", cost_share("production_cost"), 5),
    Spoilt("production_cost", "unit", "unit_mw", MW_IN_MONEY, largest("unit_mw")),
    Spoilt("production_cost", "inputs/segments", "cost_per_mwh", SHARE_OF_COST * 10_000, 0),
    Spoilt("production_cost", "inputs/segments", "width_mw", -MW, 0),
    Spoilt("production_cost", "inputs/segments", "unit_index", ONE, 0),
    Spoilt("co2", "system", "co2_kg", cost_share("co2_kg"), 5),
    Spoilt("co2", "unit", "unit_mw", MW_IN_MONEY * 10, largest("unit_mw")),
    Spoilt("co2", "inputs/segments", "co2_kg_per_mwh", SHARE_OF_COST * 100_000, 0),
    Spoilt("rent", "bus", "price_per_mwh", PRICE, 4),
    Spoilt("rent", "bus", "congestion_price_per_mwh", PRICE, 4),
    Spoilt("rent", "bus", "loss_price_per_mwh", PRICE, 4),
    Spoilt("rent", "system", "energy_price_per_mwh", PRICE, 4),
    Spoilt("rent", "bus", "dispatched_injection_mw", MWH_IN_RENT, 4),
    Spoilt("rent", "system", "fixed_losses_mw", MWH_IN_RENT, 4),
    Spoilt("rent", "line", "shadow_price_per_mwh", PRICE * 10, 4),
    Spoilt("rent", f"{CONGESTED}line", "rate_mw", MWH_IN_RENT * 10, largest("shadow_price_per_mwh")),
    Spoilt("rent", f"{CONGESTED}bus", "dispatched_losses_mw", MWH_IN_RENT * 10, largest("congestion_price_per_mwh")),
    Spoilt("rent", "line", "overload_mw", MWH_IN_RENT, 4),
    Spoilt("rent", "system", "cut_rent_cost", 0.1, 4),
    Spoilt("money", "system", "cut_rent_cost", 0.1, 4),
    Spoilt("money", "store", "charge_mw", MWH_IN_RENT, 0),
    Spoilt("money", "store", "discharge_mw", MWH_IN_RENT, 0),
    Spoilt("money", "inputs/stores", "site_index", ONE, BATTERY),
    Spoilt("money", "bus", "load_mw", MWH_IN_RENT, 4),
    Spoilt("money", "bus", "shed_mw", MWH_IN_RENT, 4),
    Spoilt("money", "unit", "unit_mw", MWH_IN_RENT, 4),
    Spoilt("money", "site", "site_mw", MWH_IN_RENT, 4),
    Spoilt("money", "bus", "dumped_mw", MWH_IN_RENT, 4),
    Spoilt("money", "bus", "net_injection_mw", MWH_IN_RENT, 4),
    Spoilt("money", "bus", "dispatched_injection_mw", MWH_IN_RENT, 4),
    Spoilt("money", "bus", "price_per_mwh", PRICE * 10, largest("load_mw")),
    Spoilt("money", f"{CONGESTED}line", "shadow_price_per_mwh", PRICE * 10, largest("shadow_price_per_mwh")),
    Spoilt("money", "link", "link_mw", MWH_IN_RENT * 1000, 0),
    Spoilt("money", "inputs/links", "loss", 0.1, 0),
    Spoilt("solver_primal", "solver", "primal_residual", SHARE, 0),
    Spoilt("solver_primal", "solver", "redispatch_primal_residual", SHARE, 0),
    Spoilt("solver_gap", "solver", "redispatch_objective", lambda t, r: SHARE * t["redispatch_objective"][r], 0),
    Spoilt("solver_gap", "solver", "redispatch_dual_objective", lambda t, r: SHARE * t["redispatch_objective"][r], 0),
    Spoilt("solver_gap", "solver", "objective", lambda t, r: SHARE * t["objective"][r], 0),
    Spoilt("solver_gap", "solver", "dual_objective", lambda t, r: -SHARE * t["dual_objective"][r], 0),
]


def path_of(table):
    name = table if "/" in table else f"{WINDOW}{table}"
    return f"{name}.parquet"


def spoil(path, column, row, by):
    """Add to one number of a Parquet file."""
    table = pq.read_table(path)
    columns = {name: np.asarray(table[name].to_numpy()).copy() for name in table.column_names}
    at = row(columns) if callable(row) else row
    columns[column][at] += by(columns, at) if callable(by) else by
    changed = pa.array(columns[column], table.schema.field(column).type)
    pq.write_table(table.set_column(table.column_names.index(column), column, changed), path)


@pytest.fixture
def copy(pocket_run, read_stored, tmp_path):
    """Copy the pocket run; the second value reads the copy and returns its ledgers by name."""
    run = pocket_run(POLICY)
    path = tmp_path / "run"
    shutil.copytree(run.path, path)

    def ledgers():
        return {ledger.name: ledger for ledger in close_ledgers(read_stored(path))}

    return path, ledgers


@pytest.mark.parametrize("policy", POLICIES)
def test_every_ledger_holds_on_a_real_run(pocket_run, policy):
    run = pocket_run(policy)
    ledgers = close_ledgers(run.data)
    of_ac = [ledger.__name__ for ledger in LEDGERS if ledger is not power_transport]
    assert [ledger.name for ledger in ledgers] == of_ac
    assert all(ledger.passed for ledger in ledgers), ledgers
    stored = {ledger.name: ledger.residual for ledger in ledgers}
    assert {name: entry["residual"] for name, entry in run.summary["ledgers"].items()} == stored


@pytest.mark.parametrize("spoilt", STORED, ids=str)
def test_ten_tolerances_in_one_stored_number_break_the_ledger(copy, spoilt):
    path, ledgers = copy
    spoil(path / path_of(spoilt.table), spoilt.column, spoilt.row, spoilt.by)
    assert not ledgers()[spoilt.ledger].passed


def test_a_copy_that_nobody_touched_holds(copy):
    assert all(ledger.passed for ledger in copy[1]().values())


def test_every_ledger_is_spoilt_at_least_twice():
    spoilt = [entry.ledger for entry in STORED]
    for ledger in (ledger for ledger in LEDGERS if ledger is not power_transport):
        assert spoilt.count(ledger.__name__) >= 2


@pytest.mark.parametrize("name", ["vm_pu", "net_injection_mw", "load_mw"])
def test_a_number_that_is_not_one_does_not_pass(copy, name):
    path, ledgers = copy
    spoil(path / path_of("bus"), name, 4, np.nan)
    found = ledgers()
    assert not found["power_market" if name == "load_mw" else "power_ac"].passed


@pytest.mark.parametrize(
    ("ledger", "column", "change"),
    [
        ("jobs", "runtime_s", 1),
        ("jobs", "submit_s", 48 * STEP_S),
        ("node_seconds", "nodes", 1),
        ("node_seconds", "class_index", 1),
        ("node_seconds", "runtime_s", 1),
        ("energy", "nodes", 1),
        ("energy", "class_index", 1),
    ],
)
def test_one_changed_cell_of_the_job_table_breaks_the_ledger(pocket_run, ledger, column, change):
    data = pocket_run(POLICY).data
    values = data.jobs[column].copy()
    values[np.flatnonzero(data.jobs["class_index"] == 0)[0]] += change
    spoilt = replace(data, jobs={**data.jobs, column: values})
    assert not {found.name: found for found in close_ledgers(spoilt)}[ledger].passed


def jobs_ledger(data):
    return {found.name: found for found in close_ledgers(data)}["jobs"]


def with_queue(data, jobs, nodes, running=0, suspended=0, suspended_nodes=0):
    """Let the fleet's state and the queue meter tell of more at every window's end."""
    v, windows = data.variables, len(data.variables["waiting_jobs"])
    steps = len(data.time) // windows
    waiting_nodes = v["waiting_nodes"].copy()
    waiting_nodes[steps - 1 :: steps, 0] += nodes
    paused_nodes = v["suspended_nodes"].copy()
    paused_nodes[steps - 1 :: steps, 0, 0] += suspended_nodes
    queue = {
        "waiting_jobs": v["waiting_jobs"] + jobs,
        "running_jobs": v["running_jobs"] + running,
        "waiting_nodes": waiting_nodes,
        "suspended_jobs": v["suspended_jobs"] + suspended,
        "suspended_nodes": paused_nodes,
    }
    return replace(data, variables={**v, **queue})


def early(data):
    """Return a job that started and ended in the first window."""
    events = data.events
    first = {table: set(events[table]["row"][events[table]["window"] == 0]) for table in ("job_start", "job_end")}
    return min(first["job_start"] & first["job_end"])


def test_a_job_that_never_started_must_be_in_a_queue(pocket_run):
    data = pocket_run(POLICY).data
    row, windows = early(data), len(data.variables["waiting_jobs"])
    nodes = data.jobs["nodes"][row]
    never = np.arange(len(data.jobs["job"])) == row
    events = {
        table: {name: column[data.events[table]["row"] != row] for name, column in data.events[table].items()}
        for table in ("job_start", "job_end")
    }
    times = {name: np.where(never, -1, data.jobs[name]) for name in ("start_s", "end_s")}
    lost = replace(data, jobs={**data.jobs, **times}, events={**data.events, **events})
    assert jobs_ledger(lost).residual == windows * (1 + nodes)
    assert jobs_ledger(with_queue(lost, 1, 0)).residual == windows * nodes
    assert jobs_ledger(with_queue(lost, 0, nodes)).residual == windows
    assert jobs_ledger(with_queue(lost, 1, nodes)).passed


@pytest.mark.parametrize("table", ["job_start", "job_end"])
def test_a_job_may_start_and_end_only_once(pocket_run, table):
    data = pocket_run(POLICY).data
    logged = data.events[table]
    at = int(np.flatnonzero(logged["row"] == early(data))[0])
    twice = {name: np.append(column, column[at]) for name, column in logged.items()}
    again = replace(data, events={**data.events, table: twice})
    assert jobs_ledger(again).residual > 1
    nodes = data.jobs["nodes"][early(data)]
    state = (0, 0, 1, -1, -nodes) if table == "job_start" else (0, 0, -1)  # all counts agree with the second event
    assert jobs_ledger(with_queue(again, *state)).residual == (2 if table == "job_start" else 1)


def test_a_job_that_ended_without_a_start_is_noticed(pocket_run):
    data = pocket_run(POLICY).data
    start = np.where(np.arange(len(data.jobs["job"])) == early(data), -1, data.jobs["start_s"])
    assert jobs_ledger(replace(data, jobs={**data.jobs, "start_s": start})).residual == 1


@pytest.mark.parametrize("step", [5, 12, 13])  # the second is the first of a window
@pytest.mark.parametrize("sign", [1, -1])
def test_the_ramp_holds_to_the_tolerance(pocket_run, step, sign):
    """One change is made as large as ramp and balancing allow, and then ten tolerances larger."""
    data = pocket_run(POLICY).data
    v, coal = data.variables, data.coords["unit"].index("coal")
    allowed = (
        data.inputs["units"]["ramp_mw_per_h"][coal] * data.step_h + np.abs(v["moved_mw"][step - 1 : step + 1]).sum()
    )

    def changed(by_mw):
        unit_mw = v["unit_mw"].copy()
        unit_mw[step:, coal] += sign * by_mw - np.diff(unit_mw[:, coal])[step - 1]
        return ramps(replace(data, variables={**v, "unit_mw": unit_mw}))

    assert changed(allowed).passed
    assert changed(allowed + MW).residual == pytest.approx(MW)
    assert not changed(allowed + MW).passed


THERMAL, WIND, ROOFTOP = (False, False), (True, True), (True, False)


@pytest.mark.parametrize(
    ("kind", "unit_mw", "available_mw", "moved_mw", "beyond_mw"),
    [
        (THERMAL, (50, 55), (100, 100), (0, 0), 0),
        (THERMAL, (50, 45), (100, 100), (0, 0), 0),
        (THERMAL, (50, 55.5), (100, 100), (0, 0), 0.5),
        (THERMAL, (50, 44.5), (100, 100), (0, 0), 0.5),
        (THERMAL, (50, 44.5), (100, 100), (0.25, -0.25), 0),
        (THERMAL, (50, 44.5), (100, 100), (0, 0.25), 0.25),
        (THERMAL, (50, 20), (100, 20), (0, 0), 25),
        (WIND, (50, 20), (50, 20), (0, 0), 0),
        (WIND, (50, 10), (50, 20), (0, 0), 10),
        (WIND, (20, 50), (20, 50), (0, 0), 25),
        (ROOFTOP, (20, 50), (20, 50), (0, 0), 0),
        (THERMAL, (50, np.nan), (100, 100), (0, 0), np.nan),
    ],
)
def test_what_goes_beyond_a_ramp_of_5_mw_a_step(kind, unit_mw, available_mw, moved_mw, beyond_mw):
    def column(values):
        return np.array(values, float)[:, None]

    units = {
        "ramp_mw_per_h": np.array([10.0]),
        "profiled": np.array([kind[0]]),
        "curtailable": np.array([kind[1]]),
        "store_index": np.array([-1]),
    }
    data = RunData(
        step_s=1800,
        coords={},
        time=np.arange(2),
        variables={
            "unit_mw": column(unit_mw),
            "available_mw": column(available_mw),
            "moved_mw": np.array(moved_mw, float),
            "stored_mwh": np.zeros((2, 0)),
        },
        jobs={},
        events={},
        inputs={"units": units},
    )
    ledger = ramps(data)
    assert ledger.residual == pytest.approx(beyond_mw, nan_ok=True)
    assert ledger.passed == (beyond_mw == 0)
