"""What the executor refuses to run, said before it runs."""

from __future__ import annotations

import numpy as np

from gridtwin.compute.disciplines import DISCIPLINES, SOLVER_TOLERANCE_NODES
from gridtwin.errors import ComputeError
from gridtwin.records import ComputePlan, ComputeState, Fleet
from gridtwin.units import BoolArray, FloatArray, IntArray
from gridtwin.workload.jobs import JobTable
from gridtwin.workload.reach import largest_pool_nodes

__all__ = ["check_jobs", "check_window"]


def check_jobs(jobs: JobTable, fleet: Fleet) -> None:
    """Raise `ComputeError` unless every job of the run can be carried out by `fleet` some day.

    `inputs` and `workload` see to it that the jobs of a study can; this guards against tables from elsewhere.
    """
    submit_s = jobs.submit_s
    if len(jobs) and (submit_s[0] < 0 or np.any(np.diff(submit_s) < 0)):
        raise ComputeError("jobs: submit_s must be >= 0 and in ascending order; sort the table by submit_s first")
    _refuse(jobs, jobs.runtime_s <= 0, "have a runtime of 0 s or less; expected at least 1 s")
    _refuse(jobs, jobs.nodes <= 0, "ask for no nodes; expected at least 1")
    _refuse(jobs, ~(jobs.data_gb >= 0.0) | np.isinf(jobs.data_gb), "have data_gb that is negative or not a number")
    _refuse(jobs, jobs.estimate_s <= 0, "are estimated to run 0 s or less; expected at least 1 s")
    wrong_gb = ~(jobs.checkpoint_gb >= 0.0) | np.isinf(jobs.checkpoint_gb)
    _refuse(jobs, wrong_gb, "have checkpoint_gb that is negative or not a number")
    _refuse(jobs, np.minimum(jobs.checkpoint_s, jobs.restart_s) < 0, "have a checkpoint_s or restart_s below 0 s")
    _refuse(
        jobs,
        np.maximum(jobs.runtime_s, jobs.estimate_s) > jobs.axes.bin_upper_s[-1],
        f"run or are estimated longer than the last duration bin, {jobs.axes.bin_upper_s[-1]} s; add a longer one",
    )
    room = largest_pool_nodes(fleet)[jobs.origin, jobs.compute_class]
    _refuse(
        jobs,
        jobs.nodes > room,
        "are wider than any site their origin may use; add nodes, relax the latency limit, or split wide jobs",
    )


def check_window(
    state: ComputeState,
    fleet: Fleet,
    plan: ComputePlan | None,
    service_nodes: IntArray,
    steps: int,
    step_s: int,
    discipline: str,
) -> None:
    """Raise `ComputeError` unless the arguments of `execute` fit together."""
    if discipline not in DISCIPLINES:
        raise ComputeError(f"discipline: got {discipline!r}, expected one of {', '.join(DISCIPLINES)}")
    if steps < 1 or step_s < 1:
        raise ComputeError(f"window: got {steps} steps of {step_s} s, expected at least 1 of each")
    _require("service_nodes", service_nodes, steps, fleet.capacity_nodes.shape)
    if plan is not None:
        _require("plan.release_nodes", plan.release_nodes, steps, state.release_nodes.shape, -SOLVER_TOLERANCE_NODES)
        _require("plan.route_nodes", plan.route_nodes, steps, state.route_nodes.shape, -SOLVER_TOLERANCE_NODES)
        shape = fleet.capacity_nodes.shape
        _require("plan.preemptible_nodes", plan.preemptible_nodes, steps, shape, -SOLVER_TOLERANCE_NODES)


def _require(name: str, values: FloatArray | IntArray, steps: int, shape: tuple[int, ...], least: float = 0.0) -> None:
    if len(values) < steps or values.shape[1:] != shape:
        raise ComputeError(f"{name}: got shape {values.shape}, expected at least {steps} steps of {shape}")
    wrong = ~(np.isfinite(values) & (values >= least))
    if wrong.any():
        first = tuple(np.argwhere(wrong)[0].tolist())
        raise ComputeError(f"{name}: got {values[first]} at {first}, expected a finite number >= 0")


def _refuse(jobs: JobTable, wrong: BoolArray, what: str) -> None:
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ComputeError(
            f"jobs: {int(wrong.sum())} of {len(jobs)} {what} "
            f"(first: job {int(jobs.job[first])}, {int(jobs.nodes[first])} nodes, {int(jobs.runtime_s[first])} s)"
        )
