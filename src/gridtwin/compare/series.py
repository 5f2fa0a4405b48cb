"""What a comparison needs of a run, step by step: generation, costs, emissions, draw of the sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridtwin.arrays import link_injection_mw, sum_at
from gridtwin.compare.records import Overlap, RunCard
from gridtwin.results.saved_run import Columns, SavedRun
from gridtwin.units import HOUR_S, W_PER_MW, FloatArray, IntArray

__all__ = ["Alignment", "RunSeries", "align"]


class _Variables(Mapping[str, np.ndarray]):
    """The variables of a run, read as they are asked for."""

    def __init__(self, run: SavedRun) -> None:
        self._run = run

    def __getitem__(self, name: str) -> np.ndarray:
        return self._run.values(name)

    def __iter__(self) -> Iterator[str]:
        return (str(name) for name in self._run.dataset.data_vars)

    def __len__(self) -> int:
        return len(self._run.dataset.data_vars)


class _Inputs(Mapping[str, Columns]):
    """The input tables of a run, each read once."""

    def __init__(self, run: SavedRun) -> None:
        self._run = run
        self._tables: dict[str, Columns] = {}

    def __getitem__(self, name: str) -> Columns:
        if name not in self._tables:
            self._tables[name] = self._run.inputs(name)
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


@dataclass(frozen=True, eq=False)
class RunSeries:
    """One run with what is derived from its stored series."""

    run: SavedRun
    card: RunCard

    @cached_property
    def v(self) -> Mapping[str, np.ndarray]:
        """Variables by name."""
        return _Variables(self.run)

    @cached_property
    def inputs(self) -> Mapping[str, Columns]:
        """Input tables by name."""
        return _Inputs(self.run)

    @property
    def buses(self) -> tuple[str, ...]:
        """Labels of the buses."""
        return self.run.facts.coords["bus"]

    @property
    def step_h(self) -> float:
        """Length of a step, h."""
        return self.card.step_h

    @cached_property
    def technologies(self) -> tuple[str, ...]:
        """Technologies of the units, in alphabetical order."""
        return tuple(sorted(set(self.inputs["units"]["technology"].tolist())))

    @cached_property
    def fuel_cost(self) -> FloatArray:
        """Fuel and variable cost (time, technology), from the output and the segments of each unit."""
        return self._along_segments("cost_per_mwh")

    @cached_property
    def co2_kg(self) -> FloatArray:
        """Direct emissions (time, technology), kg, likewise."""
        return self._along_segments("co2_kg_per_mwh")

    @cached_property
    def curtailed_mwh(self) -> FloatArray:
        """Wind and sun that were there and not taken (time,), MWh."""
        units = self.inputs["units"]
        at = units["curtailable"] & units["profiled"]
        unused = np.maximum(self.v["available_mw"] - self.v["unit_mw"], 0.0)[:, at]
        return np.asarray(unused.sum(axis=1) * self.step_h)

    @cached_property
    def site_mwh(self) -> FloatArray:
        """Draw of all sites at each bus (time, bus), MWh."""
        return self._at_bus(self.v["site_mw"], self.inputs["sites"]["bus_index"])

    @cached_property
    def work_mwh(self) -> FloatArray:
        """What jobs add to the draw of the sites at each bus (time, bus), MWh: idle power and services left out."""
        pools, busy = self.inputs["pools"], self.v["busy_node_s"]
        added_w = (pools["peak_w"] - pools["idle_w"]).reshape(busy.shape[1:])
        mwh = (busy * added_w).sum(axis=2) * self.v["pue"] / HOUR_S / W_PER_MW
        return sum_at(mwh, self.inputs["sites"]["bus_index"], len(self.buses))

    def outside(self, shared: IntArray) -> IntArray:
        """Return the steps that are not among the shared ones."""
        return np.setdiff1d(np.arange(self.card.steps), shared)

    def compared_mwh(self, shared: IntArray) -> FloatArray:
        """Draw of the sites (time, bus), MWh; in steps that only this run has no more than what its jobs add.

        The other run would draw idle power and serve requests in those steps too.
        """
        drawn = self.work_mwh.copy()
        drawn[shared] = self.site_mwh[shared]
        return drawn

    @cached_property
    def load_mwh(self) -> FloatArray:
        """Demand of others that was served (time, bus), MWh."""
        return np.asarray((self.v["load_mw"] - self.v["shed_mw"]) * self.step_h)

    @cached_property
    def charged_mwh(self) -> FloatArray:
        """What stores with a converter at the grid draw, less what they give (time, bus), MWh."""
        stores = self.inputs["stores"]
        at = stores["site_index"] < 0
        return self._at_bus((self.v["charge_mw"] - self.v["discharge_mw"])[:, at], stores["bus_index"][at])

    @cached_property
    def available_mwh(self) -> FloatArray:
        """What weather lets units give (time, bus), MWh."""
        units = self.inputs["units"]
        at = units["profiled"] & (units["store_index"] < 0)
        return self._at_bus(self.v["available_mw"][:, at], units["bus_index"][at])

    @cached_property
    def reservoir_mwh(self) -> FloatArray:
        """Output of the units that feed on a store (time, bus), MWh."""
        units = self.inputs["units"]
        at = units["store_index"] >= 0
        return self._at_bus(self.v["unit_mw"][:, at], units["bus_index"][at])

    @cached_property
    def link_mwh(self) -> FloatArray:
        """What HVDC links put into each bus (time, bus), MWh."""
        links = self.inputs["links"]
        ends = links["from_index"], links["to_index"], links["loss"]
        return link_injection_mw(self.v["link_mw"] * self.step_h, *ends, len(self.buses))

    @cached_property
    def taken_cost(self) -> FloatArray:
        """Energy taken from stores (time,) at the mean price of their bus over the run, money."""
        price = self.v["price_per_mwh"].mean(axis=0)[self.inputs["stores"]["bus_index"]]
        return np.asarray(self.taken_mwh @ price)

    @cached_property
    def taken_mwh(self) -> FloatArray:
        """Energy taken from each store (time, store), MWh at its bus; negative where it fills."""
        stores, level = self.inputs["stores"], self.v["stored_mwh"]
        before = np.vstack([stores["initial_mwh"], level[:-1]])
        return np.asarray((before - level) * stores["efficiency_discharge"])

    @cached_property
    def wan_cost(self) -> FloatArray:
        """Cost of moving data (time,), money."""
        moved = self.v["moved_gb"]
        return np.asarray(moved.reshape(len(moved), -1) @ self.inputs["wan"]["price_per_gb"])

    def slack_cost(self, name: str) -> FloatArray:
        """What shed, spill or overload cost (time,), money."""
        price = float(self.inputs["penalties"][f"{name}_per_mwh"][0])
        power = self.v[f"{name}_mw"]
        return np.asarray(price * power.reshape(len(power), -1).sum(axis=1) * self.step_h)

    @cached_property
    def connection_cost(self) -> FloatArray:
        """What sites drew beyond their connection (time,), at the price of overload, money."""
        beyond = np.maximum(self.v["site_mw"] - self.inputs["sites"]["connection_mw"], 0.0)
        return np.asarray(float(self.inputs["penalties"]["overload_per_mwh"][0]) * beyond.sum(axis=1) * self.step_h)

    def late_node_h(self, *, ended: bool) -> float:
        """Node-hours of lateness of the jobs that ended, or up to the end of the run of those that did not."""
        return self._late_node_h[not ended]

    @cached_property
    def _late_node_h(self) -> tuple[float, float]:
        """Return both, so that the jobs are read once."""
        jobs = self.run.jobs(["nodes", "due_s", "end_s"])
        done = jobs["end_s"] >= 0
        until = np.where(done, jobs["end_s"], round(self.card.steps * self.step_h * HOUR_S))
        late_s = np.maximum(until.astype(np.int64) - jobs["due_s"], 0)
        node_s = jobs["nodes"] * late_s
        return float(node_s[done].sum()) / HOUR_S, float(node_s[~done].sum()) / HOUR_S

    def _at_bus(self, power_mw: FloatArray, bus: IntArray) -> FloatArray:
        return sum_at(power_mw * self.step_h, bus, len(self.buses))

    def _along_segments(self, rate: str) -> FloatArray:
        """Sum a rate over what each unit gives, the first segments first, by technology (time, technology)."""
        segments, unit_mw = self.inputs["segments"], self.v["unit_mw"]
        total = np.zeros_like(unit_mw)
        for unit in range(unit_mw.shape[1]):
            own = segments["unit_index"] == unit
            ends = np.concatenate([[0.0], np.cumsum(segments["width_mw"][own])])
            sums = np.concatenate([[0.0], np.cumsum(segments["width_mw"][own] * segments[rate][own])])
            total[:, unit] = np.interp(unit_mw[:, unit], ends, sums) * self.step_h
        place = {name: index for index, name in enumerate(self.technologies)}
        of_unit = np.array([place[name] for name in self.inputs["units"]["technology"].tolist()], dtype=np.int64)
        return sum_at(total, of_unit, len(place))


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The steps of two runs, matched by instant.

    Parameters
    ----------
    base, change : ndarray (step,)
        Places of the shared steps in either run.
    overlap : Overlap
    """

    base: IntArray
    change: IntArray
    overlap: Overlap

    @property
    def usable(self) -> bool:
        """Some steps are shared."""
        return len(self.base) > 0


def align(base: RunCard, change: RunCard, base_time: np.ndarray, change_time: np.ndarray) -> Alignment:
    """Match the steps of two runs by their instants.

    Parameters
    ----------
    base, change : RunCard
    base_time, change_time : ndarray (time,), datetime64
    """
    none = np.zeros(0, dtype=np.int64)
    if base.step_h != change.step_h:
        reason = f"steps of {base.step_h:g} h and of {change.step_h:g} h"
        return Alignment(none, none, Overlap(0, len(base_time), len(change_time), reason))
    _, here, there = np.intersect1d(base_time, change_time, assume_unique=True, return_indices=True)
    reason = "" if len(here) else "the runs share no step"
    overlap = Overlap(len(here), len(base_time) - len(here), len(change_time) - len(there), reason)
    return Alignment(here, there, overlap)
