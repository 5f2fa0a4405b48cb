"""Frozen records through which sibling packages meet; nothing here computes.

Arrays are read-only by agreement. The dimensions of each are named in its comment, in the order of its axes.
Power is >= 0 in the direction its name says; `injection_mw` alone is signed, positive into the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = [
    "AcInjections",
    "AcSolution",
    "ComputePlan",
    "ComputeRecord",
    "ComputeState",
    "Contracts",
    "Finding",
    "Fleet",
    "Geography",
    "GridData",
    "LinkTerms",
    "LossEstimate",
    "LossFit",
    "NetworkMatrices",
    "QueueAxes",
    "SiteTerms",
    "StoreData",
    "UnitData",
    "UnitTerms",
]


# --- the grid ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class GridData:
    """A transmission grid as the model folder states it, per unit on `base_mva`."""

    base_mva: float
    bus: tuple[str, ...]
    vn_kv: FloatArray  # (bus,)
    vm_min_pu: FloatArray  # (bus,)
    vm_max_pu: FloatArray  # (bus,)
    shunt_mw: FloatArray  # (bus,) drawn at 1 pu
    shunt_mvar: FloatArray  # (bus,) injected at 1 pu
    slack: int  # index of the reference bus
    slack_vm_pu: float
    line: tuple[str, ...]  # lines and transformers
    line_from: IntArray  # (line,) bus index; the tap of a transformer is here
    line_to: IntArray  # (line,)
    r_pu: FloatArray  # (line,)
    x_pu: FloatArray  # (line,)
    b_pu: FloatArray  # (line,) total charging
    tap_ratio: FloatArray  # (line,) 1 for a line
    is_transformer: BoolArray  # (line,)
    rate_mw: FloatArray  # (line,) continuous rating, inf where there is none
    rate_long_mw: FloatArray  # (line,) long-time emergency rating
    rate_short_mw: FloatArray  # (line,) short-time emergency rating
    link: tuple[str, ...]  # HVDC links, and corridors where power is transported
    link_from: IntArray  # (link,)
    link_to: IntArray  # (link,)
    link_p_nom_mw: FloatArray  # (link,)
    link_schedule_mw: FloatArray  # (link,) flat schedule, positive from -> to; holds unless the link is dispatched
    link_dispatched: BoolArray  # (link,) its flow is decided with the units'
    link_loss: FloatArray  # (link,) share of the power sent, in either direction, that does not arrive
    transport: bool = False  # no lines: power goes where links carry it, and there is no AC power flow


@dataclass(frozen=True, slots=True, eq=False)
class LinkTerms:
    """How the links of a grid are operated."""

    kind: tuple[str, ...]  # "dc", "back_to_back" or "interface": the corridor between two parts of one AC grid
    back_mw: FloatArray  # (link,) limit to -> from
    least_mw: FloatArray  # (link,) flow from -> to that it always has; above 0 it never turns
    hold_h: FloatArray  # (link,) time over which its set-point stays, 0 for a step
    contract: IntArray  # (link,) column of the contracted flows that it keeps to, -1 where it is free
    deviation_per_mwh: FloatArray  # (link,) price of leaving the contract, inf where that may not be
    cost_per_mwh: FloatArray  # (link,) of what is sent in either direction

    @property
    def is_interface(self) -> BoolArray:
        """Which links are part of an AC grid, so that its units and loads move their flow (link,)."""
        return np.array([kind == "interface" for kind in self.kind], dtype=np.bool_)

    @classmethod
    def plain(cls, grid: GridData) -> LinkTerms:
        """Links that go either way up to their rating."""
        size = len(grid.link)
        none, contract = np.zeros(size), np.full(size, -1, dtype=np.int64)
        return cls(("dc",) * size, grid.link_p_nom_mw, none, none, contract, np.full(size, np.inf), none)


@dataclass(frozen=True, slots=True, eq=False)
class Geography:
    """Where things are and what people call them; nothing is computed with it. NaN where the model gives no place."""

    bus_name: tuple[str, ...]  # "" where there is none
    area: tuple[str, ...]  # (bus,)
    bus_lat: FloatArray  # (bus,) degrees
    bus_lon: FloatArray  # (bus,)
    length_km: FloatArray  # (line,) 0 where unknown
    site_name: tuple[str, ...]
    site_lat: FloatArray  # (site,)
    site_lon: FloatArray  # (site,)
    origin_name: tuple[str, ...]
    origin_lat: FloatArray  # (origin,)
    origin_lon: FloatArray  # (origin,)


@dataclass(frozen=True, slots=True, eq=False)
class ModelFacts:
    """What planners count by: names in Chinese, people, kinds of hardware. Nothing is dispatched with it.

    Texts are "" and numbers NaN where the model gives none. Rows of origins are those of its table.
    """

    unit_name: tuple[str, ...]
    unit_name_zh: tuple[str, ...]
    link_name: tuple[str, ...]
    link_name_zh: tuple[str, ...]
    bus_name_zh: tuple[str, ...]
    site_name_zh: tuple[str, ...]
    site_tier: tuple[str, ...]
    site_hub: tuple[str, ...]
    site_side: tuple[str, ...]
    site_racks: FloatArray  # (site,)
    site_pue_limit: FloatArray  # (site,)
    site_rack_use_min: FloatArray  # (site,) share of the racks
    origin: tuple[str, ...]
    origin_name_zh: tuple[str, ...]
    origin_region: tuple[str, ...]  # as the table has it
    origin_population: FloatArray  # (origin,) persons
    origin_gdp: FloatArray  # (origin,) money a year
    node_site: IntArray  # (row,) site index
    node_class: IntArray  # (row,) class index
    node_hardware: tuple[str, ...]  # (row,)
    node_precision: tuple[str, ...]  # (row,) that it is metered in
    nodes: IntArray  # (row,)
    node_vintage: IntArray  # (row,) year; 0 where unknown
    node_peak_w: FloatArray  # (row,) of one node, as are the speeds; NaN where it does not have the precision
    node_fp64_tflops: FloatArray  # (row,)
    node_fp32_tflops: FloatArray  # (row,)
    node_fp16_tflops: FloatArray  # (row,)
    node_int8_tops: FloatArray  # (row,)


@dataclass(frozen=True, slots=True, eq=False)
class UnitData:
    """Generating units and condensers. Segments are ragged and convex: cheapest first within a unit."""

    unit: tuple[str, ...]
    bus: IntArray  # (unit,) bus index
    technology: tuple[str, ...]
    p_min_mw: FloatArray  # (unit,) floor while it runs; 0 under relaxed commitment
    p_max_mw: FloatArray  # (unit,)
    q_min_mvar: FloatArray  # (unit,)
    q_max_mvar: FloatArray  # (unit,)
    vm_set_pu: FloatArray  # (unit,)
    ramp_mw_per_h: FloatArray  # (unit,) inf where there is none
    holds_voltage: BoolArray  # (unit,) can regulate voltage when committed
    always_committed: BoolArray  # (unit,) regulates voltage even at 0 MW (condensers)
    quick_start: BoolArray  # (unit,) may start inside a step
    renewable: BoolArray  # (unit,)
    curtailable: BoolArray  # (unit,) output may stay below what is available
    profile: IntArray  # (unit,) column of the availability profile, -1 where p_max_mw holds
    store: IntArray  # (unit,) store whose energy its output takes, -1 where there is none
    segment_unit: IntArray  # (segment,) unit index, ascending
    segment_mw: FloatArray  # (segment,) width
    segment_cost_per_mwh: FloatArray  # (segment,) fuel and variable cost, carbon excluded
    segment_co2_kg_per_mwh: FloatArray  # (segment,)


@dataclass(frozen=True, slots=True, eq=False)
class UnitTerms:
    """How units are operated beyond their limits and cost."""

    minimum: IntArray  # (unit,) column of what must be given, -1 where nothing must
    daily: BoolArray  # (unit,) its online capacity is decided once for each local day
    least_share: FloatArray  # (unit,) of its online capacity that a daily unit gives at least
    link: IntArray  # (unit,) link that carries all its output away, -1 where it serves its bus

    @classmethod
    def plain(cls, units: int) -> UnitTerms:
        """Units of which nothing more is asked."""
        none = np.full(units, -1, dtype=np.int64)
        return cls(none, np.zeros(units, dtype=np.bool_), np.zeros(units), none)


@dataclass(frozen=True, slots=True, eq=False)
class StoreData:
    """Stores of energy: batteries with a converter of their own, reservoirs and heat stores that feed units.

    Energy is counted behind the converter: `charge_mw` at the bus adds `efficiency_charge` times as much, and
    `discharge_mw` at the bus (or the output of the units fed) takes 1 / `efficiency_discharge` times as much.
    """

    store: tuple[str, ...]
    technology: tuple[str, ...]
    bus: IntArray  # (store,) bus index
    site: IntArray  # (store,) site behind whose meter it stands, -1 at the grid
    charge_mw: FloatArray  # (store,) greatest draw, 0 where it only takes what flows in
    discharge_mw: FloatArray  # (store,) greatest output of its own converter, 0 where units generate from it
    energy_mwh: FloatArray  # (store,) capacity
    efficiency_charge: FloatArray  # (store,) in (0, 1]
    efficiency_discharge: FloatArray  # (store,) in (0, 1]
    standing_loss_per_h: FloatArray  # (store,) share of the energy that is lost in an hour
    initial_mwh: FloatArray  # (store,) at the start of a run
    inflow: IntArray  # (store,) column of the inflow profile, -1 where nothing flows in
    cost_per_mwh: FloatArray  # (store,) of what passes its converter in either direction

    @classmethod
    def none(cls) -> StoreData:
        """No store."""
        index, number = np.zeros(0, np.int64), np.zeros(0)
        return cls((), (), index, index, *(number,) * 7, index, number)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkMatrices:
    """What a linear dispatch needs to know of a grid: `flow_mw = ptdf @ injection_mw`."""

    bus: tuple[str, ...]
    line: tuple[str, ...]
    slack: int
    line_from: IntArray  # (line,) bus index
    line_to: IntArray  # (line,)
    r_pu: FloatArray  # (line,)
    base_mva: float
    ptdf: FloatArray  # (line, bus); the column of the slack is zero
    lodf: FloatArray  # (line, outage); NaN in the columns of bridges
    bridge: BoolArray  # (line,) its outage splits the grid
    rate_mw: FloatArray  # (line,) inf where unlimited
    rate_long_mw: FloatArray  # (line,)
    rate_short_mw: FloatArray  # (line,)
    transport: bool = False  # every bus balances by itself

    @property
    def island(self) -> IntArray:
        """Part of the grid in which each bus (bus,) balances."""
        size = len(self.bus)
        return np.arange(size, dtype=np.int64) if self.transport else np.zeros(size, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class AcInjections:
    """What one batch of AC power flows is asked to carry."""

    load_mw: FloatArray  # (time, bus)
    load_mvar: FloatArray  # (time, bus)
    unit_mw: FloatArray  # (time, unit)
    committed: BoolArray  # (time, unit) units that hold voltage
    link_mw: FloatArray  # (time, link) sent, positive from -> to; what arrives is less by the link's loss


@dataclass(frozen=True, slots=True, eq=False)
class AcSolution:
    """A batch of AC power flows. Rows of steps that did not converge are NaN."""

    converged: BoolArray  # (time,)
    iterations: IntArray  # (time,)
    method: tuple[str, ...]  # (time,) "batch", "runpp" (fallback), "failed", or "transport": there is no AC at all
    vm_pu: FloatArray  # (time, bus)
    va_deg: FloatArray  # (time, bus)
    bus_mw: FloatArray  # (time, bus) net injection that the solved voltages imply, shunts apart
    bus_mvar: FloatArray  # (time, bus)
    holds_voltage: BoolArray  # (time, bus) PV or slack at the end
    q_limited: BoolArray  # (time, bus) PV bus that became PQ at a reactive limit
    from_mw: FloatArray  # (time, line) into the line at its from end
    from_mvar: FloatArray  # (time, line)
    to_mw: FloatArray  # (time, line) into the line at its to end
    to_mvar: FloatArray  # (time, line)
    loading_percent: FloatArray  # (time, line) apparent power of the fuller end over the continuous rating
    losses_mw: FloatArray  # (time,) lines and transformers, shunts included
    slack_excess_mw: FloatArray  # (time,) what the slack injects beyond what it was asked to


@dataclass(frozen=True, slots=True, eq=False)
class LossEstimate:
    """Losses, linear in injection about a reference: `losses_mw + factor @ (injection - reference)`."""

    losses_mw: FloatArray  # (time,) at the reference
    factor: FloatArray  # (time, bus) change of losses per unit of injection
    reference_injection_mw: FloatArray  # (time, bus)
    bus_losses_mw: FloatArray  # (time, bus) where they are drawn: half of each line's at either end


@dataclass(frozen=True, slots=True, eq=False)
class LossFit:
    """What AC losses are beside the r·f² of their active flows: `scale * r·f² + rest_mw`."""

    scale: FloatArray  # (time,) what voltage and power factor make of r·f²; marginal losses scale alike
    rest_mw: FloatArray  # (time,) what no active flow explains: reactive flow, charging and shunts


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an AC solution breaks."""

    kind: str  # "thermal", "voltage_low", "voltage_high", "slack_q" or "not_converged"
    step: int  # index into the batch
    instant: np.datetime64  # UTC
    element: str  # name of the line or bus; "" for the whole grid
    value: float  # NaN where there is none
    limit: float
    unit: str  # "MVA", "pu", "Mvar" or ""


# --- computing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueAxes:
    """Names along the axes of a queue index: (origin, class, delay class, duration bin), in C order.

    Work of an origin that may not go wherever the rest may has an origin of its own, which is a part of the first.
    """

    origin: tuple[str, ...]
    compute_class: tuple[str, ...]
    delay_class: tuple[str, ...]
    bin_upper_s: tuple[int, ...]  # upper runtime of each duration bin, s; the last is the longest job
    part_of: tuple[int, ...] = ()  # (origin,) index of the origin whose data links it uses; empty: each has its own

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Lengths of the four axes."""
        return len(self.origin), len(self.compute_class), len(self.delay_class), len(self.bin_upper_s)

    @property
    def size(self) -> int:
        """Number of queues."""
        return int(np.prod(self.shape))

    @property
    def link_origin(self) -> IntArray:
        """Index of the origin whose data links each uses (origin,)."""
        return np.asarray(self.part_of or range(len(self.origin)), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Sites, what stands in them, and the data links that reach them."""

    site: tuple[str, ...]
    bus: IntArray  # (site,) bus index
    axes: QueueAxes
    capacity_nodes: IntArray  # (site, class)
    idle_w: FloatArray  # (site, class) per node
    peak_w: FloatArray  # (site, class) per node
    service_utilization: FloatArray  # (class,) share of full load at which nodes that serve requests run
    power_factor: FloatArray  # (site,) lagging
    connection_mw: FloatArray  # (site,) limit at the meter, inf where there is none
    preference: IntArray  # (origin, class, rank) site index, best first; -1 where latency or hardware forbids
    bandwidth_gbps: FloatArray  # (origin, site) inf where data need not move
    latency_oneway_s: FloatArray  # (origin, site)
    price_per_gb: FloatArray  # (origin, site)

    @property
    def reachable(self) -> BoolArray:
        """Where jobs may go (origin, class, site)."""
        reached = np.zeros((*self.preference.shape[:2], len(self.site)), dtype=bool)
        origin, compute_class, rank = np.nonzero(self.preference >= 0)
        reached[origin, compute_class, self.preference[origin, compute_class, rank]] = True
        return reached


@dataclass(frozen=True, slots=True, eq=False)
class SiteTerms:
    """On which terms sites run: where they count, what they pay, how green they must be. NaN where there is none."""

    region: tuple[str, ...]  # (site,) where its indicators count
    origin_region: tuple[str, ...]  # (origin,)
    tariff_per_mwh: FloatArray  # (site, month, half hour) of the local year and day; NaN where the nodal price holds
    green_share_min: FloatArray  # (site,) share of the draw
    labour_cost_per_rack_year: FloatArray  # (site,)
    settlement_per_gb: FloatArray  # (origin, site) from the region of the origin to that of the site; 0 without


@dataclass(frozen=True, slots=True, eq=False)
class Contracts:
    """Which site takes how much of which unit as green electricity; a portfolio that sites share has several rows."""

    contract: tuple[str, ...]
    kind: tuple[str, ...]  # "direct", "aggregated", "contract" or "certificate"
    site: IntArray  # (contract,) site index
    unit: IntArray  # (contract,) unit index
    p_mw: FloatArray  # (contract,) of the unit's p_max_mw
    price_per_mwh: FloatArray  # (contract,)
    name_zh: tuple[str, ...]

    @classmethod
    def none(cls) -> Contracts:
        """No green electricity under contract."""
        index, number = np.zeros(0, np.int64), np.zeros(0)
        return cls((), (), index, index, number, number, ())


@dataclass(frozen=True, slots=True, eq=False)
class ComputeState:
    """Everything the executor carries over a window boundary. Rows index the run's `JobTable`."""

    now_s: int
    next_row: int  # first row that has not been submitted yet
    waiting_row: IntArray  # (waiting,) in order of submission
    running_row: IntArray  # (running,) in order of start
    running_site: IntArray  # (running,)
    running_start_s: IntArray  # (running,) first second of work; later than now_s while its data move or it restarts
    running_left_s: IntArray  # (running,) seconds of work left at that second; less than the runtime once resumed
    suspended_row: IntArray  # (suspended,) begun and interrupted, in order of suspension
    suspended_site: IntArray  # (suspended,) where it ran last
    suspended_left_s: IntArray  # (suspended,) seconds of work left
    suspended_free_s: IntArray  # (suspended,) when its state is saved and its nodes are free; may be past
    release_nodes: FloatArray  # (queue,) node starts granted but not used; negative when overdrawn
    route_nodes: FloatArray  # (origin, class, bin, site) the same for where they go
    preemptible_carry_nodes: FloatArray  # (site, class) what the cap on preemptible jobs left unused; >= 0
    link_free_s: FloatArray  # (origin, site) when the last data transfer ends


@dataclass(frozen=True, slots=True, eq=False)
class ComputePlan:
    """Node starts granted to jobs that run through, and a cap on the nodes of those that may be suspended, by step.

    Grants carry over, so that whole jobs add up to the plan; so does what wide jobs cannot use of the cap.
    """

    release_nodes: FloatArray  # (step, queue)
    route_nodes: FloatArray  # (step, origin, class, bin, site)
    preemptible_nodes: FloatArray  # (step, site, class) nodes that preemptible jobs may hold on average


@dataclass(frozen=True, slots=True, eq=False)
class ComputeRecord:
    """What the fleet did in one window."""

    started_row: IntArray  # (started,) in order of start; a job that is resumed starts again
    started_site: IntArray  # (started,)
    start_s: IntArray  # (started,) first second of work
    restart_s: IntArray  # (started,) time on its nodes just before that, to load its saved state; 0 the first time
    stopped_row: IntArray  # (stopped,) in order of suspension
    stop_s: IntArray  # (stopped,) first second without work
    checkpoint_s: IntArray  # (stopped,) time on its nodes from then on, to save its state
    stopped_left_s: IntArray  # (stopped,) seconds of work left
    finished_row: IntArray  # (finished,)
    finish_s: IntArray  # (finished,)
    busy_node_s: IntArray  # (step, site, class) metered at the nodes, batch only; exact
    checkpoint_node_s: IntArray  # (step, site, class) the part of it that saves states; exact
    restart_node_s: IntArray  # (step, site, class) the part of it that loads them again; exact
    service_nodes: IntArray  # (step, site, class) nodes given to services
    unserved_service_nodes: IntArray  # (step, site, class) wanted by services, not there
    waiting_nodes: IntArray  # (step, queue) nodes wanted by waiting jobs at the end of the step
    suspended_nodes: IntArray  # (step, site, class) nodes that jobs suspended there want at the end of the step
    forced_nodes: IntArray  # (step, site, class) node starts beyond grant or cap, at a job's latest start
    overrun_nodes: IntArray  # (step, site, class) held beyond the cap once the step has begun, by jobs that cannot wait
    moved_gb: FloatArray  # (step, origin, site) input data and saved states
    migrated_gb: FloatArray  # (step, origin, site) the part of it that is saved states
