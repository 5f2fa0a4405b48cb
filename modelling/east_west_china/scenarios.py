"""Write the scenarios of `east_west_china`: one workload, asked of each layout, and that of 2030.

`python -m modelling.east_west_china.scenarios` writes them. Volumes are those that keep the classes of a fleet as busy
as `fleet.BUSY` and `fleet.solved_busy` say; all shares, delays and shapes are *estimates* unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gridtwin.catalogue.hardware import load_hardware
from modelling.east_west_china import fleet
from modelling.east_west_china.fleet import MODEL, Layout
from modelling.east_west_china.fleet_sources import Sources, read_sources

__all__ = ["SCENARIOS", "main", "scenario_text"]

FOLDER: Final = MODEL.parents[1] / "scenarios"
DIGITS: Final = 4

# shape over the local day, mean 1: estimates after the usual course of traffic, office hours and flat hosting
EVENING: Final = (0.74, 0.56, 0.46, 0.42, 0.42, 0.47, 0.62, 0.80, 0.95, 1.05, 1.11, 1.15,
                  1.18, 1.12, 1.08, 1.09, 1.11, 1.16, 1.24, 1.34, 1.43, 1.45, 1.37, 1.08)  # fmt: skip
OFFICE: Final = (0.80, 0.78, 0.77, 0.76, 0.77, 0.80, 0.86, 0.95, 1.10, 1.20, 1.24, 1.20,
                 1.10, 1.14, 1.20, 1.22, 1.20, 1.14, 1.06, 1.02, 0.98, 0.94, 0.90, 0.87)  # fmt: skip
FLAT: Final = (0.97, 0.96, 0.95, 0.95, 0.95, 0.96, 0.97, 0.99, 1.01, 1.03, 1.04, 1.04,
               1.03, 1.03, 1.04, 1.04, 1.03, 1.02, 1.01, 1.01, 1.00, 1.00, 0.99, 0.98)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """A service: its share of the nodes that its class keeps answering, and who asks."""

    name: str
    title: str
    compute_class: str
    share: float
    weights: str  # key of `fleet.demand_weights`
    diurnal: tuple[float, ...]
    per_node: float  # requests/s that a node sustains
    keys: tuple[str, ...]


SERVICES: Final = (
    Served(
        "consumer_internet",
        "消费互联网: what people ask of the net, most of it in the evening",
        "online",
        0.32,
        "inference",
        EVENING,
        20_000,
        ("tiers: [provincial, hub]", "max_latency_oneway_ms: 20", "gb_per_request: 0.00002"),
    ),
    Served(
        "industrial_internet",
        "工业互联网: what firms ask, in working hours, near their works",
        "online",
        0.12,
        "output",
        OFFICE,
        20_000,
        ("tiers: [provincial, hub]", "max_latency_oneway_ms: 10", "resident_share: 0.3", "gb_per_request: 0.00001"),
    ),
    Served(
        "grid_dispatch",
        "电网调度算力: security analysis and market clearing of the grids themselves",
        "online",
        0.01,
        "output",
        FLAT,
        20_000,
        ("tiers: [provincial]", "max_latency_oneway_ms: 5", "resident_share: 1.0"),
    ),
    Served(
        "hosting",
        "托管与政企云: tenants' systems and government clouds, which stay where their racks are",
        "online",
        0.55,
        "hosted",
        FLAT,
        20_000,
        ("tiers: [hub, provincial]", "resident_share: 1.0"),
    ),
    Served(
        "ai_inference",
        "人工智能推理",
        "inference",
        1.0,
        "inference",
        EVENING,
        200,
        ("tiers: [provincial, hub]", "max_latency_oneway_ms: 20", "gb_per_request: 0.0001"),
    ),
    Served(
        "industrial_control",
        "工业控制: machines that wait for an answer within 1 ms",
        "edge",
        0.4,
        "edge",
        OFFICE,
        5_000,
        ("tiers: [edge]", "max_latency_oneway_ms: 1", "resident_share: 1.0"),
    ),
    Served(
        "interactive_media",
        "互动媒体: games and live video within 5 ms",
        "edge",
        0.6,
        "edge",
        EVENING,
        5_000,
        ("tiers: [edge, provincial]", "max_latency_oneway_ms: 5"),
    ),
)
ACTIVE: Final = {name: busy / fleet.SERVICE_UTILISATION for name, busy in fleet.BUSY.items()}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of batch jobs; `nodes_per_core` makes each stand for an array of like jobs."""

    name: str
    title: str
    trace: str
    core_h_per_job: float  # mean of the trace
    compute_class: str
    share: float  # of what the class has to do
    nodes_per_core: float
    stack: str  # asked of the hardware; the provinces whose own machines have it submit these jobs
    keys: tuple[str, ...]


PAI, AZURE, MUSTANG = 10.112661, 14.08117, 45.475456
STREAMS: Final = (
    Stream(
        "cloud_batch",
        "通用批处理: rendering, analytics, builds, backups on general machines",
        "gaia_azure_vm_100k",
        AZURE,
        "general",
        0.997,
        36,
        "",
        (
            "delay_shares: {prompt: 0.35, half_day: 0.4, two_days: 0.25}",
            "resident_share: 0.35 # 数据壁垒",
            "data_gb_per_node: {median: 50, sigma: 1.0}",
        ),
    ),
    Stream(
        "grid_forecast",
        "电网预测与仿真: load and weather forecasts, day-ahead studies of each province's grid",
        "gaia_azure_vm_100k",
        AZURE,
        "general",
        0.003,
        2,
        "",
        ("delay_shares: {prompt: 1.0}", "resident_share: 1.0", "data_gb_per_node: {median: 5, sigma: 1.0}"),
    ),
    Stream(
        "training_cuda",
        "智能训练(CUDA)",
        "gaia_alibaba_pai_100k",
        PAI,
        "intelligent",
        1.0,
        10,
        "cuda",
        ("delay_shares: {prompt: 0.15, half_day: 0.35, two_days: 0.5}", "data_gb_per_node: {median: 100, sigma: 1.0}"),
    ),
    Stream(
        "training_cann",
        "智能训练(昇腾 CANN)",
        "gaia_alibaba_pai_100k",
        PAI,
        "intelligent",
        1.0,
        10,
        "cann",
        ("delay_shares: {prompt: 0.15, half_day: 0.35, two_days: 0.5}", "data_gb_per_node: {median: 100, sigma: 1.0}"),
    ),
    Stream(
        "science",
        "超算: numerical simulation",
        "gaia_lanl_mustang_even_100k",
        MUSTANG,
        "super",
        1.0,
        1,
        "",
        ("delay_shares: {prompt: 0.1, half_day: 0.3, two_days: 0.6}", "data_gb_per_node: {median: 20, sigma: 1.0}"),
    ),
)


@dataclass(frozen=True, slots=True)
class Demand:
    """What all classes are asked: as much as makes a fleet take so much in a year."""

    projected: bool  # the fleet of 2030 instead of that of 2023
    twh: float
    note: str
    streams: tuple[Stream, ...]
    services: tuple[Served, ...]  # a service finds its room before those after it


def _bound_to_its_region(served: Served) -> float:
    """Share of a service that may not leave its region."""
    found = (key.removeprefix("resident_share: ") for key in served.keys if key.startswith("resident_share"))
    return float(next(found, 0.0))


def _stream_2030(stream: Stream) -> Stream:
    """Return a stream of 2030 (*estimates*): arrays of general jobs are smaller, of training larger; less is barred."""
    if stream.name == "cloud_batch":  # barred work hardly grows: 0.2 of 2030 is about what 0.35 was in 2023
        keys = tuple("resident_share: 0.2 # 数据壁垒" if "resident_share" in key else key for key in stream.keys)
        return replace(stream, nodes_per_core=12, keys=keys)
    if stream.compute_class == "intelligent":
        return replace(stream, nodes_per_core=40)
    return stream


BOUND_FIRST: Final = tuple(sorted(SERVICES, key=_bound_to_its_region, reverse=True))  # they take room in this order
DEMAND_2023: Final = Demand(False, fleet.SEED_TWH, "the 150 TWh of 2023 are a published figure", STREAMS, BOUND_FIRST)
DEMAND_2030: Final = Demand(
    True,
    fleet.TWH_2030,
    "so are the 300 TWh of 2030",
    tuple(_stream_2030(stream) for stream in STREAMS),
    BOUND_FIRST,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A scenario file."""

    name: str
    description: str
    comment: str
    start: str
    duration: str
    variants: tuple[str, ...] = ()
    reach: str = "any"
    wrap: bool = False
    bursts: bool = False
    demand: Demand = DEMAND_2023


WEEK: Final = ("2023-04-10T00:00:00+08:00", "7d")
PAIRED: Final = "One of five layouts with the same seed, jobs and weather; longer by --set time.duration=28d"
SCENARIOS: Final = (
    Written(
        "east_west_week",
        "One spring week of China's compute and grid, 2023 as it was",
        "A week in April 2023: heating ends, wind is strong, much of what is curtailed in a year is curtailed now",
        *WEEK,
    ),
    Written(
        "east_west_year",
        "The year 2023 of China's compute and grid",
        "The year 2023 hour by hour, with 双十一, a model launch and a training campaign",
        "2023-01-01T00:00:00+08:00",
        "365d",
        wrap=True,
        bursts=True,
    ),
    Written("east_west_as_is", "Layout as it was in 2023", PAIRED, *WEEK),
    Written(
        "east_west_local",
        "Layout local demand, every province serves itself with the same national capacity",
        PAIRED,
        *WEEK,
        variants=("local",),
        reach="region",
    ),
    Written(
        "east_west_cross",
        "Layout cross-region, capacity at the hubs as planned, direct connections",
        PAIRED,
        *WEEK,
        variants=("cross",),
    ),
    Written(
        "east_west_cross_green",
        "Layout cross-region with the 80 % green rule and green supply contracts",
        PAIRED,
        *WEEK,
        variants=("cross", "green"),
    ),
    Written(
        "east_west_stranded",
        "Layout west without network, hubs built as planned, thin and long ways to the west",
        PAIRED,
        *WEEK,
        variants=("stranded",),
    ),
    Written(
        "east_west_2030",
        "One spring week of China's compute and grid as they may be in 2030, an estimate",
        "The same week with grid, fleet and demand of 2030; calendar and weather are those of the model year",
        *WEEK,
        variants=("2030",),
        demand=DEMAND_2030,
    ),
)


def main() -> None:
    """Write all scenarios."""
    for written in SCENARIOS:
        (FOLDER / f"{written.name}.yaml").write_text(scenario_text(written), encoding="utf-8")


def scenario_text(written: Written) -> str:
    """Return the text of a scenario file."""
    sources = read_sources(MODEL / "sources")
    base = fleet.as_is(sources)
    if written.demand.projected:
        base = fleet.projected(sources, base)
    weights = fleet.demand_weights(sources)
    lines = [*_head(written), *_workload(sources, base, weights, written), *_tail(written)]
    return "\n".join(lines) + "\n"


def _head(written: Written) -> list[str]:
    wrap = ", wrap: true" if written.wrap else ""
    return [
        f"# {written.comment}.",
        "# Written by modelling/east_west_china/scenarios.py, which has the sums. Volumes, shares, delays and shapes",
        f"# are *estimates*; {written.demand.note}. The traces give the shape of jobs: a simulated",
        "# job stands for an array of `nodes_per_core` like jobs submitted together, each of as many 40 kW blocks (16",
        "# standard racks) as the traced one had cores.",
        "model: east_west_china",
        *([f"variants: [{', '.join(map(_quoted, written.variants))}]"] if written.variants else []),
        f"description: {written.description}",
        f"time: {{start: {written.start}, duration: {written.duration}, step: 1h, window: 24h, horizon: 30h{wrap}}}",
        "",
    ]


def _quoted(variant: str) -> str:
    """A year in quotes, so that YAML reads it as a name."""
    return f'"{variant}"' if variant.isdigit() else variant


def _tail(written: Written) -> list[str]:
    return [
        "",
        "policy: co_dispatch",
        "policies:",
        "  co_dispatch: {capacity_margin: 0.1}",
        "dispatch: {balancing: province, carbon_price_per_t: 70, price_sides: false, late_price_per_node_h: 500} # CNY",
        f"compute: {{discipline: edf, reach: {written.reach}}}",
        "forecast: perfect",
        "seed: 1",
    ]


def _workload(
    sources: Sources, base: Layout, weights: Mapping[str, Mapping[str, float]], written: Written
) -> list[str]:
    busy = fleet.solved_busy(base, written.demand.twh)
    lines = [
        "workload:",
        "  delay_classes: {prompt: 1h, half_day: 12h, two_days: 48h} # how long after submit + runtime a job may end",
        "  duration_bins: [73h]",
        "  max_share_of_pool: 0.05",
        "  wide_jobs: split",
        "  batch:",
    ]
    for stream in written.demand.streams:
        lines += _stream_lines(sources, stream, base, busy, weights["general"], written)
    lines.append("  services:")
    for served in written.demand.services:
        lines += _service_lines(served, base, weights[served.weights], written)
    return lines


def _stream_lines(
    sources: Sources,
    stream: Stream,
    base: Layout,
    busy: Mapping[str, float],
    weight: Mapping[str, float],
    written: Written,
) -> list[str]:
    hardware = load_hardware()
    own = [p.province for p in sources.provinces if not stream.stack or hardware[p.intelligent].stack == stream.stack]
    part = math.fsum(weight[name] for name in own)
    node_h = base.total(stream.compute_class) * busy[stream.compute_class] * 24 * stream.share * part
    jobs = round(node_h / (stream.core_h_per_job * stream.nodes_per_core))
    return [
        f"    - name: {stream.name} # {stream.title}",
        f"      trace: {stream.trace}",
        f"      compute_class: {stream.compute_class}",
        f"      jobs_per_day: {jobs}",
        f"      nodes_per_core: {stream.nodes_per_core:g}",
        *([f"      requires: {{stack: [{stream.stack}]}}"] if stream.stack else []),
        *_map("origin_shares", _rounded({name: weight[name] / part for name in own})),
        *(f"      {key}" for key in stream.keys),
        *(_bursts(stream.name) if written.bursts else []),
    ]


def _service_lines(served: Served, base: Layout, weight: Mapping[str, float], written: Written) -> list[str]:
    nodes = base.total(served.compute_class) * ACTIVE[served.compute_class] * served.share
    asked = {name: round(nodes * share * served.per_node * fleet.SERVICE_UTILISATION) for name, share in weight.items()}
    return [
        f"    - name: {served.name} # {served.title}",
        f"      compute_class: {served.compute_class}",
        *_map("requests_per_s", asked),
        *_sequence("diurnal", _mean_one(served.diurnal)),
        f"      throughput_per_node: {served.per_node:g}",
        f"      target_utilization: {fleet.SERVICE_UTILISATION}",
        *(f"      {key}" for key in served.keys),
        *(_bursts(served.name) if written.bursts else []),
    ]


BURSTS: Final = {
    "consumer_internet": "{name: double_eleven, start: 2023-11-10T20:00:00+08:00, duration: 28h, factor: 1.3} # 双十一",
    "ai_inference": "{name: model_launch, start: 2023-08-31T00:00:00+08:00, duration: 72h, factor: 1.3} # 大模型发布",
    "training_cuda": "{name: training_campaign, start: 2023-07-03T00:00:00+08:00, duration: 14d, factor: 1.4}",
}


def _bursts(name: str) -> list[str]:
    """What a stream or service asks beyond its usual: an *estimate*, at dates of 2023."""
    return ["      bursts:", f"        - {BURSTS[name]}"] if name in BURSTS else []


def _mean_one(shape: Sequence[float]) -> list[float]:
    """Divide by the mean and round; the largest takes what rounding leaves."""
    mean = math.fsum(shape) / len(shape)
    rounded = [round(value / mean, DIGITS) for value in shape]
    top = rounded.index(max(rounded))
    rounded[top] = round(rounded[top] + len(shape) - math.fsum(rounded), DIGITS)
    return rounded


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    """Round shares; the largest takes what rounding leaves."""
    found = {name: round(share, DIGITS) for name, share in shares.items()}
    top = max(found, key=found.__getitem__)
    found[top] = round(found[top] + 1 - math.fsum(found.values()), DIGITS)
    return found


def _map(key: str, values: Mapping[str, float]) -> list[str]:
    return _wrapped(f"      {key}: {{", [f"{name}: {value:.10g}" for name, value in values.items()], "}")


def _sequence(key: str, values: Sequence[float]) -> list[str]:
    return _wrapped(f"      {key}: [", [f"{value:g}" for value in values], "]")


def _wrapped(opening: str, items: Sequence[str], closing: str, width: int = 118) -> list[str]:
    """Break a YAML flow collection into lines that begin under its first item."""
    lines, line = [], opening
    for k, item in enumerate(items):
        text = item + (closing if k == len(items) - 1 else ",")
        if len(line) + len(text) > width:
            lines.append(line.rstrip())
            line = " " * len(opening)
        line += text + " "
    return [*lines, line.rstrip()]


if __name__ == "__main__":
    main()
