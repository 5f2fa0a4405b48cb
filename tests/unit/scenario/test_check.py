"""Whatever a file holds, reading it ends in issues, never in an exception."""

from hypothesis import example, given
from hypothesis import strategies as st

from gridtwin.located import Document, Position, parse_yaml
from gridtwin.scenario.check import check
from gridtwin.scenario.model import Model
from gridtwin.scenario.rules import scenario_issues
from gridtwin.scenario.schema import Scenario

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["x", "1h", "24", "", "edf", "split"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "name", "median"]), inner),
    max_leaves=6,
)


def fields(schema):
    return st.dictionaries(st.sampled_from([*schema.model_fields, "other"]), VALUES, max_size=len(schema.model_fields))


def nested(schema):
    """Draw mappings with the keys of a schema, some sections of them with keys of their own."""
    sections = {
        name: VALUES | fields(spec.annotation)
        for name, spec in schema.model_fields.items()
        if hasattr(spec.annotation, "model_fields")
    }
    return st.tuples(fields(schema), st.fixed_dictionaries({}, optional=sections)).map(lambda both: both[0] | both[1])


BATCH = st.lists(
    fields(Scenario.model_fields["workload"].annotation.model_fields["batch"].annotation.__args__[0]), max_size=2
)


@given(nested(Scenario), BATCH)
def test_any_scenario_is_read(value, batch):
    if isinstance(value.get("workload"), dict):
        value["workload"]["batch"] = batch
    issues = []
    located = check(Scenario, Document("s.yaml", value, {}, {(): Position("s.yaml")}), issues)
    assert located.value is not None
    assert all(issue.message for issue in [*issues, *scenario_issues(located)])


@given(nested(Model))
def test_any_model_is_read(value):
    issues = []
    assert check(Model, Document("m.yaml", value, {}, {(): Position("m.yaml")}), issues).value is not None
    assert issues


@example("#\n| #")
@given(st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@\n \t,?1.~"), max_size=40) | st.text(max_size=20))
def test_any_text_is_read_as_yaml_or_reported(text):
    issues = []
    assert parse_yaml(text, "f.yaml", issues) is not None or issues
