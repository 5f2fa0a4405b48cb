"""What two layouts took from their stores, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from gridtwin.compare.layout.lines import _plus, _taken


def run(taken_mwh, price, store=("lake", "battery")):
    return SimpleNamespace(
        inputs={"stores": {"store": np.array(store), "bus_index": np.array([1, 0])}},
        taken_mwh=np.array(taken_mwh),
        v={"price": np.array(price)},
    )


STEPS = SimpleNamespace(usable=True, base=np.array([0, 1]), change=np.array([1, 2]))


def test_energy_taken_is_valued_at_the_mean_of_both():
    """Buses at 10 and 40 in one run, at 30 and 60 in the other: 20 and 50. The lake stands at the second bus."""
    old = run([[5, 0], [1, 2]], [[10, 40], [10, 40]])
    new = run([[99, 99], [0, 0], [-3, 1]], [[99, 99], [30, 60], [30, 60]])
    assert _taken(old, new, STEPS, "price") == pytest.approx((6 * 50 + 2 * 20, -3 * 50 + 1 * 20))


def test_other_stores_have_no_common_value():
    assert _taken(run([[0, 0]], [[1, 1]]), run([[0, 0]], [[1, 1]], ("lake", "dam")), STEPS, "price") == (None, None)


def test_no_value_stays_none():
    assert _plus((1.0, None), (10.0, 10.0), 0.5) == (6.0, None)
