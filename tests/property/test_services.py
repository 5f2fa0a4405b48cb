"""Whatever is asked and whoever may answer: every request is served, or counted as unserved where it was sent first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtwin.workload.services import fill, preferred

STEPS, NODES = 5, 1e-6


@st.composite
def systems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    callers, sites = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    may = rng.random((callers, sites)) < draw(st.sampled_from([0.3, 0.7, 1.0]))
    asked = rng.exponential(draw(st.sampled_from([0.5, 5.0, 50.0])), (STEPS, callers)) * (rng.random(callers) < 0.8)
    asked[:, ~may.any(axis=1)] = 0.0
    room = rng.integers(0, 12, (STEPS, sites))
    order = preferred(may, rng.random((callers, sites)), rng.integers(0, 3, sites))
    return asked, room, may, order, np.sort(np.r_[0, rng.integers(0, 2, STEPS - 1)])


@settings(max_examples=60, deadline=None)
@given(systems())
def test_requests_are_conserved(system):
    asked, room, may, order, block = system
    filled = fill(asked, room, order, block)
    sent = filled.sent_nodes
    assert (sent >= 0).all()
    assert (sent[:, ~may] == 0).all()
    by_block = np.array([asked[block == b].sum(axis=0) for b in range(block[-1] + 1)])
    assert sent.sum(axis=2) == pytest.approx(by_block, abs=NODES)
    rounded_up = filled.nodes.sum(axis=1) - asked.sum(axis=1)
    assert (rounded_up > -NODES).all()
    assert (rounded_up < (filled.nodes > 0).sum(axis=1) + NODES).all()


@settings(max_examples=60, deadline=None)
@given(systems())
def test_nobody_is_unserved_while_a_site_within_reach_has_room(system):
    asked, room, may, order, block = system
    nodes = fill(asked, room, order, block).nodes
    beyond = np.maximum(nodes - room, 0)
    for step, site in np.argwhere(beyond > 0):
        sent_on = (order[:, 0] == site) & (asked[step] > 0)  # callers who asked this one first, and were sent back
        others = [set(np.flatnonzero(may[caller]).tolist()) for caller in np.flatnonzero(sent_on)]
        assert any(all(nodes[step, other] >= room[step, other] for other in reach) for reach in others)


@settings(max_examples=40, deadline=None)
@given(systems())
def test_with_room_for_all_everybody_has_the_first_choice(system):
    asked, room, may, order, block = system
    filled = fill(asked, np.full_like(room, 10_000), order, block)
    first = np.zeros(may.shape, dtype=bool)
    callers = np.flatnonzero(may.any(axis=1))
    first[callers, order[callers, 0]] = True
    assert (filled.sent_nodes[:, ~first] == 0).all()
