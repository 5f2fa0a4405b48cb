"""Prices of work and of room against planning again with a little more or less of either, on random small systems.

Cost is convex in what arrives, so a price lies between what less would save and what more costs; mostly they are equal.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import dispatch_pooled
from gridtwin.errors import DispatchError

SEEDS = range(16)
NODES = 1e-3
TOLERANCE = 2e-4  # of a price, or of 1: costs of some 10,000 are known to 1e-9


def systems(small_system, seed):
    system = small_system(seed)
    compute = replace(system.compute, coarse_after=seed % 4, coarse_steps=1 + seed % 3)
    return system.grid, compute


def cost(grid, compute):
    """Cost of a plan; infinite where the change leaves work due that has not come."""
    try:
        return dispatch_pooled(grid, compute)[0].solver.objective
    except DispatchError:
        return np.inf


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


def check(seen, price, saved, cost):
    """`saved` by less, `cost` of more, per unit; counts how often the two are one."""
    tolerance = TOLERANCE * max(1.0, abs(price))
    assert saved - tolerance <= price <= cost + tolerance
    seen["one price" if cost - saved <= tolerance else "two sides"] += 1


@pytest.fixture(scope="module")
def seen():
    return {kind: Counter() for kind in ("job", "parted", "room")}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_work_is_the_cost_of_an_arrival(small_system, seen, seed):
    grid, compute = systems(small_system, seed)
    plan, work = dispatch_pooled(grid, compute)
    price, now = work.prices.job_per_node_h, plan.solver.objective
    rng = np.random.default_rng(seed)
    places = np.argwhere(compute.released_nodes > 0)
    for step, queue in rng.permutation(places)[:6]:
        _, compute_class, _, length = np.unravel_index(queue, compute.shape)
        node_h = NODES * compute.mean_runtime_h[compute_class, length]
        more, less = (cost(grid, arrived(compute, step, queue, sign * NODES)) for sign in (1, -1))
        check(seen["job"], price[step, queue], (now - less) / node_h, (more - now) / node_h)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_preemptible_work_is_the_cost_of_an_arrival(small_system, seen, seed):
    grid, compute = systems(small_system, seed)
    plan, work = dispatch_pooled(grid, compute)
    price, now = work.prices.preemptible_per_node_h, plan.solver.objective
    origins = compute.shape[0]
    for step, *where in np.argwhere(compute.preemptible.arriving_node_h[:, :origins] > 0)[:6]:
        more, less = (
            cost(grid, arrived_to_be_parted(compute, step, tuple(where), sign * NODES, grid.step_h)) for sign in (1, -1)
        )
        node_h = NODES * grid.step_h
        check(seen["parted"], price[(step, *where)], (now - less) / node_h, (more - now) / node_h)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_price_of_room_is_what_it_would_save(small_system, seen, seed):
    grid, compute = systems(small_system, seed)
    plan, work = dispatch_pooled(grid, compute)
    price, now = work.prices.capacity_per_node_h, plan.solver.objective
    assert (price >= 0).all()
    full = (compute.available_nodes > compute.committed_nodes + NODES) & (price > 0)
    places = [*np.argwhere(full)[:5], *np.argwhere(price == 0)[:2]]
    for place in places:
        more, less = (cost(grid, offered(compute, tuple(place), sign * NODES)) for sign in (1, -1))
        node_h = NODES * grid.step_h
        check(seen["room"], -price[tuple(place)], (now - less) / node_h, (more - now) / node_h)


def test_most_of_them_are_one_price(seen):
    for kind, counts in seen.items():
        assert counts["one price"] > 20, kind
        assert counts["one price"] > 2 * counts["two sides"], (kind, counts)
