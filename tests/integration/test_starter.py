"""The smallest shipped scenario, which `gridtwin new` copies: quick, sound, and worth looking at."""

from functools import cache

import pytest

from gridtwin import api
from gridtwin.errors import ExitCode
from gridtwin.inputs.load import load_study
from gridtwin.inputs.new_study import new_study
from gridtwin.inputs.places import find_scenario
from gridtwin.policies.registry import POLICIES


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = cache(lambda policy: load_study(find_scenario("starter"), [f"policy={policy}"]))
    return cache(lambda policy: api.run(study(policy), tmp_path_factory.mktemp("starter")))


@pytest.mark.parametrize("policy", POLICIES)
def test_every_ledger_closes_and_nothing_gives_way(finished, policy):
    result = finished(policy)
    assert result.exit_code == ExitCode.OK
    assert result.summary["findings"] == {}
    assert (result.summary["kpis"]["jobs_late"], result.summary["kpis"]["jobs_submitted"]) == (0, 4320)


def test_deciding_together_shows(finished):
    asap, together = (finished(policy).summary["kpis"] for policy in ("asap", "co_dispatch"))
    assert together["completed_node_s"] == asap["completed_node_s"]
    assert together["system_cost"] < 0.98 * asap["system_cost"]
    assert together["co2_t"] < 0.995 * asap["co2_t"]
    assert together["curtailment_mwh"] < 0.6 * asap["curtailment_mwh"]


def test_a_new_study_gives_the_same_figures(finished, tmp_path):
    made = new_study("mine", tmp_path)
    result = api.run(load_study(made.scenario, ["policy=asap"]), tmp_path / "outputs")
    assert result.summary["kpis"] == finished("asap").summary["kpis"]
