"""Rolling with the fluid executor against one program over all steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import GreenTarget, dispatch_pooled, kept_cost, roll_fluid

SEEDS = range(40)
RELATIVE = 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_full_look_ahead_costs_what_one_program_costs(small_system, seed):
    system = small_system(seed, steps=7)
    plan, _ = dispatch_pooled(system.grid, system.compute)
    rolled = roll_fluid(system.grid, system.compute, system.compute.block_steps, horizon_steps=7)
    assert rolled == pytest.approx(plan.solver.objective, rel=RELATIVE)


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_also_when_starts_are_decided_for_several_steps_at_once(small_system, seed):
    """Slots are the windows and the blocks of the WAN, of two or three steps."""
    system = small_system(seed, steps=7)
    size = 2 + seed % 2
    compute = replace(system.compute, block_steps=size, coarse_steps=size)
    plan, _ = dispatch_pooled(system.grid, compute)
    rolled = roll_fluid(system.grid, compute, size, horizon_steps=7)
    assert rolled == pytest.approx(plan.solver.objective, rel=RELATIVE)


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_also_with_a_price_on_what_is_not_green(small_system, seed):
    system = small_system(seed, steps=7)
    compute = with_green(system.compute, seed)
    plan, work = dispatch_pooled(system.grid, compute)
    assert plan.solver.objective > dispatch_pooled(system.grid, system.compute)[0].solver.objective
    rolled = roll_fluid(system.grid, compute, compute.block_steps, horizon_steps=7)
    assert rolled == pytest.approx(plan.solver.objective, rel=RELATIVE)
    kept = kept_cost(system.grid, compute, plan, work, 7)
    assert kept == pytest.approx(plan.solver.objective, rel=RELATIVE)


def with_green(compute, seed):
    rng = np.random.default_rng(seed)
    sites = len(compute.connection_mw)
    target = GreenTarget(rng.uniform(0.2, 1, sites), rng.uniform(0, 8, (len(compute.base_mw), sites)), 25.0)
    return replace(compute, green=target)


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_also_where_use_costs_and_contracts_may_be_left(small_system, seed):
    system = small_system(seed, steps=7)
    grid, compute = with_terms(system.grid, seed), system.compute
    plan, work = dispatch_pooled(grid, compute)
    rolled = roll_fluid(grid, compute, compute.block_steps, horizon_steps=7)
    assert rolled == pytest.approx(plan.solver.objective, rel=RELATIVE)
    kept = kept_cost(grid, compute, plan, work, 7)
    assert kept == pytest.approx(plan.solver.objective, rel=RELATIVE)


def with_terms(grid, seed):
    """Every other contract holds exactly, but for steps without one; a way back of half the size."""
    rng, rate_mw = np.random.default_rng(seed), grid.links.rate_mw
    number = rate_mw.shape[1]
    links = replace(
        grid.links,
        back_mw=rate_mw / 2,
        contract_mw=np.where(rng.random(rate_mw.shape) < 0.7, rng.uniform(-0.5, 1, rate_mw.shape) * rate_mw, np.nan),
        deviation_per_mwh=np.where(np.arange(number) % 2, np.inf, rng.uniform(1, 60, number)),
        cost_per_mwh=rng.uniform(15, 30, number),
    )
    return replace(grid, links=links, stores=replace(grid.stores, cost_per_mwh=rng.uniform(1, 9, len(grid.stores.bus))))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_look_ahead_is_never_cheaper(small_system, seed):
    system = small_system(seed, steps=7)
    bound = dispatch_pooled(system.grid, system.compute)[0].solver.objective
    window = system.compute.block_steps
    assert roll_fluid(system.grid, system.compute, window, horizon_steps=window) > bound * (1 - RELATIVE)


def test_and_it_often_costs_more(small_system):
    dearer = 0
    for seed in SEEDS:
        system = small_system(seed, steps=7)
        plan, _ = dispatch_pooled(system.grid, system.compute)
        window = system.compute.block_steps
        dearer += roll_fluid(system.grid, system.compute, window, horizon_steps=window) > plan.solver.objective * 1.001
    assert dearer > len(SEEDS) / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cost_of_everything_kept_is_the_objective(small_system, seed):
    system = small_system(seed)
    plan, work = dispatch_pooled(system.grid, system.compute)
    cost = kept_cost(system.grid, system.compute, plan, work, len(plan.group_mw))
    assert cost == pytest.approx(plan.solver.objective, rel=RELATIVE)
