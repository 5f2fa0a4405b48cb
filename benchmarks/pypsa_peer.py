"""One class of fluid work on RTS-GMLC, rolled over a week here and in PyPSA: equal cost, seconds per window.

Usage: python benchmarks/pypsa_peer.py PYPSA_PYTHON [HOURS]

PYPSA_PYTHON is the interpreter of an environment with PyPSA 1.2.4, which cannot share one with gridtwin's newest
pandas: `python3 -m venv pypsa && pypsa/bin/pip install pypsa==1.2.4`. The problem: 73 buses, 120 lines, units in
segments with ramps, no losses, six sites, work in nodes of one hour that may wait a day; 48 hours looked at, 24 kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from gridtwin.dispatch import (
    ComputeProblem,
    GridProblem,
    LinkProblem,
    PreemptibleProblem,
    StoreProblem,
    TerminalValue,
    advance_fluid,
    dispatch_pooled,
    first_steps,
    kept_cost,
)
from gridtwin.inputs.load import load_study
from gridtwin.inputs.study import Study
from gridtwin.policies import System
from gridtwin.policies.losses import no_losses
from gridtwin.twin.build import make_system
from gridtwin.units import HOUR_S, W_PER_MW

SCENARIO = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_week.yaml"
PEER = Path(__file__).with_name("pypsa_side.py")
HORIZON, KEPT, MAY_WAIT = 48, 24, 24


def pose(hours: int) -> tuple[System, GridProblem, ComputeProblem]:
    """Pose the whole span: what a scenario's week holds, with all work poured into one class."""
    study = load_study(SCENARIO)
    system = make_system(study)
    return system, _grid(study, system, hours), _work(study, hours)


def _grid(study: Study, system: System, hours: int) -> GridProblem:
    units, part = study.units, slice(0, hours)
    available = np.tile(units.p_max_mw, (hours, 1))
    profiled = units.profile >= 0
    available[:, profiled] = study.profiles.available_mw[part][:, units.profile[profiled]]
    available[:, units.store >= 0] = 0.0  # energy-limited plants would need stores on either side
    must_take = profiled & ~units.curtailable
    load_mw = study.profiles.load_mw[part]
    return GridProblem(
        step_h=system.step_h,
        network=system.network,
        groups=replace(system.groups, store=np.full(len(system.groups), -1)),
        penalties=system.penalties,
        lower_mw=system.groups.total(np.where(must_take, available, 0.0)),
        upper_mw=system.groups.total(available),
        initial_mw=None,
        load_mw=load_mw,
        site_mw=np.zeros_like(load_mw),
        injection_mw=-load_mw,
        losses=no_losses(system, hours),
        watched=np.zeros((hours, len(system.network.line)), dtype=bool),
        rate_mw=np.tile(system.network.rate_mw, (hours, 1)),
        stores=StoreProblem.none(hours),
        links=LinkProblem.none(hours),
        reserve_mw=np.zeros(hours),
    )


def _work(study: Study, hours: int) -> ComputeProblem:
    fleet, jobs = study.fleet, study.jobs
    sites = len(fleet.site)
    submitted = jobs.submit_s // HOUR_S
    node_h = np.bincount(submitted, jobs.nodes * jobs.runtime_s / HOUR_S, minlength=hours)[:hours]
    due = np.zeros(hours)
    np.add.at(due, np.minimum(np.arange(hours) + MAY_WAIT, hours - 1), node_h)
    nodes = fleet.capacity_nodes.sum(axis=1).astype(float)
    watts = (fleet.peak_w - fleet.idle_w).max(axis=1)
    return ComputeProblem(
        released_nodes=node_h[:, None],
        due_nodes=due[:, None],
        shape=(1, 1, 1, 1),
        occupancy=np.ones((1, 1, 1)),
        mean_runtime_h=np.ones((1, 1)),
        committed_nodes=np.zeros((hours, sites, 1)),
        available_nodes=np.tile(nodes[None, :, None], (hours, 1, 1)),
        site_bus=fleet.bus,
        base_mw=np.zeros((hours, sites)),
        node_mw=(study.profiles.pue[:hours] * watts / W_PER_MW)[:, :, None],
        connection_mw=np.full(sites, np.inf),
        route_cost=np.zeros((1, 1, sites)),
        route_gb=np.zeros(1),
        route_allowed=np.ones((1, 1, sites), dtype=bool),
        delay_steps=np.array([MAY_WAIT]),
        bandwidth_gb=np.full((1, sites), np.inf),
        block_steps=KEPT,
        terminal=TerminalValue(np.full((1, 1), np.inf), np.zeros((1, 1))),
        preemptible=PreemptibleProblem.none(hours, (1, 1, 1, 1), sites),
    )


def ours(grid: GridProblem, compute: ComputeProblem) -> tuple[float, float, int]:
    """Roll over the span. Returns cost, seconds per window and windows."""
    floor = grid.groups.segment_cost_per_mwh[np.searchsorted(grid.groups.segment_group, np.arange(len(grid.groups)))]
    total, windows, begun = float((grid.lower_mw * floor).sum() * grid.step_h), 0, perf_counter()
    while True:
        left = len(grid.load_mw)
        plan, work = dispatch_pooled(*first_steps(grid, compute, HORIZON))
        kept = KEPT if left > HORIZON else left
        total += kept_cost(grid, compute, plan, work, kept)
        windows += 1
        if kept == left:
            return total, (perf_counter() - begun) / windows, windows
        grid, compute = advance_fluid(grid, compute, plan, work, kept)


def tables(system: System, grid: GridProblem, compute: ComputeProblem) -> dict[str, np.ndarray]:
    """Write the same problem in plain arrays."""
    groups, data = grid.groups, system.grid
    real = groups.segment_mw > 0
    owner, width = groups.segment_group[real], groups.segment_mw[real]
    starts = np.cumsum(width) - width
    below = starts - starts[np.searchsorted(owner, owner)]
    most = np.clip(grid.upper_mw[:, owner] - below, 0.0, width) / width
    least = np.clip(grid.lower_mw[:, owner] - below, 0.0, width) / width
    carbon = grid.penalties.carbon_per_t * groups.segment_co2_kg_per_mwh[real] / 1000.0
    capacity = np.bincount(owner, width, minlength=len(groups))
    cumulated = np.cumsum(compute.released_nodes[:, 0])
    return {
        "load_mw": grid.load_mw,
        "line_from": data.line_from,
        "line_to": data.line_to,
        "x_pu": data.x_pu * data.tap_ratio,
        "rate_mw": np.minimum(data.rate_mw, 1e6),
        "shed": np.asarray(grid.penalties.shed_per_mwh),
        "group_bus": groups.bus,
        "group_mw": capacity,
        "ramp_share": np.where(groups.profiled, np.inf, groups.ramp_mw_per_h / np.maximum(capacity, 1e-9)),
        "segment_group": owner,
        "segment_mw": width,
        "segment_cost": groups.segment_cost_per_mwh[real] + carbon,
        "segment_max_pu": most,
        "segment_min_pu": least,
        "arriving_nodes": compute.released_nodes[:, 0],
        "room_node_h": np.maximum(cumulated - np.cumsum(compute.due_nodes[:, 0]), 0.0),
        "site_bus": compute.site_bus,
        "nodes": compute.available_nodes[:, :, 0],
        "node_mw": compute.node_mw[:, :, 0],
    }


def peer(python: str, problem: dict[str, np.ndarray]) -> dict[str, float]:
    """Let PyPSA roll over it in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problem.npz"
        np.savez(file, allow_pickle=False, **problem)
        command = [python, str(PEER), str(file), str(HORIZON), str(HORIZON - KEPT)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(python: str, hours: int) -> dict[str, float]:
    """Solve on both sides. Returns costs, seconds per window and their ratios."""
    system, grid, compute = pose(hours)
    cost, seconds, windows = ours(grid, compute)
    other = peer(python, tables(system, grid, compute))
    return {
        "windows": windows,
        "cost": cost,
        "peer_cost": other["cost"],
        "difference": cost / other["cost"] - 1.0,
        "seconds": seconds,
        "peer_seconds": other["seconds"],
        "ratio": other["seconds"] / seconds,
    }


def main() -> None:
    """Print the comparison."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    found = compare(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 168)
    print("| | gridtwin | PyPSA 1.2.4 |")
    print("| --- | ---: | ---: |")
    print(f"| cost of {found['windows']} windows | {found['cost']:,.2f} | {found['peer_cost']:,.2f} |")
    print(f"| seconds per window | {found['seconds']:.3f} | {found['peer_seconds']:.2f} |")
    print(f"\ncosts differ by {found['difference']:.1e}; {found['ratio']:.0f} times as fast")


if __name__ == "__main__":
    main()
