"""N-1 of a settled day of RTS-GMLC against `pandapower.runpp` with the element out of service."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandapower as pp
import pandapower.topology
import pytest

from gridtwin.grid.contingency import FAILED, ISLANDED, OK, BranchNetwork, OperatingPoints, OutageFlows, solve_outages
from gridtwin.grid.network import build_net
from gridtwin.inputs.load import load_study
from gridtwin.results.store import RunFolder
from gridtwin.twin.n1 import read_network, read_points

pytestmark = pytest.mark.slow

DAY = Path(__file__).parents[2] / "scenarios" / "rts_gmlc_day.yaml"
PAIRS = 200
V_PU = 1e-6


class Peer:
    """pandapower's net of record, given the injections of a step, with one element out."""

    def __init__(self, study, points: OperatingPoints) -> None:
        transformer = study.grid.is_transformer
        self.points = points
        self.net = build_net(study.grid, study.units)
        self.net.sgen["p_mw"] = self.net.gen["p_mw"] = 0.0
        self.table = np.where(transformer, "trafo", "line")
        self.row = np.where(transformer, np.cumsum(transformer), np.cumsum(~transformer)) - 1

    @contextmanager
    def without(self, outage):
        self.net[self.table[outage]].loc[self.row[outage], "in_service"] = False
        yield self.net
        self.net[self.table[outage]].loc[self.row[outage], "in_service"] = True

    def solve(self, step, outage):
        """Complex voltages, or None where it does not converge."""
        mva, at = self.points.injection_mva[step], self.net.gen["bus"].to_numpy()
        self.net.load["p_mw"], self.net.load["q_mvar"] = -mva.real, -mva.imag
        self.net.gen["in_service"] = self.points.holds_voltage[step, at]
        self.net.gen["vm_pu"] = np.abs(self.points.v_pu[step, at])
        with self.without(outage) as net, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                pp.runpp(net, init="dc", lightsim2grid=False, numba=False, tolerance_mva=1e-8, max_iteration=30)
            except pp.LoadflowNotConverged:
                return None
            angle = np.deg2rad(net.res_bus["va_degree"].to_numpy())
            return net.res_bus["vm_pu"].to_numpy() * np.exp(1j * angle)


@pytest.fixture(scope="module")
def day(day_run) -> RunFolder:
    """Return the shipped day under asap."""
    return RunFolder(next(day_run("asap").out_dir.iterdir()))


@pytest.fixture(scope="module")
def network(day) -> BranchNetwork:
    return read_network(day)


@pytest.fixture(scope="module")
def points(day) -> OperatingPoints:
    """Return the first 24 hours."""
    return read_points(day, 0)[1]


@pytest.fixture(scope="module")
def peer(points) -> Peer:
    return Peer(load_study(DAY, ["policy=asap"]), points)


@pytest.fixture(scope="module")
def found(network, points):
    return solve_outages(network, points)


def test_islanding_outages_are_the_same(found, peer):
    unsupplied = []
    for outage in range(len(peer.row)):
        with peer.without(outage) as net:
            unsupplied.append(len(pp.topology.unsupplied_buses(net)) > 0)
    np.testing.assert_array_equal(found.status == ISLANDED, np.tile(unsupplied, (len(found.status), 1)))
    assert 0 < sum(unsupplied) < len(unsupplied)


def test_voltages_are_those_of_runpp(found, network, points, peer):
    steps, outages = np.nonzero(found.status == OK)
    chosen = np.random.default_rng(3).choice(len(steps), PAIRS, replace=False)
    flows = OutageFlows(network)
    for step, outage in zip(steps[chosen], outages[chosen], strict=True):
        base = points.v_pu[step], points.injection_mva[step] / network.base_mva, points.holds_voltage[step]
        ours, theirs = flows.solve(*base, np.array([outage]))[0], peer.solve(step, outage)
        assert theirs is not None, (step, outage)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=V_PU, err_msg=f"step {step}, outage {outage}")


def test_what_fails_here_fails_there(day, network, peer, monkeypatch):
    """In all windows: on the first day alone every outage may have a solution."""
    failures = 0
    for window in range(day.read_journal().windows):
        points = read_points(day, window)[1]
        monkeypatch.setattr(peer, "points", points)
        failed = np.argwhere(solve_outages(network, points).status == FAILED).tolist()
        assert [pair for pair in failed if peer.solve(*pair) is not None] == []
        failures += len(failed)
    assert failures
