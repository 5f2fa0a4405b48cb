"""Losses to plan with: yesterday's, or for want of a yesterday those of a first look."""

from __future__ import annotations

import numpy as np

from gridtwin.dispatch import GridPlan
from gridtwin.grid.losses import loss_estimate
from gridtwin.policies.base import Observation, System
from gridtwin.records import LossEstimate, LossFit

__all__ = ["expected_losses", "no_losses", "plan_losses", "remembered_fit"]


def expected_losses(system: System, observation: Observation) -> LossEstimate | None:
    """Losses about the flows of the last settled day; None while there is none."""
    memory, at = observation.memory, observation.step_of_day
    flow = memory.flow_mw[at]
    if np.isnan(flow).any() or np.isnan(memory.loss_scale[at]).any():
        return None
    return loss_estimate(flow, system.network, remembered_fit(observation))


def remembered_fit(observation: Observation) -> LossFit:
    """What AC made of the losses at the same times of day before; those of active flows alone where not yet seen."""
    memory, at = observation.memory, observation.step_of_day
    seen = ~np.isnan(memory.loss_scale[at])
    return LossFit(np.where(seen, memory.loss_scale[at], 1.0), np.where(seen, memory.loss_rest_mw[at], 0.0))


def plan_losses(system: System, plan: GridPlan) -> LossEstimate:
    """Losses about the flows of a plan."""
    return loss_estimate(plan.flow_mw, system.network)


def no_losses(system: System, steps: int) -> LossEstimate:
    """Return a lossless grid."""
    return loss_estimate(np.zeros((steps, len(system.network.line))), system.network)
