"""A fleet against its electricity bill, by hand: nodes of 1 MW in steps of an hour."""

import numpy as np
import pytest

from gridtwin.dispatch import Bill, minimise_bill


@pytest.fixture
def work(hand_work):
    """Six nodes for an hour, released at once, of which all must have started in the last of three steps."""
    released, due = np.array([[6.0], [0.0], [0.0]]), np.array([[0.0], [0.0], [6.0]])

    def pose(**changes):
        return hand_work(**{"steps": 3, "released_nodes": released, "due_nodes": due} | changes)

    return pose


def bill(*price, demand=0.0, month=(0, 0, 0), peak=0.0):
    """Prices of three steps at bus 2, where the sites are; the other buses are cheap."""
    at_buses = np.full((3, 3), -100.0)
    at_buses[:, 2] = price
    return Bill(at_buses, demand, np.array(month), np.array([50.0, 50.0, peak]))


@pytest.fixture
def started(hand_grid):
    """Nodes that start in each step."""
    return lambda work, bill: minimise_bill(work, bill, hand_grid().penalties, 1.0).start_nodes[:, 0, 0, 0].tolist()


def test_work_goes_where_energy_is_cheapest(work, started):
    assert started(work(), bill(30, 20, 25)) == pytest.approx([0, 6, 0])
    assert started(work(), bill(30, 20, 10)) == pytest.approx([0, 0, 6])


def test_a_full_pool_sends_the_rest_to_the_next_best_step(work, started):
    assert started(work(available_nodes=np.full((3, 1, 1), 4.0)), bill(30, 20, 25)) == pytest.approx([0, 4, 2])


def test_a_demand_charge_spreads_work(work, started):
    """A MW less at the peak saves 100, moving a MWh costs at most 10."""
    assert started(work(), bill(30, 20, 25, demand=100.0)) == pytest.approx([2, 2, 2])
    assert started(work(), bill(30, 20, 25, demand=0.1)) == pytest.approx([0, 6, 0])


def test_what_was_drawn_before_in_the_month_is_paid_for(work, started):
    assert started(work(), bill(30, 20, 25, demand=100.0, peak=4.0)) == pytest.approx([0, 4, 2])
    assert started(work(), bill(30, 20, 25, demand=100.0, peak=6.0)) == pytest.approx([0, 6, 0])


def test_every_month_has_a_peak_of_its_own(work, started):
    """The 4 MW were reached in the first month; from step 1 on each MW counts anew, in step 0 up to 4 are free."""
    new_month = bill(30, 20, 25, demand=100.0, month=(0, 1, 1), peak=4.0)
    assert started(work(), new_month) == pytest.approx([4, 1, 1])


def test_the_base_draw_counts_for_the_peak(work, started):
    base = np.array([[0.0], [5.0], [0.0]])
    assert started(work(base_mw=base), bill(30, 20, 25, demand=100.0)) == pytest.approx([1, 0, 5])


def test_sites_at_a_bus_share_a_meter(work, started):
    """Two sites, one peak: 3 + 3 MW in a step are as bad as 6."""
    two = {"sites": 2, "base_mw": np.array([[0.0, 0.0], [2.0, 2.0], [0.0, 0.0]])}
    assert started(work(**two), bill(30, 20, 25, demand=100.0)) == pytest.approx([2, 0, 4])


def test_energy_that_pays_to_be_used_is_used_at_once(work, started):
    assert started(work(), bill(-5, 20, 20)) == pytest.approx([6, 0, 0])
