"""Start every job as soon as it fits; let the grid follow."""

from __future__ import annotations

from dataclasses import dataclass

from gridtwin.compute.engine import execute
from gridtwin.compute.power import it_power_mw
from gridtwin.dispatch import DispatchPlan, FleetPlan, dispatch_grid
from gridtwin.policies.base import Observation, System
from gridtwin.policies.feedback import Feedback, reviewer
from gridtwin.policies.grid_problem import pose_grid, with_prices
from gridtwin.policies.losses import expected_losses, no_losses, plan_losses

__all__ = ["Asap"]


@dataclass(frozen=True, slots=True)
class Asap:
    """What most data centres do today, and the base case of every comparison.

    The executor itself foretells the draw of the sites; the grid is then dispatched by the program that all policies
    share.
    """

    system: System
    feedback: Feedback | None = None  # lets AC review each plan

    def decide(self, observation: Observation) -> DispatchPlan:
        """Foretell the fleet, dispatch the grid. See `Policy.decide`."""
        system, forecast = self.system, observation.forecast
        _, record = execute(
            observation.compute,
            observation.jobs,
            system.fleet,
            None,
            forecast.service_nodes,
            forecast.steps,
            system.step_s,
            system.discipline,
        )
        busy_nodes = record.busy_node_s / system.step_s
        site_mw = it_power_mw(busy_nodes, record.service_nodes, system.fleet) * forecast.pue
        return self.clear(observation, FleetPlan(None, busy_nodes, site_mw))

    def clear(self, observation: Observation, fleet: FleetPlan) -> DispatchPlan:
        """Dispatch the grid for a fleet whose draw is decided."""
        system, forecast = self.system, observation.forecast
        losses = expected_losses(system, observation)
        if losses is None:
            first = dispatch_grid(pose_grid(system, observation, no_losses(system, forecast.steps), fleet.site_mw))
            losses, observation = plan_losses(system, first), with_prices(system, observation, first)
        problem, review = pose_grid(system, observation, losses, fleet.site_mw), reviewer(self.feedback, observation)
        plan = dispatch_grid(problem, None if review is None else lambda plan: review(plan, fleet.site_mw))
        unit_mw = system.groups.split(plan.group_mw, forecast.unit_available_mw)
        return DispatchPlan(fleet, plan.price_per_mwh, plan, unit_mw, None if review is None else review.record())
