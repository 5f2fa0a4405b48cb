"""Scenario files, with overrides from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from gridtwin.errors import InputError, Issue
from gridtwin.located import Document, Position, override, read_yaml, shown
from gridtwin.scenario.check import Checked, check
from gridtwin.scenario.rules import scenario_issues
from gridtwin.scenario.schema import Scenario

__all__ = ["LocatedScenario", "load_scenario", "read_scenario"]

LocatedScenario: TypeAlias = Checked[Scenario]


def read_scenario(path: Path, overrides: Sequence[str], issues: list[Issue]) -> LocatedScenario:
    """Read a scenario file; everything wrong with it is appended to `issues`.

    Parameters
    ----------
    path : Path
    overrides : sequence of str
        `a.b=value`, the value in YAML; later ones win.
    issues : list of Issue

    Returns
    -------
    LocatedScenario
        Its `value` is None where the file cannot be read at all.
    """
    document = read_yaml(path, issues)
    if document is None:
        return Checked(None, Document(shown(path), None, {}, {}), frozenset({()}))
    if not isinstance(document.value, dict):
        issues.append(Position(document.file).issue("is empty or no mapping; a scenario starts with `model: <name>`"))
        return Checked(None, document, frozenset({()}))
    for assignment in overrides:
        document = override(document, assignment, issues)
    scenario = check(Scenario, document, issues)
    issues.extend(scenario_issues(scenario))
    return scenario


def load_scenario(path: Path, overrides: Sequence[str] = ()) -> LocatedScenario:
    """Read a scenario file.

    Parameters
    ----------
    path : Path
    overrides : sequence of str
        `a.b=value`, the value in YAML; later ones win.

    Returns
    -------
    LocatedScenario
        With a `value` that has no faults.

    Raises
    ------
    InputError
        With every fault of the file and of the overrides.
    """
    issues: list[Issue] = []
    scenario = read_scenario(path, overrides, issues)
    if issues:
        raise InputError(issues)
    return scenario
