"""What a difference in cost is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from gridtwin.compare.records import OTHER_STEPS, Decomposition, Part
from gridtwin.compare.series import Alignment, RunSeries
from gridtwin.economics.settlement import network_account
from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["FUEL", "all_costs", "cost_decomposition"]

TITLE: Final = "cost"
FUEL: Final = "fuel and variable cost"
SLACK: Final = "priced slacks (not money that anybody pays)"
START_NOTE: Final = "not modelled: commitment is relaxed, units start for nothing"
JOBS_NOTE: Final = "their energy at the price of its time and bus"
SLACKS: Final = {
    "shed": "load not served",
    "overload": "flow beyond ratings",
    "spill": "surplus dumped",
}


class _Line(NamedTuple):
    """One line of the cost of a run: by step, or a single sum."""

    name: str
    label: str
    values: FloatArray
    group: str = ""
    note: str = ""
    of_grid: bool = True  # counts by step; the steps that only one run has stand apart


def cost_decomposition(base: RunSeries, change: RunSeries, steps: Alignment) -> Decomposition:
    """Split the difference of all costs.

    The parts come from the output of each unit along its segments, the meters and the jobs; the total from the summary
    and the manifest. What the grid costs in steps that only one of the runs has is a line of its own.
    """
    if base.card.currency != change.card.currency:
        reason = f"money is in {base.card.currency} and in {change.card.currency}"
        return Decomposition("cost", TITLE, "", (), None, unavailable=reason)
    total = Part("all_costs", "all costs", all_costs(change) - all_costs(base), all_costs(base), all_costs(change))
    return Decomposition(
        "cost",
        TITLE,
        base.card.currency,
        tuple(_parts(base, change, steps)),
        total,
        tuple(_beside(base, change)),
        tuple(_notes(steps)),
    )


def all_costs(run: RunSeries) -> float:
    """Return what a run cost in all, by its own summary and manifest.

    Production, carbon, moving data, energy taken from stores, and every priced slack.
    """
    kpis, prices = run.run.kpis, run.run.scenario["dispatch"]
    money = sum(kpis[name] or 0.0 for name in ("system_cost", "carbon_cost", "wan_cost", "stock_change_cost"))
    for window in run.run.manifest["windows"]:
        relaxed = window["relaxations"]
        money += sum(prices[f"{name}_price_per_mwh"] * relaxed[f"{name}_mwh"] for name in SLACKS)
        money += prices["late_price_per_node_h"] * relaxed["late_node_h"]
    unfinished = prices["late_price_per_node_h"] * run.late_node_h(ended=False) if kpis["jobs_unfinished"] else 0.0
    return float(money + unfinished + run.connection_cost.sum())


def _parts(base: RunSeries, change: RunSeries, steps: Alignment) -> Iterator[Part]:
    """Yield the lines of both runs side by side, then what the steps cost that only one of them has."""
    old, new = ({line.name: line for line in _lines(run)} for run in (base, change))
    apart, jobs = np.zeros(2), np.array([_jobs_apart(base, steps.base), _jobs_apart(change, steps.change)])
    for name, line in (old | new).items():
        before, before_apart = _split(old.get(name), steps.base, usable=steps.usable)
        after, after_apart = _split(new.get(name), steps.change, usable=steps.usable)
        apart += before_apart, after_apart
        note = _carbon_note(base, change) if name == "carbon" else line.note
        yield Part(name, line.label, after - before, before, after, line.group, note)
    if steps.usable and not steps.overlap.same:
        before, after = jobs.tolist()
        yield Part("other_jobs", "jobs in steps that only one run has", after - before, before, after, note=JOBS_NOTE)
        before, after = (apart - jobs).tolist()
        label = "all else in steps that only one run has"
        yield Part(OTHER_STEPS, label, after - before, before, after, note=steps.overlap.text)


def _jobs_apart(run: RunSeries, shared: IntArray) -> float:
    """What the energy of jobs costs in steps that only this run has, at the price of its time and bus."""
    others = run.outside(shared)
    return float((run.v["price_per_mwh"][others] * run.work_mwh[others]).sum())


def _split(line: _Line | None, index: IntArray, *, usable: bool) -> tuple[float, float]:
    """Sum a line over the shared steps and over the others; all of it where no steps are shared."""
    if line is None:
        return 0.0, 0.0
    if not line.of_grid or not usable:
        return float(line.values.sum()), 0.0
    inside = float(line.values[index].sum())
    return inside, float(line.values.sum()) - inside


def _lines(run: RunSeries) -> Iterator[_Line]:
    prices = run.run.scenario["dispatch"]
    for place, technology in enumerate(run.technologies):
        yield _Line(f"fuel:{technology}", technology, run.fuel_cost[:, place], FUEL)
    yield _Line("start", "start cost", np.zeros(run.card.steps), note=START_NOTE)
    yield _Line("carbon", "carbon", prices["carbon_price_per_t"] / KG_PER_T * run.co2_kg.sum(axis=1))
    yield _Line("stores", "energy taken from stores", run.taken_cost, note="at the mean price of its bus")
    yield _Line("wan", "moving data (WAN)", run.wan_cost, of_grid=False)
    late = prices["late_price_per_node_h"]
    for name, label, ended in (
        ("late", "jobs late", True),
        ("unfinished", "jobs not ended, late up to the end of the run", False),
    ):
        note = f"at {late:g} per node-hour"
        yield _Line(name, label, np.array([late * run.late_node_h(ended=ended)]), SLACK, note, of_grid=False)
    for name, label in SLACKS.items():
        yield _Line(name, label, run.slack_cost(name), SLACK)
    yield _Line("connection", "drawn beyond connections", run.connection_cost, SLACK, of_grid=False)


def _carbon_note(base: RunSeries, change: RunSeries) -> str:
    """Say how much of a difference in carbon cost a difference in its price makes."""
    old, new = (float(run.run.scenario["dispatch"]["carbon_price_per_t"]) for run in (base, change))
    if old == new:
        return ""
    mean_t = (base.co2_kg.sum() + change.co2_kg.sum()) / 2 / KG_PER_T
    return f"{(new - old) * mean_t:+,.0f} of it as the price is {new:g}, not {old:g}"


def _beside(base: RunSeries, change: RunSeries) -> Iterator[Part]:
    """Yield transfers: what one pays another receives."""
    old, new = (_transfers(run) for run in (base, change))
    labels = {
        "congestion_rent": "congestion rent",
        "loss_surplus": "loss surplus",
        "sites_pay": "what the sites pay by their tariff",
    }
    yield from (Part(name, label, new[name] - old[name], old[name], new[name]) for name, label in labels.items())


def _transfers(run: RunSeries) -> dict[str, float]:
    account = network_account(run.v, run.inputs, run.step_h)
    return {
        "congestion_rent": float(account.congestion.sum()),
        "loss_surplus": float(account.losses.sum()),
        "sites_pay": float(run.run.kpis["electricity_cost"] or 0.0),
    }


def _notes(steps: Alignment) -> Iterator[str]:
    if not steps.usable:
        yield f"{steps.overlap.reason}: lines are sums over each run's own span"
