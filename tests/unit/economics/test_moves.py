"""Two regions, two hours: every kilogram of a move by hand."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.economics.moves import PublishedMove, Rates, mean_over_jobs, moves, verdicts
from gridtwin.economics.regions import Fleet

NONE = np.nan


@pytest.fixture
def fleet():
    return Fleet(
        regions=("Shanghai", "Sichuan"),
        classes=("general",),
        site_region=np.array([0, 1]),
        origin_region=np.array([0, 1]),
        resident=np.zeros(2, dtype=bool),
        population=np.full(2, NONE),
        capacity_nodes=np.ones((2, 1)),
        pflops=np.ones((2, 1)),
        racks=np.ones((2, 1)),
        rack_room=np.ones(2),
        added_w=np.full((2, 1), 1e6),  # a node is a megawatt
        mean_w=np.array([1e6]),
        latency_ms=np.zeros((2, 2)),
    )


@pytest.fixture
def rates():
    return Rates(
        pue=np.array([[1.5, 1.2], [1.5, 1.2]]),
        average=np.array([[800.0, 100.0], [600.0, 300.0]]),
        marginal=np.array([[500.0, 900.0], [500.0, 900.0]]),
        site_bus=np.array([0, 1]),
        home_bus={0: np.array([0]), 1: np.array([1])},
    )


def jobs(origin, site, nodes=2, start_s=0, end_s=7200, runtime_s=7200):
    columns = {"origin_index": origin, "class_index": 0, "site_index": site, "nodes": nodes}
    columns |= {"start_s": start_s, "end_s": end_s, "runtime_s": runtime_s}
    return {name: np.atleast_1d(value) for name, value in columns.items()}


def test_a_move_by_hand(fleet, rates):
    (move,) = moves(fleet, rates, jobs(0, 1), 3600)
    assert (move.origin, move.site, move.node_h) == ("Shanghai", "Sichuan", {"general": 4.0})
    assert move.energy_mwh == pytest.approx(4 * 1.2)
    assert move.class_mwh == {"general": pytest.approx(4.8)}
    assert move.home_mwh == pytest.approx(4 * 1.5)
    assert move.average_kg == pytest.approx(2 * 1.2 * (100 + 300))
    assert move.average_home_kg == pytest.approx(2 * 1.5 * (800 + 600))
    assert move.marginal_change_kg == pytest.approx(4 * (1.2 * 900 - 1.5 * 500))
    assert move.average_change_kg < 0 < move.marginal_change_kg
    assert move.raises  # either account suffices


def test_only_the_hours_of_the_job_count(fleet, rates):
    (move,) = moves(fleet, rates, jobs(0, 1, start_s=1800, end_s=5400, runtime_s=3600), 3600)
    assert move.average_kg == pytest.approx(2 * 1.2 * (0.5 * 100 + 0.5 * 300))


def test_work_that_stays_or_never_ended_is_no_move(fleet, rates):
    assert moves(fleet, rates, jobs(0, 0), 3600) == []
    assert moves(fleet, rates, jobs(0, 1, end_s=-1), 3600) == []
    (stayed,) = moves(fleet, rates, jobs(0, 0), 3600, abroad=False)
    assert stayed.average_change_kg == pytest.approx(0.0)


def test_a_factor_that_is_not_known_is_not_zero(fleet, rates):
    rates = replace(rates, average=np.array([[800.0, NONE], [600.0, 300.0]]))
    (move,) = moves(fleet, rates, jobs(0, 1), 3600)
    assert move.average_kg is None
    assert move.average_change_kg is None
    assert move.raises is True  # by marginal factors
    (later,) = moves(fleet, rates, jobs(0, 1, start_s=3600, runtime_s=3600), 3600)
    assert later.average_kg == pytest.approx(2 * 1.2 * 300)


def test_a_home_without_sites_has_the_pue_of_the_site(fleet, rates):
    fleet = replace(fleet, site_region=np.array([1, 1]))
    (move,) = moves(fleet, rates, jobs(0, 1), 3600)
    assert move.home_mwh == pytest.approx(move.energy_mwh)
    assert move.average_home_kg == pytest.approx(4 * 1.2 * 700)


def test_a_home_without_a_bus_leaves_the_effect_open(fleet, rates):
    (move,) = moves(fleet, replace(rates, home_bus={}), jobs(0, 1), 3600)
    assert (move.average_change_kg, move.marginal_change_kg, move.raises) == (None, None, None)


PUBLISHED = [PublishedMove("Shanghai", "Sichuan", -79.6, "a study"), PublishedMove("Beijing", "Hebei", 1.0, "a study")]


def test_published_signs(fleet, rates):
    found = moves(fleet, rates, jobs(0, 1), 3600)
    average, marginal, *unknown = verdicts(fleet, rates, found, PUBLISHED)
    assert average.percent == pytest.approx(100 * (1.2 * 400 / (1.5 * 1400) - 1))
    assert (average.agrees, marginal.agrees) == (True, False)
    assert (average.home_kg_per_mwh, average.there_kg_per_mwh, average.moved_mwh) == (700, 200, pytest.approx(4.8))
    assert [one.percent for one in unknown] == [None, None]
    assert [one.agrees for one in unknown] == [None, None]


def test_a_published_move_that_nobody_made_is_that_of_even_work(fleet, rates):
    average, *_ = verdicts(fleet, rates, [], PUBLISHED)
    assert average.percent == pytest.approx(100 * (200 * 1.2 / (700 * 1.5) - 1))
    assert average.moved_mwh == 0


def test_jobs_may_end_with_the_series():
    series = np.array([[2.0], [4.0]])
    assert mean_over_jobs(series, np.array([0]), np.array([0]), np.array([7200]), 3600).tolist() == [3.0]
