from dataclasses import fields, replace

import numpy as np
import pytest
from scipy import sparse

from gridtwin.errors import GridError
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.contingency import (
    FAILED,
    ISLANDED,
    NO_BASE,
    OK,
    BranchNetwork,
    OperatingPoints,
    islands,
    solve_outages,
)

BRIDGE = 7  # ef


@pytest.fixture
def ac_grid(grid, units):
    return AcGrid(grid, units)


@pytest.fixture
def base(ac_grid, injections):
    return ac_grid.solve(injections)


@pytest.fixture
def network(ac_grid):
    grid, every = ac_grid.grid, np.arange(8)
    ends = grid.line_from, grid.line_to
    y_pu = [np.asarray(matrix[every, end]).ravel() for matrix in (ac_grid.y_from, ac_grid.y_to) for end in ends]
    return BranchNetwork(
        base_mva=grid.base_mva,
        slack=grid.slack,
        ybus=sparse.csc_matrix(ac_grid.ybus),
        line_from=grid.line_from,
        line_to=grid.line_to,
        y_pu=np.stack(y_pu, axis=1),
        rate_long_mw=np.array([50.0, 50.0, np.inf, 60.0, 60.0, 60.0, 40.0, 60.0]),
        rate_short_mw=np.full(8, 100.0),
    )


@pytest.fixture
def points(base):
    return OperatingPoints(
        v_pu=base.vm_pu * np.exp(1j * np.deg2rad(base.va_deg)),
        injection_mva=base.bus_mw + 1j * base.bus_mvar,
        holds_voltage=base.holds_voltage,
    )


def without(grid, line):
    """The same grid, one line fewer."""
    kept = np.arange(8) != line
    names = ("line_from", "line_to", "r_pu", "x_pu", "b_pu", "tap_ratio", "is_transformer")
    rates = ("rate_mw", "rate_long_mw", "rate_short_mw")
    parts = {name: getattr(grid, name)[kept] for name in (*names, *rates)}
    return replace(grid, line=tuple(np.array(grid.line)[kept]), **parts)


@pytest.mark.parametrize("outage", [0, 3, 5, 6])
def test_an_outage_is_the_grid_without_the_line(network, points, base, grid, units, injections, outage):
    """All buses that held their voltage go on holding it, and those at a limit keep their reactive power."""
    peer = AcGrid(without(grid, outage), units)
    holds = base.holds_voltage & (np.arange(6) != grid.slack)
    asked = replace(
        injections,
        load_mw=-base.bus_mw,
        load_mvar=-base.bus_mvar,
        unit_mw=np.zeros_like(injections.unit_mw),
        link_mw=np.zeros_like(injections.link_mw),
        committed=injections.committed & holds[:, units.bus],
    )
    after = peer.solve(asked, enforce_q_limits=False)
    assert after.converged.all()
    found = solve_outages(network, points)
    assert (found.status[:, outage] == OK).all()
    np.testing.assert_allclose(found.vm_min_pu[:, outage], after.vm_pu.min(axis=1), atol=1e-8)
    np.testing.assert_allclose(found.vm_max_pu[:, outage], after.vm_pu.max(axis=1), atol=1e-8)
    np.testing.assert_array_equal(found.vm_min_bus[:, outage], after.vm_pu.argmin(axis=1))
    kept = np.flatnonzero(np.arange(8) != outage)
    apparent = np.maximum(np.hypot(after.from_mw, after.from_mvar), np.hypot(after.to_mw, after.to_mvar))
    for name in ("long", "short"):
        percent = 100 * apparent / getattr(network, f"rate_{name}_mw")[kept]
        np.testing.assert_allclose(getattr(found, f"loading_{name}_percent")[:, outage], percent.max(axis=1), rtol=1e-6)
        np.testing.assert_array_equal(getattr(found, f"{name}_line")[:, outage], kept[percent.argmax(axis=1)])
    over = 100 * apparent / network.rate_long_mw[kept] > 100
    np.testing.assert_array_equal(found.over_steps[outage, kept], over.sum(axis=0))
    assert found.over_steps[outage, outage] == 0


def test_the_outage_of_a_bridge_is_named_not_solved(network, points):
    found = solve_outages(network, points)
    assert [part.tolist() for part in islands(network)] == [[]] * 7 + [[5]]
    assert (found.status[:, BRIDGE] == ISLANDED).all()
    assert (found.status[:, :BRIDGE] == OK).all()
    assert np.isnan(found.vm_min_pu[:, BRIDGE]).all()
    assert (found.long_line[:, BRIDGE] == -1).all()
    assert not found.over_steps[BRIDGE].any()


def test_a_step_without_a_solution_has_no_outages(network, points):
    lost = replace(points, v_pu=np.where(np.arange(10)[:, None] == 3, np.nan, points.v_pu))
    found, whole = solve_outages(network, lost), solve_outages(network, points)
    assert (found.status[3] == NO_BASE).all()
    others = np.arange(10) != 3
    for field in fields(found)[:-2]:
        np.testing.assert_array_equal(getattr(found, field.name)[others], getattr(whole, field.name)[others])


def test_an_outage_that_cannot_be_supplied_fails(ac_grid, network, grid, injections):
    """Two lines carry to bus e what one of them cannot."""
    load_mw = injections.load_mw[-1:].copy()
    load_mw[0, 4] = 330.0
    one = replace(injections, **{field.name: getattr(injections, field.name)[-1:] for field in fields(injections)})
    base = ac_grid.solve(replace(one, load_mw=load_mw))
    assert base.converged.all()
    point = OperatingPoints(
        v_pu=base.vm_pu * np.exp(1j * np.deg2rad(base.va_deg)),
        injection_mva=base.bus_mw + 1j * base.bus_mvar,
        holds_voltage=base.holds_voltage,
    )
    found = solve_outages(network, point)
    ce = grid.line.index("ce")
    assert found.status[0, ce] == FAILED
    assert np.isnan(found.loading_long_percent[0, ce])
    assert found.vm_max_bus[0, ce] == -1


def test_another_network_is_refused(network, points):
    with pytest.raises(GridError, match="do not give its injections"):
        solve_outages(replace(network, ybus=network.ybus * 1.01), points)


def test_without_ratings_nothing_is_said_of_loading(network, points):
    free = np.full(8, np.inf)
    found = solve_outages(replace(network, rate_long_mw=free, rate_short_mw=free), points)
    assert np.isnan(found.loading_long_percent).all()
    assert (found.short_line == -1).all()
    assert not found.over_steps.any()
    assert np.isfinite(found.vm_min_pu[:, :BRIDGE]).all()
