"""Stores in real time, worked out on paper: a battery, a reservoir, and one that has both charge and inflow."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.records import StoreData
from gridtwin.twin.schedule import step_stores

STORES = replace(StoreData.none(), store=("battery", "reservoir", "pumped"), energy_mwh=np.array([10.0, 20.0, 10.0]))
KEPT = np.array([1.0, 0.5, 1.0])


def steps(stored, offered, inflow, asked):
    return step_stores(
        STORES,
        np.array(stored, dtype=float),
        KEPT,
        offered_mwh=np.array(offered, dtype=float),
        inflow_mwh=np.array(inflow, dtype=float),
        asked_mwh=np.array(asked, dtype=float),
    )


def test_what_is_asked_and_there_is_given():
    found = steps([4, 8, 5], [[3, 0, 0], [0, 0, 1]], [[0, 6, 0], [0, 0, 2]], [[0, 5, 1], [7, 2, 3]])
    assert found.stored_mwh.tolist() == [[7, 5, 4], [0, 0.5, 4]]  # the reservoir keeps half of 8, then half of 5
    assert found.spill_mwh.sum() == 0
    assert found.given_share.tolist() == [[0, 1, 1], [1, 1, 1]]  # nothing asked, nothing to share
    assert found.taken_share.tolist() == [[1, 0, 0], [0, 0, 1]]


def test_an_empty_store_gives_what_is_there():
    found = steps([4, 8, 5], [[0, 0, 0]], [[0, 1, 0]], [[5, 10, 5]])
    assert found.stored_mwh.tolist() == [[0, 0, 0]]
    assert found.given_share[0] == pytest.approx([0.8, 0.5, 1.0])


def test_a_full_store_spills_its_inflow_before_it_refuses_charge():
    found = steps([9, 20, 8], [[3, 0, 4]], [[0, 15, 1]], [[0, 1, 0]])
    assert found.stored_mwh.tolist() == [[10, 20, 10]]
    assert found.spill_mwh.tolist() == [[0, 4, 1]]
    assert found.taken_share[0] == pytest.approx([1 / 3, 0, 2 / 4])
