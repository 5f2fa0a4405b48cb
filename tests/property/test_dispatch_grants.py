"""Grants put the pooled decisions together again."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.dispatch import co_dispatch, dispatch_pooled

NODES = 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_grants_add_up_to_the_pooled_decisions(small_system, seed):
    """Over origins and over sites exactly; what a site is granted comes near to what it was meant to have."""
    system = small_system(seed)
    compute = replace(system.compute, route_allowed=np.ones_like(system.compute.route_allowed))
    _, work = dispatch_pooled(system.grid, compute)
    plan = co_dispatch(system.grid, compute, system.available_mw)
    release = plan.fleet.compute.release_nodes.reshape(-1, *compute.shape)
    route = plan.fleet.compute.route_nodes
    np.testing.assert_allclose(release.sum(axis=1), work.start_nodes, atol=NODES)
    np.testing.assert_allclose(route.sum(axis=4), release.sum(axis=3), atol=NODES)
    misplaced = np.abs(route.sum(axis=1) - work.placed_nodes).sum()
    assert misplaced <= 0.1 * work.placed_nodes.sum()
    waiting = np.cumsum(compute.released_nodes, axis=0) - np.cumsum(plan.fleet.compute.release_nodes, axis=0)
    assert waiting.min() > -NODES
    assert min(route.min(), release.min()) >= 0


@pytest.mark.parametrize("seed", range(40))
def test_forbidden_routes_get_no_grant(small_system, seed):
    system = small_system(seed)
    plan = co_dispatch(system.grid, system.compute, system.available_mw)
    by_route = plan.fleet.compute.route_nodes.sum(axis=(0, 3))
    assert by_route[~system.compute.route_allowed].sum() == 0


@pytest.mark.parametrize("seed", range(40))
def test_units_share_what_their_group_gives(small_system, seed):
    system = small_system(seed)
    plan = co_dispatch(system.grid, system.compute, system.available_mw)
    np.testing.assert_allclose(system.grid.groups.total(plan.unit_mw), plan.grid.group_mw, atol=1e-9)
    assert (plan.unit_mw <= system.available_mw + 1e-6).all()
