"""What a fleet that takes prices as given expects, does and pays."""

from dataclasses import replace

import numpy as np
import pytest

from gridtwin.economics.tariffs import Tariff, flat_year
from gridtwin.policies.asap import Asap
from gridtwin.policies.customer import Customer
from gridtwin.results.store import RunFolder
from gridtwin.twin.build import build, initial_twin_state

NODAL = Tariff(flat_year(None, 2), 0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def seen(pocket, tmp_path_factory):
    """Return the policy and what it sees in the second window, which begins at noon."""
    study = pocket("policy=customer")
    coordinator = build(study, RunFolder(tmp_path_factory.mktemp("customer")))
    state = coordinator.run(initial_twin_state(study), until=1)
    return coordinator.policy, coordinator._observe(state)


def under(policy, tariff, zone_s=0):
    """Return the same customer under another tariff."""
    return replace(policy, system=replace(policy.system, tariff=tariff, zone_s=zone_s))


def by_hour(**price):
    """Prices of 100 at both sites, some hours of the day at another one."""
    day = np.full(24, 100.0)
    for name, value in price.items():
        day[int(name.removeprefix("h"))] = value
    return flat_year(day, 2)


def flexible_mw(policy, observation, tariff, zone_s=0):
    """Draw of all sites (time,) beyond what they draw when everything starts at once."""
    plan = under(policy, tariff, zone_s).decide(observation)
    return (plan.fleet.site_mw - policy.asap.decide(observation).fleet.site_mw).sum(axis=1)


def test_the_grid_is_cleared_for_what_the_fleet_decides(seen):
    policy, observation = seen
    assert isinstance(policy, Customer)
    assert isinstance(policy.asap, Asap)
    plan = policy.decide(observation)
    assert plan.fleet.compute is not None
    foretold = policy.asap.decide(observation)
    np.testing.assert_array_equal(plan.expected_price_per_mwh, foretold.grid.price_per_mwh)
    assert np.abs(plan.grid.price_per_mwh - foretold.grid.price_per_mwh).max() > 0.01


def test_work_follows_a_fixed_tariff_in_local_hours(seen):
    """One hour of the day is cheap; in a zone of UTC+8 it comes eight hours earlier."""
    policy, observation = seen
    tariff = Tariff(by_hour(h18=1.0), 0.0, 0.0, 0.0)
    for zone_s in (0, 8 * 3600):
        moved = flexible_mw(policy, observation, tariff, zone_s)
        cheap = (observation.instants + np.timedelta64(zone_s, "s")).astype("datetime64[h]").astype(int) % 24 == 18
        assert moved[cheap].min() > 0.5
        assert moved[cheap].min() > moved[~cheap].max()


def test_a_flat_tariff_and_a_demand_charge_lower_the_peak(seen):
    policy, observation = seen
    flat = Tariff(by_hour(), 0.0, 0.0, 0.0)
    peaks = [
        under(policy, replace(flat, demand_charge_per_mw=charge)).decide(observation).fleet.site_mw.max(axis=0).sum()
        for charge in (0.0, 10_000.0)
    ]
    assert peaks[1] < peaks[0] - 0.5


def test_only_a_peak_of_the_same_month_was_reached_before(seen):
    policy, observation = seen
    system = policy.system
    charged = np.ones((len(observation.instants), len(system.fleet.site)))
    memory = replace(observation.memory, peak_mw=np.array([4.0, 7.0]))
    for month, expected in ((observation.memory.peak_month, [0, 4, 7]), (observation.memory.peak_month - 1, [0, 0, 0])):
        bill = policy._bill(replace(observation, memory=replace(memory, peak_month=month)), charged)
        assert bill.peak_so_far_mw.tolist() == expected
    together = replace(policy, system=replace(system, fleet=replace(system.fleet, bus=np.array([1, 1]))))
    assert together._bill(replace(observation, memory=memory), charged).peak_so_far_mw.tolist() == [0, 11, 0]


def test_the_horizon_may_reach_into_another_month(seen):
    policy, observation = seen
    shifted = observation.instants - observation.instants[0] + np.datetime64("2020-01-31T12:00:00")
    bill = policy._bill(replace(observation, instants=shifted), np.ones((len(shifted), 2)))
    assert (np.diff(bill.month) == (np.arange(1, len(shifted)) == 12)).all()
    assert not bill.peak_so_far_mw[0]


def test_carbon_is_not_charged_twice(seen):
    """A nodal price holds the carbon price, a fixed one does where the tariff says so."""
    policy, observation = seen
    foretold = policy.asap.decide(observation)
    nodal = foretold.grid.price_per_mwh[:, policy.system.fleet.bus]

    def charged(tariff):
        return under(policy, tariff)._charged(observation, foretold)

    np.testing.assert_array_equal(charged(NODAL), nodal)
    np.testing.assert_array_equal(charged(replace(NODAL, carbon_per_t=30.0)), nodal)
    fixed = replace(NODAL, energy_per_mwh=by_hour())
    assert (charged(fixed) == 100).all()
    more = charged(replace(fixed, carbon_per_t=30.0)) - 100
    units = policy.system.units
    cleanest, dirtiest = 0.0, units.segment_co2_kg_per_mwh.max() / 1000
    assert more.min() > 30 * cleanest
    assert more.max() < 30 * dirtiest
    np.testing.assert_allclose(more[:, 0], more[:, 1])


def test_each_site_goes_by_its_own_tariff(seen):
    """The same hour is cheap at one site and dear at the other."""
    policy, observation = seen
    energy = np.concatenate([by_hour(h18=1.0)[:1], by_hour(h18=999.0)[:1]])
    tariff = Tariff(energy, 0.0, 0.0, 0.0)
    plan = under(policy, tariff).decide(observation)
    at_18 = observation.instants.astype("datetime64[h]").astype(int) % 24 == 18
    draw = plan.fleet.site_mw
    assert draw[at_18, 0].min() > draw[~at_18, 0].mean()
    assert draw[at_18, 1].max() < draw[~at_18, 1].mean()


@pytest.mark.parametrize(
    ("overrides", "carbon_per_t"),
    [
        ((), 0.0),
        (("tariff.includes_carbon=false",), 30.0),
        (("tariff.includes_carbon=false", "dispatch.carbon_price_per_t=0.0"), 0.0),
    ],
)
def test_the_carbon_price_beside_a_tariff_is_that_of_the_dispatch(pocket, tmp_path, overrides, carbon_per_t):
    system = build(pocket("policy=customer", *overrides), RunFolder(tmp_path)).system
    assert system.tariff.carbon_per_t == carbon_per_t


def test_what_everybody_does_is_dearer_than_what_each_expects(seen):
    """A fleet four times as large moves the prices that it took as given."""
    policy, observation = seen
    fleet = policy.system.fleet
    large = replace(fleet, idle_w=4 * fleet.idle_w, peak_w=4 * fleet.peak_w, connection_mw=np.full(2, np.inf))
    system = replace(policy.system, fleet=large)
    asap, work = replace(policy.asap, system=system), replace(policy.work, system=system)
    foretold = asap.decide(observation)
    plan = Customer(system, asap, work).decide(observation)
    moved = plan.fleet.site_mw - foretold.fleet.site_mw
    expected, cleared = (
        (price[:, fleet.bus] * moved).sum() for price in (plan.expected_price_per_mwh, plan.grid.price_per_mwh)
    )
    assert expected < cleared


def test_indicators_tell_the_promised_bill_from_the_settled_one(pocket_run):
    kpis = pocket_run("customer").summary["kpis"]
    assert kpis["electricity_cost"] < pocket_run("asap").summary["kpis"]["electricity_cost"]
    assert kpis["expected_electricity_cost"] < kpis["electricity_cost"]
