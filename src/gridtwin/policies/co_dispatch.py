"""Decide together when and where work runs and what the units do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.compute.power import it_power_mw, marginal_node_mw
from gridtwin.dispatch import ComputeProblem, DispatchPlan, PreemptibleProblem, Review, TerminalValue, co_dispatch
from gridtwin.policies.base import Observation, System
from gridtwin.policies.feedback import Feedback, reviewer
from gridtwin.policies.green import green_target
from gridtwin.policies.grid_problem import pose_grid, with_prices
from gridtwin.policies.losses import expected_losses, no_losses, plan_losses
from gridtwin.policies.terminal import first_price, site_price, terminal_value
from gridtwin.policies.work import ExpectedPreemptible, ExpectedWork, WorkShape, expected_preemptible, expected_work
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
    coarse_after, coarse_steps : int
        From that step on, starts are decided for so many steps at once.
    feedback : Feedback, optional
        Lets AC review each plan.
    """

    system: System
    shape: WorkShape
    capacity_margin: float
    coarse_after: int
    coarse_steps: int
    feedback: Feedback | None = None

    def decide(self, observation: Observation) -> DispatchPlan:
        """Solve the window; the first one twice, as losses and the value of what is left are not known yet."""
        losses = expected_losses(self.system, observation)
        price = observation.memory.price_per_mwh
        if losses is None or np.isnan(price).any():
            flat = np.full_like(price, first_price(self.system, observation.forecast))
            first = self._solve(observation, no_losses(self.system, observation.forecast.steps), flat)
            losses, price = plan_losses(self.system, first.grid), site_price(self.system, first.grid)
            observation = with_prices(self.system, observation, first.grid)
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
        parted = expected_preemptible(
            observation.compute, observation.jobs, len(fleet.site), self.system.step_s, forecast.steps
        )
        usable = fleet.capacity_nodes * (1.0 - self.capacity_margin)
        node_mw = marginal_node_mw(fleet) * forecast.pue[:, :, None]
        served_nodes = np.minimum(forecast.service_nodes, fleet.capacity_nodes)
        base_mw = it_power_mw(np.zeros(served_nodes.shape), served_nodes, fleet) * forecast.pue
        terminal = self._terminal(price_per_mwh, node_mw, self._arriving_nodes(work, parted))
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
            delay_steps=self.shape.delay_steps,
            bandwidth_gb=fleet.bandwidth_gbps / 8.0 * self.system.step_s,
            block_steps=max(1, WAN_BLOCK_S // self.system.step_s),
            terminal=terminal,
            preemptible=self._pose_preemptible(parted, terminal),
            coarse_after=self.coarse_after,
            coarse_steps=self.coarse_steps,
            part_of=fleet.axes.part_of,
            green=green_target(self.system, forecast),
        )

    def _pose_preemptible(self, work: ExpectedPreemptible, terminal: TerminalValue) -> PreemptibleProblem:
        """Price what moves and what is interrupted; what is bound to its site moves no data."""
        fleet = self.system.fleet
        sites, classes = fleet.capacity_nodes.shape
        stays = np.broadcast_to(np.eye(sites, dtype=bool)[:, None, :], (sites, classes, sites))
        to_site = fleet.price_per_gb[:, None, :] * self.shape.gb_per_node_h[None, :, None]
        return PreemptibleProblem(
            arriving_node_h=work.arriving_node_h,
            due_node_h=work.due_node_h,
            width_nodes=work.width_nodes,
            held_nodes=work.held_nodes,
            interruption_cost=self.shape.interruption_h * np.maximum(terminal.price_per_node_h.mean(axis=1), 0.0),
            route_cost=np.concatenate([to_site, np.zeros(stays.shape)]),
            route_gb=self.shape.gb_per_node_h,
            route_allowed=np.concatenate([fleet.reachable, stays]),
        )

    def _arriving_nodes(self, work: ExpectedWork, parted: ExpectedPreemptible) -> FloatArray:
        """Nodes (class,) that the work of the horizon keeps busy on average."""
        by_queue = work.released_nodes.sum(axis=0).reshape(self.system.fleet.axes.shape).sum(axis=(0, 2))
        node_h = (by_queue * self.shape.mean_runtime_h).sum(axis=1) + parted.arriving_node_h.sum(axis=(0, 1, 3))
        return np.asarray(node_h / (len(work.released_nodes) * self.system.step_h))

    def _terminal(self, price_per_mwh: FloatArray, node_mw: FloatArray, arriving_nodes: FloatArray) -> TerminalValue:
        nodes = self.system.fleet.capacity_nodes
        capacity = nodes.sum(axis=0)
        mean_node_mw = ratio_or_zero((node_mw.mean(axis=0) * nodes).sum(axis=0), capacity)
        return terminal_value(price_per_mwh, mean_node_mw, capacity - arriving_nodes, self.system.step_h)
