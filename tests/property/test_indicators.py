"""What holds for indicators of any nation."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridtwin.economics.indicators import Work, hhi, indicators
from gridtwin.economics.regions import Fleet

amounts = st.floats(0.0, 1e6).map(lambda x: 0.0 if x < 1e-3 else x)


@given(arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 3)), elements=amounts))
def test_concentration_lies_between_even_and_one_holder(held):
    index = hhi(held)
    some = held.sum(axis=0) > 0
    assert np.isnan(index[~some]).all()
    assert (index[some] >= 1 / len(held) - 1e-9).all()
    assert (index[some] <= 1 + 1e-9).all()


@st.composite
def nations(draw):
    sites, origins, regions, classes = 4, 3, 2, 2
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    capacity = rng.integers(0, 9, (sites, classes)).astype(float)
    share = rng.random((origins, classes))
    fleet = Fleet(
        regions=("a", "b"),
        classes=("x", "y"),
        site_region=rng.integers(0, regions, sites),
        origin_region=rng.integers(0, regions, origins),
        resident=rng.random(origins) < 0.5,
        population=rng.random(regions),
        capacity_nodes=capacity,
        pflops=capacity * rng.random((sites, classes)),
        racks=capacity,
        rack_room=rng.random(sites) * 9,
        added_w=np.ones((sites, classes)),
        mean_w=np.ones(classes),
        latency_ms=rng.random((origins, sites)) * 30,
    )
    ran = rng.random((origins, classes, sites))
    work = Work(
        asked_node_h=ran.sum(axis=2) + rng.random((origins, classes)),
        service_share=share / share.sum(axis=0),
        run_node_h=ran,
        wanted_service_nodes=rng.random(classes) * 5,
        busy_nodes=capacity * rng.random((sites, classes)),
        done_node_h=capacity * rng.random((sites, classes)),
        hours=24.0,
    )
    return fleet, work


SITES = dict.fromkeys(("energy_mwh", "facility_mwh", "it_mwh", "paid", "co2_kg", "marginal_co2_kg"), np.ones(4))
JOBS = dict.fromkeys(("origin_index", "submit_s", "due_s", "start_s", "end_s"), np.zeros(1, dtype=np.int64))
COST = {"wan_cost": np.ones(3), "requests_cost": np.ones(3)}


@given(nations())
def test_regions_add_up_to_the_nation_and_shares_are_shares(made):
    fleet, work = made
    found = indicators(fleet, work, JOBS, SITES, COST)
    values = {(one.indicator, one.region, one.compute_class): one.value for one in found}
    for name in ("capacity_nodes", "asked_nodes", "gap_nodes", "gap_pflops", "energy_mwh", "wan_cost"):
        for compute_class in ("x", "y") if name.endswith(("nodes", "pflops")) else ("",):
            whole, *parts = (values[name, region, compute_class] for region in ("", "a", "b"))
            if None not in (whole, *parts):
                np.testing.assert_allclose(sum(parts), whole, atol=1e-9)
    for (name, _, _), value in values.items():
        if name.endswith(("_share", "dependence")) or name in {"hhi_capacity", "hhi_work"}:
            assert value is None or -1e-9 <= value <= 1 + 1e-9, name


@given(nations())
def test_a_wider_ring_reaches_no_less(made):
    fleet, work = made
    values = {
        (one.indicator, one.region, one.compute_class): one.value for one in indicators(fleet, work, JOBS, SITES, COST)
    }
    for (name, region, compute_class), near in values.items():
        if "_5ms" in name and near is not None:
            assert values[name.replace("_5ms", "_20ms"), region, compute_class] >= near - 1e-9
