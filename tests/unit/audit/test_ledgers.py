"""Every ledger holds on a real run, and breaks when one stored number is off by ten tolerances."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gridtwin.audit import close_ledgers
from gridtwin.audit.ledgers import LEDGERS
from gridtwin.policies.registry import POLICIES

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
MW_IN_MONEY = SHARE_OF_COST * 10_000 / 20  # output that costs it: a step costs at most 10,000, a MWh at least 20
ONE = 1

WINDOW = "windows/w00001."
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
    Spoilt("power_bus", "system", "spill_mw", MW * 10, 4),
    Spoilt("power_bus", "inputs/links", "schedule_mw", MW, 0),
    Spoilt("power_bus", "inputs/links", "to_index", -ONE, 0),
    Spoilt("power_bus", "inputs/links", "from_index", ONE, 0),
    Spoilt("power_bus", "inputs/sites", "bus_index", -ONE, 0),
    Spoilt("power_bus", "inputs/units", "bus_index", ONE, 0),
    Spoilt("power_market", "unit", "unit_mw", MW, 7),
    Spoilt("power_market", "bus", "load_mw", MW, 7),
    Spoilt("power_market", "bus", "shed_mw", MW, 7),
    Spoilt("power_market", "site", "site_mw", MW, 7),
    Spoilt("power_market", "system", "spill_mw", MW, 7),
    Spoilt("power_market", "system", "losses_mw", MW, 7),
    Spoilt("power_market", "system", "slack_excess_mw", MW, 7),
    Spoilt("jobs", "job_start", "start_s", ONE, 0),
    Spoilt("jobs", "job_end", "end_s", ONE, 0),
    Spoilt("jobs", "job_start", "row", ONE, 0),
    Spoilt("jobs", "job_end", "row", ONE, 0),
    Spoilt("jobs", "windows/w00005.queue", "waiting_nodes", ONE, -1),
    Spoilt("node_seconds", "pool", "busy_node_s", ONE, largest("busy_node_s")),
    Spoilt("node_seconds", "pool", "busy_node_s", -ONE, largest("busy_node_s")),
    Spoilt("node_seconds", "pool", "service_nodes", beyond_capacity, 0),
    Spoilt("node_seconds", "job_start", "start_s", ONE, crosses_a_step),
    Spoilt("node_seconds", "job_start", "site_index", lambda t, r: 1 - 2 * t["site_index"][r], 0),
    Spoilt("node_seconds", "inputs/pools", "capacity_nodes", -1000, 0),
    Spoilt("energy", "site", "site_mw", MWH, 5),
    Spoilt("energy", "site", "it_mw", MWH, 5),
    Spoilt("energy", "site", "pue", MWH, 5),
    Spoilt("energy", "pool", "service_nodes", ONE, largest("service_nodes")),
    Spoilt("energy", "job_start", "start_s", to_the_next_step, crosses_a_step),
    Spoilt("energy", "job_start", "site_index", lambda t, r: 1 - 2 * t["site_index"][r], 0),
    Spoilt("energy", "inputs/pools", "capacity_nodes", ONE, 0),
    Spoilt("energy", "inputs/pools", "idle_w", W, 0),
    Spoilt("energy", "inputs/pools", "peak_w", W, 0),
    Spoilt("production_cost", "system", "production_cost", cost_share("production_cost"), 5),
    Spoilt("production_cost", "unit", "unit_mw", MW_IN_MONEY, largest("unit_mw")),
    Spoilt("production_cost", "inputs/segments", "cost_per_mwh", SHARE_OF_COST * 10_000, 0),
    Spoilt("production_cost", "inputs/segments", "width_mw", -MW, 0),
    Spoilt("production_cost", "inputs/segments", "unit_index", ONE, 0),
    Spoilt("co2", "system", "co2_kg", cost_share("co2_kg"), 5),
    Spoilt("co2", "unit", "unit_mw", MW_IN_MONEY * 10, largest("unit_mw")),
    Spoilt("co2", "inputs/segments", "co2_kg_per_mwh", SHARE_OF_COST * 100_000, 0),
    Spoilt("solver_primal", "solver", "primal_residual", SHARE, 0),
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
        return {ledger.name: ledger for ledger in close_ledgers(read_stored(run.study, path))}

    return path, ledgers


@pytest.mark.parametrize("policy", POLICIES)
def test_every_ledger_holds_on_a_real_run(pocket_run, policy):
    run = pocket_run(policy)
    ledgers = close_ledgers(run.data)
    assert [ledger.name for ledger in ledgers] == [ledger.__name__ for ledger in LEDGERS]
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
    for ledger in LEDGERS:
        assert spoilt.count(ledger.__name__) >= (1 if ledger.__name__ == "solver_primal" else 2)


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


def test_a_job_that_never_started_must_be_in_a_queue(pocket_run):
    data = pocket_run(POLICY).data
    never = {
        name: np.where(np.arange(len(data.jobs["job"])) == 0, -1, data.jobs[name]) for name in ("start_s", "end_s")
    }
    lost = replace(data, jobs={**data.jobs, **never})
    ledger = {found.name: found for found in close_ledgers(lost)}["jobs"]
    assert ledger.residual == data.jobs["nodes"][0]
    queued = data.variables["waiting_nodes"].copy()
    queued[-1, 0] += data.jobs["nodes"][0]
    kept = replace(lost, variables={**data.variables, "waiting_nodes": queued})
    assert {found.name: found for found in close_ledgers(kept)}["jobs"].passed
