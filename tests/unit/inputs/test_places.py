import pytest

from gridtwin.errors import InputError
from gridtwin.inputs.places import find_model, find_scenario, find_trace, model_names, trace_names


def test_models_beside_the_scenario_above_it_and_shipped(lab):
    near = lab.scenario.parent
    assert find_model("tiny", near) == lab.root / "models" / "tiny"
    assert find_model("../models/tiny", near).samefile(lab.root / "models" / "tiny")
    assert find_model("rts_gmlc", near).name == "rts_gmlc"
    assert find_model("none", near) is None
    assert {"tiny", "rts_gmlc"} <= set(model_names(near))


def test_traces_beside_the_scenario_and_shipped(lab):
    near = lab.scenario.parent
    assert find_trace("jobs.csv", near) == near / "jobs.csv"
    assert find_trace("gaia_azure_vm_100k", near).suffix == ".parquet"
    assert find_trace("none", near) is None
    assert "gaia_azure_vm_100k" in trace_names(near)


def test_scenarios_by_path_without_ending_and_by_name(lab):
    assert find_scenario("scenarios/day.yaml").samefile(lab.scenario)
    assert find_scenario("scenarios/day").samefile(lab.scenario)
    assert find_scenario("day").samefile(lab.scenario)
    assert find_scenario(lab.scenario) == lab.scenario


@pytest.mark.usefixtures("lab")
def test_a_scenario_that_is_not_there_says_what_is():
    for given, hint in [
        ("scenarios/dya.yaml", "no such scenario file (did you mean 'scenarios/day.yaml'?)"),
        ("dy", "no such scenario file (did you mean 'day'?)"),
        ("scenarios", "is a folder, not a scenario file"),
    ]:
        with pytest.raises(InputError) as raised:
            find_scenario(given)
        assert hint in str(raised.value)
