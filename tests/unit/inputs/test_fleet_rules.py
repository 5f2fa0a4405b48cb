# ruff: noqa: E501 - a table of faults reads better one to a line
"""Work that may not go everywhere: residents, required hardware, reach; PUE by site; and what cannot be, by name."""

import numpy as np
import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study
from gridtwin.inputs.siting import great_circle_km
from gridtwin.workload.reach import largest_pool_nodes

RESIDENT = "workload.batch.0.resident_share=0.4"
SITES = ["east", "west"]


def reach(study):
    """Sites by queue origin, for the class of the jobs."""
    return {
        name: [study.fleet.site[s] for s in np.flatnonzero(row)]
        for name, row in zip(study.fleet.axes.origin, study.fleet.reachable[:, 0], strict=True)
    }


def issues_of(lab, *overrides):
    with pytest.raises(InputError) as raised:
        load_study(lab.scenario, overrides)
    return [str(issue) for issue in raised.value.issues]


def test_residents_are_a_part_of_their_origin(regions):
    study = load_study(regions.scenario, [RESIDENT])
    axes = study.fleet.axes
    assert axes.origin == ("here", "here/resident", "there", "there/resident")
    assert axes.link_origin.tolist() == [0, 0, 2, 2]
    assert reach(study) == {"here": SITES, "here/resident": ["east"], "there": SITES, "there/resident": ["west"]}
    assert study.fleet.bandwidth_gbps[1].tolist() == study.fleet.bandwidth_gbps[0].tolist()
    assert study.geography.origin_lat.tolist() == [40, 40, 31, 31]
    share = np.bincount(study.jobs.origin, minlength=4) / len(study.jobs)
    assert share == pytest.approx([0.3, 0.2, 0.3, 0.2], abs=0.12)


def test_who_is_resident_changes_nothing_else_of_a_job(regions):
    free, bound = (load_study(regions.scenario, more).jobs for more in ([], [RESIDENT]))
    assert (bound.axes.link_origin[bound.origin] // 2 == free.origin).all()
    for name in ("submit_s", "runtime_s", "nodes", "data_gb"):
        assert getattr(bound, name).tolist() == getattr(free, name).tolist()


def test_no_parts_without_need(regions):
    axes = load_study(regions.scenario, ["workload.batch.0.origin_shares={here: 1}", RESIDENT]).fleet.axes
    assert axes.origin == ("here", "here/resident", "there")
    assert load_study(regions.scenario).fleet.axes.part_of == ()


def test_reach_of_a_region_keeps_jobs_and_requests(regions):
    study = load_study(regions.scenario, ["compute.reach=region"])
    assert reach(study) == {"here": ["east"], "there": ["west"]}
    assert study.profiles.service_nodes[0].tolist() == [[0, 10], [0, 20]]


def test_jobs_run_where_the_hardware_fits(regions):
    regions.edit("nodes.csv", "west,general,cpu_node", "west,general,kunpeng_block_40kw")
    study = load_study(regions.scenario, ["workload.batch.0.requires.instruction_set=[aarch64, sw64]"])
    assert reach(study) == {
        "here": SITES,
        "here/aarch64+sw64": ["west"],
        "there": SITES,
        "there/aarch64+sw64": ["west"],
    }
    assert set(study.jobs.origin.tolist()) == {1, 3}
    assert largest_pool_nodes(study.fleet)[1, 0] == 200


def test_a_pue_given_for_the_year_scales_what_cooling_adds(regions):
    path = regions.root / "models/tiny/temperature.csv"
    path.write_text("town\n" + "".join(f"{hour % 30 + 5}\n" for hour in range(240)))
    given = load_study(regions.scenario).profiles.pue
    regions.edit("sites.csv", ",hub,1.3,", ",hub,,")
    curve = load_study(regions.scenario).profiles.pue
    assert given[:, 0].tolist() == curve[:, 0].tolist()
    assert (given[:, 1] - 1) / (curve[:, 1] - 1) == pytest.approx(
        np.full(len(curve), (given[0, 1] - 1) / (curve[0, 1] - 1))
    )
    whole = load_study(regions.scenario, ["time.start=2020-01-01T00:00:00+08:00"]).profiles.pue[:, 1]
    assert 1 + (given[0, 1] - 1) / (curve[0, 1] - 1) * (whole.mean() - 1) == pytest.approx(1.3)


def test_a_perfect_pue(regions):
    regions.edit("sites.csv", ",hub,1.3,", ",hub,1,")
    assert (load_study(regions.scenario).profiles.pue[:, 1] == 1).all()


FAULTS = [
    ("sites.csv", ",hub,1.3,", ",hub,0.9,", "sites.csv:3:38: pue is 0.9; expected a number >= 1"),
    ("wan.csv", "here,west,9", "here,west,5", "latency_oneway_ms is 5 from 'here' to 'west', but light takes at least 6.9"),
    ("sites.csv", "east,1,town", "east,4,town", "sites.csv:2:6: site 'east' is without power: no unit, no link and no branch is at its bus '4'"),
    ("model.yaml", "serving: {", "archive: {}, serving: {", "compute.classes.archive: nobody serves class 'archive': no site has nodes of it in models/tiny/nodes.csv"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "message"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_what_cannot_be(regions, name, old, new, message):
    regions.edit("buses.csv", "3,138,south", "4,138,south,0,0,0,0.95,1.05\n3,138,south")
    regions.edit(name, old, new)
    assert any(message in issue for issue in issues_of(regions)), issues_of(regions)


STRANDED = [
    ("sites.csv", "1.3,", "1.3,", ["workload.services.0.max_latency_oneway_ms=0.5"],
     "nobody serves class 'serving' for origin 'here': no site within reach answers within max_latency_oneway_ms = 0.5 of the service"),
    ("sites.csv", "5,North", "5,Nrth", [RESIDENT],
     "nobody serves class 'general' for origin 'here': its region 'North' has no such site, and its residents may not leave it"),
    ("origins.csv", "here,North", "here,", [RESIDENT],
     "for origin 'here': models/tiny/origins.csv gives it no region, and its residents may not leave it"),
    ("origins.csv", "here,North", "here,Nowhere", ["compute.reach=region"],
     "nobody serves class 'serving' for origin 'here': its region 'Nowhere' has no such site, and compute.reach keeps its work there"),
    ("sites.csv", "1.3,", "1.3,", ["workload.services.0.resident_share=0.1", "workload.services.0.requests_per_s={here: 1}", "workload.services.0.max_latency_oneway_ms=5"], ""),
    ("nodes.csv", "west,serving,inference_node,30\n", "", ["workload.services.0.resident_share=0.1"],
     "nobody serves class 'serving' for origin 'there': its region 'South' has no such site, and its residents may not leave it"),
    ("sites.csv", "1.3,", "1.3,", ["workload.batch.0.requires={stack: [cann]}"],
     "nobody serves class 'general' for origin 'there': no site within reach has hardware of stack cann"),
    ("sites.csv", "1.3,", "1.3,", ["workload.batch.0.requires={stack: [cudda]}"],
     "workload.batch.0.requires.stack.0: unknown stack 'cudda' (did you mean 'cuda'?)"),
    ("sites.csv", "1.3,", "1.3,", ["workload.services.0.tiers=[hubb]"],
     "workload.services.0.tiers.0: no site is of tier 'hubb' (did you mean 'hub'?)"),
    ("sites.csv", "1.3,", "1.3,", ["workload.services.0.bursts=[{name: launch, start: 2021-01-01T00:00:00+08:00, duration: 1d, factor: 2, origins: [heer]}]"],
     "workload.services.0.bursts.0.origins.0: unknown origin 'heer' (did you mean 'here'?)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "overrides", "message"), STRANDED)
def test_who_is_served_by_nobody(regions, name, old, new, overrides, message):
    regions.edit(name, old, new)
    if not message:
        load_study(regions.scenario, overrides)
        return
    assert any(message in issue for issue in issues_of(regions, *overrides)), issues_of(regions, *overrides)


def test_a_place_is_no_way_from_itself_and_half_the_earth_from_its_antipode():
    lat, lon = np.array([30.0, 30.0, np.nan]), np.array([100.0, 100.0, 0.0])
    km = great_circle_km(lat, lon, np.array([30.0, -30.0, 0.0]), np.array([100.0, -80.0, 0.0]))
    assert km[:2] == pytest.approx([0, np.pi * 6371.0088])
    assert np.isnan(km[2])
