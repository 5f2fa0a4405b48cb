# ruff: noqa: E501 - a table of faults reads better one to a line
"""Everything that can be wrong with a study, one fault at a time and together."""

import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.load import load_study

# file, text, what stands there instead, the issue
FAULTS = [
    ("day.yaml", "model: tiny", "model: tny", "scenarios/day.yaml:1:8: model: no folder with a model.yaml and no shipped model 'tny' (did you mean 'tiny'?)"),
    ("day.yaml", "jobs.csv", "gaia_azure_vm", "day.yaml:8:14: workload.batch.0.trace: no file and no shipped trace 'gaia_azure_vm' (did you mean 'gaia_azure_vm_100k'?)"),
    ("day.yaml", "compute_class: general", "compute_class: genral", "unknown compute class 'genral' (did you mean 'general'?)"),
    ("day.yaml", "compute_class: general", "compute_class: serving", "class 'serving' hosts services, not batch jobs; those that do: general"),
    ("day.yaml", "compute_class: serving", "compute_class: general", "class 'general' hosts batch jobs, not services; those that do: serving"),
    ("day.yaml", "{here: 0.5, there: 0.5}", "{here: 0.5, theer: 0.5}", "day.yaml:12:34: unknown origin 'theer' (did you mean 'there'?)"),
    ("day.yaml", "{here: 100,", "{her: 100,", "day.yaml:17:24: unknown origin 'her' (did you mean 'here'?)"),
    ("day.yaml", "[1h, 4h]", "[30min]", "the last bin ends at 30min, but trace 'jobs.csv' has a job of 1h; append a longer bin"),
    ("day.yaml", "nodes_per_core: 1", "nodes_per_core: 41", "its widest job takes 205 nodes of class 'general', the largest site that origin 'here' may use has 200; set workload.wide_jobs"),
    ("day.yaml", "2020-01-02T06", "2019-01-02T06", "day.yaml:2:15: time.start: 2019-01-02T06:00:00+08:00 is outside the model's series"),
    ("day.yaml", "06:00:00+08", "06:30:00+08", "time.start: 2020-01-02T06:30:00+08:00 is not on a step of the model's series"),
    ("day.yaml", "duration: 1d", "duration: 9d", "day.yaml:2:52: time.duration: the run outlasts models/tiny/load.csv, which ends"),
    ("day.yaml", "duration: 1d", "duration: 8d", "time.duration: the last job may end"),
    ("day.yaml", "step: 1h, window: 12h", "step: 90min, window: 12h", "time.step: 90min does not fit the model's series with a step of 1h; one must be a multiple of the other"),
    ("day.yaml", "step: 1h, window: 12h", "step: 40min, window: 12h", "time.step: 40min does not fit the model's series with a step of 1h"),
    ("jobs.csv", "submit_s,runtime_s,cores", "submit_s,runtime,cores", "missing column 'runtime_s'"),
    ("model.yaml", "buses: buses.csv", "buses: busses.csv", "model.yaml:3:30: grid.buses: file models/tiny/busses.csv does not exist (did you mean 'buses.csv'?)"),
    ("model.yaml", "load.csv", "laod.csv", "profiles.load.file: file models/tiny/laod.csv does not exist (did you mean 'load.csv'?)"),
    ("model.yaml", "slack_bus: 1", "slack_bus: 4", "grid.slack_bus: unknown bus '4'"),
    ("model.yaml", "+08:00", "", "model.yaml:6:10: profiles.start: time 2020-01-01T00:00:00 has no zone"),
    ("model.yaml", "currency: EUR", "curency: EUR", "unknown key 'curency' (did you mean 'currency'?)"),
    ("model.yaml", "max_latency_oneway_ms: 5", "max_latency_oneway_ms: 0.5", "nobody serves class 'serving' for origin 'here': it reaches no site"),
    ("model.yaml", "sites: sites.csv", "sites: sites.csv\n  sites: sites.csv", "key 'sites' is given twice; the first is in line 12"),
    ("buses.csv", "3,138,south", "2,138,south,0,0,0,1,1\n3,138,south", "buses.csv:4:1: bus '2' is there twice; the first is in line 3"),
    ("buses.csv", "138,north,10", "x,north,10", "buses.csv:2:3: vn_kv is x; expected a number > 0"),
    ("buses.csv", "2,138,north", "2,230,north", "branches.csv:2:7: line joins bus '1' of 138 kV and bus '2' of 230 kV; set is_transformer, or correct vn_kv in models/tiny/buses.csv"),
    ("links.csv", "1,3,20,5", "1,1,20,5", "links.csv:2:6: link ends where it begins, at bus '1'"),
    ("links.csv", "1,3,20,5", "1,3,20,-21", "links.csv:2:11: schedule_mw = -21 is more than p_nom_mw = 20 in either direction"),
    ("buses.csv", "3,138,south", "3,138,nrth", "unknown area, no column of models/tiny/load.csv, 'nrth' (did you mean 'north'?)"),
    ("buses.csv", "0.75", "0.7", "shares of area 'north' add to 0.95, expected 1"),
    ("buses.csv", "south,0,0,", "south,0,5,", "load_mvar without load_mw"),
    ("buses.csv", "0.25,0.95,1.05", "0.25,1.95,1.05", "vm_min_pu = 1.95 is above vm_max_pu = 1.05"),
    ("branches.csv", "L23,2,3", "L23,2,9", "branches.csv:3:7: unknown bus '9'"),
    ("branches.csv", "L23,2,3", "L23,2,2", "branch ends where it begins, at bus '2'"),
    ("branches.csv", "L23,2,3,0.01,0.1", "L23,2,3,0.01,0", "x_pu is 0; expected a reactance other than zero"),
    ("branches.csv", "L13,1,3", "L12,1,3", "branches.csv:4:1: line 'L12' is there twice; the first is in line 2"),
    ("branches.csv", "100,110,120", "100,90,120", "rate_mw = 100 is above rate_long_mw = 90"),
    ("units.csv", "wind,2", "wind,4", "units.csv:3:6: unknown bus '4'"),
    ("units.csv", "wind,2", "coal,2", "unit 'coal' is there twice"),
    ("units.csv", "breeze", "breze", "unknown profile, no column of models/tiny/availability.csv, 'breze' (did you mean 'breeze'?)"),
    ("units.csv", "Wind,0,50", "Wind,0,20", "p_max_mw = 20 is below the 23 MW that profile 'breeze' reaches"),
    ("units.csv", "Coal,10,40", "Coal,50,40", "p_min_mw = 50 is above p_max_mw = 40"),
    ("units.csv", "cond,3", "cond,1", "vm_set_pu = 1.01 but unit 'coal' holds bus '1' at 1.02"),
    ("units.csv", "Coal,10,40", "Coal,10,45", "segments of unit 'coal' end at 40 MW, its p_max_mw is 45"),
    ("segments.csv", "coal,20,40", "coal,25,40", "segments.csv:4:6: segment of unit 'coal' starts at 25 MW, expected 20"),
    ("segments.csv", "coal,20,40", "coil,20,40", "segments.csv:4:1: unknown unit 'coil' (did you mean 'coal'?)"),
    ("load.csv", "150,50\n", "-150,50\n", "load.csv:52:1: column 'north' is -150 in row 51 (2020-01-03T02:00:00+08:00); expected numbers >= 0"),
    ("load.csv", "150,50\n", "nan,50\n", "load.csv:52:1: north is nan; expected a number"),
    ("temperature.csv", "town\n10", "town\n300", "column 'town' is 300 in row 1 (2020-01-01T00:00:00+08:00); expected numbers from -90 to 60"),
    ("sites.csv", "east,1", "east,7", "sites.csv:2:6: unknown bus '7'"),
    ("sites.csv", "1,town", "1,twon", "unknown station, no column of models/tiny/temperature.csv, 'twon' (did you mean 'town'?)"),
    ("sites.csv", "evaporative", "evaporativ", "unknown cooling 'evaporativ' (did you mean 'evaporative'?)"),
    ("sites.csv", "0.98", "1.98", "power_factor is 1.98; expected at most 1"),
    ("sites.csv", "0.98,5", "0.98,0.05", "sites.csv:2:30: site 'east' draws 0.0538 MW with idle nodes and services alone at 2020-01-01T22:00:00+00:00, its connection carries 0.05"),
    ("nodes.csv", "west,general,cpu_node,200\nwest,serving,inference_node,30\n", "", "sites.csv:3:1: site 'west' has no nodes in models/tiny/nodes.csv"),
    ("nodes.csv", "east,general,cpu_node", "east,general,cpu_nod", "nodes.csv:2:14: unknown hardware 'cpu_nod' (did you mean 'cpu_node'?)"),
    ("nodes.csv", "west,general,cpu_node", "west,general,inference_node", "nodes.csv:4:14: 'inference_node' is hardware of class 'inference', listed under 'general'; that class has cpu_node, cpu_block_40kw"),
    ("nodes.csv", "east,general", "eastt,general", "nodes.csv:2:1: unknown site 'eastt' (did you mean 'east'?)"),
    ("nodes.csv", "cpu_node,100", "cpu_node,99.5", "nodes is 99.5; expected a whole number >= 0"),
    ("wan.csv", "here,west", "here,wst", "unknown site 'wst' (did you mean 'west'?)"),
    ("wan.csv", "here,west,9", "here,west,-9", "latency_oneway_ms is -9; expected a number >= 0"),
]  # fmt: skip


def issues_of(lab, *overrides):
    with pytest.raises(InputError) as raised:
        load_study(lab.scenario, overrides)
    return [str(issue) for issue in raised.value.issues]


@pytest.mark.parametrize(("name", "old", "new", "message"), FAULTS, ids=[f"{f[0]}-{f[2][:30]}" for f in FAULTS])
def test_one_fault(lab, name, old, new, message):
    lab.edit(name, old, new)
    issues = issues_of(lab)
    assert any(message in issue for issue in issues), issues
    assert len(issues) <= 3, "a fault drags others along"


TAPS = "0.02,1.1,false", "0.02,1,true", "0,1.1,true"


def test_taps_are_checked_where_the_table_has_them(lab):
    path = lab.root / "models/tiny/branches.csv"
    header, *rows = path.read_text().splitlines()
    header = header.replace("b_pu,", "b_pu,tap_ratio,is_transformer,")
    rows = [row.replace(",0.02,", f",{cells},") for row, cells in zip(rows, TAPS, strict=True)]
    path.write_text("\n".join([header, *rows]))
    assert issues_of(lab) == [
        "models/tiny/branches.csv:2:23: tap_ratio is 1.1 at a line, expected 1; a transformer has is_transformer = true",
        "models/tiny/branches.csv:3:18: b_pu is 0.02 at a transformer, expected 0; give its charging as shunts at its two buses",
    ]


def test_wide_jobs_are_judged_by_the_sites_of_their_origin(lab):
    lab.edit("wan.csv", "here,west,9,100,0.01\n", "")
    lab.edit("nodes.csv", "east,general,cpu_node,100", "east,general,cpu_node,4")
    (issue,) = issues_of(lab)
    assert issue.startswith("scenarios/day.yaml:8:14: workload.batch.0.trace: its widest job takes 5 nodes of class")
    assert "the largest site that origin 'here' may use has 4; set workload.wide_jobs" in issue
    study = load_study(lab.scenario, ["workload.wide_jobs=split", "workload.max_share_of_pool=0.5"])
    here = study.jobs.origin == 0
    assert study.jobs.nodes[here].max() == 2
    assert study.jobs.nodes[~here].max() == 5


def test_data_that_no_link_can_carry(lab):
    lab.edit("wan.csv", "here,east,1,,0", "here,east,1,0.01,0")
    lab.edit("wan.csv", "here,west,9,100", "here,west,9,0.01")
    # 100 jobs a day of 2.92 nodes, half of them from here; 0.02 Gbit/s carry 432 GB in 48 h
    load_study(lab.scenario, ["workload.batch.0.data_gb_per_node={median: 2.9}"])
    (issue,) = issues_of(lab, "workload.batch.0.data_gb_per_node={median: 3.01}")
    assert issue.startswith("--set workload.batch.0.data_gb_per_node:1:35: workload.batch.0.data_gb_per_node: origin ")
    assert "'here' sends 439 GB in the mean, 1.02 times the 432 GB that its links carry in 2d" in issue
    (issue,) = issues_of(lab, "workload.batch.0.data_gb_per_node={median: 2, sigma: 1}")
    assert "'here' sends 481 GB" in issue  # the mean of a lognormal: 2 GB x exp(1 / 2)
    left_out = [
        "workload.wide_jobs=drop",
        "workload.max_share_of_pool=0.02",
    ]  # jobs of 5 nodes: 4 of 24, 20 of 70 cores
    load_study(lab.scenario, ["workload.batch.0.data_gb_per_node={median: 4}", *left_out])
    assert issues_of(lab, "workload.batch.0.data_gb_per_node={median: 4.2}", *left_out)


def test_streams_to_the_same_sites_share_the_links(lab):
    lab.edit("wan.csv", "here,east,1,,0", "here,east,1,0.01,0")
    lab.edit("wan.csv", "here,west,9,100", "here,west,9,0.01")
    text = lab.scenario.read_text()
    start, end = text.index("    - name: training"), text.index("  services:")
    stream = text[start:end] + "      data_gb_per_node: {median: 1.4}\n"
    lab.scenario.write_text(text[:start] + stream + stream.replace("training", "tuning") + text[end:])
    load_study(lab.scenario)
    (issue,) = issues_of(lab, "workload.batch.1.data_gb_per_node.median=1.61")
    assert "batch.1.data_gb_per_node: origin 'here' sends 439 GB in the mean" in issue


def test_a_connection_may_be_less_than_a_full_site_draws(lab):
    lab.edit("sites.csv", "0.98,5", "0.98,0.1")
    fleet = load_study(lab.scenario).fleet
    assert fleet.connection_mw[0] == 0.1
    assert (fleet.capacity_nodes * fleet.peak_w).sum(axis=1)[0] > 0.1e6


def test_an_isolated_bus(lab):
    lab.edit("branches.csv", "L23,2,3", "L23,2,1")
    lab.edit("branches.csv", "L13,1,3", "L13,1,2")
    (issue,) = issues_of(lab)
    assert "buses.csv:4:1: 1 bus(es) not connected to the reference bus '1' by any branch: 3" in issue


def test_a_missing_scenario_and_a_missing_model_file(lab):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_study(lab.root / "none.yaml")
    (lab.root / "models/tiny/model.yaml").write_text("")
    issues = issues_of(lab)
    assert any("models/tiny/model.yaml:1:1" in issue for issue in issues)


def test_many_faults_in_many_files_are_all_reported(lab):
    lab.edit("day.yaml", "duration: 1d", "duration: 1d, durration: 2d")
    lab.edit("day.yaml", "+08:00", "")
    lab.edit("day.yaml", "nodes_per_core: 1", "nodes_per_core: 50")
    lab.edit("day.yaml", "{here: 100,", "{her: 100,")
    lab.edit("model.yaml", "links.csv", "lnks.csv")
    lab.edit("units.csv", "wind,2", "wind,4")
    lab.edit("segments.csv", "coal,20,40", "coil,20,40")
    lab.edit("load.csv", "150,50\n", "-150,50\n")
    issues = "\n".join(issues_of(lab, "sead=1"))
    for message in (
        "unknown key 'time.durration'",
        "has no zone",
        "its widest job takes 250 nodes",
        "unknown origin 'her'",
        "lnks.csv does not exist",
        "unknown bus '4'",
        "unknown unit 'coil'",
        "column 'north' is -150",
        "--set sead:1:6: unknown key 'sead' (did you mean 'seed'?)",
    ):
        assert message in issues
