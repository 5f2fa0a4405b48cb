"""A fleet that takes prices as given and looks after its own bill; the grid is cleared afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.dispatch import Bill, DispatchPlan, fleet_plan, minimise_bill
from gridtwin.economics.production import production_co2_kg_per_h
from gridtwin.economics.tariffs import charged_per_mwh, energy_prices, local_months
from gridtwin.policies.asap import Asap
from gridtwin.policies.base import Observation, System
from gridtwin.policies.co_dispatch import CoDispatch
from gridtwin.policies.terminal import site_price
from gridtwin.units import FloatArray

__all__ = ["Customer"]


@dataclass(frozen=True, slots=True)
class Customer:
    """Price taker: expects the prices that would hold if all work started at once, and moves its own away from them.

    What it expects to pay is stored beside what is settled: where everybody moves to the same cheap hours, the saving
    that was promised is not the one that comes.

    Parameters
    ----------
    system : System
    asap : Asap
        Foretells the prices.
    work : CoDispatch
        Poses the work.
    """

    system: System
    asap: Asap
    work: CoDispatch

    def decide(self, observation: Observation) -> DispatchPlan:
        """Foretell prices, minimise the bill, clear the grid. See `Policy.decide`."""
        foretold = self.asap.decide(observation)
        charged = self._charged(observation, foretold)
        problem = self.work.pose_compute(observation, site_price(self.system, foretold.grid))
        pooled = minimise_bill(problem, self._bill(observation, charged), self.system.penalties, self.system.step_h)
        cleared = self.asap.clear(observation, fleet_plan(problem, pooled))
        return replace(cleared, expected_price_per_mwh=foretold.grid.price_per_mwh)

    def _charged(self, observation: Observation, foretold: DispatchPlan) -> FloatArray:
        """Price at each site's meter (time, site)."""
        system = self.system
        energy = energy_prices(system.tariff, observation.instants, system.zone_s, system.step_s)
        co2_kg = production_co2_kg_per_h(foretold.unit_mw, system.units).sum(axis=1)
        mean = ratio_or_zero(co2_kg, foretold.unit_mw.sum(axis=1))
        nodal = foretold.grid.price_per_mwh[:, system.fleet.bus]
        return charged_per_mwh(system.tariff, nodal, mean, energy)

    def _bill(self, observation: Observation, charged: FloatArray) -> Bill:
        buses = len(self.system.grid.bus)
        price, peak = np.zeros((len(charged), buses)), np.zeros(buses)
        price[:, self.system.fleet.bus] = charged
        month = local_months(observation.instants, self.system.zone_s)
        memory = observation.memory
        if memory.peak_month == month[0]:
            np.add.at(peak, self.system.fleet.bus, memory.peak_mw)
        return Bill(price, self.system.tariff.demand_charge_per_mw, month, peak, self.system.permute)
