"""Differences of two trees of plain values, such as scenarios, by dotted path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridtwin.compare.records import SHOWN_VALUES, InputChange, InputKind

__all__ = ["ABSENT", "scenario_changes", "tree_changes"]

ABSENT = object()  # what a tree holds where it has no such key
LAST = ("description",)  # keys that change nothing, named after all others


def scenario_changes(base: Mapping[str, Any], change: Mapping[str, Any]) -> list[InputChange]:
    """Return where two resolved scenarios differ, in the order of their keys; a mere description comes last."""
    found = list(tree_changes(base, change, "scenario"))
    return sorted(found, key=lambda item: item.path in LAST)


def tree_changes(base: Any, change: Any, kind: InputKind, file: str = "") -> Iterator[InputChange]:  # noqa: ANN401 - any JSON value
    """Yield the leaves in which two trees differ.

    Parameters
    ----------
    base, change : JSON values
        Lists of mappings that all have a `name` are matched by it, other lists are one leaf.
    kind : str
    file : str
        Put before the dotted path, with a colon.

    Examples
    --------
    >>> [found.text for found in tree_changes({"a": {"b": 1}}, {"a": {"b": 2, "c": True}}, "scenario")]
    ['a.b  1 → 2', 'a.c  none → true']
    """
    for path, old, new in _leaves((), base, change):
        dotted = ".".join(path)
        yield InputChange(kind, f"{file}: {dotted}" if file else dotted, _plain(old), _plain(new), _detail(old, new))


def _leaves(path: tuple[str, ...], base: Any, change: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:  # noqa: ANN401
    old, new = _named(base), _named(change)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _leaves((*path, str(key)), old.get(key, ABSENT), new.get(key, ABSENT))
        if isinstance(base, list) and old.keys() == new.keys() and list(old) != list(new):
            yield (*path, "order"), list(old), list(new)
    elif not _equal(base, change):
        yield path, base, change


def _named(value: Any) -> Any:  # noqa: ANN401
    """Return a list of named things as a mapping, an empty list as an empty one; anything else as it is."""
    if not isinstance(value, list) or not all(isinstance(item, dict) and "name" in item for item in value):
        return value
    named = {str(item["name"]): {key: held for key, held in item.items() if key != "name"} for item in value}
    return named if len(named) == len(value) else value


def _equal(base: Any, change: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same in kind and size: 1 is not true, but it is 1.0."""
    return (type(base) is type(change) and base == change) or (_number(base) and _number(change) and base == change)


def _number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:  # noqa: ANN401
    return None if value is ABSENT else value


def _detail(old: Any, new: Any) -> str:  # noqa: ANN401
    """Say what two long values cannot show."""
    if isinstance(old, list) and isinstance(new, list):
        return "" if all(_short(value) for value in (old, new)) else _of_lists(old, new)
    if isinstance(new, dict | list) and old is ABSENT:
        return "added"
    if isinstance(old, dict | list) and new is ABSENT:
        return "removed"
    return ""


def _short(values: list[Any]) -> bool:
    return len(values) <= SHOWN_VALUES and not any(isinstance(value, dict | list) for value in values)


def _of_lists(old: list[Any], new: list[Any]) -> str:
    if len(old) != len(new):
        return f"{len(old)} → {len(new)} values"
    places = [place for place, pair in enumerate(zip(old, new, strict=True)) if not _equal(*pair)]
    first = places[0]
    return f"{len(places)} of {len(old)} values differ, the first at {first}: {old[first]} → {new[first]}"
