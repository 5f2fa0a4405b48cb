"""Start every job as soon as it fits; let the grid follow."""

from __future__ import annotations

from dataclasses import dataclass

from gridtwin.compute.engine import execute
from gridtwin.compute.power import it_power_mw
from gridtwin.dispatch import DispatchPlan, dispatch_grid
from gridtwin.policies.base import Observation, System
from gridtwin.policies.feedback import Feedback, reviewer
from gridtwin.policies.grid_problem import pose_grid
from gridtwin.policies.losses import expected_losses, no_losses, plan_losses

__all__ = ["Asap"]


@dataclass(frozen=True, slots=True)
class Asap:
    """What most data centres do today, and the base case of every comparison.

    The executor itself foretells the draw of the sites; the grid is then dispatched by the program that all policies
    share.
    """

    system: System
    feedback: Feedback | None = None

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
        losses = expected_losses(system, observation)
        if losses is None:
            first = dispatch_grid(pose_grid(system, observation, no_losses(system, forecast.steps), site_mw))
            losses = plan_losses(system, first)
        review = reviewer(self.feedback, observation)
        problem = pose_grid(system, observation, losses, site_mw)
        plan = dispatch_grid(problem, None if review is None else lambda plan: review(plan, site_mw))
        unit_mw = system.groups.split(plan.group_mw, forecast.unit_available_mw)
        return DispatchPlan(
            compute=None,
            busy_nodes=busy_nodes,
            site_mw=site_mw,
            grid=plan,
            unit_mw=unit_mw,
            review=None if review is None else review.record(),
        )
