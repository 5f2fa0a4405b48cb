"""The schemas of scenario and model files as JSON Schema, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from gridtwin.scenario.kinds import Schema, duration_text
from gridtwin.scenario.model import Model
from gridtwin.scenario.schema import Scenario

__all__ = ["SCHEMAS", "json_schema"]

SCHEMAS: Final[Mapping[str, type[Schema]]] = {"scenario": Scenario, "model": Model}
STAND_IN: Final = "?"  # examples that only stand in for faulty values


class _Untitled(GenerateJsonSchema):
    """Without titles that repeat the names of keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's signature
        return False


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind of file.

    It knows keys, types, ranges, units and defaults. Rules between keys, and against the tables of a model, are for
    `gridtwin validate`.

    Parameters
    ----------
    kind : str
        `scenario` or `model`.
    """
    schema = SCHEMAS[kind].model_json_schema(schema_generator=_Untitled)
    told: dict[str, Any] = _for_people(schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **told, "title": f"gridtwin {kind}"}


def _for_people(part: Any) -> Any:  # noqa: ANN401 - JSON holds any value
    """Write defaults of durations as files do, and leave out examples that are stand-ins."""
    if isinstance(part, list):
        return [_for_people(item) for item in part]
    if not isinstance(part, dict):
        return part
    told = {key: _for_people(value) for key, value in part.items()}
    if isinstance(told.get("default"), int) and told.get("type") == "string":
        told["default"] = duration_text(told["default"])
    if isinstance(examples := told.get("examples"), list):
        told["examples"] = [example for example in examples if STAND_IN not in str(example)]
        if not told["examples"]:
            del told["examples"]
    return told
