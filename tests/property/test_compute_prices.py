"""Prices of work and of room against planning again with a little more or less of either, on random small systems."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_pooled

SEEDS = range(16)
NODES = 1e-3
TOLERANCE = 2e-4  # of a price, or of 1: costs of some 10,000 are known to 1e-9


def systems(small_system, seed):
    system = small_system(seed)
    compute = replace(system.compute, coarse_after=seed % 4, coarse_steps=1 + seed % 3)
    return system.grid, compute


def cost(grid, compute):
    return dispatch_pooled(grid, compute)[0].solver.objective


def arrived(compute, step, queue, nodes):
    released, due = compute.released_nodes.copy(), compute.due_nodes.copy()
    released[step, queue] += nodes
    delay_class = np.unravel_index(queue, compute.shape)[2]
    at = step + compute.delay_steps[delay_class]
    if at < len(due):
        due[at, queue] += nodes
    return replace(compute, released_nodes=released, due_nodes=due)


def arrived_to_be_parted(compute, step, where, nodes, step_h):
    work = compute.preemptible
    arriving, due, width = (a.copy() for a in (work.arriving_node_h, work.due_node_h, work.width_nodes))
    arriving[(step, *where)] += nodes * step_h
    at = step + compute.delay_steps[where[2]]
    if at < len(due):
        due[(at, *where)] += nodes * step_h
    width[(slice(step, at + 1), *where[1:])] += nodes
    work = replace(work, arriving_node_h=arriving, due_node_h=due, width_nodes=width)
    return replace(compute, preemptible=work)


def offered(compute, place, nodes):
    available = compute.available_nodes.copy()
    available[place] += nodes
    return replace(compute, available_nodes=available)


@pytest.fixture(scope="module")
def seen():
    """Count how often a price is exact, by kind."""
    return {kind: Counter() for kind in ("job", "preemptible", "room")}


def check(seen, price, cost):
    """A price is that of one way to do it, so `cost`, of the best way, is no more; mostly they are equal."""
    tolerance = TOLERANCE * max(1.0, abs(price))
    assert cost <= price + tolerance
    seen["exact" if cost >= price - tolerance else "less"] += 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_work_is_the_cost_of_an_arrival(small_system, seen, seed):
    grid, compute = systems(small_system, seed)
    plan, work = dispatch_pooled(grid, compute)
    price, now = work.prices.job_per_node_h, plan.solver.objective
    for step, queue in np.random.default_rng(seed).permutation(np.argwhere(compute.released_nodes > 0))[:8]:
        _, compute_class, _, length = np.unravel_index(queue, compute.shape)
        node_h = NODES * compute.mean_runtime_h[compute_class, length]
        check(seen["job"], price[step, queue], (cost(grid, arrived(compute, step, queue, NODES)) - now) / node_h)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_preemptible_work_is_the_cost_of_an_arrival(small_system, seen, seed):
    grid, compute = systems(small_system, seed)
    compute = replace(compute, preemptible=replace(compute.preemptible, interruption_cost=np.zeros(compute.shape[1])))
    plan, work = dispatch_pooled(grid, compute)
    price, now = work.prices.preemptible_per_node_h, plan.solver.objective
    for step, *where in np.argwhere(compute.preemptible.arriving_node_h[:, : compute.shape[0]] > 0)[:8]:
        more = cost(grid, arrived_to_be_parted(compute, step, tuple(where), NODES, grid.step_h))
        check(seen["preemptible"], price[(step, *where)], (more - now) / (NODES * grid.step_h))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_room_is_what_it_would_save(small_system, seen, seed):
    grid, compute = systems(small_system, seed)
    plan, work = dispatch_pooled(grid, compute)
    price, now = work.prices.capacity_per_node_h, plan.solver.objective
    assert (price >= 0).all()
    full = (compute.available_nodes > compute.committed_nodes) & (price > 0)
    for place in [*np.argwhere(full)[:6], *np.argwhere(price == 0)[:2]]:
        saved = now - cost(grid, offered(compute, tuple(place), NODES))
        check(seen["room"], price[tuple(place)], saved / (NODES * grid.step_h))


def test_most_of_them_are_exact(seen):
    """The nodes of an arrival that waits can be lent to others in the pooled program, preemptible ones most of all."""
    for kind, counts in seen.items():
        assert counts["exact"] > 30, kind
        assert counts["exact"] > 3 * counts["less"], (kind, counts)
