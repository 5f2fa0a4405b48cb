"""Emission factors of what is drawn, on grids small enough to trace by hand."""

import numpy as np
import pytest

from gridtwin.economics.carbon_flow import consumption_co2_kg_per_mwh


def factor(withdrawal_mw, co2_kg_per_h, *edges):
    """Of one step; an edge is (from, to, MW sent)."""
    start, end = (np.array([edge[i] for edge in edges], np.int64) for i in (0, 1))
    sent = np.array([[edge[2] for edge in edges]], float).reshape(1, len(edges))
    return consumption_co2_kg_per_mwh(
        np.array([withdrawal_mw], float), np.array([co2_kg_per_h], float), sent, start, end
    )[0].tolist()


def test_an_island_has_the_factor_of_its_units():
    assert factor([100], [82_000]) == [820]


def test_imports_bring_the_factor_of_their_origin():
    """The second bus draws 100 MW: 60 of its own wind, 40 of the first, whose coal emits 900 kg/MWh."""
    assert factor([60, 100], [90_000, 0], (0, 1, 40)) == pytest.approx([900, 360])


def test_the_sign_says_which_end_sends():
    assert factor([60, 100], [90_000, 0], (1, 0, -40)) == factor([60, 100], [90_000, 0], (0, 1, 40))


def test_transit_passes_the_mixture_on():
    """0 sends 30 of coal to 1, which adds 10 of wind, draws 20 and sends 20 to 2: three quarters are coal."""
    assert factor([70, 20, 20], [100_000, 0, 0], (0, 1, 30), (1, 2, 20)) == pytest.approx([1000, 750, 750])


def test_those_who_receive_bear_what_is_lost():
    """100 MW of 900 kg are sent, 90 arrive and are drawn: 1000 kg for each MWh."""
    assert factor([0, 90], [90_000, 0], (0, 1, 100)) == pytest.approx([900, 1000])


def test_power_in_a_ring_has_a_mixture():
    """Corridors may be used in a ring: 0 gets back from 2 a part of what it gave to 1."""
    found = factor([10, 10, 10], [27_000, 0, 3_000], (0, 1, 5), (1, 2, 5), (2, 0, 5))
    assert np.dot(found, [10, 10, 10]) == pytest.approx(30_000)
    assert found[0] > found[2] > 0


def test_parallel_edges_add_up():
    assert factor([60, 100], [90_000, 0], (0, 1, 15), (1, 0, -25)) == pytest.approx([900, 360])


def test_where_nothing_is_drawn_there_is_no_factor():
    """The third bus is dark; the last two only send each other round in a ring."""
    found = factor([10, 0, 0, 0], [5_000, 0, 0, 0], (2, 3, 7), (3, 2, 7))
    assert found[0] == 500
    assert np.isnan(found[1:]).all()


def test_a_bus_that_only_sends_has_one():
    assert factor([0, 10], [5_000, 0], (0, 1, 10)) == [500, 500]


def test_steps_do_not_touch_each_other(monkeypatch):
    rng = np.random.default_rng(1)
    withdrawal, co2, sent = rng.random((7, 4)), rng.random((7, 4)), rng.normal(size=(7, 5))
    ends = np.array([0, 1, 2, 3, 0]), np.array([1, 2, 3, 0, 2])
    whole = consumption_co2_kg_per_mwh(withdrawal, co2, sent, *ends)
    monkeypatch.setattr("gridtwin.economics.carbon_flow.STEPS_AT_ONCE", 3)
    assert (consumption_co2_kg_per_mwh(withdrawal, co2, sent, *ends) == whole).all()
