"""A saved run by region: its indicators, its moves of work, and where its grid binds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridtwin.compare.series import RunSeries
from gridtwin.economics.accounts import grid_carbon
from gridtwin.economics.indicators import Reading, Work, indicators, nation
from gridtwin.economics.moves import Move, Rates, Verdict, moves, verdicts
from gridtwin.economics.regions import Fleet, regional_fleet
from gridtwin.scenario.kinds import duration_s
from gridtwin.units import HOUR_S, FloatArray

__all__ = ["RunView"]

JOB_COLUMNS = (
    "origin_index", "class_index", "nodes", "runtime_s", "submit_s", "due_s", "site_index", "start_s", "end_s",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class RunView:
    """One run with what is derived from it by region."""

    series: RunSeries

    @cached_property
    def fleet(self) -> Fleet:
        """Sites and origins by region."""
        coords = self.series.run.facts.coords
        return regional_fleet(self.series.inputs, coords["origin"], coords["compute_class"])

    @cached_property
    def jobs(self) -> Mapping[str, np.ndarray]:
        """All jobs and what became of them."""
        return self.series.run.jobs(JOB_COLUMNS)

    @property
    def region_names_zh(self) -> dict[str, str]:
        """Chinese names of regions: that of the origin that is called like it, else of its only origin or site."""
        inputs = self.series.inputs
        regions = {"site": inputs["site_terms"]["region"].tolist(), "origin": inputs["origins"]["region"].tolist()}
        names: dict[str, str] = {}
        for kind in ("site", "origin"):
            labels, facts = inputs[f"{kind}s"][kind].tolist(), inputs[f"{kind}_facts"]
            called = dict(zip(facts[kind].tolist(), facts["name_zh"].tolist(), strict=True))
            rows = ((label, region, called.get(label, "")) for label, region in zip(labels, regions[kind], strict=True))
            found = [(label, region, text) for label, region, text in rows if region and text]
            alone = {region for _, region, _ in found if sum(region == other for _, other, _ in found) == 1}
            names |= {region: text for label, region, text in found if label == region or region in alone}
        return names

    @property
    def step_s(self) -> int:
        """Length of a step, s."""
        return round(self.series.step_h * HOUR_S)

    @cached_property
    def arrival_steps(self) -> int:
        """Steps in which jobs arrive."""
        steps = duration_s(self.series.run.scenario["time"]["duration"]) // self.step_s
        return min(steps, self.series.card.steps)

    @cached_property
    def work(self) -> Work:
        """What was asked and done."""
        jobs, fleet, span = self.jobs, self.fleet, slice(0, self.arrival_steps)
        origins, classes, sites = len(fleet.origin_region), len(fleet.classes), len(fleet.site_region)
        node_h = jobs["nodes"].astype(np.float64) * jobs["runtime_s"] / HOUR_S
        asked, ran = np.zeros((origins, classes)), np.zeros((origins, classes, sites))
        np.add.at(asked, (jobs["origin_index"], jobs["class_index"]), node_h)
        at = jobs["site_index"] >= 0
        np.add.at(ran, tuple(jobs[name][at] for name in ("origin_index", "class_index", "site_index")), node_h[at])
        v = self.series.v
        served, unserved = (v[name][span] for name in ("service_nodes", "unserved_service_nodes"))
        return Work(
            asked_node_h=asked,
            service_share=self._service_share(),
            run_node_h=ran,
            wanted_service_nodes=(served + unserved).sum(axis=1).mean(axis=0),
            busy_nodes=v["busy_node_s"][span].mean(axis=0) / self.step_s + served.mean(axis=0),
            done_node_h=v["busy_node_s"].sum(axis=0) / HOUR_S + v["service_nodes"].sum(axis=0) * self.series.step_h,
            hours=self.arrival_steps * self.series.step_h,
        )

    def _service_share(self) -> FloatArray:
        """Share of each origin in what services of a class ask for (origin, class), by mean requests per node."""
        coords = self.series.run.facts.coords
        weight = np.zeros((len(coords["origin"]), len(coords["compute_class"])))
        for service in self.series.run.scenario["workload"]["services"]:
            column = coords["compute_class"].index(service["compute_class"])
            of_node = service["throughput_per_node"] * service["target_utilization"]
            asked = service["requests_per_s"]
            weight[:, column] += [asked.get(origin, 0.0) / of_node for origin in coords["origin"]]
        total = weight.sum(axis=0)
        return weight / np.where(total > 0, total, np.nan)

    @cached_property
    def rates(self) -> Rates:
        """PUE and emission factors, by step."""
        return Rates(
            pue=self.series.v["pue"],
            average=self.average_kg_per_mwh,
            marginal=self.series.v["marginal_co2_kg_per_mwh"],
            site_bus=self.series.inputs["sites"]["bus_index"],
            home_bus={place: self._buses_of(place) for place in range(len(self.fleet.regions))},
        )

    def _buses_of(self, place: int) -> np.ndarray:
        """Buses of a region: those of its sites, else those that are called like it, or whose area is."""
        region, buses = self.fleet.regions[place], self.series.inputs["buses"]
        own = np.unique(self.series.inputs["sites"]["bus_index"][self.fleet.site_region == place])
        alike = (np.flatnonzero(buses[name].astype(str) == region) for name in ("bus", "area") if name in buses)
        return next((found for found in (own, *alike) if len(found)), own)

    @cached_property
    def average_kg_per_mwh(self) -> FloatArray:
        """Consumption-based factor (time, bus)."""
        return grid_carbon(self.series.v, self.series.inputs).factor_kg_per_mwh

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """All indicators, of the nation and of each region."""
        return tuple(
            indicators(self.fleet, self.work, self.jobs, self._sites(), self._data_cost(), self._green_shares())
        )

    def _data_cost(self) -> dict[str, FloatArray]:
        """Cost of moving the data of jobs, and the requests of services, of each origin (origin,), money."""
        moved, requests = self.series.v["moved_gb"].sum(axis=0), self.series.inputs["requests"]
        price = self.series.inputs["wan"]["price_per_gb"].reshape(moved.shape)
        return {
            "wan_cost": (moved * price).sum(axis=1),
            "requests_cost": np.bincount(requests["origin_index"], requests["cost"], minlength=len(moved)),
        }

    def _green_shares(self) -> dict[str, FloatArray] | None:
        """Green shares of the accounts (region + 1,), the nation last; None where nothing is under contract."""
        if len(self.series.inputs["supply"]["contract"]) == 0:
            return None
        accounts = self.series.run.account("accounts")
        rows = zip(accounts["level"].tolist(), accounts["name"].tolist(), strict=True)
        place = {(level, name): row for row, (level, name) in enumerate(rows)}
        at = [place.get(("region", name), -1) for name in self.fleet.regions]
        return {
            name: np.array([accounts[name][row] if row >= 0 else np.nan for row in at] + [accounts[name][-1]])
            for name in ("green_share_annual", "green_share_hourly")
        }

    def _sites(self) -> dict[str, FloatArray]:
        """Energy of each site over the run, and what it pays and causes."""
        v, step_h = self.series.v, self.series.step_h
        bus, drawn_mwh = self.series.inputs["sites"]["bus_index"], v["site_mw"] * step_h
        return {
            "energy_mwh": drawn_mwh.sum(axis=0),
            "facility_mwh": v["facility_mw"].sum(axis=0) * step_h,
            "it_mwh": v["it_mw"].sum(axis=0) * step_h,
            "paid": (drawn_mwh * v["charged_per_mwh"]).sum(axis=0),
            "co2_kg": _where_drawn(drawn_mwh, self.rates.average[:, bus]),
            "marginal_co2_kg": _where_drawn(drawn_mwh, self.rates.marginal[:, bus]),
        }

    @cached_property
    def nation(self) -> Mapping[tuple[str, str], float | None]:
        """Readings of the nation by indicator and class."""
        return nation(self.readings)

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """Work that ran in another region than it came from."""
        return tuple(moves(self.fleet, self.rates, self.jobs, self.step_s))

    @cached_property
    def all_work(self) -> tuple[Move, ...]:
        """The same with the work that stayed."""
        return tuple(moves(self.fleet, self.rates, self.jobs, self.step_s, abroad=False))

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Published moves against this run; none where it knows neither end."""
        found = verdicts(self.fleet, self.rates, self.moves)
        return tuple(one for one in found if one.home_kg_per_mwh is not None or one.there_kg_per_mwh is not None)


def _where_drawn(drawn_mwh: FloatArray, rate: FloatArray) -> FloatArray:
    """Sum of energy times rate (site,); a rate counts only where there is energy."""
    return np.asarray(np.where(drawn_mwh == 0, 0.0, drawn_mwh * rate).sum(axis=0))
