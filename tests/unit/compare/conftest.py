"""A run made of random arrays, small enough to add up by hand, with the totals that its own summary would hold."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gridtwin.compare.records import RunCard
from gridtwin.compare.series import RunSeries
from gridtwin.economics.settlement import money_table

BUSES, UNITS, SITES, LINES, CLASSES, ORIGINS = 3, 4, 2, 2, 2, 2
LATE_PRICE, SLACK_PRICE, CARBON_PRICE = 50.0, {"shed": 900.0, "overload": 300.0, "spill": 100.0}, 30.0
TECHNOLOGIES = np.array(["Coal", "Gas", "Wind", "Hydro"], object)


@dataclass
class MadeRun:
    """Stands for a SavedRun."""

    values_by_name: dict
    tables: dict
    kpis: dict
    manifest: dict
    scenario: dict
    summary: dict
    facts: SimpleNamespace
    time: np.ndarray
    job_columns: dict
    path: Path = Path("nowhere")
    dataset: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(data_vars=()))

    def values(self, name):
        return self.values_by_name[name]

    def inputs(self, table):
        return self.tables[table]

    def jobs(self, names=None):
        return {name: self.job_columns[name] for name in names}


def tables():
    cost = np.array([20.0, 26.0, 42.0, 50.0, 0.0, 1.0])
    co2 = np.array([1000.0, 950.0, 400.0, 420.0, 0.0, 0.0])
    return {
        "segments": {
            "unit_index": np.array([0, 0, 1, 1, 2, 3]),
            "width_mw": np.array([40.0, 40.0, 30.0, 30.0, 50.0, 10.0]),
            "cost_per_mwh": cost,
            "co2_kg_per_mwh": co2,
        },
        "units": {
            "unit": np.array(["coal", "gas", "wind", "hydro"], object),
            "technology": TECHNOLOGIES,
            "bus_index": np.array([0, 1, 2, 0]),
            "curtailable": np.array([False, False, True, False]),
            "profiled": np.array([False, False, True, False]),
            "store_index": np.array([-1, -1, -1, 1]),
        },
        "stores": {
            "store": np.array(["battery", "lake"], object),
            "bus_index": np.array([1, 0]),
            "site_index": np.array([-1, -1]),
            "initial_mwh": np.array([5.0, 20.0]),
            "efficiency_discharge": np.array([0.9, 0.98]),
        },
        "sites": {
            "site": np.array(["east", "west"], object),
            "bus_index": np.array([1, 2]),
            "connection_mw": np.array([np.inf, 12.0]),
        },
        "pools": {"idle_w": np.full(SITES * CLASSES, 100.0), "peak_w": np.full(SITES * CLASSES, 40_000.0)},
        "wan": {"price_per_gb": np.arange(ORIGINS * SITES) / 100.0},
        "buses": {"bus": np.array(["a", "b", "c"], object), "slack": np.array([True, False, False])},
        "links": {
            "link": np.array(["dc"], object),
            "from_index": np.array([0]),
            "to_index": np.array([1]),
            "loss": np.array([0.02]),
        },
        "lines": {
            "line": np.array(["ab", "bc"], object),
            "rate_mw": np.array([20.0, 60.0]),
            "length_km": np.array([10.0, np.nan]),
        },
        "penalties": {f"{name}_per_mwh": np.array([price]) for name, price in SLACK_PRICE.items()},
        "tariff": {"zone_s": np.array([0])},
    }


def made_variables(rng, steps, inputs, step_h):
    def any_of(*shape, scale=1.0):
        return rng.uniform(0.0, scale, (steps, *shape))

    limits = np.bincount(inputs["segments"]["unit_index"], inputs["segments"]["width_mw"])
    unit_mw = any_of(UNITS) * limits
    v = {
        "unit_mw": unit_mw,
        "available_mw": np.maximum(unit_mw, unit_mw + rng.uniform(-5.0, 20.0, unit_mw.shape)),
        "site_mw": any_of(SITES, scale=20.0) * rng.integers(0, 2, (steps, SITES)),
        "busy_node_s": rng.integers(0, 10 * 3600, (steps, SITES, CLASSES)),
        "service_nodes": np.zeros((steps, SITES, CLASSES)),
        "pue": 1.0 + any_of(SITES, scale=0.5),
        "moved_gb": any_of(ORIGINS, SITES, scale=100.0),
        "charge_mw": any_of(2, scale=5.0),
        "discharge_mw": any_of(2, scale=5.0),
        "stored_mwh": any_of(2, scale=15.0),
        "link_mw": rng.uniform(-20.0, 20.0, (steps, 1)),
        "load_mw": any_of(BUSES, scale=60.0),
        "shed_mw": any_of(BUSES, scale=0.1) * rng.integers(0, 2, (steps, BUSES)),
        "dumped_mw": any_of(BUSES, scale=0.03),
        "overload_mw": any_of(LINES, scale=0.1),
        "price_per_mwh": rng.uniform(-50.0, 150.0, (steps, BUSES)),
        "marginal_co2_kg_per_mwh": rng.uniform(-500.0, 1500.0, (steps, BUSES)),
        "shadow_price_per_mwh": any_of(LINES, scale=50.0) * rng.integers(0, 2, (steps, LINES)),
        "rate_mw": np.broadcast_to(inputs["lines"]["rate_mw"], (steps, LINES)),
        "loading_percent": any_of(LINES, scale=130.0),
        "congestion_price_per_mwh": rng.uniform(-50.0, 50.0, (steps, BUSES)),
        "dispatched_losses_mw": any_of(BUSES),
        "cut_rent_cost": any_of(scale=10.0),
        "energy_price_per_mwh": any_of(scale=80.0),
        "slack_excess_mw": any_of(scale=1e-6),
        "fixed_losses_mw": any_of(),
    }
    cost, co2 = by_segment(v["unit_mw"], inputs["segments"])
    return (
        v
        | {"production_cost": cost * step_h, "co2_kg": co2 * step_h}
        | {"spill_mw": v["dumped_mw"].sum(axis=1)}
        | balanced(v, inputs)
    )


def by_segment(unit_mw, segments):
    """Cost and CO2 of each step, filled one segment after the other."""
    left, cost, co2 = unit_mw.copy(), np.zeros(len(unit_mw)), np.zeros(len(unit_mw))
    for unit, width, price, rate in zip(*segments.values(), strict=True):
        filled = np.minimum(left[:, unit], width)
        left[:, unit] -= filled
        cost, co2 = cost + filled * price, co2 + filled * rate
    return cost, co2


def balanced(v, inputs):
    """Injections such that all that is paid is received: the network takes what is left."""
    net = np.zeros((len(v["load_mw"]), BUSES))
    for name, table, sign in (("unit_mw", "units", 1), ("site_mw", "sites", -1)):
        for place, bus in enumerate(inputs[table]["bus_index"]):
            net[:, bus] += sign * v[name][:, place]
    for place, bus in enumerate(inputs["stores"]["bus_index"]):
        net[:, bus] += (v["discharge_mw"] - v["charge_mw"])[:, place]
    net -= v["load_mw"] - v["shed_mw"]
    net -= v["dumped_mw"]
    sent = v["link_mw"][:, 0]
    net[:, 0] -= np.where(sent > 0, sent, 0.98 * sent)
    net[:, 1] += np.where(sent > 0, 0.98 * sent, sent)
    return {"net_injection_mw": net} | dispatched(v, net)


def dispatched(v, net):
    """A dispatched injection whose surplus is the rents of the network, as the identity of `network_account` says."""
    rents = np.where(v["shadow_price_per_mwh"] > 0, v["shadow_price_per_mwh"] * v["rate_mw"], 0.0).sum(axis=1)
    rents += SLACK_PRICE["overload"] * v["overload_mw"].sum(axis=1) + v["cut_rent_cost"]
    rents -= v["energy_price_per_mwh"] * v["fixed_losses_mw"]
    rents -= (v["congestion_price_per_mwh"] * v["dispatched_losses_mw"]).sum(axis=1)
    apart = rents + (v["price_per_mwh"] * net).sum(axis=1)
    injected = net.copy()
    injected[:, 0] -= apart / v["price_per_mwh"][:, 0]
    return {"dispatched_injection_mw": injected}


def made_jobs(rng, run_s, jobs=20):
    due = rng.integers(0, run_s, jobs)
    end = np.where(rng.random(jobs) < 0.8, np.minimum(due + rng.integers(-3600, 3600, jobs), run_s), -1)
    return {"nodes": rng.integers(1, 9, jobs), "due_s": due, "end_s": end}


def run_of(variables, inputs, jobs, time, step_h, label="base", currency="EUR"):
    """Wrap arrays as a finished run: key figures and relaxations added up in the plainest way."""
    steps, v = len(time), variables
    slack = {name: float(v[f"{name}_mw"].sum() * step_h) for name in SLACK_PRICE}
    late = np.where(jobs["end_s"] >= 0, np.maximum(jobs["end_s"] - jobs["due_s"], 0), 0)
    before = inputs["stores"]["initial_mwh"]
    worth = v["price_per_mwh"].mean(axis=0)[inputs["stores"]["bus_index"]] * inputs["stores"]["efficiency_discharge"]
    moved = v["moved_gb"].sum(axis=0).ravel()
    co2_t = float(v["co2_kg"].sum()) / 1000.0
    kpis = {
        "system_cost": float(v["production_cost"].sum()),
        "carbon_cost": co2_t * CARBON_PRICE,
        "wan_cost": float((moved * inputs["wan"]["price_per_gb"]).sum()),
        "stock_change_cost": float(((before - v["stored_mwh"][-1]) * worth).sum()),
        "co2_t": co2_t,
        "electricity_cost": 1.0,
        "jobs_submitted": len(jobs["nodes"]),
        "jobs_unfinished": int((jobs["end_s"] < 0).sum()),
        "ac_steps_not_converged": 0,
        "unserved_mwh": slack["shed"],
        "overload_mwh": slack["overload"],
        "spill_mwh": slack["spill"],
    }
    money = money_table(v, inputs, step_h)
    relaxed = {f"{name}_mwh": amount for name, amount in slack.items()}
    window = {
        "relaxations": relaxed | {"late_node_h": float((jobs["nodes"] * late).sum()) / 3600.0},
        "duality_gap": 1e-9,
        "redispatch_duality_gap": None,
    }
    run = MadeRun(
        variables,
        inputs,
        kpis,
        {"windows": [window], "gridtwin": "0", "python": "3", "libraries": {}},
        {"dispatch": dispatch_prices(), "model": "m"},
        {
            "money_paid": {"loads": 0.0, "all": float(money["paid_cost"].sum())},
            "ledgers": {"energy": {"pass": True}},
            "findings": {},
        },
        SimpleNamespace(coords={"bus": ("a", "b", "c")}),
        time,
        jobs,
    )
    card = RunCard(label, label, "nowhere", "s", "asap", currency, str(time[0]), steps, step_h, 0)
    return RunSeries(run, card)


def dispatch_prices():
    slacks = {f"{name}_price_per_mwh": price for name, price in SLACK_PRICE.items()}
    return slacks | {"carbon_price_per_t": CARBON_PRICE, "late_price_per_node_h": LATE_PRICE}


def made_run(seed, steps=6, first=0, step_h=1.0, **more):
    """Make a run of some steps from hour `first` of a day."""
    rng = np.random.default_rng(seed)
    inputs = tables()
    time = np.datetime64("2020-01-01", "ns") + (first + np.arange(steps)) * np.timedelta64(int(3600 * step_h), "s")
    jobs = made_jobs(rng, int(steps * step_h * 3600))
    return run_of(made_variables(rng, steps, inputs, step_h), inputs, jobs, time, step_h, **more)


@pytest.fixture(scope="session")
def make_run():
    return made_run
