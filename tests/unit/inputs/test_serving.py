"""Services: who answers which requests, on how many nodes, and what that moves."""

import numpy as np
import pytest

from gridtwin.inputs.load import load_study

TIERS = "workload.services.0.tiers=[edge, hub]"
STEP_S, NODE_PER_S = 3600, 20 * 0.5  # requests/s of one node


def nodes(study, step=0):
    """Nodes that services ask for at east and west."""
    return study.profiles.service_nodes[step, :, 1].tolist()


def test_tiers_fill_in_their_order_and_pass_on_what_finds_no_room(regions):
    # here asks 10 nodes' worth, there 20; east is edge and has 10 nodes, west 30
    assert nodes(load_study(regions.scenario, [TIERS])) == [10, 20]
    assert nodes(load_study(regions.scenario, ["workload.services.0.tiers=[hub, edge]"])) == [0, 30]
    assert nodes(load_study(regions.scenario, [TIERS, "workload.services.0.requests_per_s.there=400"])) == [20, 30]


def test_the_nearest_of_those_without_a_tier_comes_next(regions):
    regions.edit("sites.csv", "South,hub", "South,")
    assert nodes(load_study(regions.scenario, ["workload.services.0.tiers=[edge]"])) == [10, 20]


def test_the_latency_of_a_service_bounds_its_tiers(regions):
    limit = "workload.services.0.max_latency_oneway_ms=7"
    assert nodes(load_study(regions.scenario, ["workload.services.0.tiers=[hub, edge]", limit])) == [10, 20]
    assert nodes(load_study(regions.scenario, [limit])) == [15, 15]  # without tiers: there 1:3, here all at east


def test_residents_are_answered_at_home(regions):
    resident = "workload.services.0.resident_share=0.5"
    assert nodes(load_study(regions.scenario, ["workload.services.0.tiers=[hub]", resident])) == [5, 25]
    # half of here's 10 and a quarter of the others' 15 at east
    assert nodes(load_study(regions.scenario, [resident])) == [9, 22]


def test_services_of_a_class_add_up(regions):
    text = regions.scenario.read_text()
    start = text.index("    - name: chat")
    second = text[start:].replace("chat", "vision").replace("{here: 100, there: 200}", "{here: 50}")
    regions.scenario.write_text(text + second)
    study = load_study(regions.scenario, [TIERS, "workload.services.1.tiers=[edge, hub]"])
    assert nodes(study) == [10, 25]  # the first has filled the edge


def test_requests_move_data_over_the_wan(regions):
    moves = "workload.services.0.gb_per_request=0.001"
    gb_per_node = NODE_PER_S * STEP_S * 0.001 * 12  # in a window
    gb = load_study(regions.scenario, [TIERS, moves]).profiles.requests_gb
    # here sends a third of what finds room at east, over a link that is no WAN; there sends the rest to west
    assert gb[0] == pytest.approx(np.array([[0, 20 / 3], [20 / 3, 40 / 3]]) * gb_per_node)
    assert len(gb) == -(-210 // 12)
    assert gb[-1] == pytest.approx(gb[0] / 2)  # the last window is cut off half-way by the end of the series
    assert load_study(regions.scenario, [TIERS]).profiles.requests_gb.sum() == 0
    spread = load_study(regions.scenario, [moves]).profiles.requests_gb[0]
    assert spread == pytest.approx(np.array([[0, 7.5], [5, 15]]) * gb_per_node)


def test_a_burst_multiplies_requests_for_its_time(regions):
    burst = "{name: eleven, start: 2020-01-02T07:30:00+08:00, duration: 1h, factor: 3, origins: [there]}"
    study = load_study(regions.scenario, [f"workload.services.0.bursts=[{burst}]", "compute.reach=region"])
    assert study.profiles.service_nodes[:4, :, 1].tolist() == [[10, 20], [10, 40], [10, 40], [10, 20]]
    later = burst.replace("2020", "2031")
    study = load_study(regions.scenario, [f"workload.services.0.bursts=[{later}]", "compute.reach=region"])
    assert (study.profiles.service_nodes[:, :, 1] == [10, 20]).all()
