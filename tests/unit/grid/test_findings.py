from dataclasses import replace

import numpy as np
import pytest

from gridtwin.grid.ac import AcGrid
from gridtwin.grid.findings import find_violations

INSTANTS = np.datetime64("2020-01-01T00:00:00", "s") + np.arange(10) * np.timedelta64(3600, "s")


@pytest.fixture
def ac(grid, units, injections):
    return AcGrid(grid, units).solve(injections)


def test_a_clean_solution_has_none(grid, ac):
    assert find_violations(ac, replace(grid, vm_min_pu=np.full(6, 0.8), vm_max_pu=np.full(6, 1.2)), INSTANTS) == ()


def test_thermal(grid, ac):
    apparent = np.hypot(ac.from_mw, ac.from_mvar)[-1, 7]
    other = np.hypot(ac.to_mw, ac.to_mvar)[-1, 7]
    rate = grid.rate_mw.copy()
    rate[7] = 0.99 * max(apparent, other)
    ac = replace(ac, loading_percent=ac.loading_percent * grid.rate_mw[7] / rate[7] * (np.arange(8) == 7))
    wide = replace(grid, vm_min_pu=np.full(6, 0.8), vm_max_pu=np.full(6, 1.2), rate_mw=rate)
    (found,) = find_violations(ac, wide, INSTANTS)
    assert (found.kind, found.step, found.instant, found.element, found.unit) == (
        "thermal",
        9,
        INSTANTS[9],
        "ef",
        "MVA",
    )
    assert found.value == pytest.approx(max(apparent, other))
    assert found.limit == rate[7]


def test_voltage_bands_may_differ_by_bus(grid, ac):
    low, high = np.full(6, 0.8), np.full(6, 1.2)
    low[2], high[1] = 1.1, 1.0
    found = find_violations(ac, replace(grid, vm_min_pu=low, vm_max_pu=high), INSTANTS)
    assert {(finding.kind, finding.element) for finding in found} == {("voltage_low", "c"), ("voltage_high", "b")}
    assert len(found) == 20
    assert [finding.step for finding in found] == sorted(finding.step for finding in found)
    assert found[0].unit == "pu"


def test_a_value_on_its_limit_is_no_finding(grid, ac):
    wide = replace(grid, vm_min_pu=ac.vm_pu.min(axis=0), vm_max_pu=ac.vm_pu.max(axis=0))
    assert find_violations(ac, wide, INSTANTS) == ()


def test_steps_without_solution(grid, units, injections):
    load = injections.load_mw.copy()
    load[4] *= 1e3
    ac = AcGrid(grid, units).solve(replace(injections, load_mw=load))
    wide = replace(grid, vm_min_pu=np.full(6, 0.8), vm_max_pu=np.full(6, 1.2))
    (found,) = find_violations(ac, wide, INSTANTS)
    assert (found.kind, found.step, found.element) == ("not_converged", 4, "")
    assert np.isnan([found.value, found.limit]).all()


def test_reactive_power_of_the_slack(grid, units, injections, ac):
    wide = replace(grid, vm_min_pu=np.full(6, 0.8), vm_max_pu=np.full(6, 1.2))
    found = find_violations(ac, wide, INSTANTS, units=units, injections=injections)
    q = ac.bus_mvar[:, 1] + injections.load_mvar[:, 1]
    beyond = np.abs(q) > 1
    assert [(finding.kind, finding.step) for finding in found] == [("slack_q", step) for step in np.flatnonzero(beyond)]
    np.testing.assert_allclose([finding.value for finding in found], q[beyond])
    np.testing.assert_array_equal([finding.limit for finding in found], np.sign(q[beyond]))
    enough = replace(units, q_min_mvar=np.full(5, -500.0), q_max_mvar=np.full(5, 500.0))
    assert find_violations(ac, wide, INSTANTS, units=enough, injections=injections) == ()
