"""What a run folder says about the run beside its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from gridtwin.errors import ResultsError
from gridtwin.results.files import read_json, write_json
from gridtwin.results.store import Coordinates, RunFolder

__all__ = ["RunFacts", "read_facts", "write_facts"]

FILE = "run.json"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What stays the same during a run, so that its folder can be read without the study.

    Parameters
    ----------
    scenario, policy, currency : str
    start : str
        First instant, ISO 8601, UTC.
    step_s, window_steps : int
    planned_windows : int
        Windows until the last job is due; more follow while jobs are left.
    model_steps : int
        Steps that the model's series cover; later ones repeat them from the beginning.
    seed : int
    carbon_price_per_t : float
    n1_report : bool
        Outages are reported when the run is closed.
    coords : mapping
        Labels of every dimension but time.
    delay_class : tuple of str
    counts, model_hashes : mapping
        As the study has them.
    versions : mapping of str to str
        Of gridtwin, Python and the libraries that began the run.
    study : mapping of str to str
        SHA-256 of all numbers and names of each part of the study.
    """

    scenario: str
    policy: str
    currency: str
    start: str
    step_s: int
    window_steps: int
    planned_windows: int
    model_steps: int
    seed: int
    carbon_price_per_t: float
    n1_report: bool
    coords: Coordinates
    delay_class: tuple[str, ...]
    counts: Mapping[str, int]
    model_hashes: Mapping[str, str]
    versions: Mapping[str, str]
    study: Mapping[str, str]

    def step_start(self, step: int) -> datetime:
        """Return when a step begins, UTC."""
        return datetime.fromtimestamp(datetime.fromisoformat(self.start).timestamp() + step * self.step_s, tz=UTC)


def write_facts(folder: RunFolder, facts: RunFacts) -> None:
    """Write the facts into the inputs of a run folder."""
    write_json(folder.inputs / FILE, asdict(facts))


def read_facts(folder: RunFolder) -> RunFacts:
    """Read what `write_facts` wrote.

    Raises
    ------
    ResultsError
        If the file is missing or not of this version.
    """
    content: dict[str, Any] = read_json(folder.inputs / FILE)
    names = [field.name for field in fields(RunFacts)]
    if not isinstance(content, dict) or content.keys() != set(names):
        raise ResultsError(f"{folder.inputs / FILE}: not written by this version of gridtwin; use the one that ran it")
    coords = {dim: tuple(labels) for dim, labels in content["coords"].items()}
    return RunFacts(**(content | {"coords": coords, "delay_class": tuple(content["delay_class"])}))
