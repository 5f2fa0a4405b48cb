"""A grid of six buses: two voltage levels, taps on either side, a double line, a bridge, shunts and an HVDC link."""

from __future__ import annotations

import numpy as np
import pytest

from gridtwin.records import AcInjections, GridData, UnitData


@pytest.fixture
def grid() -> GridData:
    return GridData(
        base_mva=100.0,
        bus=("a", "b", "c", "d", "e", "f"),
        vn_kv=np.array([230.0, 230.0, 230.0, 138.0, 138.0, 138.0]),
        vm_min_pu=np.full(6, 0.95),
        vm_max_pu=np.full(6, 1.05),
        shunt_mw=np.array([0.0, 1.5, 0.0, 0.0, 0.0, 0.0]),
        shunt_mvar=np.array([0.0, -20.0, 0.0, 0.0, 15.0, 0.0]),
        slack=1,
        slack_vm_pu=1.02,
        line=("ab1", "ab2", "bc", "ca", "da", "ce", "de", "ef"),
        line_from=np.array([0, 0, 1, 2, 3, 2, 3, 4]),
        line_to=np.array([1, 1, 2, 0, 0, 4, 4, 5]),
        r_pu=np.array([0.01, 0.012, 0.008, 0.01, 0.002, 0.002, 0.02, 0.015]),
        x_pu=np.array([0.06, 0.07, 0.05, 0.08, 0.08, 0.085, 0.09, 0.07]),
        b_pu=np.array([0.1, 0.11, 0.09, 0.12, 0.0, 0.0, 0.02, 0.03]),
        tap_ratio=np.array([1.0, 1.0, 1.0, 1.0, 1.015, 1.03, 1.0, 1.0]),
        is_transformer=np.array([False, False, False, False, True, True, False, False]),
        rate_mw=np.array([200.0, 200.0, np.inf, 150.0, 200.0, 200.0, 100.0, 60.0]),
        rate_long_mw=np.full(8, 220.0),
        rate_short_mw=np.full(8, 240.0),
        link=("hv",),
        link_from=np.array([0]),
        link_to=np.array([4]),
        link_p_nom_mw=np.array([50.0]),
        link_schedule_mw=np.array([0.0]),
        link_dispatched=np.zeros(1, dtype=bool),
        link_loss=np.full(1, 0.04),
    )


@pytest.fixture
def units() -> UnitData:
    """Two units at c, one at d, one at the slack, and a wind farm at e."""
    none = np.zeros(0)
    return UnitData(
        unit=("c1", "c2", "d1", "slack", "wind"),
        bus=np.array([2, 2, 3, 1, 4]),
        technology=("",) * 5,
        p_min_mw=np.zeros(5),
        p_max_mw=np.full(5, 200.0),
        q_min_mvar=np.array([-30.0, -20.0, -25.0, -1.0, 0.0]),
        q_max_mvar=np.array([40.0, 30.0, 35.0, 1.0, 0.0]),
        vm_set_pu=np.array([1.03, 1.03, 1.01, 1.02, 1.0]),
        ramp_mw_per_h=np.full(5, np.inf),
        holds_voltage=np.array([True, True, True, True, False]),
        always_committed=np.zeros(5, dtype=bool),
        quick_start=np.zeros(5, dtype=bool),
        renewable=np.array([False, False, False, False, True]),
        curtailable=np.zeros(5, dtype=bool),
        profile=np.full(5, -1),
        store=np.full(5, -1),
        segment_unit=none.astype(int),
        segment_mw=none,
        segment_cost_per_mwh=none,
        segment_co2_kg_per_mwh=none,
    )


@pytest.fixture
def injections() -> AcInjections:
    """Ten steps from a tenth of the load to all of it."""
    factor = np.linspace(0.1, 1.0, 10)[:, None]
    committed = np.ones((10, 5), dtype=bool)
    committed[:4, 0] = False  # c2 goes on holding the voltage of c
    committed[2, 2] = False
    return AcInjections(
        load_mw=factor * np.array([[90.0, 40.0, 60.0, 30.0, 80.0, 45.0]]),
        load_mvar=factor * np.array([[30.0, 10.0, 20.0, 10.0, 30.0, 15.0]]),
        unit_mw=factor * np.array([[80.0, 60.0, 70.0, 100.0, 40.0]]),
        committed=committed,
        link_mw=factor * np.array([[25.0]]),
    )
