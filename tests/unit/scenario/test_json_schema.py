"""What an editor is told agrees with what `validate` takes."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from gridtwin.cli import main
from gridtwin.located import read_yaml
from gridtwin.scenario.check import check
from gridtwin.scenario.json_schema import SCHEMAS, json_schema
from gridtwin.scenario.load import load_scenario

REPO = Path(__file__).parents[3]
SCENARIOS = [
    *REPO.glob("scenarios/*.yaml"),
    *REPO.glob("tests/scenarios/*.yaml"),
    *REPO.glob("tests/cases/*/scenario.yaml"),
]
MODELS = [*REPO.glob("models/*/model.yaml"), *REPO.glob("tests/models/*/model.yaml")]
FILES = [("scenario", path) for path in SCENARIOS] + [("model", path) for path in MODELS]


def content(path: Path):
    issues = []
    document = read_yaml(path, issues)
    assert issues == []
    return json.loads(json.dumps(document.value, default=str))


def faults(kind, value) -> list[str]:
    return [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(json_schema(kind)).iter_errors(value)
    ]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_it_is_a_schema_of_2020_12(kind):
    schema = json_schema(kind)
    assert validator_for(schema) is Draft202012Validator
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("kind", "path"), FILES, ids=[path.relative_to(REPO).as_posix() for _, path in FILES])
def test_every_file_of_the_repository_validates(kind, path):
    assert faults(kind, content(path)) == []


def test_a_scenario_with_everything_in_it_validates():
    resolved = load_scenario(REPO / "scenarios" / "rts_gmlc_day.yaml").value.resolved()
    assert faults("scenario", resolved) == []


@pytest.mark.parametrize("kind", SCHEMAS)
def test_defaults_and_examples_are_what_the_schema_takes_and_every_key_is_described(kind):
    schema = json_schema(kind)
    parts = [schema, *schema["$defs"].values()]
    for part in parts:
        for name, key in part["properties"].items():
            assert key.get("description") or "$ref" in key, (part["title"], name)
            assert "title" not in key
            own = Draft202012Validator({**key, "$defs": schema["$defs"]})
            for value in (*([key["default"]] if "default" in key else ()), *key.get("examples", ())):
                assert own.is_valid(value), (part["title"], name, value)
    assert "?" not in json.dumps(schema.get("examples", []))


def with_value(value, path, new):
    *above, last = path
    for part in above:
        value = value[part]
    value[last] = new


BATCH = ("workload", "batch", 0)
WRONG = [
    (("model",), ""),
    (("modle",), "x"),
    (("time", "start"), "2020-06-29T00:00:00"),
    (("time", "start"), "yesterday"),
    *((("time", "duration"), value) for value in (24, "1 day", "0d", "0.0 h", "-1h", "1.5")),
    (("time", "window"), None),
    (("time", "wrap"), "yes"),
    (("policy",), "asp"),
    (("policies", "co_dispatch", "capacity_margin"), 1),
    (("dispatch", "carbon_price_per_t"), -1),
    (("dispatch", "carbon_price_per_t"), "50"),
    (("dispatch", "carbon"), 1),
    (("compute", "discipline"), "lifo"),
    (("forecast",), "noisy"),
    (("forecast",), {"series": {"kind": "guess"}}),
    (("forecast",), {"runtimes": "file"}),
    (("seed",), -1),
    (("seed",), 1.5),
    (("workload", "delay_classes"), {}),
    (("workload", "duration_bins"), []),
    (("workload", "wide_jobs"), "cut"),
    (("workload", "max_share_of_pool"), 0),
    ((*BATCH, "nodes_per_core"), 0),
    ((*BATCH, "delay_shares"), {"prompt": 2}),
    ((*BATCH, "checkpoint"), {"save": "2 minutes"}),
    (("workload", "services", 0, "diurnal"), [1.0, 1.0]),
    (("tariff",), {"energy_per_mwh": [1, 2]}),
    (("security",), {"n1": "on"}),
]
ONLY_VALIDATE = [  # rules between keys
    ((*BATCH, "delay_shares"), {"prompt": 0.5}),
    (("workload", "duration_bins"), ["4h", "1h"]),
    (("forecast",), {"series": {"kind": "noisy"}}),
    (("time", "horizon"), "12h"),
    (("workload", "services", 0, "diurnal"), [2.0] * 24),
]
RIGHT = [
    (("model",), 113),
    (("time", "duration"), " 36.0 h "),
    (("time", "start"), "2020-06-29 00:00Z"),
    (("forecast",), "file"),
    (("forecast",), {"series": {"kind": "noisy", "error": 0.1, "correlation_h": 6}}),
    (("forecast",), {"runtimes": {"kind": "noisy", "sigma": 0.5}, "arrivals": "persistence"}),
    (("policy",), "customer"),
    (("workload", "wide_jobs"), None),
    (("workload", "delay_classes"), {"prompt": "0s", "half_day": "12h", "day": "24h"}),
]


@pytest.mark.parametrize(
    ("path", "value", "seen"), [(*case, True) for case in WRONG] + [(*case, False) for case in ONLY_VALIDATE]
)
def test_what_is_wrong_fails_here_or_in_validate(tmp_path, path, value, seen):
    scenario = content(REPO / "scenarios" / "rts_gmlc_day.yaml")
    with_value(scenario, path, value)
    assert bool(faults("scenario", scenario)) is seen
    file = tmp_path / "wrong.yaml"
    file.write_text(json.dumps(scenario))
    with pytest.raises(Exception, match=str(path[-1])):
        load_scenario(file)


@pytest.mark.parametrize(("path", "value"), RIGHT)
def test_what_is_right_passes_in_both(tmp_path, path, value):
    scenario = content(REPO / "scenarios" / "rts_gmlc_day.yaml")
    with_value(scenario, path, value)
    assert faults("scenario", scenario) == []
    file = tmp_path / "right.yaml"
    file.write_text(json.dumps(scenario))
    assert load_scenario(file).value is not None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("name",), "a/b"),
        (("currency",), "yuan"),
        (("grid", "busses"), "x"),
        (("profiles", "load"), "load.csv"),
        (("compute", "classes"), {}),
    ],
)
def test_a_wrong_model_fails_in_both(tmp_path, path, value):
    model = content(REPO / "models" / "starter" / "model.yaml")
    with_value(model, path, value)
    assert faults("model", model)
    file = tmp_path / "model.yaml"
    file.write_text(json.dumps(model))
    issues = []
    check(SCHEMAS["model"], read_yaml(file, issues), issues)
    assert issues


def test_the_command_prints_it_or_writes_it(capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["schema"])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.err) == (0, "")
    assert json.loads(printed.out) == json_schema("scenario")
    with pytest.raises(SystemExit):
        main(["schema", "model", "--out", str(tmp_path / "model.json")])
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "model.json").read_text(encoding="utf-8")) == json_schema("model")
    with pytest.raises(SystemExit) as ended:
        main(["schema", "trace"])
    assert ended.value.code == 2
