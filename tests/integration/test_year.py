"""The shipped workload over the year of its model: how much it is, computed without a run."""

from pathlib import Path

import pytest

from gridtwin.inputs.load import load_study
from gridtwin.units import DAY_S, W_PER_MW

WEEK = Path(__file__).parents[2] / "scenarios" / "rts_gmlc_week.yaml"
DAYS = 358  # a leap year less the days in which the last jobs end


@pytest.fixture(scope="module")
def year():
    return load_study(WEEK, ["time.start=2020-01-01T00:00:00-07:00", f"time.duration={DAYS}d"])


def test_a_year_has_three_million_jobs(year):
    assert len(year.jobs) >= 3_000_000
    assert year.jobs.submit_s[-1] > (DAYS - 1) * DAY_S


def test_data_centres_draw_ten_to_fifteen_percent(year):
    fleet, jobs, profiles = year.fleet, year.jobs, year.profiles
    load_mw = profiles.load_mw.sum(axis=1).mean()
    assert load_mw == pytest.approx(4287, abs=1)
    classes = range(len(fleet.axes.compute_class))
    node_s = jobs.nodes * jobs.runtime_s
    batch_nodes = [node_s[jobs.compute_class == c].sum() / (DAYS * DAY_S) for c in classes]
    service_nodes = profiles.service_nodes.mean(axis=0).sum(axis=0)
    idle_mw = (fleet.capacity_nodes * fleet.idle_w).sum() / W_PER_MW
    further_mw = (fleet.peak_w - fleet.idle_w)[0] / W_PER_MW  # the same hardware everywhere
    assert (fleet.peak_w == fleet.peak_w[0]).all()
    sites_mw = (idle_mw + (further_mw * (batch_nodes + service_nodes)).sum()) * profiles.pue.mean()
    assert 0.10 < sites_mw / (load_mw + sites_mw) < 0.15
    services_mw = further_mw @ service_nodes
    assert services_mw == pytest.approx(further_mw @ batch_nodes, rel=0.1)  # about half services, half batch
