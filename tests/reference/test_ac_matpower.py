"""MATPOWER's printed solution of RTS-GMLC."""

from __future__ import annotations

import numpy as np
import pytest

from gridtwin.grid.ac import AcGrid
from gridtwin.grid.matrices import dc_angles_deg, network_matrices

LOSSES_MW = 153.97  # rts_matpower_solution_summary.csv, acpf
PRINTED_MW, PRINTED_DEG, PRINTED_PU = 0.0051, 0.00051, 0.00051  # half a last digit


@pytest.fixture(scope="module")
def ac(rts_case):
    return AcGrid(rts_case.grid, rts_case.units).solve(rts_case.injections, enforce_q_limits=False)


def test_ac_losses_and_voltages(rts_case, ac):
    printed = rts_case.printed("bus", "acpf")
    assert ac.losses_mw[0] == pytest.approx(LOSSES_MW, abs=PRINTED_MW)
    assert ac.slack_excess_mw[0] == pytest.approx(0, abs=PRINTED_MW), "the case holds the slack's output already"
    np.testing.assert_allclose(ac.vm_pu[0], printed["vm_pu"], rtol=0, atol=PRINTED_PU)
    np.testing.assert_allclose(ac.va_deg[0], printed["va_deg"], rtol=0, atol=PRINTED_DEG)


def test_ac_flows(rts_case, ac):
    printed = rts_case.printed("branch", "acpf")
    for ours, theirs in (("from_mw", "pf_mw"), ("to_mw", "pt_mw"), ("from_mvar", "qf_mvar"), ("to_mvar", "qt_mvar")):
        np.testing.assert_allclose(getattr(ac, ours)[0], printed[theirs], rtol=0, atol=PRINTED_MW, err_msg=ours)


def test_dc_flows_and_angles(rts_case):
    grid, units, injections = rts_case.grid, rts_case.units, rts_case.injections
    printed_bus, printed_branch = rts_case.printed("bus", "dcpf"), rts_case.printed("branch", "dcpf")
    generation = printed_bus["pg_mw"].fillna(0.0).to_numpy()
    injection = (generation - injections.load_mw[0] - grid.shunt_mw)[None]
    assert len(units.unit) == 158
    flow = injection @ network_matrices(grid).ptdf.T
    np.testing.assert_allclose(flow[0], printed_branch["pf_mw"], rtol=0, atol=PRINTED_MW)
    np.testing.assert_allclose(dc_angles_deg(grid, injection)[0], printed_bus["va_deg"], rtol=0, atol=PRINTED_DEG)
