import warnings
from dataclasses import replace

import networkx as nx
import numpy as np
import pandapower as pp
import pandapower.networks
import pytest
from pandapower.pypower.makePTDF import makePTDF

from gridtwin.errors import GridError
from gridtwin.grid.matrices import dc_angles_deg, network_matrices, network_matrices_of_net, ptdf
from gridtwin.grid.network import build_net


@pytest.fixture(autouse=True)
def _pandapower_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def pandapower_ptdf(net):
    pp.rundcpp(net)
    internal = net._ppc["internal"]
    return makePTDF(internal["baseMVA"], internal["bus"], internal["branch"], slack=int(internal["ref"][0]))


def without_line(grid, line):
    kept = np.arange(len(grid.line)) != line
    names = ("line_from", "line_to", "x_pu", "tap_ratio")
    parts = {name: getattr(grid, name)[kept] for name in names}
    return kept, parts


def test_equals_pandapower(grid, units):
    net = build_net(grid, units)
    matrices = network_matrices(grid)
    lines_then_transformers = np.argsort(grid.is_transformer, kind="stable")
    theirs = pandapower_ptdf(net)  # transformers run from the high voltage side, so da is turned round
    sign = np.array([1, 1, 1, 1, 1, 1, -1, 1])[:, None]
    np.testing.assert_allclose(matrices.ptdf[lines_then_transformers], sign * theirs, atol=1e-9)
    of_net = network_matrices_of_net(net)
    np.testing.assert_allclose(of_net.ptdf, theirs, atol=1e-9)
    assert of_net.line == (*(f"line {row}" for row in range(6)), "trafo 0", "trafo 1")
    assert of_net.bus == tuple("012345")
    assert of_net.slack == grid.slack
    np.testing.assert_allclose(of_net.rate_mw[[0, 1, 3, 4, 5]], [200, 200, 150, 100, 60])
    assert np.isinf(of_net.rate_mw[2])
    np.testing.assert_allclose(of_net.r_pu[:4], grid.r_pu[:4])


@pytest.mark.parametrize("name", ["case14", "case118"])
def test_equals_pandapower_on_known_cases(name):
    net = getattr(pandapower.networks, name)()
    theirs = pandapower_ptdf(net)
    matrices = network_matrices_of_net(net)
    np.testing.assert_allclose(matrices.ptdf, theirs[:, net._pd2ppc_lookups["bus"][net.bus.index]], atol=1e-8)
    flow = np.r_[net.res_line["p_from_mw"], net.res_trafo["p_hv_mw"]]
    np.testing.assert_allclose(matrices.ptdf @ -net.res_bus["p_mw"].to_numpy(), flow, atol=1e-6)


def test_fused_buses_and_elements_out_of_service():
    net = pandapower.networks.case14()
    extra = pp.create_bus(net, vn_kv=net.bus.at[4, "vn_kv"])
    pp.create_bus(net, vn_kv=1.0, in_service=False)
    pp.create_switch(net, 4, extra, et="b", closed=True)
    net.line.loc[3, "in_service"] = False
    matrices = network_matrices_of_net(net)
    assert matrices.bus[-1] == str(extra)
    assert len(matrices.bus) == 15
    np.testing.assert_array_equal(matrices.ptdf[:, 14], matrices.ptdf[:, 4])
    assert "line 3" not in matrices.line
    assert len(matrices.line) == 19
    pp.rundcpp(net)
    injection = -net.res_bus["p_mw"].loc[[*range(14)]].to_numpy()
    flow = np.r_[net.res_line["p_from_mw"].drop(3), net.res_trafo["p_hv_mw"]]
    np.testing.assert_allclose(matrices.ptdf[:, :14] @ injection, flow, atol=1e-6)


def test_lodf_is_what_dc_says_with_the_line_out(grid):
    matrices = network_matrices(grid)
    injection = np.array([30.0, 0.0, -50.0, 10.0, 25.0, -40.0])
    flow = matrices.ptdf @ injection
    for line in np.flatnonzero(~matrices.bridge):
        kept, parts = without_line(grid, line)
        susceptance = 1 / (parts["x_pu"] * parts["tap_ratio"])
        after = ptdf(parts["line_from"], parts["line_to"], susceptance, 6, grid.slack) @ injection
        np.testing.assert_allclose((flow + matrices.lodf[:, line] * flow[line])[kept], after, atol=1e-9)
        assert matrices.lodf[line, line] == -1


def test_bridges_are_those_of_the_graph(grid):
    matrices = network_matrices(grid)
    assert [grid.line[index] for index in np.flatnonzero(matrices.bridge)] == ["ef"]
    np.testing.assert_array_equal(np.isnan(matrices.lodf).all(axis=0), matrices.bridge)
    assert np.isfinite(matrices.lodf[:, ~matrices.bridge]).all()


@pytest.mark.parametrize("name", ["case14", "case118", "case89pegase"])
def test_bridges_of_known_cases(name):
    matrices = network_matrices_of_net(getattr(pandapower.networks, name)())
    graph = nx.MultiGraph(zip(matrices.line_from.tolist(), matrices.line_to.tolist(), strict=True))
    single = nx.Graph(graph)
    bridges = {frozenset(ends) for ends in nx.bridges(single) if graph.number_of_edges(*ends) == 1}
    ours = {
        frozenset(ends)
        for ends in zip(
            matrices.line_from[matrices.bridge].tolist(), matrices.line_to[matrices.bridge].tolist(), strict=True
        )
    }
    assert ours == bridges


def test_angles_drive_the_flows(grid):
    injection = np.array([[30.0, 7.0, -50.0, 10.0, 25.0, -40.0], [0, 99, 0, 0, 0, 0]])
    angle = np.deg2rad(dc_angles_deg(grid, injection))
    flow = (angle[:, grid.line_from] - angle[:, grid.line_to]) / (grid.x_pu * grid.tap_ratio) * grid.base_mva
    np.testing.assert_allclose(flow, injection @ network_matrices(grid).ptdf.T, atol=1e-9)
    assert (angle[:, grid.slack] == 0).all()


def test_what_a_dc_power_flow_cannot_do(grid):
    with pytest.raises(GridError, match="bc: a DC power flow needs x_pu"):
        network_matrices(replace(grid, x_pu=np.where(np.arange(8) == 2, 0.0, grid.x_pu)))
    with pytest.raises(GridError, match="not connected to the slack"):
        network_matrices(replace(grid, line_to=np.where(np.arange(8) == 7, 3, grid.line_to)))
