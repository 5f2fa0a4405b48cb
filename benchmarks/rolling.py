"""What foresight costs: rolling windows against one program over all steps, as the horizon grows.

Usage: python benchmarks/rolling.py [--days 7] [--horizons 24 48 96 168] [--slot 6] [SETTING ...]

Grid, fleet and jobs are those of the shipped week, the forecast is perfect, and a fluid executor does exactly what was
planned, so that rolling differs from the one program by foresight alone. Starts are decided for `--slot` hours at once
throughout; with 1, each hour has its own, and the one program takes minutes. Where stores need many integers these are
rounded, and every program may be off its optimum by the gap that is printed for the one. All value what is left at the
end by the prices of a first look at two days. A SETTING is as for `gridtwin run --set`, such as seed=2.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

from gridtwin.dispatch import ComputeProblem, GridProblem, dispatch_pooled, first_steps, roll_fluid
from gridtwin.inputs.load import load_study
from gridtwin.policies.grid_problem import pose_grid
from gridtwin.policies.losses import no_losses, plan_losses
from gridtwin.policies.terminal import site_price
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state

SCENARIO = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_week.yaml"
DAY_STEPS = 24
FIRST_PRICE_PER_MWH = 25.0


def main() -> None:
    """Solve the one program, roll with each horizon, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--horizons", type=int, nargs="+", default=[24, 48, 96, 168])
    parser.add_argument("--slot", type=int, default=6)
    parser.add_argument("settings", nargs="*")
    wanted = parser.parse_args()
    grid, compute = problems(wanted.days, wanted.slot, wanted.settings)
    begun = process_time()
    bound = dispatch_pooled(grid, compute)[0].solver
    size = f"{bound.columns:,} columns, {bound.rows:,} rows, {bound.binaries} integers, gap {bound.mip_gap:.4%}"
    print(f"{wanted.days} days in one program: cost {bound.objective:,.0f}, {size}, {process_time() - begun:.1f} s\n")
    print("| horizon, h | cost over the one program | windows | CPU seconds per window |")
    print("| --- | --- | --- | --- |")
    for horizon in wanted.horizons:
        begun = process_time()
        excess = roll_fluid(grid, compute, DAY_STEPS, horizon) / bound.objective - 1
        seconds = (process_time() - begun) / wanted.days
        print(f"| {horizon} | {excess:+.4%} | {wanted.days} | {seconds:.2f} |", flush=True)


def problems(days: int, slot_steps: int, settings: list[str]) -> tuple[GridProblem, ComputeProblem]:
    """Pose all days as one window, with losses and terminal prices of a first look."""
    study = load_study(SCENARIO, [f"time.duration={days}d", f"time.horizon={days}d", *settings])
    with tempfile.TemporaryDirectory() as folder:
        coordinator = build(study, RunFolder(Path(folder)))
    observation = coordinator._observe(initial_twin_state(study))  # noqa: SLF001
    system, policy, steps = coordinator.system, coordinator.policy, observation.forecast.steps
    lossless = pose_grid(system, observation, no_losses(system, steps))
    flat = np.full((system.steps_per_day, len(system.fleet.axes.compute_class)), FIRST_PRICE_PER_MWH)
    coarse = {"coarse_after": 0, "coarse_steps": slot_steps}
    first = replace(policy.pose_compute(observation, flat), **coarse)
    price = site_price(system, dispatch_pooled(*first_steps(lossless, first, 2 * DAY_STEPS))[0])
    compute = replace(policy.pose_compute(observation, price), **coarse)
    losses = plan_losses(system, dispatch_pooled(lossless, compute)[0])
    return pose_grid(system, observation, losses), compute


if __name__ == "__main__":
    main()
