"""What a run cost beyond what it could have cost: a bound, and where the difference comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import gcd

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.compute.power import marginal_node_mw
from gridtwin.dispatch import ComputeProblem, GridProblem, StoreProblem, dispatch_pooled, roll_fluid, stored_worth
from gridtwin.economics.production import production_co2_kg_per_h, production_cost_per_h
from gridtwin.errors import InputError, Issue
from gridtwin.grid.losses import fit_losses, loss_estimate
from gridtwin.inputs.study import Study
from gridtwin.policies import Observation, System
from gridtwin.policies.co_dispatch import CoDispatch
from gridtwin.policies.grid_problem import pose_grid, unit_floor_mw
from gridtwin.policies.work import work_shape
from gridtwin.records import LossFit
from gridtwin.twin.build import initial_twin_state
from gridtwin.twin.coordinator import Coordinator
from gridtwin.units import HOUR_S, KG_PER_T, FloatArray

__all__ = ["FluidCosts", "Regret", "check_bound", "fluid_costs", "settled_cost"]

BOUND_TOLERANCE = 1e-4  # of the cost: starts within a step, jobs within a bin, data within a class are means
LOSS_PASSES = 4  # the bound gains less than 1e-4 from further ones on RTS-GMLC
REFERENCE = ("ac_converged", "from_mw", "to_mw", "net_injection_mw", "losses_mw", "price_per_mwh")
WATCHED_SHARE = 0.9  # limits that are used less are written when they are violated


@dataclass(frozen=True, slots=True)
class FluidCosts:
    """Costs of work that can be cut into any pieces, with perfect foresight."""

    bound: float  # decided at once for the whole span: nobody can do better
    rolling: float  # decided window by window, as the run does
    stores: StoreProblem  # what energy in store is worth in them


@dataclass(frozen=True, slots=True)
class Regret:
    """Settled cost less its bound, in three parts that add up."""

    bound: float
    rolling: float
    settled_perfect: float
    settled: float

    @property
    def bound_holds(self) -> bool:
        """Whether perfect forecasts settled no cheaper than the bound, but for what it relaxes into means."""
        return self.settled_perfect >= self.bound * (1.0 - BOUND_TOLERANCE)

    def figures(self) -> dict[str, float]:
        """Return the costs and the parts of the regret.

        `horizon`: deciding window by window. `execution`: whole jobs, the policy's own rules and margins, a grid that
        is settled in real time. `forecast_error`: forecasts that do not come true. `regret`: their sum.
        """
        return {
            **asdict(self),
            "horizon": self.rolling - self.bound,
            "execution": self.settled_perfect - self.rolling,
            "forecast_error": self.settled - self.settled_perfect,
            "regret": self.settled - self.bound,
        }


def check_bound(study: Study) -> None:
    """Refuse a study whose bound would not be one: it knows no contracts, daily commitment or bundles.

    Raises
    ------
    InputError
        Saying what the study has.
    """
    found = {
        "links that keep contracts": bool((study.link_terms.contract >= 0).any()),
        "set-points that are held": bool((study.link_terms.hold_h > 0).any()),
        "links that never turn": bool((study.link_terms.least_mw > 0).any()),
        "units that are committed by the day": bool(study.unit_terms.daily.any()),
        "units with a link of their own": bool((study.unit_terms.link >= 0).any()),
    }
    if held := [what for what, is_so in found.items() if is_so]:
        raise InputError(
            [
                Issue(
                    study.name,
                    0,
                    0,
                    f"there is no lower bound to compare with, for it knows nothing of {', '.join(held)}; leave out "
                    "--regret, or take a model without them",
                )
            ]
        )


def settled_cost(
    study: Study,
    variables: Mapping[str, np.ndarray],
    jobs: Mapping[str, np.ndarray],
    stores: StoreProblem,
    steps: int,
) -> dict[str, float]:
    """Money that a run spent in its first `steps` steps and for what it left undone then; the accounting of the bound.

    Parameters
    ----------
    study : Study
    variables, jobs : mappings of arrays
        As stored by the run.
    stores : StoreProblem
        That of the bound.
    steps : int
        The span that is compared; late jobs may make one run go on for longer than another.

    Returns
    -------
    dict
        By cause: production, carbon, wan, shed, spill, overload, connection, late, stored (the worth of what stores
        held at first less that of what they hold at last), after (energy of jobs after the span at its price). Jobs
        that never ended count as late to the end of the run.
    """
    v, prices, fleet = variables, study.scenario.dispatch, study.fleet
    hours, run_s = study.time.step_h, len(variables["losses_mw"]) * study.time.step_s
    late_s = np.maximum(np.where(jobs["end_s"] < 0, run_s, jobs["end_s"]) - jobs["due_s"], 0)
    span = slice(0, steps)
    beyond_mw = np.maximum(v["site_mw"][span] - fleet.connection_mw, 0.0)
    costs = {
        "production": v["production_cost"][span].sum(),
        "carbon": prices.carbon_price_per_t * v["co2_kg"][span].sum() / KG_PER_T,
        "wan": (v["moved_gb"].sum(axis=0) * fleet.price_per_gb).sum(),
        "shed": prices.shed_price_per_mwh * v["shed_mw"][span].sum() * hours,
        "spill": prices.spill_price_per_mwh * v["spill_mw"][span].sum() * hours,
        "overload": prices.overload_price_per_mwh * v["overload_mw"][span].sum() * hours,
        "connection": prices.overload_price_per_mwh * beyond_mw.sum() * hours,
        "late": prices.late_price_per_node_h * (jobs["nodes"] * late_s).sum() / HOUR_S,
        "stored": stored_worth(stores, stores.initial_mwh) - stored_worth(stores, v["stored_mwh"][steps - 1]),
        "after": _cost_of_work(study, {name: v[name][steps:] for name in ("busy_node_s", "pue", "price_per_mwh")}),
    }
    return {cause: float(cost) for cause, cost in costs.items()}


def _cost_of_work(study: Study, v: Mapping[str, np.ndarray]) -> float:
    """Energy of busy nodes at the meter, at the price of its time and bus."""
    node_h = v["busy_node_s"] / HOUR_S
    mwh = (node_h * marginal_node_mw(study.fleet)).sum(axis=2) * v["pue"]
    return float((mwh * v["price_per_mwh"][:, study.fleet.bus]).sum())


def fluid_costs(study: Study, coordinator: Coordinator, stored: Mapping[str, np.ndarray], steps: int) -> FluidCosts:
    """Solve the whole span at once, and window by window.

    Parameters
    ----------
    study : Study
    coordinator : Coordinator
        Built for it.
    stored : mapping of arrays
        Variables of its run with perfect forecasts. Losses are linear about the flows of this run, prices after the
        horizon are its mean prices by time of day.
    steps : int
        The span, from the start of the run.

    Raises
    ------
    DispatchError
        If a program has no optimum.
    """
    system, variables = coordinator.system, {name: stored[name][:steps] for name in REFERENCE}
    actual = coordinator.as_it_comes(initial_twin_state(study), steps)
    actual = _priced(system, actual, variables["price_per_mwh"])
    shape = work_shape(study.jobs, system.step_s)
    policy = CoDispatch(system, shape, capacity_margin=0.0, coarse_after=steps, coarse_steps=1)
    compute = policy.pose_compute(actual, actual.memory.price_per_mwh)
    block_steps = gcd(compute.block_steps, study.time.window_steps)
    compute = replace(compute, block_steps=block_steps, green=None)  # a run does not pay what its plan weighs
    bound, grid = _tightest(system, actual, compute, variables)
    rolling = roll_fluid(grid, compute, study.time.window_steps, study.time.horizon_steps)
    begun = _floor_cost(system, actual) + stored_worth(grid.stores, grid.stores.initial_mwh)
    return FluidCosts(bound + begun, rolling + begun, grid.stores)


def _priced(system: System, actual: Observation, price_per_mwh: FloatArray) -> Observation:
    """Remember mean prices by time of day, where nodes and where stores stand; require no reserve.

    A run need not hold its reserve, so what it costs to hold it is no part of a bound.
    """
    nodes = system.fleet.capacity_nodes
    at_sites = ratio_or_zero(price_per_mwh[:, system.fleet.bus] @ nodes, nodes.sum(axis=0))
    memory = replace(
        actual.memory,
        price_per_mwh=_mean_day(system, actual, at_sites),
        store_price_per_mwh=_mean_day(system, actual, price_per_mwh[:, system.stores.bus]),
    )
    forecast = replace(actual.forecast, reserve_mw=np.zeros(actual.forecast.steps))
    return replace(actual, memory=memory, forecast=forecast)


def _tightest(
    system: System, actual: Observation, compute: ComputeProblem, variables: Mapping[str, np.ndarray]
) -> tuple[float, GridProblem]:
    """Return the largest bound found and the problem it is the optimum of.

    Losses are convex in the flows, so whatever flows they are linear about they are never overestimated and every
    optimum is a bound. The flows of the run come first, then running means of them and those of the optima so far.
    """
    flow_mw, fit = _flow_mw(system, variables), _loss_fit(system, variables)
    posed = pose_grid(system, actual, loss_estimate(flow_mw, system.network, fit))
    posed = replace(posed, watched=np.abs(flow_mw) > WATCHED_SHARE * system.network.rate_mw)
    best, grid = -np.inf, posed
    for done in range(LOSS_PASSES):
        plan, _ = dispatch_pooled(posed, compute)
        if plan.solver.objective > best:
            best, grid = plan.solver.objective, posed
        flow_mw = flow_mw + (plan.flow_mw - flow_mw) / (done + 2)
        posed = replace(posed, losses=loss_estimate(flow_mw, system.network, fit))
    return best, grid


def _flow_mw(system: System, variables: Mapping[str, np.ndarray]) -> FloatArray:
    """AC flows (time, line), mean of both ends; those of the linear grid where AC has no solution."""
    solved = variables["ac_converged"][:, None] == 1
    linear = variables["net_injection_mw"] @ system.network.ptdf.T
    return np.where(solved, (variables["from_mw"] - variables["to_mw"]) / 2.0, linear)


def _loss_fit(system: System, variables: Mapping[str, np.ndarray]) -> LossFit:
    """What AC made of the losses; those of the flows alone where it has no solution."""
    solved = variables["ac_converged"] == 1
    fit = fit_losses(variables["losses_mw"], _flow_mw(system, variables), system.network)
    return LossFit(np.where(solved, fit.scale, 1.0), np.where(solved, fit.rest_mw, 0.0))


def _mean_day(system: System, actual: Observation, price: FloatArray) -> FloatArray:
    """Mean by time of day (step of day, column); the mean of all where a time of day was not seen."""
    total, steps = np.zeros((system.steps_per_day, price.shape[1])), np.zeros((system.steps_per_day, 1))
    np.add.at(total, actual.step_of_day, price)
    np.add.at(steps, actual.step_of_day, 1.0)
    return np.where(steps > 0, ratio_or_zero(total, steps), price.mean(axis=0))


def _floor_cost(system: System, actual: Observation) -> float:
    """Cost of what units must give, which no program sees."""
    floor_mw = unit_floor_mw(system, actual.forecast)
    carbon = system.penalties.carbon_per_t / KG_PER_T
    per_h = production_cost_per_h(floor_mw, system.units) + carbon * production_co2_kg_per_h(floor_mw, system.units)
    return float(per_h.sum()) * system.step_h
