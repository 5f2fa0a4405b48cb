from dataclasses import replace

import numpy as np
import pytest

from gridtwin.errors import GridError
from gridtwin.grid.network import admittances, build_net


def textbook_admittances(grid):
    """The branch model of the MATPOWER manual, tap at the from end."""
    line, buses = np.arange(len(grid.line)), len(grid.bus)
    y_series = 1 / (grid.r_pu + 1j * grid.x_pu)
    y_from, y_to = (np.zeros((len(line), buses), dtype=complex) for _ in range(2))
    y_from[line, grid.line_from] = (y_series + 0.5j * grid.b_pu) / grid.tap_ratio**2
    y_from[line, grid.line_to] = -y_series / grid.tap_ratio
    y_to[line, grid.line_from] = -y_series / grid.tap_ratio
    y_to[line, grid.line_to] = y_series + 0.5j * grid.b_pu
    ybus = np.diag((grid.shunt_mw + 1j * grid.shunt_mvar) / grid.base_mva)
    for index in line:
        ybus[grid.line_from[index]] += y_from[index]
        ybus[grid.line_to[index]] += y_to[index]
    return ybus, y_from, y_to


def test_admittances_are_the_textbook_ones(grid, units):
    found = admittances(build_net(grid, units), grid)
    for ours, textbook in zip((found.ybus, found.y_from, found.y_to), textbook_admittances(grid), strict=True):
        np.testing.assert_allclose(ours.toarray(), textbook, rtol=1e-12, atol=1e-12)


def test_reactance_may_be_negative(grid, units):
    grid = replace(grid, x_pu=np.where(np.arange(8) == 4, -0.03, grid.x_pu))
    found = admittances(build_net(grid, units), grid)
    np.testing.assert_allclose(found.ybus.toarray(), textbook_admittances(grid)[0], rtol=1e-12, atol=1e-12)


def test_tables_keep_our_order(grid, units):
    net = build_net(grid, units)
    assert tuple(net.bus["name"]) == tuple(net.load["name"]) == grid.bus
    assert tuple(net.gen["name"]) == ("c1", "c2", "d1", "slack")
    assert tuple(net.sgen["name"]) == ("wind", "hv from", "hv to")
    assert tuple(net.line["name"]) + tuple(net.trafo["name"]) == ("ab1", "ab2", "bc", "ca", "de", "ef", "da", "ce")
    assert tuple(net.trafo["tap_side"]) == ("lv", "hv")
    assert net.ext_grid.at[0, "vm_pu"] == grid.slack_vm_pu


def test_link_schedule_flows_from_from_to_to(grid, units):
    net = build_net(replace(grid, link_schedule_mw=np.array([30.0])), units)
    assert net.sgen["p_mw"].tolist() == pytest.approx([0.0, -30.0, 0.96 * 30.0])
    assert net.sgen["bus"].tolist() == [4, 0, 4]


def test_all_that_is_wrong_is_said_at_once(grid, units):
    wrong = replace(
        grid,
        r_pu=np.where(np.arange(8) == 0, 0.0, grid.r_pu),
        x_pu=np.where(np.arange(8) == 0, 0.0, grid.x_pu),
        b_pu=np.where(np.arange(8) == 4, 0.1, grid.b_pu),
        tap_ratio=np.where(np.arange(8) == 2, 1.1, grid.tap_ratio),
        is_transformer=grid.is_transformer & (np.arange(8) != 5),
        line_to=np.where(np.arange(8) == 7, 3, np.where(np.arange(8) == 6, 3, grid.line_to)),
        link_to=grid.link_from,
        link_schedule_mw=np.array([-51.0]),
    )
    conflict = replace(units, vm_set_pu=np.array([1.03, 1.0, 1.01, 1.02, 1.0]))
    with pytest.raises(GridError) as error:
        build_net(wrong, conflict)
    message = str(error.value)
    for part in (
        "ab1 has no impedance",
        "bc has a tap_ratio other than 1",
        "ce joins buses of different vn_kv",
        "da is a transformer with charging",
        "de ends where it begins",
        "hv ends where it begins",
        "hv is scheduled beyond its p_nom_mw",
        "f is not connected to the slack bus b",
        "units c1 and c2 hold the voltage of bus c at 1.03 and 1 pu",
    ):
        assert part in message


def test_setpoints_too_far_apart_do_not_converge(grid, units):
    units = replace(units, vm_set_pu=np.array([1e3, 1e3, 1e-3, 1.02, 1.0]))
    with pytest.raises(GridError, match="without load does not converge"):
        admittances(build_net(grid, units), grid)
