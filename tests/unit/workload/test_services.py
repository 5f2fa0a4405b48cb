import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.workload.services import service_nodes

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
