"""A bill is what a grid costs in which every MWh of a step has one price."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.arrays import sum_at
from gridtwin.dispatch import (
    Bill,
    LinkProblem,
    StoreProblem,
    bill,
    dispatch_grid,
    dispatch_pooled,
    fleet_plan,
    group_units,
    minimise_bill,
)
from gridtwin.dispatch.compute_block import largest_draw_mw
from gridtwin.records import LossEstimate, UnitData

BIG_MW = 1e4


def one_price(grid, price):
    """A copperplate in which one unit gives all there is in each step, at that step's price."""
    steps, buses = grid.load_mw.shape
    one, zero, no = np.ones(steps), np.zeros(steps), np.zeros(steps, dtype=bool)
    none, nothing = np.full(steps, -1), np.zeros((steps, buses))
    units = UnitData(
        unit=tuple(f"only in step {step}" for step in range(steps)),
        bus=np.zeros(steps, np.int64),
        technology=("any",) * steps,
        p_min_mw=zero,
        p_max_mw=one * BIG_MW,
        q_min_mvar=zero,
        q_max_mvar=zero,
        vm_set_pu=one,
        ramp_mw_per_h=one * np.inf,
        holds_voltage=no,
        always_committed=no,
        quick_start=no,
        renewable=no,
        curtailable=no,
        profile=none,
        store=none,
        segment_unit=np.arange(steps),
        segment_mw=one * BIG_MW,
        segment_cost_per_mwh=price,
        segment_co2_kg_per_mwh=zero,
    )
    return replace(
        grid,
        groups=group_units(units),
        lower_mw=np.zeros((steps, steps)),
        upper_mw=np.eye(steps) * BIG_MW,
        initial_mw=None,
        load_mw=nothing,
        injection_mw=nothing,
        losses=LossEstimate(zero, nothing, nothing, nothing),
        watched=np.zeros_like(grid.watched),
        rate_mw=np.full_like(grid.rate_mw, np.inf),
        stores=StoreProblem.none(steps),
        links=LinkProblem.none(steps),
        reserve_mw=zero,
    )


@pytest.fixture
def cost_of_bill(monkeypatch):
    """What the program of a bill costs at its optimum."""
    monkeypatch.setattr(bill, "pooled_work", lambda solution, _: solution.objective)
    return minimise_bill


@pytest.mark.parametrize("seed", range(12))
def test_prices_of_a_grid_or_of_a_bill(small_system, cost_of_bill, seed):
    """Prices differ pairwise, so that no two units of a step are merged."""
    system = small_system(seed)
    steps, buses = system.grid.load_mw.shape
    price = np.random.default_rng([seed, 7]).uniform(5, 120, steps)
    cleared, _ = dispatch_pooled(one_price(system.grid, price), system.compute)
    asked = Bill(np.tile(price[:, None], (1, buses)), 0.0, np.zeros(steps, np.int64), np.zeros(buses))
    found = cost_of_bill(system.compute, asked, system.grid.penalties, system.grid.step_h)
    assert found == pytest.approx(cleared.solver.objective, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_nodal_prices_hold_up_the_work_of_the_system(small_system, cost_of_bill, seed):
    """At the prices of a common optimum the fleet on its own can do no better than what it does there."""
    system = small_system(seed)
    compute, steps = system.compute, len(system.grid.load_mw)
    groups = replace(system.grid.groups, store=np.full(len(system.grid.groups), -1))
    own = replace(system.grid, groups=groups, stores=StoreProblem.none(steps))
    plan, work = dispatch_pooled(own, compute)
    drawn_mw = sum_at(fleet_plan(compute, work).site_mw, compute.site_bus, own.load_mw.shape[1])
    sheddable = largest_draw_mw(compute, own.load_mw.shape[1])
    of_grid = dispatch_grid(replace(own, injection_mw=own.injection_mw - drawn_mw, site_mw=sheddable))
    of_fleet = plan.solver.objective - of_grid.solver.objective + (plan.price_per_mwh * drawn_mw).sum() * own.step_h
    at_nodes = Bill(plan.price_per_mwh, 0.0, np.zeros(steps, np.int64), np.zeros(own.load_mw.shape[1]))
    found = cost_of_bill(compute, at_nodes, own.penalties, own.step_h)
    assert found == pytest.approx(of_fleet, rel=1e-7, abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_a_demand_charge_is_what_the_dearest_way_to_spread_it_costs(small_system, cost_of_bill, seed):
    """A charge for the peak of one meter costs at least what it costs spread over the steps in any fixed way."""
    system = small_system(seed)
    compute = replace(system.compute, site_bus=np.zeros_like(system.compute.site_bus))
    grid, (steps, buses) = system.grid, system.grid.load_mw.shape
    rng = np.random.default_rng([seed, 8])
    price, charge, reached = rng.uniform(5, 120, steps), 200.0, np.full(buses, rng.uniform(0, 5))
    month = np.zeros(steps, np.int64)

    def cost(per_mwh, demand, peak):
        asked = Bill(np.tile(per_mwh[:, None], (1, buses)), demand, month, peak)
        return cost_of_bill(compute, asked, grid.penalties, grid.step_h)

    charged = cost(price, charge, reached)
    assert charged <= cost(price, charge, 2 * reached) + 1e-6
    assert charged >= cost(price, 0.0, reached) + charge * reached[0] - 1e-6
    for _ in range(3):
        share = rng.dirichlet(np.ones(steps))
        assert charged >= cost(price + charge * share / grid.step_h, 0.0, reached) - 1e-6 * abs(charged)
