"""A nation of two regions that can be added up by hand; the third site has no region."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.economics.indicator_table import indicator_table
from gridtwin.economics.indicators import Work, indicators, nation
from gridtwin.economics.regions import Fleet, regional_fleet, totals

NONE = np.nan


@pytest.fixture
def fleet():
    """East has 10 nodes and 3 people a node of demand; west has 30; classes: general alone is everywhere."""
    return Fleet(
        regions=("east", "west"),
        classes=("general", "super"),
        site_region=np.array([0, 1]),
        origin_region=np.array([0, 0, 1]),
        resident=np.array([False, True, False]),
        population=np.array([2e6, 1e6]),
        capacity_nodes=np.array([[10.0, 0.0], [30.0, 4.0]]),
        pflops=np.array([[20.0, 0.0], [30.0, 8.0]]),
        racks=np.array([[4.0, 0.0], [12.0, 8.0]]),
        rack_room=np.array([8.0, 40.0]),
        added_w=np.array([[1000.0, 0.0], [1000.0, 3000.0]]),
        mean_w=np.array([1000.0, 3000.0]),
        latency_ms=np.array([[1.0, 12.0], [1.0, 12.0], [30.0, 2.0]]),
    )


@pytest.fixture
def work():
    """Over 10 h. East asks 300 node-h of general, 60 of them may not leave; 120 ran in the west."""
    ran = np.zeros((3, 2, 2))
    ran[0, 0], ran[1, 0], ran[2, 0], ran[2, 1] = [120.0, 120.0], [60.0, 0.0], [0.0, 50.0], [0.0, 10.0]
    return Work(
        asked_node_h=np.array([[240.0, 0.0], [60.0, 0.0], [50.0, 10.0]]),
        service_share=np.array([[0.75, NONE], [0.0, NONE], [0.25, NONE]]),
        run_node_h=ran,
        wanted_service_nodes=np.array([4.0, 0.0]),
        busy_nodes=np.array([[9.0, 0.0], [12.0, 1.0]]),
        done_node_h=np.array([[90.0, 0.0], [270.0, 10.0]]),
        hours=10.0,
    )


JOBS = {
    "origin_index": np.array([0, 1, 2, 2]),
    "submit_s": np.array([0, 0, 3600, 3600]),
    "due_s": np.array([9000, 9000, 9000, 9000]),
    "start_s": np.array([3600, 0, 3600, -1]),
    "end_s": np.array([7200, 9999, 7200, -1]),
}
SITES = {
    "energy_mwh": np.array([10.0, 30.0]),
    "facility_mwh": np.array([10.0, 30.0]),
    "it_mwh": np.array([8.0, 25.0]),
    "paid": np.array([500.0, 900.0]),
    "co2_kg": np.array([8000.0, NONE]),
    "marginal_co2_kg": np.array([4000.0, 9000.0]),
}
COST = {"wan_cost": np.array([1.0, 2.0, 4.0]), "requests_cost": np.zeros(3)}


@pytest.fixture
def values(fleet, work):
    found = indicators(fleet, work, JOBS, SITES, COST)
    return {(one.indicator, one.region, one.compute_class): one.value for one in found}


@pytest.mark.parametrize(
    ("name", "compute_class", "of_nation", "east", "west"),
    [
        ("asked_nodes", "general", 39.0, 33.0, 6.0),  # 300 h / 10 h + 3 of 4 for services; 50 / 10 + 1
        ("gap_nodes", "general", -1.0, 23.0, -24.0),
        ("gap_pflops", "general", 39 * 1.25 - 50, 33 * 1.25 - 20, 6 * 1.25 - 30),  # 50 PFLOP/s on 40 nodes
        ("idle_share", "general", 19 / 40, 0.1, 0.6),
        ("idle_share", "super", 0.75, None, 0.75),
        ("idle_ring_5ms_nodes", "general", None, 0.0, 0.0),
        ("idle_ring_20ms_nodes", "general", None, 18.0, 0.0),
        ("duplicated_20ms_share", "general", None, 1.0, 0.0),
        ("duplicated_20ms_share", "super", None, None, 0.0),
        ("rack_share", "general", 16 / 24, 1.0, 0.6),
        ("rack_use", "", 0.5, 0.5, 0.5),
        ("hhi_capacity", "general", 0.52, None, None),
        ("hhi_work", "general", 0.625, None, None),
        ("wan_dependence", "general", 120 / 350, 0.4, 0.0),
        ("wan_dependence", "", 120 / 380, 0.4, 0.0),  # 350 kWh of general, 30 of super
        ("barred_share", "general", 60 / 350, 0.2, 0.0),
        ("barred_share", "", 60 / 380, 0.2, 0.0),
        ("per_head_gflops", "general", 50e6 / 3e6, 10.0, 30.0),
        ("reachable_5ms_pflops", "general", 70 / 3, 20.0, 30.0),
        ("reachable_20ms_pflops", "general", 130 / 3, 50.0, 30.0),
        ("latency_ms", "", (180 + 120 * 12 + 120) / 360, 5.4, 2.0),
        ("wait_h", "", 1 / 3, 0.5, 0.0),
        ("late_share", "", 0.5, 0.5, 0.5),
        ("pue", "", 40 / 33, 1.25, 1.2),
        ("electricity_per_mwh", "", 35.0, 50.0, 30.0),
        ("co2_kg_per_mwh", "", None, 800.0, None),
        ("marginal_co2_kg_per_mwh", "", 325.0, 400.0, 300.0),
        ("wan_cost", "", 7.0, 3.0, 4.0),
        ("green_share_hourly", "", None, None, None),
    ],
)
def test_by_hand(values, name, compute_class, of_nation, east, west):
    got = [values[name, region, compute_class] for region in ("", "east", "west")]
    assert got == [None if one is None else pytest.approx(one) for one in (of_nation, east, west)]


def test_every_indicator_is_read_and_has_words(values):
    assert {name for name, _, _ in values} == set(indicator_table())
    for one in indicator_table().values():
        assert all((one.unit, one.label, one.label_zh, one.definition, one.definition_zh))
        assert one.called("zh") == one.label_zh
        assert one.defined("en") == one.definition


def test_what_has_no_region_counts_for_the_nation_alone(fleet, work):
    fleet = replace(fleet, site_region=np.array([0, -1]))
    told = nation(indicators(fleet, work, JOBS, SITES, COST))
    assert told["capacity_nodes", "general"] == 40.0
    assert told["hhi_capacity", "general"] is None  # a share would be of nobody
    assert told["wan_dependence", "general"] is None  # inside or outside, nobody knows


def test_a_population_that_is_not_known_is_not_zero(fleet, work):
    found = indicators(replace(fleet, population=np.array([2e6, NONE])), work, JOBS, SITES, COST)
    heads = {
        one.region: one.value for one in found if one.indicator == "per_head_gflops" and one.compute_class == "general"
    }
    assert heads == {"": None, "east": 10.0, "west": None}


def test_green_shares_are_those_of_the_accounts(fleet, work):
    green = {"green_share_annual": np.array([0.5, 0.0, 0.25]), "green_share_hourly": np.array([0.4, 0.0, 0.2])}
    told = nation(indicators(fleet, work, JOBS, SITES, COST, green))
    assert (told["green_share_annual", ""], told["green_share_hourly", ""]) == (0.25, 0.2)


def kept(precision=("fp32", "fp16", "fp32")):
    """Tables as a run keeps them: machines metered in several precisions under one class where asked for."""
    return {
        "sites": {"site": np.array(["a", "b"])},
        "site_terms": {"region": np.array(["east", "west"])},
        "site_facts": {"racks": np.array([NONE, 9.0])},
        "origins": {
            "origin": np.array(["x", "x/resident", "y"]),
            "whole": np.array(["x", "x", "y"]),
        },
        "origin_facts": {
            "origin": np.array(["x", "y"]),
            "region": np.array(["east", "north"]),
            "population": np.array([7.0, NONE]),
        },
        "node_facts": {
            "site_index": np.array([0, 0, 1]),
            "class_index": np.array([0, 1, 0]),
            "precision": np.array(precision),
            "nodes": np.array([2, 3, 4]),
            "fp32_tflops": np.array([500.0, 1.0, 250.0]),
            "fp16_tflops": np.array([1.0, 1000.0, NONE]),
            "fp64_tflops": np.zeros(3),
            "int8_tops": np.zeros(3),
        },
        "pools": {
            "capacity_nodes": np.array([2, 3, 4, 0]),
            "peak_w": np.array([2500.0, 5000.0, 2500.0, 0.0]),
            "idle_w": np.array([500.0, 1000.0, 1500.0, 0.0]),
        },
        "wan": {"latency_oneway_ms": np.arange(6.0)},
    }


def test_the_fleet_of_a_run():
    fleet = regional_fleet(kept(), ("x", "x/resident", "y"), ("general", "intelligent"))
    assert fleet.regions == ("east", "north", "west")
    assert fleet.site_region.tolist() == [0, 2]
    assert fleet.origin_region.tolist() == [0, 0, 1]
    assert fleet.resident.tolist() == [False, True, False]
    np.testing.assert_array_equal(fleet.population, [7.0, NONE, NONE])  # a part of an origin has no people of its own
    np.testing.assert_array_equal(fleet.pflops, [[1.0, 3.0], [1.0, 0.0]])
    np.testing.assert_array_equal(fleet.racks, [[2.0, 6.0], [4.0, 0.0]])
    np.testing.assert_allclose(fleet.mean_w, [(2 * 2000 + 4 * 1000) / 6, 4000])
    assert fleet.nearest_ms(0).tolist() == [0.0, 1.0]
    assert fleet.nearest_ms(2).tolist() == [np.inf, np.inf]


def test_an_origin_without_a_region_is_nowhere():
    tables = kept()
    tables["origin_facts"]["region"] = np.array(["", "north"])
    fleet = regional_fleet(tables, ("x", "x/resident", "y"), ("general", "intelligent"))
    assert fleet.regions == ("north", "east", "west")
    assert fleet.origin_region.tolist() == [-1, -1, 0]


def test_precisions_are_never_added():
    fleet = regional_fleet(kept(("fp32", "fp16", "fp16")), ("x", "x/resident", "y"), ("general", "intelligent"))
    assert np.isnan(totals(fleet.pflops, fleet.site_region, 3)[-1]).tolist() == [True, False]
