"""From a located document to a frozen schema, every fault reported where it stands."""

from __future__ import annotations

import reprlib
import types
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from gridtwin.errors import Issue
from gridtwin.located import Document, KeyPath, did_you_mean, dotted

__all__ = ["Checked", "check"]

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Checked(Generic[S]):
    """A document as its schema reads it.

    Parameters
    ----------
    value : schema or None
        Where there are faults, a stand-in with defaults and examples in their place, so that what is sound can be
        checked further; None where even that is impossible.
    document : Document
    faulty : frozenset of key paths
        What was replaced in `value`.
    """

    value: S | None
    document: Document
    faulty: frozenset[KeyPath]

    def sound(self, *path: str | int) -> bool:
        """Whether nothing at, above or below `path` is a stand-in."""
        return not any(bad[: len(path)] == path[: len(bad)] for bad in self.faulty)

    def issue(self, message: str, *path: str | int) -> Issue:
        """Return an issue that stands at the value of `path` and names it."""
        return self.document.at(*path).issue(f"{dotted(path)}: {message}" if path else message)


def check(schema: type[S], document: Document, issues: list[Issue]) -> Checked[S]:
    """Read a document by its schema; faults are appended to `issues`."""
    try:
        return Checked(schema.model_validate(document.value), document, frozenset())
    except ValidationError as error:
        faults = error.errors(include_url=False)
    issues.extend(_issue(schema, document, fault) for fault in faults)
    repaired = deepcopy(document.value)
    replaced = [_repair(schema, repaired, _path(fault), unknown=fault["type"] == "extra_forbidden") for fault in faults]
    faulty = frozenset(path for path in replaced if path is not None)
    try:
        return Checked(schema.model_validate(repaired), document, faulty)
    except ValidationError:
        return Checked(None, document, faulty)


def _path(fault: ErrorDetails) -> KeyPath:
    """Return where a fault stands; pydantic marks faults of keys by a last part `[key]`."""
    path = fault["loc"]
    return path[:-1] if path and path[-1] == "[key]" else path


def _issue(schema: type[BaseModel], document: Document, fault: ErrorDetails) -> Issue:
    """Translate one pydantic error."""
    path, given = _path(fault), fault.get("input")
    where = document.at(*path)
    match fault["type"]:
        case "extra_forbidden":
            where = document.at_key(*path)
            known = _fields(schema, path[:-1])
            return where.issue(f"unknown key {dotted(path)!r}{did_you_mean(path[-1], known)}")
        case "missing":
            spec = _fields(schema, path[:-1])[str(path[-1])]
            more = f": {spec.description}" if spec.description else ""
            return where.issue(f"{dotted(path)!r} is missing{more}")
        case "value_error":
            message = str(fault["ctx"]["error"])
        case "literal_error":
            expected = str(fault["ctx"]["expected"])
            names = [name.strip("'") for name in expected.replace(" or ", ", ").split(", ")]
            message = f"expected {expected}, got {given!r}{did_you_mean(given, names)}"
        case _:
            message = f"{fault['msg'].replace('Input should be', 'expected')}, got {reprlib.repr(given)}"
    return where.issue(f"{dotted(path)}: {message}" if path else message)


def _bare(kind: Any) -> Any:  # noqa: ANN401 - any annotation
    """Strip `Annotated` and `| None` from an annotation."""
    while get_origin(kind) in (Annotated, Union, types.UnionType):
        kind = get_args(kind)[0]
    return kind


def _fields(schema: Any, path: KeyPath) -> dict[str, FieldInfo]:  # noqa: ANN401 - any annotation
    """Return the fields a schema knows at `path`; none where free names stand."""
    kind = _bare(schema)
    for part in path:
        if get_origin(kind) in (dict, tuple):
            inner = get_args(kind)[get_origin(kind) is dict]
        else:
            inner = kind.model_fields[str(part)].annotation
        kind = _bare(inner)
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}


def _stand_in(spec: FieldInfo) -> Any:  # noqa: ANN401 - a file holds any value
    """Return a value that a required field accepts: its example, or the examples of its fields."""
    if spec.examples:
        return deepcopy(spec.examples[0])
    fields = _fields(spec.annotation, ())
    return {name: _stand_in(inner) for name, inner in fields.items() if inner.is_required()}


def _item(parent: Any, part: str | int) -> Any:  # noqa: ANN401 - a file holds any value
    """Return an entry of a mapping or a list; None where there is none."""
    if isinstance(parent, dict):
        return parent.get(part)
    return parent[part] if isinstance(parent, list) and isinstance(part, int) and part < len(parent) else None


def _repair(schema: type[BaseModel], raw: Any, path: KeyPath, *, unknown: bool) -> KeyPath | None:  # noqa: ANN401
    """Put a stand-in at a fault, or at the nearest field above it; return where.

    An unknown key is taken out; nothing stands in for it, so None.
    """
    for length in range(len(path), 0, -1):
        parent = raw
        for part in path[: length - 1]:
            parent = _item(parent, part)
        name = path[length - 1]
        spec = _fields(schema, path[: length - 1]).get(str(name))
        if not isinstance(parent, dict) or (spec is None and not unknown):
            continue
        if spec is None:
            parent.pop(name, None)
            return None
        if spec.is_required():
            parent[name] = _stand_in(spec)
        else:
            parent.pop(name, None)
        return path[:length]
    return ()
