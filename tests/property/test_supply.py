"""Whatever is contracted: no MWh is claimed twice, no site claims more than it draws, an hour less than a year."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.economics.supply import KINDS, claims

SLACK = 1e-9


@st.composite
def portfolios(draw):
    """Random contracts of all kinds on a few sites; a portfolio has several rows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps, sites, rows = (int(rng.integers(1, most)) for most in (6, 4, 9))
    kind = rng.choice(KINDS, rows).tolist()
    label = [f"{name}{rng.integers(2) if name == 'aggregated' else row}" for row, name in enumerate(kind)]
    output = rng.random((steps, rows)) * (rng.random((steps, rows)) > 0.3) * 10 ** rng.uniform(-1, 2)
    load = rng.uniform(-1, 10, (steps, sites))
    return label, kind, rng.integers(0, sites, rows), output, load


@given(portfolios())
def test_claims(case):
    label, kind, site, output, load = case
    found, drawn = claims(label, kind, site, output, load, 0.5), np.maximum(load, 0)
    assert (found.mwh >= -SLACK).all()
    assert (found.mwh.sum(axis=1) <= output.sum(axis=0) * 0.5 + SLACK).all()
    assert (found.mwh.sum(axis=0) <= drawn.sum(axis=0) * 0.5 + SLACK).all()
    assert (found.matched_mw <= drawn + SLACK).all()
    assert (found.direct_mw <= found.matched_mw + SLACK).all()
    assert (found.matched_mw.sum(axis=0) * 0.5 <= found.mwh.sum(axis=0) + SLACK).all()
    foreign = np.array(
        [[s not in site[np.array(label) == label[row]] for s in range(load.shape[1])] for row in range(len(label))]
    )
    assert not found.mwh[foreign].any()
