"""The shipped year: how much work and power it is, and that it can end; computed without a run."""

from pathlib import Path

import numpy as np
import pytest

from gridtwin.inputs.load import load_study
from gridtwin.units import DAY_S, W_PER_MW

YEAR = Path(__file__).parents[2] / "scenarios" / "rts_gmlc_year.yaml"
DAYS = 366


@pytest.fixture(scope="module")
def year():
    return load_study(YEAR)


def test_a_year_has_three_million_jobs(year):
    assert len(year.jobs) >= 3_000_000
    assert year.jobs.submit_s[-1] > (DAYS - 1) * DAY_S


def test_jobs_arrive_in_every_hour_and_may_end_after_the_year(year):
    profiles, hours = year.profiles, DAYS * 24
    assert profiles.model_steps == year.time.submit_steps == hours
    assert year.jobs.due_s.max() < (profiles.steps - year.time.horizon_steps) * 3600
    assert np.array_equal(profiles.load_mw[hours:], profiles.load_mw[: profiles.steps - hours])
    assert np.array_equal(profiles.available_mw[hours:], profiles.available_mw[: profiles.steps - hours])


def test_data_centres_draw_ten_to_fifteen_percent(year):
    fleet, jobs, profiles = year.fleet, year.jobs, year.profiles
    load_mw = profiles.load_mw[: profiles.model_steps].sum(axis=1).mean()
    assert load_mw == pytest.approx(4287, abs=1)
    classes = range(len(fleet.axes.compute_class))
    node_s = jobs.nodes * jobs.runtime_s
    batch_nodes = [node_s[jobs.compute_class == c].sum() / (DAYS * DAY_S) for c in classes]
    service_nodes = profiles.service_nodes.mean(axis=0).sum(axis=0) * fleet.service_utilization
    idle_mw = (fleet.capacity_nodes * fleet.idle_w).sum() / W_PER_MW
    further_mw = (fleet.peak_w - fleet.idle_w)[0] / W_PER_MW  # the same hardware everywhere
    assert (fleet.peak_w == fleet.peak_w[0]).all()
    sites_mw = (idle_mw + (further_mw * (batch_nodes + service_nodes)).sum()) * profiles.pue.mean()
    assert 0.10 < sites_mw / (load_mw + sites_mw) < 0.15
    services_share = further_mw @ service_nodes / (further_mw @ (batch_nodes + service_nodes))
    assert services_share == pytest.approx(0.4, abs=0.02)


def test_energy_that_flows_into_stores(year):
    """The water of 19 hydro units is in four reservoirs, the heat of the solar thermal plant in one store."""
    stores, units, hours = year.stores, year.units, year.profiles.model_steps
    inflow_twh = year.profiles.inflow_mw[:hours].sum(axis=0) / 1e6
    assert stores.inflow.tolist() == [-1, 0, 1, 2, 3, 4, -1, -1]
    assert inflow_twh == pytest.approx([0.936, 1.163, 0.582, 1.164, 0.978], abs=1e-3)
    fed = [stores.store[store] for store in units.store[units.store >= 0]]
    assert [fed.count(name) for name in stores.store] == [0, 1, 6, 3, 6, 4, 0, 0]
    assert stores.energy_mwh.tolist() == [150, 1200, 6000, 3000, 6000, 4000, 20, 20]
    assert [year.fleet.site[s] for s in stores.site[stores.site >= 0]] == ["dc_110", "dc_318"]
    round_trip = stores.efficiency_charge * stores.efficiency_discharge
    assert round_trip[0] == pytest.approx(0.85)


def test_reserve_and_the_hvdc_link(year):
    assert year.profiles.reserve_mw[: year.profiles.model_steps].mean() == pytest.approx(128.6, abs=0.1)
    grid = year.grid
    assert (grid.link_dispatched.tolist(), grid.link_loss.tolist()) == ([True], [0.002])


def test_wind_that_comes_true_is_less_than_scheduled():
    study = load_study(YEAR, ["series=real_time", "workload.batch=[]", "workload.services=[]"])
    hours, wind = study.profiles.model_steps, [name.endswith("WIND_1") for name in study.profiles.profile]
    scheduled, actual = (series.available_mw[:hours, wind].sum() / 1e6 for series in (study.day_ahead, study.profiles))
    assert (scheduled, actual) == (pytest.approx(7.149, abs=1e-3), pytest.approx(6.844, abs=1e-3))
