"""What a comparison is made of: runs, differences of their inputs and figures, tables that add up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

__all__ = [
    "OTHER_STEPS",
    "SHOWN_VALUES",
    "Change",
    "Connection",
    "Decomposition",
    "Figure",
    "InputChange",
    "LineNeed",
    "Overlap",
    "Part",
    "Period",
    "Reinforcement",
    "RunCard",
    "Trust",
]

Value: TypeAlias = Any  # what JSON holds
InputKind: TypeAlias = Literal["scenario", "model", "trace", "version"]

OTHER_STEPS: Final = "other_steps"  # the part for the grid in steps that only one of two runs has, its jobs left out
SHOWN_VALUES: Final = 6  # of a list in one line
LEAST: Final = 1e-3  # smallest size of what is split
SHARE: Final = 1e-9  # of the larger total: how well the parts of a decomposition add up


@dataclass(frozen=True, slots=True)
class RunCard:
    """Which run this is.

    Parameters
    ----------
    label : str
        Short name, unlike that of every other run compared.
    run_id, path, scenario, policy, currency : str
    start : str
        First instant, ISO 8601, UTC.
    steps : int
    step_h : float, h
    seed : int
    """

    label: str
    run_id: str
    path: str
    scenario: str
    policy: str
    currency: str
    start: str
    steps: int
    step_h: float
    seed: int


@dataclass(frozen=True, slots=True)
class InputChange:
    """One thing that is not the same in what two runs were made from.

    Parameters
    ----------
    kind : {"scenario", "model", "trace", "version"}
    path : str
        Dotted key of the scenario, such as `dispatch.carbon_price_per_t`, or file and place in it, such as
        `units.csv: 101_CT_1: p_max_mw`. Members of lists of named things are addressed by name.
    base, change : JSON value
        None where there is none.
    detail : str
        What two values cannot say, such as how many values of a series differ.
    """

    kind: InputKind
    path: str
    base: Value
    change: Value
    detail: str = ""

    @property
    def text(self) -> str:
        """The change in one line."""
        if self.detail:
            return f"{self.path}  {self.detail}"
        return f"{self.path}  {_shown(self.base)} → {_shown(self.change)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure of both runs.

    Parameters
    ----------
    name, label, unit : str
    base, change : float, int or None
        None where there is nothing to tell.
    noise : float or None
        Largest difference among the runs compared that differ from the base in nothing but the seed; None if there
        are none.
    """

    name: str
    label: str
    unit: str
    base: float | None
    change: float | None
    noise: float | None = None

    @property
    def delta(self) -> float | None:
        """Change less base; None where one of them is missing."""
        return None if self.base is None or self.change is None else self.change - self.base

    @property
    def percent(self) -> float | None:
        """Delta over the size of the base, in percent; None where there is no base, 0 where nothing changed."""
        if self.delta is None or not self.base:
            return 0.0 if self.delta == 0 else None
        return 100.0 * self.delta / abs(self.base)

    @property
    def beyond_noise(self) -> bool | None:
        """Whether the difference is larger than chance alone made it; None where that was not measured."""
        return None if self.noise is None or self.delta is None else abs(self.delta) > self.noise


@dataclass(frozen=True, slots=True)
class Part:
    """One line of an additive table.

    Parameters
    ----------
    name, label : str
    delta : float
    base, change : float or None
        None where only a difference has a meaning.
    group : str
        Lines of one group stand together and have a subtotal.
    note : str
    """

    name: str
    label: str
    delta: float
    base: float | None = None
    change: float | None = None
    group: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A difference in parts that add up to it.

    Parameters
    ----------
    name, title, unit : str
    parts : tuple of Part
        Each computed by itself.
    total : Part or None
        From other sources than the parts; None where the runs cannot be compared at all.
    beside : tuple of Part
        What belongs beside the total and is not part of it, such as payments between parties.
    notes : tuple of str
    unavailable : str
        Why there are no parts; empty where there are.
    scale : float
        Size that the residual is judged by; at least that of both totals.
    """

    name: str
    title: str
    unit: str
    parts: tuple[Part, ...]
    total: Part | None
    beside: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    unavailable: str = ""
    scale: float = 0.0

    @property
    def residual(self) -> float | None:
        """Sum of the parts less the total; None without parts or total."""
        if self.total is None or not self.parts:
            return None
        return math.fsum(part.delta for part in self.parts) - self.total.delta

    @property
    def largest(self) -> float:
        """Size of what is split, by which small amounts are told from rounding."""
        sizes = (self.total.base, self.total.change) if self.total else ()
        return max(self.scale, LEAST, *(abs(size) for size in sizes if size is not None))

    @property
    def tolerance(self) -> float:
        """Largest residual at which the parts count as complete."""
        return SHARE * self.largest

    @property
    def holds(self) -> bool | None:
        """Whether the parts add up; None where there is nothing to add up."""
        return None if self.residual is None else abs(self.residual) <= self.tolerance

    @property
    def shared(self) -> Part | None:
        """What can be compared of the total: the steps that both runs have and the jobs of all; None without one."""
        if self.total is None:
            return None
        other = next((part for part in self.parts if part.name == OTHER_STEPS), None)
        if other is None:
            return self.total
        base, change = (
            (getattr(self.total, side) or 0.0) - (getattr(other, side) or 0.0) for side in ("base", "change")
        )
        return Part("shared", f"{self.total.label}, shared steps", self.total.delta - other.delta, base, change)


@dataclass(frozen=True, slots=True)
class Period:
    """What both runs cost and emitted in a week or month that both cover.

    Parameters
    ----------
    kind : {"week", "month"}
    label : str
        First day, or the month.
    hours : float, h
        That are compared.
    base_cost, change_cost : float or None
        All costs but lateness; None where the runs have different currencies.
    base_co2_t, change_co2_t : float, t
    """

    kind: Literal["week", "month"]
    label: str
    hours: float
    base_cost: float | None
    change_cost: float | None
    base_co2_t: float
    change_co2_t: float


@dataclass(frozen=True, slots=True)
class LineNeed:
    """A line or transformer that is at or beyond its limit in some hour.

    Parameters
    ----------
    line : str
    beyond_mw : float, MW
        Most that its fuller end carried beyond the continuous rating (apparent power, AC).
    beyond_h, binding_h : float, h
        With a loading above 100 %, and with a shadow price.
    shadow_price_per_mwh : float
        Mean over the hours that have one.
    rent_cost : float
        Shadow price times what the redispatch let it carry.
    length_km : float or None
    """

    line: str
    beyond_mw: float
    beyond_h: float
    binding_h: float
    shadow_price_per_mwh: float
    rent_cost: float
    length_km: float | None

    @property
    def mw_km(self) -> float | None:
        """Capacity that is short times the length; None where that is not known."""
        return 0.0 if self.beyond_mw == 0 else None if self.length_km is None else self.beyond_mw * self.length_km


@dataclass(frozen=True, slots=True)
class Connection:
    """What a site drew of its connection.

    Parameters
    ----------
    site : str
    peak_mw : float, MW
    connection_mw : float or None, MW
        None where it has no limit.
    """

    site: str
    peak_mw: float
    connection_mw: float | None

    @property
    def unused_mw(self) -> float | None:
        """Connection less peak."""
        return None if self.connection_mw is None else self.connection_mw - self.peak_mw


@dataclass(frozen=True, slots=True)
class Reinforcement:
    """What the network of one run would need, and what the sites were connected with.

    Parameters
    ----------
    lines : tuple of LineNeed
    connections : tuple of Connection
    without_load : bool
        The run has neither jobs nor services: what other runs need beyond it is for the data centres alone.
    cost : float or None
        Of the missing MW·km over the span of the run, at the price that the user gave; None without one, or where a
        length is not known.
    """

    lines: tuple[LineNeed, ...]
    connections: tuple[Connection, ...]
    without_load: bool
    cost: float | None = None

    @property
    def beyond_mw(self) -> float:
        """Sum of what lines carried beyond their rating, each at its worst, MW."""
        return math.fsum(line.beyond_mw for line in self.lines)

    @property
    def mw_km(self) -> float | None:
        """Sum over the lines; None where a length is not known."""
        sizes = [line.mw_km for line in self.lines]
        return None if None in sizes else math.fsum(size for size in sizes if size is not None)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether the figures of one run can be relied upon.

    Parameters
    ----------
    label : str
        Of the run.
    ledgers : int
        How many there are.
    broken : tuple of str
        Those that do not hold.
    findings : mapping of str to int
        What AC broke, by kind.
    steps_not_converged, jobs_unfinished : int
    slack_mwh : mapping of str to float
        Load shed, flow beyond ratings and surplus dumped, where there was any.
    optimality_gap : float
        Sum of the duality gaps of all programs: money that the solver cannot tell apart.
    """

    label: str
    ledgers: int
    broken: tuple[str, ...]
    findings: Mapping[str, int]
    steps_not_converged: int
    jobs_unfinished: int
    slack_mwh: Mapping[str, float]
    optimality_gap: float

    @property
    def sound(self) -> bool:
        """All ledgers hold, AC converged in every step and every job ended."""
        return not self.broken and self.steps_not_converged == 0 and self.jobs_unfinished == 0


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which steps two runs share.

    Parameters
    ----------
    common, only_base, only_change : int
        Steps.
    reason : str
        Why steps cannot be matched at all; empty where they can.
    """

    common: int
    only_base: int
    only_change: int
    reason: str = ""

    @property
    def same(self) -> bool:
        """Both runs cover the same steps."""
        return not self.reason and self.only_base == 0 and self.only_change == 0

    @property
    def text(self) -> str:
        """How many steps only one run has."""
        return f"{self.only_base:,} steps of the base alone, {self.only_change:,} of the change alone"


@dataclass(frozen=True, slots=True)
class Change:
    """One run against the base.

    Parameters
    ----------
    run : RunCard
    overlap : Overlap
    inputs : tuple of InputChange
        The scenario first; empty where nothing differs.
    figures : tuple of Figure
    cost, co2, co2_by_technology, payments : Decomposition
    reinforcement : Reinforcement
        Of this run; that of the base is with the comparison.
    periods : tuple of Period
        Weeks and months; none where the span is not longer than two weeks.
    """

    run: RunCard
    overlap: Overlap
    inputs: tuple[InputChange, ...]
    figures: tuple[Figure, ...]
    cost: Decomposition
    co2: Decomposition
    co2_by_technology: Decomposition
    payments: Decomposition
    reinforcement: Reinforcement
    periods: tuple[Period, ...]

    @property
    def decompositions(self) -> tuple[Decomposition, ...]:
        """All additive tables."""
        return self.cost, self.co2, self.co2_by_technology, self.payments

    @property
    def seed_alone(self) -> bool:
        """Nothing but the seed differs from the base: differences are chance."""
        return [change.path for change in self.inputs] == ["seed"]

    def figure(self, name: str) -> Figure:
        """Return a key figure by name."""
        return next(figure for figure in self.figures if figure.name == name)


def _shown(value: Value) -> str:
    """Write a value as YAML would, lists shortened."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_shown(held)}' for key, held in value.items())}}}"
    if isinstance(value, list):
        return (
            f"[{len(value)} values]" if len(value) > SHOWN_VALUES else f"[{', '.join(_shown(item) for item in value)}]"
        )
    return str(value)
