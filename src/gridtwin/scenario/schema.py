"""The scenario file: what to run on a model."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool

from gridtwin.scenario.forecast import Forecast, Forecasts
from gridtwin.scenario.kinds import Duration, Instant, Name, NonNegative, Positive, Schema, Share, Shares, Span
from gridtwin.units import HOUR_S

__all__ = [
    "Batch",
    "Burst",
    "Checkpoint",
    "CoDispatch",
    "Compute",
    "DataSize",
    "Dispatch",
    "Policies",
    "Requires",
    "Scenario",
    "Security",
    "Service",
    "Solver",
    "Tariff",
    "Time",
    "Workload",
]

HOURS_A_DAY = 24
MEAN_TOLERANCE = 1e-6
MAX_SIGMA = 10.0  # the mean of such a size is 5e21 times its median; more cannot be meant


def _mean_one(diurnal: tuple[float, ...]) -> tuple[float, ...]:
    mean = math.fsum(diurnal) / len(diurnal)
    if abs(mean - 1) > MEAN_TOLERANCE:
        raise ValueError(f"diurnal factors have mean {mean:.6g}, expected 1; divide each by {mean:.6g}")
    return diurnal


def _ascending(bins: tuple[int, ...]) -> tuple[int, ...]:
    if any(earlier >= later for earlier, later in pairwise(bins)):
        raise ValueError("duration bins must ascend, such as [1h, 4h, 12h, 72h]")
    return bins


class Time(Schema):
    """When the run starts, how long jobs arrive, and the rhythm of decisions."""

    start: Instant = Field(examples=["2020-01-01T00:00:00+00:00"], description="First instant, with its zone.")
    duration: Span = Field(examples=["1d"], description="How long jobs arrive; the run goes on until all have ended.")
    step: Span = Field(default=HOUR_S, description="Resolution; divides 24h.")
    window: Span = Field(default=24 * HOUR_S, description="What each decision fixes.")
    horizon: Span = Field(default=48 * HOUR_S, description="What each decision looks at.")
    wrap: StrictBool = Field(
        default=False,
        description="The model's series go on from their beginning when they end, so that the last jobs can.",
    )


class DataSize(Schema):
    """Lognormal size of a job's input per node."""

    median: NonNegative = Field(default=0.0, description="GB")
    sigma: Annotated[float, Field(strict=True, ge=0, le=MAX_SIGMA)] = Field(
        default=0.0, description="Standard deviation of the logarithm."
    )


class Checkpoint(Schema):
    """What suspending a job costs."""

    save: Duration = Field(default=0, description="Time that its nodes need to save its state.")
    restart: Duration = Field(default=0, description="Time that they need to load it again.")
    gb_per_node: NonNegative = Field(default=0.0, description="GB to move when it is resumed at another site.")


class Requires(Schema):
    """What the hardware of a job must speak; an empty list asks for nothing."""

    instruction_set: tuple[Name, ...] = Field(default=(), description="Any of these, such as [x86_64].")
    stack: tuple[Name, ...] = Field(default=(), description="Any of these accelerator stacks, such as [cuda].")


class Burst(Schema):
    """A time in which more is asked than usual, or less."""

    name: Name = Field(examples=["burst"], description="Such as double_eleven.")
    start: Instant = Field(
        examples=["2020-01-01T00:00:00+00:00"], description="With its zone; a burst outside the run does not occur."
    )
    duration: Span = Field(examples=["1d"], description="How long it lasts.")
    factor: Positive = Field(examples=[1.0], description="On what is asked; factors of bursts that overlap multiply.")
    origins: tuple[Name, ...] = Field(default=(), description="Where; none: everywhere.")


class Batch(Schema):
    """A stream of batch jobs drawn from a trace."""

    name: Name = Field(examples=["batch"], description="Of the stream.")
    trace: Name = Field(
        examples=["?", "gaia_alibaba_pai_100k", "gaia_azure_vm_100k"],
        description="Name of a shipped trace, or a Parquet or CSV file.",
    )
    compute_class: Name = Field(examples=["?"], description="Class of the model whose nodes its jobs take.")
    jobs_per_day: Positive = Field(
        examples=[1.0], description="Mean rate after scaling the trace by replication, bursts apart."
    )
    nodes_per_core: Positive = Field(
        default=1.0, description="Nodes of the fleet that stand for one core of the trace."
    )
    origin_shares: Shares = Field(examples=[{"?": 1.0}], description="Share of jobs submitted at each origin.")
    resident_share: Share = Field(
        default=0.0, description="Share of the jobs that may run only in the region of their origin."
    )
    requires: Requires = Field(default=Requires(), description="Hardware that its jobs run on; none: any of the class.")
    delay_shares: Shares = Field(examples=[{"?": 1.0}], description="Share of jobs in each delay class.")
    preemptible_share: Share = Field(default=0.0, description="Share of the jobs that may be suspended and resumed.")
    migratable_share: Share = Field(default=0.0, description="Share of these that may be resumed at another site.")
    checkpoint: Checkpoint = Field(default=Checkpoint(), description="What suspending one of its jobs costs.")
    data_gb_per_node: DataSize = Field(default=DataSize(), description="Input that moves to the site of a job.")
    bursts: tuple[Burst, ...] = Field(default=(), description="When more jobs come than the trace has, or fewer.")


class Service(Schema):
    """Requests that are served as they come, never queued."""

    name: Name = Field(examples=["service"], description="Of the service.")
    compute_class: Name = Field(examples=["?"], description="Class of the model, with service: true.")
    requests_per_s: dict[Name, NonNegative] = Field(examples=[{}], description="Daily mean by origin.")
    diurnal: Annotated[
        tuple[NonNegative, ...], Field(min_length=HOURS_A_DAY, max_length=HOURS_A_DAY), AfterValidator(_mean_one)
    ] = Field(default=(1.0,) * HOURS_A_DAY, description="Factor in each local hour of the model's zone; mean 1.")
    throughput_per_node: Positive = Field(examples=[1.0], description="Requests/s that a node sustains.")
    target_utilization: Annotated[float, Field(strict=True, gt=0, le=1)] = Field(
        default=1.0, description="Of its nodes; services of one class have the same."
    )
    tiers: tuple[Name, ...] = Field(
        default=(),
        description="Tiers of sites in the order in which they fill, then the others by latency; none: all sites "
        "in proportion to their nodes.",
    )
    max_latency_oneway_ms: Positive | None = Field(
        default=None, description="Farther sites do not answer; none: the limit of the class alone."
    )
    resident_share: Share = Field(
        default=0.0, description="Share of the requests that only sites in the region of their origin may answer."
    )
    gb_per_request: NonNegative = Field(default=0.0, description="GB that a request moves over the WAN, both ways.")
    bursts: tuple[Burst, ...] = Field(default=(), description="When more is asked than the daily mean, or less.")


class Workload(Schema):
    """What is asked of the data centres."""

    delay_classes: Annotated[dict[Name, Duration], Field(min_length=1)] = Field(
        examples=[{"?": "1h"}], description="How long after submit + runtime a job may end."
    )
    duration_bins: Annotated[tuple[Span, ...], Field(min_length=1), AfterValidator(_ascending)] = Field(
        examples=[["1h"]], description="Upper runtimes by which jobs are planned; the last is the longest allowed."
    )
    max_share_of_pool: Annotated[float, Field(strict=True, gt=0, le=1)] = Field(
        1.0, description="Widest job, as a share of the largest pool of its class that its origin may use."
    )
    wide_jobs: Literal["split", "drop"] | None = Field(
        default=None, description="What happens to wider jobs; none: an error."
    )
    batch: tuple[Batch, ...] = Field(default=(), description="Streams of jobs that may wait.")
    services: tuple[Service, ...] = Field(default=(), description="Requests that are answered as they come.")


class Asap(Schema):
    """Options of `asap`: none."""


class CoDispatch(Schema):
    """Options of `co_dispatch`, and of `customer`, which poses the work in the same way."""

    capacity_margin: Annotated[float, Field(strict=True, ge=0, lt=1)] = Field(
        default=0.1, description="Share of every pool the plan leaves free; wide jobs do not tile a full one."
    )
    coarse_step: Span = Field(
        default=6 * HOUR_S,
        description="After the window, which is decided again before it comes, starts are planned for as many whole "
        "steps at once as fit into this; time.step plans each of its own.",
    )


class Policies(Schema):
    """Options of every policy, so that `--set policy=…` alone switches."""

    asap: Asap = Field(default=Asap(), description="None.")
    co_dispatch: CoDispatch = Field(default=CoDispatch(), description="Of co_dispatch and customer.")


class Dispatch(Schema):
    """Prices that the dispatch weighs against production cost."""

    balancing: Literal["province", "region", "national"] = Field(
        default="province",
        description="Which links keep to their contracts: all; those between regions; none, which is an upper bound "
        "of what trade can bring.",
    )
    carbon_price_per_t: NonNegative = Field(default=0.0, description="In the model's currency.")
    price_sides: StrictBool = Field(
        default=True,
        description="Work out the price of a little more and of a little less where a price is one of many; on large "
        "grids without lines that takes longer than all else.",
    )
    shed_price_per_mwh: NonNegative = Field(default=10_000.0, description="Of load that is not served.")
    overload_price_per_mwh: NonNegative = Field(default=3_000.0, description="Of flow beyond a line's rating.")
    voltage_price_per_mwh: NonNegative = Field(
        default=100.0,
        description="Paid for an MW of redispatch where it would bring a voltage back into its band best.",
    )
    spill_price_per_mwh: NonNegative = Field(default=1_000.0, description="Of surplus that nothing takes.")
    late_price_per_node_h: NonNegative = Field(default=50.0, description="Of work after its due time.")
    reserve_price_per_mwh: NonNegative = Field(default=1_000.0, description="Of upward reserve that is not held.")
    green_share_price_per_mwh: NonNegative = Field(
        default=0.0,
        description="Of the least green share of what a site plans to draw in an hour, beyond what its contracts "
        "give then.",
    )


class Tariff(Schema):
    """What sites pay for electricity; the `customer` policy plans by it, indicators count it for every policy."""

    energy_per_mwh: (
        Annotated[tuple[float, ...], Field(strict=False, min_length=HOURS_A_DAY, max_length=HOURS_A_DAY)] | None
    ) = Field(
        default=None,
        description="One price for each local hour of the model's zone, the same for all sites, whatever tariff of the "
        "model they name; none: the site's tariff, or the nodal price where it names none.",
    )
    network_per_mwh: NonNegative = Field(default=0.0, description="On top of the energy price.")
    demand_charge_per_mw: NonNegative = Field(
        default=0.0, description="For the highest draw of each site in a calendar month."
    )
    includes_carbon: StrictBool = Field(
        default=True, description="Whether a fixed energy price holds the carbon price already; a nodal price does."
    )


class Security(Schema):
    """How plans are held against AC, and what is reported of outages."""

    ac_feedback: Annotated[bool, Field(strict=True)] = Field(
        default=True, description="Check each plan by AC before it is carried out; solve it again, at most twice."
    )
    n1: Literal["off", "report"] = Field(
        default="off", description="Take each line and transformer out of each settled step, and report."
    )


class Compute(Schema):
    """How queues are served."""

    discipline: Literal["edf", "fcfs"] = Field(
        default="edf", description="Earliest due date, or first come first served."
    )
    reach: Literal["any", "region"] = Field(
        default="any", description="Whether work may leave the region of its origin; region keeps all of it there."
    )


class Solver(Schema):
    """How programs are solved."""

    permute: Annotated[int, Field(strict=True, ge=0)] = Field(
        default=0,
        description="Seed of the order in which the solver gets columns and rows; 0: as written. Other orders lead to "
        "other plans that are equally good, and so show which differences between runs mean nothing.",
    )


class Scenario(Schema):
    """A scenario file."""

    model: Name = Field(
        examples=["?", "starter", "rts_gmlc"], description="Name of a shipped model, or a folder relative to this file."
    )
    variants: tuple[Name, ...] = Field(default=(), description="Variants of the model, one laid over the other.")
    description: str = Field(default="", description="A line for people.")
    time: Time
    series: Literal["scheduled", "real_time"] = Field(
        default="scheduled", description="Which of the model's series come true; the scheduled ones are known ahead."
    )
    workload: Workload
    policy: Literal["asap", "co_dispatch", "customer"] = Field(
        default="co_dispatch",
        description="Start every job as soon as it fits; decide work and grid together; or mind the fleet's bill only.",
    )
    policies: Policies = Policies()
    dispatch: Dispatch = Dispatch()
    security: Security = Security()
    tariff: Tariff = Tariff()
    compute: Compute = Compute()
    solver: Solver = Solver()
    forecast: Forecast = Field(default=Forecasts(), description="What policies are told of the hours to come.")
    seed: Annotated[int, Field(strict=True, ge=0)] = Field(default=0, description="The same seed gives the same jobs.")

    def resolved(self) -> dict[str, Any]:
        """Return the scenario with all defaults, as JSON holds it; it loads again as it stands."""
        return self.model_dump(mode="json")
