import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.workload.services import fill, preferred, service_nodes

SHARE = np.array([[0.25, 0.75], [1.0, 0.0]])


def test_requests_of_all_origins_meet_at_a_site():
    nodes = service_nodes(np.array([[100.0, 10.0]]), SHARE, 10.0, 0.5)
    assert nodes.tolist() == [[7, 15]]
    assert nodes.dtype == np.int64


def test_rounding_does_not_cost_a_node():
    assert service_nodes(np.array([[0.7 * 25 * 3, 0.0]]), np.array([[1.0], [0.0]]), 25.0, 0.7).tolist() == [[3]]
    assert service_nodes(np.array([[0.7 * 25 * 3.001, 0.0]]), np.array([[1.0], [0.0]]), 25.0, 0.7).tolist() == [[4]]


@pytest.mark.parametrize(("throughput", "target"), [(0.0, 0.5), (10.0, 0.0), (10.0, 1.1), (np.nan, 0.5)])
def test_impossible_nodes_are_refused(throughput, target):
    with pytest.raises(InputError, match=r"expected > 0 and in \(0, 1\]"):
        service_nodes(np.ones((1, 2)), SHARE, throughput, target)


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf])
def test_impossible_requests_are_refused(rate):
    with pytest.raises(InputError, match="requests_per_s"):
        service_nodes(np.array([[rate, 1.0]]), SHARE, 10.0, 0.5)


def test_callers_of_a_full_site_share_it_by_what_they_ask():
    order = np.array([[0, 1, -1], [0, 2, -1], [2, -1, -1]])
    filled = fill(np.array([[6.0, 3.0, 1.0]]), np.array([[3, 2, 10]]), order, np.array([0]))
    assert filled.sent_nodes[0].tolist() == [[2 + 2, 2, 0], [1, 0, 2], [0, 0, 1]]  # 2 of the first find no room
    assert filled.nodes.tolist() == [[5, 2, 3]]


def test_steps_do_not_meet():
    asked = np.array([[5.0], [1.0], [4.0]])
    filled = fill(asked, np.full((3, 2), 3), np.array([[1, 0]]), np.array([0, 0, 1]))
    assert filled.nodes.tolist() == [[2, 3], [0, 1], [1, 3]]
    assert filled.sent_nodes[:, 0].tolist() == [[2, 4], [1, 3]]


def test_who_asks_for_nothing_needs_no_site():
    filled = fill(np.array([[0.0, 1.5]]), np.array([[4]]), np.array([[-1], [0]]), np.array([0]))
    assert filled.nodes.tolist() == [[2]]


def test_nearer_sites_of_a_tier_come_first_and_ties_keep_the_order_of_the_table():
    latency_s = np.array([[2.0, 1.0, 1.0, 0.0]])
    assert preferred(np.ones((1, 4), bool), latency_s, np.array([0, 1, 1, 1])).tolist() == [[0, 3, 1, 2]]
    assert preferred(np.zeros((1, 4), bool), latency_s, np.zeros(4, int)).tolist() == [[-1] * 4]
