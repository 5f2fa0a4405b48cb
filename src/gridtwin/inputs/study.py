"""The frozen study: all a run needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path
from typing import Any

from gridtwin.profiles.series import Profiles
from gridtwin.records import (
    Contracts,
    Fleet,
    Geography,
    GridData,
    LinkTerms,
    ModelFacts,
    SiteTerms,
    StoreData,
    UnitData,
    UnitTerms,
)
from gridtwin.scenario.schema import Scenario
from gridtwin.timegrid import TimeGrid
from gridtwin.workload.jobs import JobTable

__all__ = ["Study"]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A scenario and its model, checked against each other.

    Parameters
    ----------
    name : str
        Name of the scenario file without its ending.
    scenario : Scenario
    resolved : dict
        The scenario with all defaults and overrides, as JSON holds it.
    portable : dict
        The same with paths for names: it loads beside a copy of `files`.
    currency : str
        ISO 4217 code of all money.
    time : TimeGrid
    grid : GridData
    units : UnitData
    stores : StoreData
    fleet : Fleet
    link_terms : LinkTerms
    unit_terms : UnitTerms
    site_terms : SiteTerms
    contracts : Contracts
        Green electricity that sites have bought.
    geography : Geography
    facts : ModelFacts
    jobs : JobTable
    profiles : Profiles
        What comes true.
    day_ahead : Profiles or None
        What was scheduled, where something else comes true (`series: real_time`).
    zone : timezone
        Fixed offset from UTC in which the model states its hours.
    model_hashes : mapping of str to str
        SHA-256 of every file of the model and of every trace.
    files : mapping of str to Path
        Where these files were, by the same names.
    counts : mapping of str to int
        Sizes of the study, and what became of the jobs of the traces.
    """

    name: str
    scenario: Scenario
    resolved: dict[str, Any]
    portable: dict[str, Any]
    currency: str
    time: TimeGrid
    grid: GridData
    units: UnitData
    stores: StoreData
    fleet: Fleet
    link_terms: LinkTerms
    unit_terms: UnitTerms
    site_terms: SiteTerms
    contracts: Contracts
    geography: Geography
    facts: ModelFacts
    jobs: JobTable
    profiles: Profiles
    day_ahead: Profiles | None
    zone: timezone
    model_hashes: Mapping[str, str]
    files: Mapping[str, Path]
    counts: Mapping[str, int]
