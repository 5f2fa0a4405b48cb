"""Decide together when and where work runs and what the units do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.compute.power import it_power_mw, marginal_node_mw
from gridtwin.dispatch import ComputeProblem, DispatchPlan, Review, TerminalValue, co_dispatch
from gridtwin.economics.production import merit_order_price
from gridtwin.policies.base import Observation, System
from gridtwin.policies.feedback import Feedback, reviewer
from gridtwin.policies.grid_problem import pose_grid
from gridtwin.policies.losses import expected_losses, no_losses, plan_losses
from gridtwin.policies.terminal import site_price, terminal_value
from gridtwin.policies.work import WorkShape, expected_work
from gridtwin.records import LossEstimate
from gridtwin.units import HOUR_S, FloatArray

__all__ = ["CoDispatch"]

WAN_BLOCK_S = 6 * HOUR_S


@dataclass(frozen=True, slots=True)
class CoDispatch:
    """One linear program for the queues, the sites and the grid.

    Parameters
    ----------
    system : System
    shape : WorkShape
        How long and how wide the jobs of each queue are.
    capacity_margin : float
        Share of every pool that the plan leaves free, because whole jobs do not fill a pool to the last node.
    feedback : Feedback, optional
        Lets AC review each plan.
    """

    system: System
    shape: WorkShape
    capacity_margin: float
    feedback: Feedback | None = None

    def decide(self, observation: Observation) -> DispatchPlan:
        """Solve the window; the first one twice, as losses and the value of leftover work are not known yet."""
        losses = expected_losses(self.system, observation)
        price = observation.memory.price_per_mwh
        if losses is None or np.isnan(price).any():
            flat = np.full_like(price, self._first_price(observation))
            first = self._solve(observation, no_losses(self.system, observation.forecast.steps), flat)
            losses, price = plan_losses(self.system, first.grid), site_price(self.system, first.grid)
        review = reviewer(self.feedback, observation)
        plan = self._solve(observation, losses, price, review)
        return plan if review is None else replace(plan, review=review.record())

    def _solve(
        self,
        observation: Observation,
        losses: LossEstimate,
        price_per_mwh: FloatArray,
        review: Review | None = None,
    ) -> DispatchPlan:
        problem = self.pose_compute(observation, price_per_mwh)
        grid = pose_grid(self.system, observation, losses)
        return co_dispatch(grid, problem, observation.forecast.unit_available_mw, review)

    def pose_compute(self, observation: Observation, price_per_mwh: FloatArray) -> ComputeProblem:
        """Describe the work of the coming steps.

        Parameters
        ----------
        observation : Observation
        price_per_mwh : ndarray (step, class)
            Expected price of energy at the sites after the horizon.
        """
        fleet, forecast = self.system.fleet, observation.forecast
        work = expected_work(observation, self.system)
        usable = fleet.capacity_nodes * (1.0 - self.capacity_margin)
        node_mw = marginal_node_mw(fleet) * forecast.pue[:, :, None]
        served_nodes = np.minimum(forecast.service_nodes, fleet.capacity_nodes)
        base_mw = it_power_mw(np.zeros(served_nodes.shape), served_nodes, fleet) * forecast.pue
        return ComputeProblem(
            released_nodes=work.released_nodes,
            due_nodes=work.due_nodes,
            shape=fleet.axes.shape,
            occupancy=self.shape.occupancy,
            mean_runtime_h=self.shape.mean_runtime_h,
            committed_nodes=work.committed_nodes,
            available_nodes=np.maximum(usable - served_nodes, 0.0),
            site_bus=fleet.bus,
            base_mw=base_mw,
            node_mw=node_mw,
            connection_mw=fleet.connection_mw,
            route_cost=fleet.price_per_gb[:, None, :] * self.shape.gb_per_node[None, :, None],
            route_gb=self.shape.gb_per_node,
            route_allowed=fleet.reachable,
            bandwidth_gb=fleet.bandwidth_gbps / 8.0 * self.system.step_s,
            block_steps=max(1, WAN_BLOCK_S // self.system.step_s),
            terminal=self._terminal(price_per_mwh, node_mw, work.released_nodes),
        )

    def _terminal(self, price_per_mwh: FloatArray, node_mw: FloatArray, released_nodes: FloatArray) -> TerminalValue:
        steps = len(released_nodes)
        by_queue = released_nodes.sum(axis=0).reshape(self.system.fleet.axes.shape).sum(axis=(0, 2))
        arriving_nodes = (by_queue * self.shape.mean_runtime_h).sum(axis=1) / (steps * self.system.step_h)
        nodes = self.system.fleet.capacity_nodes
        capacity = nodes.sum(axis=0)
        mean_node_mw = ratio_or_zero((node_mw.mean(axis=0) * nodes).sum(axis=0), capacity)
        return terminal_value(price_per_mwh, mean_node_mw, capacity - arriving_nodes, self.system.step_h)

    def _first_price(self, observation: Observation) -> float:
        forecast, units = observation.forecast, self.system.units
        profiled_mw = forecast.unit_available_mw[:, units.profile >= 0].sum(axis=1)
        residual_mw = float((forecast.load_mw.sum(axis=1) - profiled_mw).mean())
        return merit_order_price(residual_mw, units, self.system.penalties.carbon_per_t)
