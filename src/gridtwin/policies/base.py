"""What a policy sees and what it must be able to do."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gridtwin.dispatch import DispatchPlan, Penalties, UnitGroups
from gridtwin.economics.tariffs import Tariff
from gridtwin.records import (
    AcInjections,
    AcSolution,
    ComputeState,
    Contracts,
    Fleet,
    GridData,
    LinkTerms,
    NetworkMatrices,
    SiteTerms,
    StoreData,
    UnitData,
    UnitTerms,
)
from gridtwin.units import HOUR_S, BoolArray, FloatArray, IntArray
from gridtwin.workload.jobs import JobTable

__all__ = ["Forecast", "GridMemory", "Observation", "Policy", "PowerFlow", "System"]


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """What does not change during a run."""

    step_s: int
    steps_per_day: int
    grid: GridData
    network: NetworkMatrices
    link_terms: LinkTerms
    area: IntArray  # (bus,) zone in which reserve is held
    units: UnitData
    unit_terms: UnitTerms
    groups: UnitGroups
    stores: StoreData
    fleet: Fleet
    site_terms: SiteTerms
    contracts: Contracts
    green_share_price_per_mwh: float  # of what a site draws in an hour beyond what its least green share allows
    penalties: Penalties
    tariff: Tariff
    zone_s: int  # offset from UTC of the local hours and months that tariffs go by
    discipline: str
    price_sides: bool  # whether degenerate prices are told with what is on either side
    permute: int = 0  # order in which the solver gets every program

    @property
    def step_h(self) -> float:
        """Length of a step, h."""
        return self.step_s / HOUR_S


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Expected conditions of the coming steps, the first of them now."""

    load_mw: FloatArray  # (time, bus)
    load_mvar: FloatArray  # (time, bus)
    unit_available_mw: FloatArray  # (time, unit)
    inflow_mw: FloatArray  # (time, store)
    minimum_mw: FloatArray  # (time, unit) output that must be given, 0 where none must
    contract_mw: FloatArray  # (time, link) signed from -> to, NaN where a link keeps to none
    reserve_mw: FloatArray  # (time,) upward reserve that is required
    area_reserve_mw: FloatArray  # (time, area) room above output that each area keeps online
    pue: FloatArray  # (time, site)
    service_nodes: IntArray  # (time, site, class)
    clipped: IntArray  # (time,) values that an error would have taken beyond what can be

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.load_mw)

    def head(self, steps: int) -> Forecast:
        """Return the first `steps` steps."""
        return Forecast(**{field.name: getattr(self, field.name)[:steps] for field in fields(self)})


@dataclass(frozen=True, slots=True, eq=False)
class GridMemory:
    """What the grid did at the same time of day before; NaN where it has not been seen yet."""

    unit_mw: FloatArray  # (unit,) settled output of the last step
    flow_mw: FloatArray  # (step of day, line) AC flows, mean of both ends
    loss_scale: FloatArray  # (step of day,) `LossFit.scale` of those flows
    loss_rest_mw: FloatArray  # (step of day,) `LossFit.rest_mw` beside it
    price_per_mwh: FloatArray  # (step, class) price where nodes stand, over the last day of the latest plan
    binding: BoolArray  # (step of day, line) limits that had to be written
    rate_share: FloatArray  # (step of day, line) of the rating that reactive power leaves to plan with
    stored_mwh: FloatArray  # (store,) energy at the end of the last step
    store_price_per_mwh: FloatArray  # (step, store) price at their buses, over the last day of the latest plan
    peak_mw: FloatArray  # (site,) highest draw so far in the local calendar month `peak_month`
    peak_month: int

    @classmethod
    def blank(
        cls, steps_per_day: int, units: int, lines: int, sites: int, classes: int, stored_mwh: FloatArray
    ) -> GridMemory:
        """Nothing seen yet but the energy that stores begin with."""
        return cls(
            unit_mw=np.full(units, np.nan),
            flow_mw=np.full((steps_per_day, lines), np.nan),
            loss_scale=np.full(steps_per_day, np.nan),
            loss_rest_mw=np.full(steps_per_day, np.nan),
            price_per_mwh=np.full((steps_per_day, classes), np.nan),
            binding=np.zeros((steps_per_day, lines), dtype=bool),
            rate_share=np.ones((steps_per_day, lines)),
            stored_mwh=stored_mwh,
            store_price_per_mwh=np.full((steps_per_day, len(stored_mwh)), np.nan),
            peak_mw=np.zeros(sites),
            peak_month=0,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Everything a policy may use: the state at the boundary and a forecast of what follows.

    How long jobs run that have not ended is an estimate, and jobs that have not been submitted are expected ones.
    """

    instants: NDArray[np.datetime64]  # (time,) beginning of each coming step, UTC
    step_of_day: IntArray  # (time,) its position in its day
    jobs: JobTable  # rows before `compute.next_row` have been submitted, the others are expected
    compute: ComputeState  # in terms of `jobs`
    memory: GridMemory
    forecast: Forecast


class PowerFlow(Protocol):
    """What turns injections into flows: AC, or nothing but transport."""

    def solve(self, injections: AcInjections, *, enforce_q_limits: bool = True) -> AcSolution:
        """Solve every step on its own. Steps without a solution are NaN."""
        ...


class Policy(Protocol):
    """Turns an observation into a plan; keeps no state of its own between windows."""

    def decide(self, observation: Observation) -> DispatchPlan:
        """Plan the steps of the forecast.

        Raises
        ------
        DispatchError
            If an optimisation has no optimum.
        """
        ...
