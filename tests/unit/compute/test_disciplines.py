import numpy as np

from gridtwin.compute.disciplines import carried_grants, first_with_room, largest_grant_with_room, order_keys


def test_order_keys_rank_and_name_jobs():
    latest = np.array([30, 10, 30, -5])
    assert np.argsort(order_keys("fcfs", latest)).tolist() == [0, 1, 2, 3]
    keys = order_keys("edf", latest)
    assert np.argsort(keys).tolist() == [3, 1, 0, 2]
    assert (keys % 4).tolist() == [0, 1, 2, 3]


def test_no_room_anywhere_is_minus_one():
    assert first_with_room((0, 1), [3, 2], 4) == -1
    assert first_with_room((), [3, 2], 1) == -1
    assert largest_grant_with_room((0, 1), [3, 2], 4, [1.0, 2.0], 0) == -1


def test_overdrawn_routes_are_still_used_and_ties_go_to_the_preferred_site():
    assert largest_grant_with_room((1, 0), [3, 3], 1, [-2.0, -5.0], 0) == 0
    assert largest_grant_with_room((1, 0), [3, 3], 1, [4.0, 4.0], 0) == 1


def test_routes_shrink_with_the_release_that_is_dropped():
    release = np.array([3.0, 2.0, -1.0, 4.0])  # (1 origin, 1 class, 2 delays, 2 bins)
    route = np.array([4.0, 2.0, -1.0, 0.0, 3.0, 1.0]).reshape(1, 1, 2, 3)
    kept, routes = carried_grants(release, route, np.array([0, 1, 0, 0]), (1, 1, 2, 2))
    assert kept.tolist() == [0.0, 2.0, -1.0, 0.0]
    assert routes[0, 0].tolist() == [[2.0, 1.0, -1.0], [0.0, 0.0, 0.0]]
