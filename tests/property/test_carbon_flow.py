"""Whatever flows where, what is drawn bears all emissions, and no mixture is dirtier than what went into it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.economics.carbon_flow import consumption_co2_kg_per_mwh


@st.composite
def lossless_grids(draw):
    """Random loads and flows; generation is what balances each bus, with loads raised where it would be negative."""
    buses, edges = draw(st.integers(1, 5)), draw(st.integers(0, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    start, end = rng.integers(0, buses, (2, edges))
    start, end = start[start != end], end[start != end]
    sent = rng.normal(size=(2, len(start))) * 10 ** rng.uniform(-2, 3)
    net = np.zeros((2, buses))
    np.add.at(net, (slice(None), start), sent)
    np.add.at(net, (slice(None), end), -sent)
    withdrawal = rng.random((2, buses)) * 100 * (rng.random((2, buses)) > 0.3)
    withdrawal += np.maximum(-(withdrawal + net), 0.0)
    return withdrawal, withdrawal + net, rng.uniform(0, 1000, (2, buses)), sent, start, end


@given(lossless_grids())
def test_emissions_are_conserved(grid):
    withdrawal, generation, rate, sent, start, end = grid
    co2 = np.maximum(generation, 0) * rate
    factor = consumption_co2_kg_per_mwh(withdrawal, co2, sent, start, end)
    drawn = np.where(withdrawal > 0, factor, 0) * withdrawal
    np.testing.assert_allclose(drawn.sum(axis=1), co2.sum(axis=1), rtol=1e-9, atol=1e-6)


@given(lossless_grids())
def test_no_mixture_is_dirtier_than_the_dirtiest_unit(grid):
    withdrawal, generation, rate, sent, start, end = grid
    factor = consumption_co2_kg_per_mwh(withdrawal, np.maximum(generation, 0) * rate, sent, start, end)
    assert (np.nan_to_num(factor) <= rate.max(axis=1, keepdims=True) * (1 + 1e-9)).all()
    assert (np.nan_to_num(factor) >= -1e-9).all()
