"""Where HVDC links inject."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridtwin.arrays import link_injection_mw

BUSES = 4
links = st.lists(
    st.tuples(
        st.floats(-500, 500), st.integers(0, BUSES - 1), st.integers(0, BUSES - 1), st.floats(0, 0.5, exclude_max=True)
    ),
    max_size=5,
)


@given(links)
def test_only_losses_are_missing_at_the_far_end(rows):
    sent, start, end, loss = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 4
    ends = start.astype(int), end.astype(int)
    injected = link_injection_mw(sent[None, :], *ends, loss, BUSES)
    np.testing.assert_allclose(injected.sum(), -(loss * np.abs(sent)).sum(), atol=1e-9)
    turned = link_injection_mw(-sent[None, :], *ends[::-1], loss, BUSES)
    np.testing.assert_allclose(turned, injected, atol=1e-9)


def test_two_links_at_a_bus_add_up():
    """100 MW from bus 0 lose 10 % on the way to bus 1; 50 MW from bus 1 lose a fifth to bus 2."""
    links = np.array([0, 2]), np.array([1, 1]), np.array([0.1, 0.2])
    np.testing.assert_allclose(link_injection_mw(np.array([[100.0, -50.0]]), *links, 3), [[-100, 90 - 50, 40]])


def test_no_link_injects_nothing():
    none = np.zeros(0, np.int64)
    assert link_injection_mw(np.zeros((2, 0)), none, none, np.zeros(0), 3).tolist() == [[0, 0, 0]] * 2
