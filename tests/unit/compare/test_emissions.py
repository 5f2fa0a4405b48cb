"""What a change of draw is: volume, a move in time, a move in place, curtailment spared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridtwin.compare.emissions import co2_decomposition, load_shift
from gridtwin.compare.series import align

NONE = np.zeros(2)
RATES = np.array([[400.0, 500.0], [900.0, 700.0]])  # hour, bus


def parts(shift):
    return {name: getattr(shift, f"{name}_kg") for name in ("volume", "time", "place", "curtailment")}


def test_twice_the_draw_is_volume_alone():
    base = np.array([[10.0, 30.0], [20.0, 40.0]])
    shift = load_shift(base, 2 * base, RATES, NONE)
    assert parts(shift) == pytest.approx({"volume": (base * RATES).sum(), "time": 0, "place": 0, "curtailment": 0})
    assert (shift.volume_mwh, shift.time_mwh, shift.place_mwh) == pytest.approx((100.0, 0.0, 0.0))


def test_the_same_draw_in_another_hour_is_time_alone():
    base, change = np.array([[0.0, 0.0], [10.0, 10.0]]), np.array([[10.0, 10.0], [0.0, 0.0]])
    shift = load_shift(base, change, RATES, NONE)
    # in an hour without draw the shares of the other run's stand in
    assert parts(shift) == pytest.approx({"volume": 0, "time": 20 * (450 - 800), "place": 0, "curtailment": 0})
    assert (shift.time_mwh, shift.place_mwh) == pytest.approx((20.0, 0.0))


def test_the_same_draw_at_another_bus_is_place_alone():
    base, change = np.array([[10.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 10.0], [0.0, 0.0]])
    shift = load_shift(base, change, RATES, NONE)
    assert parts(shift) == pytest.approx({"volume": 0, "time": 0, "place": 10 * (500 - 400), "curtailment": 0})
    assert shift.place_mwh == pytest.approx(10.0)


def test_a_move_into_curtailed_wind_is_curtailment_as_far_as_there_was_some():
    base, change = np.array([[0.0], [10.0]]), np.array([[10.0], [0.0]])
    rates = np.array([[0.0], [800.0]])
    moved = load_shift(base, change, rates, NONE)
    spared = load_shift(base, change, rates, np.array([4.0, 0.0]))
    assert parts(moved) == pytest.approx({"volume": 0, "time": -8000, "place": 0, "curtailment": 0})
    # half of the move's worth lies in the hour it goes to; four tenths of that met wind
    assert parts(spared) == pytest.approx({"volume": 0, "time": -6400, "place": 0, "curtailment": -1600})
    assert spared.curtailment_mwh == pytest.approx(4.0)


def test_a_move_to_a_bus_with_curtailed_wind_is_curtailment_too():
    base, change = np.array([[10.0, 0.0]]), np.array([[0.0, 10.0]])
    shift = load_shift(base, change, np.array([[800.0, 0.0]]), np.array([5.0]))
    assert parts(shift) == pytest.approx({"volume": 0, "time": 0, "place": -4000, "curtailment": -4000})
    assert shift.curtailment_mwh == pytest.approx(5.0)


def test_a_move_that_makes_curtailment_is_charged_with_it():
    base, change = np.array([[0.0, 10.0]]), np.array([[10.0, 0.0]])
    shift = load_shift(base, change, np.array([[800.0, 0.0]]), np.array([-5.0]))
    assert parts(shift) == pytest.approx({"volume": 0, "time": 0, "place": 4000, "curtailment": 4000})
    assert shift.curtailment_mwh == pytest.approx(-5.0)


def test_curtailment_that_goes_against_the_move_is_not_put_down_to_it():
    base, change = np.array([[0.0], [10.0]]), np.array([[10.0], [0.0]])
    shift = load_shift(base, change, np.array([[0.0], [800.0]]), np.array([-4.0, 0.0]))
    assert shift.curtailment_kg == 0.0


SHAPE = (4, 3)
DRAW = arrays(float, SHAPE, elements=st.floats(-5, 100))  # a store behind a meter may feed back
RATE = arrays(float, SHAPE, elements=st.floats(-2e4, 2e4))
SPARED = arrays(float, SHAPE[0], elements=st.floats(-50, 50))


@given(DRAW, DRAW, RATE, SPARED)
def test_the_parts_add_up_to_rate_times_change(base, change, rate, spared):
    shift = load_shift(base, change, rate, spared)
    sizes = (np.abs(rate) * (np.abs(base) + np.abs(change))).sum()
    assert sum(parts(shift).values()) == pytest.approx(
        (rate * (change - base)).sum(), abs=1e-9 * max(sizes, 1.0) + 1e-9
    )
    assert abs(shift.curtailment_mwh) <= np.abs(spared).sum() + 1e-9


@given(DRAW, DRAW, SPARED)
def test_where_all_rates_are_one_only_volume_counts(base, change, spared):
    shift = load_shift(base, change, np.full(SHAPE, 500.0), spared)
    assert shift.volume_kg == pytest.approx(500.0 * (change - base).sum(), abs=1e-6)
    assert (shift.time_kg, shift.place_kg, shift.curtailment_kg) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


@given(DRAW.map(np.abs), DRAW.map(np.abs), RATE)
def test_each_part_is_the_shapley_value_of_its_factor(base, change, rate):
    base, change = base + 1.0, change + 1.0
    (e_a, kappa_a, k_a), (e_b, kappa_b, k_b) = factors(base), factors(change)
    of_step_a, of_step_b = (k_a * rate).sum(axis=1), (k_b * rate).sum(axis=1)
    mean = (of_step_a + of_step_b) / 2
    shift = load_shift(base, change, rate, np.zeros(SHAPE[0]))
    assert parts(shift) == pytest.approx(
        {
            "volume": (e_b - e_a) * (mean @ (kappa_a + kappa_b)) / 2,
            "time": (e_a + e_b) / 2 * (mean @ (kappa_b - kappa_a)),
            "place": ((e_a * kappa_a + e_b * kappa_b) / 2 * (of_step_b - of_step_a)).sum(),
            "curtailment": 0.0,
        },
        rel=1e-9,
        abs=1e-4,
    )


def factors(draw):
    of_step = draw.sum(axis=1)
    return of_step.sum(), of_step / of_step.sum(), draw / of_step[:, None]


@pytest.mark.parametrize(
    ("part", "variable", "place", "more_mw", "expected"),
    [
        ("stores", "charge_mw", 0, 10.0, {1: 10.0}),
        ("stores", "discharge_mw", 0, 10.0, {1: -10.0}),
        ("load", "load_mw", 2, 10.0, {2: 10.0}),
        ("load", "shed_mw", 2, 10.0, {2: -10.0}),
        ("reservoirs", "unit_mw", 3, 1.0, {0: -1.0}),
        ("links", "link_mw", 0, 10.0, {0: 10.0, 1: -9.8}),
        ("weather", "available_mw", 2, 10.0, {2: -10.0}),
    ],
)
def test_what_else_differs_is_valued_at_its_bus(make_run, part, variable, place, more_mw, expected):
    base, change = make_run(1), make_run(1)
    for run, mw in ((base, 0.0), (change, more_mw)):
        values = base.run.values_by_name[variable].copy()
        values[:, place] = mw if variable == "link_mw" else values[:, place] + mw
        run.run.values_by_name = run.run.values_by_name | {variable: values}
    table = co2_decomposition(base, change, align(base.card, change.card, base.run.time, change.run.time))
    found = {part.name: part.delta for part in table.parts}
    rate = base.v["marginal_co2_kg_per_mwh"]
    valued = sum(mw * rate[:, bus].sum() for bus, mw in expected.items()) / 1000
    assert found.pop(part) == pytest.approx(valued)
    assert found.pop("redispatch") == pytest.approx(-valued)  # as no unit that emits did anything
    assert set(found.values()) == {0.0}
