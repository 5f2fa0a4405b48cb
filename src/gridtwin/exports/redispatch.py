"""The linear program that a run's dispatch was settled by, read back from what the run stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.exports.network import SavedGrid
from gridtwin.grid.matrices import network_matrices
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["Redispatch", "redispatch"]

COMMITTED_MW: Final = 1e-3  # a unit planned below this may only come if it starts quickly
WORTHLESS: Final = 1e-6  # money per MWh; less is rounding of the solver


@dataclass(frozen=True, slots=True, eq=False)
class Redispatch:
    """What units may do, and what the network asks of them.

    What else was decided (stores, the units that feed on them, links, dumped surplus, paid overloads, units that are
    committed by the day, have a minimum to give or a link of their own) stands where it was, so that the same
    set-points are optimal.
    """

    load_mw: FloatArray  # (time, bus) demand apart from the sites
    site_mw: FloatArray  # (time, site) equipment, cooling and conversion
    surplus_mw: FloatArray  # (time, bus) dumped
    held: BoolArray  # (unit,) stands where it was
    least_mw: FloatArray  # (time, unit) must give
    most_mw: FloatArray  # (time, unit) can give in real time
    initial_mw: FloatArray  # (unit,) before the first step, NaN where the run begins
    loss_factor: FloatArray  # (time, bus) change of losses per MW of injection
    bus_losses_mw: FloatArray  # (time, bus) drawn whatever is injected
    rest_losses_mw: FloatArray  # (time,) drawn at the slack beyond `loss_factor` times injection and `bus_losses_mw`
    limit_mw: FloatArray  # (time, line) of either direction, inf where there is none
    cut_weight: FloatArray  # (time, bus) largest 1; 0 where nothing was paid for voltages
    cut_price_per_mwh: FloatArray  # (time,) of what is missing of it
    cut_least_mw: FloatArray  # (time,) the weighted sum of injections must not fall below this
    price_per_mwh: FloatArray  # (time, bus)


def redispatch(run: SavedRun, saved: SavedGrid, steps: IntArray) -> Redispatch:
    """Return the program of some steps that follow each other.

    Notes
    -----
    Loss factors are those that the prices show, `-loss_price / energy_price`. Where energy is worth nothing they cannot
    be told and do not matter; losses are then those of the set-points.

    Limits that keep voltages within their band are known by what they cost: what congestion prices hold beyond the
    shadow prices of lines, π (bus). Their sum, weighted with their shadow prices, is the one row Σ π·injection >= its
    value at the set-points. With it in their place the optimum is the same (strong duality), also where some of it
    may be missing at the price that was paid.
    """
    value = {name: run.at(name, steps) for name in NEEDED}
    injection_mw, energy = value["dispatched_injection_mw"], value["energy_price_per_mwh"]
    priced = np.abs(energy) > WORTHLESS
    factor = np.where(priced[:, None], -value["loss_price_per_mwh"] / np.where(priced, energy, 1.0)[:, None], 0.0)
    losses_mw = injection_mw.sum(axis=1)
    weight, cut_price = _cut(saved, value)
    least_mw, most_mw, initial_mw = _unit_limits(run, saved, steps, value)
    return Redispatch(
        load_mw=value["load_mw"],
        site_mw=value["facility_mw"],
        surplus_mw=value["dumped_mw"],
        held=_held(run),
        least_mw=least_mw,
        most_mw=most_mw,
        initial_mw=initial_mw,
        loss_factor=factor,
        bus_losses_mw=value["dispatched_losses_mw"],
        rest_losses_mw=losses_mw - (factor * injection_mw).sum(axis=1) - value["dispatched_losses_mw"].sum(axis=1),
        limit_mw=value["rate_mw"] + value["overload_mw"],
        cut_weight=weight,
        cut_price_per_mwh=cut_price,
        cut_least_mw=(weight * injection_mw).sum(axis=1),
        price_per_mwh=value["price_per_mwh"],
    )


NEEDED: Final = (
    *("load_mw", "facility_mw", "dumped_mw", "unit_mw", "planned_unit_mw", "available_mw"),
    *("dispatched_injection_mw", "dispatched_losses_mw", "rate_mw", "overload_mw", "shadow_price_per_mwh"),
    *("energy_price_per_mwh", "loss_price_per_mwh", "congestion_price_per_mwh", "price_per_mwh"),
)


def _cut(saved: SavedGrid, value: dict[str, np.ndarray]) -> tuple[FloatArray, FloatArray]:
    """Return the weights of the row that stands for all cuts, and its shadow price."""
    ptdf = network_matrices(saved.grid).ptdf
    flow_mw = (value["dispatched_injection_mw"] - value["dispatched_losses_mw"]) @ ptdf.T
    of_lines = -(np.sign(flow_mw) * value["shadow_price_per_mwh"]) @ ptdf
    of_cuts: FloatArray = value["congestion_price_per_mwh"] - of_lines
    largest = np.abs(of_cuts).max(axis=1)
    paid = np.where(largest > WORTHLESS, largest, 0.0)
    return ratio_or_zero(of_cuts, paid[:, None]), paid


def _held(run: SavedRun) -> BoolArray:
    """Units that answer to more than their own limits: online by the day, heat or water to give, a link to go over."""
    units = run.inputs("units")
    held: BoolArray = units["daily"] | units["must_give"] | (units["link_index"] >= 0)
    return held


def _unit_limits(
    run: SavedRun, saved: SavedGrid, steps: IntArray, value: dict[str, np.ndarray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what units must and can give, and what they gave before.

    Of those that the plan did not run only quick starters may come; one that ran when the window began runs down.
    """
    units, available = saved.units, value["available_mw"]
    weather: BoolArray = units.profile >= 0
    may_move = (value["planned_unit_mw"] > COMMITTED_MW) | units.quick_start | weather
    window = steps // run.facts.window_steps
    begins = np.maximum(window * run.facts.window_steps - 1, 0)
    before_mw = np.where(window[:, None] > 0, run.at("unit_mw", begins), 0.0)
    hours = run.step_h * (steps - window * run.facts.window_steps + 1)
    running_down = np.maximum(before_mw - units.ramp_mw_per_h * hours[:, None], 0.0)
    most_mw = np.where(may_move, available, running_down)
    least_mw = np.where(weather & ~units.curtailable, available, units.p_min_mw)
    held = _held(run)
    most_mw, least_mw = (np.where(held, value["unit_mw"], limit) for limit in (most_mw, least_mw))
    first = int(steps[0])
    initial_mw = run.dataset["unit_mw"][first - 1].to_numpy() if first else np.full(len(units.unit), np.nan)
    return least_mw, most_mw, initial_mw
