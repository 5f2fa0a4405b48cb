"""The scenarios that the page can start, by name: those that gridtwin ships, and those of one folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridtwin.errors import Issue
from gridtwin.inputs.places import find_scenario, scenario_names
from gridtwin.located import read_yaml
from gridtwin.scenario.load import read_scenario

__all__ = ["Choice", "Scenarios", "named_elsewhere"]

SUFFIXES = (".yaml", ".yml")
PLAIN_NAME = re.compile(r"[\w-][\w.-]*")


@dataclass(frozen=True, slots=True)
class Choice:
    """One scenario to choose."""

    name: str
    path: Path
    description: str
    shipped: bool


class Scenarios:
    """What can be chosen. A scenario is found by its name in this list; no path is made from what a browser sends.

    Parameters
    ----------
    folder : Path or None
        Of further scenarios. Links in it that lead out are left out.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder else None

    def choices(self) -> dict[str, Choice]:
        """Return all scenarios by name; those of the folder come first and win."""
        own = {path.stem: _choice(path, shipped=False) for path in self._files()}
        shipped = {name: _choice(find_scenario(name), shipped=True) for name in scenario_names(Path())}
        return own | {name: choice for name, choice in shipped.items() if name not in own}

    def _files(self) -> Iterator[Path]:
        if self._folder is None:
            return
        for path in sorted(self._folder.iterdir()):
            if path.suffix in SUFFIXES and path.is_file() and path.resolve().is_relative_to(self._folder):
                yield path


def _choice(path: Path, *, shipped: bool) -> Choice:
    document = read_yaml(path, [])
    content = document.value if document and isinstance(document.value, dict) else {}
    description = content.get("description", "")
    return Choice(path.stem, path, description if isinstance(description, str) else "", shipped)


def named_elsewhere(choice: Choice, overrides: Sequence[str]) -> list[Issue]:
    """Return issues of overrides that name a model or a trace by a path.

    The page starts scenarios of its list; through a path an override could read any file of the machine.
    """
    given, changed = (_names(choice.path, lines) for lines in ((), overrides))
    return [
        Issue(f"--set {key}", 1, len(key) + 2, f"expected the name of a shipped one, got {name!r}; paths are not taken")
        for key, name in changed.items()
        if name not in given.values() and not PLAIN_NAME.fullmatch(name)
    ]


def _names(path: Path, overrides: Sequence[str]) -> dict[str, str]:
    """Return the names of the model and the traces by their place in a scenario."""
    content = read_scenario(path, overrides, []).value
    if content is None:
        return {}
    traces = {f"workload.batch.{index}.trace": str(b.trace) for index, b in enumerate(content.workload.batch)}
    return {"model": content.model, **traces}
