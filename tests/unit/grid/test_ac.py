from dataclasses import fields, replace

import numpy as np
import pytest

from gridtwin.errors import GridError
from gridtwin.grid import ac as ac_module
from gridtwin.grid.ac import AcGrid
from gridtwin.grid.newton import solve_batch
from gridtwin.records import AcInjections, AcSolution, GridData, UnitData


@pytest.fixture
def ac_grid(grid, units):
    return AcGrid(grid, units)


def take(injections, steps):
    return AcInjections(**{field.name: getattr(injections, field.name)[steps] for field in fields(injections)})


def arrays(solution):
    names = [field.name for field in fields(AcSolution) if field.name != "method"]
    return {name: getattr(solution, name) for name in names}


def assert_same_bytes(solution, steps, other):
    for name, value in arrays(solution).items():
        assert value[steps].tobytes() == getattr(other, name).tobytes(), name


def test_power_balances_at_every_bus(ac_grid, grid, injections):
    ac = ac_grid.solve(injections)
    assert ac.method == ("batch",) * 10
    asked = -injections.load_mw.copy()
    np.add.at(asked, (slice(None), ac_grid.units.bus), injections.unit_mw)
    asked[:, 0] -= injections.link_mw[:, 0]
    asked[:, 4] += 0.96 * injections.link_mw[:, 0]
    excess = ac.bus_mw - asked
    np.testing.assert_allclose(np.delete(excess, grid.slack, axis=1), 0, atol=1e-8)
    np.testing.assert_allclose(excess[:, grid.slack], ac.slack_excess_mw, atol=1e-9)
    np.testing.assert_allclose(ac.losses_mw, ac.bus_mw.sum(axis=1), atol=1e-8)
    assert (ac.losses_mw > 0).all()


def test_voltages_reproduce_injections(ac_grid, grid, injections):
    ac = ac_grid.solve(injections)
    v = ac.vm_pu * np.exp(1j * np.deg2rad(ac.va_deg))
    s = v * (ac_grid.ybus @ v.T).T.conj() * grid.base_mva
    np.testing.assert_allclose(s.real, ac.bus_mw, atol=1e-9)
    np.testing.assert_allclose(s.imag, ac.bus_mvar, atol=1e-9)


def test_reactive_balance_and_limits(ac_grid, injections):
    ac = ac_grid.solve(injections)
    unit_mvar = ac.bus_mvar + injections.load_mvar
    np.testing.assert_allclose(unit_mvar[:, [0, 4, 5]], 0, atol=1e-8)
    lower, upper = np.where(injections.committed[:, [0]], -50, -20), np.where(injections.committed[:, [0]], 70, 30)
    assert (unit_mvar[:, [2]] >= lower - 1e-5).all()
    assert (unit_mvar[:, [2]] <= upper + 1e-5).all()
    assert unit_mvar[2, 3] == pytest.approx(0, abs=1e-8), "d1 is not committed in step 2"
    assert not ac.holds_voltage[2, 3]
    np.testing.assert_allclose(ac.vm_pu[:, 1], 1.02, atol=1e-12)
    assert ac.q_limited.any(), "some step must reach a limit"
    assert not ac.q_limited.all(axis=0).any(), "and hold its voltage in another"
    assert (np.abs(unit_mvar[:, 1]) > 1).any(), "the slack is beyond its limits of 1 Mvar, which are not enforced"
    held = ac.holds_voltage[:, [2, 3]]
    np.testing.assert_allclose((ac.vm_pu[:, [2, 3]] - [1.03, 1.01])[held], 0, atol=1e-12)


def test_limits_may_be_left_out(ac_grid, injections):
    ac = ac_grid.solve(injections, enforce_q_limits=False)
    assert not ac.q_limited.any()
    np.testing.assert_allclose(ac.vm_pu[:, 2], 1.03, atol=1e-12)


def test_loading_is_that_of_the_fuller_end(ac_grid, grid, injections):
    ac = ac_grid.solve(injections)
    assert (ac.loading_percent[:, 2] == 0).all(), "no rating, no loading"
    ef = np.maximum(np.hypot(ac.from_mw, ac.from_mvar), np.hypot(ac.to_mw, ac.to_mvar))[:, 7]
    np.testing.assert_allclose(ac.loading_percent[:, 7], 100 * ef / grid.rate_mw[7])


def test_flows_out_of_a_bus_add_up(ac_grid, grid, injections):
    ac = ac_grid.solve(injections)
    total = np.zeros_like(ac.bus_mw)
    np.add.at(total, (slice(None), grid.line_from), ac.from_mw)
    np.add.at(total, (slice(None), grid.line_to), ac.to_mw)
    np.testing.assert_allclose(total + grid.shunt_mw * ac.vm_pu**2, ac.bus_mw, atol=1e-9)


@pytest.mark.parametrize("enforce", [True, False])
def test_a_diverged_step_is_nan_and_moves_nobody(ac_grid, injections, enforce):
    load = injections.load_mw.copy()
    load[5] *= 1e3
    ac = ac_grid.solve(replace(injections, load_mw=load), enforce_q_limits=enforce)
    assert ac.method[5] == "failed"
    assert ac.converged.tolist() == [step != 5 for step in range(10)]
    for name, value in arrays(ac).items():
        if value.dtype == float:
            assert np.isnan(value[5]).all(), name
    others = np.arange(10) != 5
    assert_same_bytes(ac, others, ac_grid.solve(take(injections, others), enforce_q_limits=enforce))


@pytest.mark.parametrize("steps", [[0], [7], [2, 9], [9, 2, 4], list(range(9, -1, -1))])
def test_bytes_do_not_depend_on_the_batch(ac_grid, injections, steps):
    assert_same_bytes(ac_grid.solve(injections), steps, ac_grid.solve(take(injections, steps)))


@pytest.fixture
def batch_fails(monkeypatch):
    def failing(*args, **_):
        flows = solve_batch(*args)
        flows.v_pu[:], flows.converged[:] = np.nan, False
        return flows

    monkeypatch.setattr(ac_module, "solve_within_limits", failing)


@pytest.mark.parametrize("enforce", [True, False])
def test_runpp_steps_in_for_the_batch(ac_grid, injections, request, enforce):
    expected = ac_grid.solve(injections, enforce_q_limits=enforce)
    request.getfixturevalue("batch_fails")
    ac = ac_grid.solve(injections, enforce_q_limits=enforce)
    assert ac.method == ("runpp",) * 10
    np.testing.assert_allclose(ac.vm_pu, expected.vm_pu, atol=1e-9)
    np.testing.assert_array_equal(ac.q_limited, expected.q_limited)


@pytest.mark.parametrize("moved", [0, 2, 5])
@pytest.mark.parametrize("enforce", [True, False])
def test_runpp_is_not_taken_at_its_word(ac_grid, injections, request, monkeypatch, *, enforce, moved):
    """Neither a voltage that does not balance nor a broken limit gets through."""
    unlimited = ac_grid.solve(injections, enforce_q_limits=False)
    beyond = ac_grid.solve(injections).q_limited.any(axis=1)
    voltages = iter(
        unlimited.vm_pu * np.exp(1j * np.deg2rad(unlimited.va_deg)) + 1e-4 * (np.arange(6) == moved) * moved
    )
    request.getfixturevalue("batch_fails")
    monkeypatch.setattr(ac_module, "run_step", lambda *_, **__: next(voltages))
    method = np.array(ac_grid.solve(injections, enforce_q_limits=enforce).method)
    assert beyond.any()
    assert (method[beyond] == "failed").all() if enforce else True
    assert (method == "failed").all() if moved else (method[~beyond] == "runpp").all()


def test_inputs_are_refused_by_name(ac_grid, injections):
    with pytest.raises(GridError, match=r"unit_mw: shape \(10, 4\), expected \(10, 5\)"):
        ac_grid.solve(replace(injections, unit_mw=injections.unit_mw[:, :4]))
    load = injections.load_mvar.copy()
    load[3, 4] = np.nan
    with pytest.raises(GridError, match=r"load_mvar: nan at step 3, e; expected a finite number \(1 such"):
        ac_grid.solve(replace(injections, load_mvar=load))


def test_a_grid_with_next_to_nothing_in_it():
    none, nowhere = np.zeros(0), np.zeros(0, dtype=int)
    grid = GridData(
        base_mva=50.0,
        bus=("a", "b"),
        vn_kv=np.full(2, 20.0),
        vm_min_pu=np.full(2, 0.9),
        vm_max_pu=np.full(2, 1.1),
        shunt_mw=np.zeros(2),
        shunt_mvar=np.zeros(2),
        slack=0,
        slack_vm_pu=1.0,
        line=("ab",),
        line_from=np.array([0]),
        line_to=np.array([1]),
        r_pu=np.array([0.0]),
        x_pu=np.array([0.1]),
        b_pu=np.array([0.0]),
        tap_ratio=np.ones(1),
        is_transformer=np.array([False]),
        rate_mw=np.full(1, np.inf),
        rate_long_mw=np.full(1, np.inf),
        rate_short_mw=np.full(1, np.inf),
        link=(),
        link_from=nowhere,
        link_to=nowhere,
        link_p_nom_mw=none,
        link_schedule_mw=none,
        link_dispatched=none.astype(bool),
        link_loss=none,
    )
    shapes = {field.name: none for field in fields(UnitData)}
    flags = ("holds_voltage", "always_committed", "quick_start", "renewable", "curtailable")
    units = UnitData(
        **shapes
        | {"unit": (), "technology": (), "bus": nowhere, "profile": nowhere, "segment_unit": nowhere}
        | {flag: np.zeros(0, dtype=bool) for flag in flags}
    )
    load_mw = np.array([[0.0, 50.0], [0.0, 1e4]])
    nothing = np.zeros((2, 0))
    ac = AcGrid(grid, units).solve(AcInjections(load_mw, 0 * load_mw, nothing, nothing.astype(bool), nothing))
    assert ac.method == ("batch", "failed")
    assert ac.vm_pu[0, 1] == pytest.approx(np.sqrt((1 + np.sqrt(0.96)) / 2), abs=1e-9)
    assert ac.losses_mw[0] == pytest.approx(0, abs=1e-7)
