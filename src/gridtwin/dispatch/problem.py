"""What a co-dispatch is asked and what it answers: frozen records, time axis first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gridtwin.dispatch.groups import UnitGroups
from gridtwin.records import ComputePlan, LossEstimate, NetworkMatrices
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = [
    "Bundles",
    "Commitment",
    "ComputePrices",
    "ComputeProblem",
    "DispatchPlan",
    "FleetPlan",
    "GreenTarget",
    "GridPlan",
    "GridProblem",
    "GridReview",
    "InjectionCuts",
    "LinkProblem",
    "NodalPrices",
    "Penalties",
    "PooledWork",
    "PreemptibleProblem",
    "PriceExplanation",
    "Review",
    "ReviewRecord",
    "SolverRecord",
    "StoreProblem",
    "TerminalValue",
    "Tightening",
]


@dataclass(frozen=True, slots=True)
class Penalties:
    """Prices of the slacks that keep every window feasible, and the price of carbon."""

    shed_per_mwh: float
    overload_per_mwh: float
    spill_per_mwh: float
    connection_per_mwh: float
    late_per_node_h: float
    carbon_per_t: float
    reserve_per_mwh: float


@dataclass(frozen=True, slots=True, eq=False)
class StoreProblem:
    """Stores over the steps; energy behind the converter as in `StoreData`. Which groups feed on them: `UnitGroups`."""

    bus: IntArray  # (store,)
    site: IntArray  # (store,) -1 at the grid
    charge_mw: FloatArray  # (time, store) at most
    discharge_mw: FloatArray  # (time, store) at most
    energy_mwh: FloatArray  # (store,)
    efficiency_charge: FloatArray  # (store,)
    efficiency_discharge: FloatArray  # (store,)
    kept_share: FloatArray  # (store,) of the energy at the start of a step that is there at its end
    initial_mwh: FloatArray  # (store,)
    inflow_mw: FloatArray  # (time, store) may be spilled
    value_mwh: FloatArray  # (store, segment) energy left at the end, in segments that add up to `energy_mwh`
    value_per_mwh: FloatArray  # (store, segment) what each is worth, descending
    cost_per_mwh: FloatArray | float = 0.0  # (store,) of what passes the converter in either direction

    @classmethod
    def none(cls, steps: int) -> StoreProblem:
        """No store."""
        index, number, series = np.zeros(0, np.int64), np.zeros(0), np.zeros((steps, 0))
        value = np.zeros((0, 1))
        return cls(index, index, series, series, *(number,) * 5, series, value, value)


@dataclass(frozen=True, slots=True, eq=False)
class LinkProblem:
    """Links whose flow is decided with the units'; schedules of the others are part of `injection_mw`."""

    index: IntArray  # (dispatched,) place among all links of the grid
    from_bus: IntArray  # (dispatched,)
    to_bus: IntArray  # (dispatched,)
    rate_mw: FloatArray  # (time, dispatched) at the sending end, from -> to
    loss: FloatArray  # (dispatched,) share of the power sent that does not arrive
    back_mw: FloatArray | None = None  # (time, dispatched) the same to -> from; None: as `rate_mw`
    least_mw: FloatArray | None = None  # (time, dispatched) sent from -> to in any case; None: 0
    slot: IntArray | None = None  # (time, dispatched) steps of one slot have one set-point; None: each has its own
    contract_mw: FloatArray | None = None  # (time, dispatched) signed from -> to, NaN where there is none
    deviation_per_mwh: FloatArray | None = None  # (dispatched,) price of leaving a contract, inf where that may not be
    cost_per_mwh: FloatArray | None = None  # (dispatched,) of what is sent; None: nothing

    @classmethod
    def none(cls, steps: int) -> LinkProblem:
        """No link to decide on."""
        index = np.zeros(0, np.int64)
        return cls(index, index, index, np.zeros((steps, 0)), np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Commitment:
    """Groups whose online capacity stays for several steps, and the reserve that zones hold beyond it."""

    group: IntArray  # (committed,)
    least_share: FloatArray  # (committed,) of the online capacity that is given at least
    block: IntArray  # (time,) ascending from 0; one online capacity for all steps of a block
    zone: IntArray  # (bus,)
    reserve_mw: FloatArray  # (time, zone) room above the output that a zone keeps


@dataclass(frozen=True, slots=True, eq=False)
class Bundles:
    """Groups whose whole output leaves over one link each."""

    group: IntArray  # (bundled,)
    link: IntArray  # (bundled,) place among the links of the problem, -1 where `sent_mw` says what it carries
    sent_mw: FloatArray  # (time, bundled) what the link of each carries from -> to


@dataclass(frozen=True, slots=True, eq=False)
class InjectionCuts:
    """Limits `weight @ injection_mw >= lower_mw` on the injections of one step each; they give way at a price."""

    step: IntArray  # (cut,)
    weight: FloatArray  # (cut, bus) 1 in size where power that can be moved is most effective
    lower_mw: FloatArray  # (cut,)
    price_per_mwh: FloatArray  # (cut,) of what is missing

    @classmethod
    def none(cls) -> InjectionCuts:
        """No cut."""
        number = np.zeros(0)
        return cls(np.zeros(0, np.int64), np.zeros((0, 0)), number, number)

    def __len__(self) -> int:
        return len(self.step)

    def and_also(self, other: InjectionCuts) -> InjectionCuts:
        """Return the cuts of both."""
        if not len(self) or not len(other):
            return other if len(other) else self
        return InjectionCuts(
            *(
                np.concatenate([mine, theirs])
                for mine, theirs in (
                    (self.step, other.step),
                    (self.weight, other.weight),
                    (self.lower_mw, other.lower_mw),
                    (self.price_per_mwh, other.price_per_mwh),
                )
            )
        )

    def within(self, steps: BoolArray) -> InjectionCuts:
        """Return those of the steps (time,) that are marked; later ones are none of them."""
        own = self.step < len(steps)
        own[own] = steps[self.step[own]]
        return InjectionCuts(self.step[own], self.weight[own], self.lower_mw[own], self.price_per_mwh[own])


@dataclass(frozen=True, slots=True, eq=False)
class GridProblem:
    """Dispatch of units over a DC network for given loads."""

    step_h: float
    network: NetworkMatrices
    groups: UnitGroups
    penalties: Penalties
    lower_mw: FloatArray  # (time, group) output that must be taken
    upper_mw: FloatArray  # (time, group) output that is available
    initial_mw: FloatArray | None  # (group,) output in the step before the first; None leaves it free
    load_mw: FloatArray  # (time, bus) may be shed at its price
    site_mw: FloatArray  # (time, bus) what sites draw at most; may be shed like load
    injection_mw: FloatArray  # (time, bus) all that is fixed, signed into the grid: minus load, HVDC, fixed sites
    losses: LossEstimate
    watched: BoolArray  # (time, line) limits to write from the start; the others are added when violated
    rate_mw: FloatArray  # (time, line) active power that each line may carry, inf where unlimited
    stores: StoreProblem
    links: LinkProblem
    reserve_mw: FloatArray  # (time,) upward reserve to hold
    cuts: InjectionCuts = field(default_factory=InjectionCuts.none)
    price_sides: bool = True  # whether prices that are one of many are told with what is on either side
    commitment: Commitment | None = None
    bundles: Bundles | None = None
    permute: int = 0  # order in which the solver gets the program


@dataclass(frozen=True, slots=True, eq=False)
class TerminalValue:
    """Price of work that is left to the time after the horizon, rising in segments; the last is unbounded."""

    width_node_h: FloatArray  # (class, segment)
    price_per_node_h: FloatArray  # (class, segment) ascending


@dataclass(frozen=True, slots=True, eq=False)
class PreemptibleProblem:
    """Work that may be interrupted at any time, between its earliest and its latest runs.

    Slack classes are kinds of jobs whose envelopes are added up, such as those that may pause equally long.
    `w`, whence, runs over the origins, then over the sites, to which work is bound that has begun and may not migrate.
    """

    arriving_node_h: FloatArray  # (time, w, class, slack class) what earliest runs do in each step
    due_node_h: FloatArray  # (time, w, class, slack class) what latest runs do in each step
    width_nodes: FloatArray  # (time, class, slack class) nodes of the jobs between release and due time
    held_nodes: FloatArray  # (site, class) by such jobs before the first step
    interruption_cost: FloatArray  # (class,) of taking a node from such work and giving it one again
    route_cost: FloatArray  # (w, class, site) WAN cost of a node-hour
    route_gb: FloatArray  # (class,) data of a node-hour from an origin
    route_allowed: BoolArray  # (w, class, site)

    @classmethod
    def none(cls, steps: int, shape: tuple[int, int, int, int], sites: int) -> PreemptibleProblem:
        """No such work; `shape` as in `ComputeProblem`."""
        origins, classes, delays, _ = shape
        work = np.zeros((steps, origins + sites, classes, delays))
        route = np.zeros((origins + sites, classes, sites))
        by_class = np.zeros(classes)
        width, held = np.zeros((steps, classes, delays)), np.zeros((sites, classes))
        return cls(work, work, width, held, by_class, route, by_class, route > 0)


@dataclass(frozen=True, slots=True, eq=False)
class GreenTarget:
    """Share of each site's draw that its contracts should give in the same step, and the price of what is short."""

    share: FloatArray  # (site,) 0 where there is no target
    output_mw: FloatArray  # (time, site) expected under contract
    price_per_mwh: float


@dataclass(frozen=True, slots=True, eq=False)
class ComputeProblem:
    """Where and when waiting and coming jobs may run. `q` runs over (origin, class, delay class, bin).

    Jobs that may be interrupted stand in `preemptible`, the others start once and run to their end.
    """

    released_nodes: FloatArray  # (time, q) node starts that become possible in the step, backlog in the first
    due_nodes: FloatArray  # (time, q) node starts that must have happened by the end of the step, not cumulated
    shape: tuple[int, int, int, int]  # (origin, class, delay class, bin)
    occupancy: FloatArray  # (class, bin, lag) share of a step that a node started at lag 0 is busy
    mean_runtime_h: FloatArray  # (class, bin)
    committed_nodes: FloatArray  # (time, site, class) mean nodes busy with running jobs
    available_nodes: FloatArray  # (time, site, class) after services
    site_bus: IntArray  # (site,) bus index
    base_mw: FloatArray  # (time, site) draw at the meter with no job: idle nodes and services, times PUE
    node_mw: FloatArray  # (time, site, class) further draw of one busy node at the meter
    connection_mw: FloatArray  # (site,)
    route_cost: FloatArray  # (origin, class, site) WAN cost of one node start
    route_gb: FloatArray  # (class,) data of one node start
    route_allowed: BoolArray  # (origin, class, site)
    delay_steps: IntArray  # (delay class,) that what arrives may wait; 0 where it begins in the step it arrives in
    bandwidth_gb: FloatArray  # (origin, site) data that a link can carry in one step
    block_steps: int  # steps over which the WAN is balanced
    terminal: TerminalValue
    preemptible: PreemptibleProblem
    coarse_after: int = 0  # first step from which on starts are decided for several steps at once
    coarse_steps: int = 1  # that many
    part_of: tuple[int, ...] = ()  # (origin,) origin whose links each uses; empty: each has its own
    green: GreenTarget | None = None

    @property
    def fine_steps(self) -> int:
        """Number of first steps that are decided one by one; beyond them, interruptions have no price."""
        steps = len(self.released_nodes)
        return steps if self.coarse_steps == 1 else min(self.coarse_after, steps)

    @property
    def link_origin(self) -> IntArray:
        """Index of the origin whose links each uses (origin,)."""
        return np.asarray(self.part_of or range(self.shape[0]), np.int64)

    @property
    def slot(self) -> IntArray:
        """Slot of each step (time,), ascending from 0; starts are spread evenly over the steps of a slot."""
        step = np.arange(len(self.released_nodes))
        later = np.maximum(step - self.coarse_after, 0) // self.coarse_steps
        slot: IntArray = np.minimum(step, self.coarse_after) + later
        return slot

    @property
    def block(self) -> IntArray:
        """Block of each step (time,), ascending from 0, over which the WAN is balanced; a slot lies in one block."""
        slot = self.slot
        first = np.searchsorted(slot, slot)
        block: IntArray = np.unique(first // self.block_steps, return_inverse=True)[1].astype(np.int64)
        return block


@dataclass(frozen=True, slots=True)
class SolverRecord:
    """How an optimisation ended; all rounds of lazily added limits included."""

    columns: int
    rows: int
    rounds: int
    iterations: int
    objective: float
    dual_objective: float  # of the program whose integers are fixed
    primal_residual: float
    binaries: int  # integers that keep stores and links to one direction, added where the optimum used both
    mip_gap: float  # relative, left by branching on them; 0 without any


@dataclass(frozen=True, slots=True, eq=False)
class PriceExplanation:
    """Why prices are what they are. Elements are numbered as `dispatch.elements` names them."""

    marginal_co2_kg_per_mwh: FloatArray  # (time, bus) change of emissions per MWh of further load
    set_by: IntArray  # (time, bus) element whose move makes up most of the price
    marginal: BoolArray  # (time, element) moves when load changes anywhere in the step
    low_per_mwh: FloatArray  # (time, bus) saved by a little less load; NaN where nobody asked
    high_per_mwh: FloatArray  # (time, bus) cost of a little more load; infinite where there can be no more
    degenerate: BoolArray  # (time, bus) the two differ, and the price is one of many between them; may, where not told
    penalised: BoolArray  # (time, bus) a priced slack (shed, spill, overload) moves with load
    slack_fixed_per_mwh: FloatArray  # (time, bus) price with all such slack held where it is
    reach_mw: FloatArray  # (time, bus) change of load, up or down, for which the price stands


@dataclass(frozen=True, slots=True, eq=False)
class NodalPrices:
    """Change of cost per MWh of further load, in parts. Energy is the price at the reference bus."""

    energy_per_mwh: FloatArray  # (time,)
    congestion_per_mwh: FloatArray  # (time, bus)
    loss_per_mwh: FloatArray  # (time, bus)
    shadow_price_per_mwh: FloatArray  # (time, line) saved per MWh of further rating, >= 0
    cut_rent_per_h: FloatArray  # (time,) shadow price of cuts times what they weigh
    explanation: PriceExplanation | None

    @property
    def total_per_mwh(self) -> FloatArray:
        """Sum of the parts (time, bus)."""
        return self.energy_per_mwh[:, None] + self.congestion_per_mwh + self.loss_per_mwh


@dataclass(frozen=True, slots=True, eq=False)
class GridPlan:
    """Set-points, flows and prices of a grid dispatch."""

    group_mw: FloatArray  # (time, group)
    shed_mw: FloatArray  # (time, bus)
    dumped_mw: FloatArray  # (time, bus) surplus that nothing takes
    flow_mw: FloatArray  # (time, line)
    overload_mw: FloatArray  # (time, line)
    injection_mw: FloatArray  # (time, bus)
    losses_mw: FloatArray  # (time,)
    prices: NodalPrices
    binding: BoolArray  # (time, line) limits that were written
    rate_mw: FloatArray  # (time, line) limits in force: the problem's, or what a review made of them
    cuts: InjectionCuts  # in force
    charge_mw: FloatArray  # (time, store) drawn at the bus
    discharge_mw: FloatArray  # (time, store) given at the bus; what units generate from a store is in `group_mw`
    stored_mwh: FloatArray  # (time, store) at the end of the step
    store_spill_mw: FloatArray  # (time, store) inflow that is let go
    store_value_per_mwh: FloatArray  # (time, store) change of cost per MWh less in store, such as the value of water
    link_mw: FloatArray  # (time, dispatched) sent, positive from -> to
    online_mw: FloatArray  # (time, group) capacity that is online, NaN where it is not decided
    reserve_short_mw: FloatArray  # (time,) required and not held
    reserve_price_per_mwh: FloatArray  # (time,) change of cost per MW and hour of further requirement
    solver: SolverRecord

    @property
    def price_per_mwh(self) -> FloatArray:
        """Change of cost per MWh of further load (time, bus)."""
        return self.prices.total_per_mwh

    @property
    def spill_mw(self) -> FloatArray:
        """Surplus of the whole grid (time,)."""
        return np.asarray(self.dumped_mw.sum(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class ComputePrices:
    """What room for work is worth, and what work costs that arrives: the locational marginal price of computing."""

    node_per_node_h: FloatArray  # (time, site, class) energy, room and connection of one node
    capacity_per_node_h: FloatArray  # (time, site, class) saved per node-hour of further room, 0 while there is some
    job_per_node_h: FloatArray  # (time, q) cost of further work released in the step, NaN where none is
    preemptible_per_node_h: FloatArray  # (time, origin, class, delay class) cost of further preemptible work


@dataclass(frozen=True, slots=True, eq=False)
class Tightening:
    """What a review asks of the next solution."""

    rate_mw: FloatArray  # (time, line) limits from now on
    cuts: InjectionCuts  # further ones
    lifted: BoolArray  # (time,) steps whose cuts so far no longer hold


GridReview = Callable[[GridPlan], Tightening | None]
"""Looks at a plan; None accepts it, anything else has it solved again. Must accept in the end."""

Review = Callable[[GridPlan, FloatArray], Tightening | None]
"""A `GridReview` that is told the draw of the sites (time, site), MW, too."""


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """What AC said of a plan and what it led to."""

    passes: int  # corrective ones
    given_up: int  # steps without a solution after a correction, which they lost again
    tightened: int  # (time, line) whose limit is below the model's rating
    cuts: int
    thermal_before: int  # ratings broken by the first plan
    thermal_after: int  # by the last
    voltage_before: int  # voltages that the first plan would have had outside their band
    voltage_beyond_cure: int  # of these: active power cannot cure them
    voltage_after: int  # with the last plan


@dataclass(frozen=True, slots=True, eq=False)
class PooledWork:
    """Decisions on work as the program holds them: node starts and preemptible work, each when, where and whence."""

    start_nodes: FloatArray  # (time, class, delay class, bin)
    placed_nodes: FloatArray  # (time, class, bin, site)
    moved_nodes: FloatArray  # (block, origin, class, site)
    busy_nodes: FloatArray  # (time, site, class) by starts of this horizon and by preemptible work
    overbooked_nodes: FloatArray  # (time, site, class) work that finds no node and will be late
    done_nodes: FloatArray  # (time, class, slack class) preemptible work under way
    run_nodes: FloatArray  # (time, site, class) preemptible work under way
    carried_node_h: FloatArray  # (block, w, class, site) preemptible work
    prices: ComputePrices | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class FleetPlan:
    """What the fleet is granted and expected to draw."""

    compute: ComputePlan | None  # None: start whatever fits, as soon as it fits
    busy_nodes: FloatArray  # (time, site, class) mean nodes expected to be busy with jobs
    site_mw: FloatArray  # (time, site) of equipment, cooling and conversion
    prices: ComputePrices | None = None  # None where no program decides on both work and grid


@dataclass(frozen=True, slots=True, eq=False)
class DispatchPlan:
    """A policy's answer: what the fleet is granted and what the grid intends."""

    fleet: FleetPlan
    expected_price_per_mwh: FloatArray  # (time, bus) that the fleet was planned with
    grid: GridPlan
    unit_mw: FloatArray  # (time, unit)
    review: ReviewRecord | None = None  # what AC said of it; None where nobody asked
