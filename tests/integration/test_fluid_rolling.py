"""Rolling on the shipped grid and fleet: with full look-ahead it costs what one program over two days costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_pooled, roll_fluid
from gridtwin.inputs.load import load_study
from gridtwin.policies.grid_problem import pose_grid
from gridtwin.policies.losses import no_losses, plan_losses
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state

DAY = Path(__file__).parents[2] / "scenarios" / "rts_gmlc_day.yaml"
FLAT_PRICE_PER_MWH = 25.0
RESERVE_MW = 2_000.0  # more than the model asks for, so that dispatch has to provide it


@pytest.fixture(scope="module")
def two_days(tmp_path_factory):
    """What co_dispatch poses in its first window, step by step to the end, losses about a first plan."""
    study = load_study(DAY, ["policies.co_dispatch.coarse_step=1h"])
    coordinator = build(study, RunFolder(tmp_path_factory.mktemp("run")))
    observation = coordinator._observe(initial_twin_state(study))
    system, steps = coordinator.system, observation.forecast.steps
    compute_classes = len(system.fleet.axes.compute_class)
    compute = coordinator.policy.pose_compute(observation, np.full((24, compute_classes), FLAT_PRICE_PER_MWH))
    compute = replace(compute, coarse_steps=1)  # decided for several steps at once, later windows would do better
    first, _ = dispatch_pooled(pose_grid(system, observation, no_losses(system, steps)), compute)
    grid = pose_grid(system, observation, plan_losses(system, first))
    return replace(grid, reserve_mw=np.full(steps, RESERVE_MW)), compute


@pytest.fixture(scope="module")
def whole(two_days):
    """Both days as one program."""
    return dispatch_pooled(*two_days)[0]


def test_stores_link_and_reserve_are_in_use(two_days, whole):
    plan, grid = whole, two_days[0]
    assert plan.discharge_mw.max() > 1
    assert plan.group_mw[:, grid.groups.store >= 0].max() > 1
    assert np.abs(plan.link_mw).max() > 1
    assert plan.reserve_price_per_mwh.max() > 0


def test_cost_falls_to_that_of_the_whole_as_the_horizon_grows(two_days, whole):
    assert len(two_days[0].load_mw) == 48
    gap = [
        roll_fluid(*two_days, window_steps=24, horizon_steps=horizon) / whole.solver.objective - 1
        for horizon in (24, 36, 48)
    ]
    assert 0.01 > gap[0] > gap[1] > -1e-6
    assert gap[2] == pytest.approx(0, abs=1e-6)
