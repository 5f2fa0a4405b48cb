import hashlib
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gridtwin.inputs.load import load_study


@pytest.fixture
def study(lab):
    return load_study(lab.scenario)


def test_what_a_study_carries(lab, study):
    assert (study.name, study.currency, study.zone.utcoffset(None)) == ("day", "EUR", timedelta(hours=8))
    assert study.time.start == datetime(2020, 1, 1, 22, tzinfo=UTC)
    assert (study.time.submit_steps, study.time.window_steps, study.time.horizon_steps) == (24, 12, 24)
    assert json.loads(json.dumps(study.resolved)) == study.resolved
    digest = hashlib.sha256((lab.root / "models/tiny/buses.csv").read_bytes()).hexdigest()
    assert study.model_hashes["models/tiny/buses.csv"] == digest
    assert study.files.keys() == study.model_hashes.keys()
    assert "traces/jobs.csv" in study.files
    assert study.counts["jobs"] == len(study.jobs) == study.counts["jobs_drawn"]
    assert {name: study.counts[name] for name in ("buses", "lines", "links", "units", "sites")} == {
        "buses": 3,
        "lines": 3,
        "links": 1,
        "units": 3,
        "sites": 2,
    }


def test_grid(study):
    grid = study.grid
    assert (grid.bus, grid.slack, grid.slack_vm_pu) == (("1", "2", "3"), 0, 1.02)
    assert grid.line_from.tolist() == [0, 1, 0]
    assert grid.line_to.tolist() == [1, 2, 2]
    assert grid.rate_mw.tolist() == [100, np.inf, 100]
    assert grid.tap_ratio.tolist() == [1, 1, 1]
    assert (grid.link_from.tolist(), grid.link_to.tolist(), grid.link_schedule_mw.tolist()) == ([0], [2], [5])


def test_units(study):
    units = study.units
    assert units.p_min_mw.tolist() == [0, 0, 0]
    assert units.ramp_mw_per_h.tolist() == [60, np.inf, np.inf]
    assert units.profile.tolist() == [-1, 0, -1]
    assert units.segment_unit.tolist() == [0, 0, 1, 2]
    assert units.segment_mw.tolist() == [20, 20, 50, 0]
    assert units.segment_cost_per_mwh.tolist() == [25, 35, 0, 0]
    assert units.segment_co2_kg_per_mwh.tolist() == [800, 800, 0, 0]


def test_fleet(study):
    fleet = study.fleet
    assert fleet.capacity_nodes.tolist() == [[100, 10], [200, 30]]
    assert fleet.bus.tolist() == [0, 2]
    assert fleet.peak_w[0].tolist() == [1000, 4000]
    # price first, then latency; batch never goes to a service class
    assert fleet.preference.tolist() == [[[0, 1], [-1, -1]], [[1, 0], [-1, -1]]]
    assert fleet.bandwidth_gbps.tolist() == [[np.inf, 100], [100, 100]]
    assert fleet.connection_mw.tolist() == [5, np.inf]
    assert fleet.latency_oneway_s[0].tolist() == [0.001, 0.009]


def test_series_begin_with_the_run(study):
    profiles = study.profiles
    assert profiles.steps == 240 - 30
    assert profiles.load_mw[0].tolist() == [130 * 0.25, 130 * 0.75, 30]
    assert profiles.load_mvar[0] == pytest.approx([130 * 0.25 * 0.2, 130 * 0.75 * 0.1, 0])
    assert profiles.available_mw[:2, 0].tolist() == [6, 7]
    assert profiles.profile == ("breeze",)
    assert profiles.pue[0] == pytest.approx([1.12, 1.08 - 0.01 * 5 / 25])


def test_services_are_shared_by_nodes_within_reach(study):
    # here reaches only east within 5 ms; there splits 1:3; a node answers 20 x 0.5 requests/s
    assert study.profiles.service_nodes[0].tolist() == [[0, 15], [0, 15]]


def test_the_diurnal_shape_follows_the_local_hour(lab):
    shape = [0.5] * 12 + [1.5] * 12
    study = load_study(lab.scenario, [f"workload.services.0.diurnal={shape}"])
    east = study.profiles.service_nodes[:24, 0, 1]
    assert east.tolist() == [8] * 6 + [23] * 12 + [8] * 6


@pytest.mark.parametrize(("step", "steps"), [("15min", 840), ("2h", 105)])
def test_other_steps(lab, step, steps):
    study = load_study(lab.scenario, [f"time.step={step}"])
    assert study.profiles.steps == steps
    assert study.profiles.load_mw[0].sum() == pytest.approx({"15min": 160, "2h": 161}[step])


def test_the_seed_decides_the_jobs(lab):
    first, second, other = (load_study(lab.scenario, [f"seed={seed}"]).jobs for seed in (1, 1, 2))
    assert np.array_equal(first.submit_s, second.submit_s)
    assert not np.array_equal(first.submit_s, other.submit_s)


def test_the_shortest_profile_ends_the_series(lab):
    lab.edit("temperature.csv", "town\n10\n10\n", "town\n")
    assert load_study(lab.scenario).profiles.steps == 238 - 30


def test_a_model_without_links_and_availability(lab):
    lab.edit("model.yaml", "links: links.csv, ", "")
    lab.edit("model.yaml", "  availability: {file: availability.csv}\n", "")
    lab.edit("units.csv", ",breeze", ",")
    study = load_study(lab.scenario)
    assert study.grid.link == ()
    assert study.profiles.available_mw.shape == (210, 0)
    assert study.units.profile.tolist() == [-1, -1, -1]


def test_a_site_without_a_link_is_out_of_reach(lab):
    lab.edit("wan.csv", "here,west,9,100,0.01\n", "")
    fleet = load_study(lab.scenario).fleet
    assert fleet.preference[0, 0].tolist() == [0, -1]
    assert np.isinf(fleet.latency_oneway_s[0, 1])
