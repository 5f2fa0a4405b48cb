"""What the data centres emit, counted in several ways, and which sources their energy is put down to."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gridtwin.arrays import ratio_or_zero, sum_at
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure
from gridtwin.report.figures.heatmaps import co2_intensity
from gridtwin.report.language import Words
from gridtwin.report.style import ACCENT, MUTED, SERIES, axis, layout, number, plain, technologies
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import HOUR_S, KG_PER_T, FloatArray

__all__ = ["emissions", "energy_flow", "location_based_t"]

LEAST_SHARE: Final = 0.002  # of all energy; smaller flows are drawn together
OTHER_COLOUR: Final = "#9aa3ab"


def emissions(run: SavedRun, words: Words) -> Figure | None:
    """CO2 of the sites by several accounts, and how clean their hours were; None if they drew nothing."""
    site_mwh = run.values("site_mw") * run.step_h
    total_mwh = site_mwh.sum(axis=1)
    if total_mwh.sum() <= 0:
        return None
    bus = run.inputs("sites")["bus_index"]
    whole = float(run.values("co2_kg").sum() / max(float(run.values("unit_mw").sum()) * run.step_h, 1e-9))
    marginal = run.values("marginal_co2_kg_per_mwh")[:, bus]
    tonnes = {
        "average": location_based_t(run),
        "run_average": float(total_mwh.sum()) * whole / KG_PER_T,
        "marginal": float(np.nansum(site_mwh * marginal)) / KG_PER_T,
    }
    shares = {name: 100.0 * float((total_mwh * share).sum() / total_mwh.sum()) for name, share in _shares(run).items()}
    labels = [words(f"emissions.{name}") for name in (*tonnes, *shares)]
    values = np.array([*tonnes.values(), *shares.values()])
    units = ["t"] * len(tonnes) + ["%"] * len(shares)
    return Figure(
        name="emissions",
        title=words("emissions.title"),
        caption=words("emissions.caption"),
        unit="t CO2, %",
        sources=("site_mw", "co2_kg", "unit_mw", "marginal_co2_kg_per_mwh", "units", "segments"),
        plot={
            "data": [
                _account(labels[:3], values[:3], "t", ACCENT, {}),
                _account(labels[3:], values[3:], "%", SERIES[2], {"xaxis": "x2", "yaxis": "y2"}),
            ],
            "layout": layout(
                330, showlegend=False, bargap=0.35,
                xaxis=axis("t CO2", tickformat=",.4~s", anchor="y", zeroline=True, zerolinecolor=MUTED),
                yaxis=axis("", type="category", autorange="reversed", showgrid=False, domain=[0.52, 1.0]),
                xaxis2=axis("%", range=[0, 105], anchor="y2"),
                yaxis2=axis("", type="category", autorange="reversed", showgrid=False, domain=[0.0, 0.28]),
            ),
        },
        table=Sheet(
            "emissions",
            {words("table.account"): labels, words("table.value"): values, words("table.unit"): units},
        ),
    )  # fmt: skip


def energy_flow(run: SavedRun, words: Words) -> Figure | None:
    """Energy from technologies over regions to classes of computing, put down by share; None if nothing was drawn."""
    by_region, by_class = _attributed(run)
    kinds = technologies(by_region, words)
    regions, classes = _regions(run)[0], run.facts.coords["compute_class"]
    if sum(float(values.sum()) for values in by_region.values()) <= 0:
        return None
    total = sum(float(values.sum()) for values in by_region.values())
    large = [kind for kind in kinds if by_region[kind.name].sum() >= LEAST_SHARE * total]
    small = [kind for kind in kinds if 0 < by_region[kind.name].sum() < LEAST_SHARE * total]
    sources = [(kind.label, by_region[kind.name], kind.colour) for kind in large]
    if small:
        sources.append((words("flow.other"), np.sum([by_region[kind.name] for kind in small], axis=0), OTHER_COLOUR))
    names = [label for label, _, _ in sources] + list(regions) + list(classes)
    colours = [colour for _, _, colour in sources] + [MUTED] * len(regions)
    colours += [SERIES[place % len(SERIES)] for place in range(len(classes))]
    flows = [
        (source, len(sources) + region, float(values[region]))
        for source, (_, values, _) in enumerate(sources)
        for region in range(len(regions))
    ] + [
        (len(sources) + region, len(sources) + len(regions) + kind, float(by_class[region, kind]))
        for region in range(len(regions))
        for kind in range(len(classes))
    ]
    flows = [flow for flow in flows if flow[2] > 0]
    start, end, mwh = (np.array(column) for column in zip(*flows, strict=True))
    sankey = {
        "type": "sankey",
        "arrangement": "snap",
        "valueformat": ",.0f",
        "valuesuffix": " MWh",
        "node": {"label": [plain(name) for name in names], "color": colours, "pad": 16, "thickness": 14,
                 "line": {"width": 0}, "hovertemplate": "%{label}: %{value}<extra></extra>"},
        "link": {"source": start, "target": end, "value": mwh,
                 "color": [_faded(colours[place]) for place in start],
                 "hovertemplate": "%{source.label} → %{target.label}: %{value}<extra></extra>"},
    }  # fmt: skip
    return Figure(
        name="energy_flow",
        title=words("energy_flow.title"),
        caption=words("energy_flow.caption"),
        unit="MWh",
        sources=("unit_mw", "site_mw", "busy_node_s", "service_nodes", "pools", "buses"),
        plot={"data": [sankey], "layout": layout(460, margin={"l": 8, "r": 8, "t": 14, "b": 14})},
        table=Sheet(
            "energy_flow",
            {
                words("table.from"): [names[place] for place in start],
                words("table.to"): [names[place] for place in end],
                words("table.energy"): mwh,
            },
            {words("table.energy"): "MWh"},
        ),
    )


def location_based_t(run: SavedRun) -> float:
    """CO2 of the sites in t, each hour at what the whole system emits per MWh in it."""
    return float(np.nansum(run.values("site_mw").sum(axis=1) * run.step_h * co2_intensity(run))) / KG_PER_T


def _shares(run: SavedRun) -> dict[str, FloatArray]:
    """Share of carbon-free and of renewable output in all output (time,)."""
    units, segments = run.inputs("units"), run.inputs("segments")
    emitting = np.zeros(len(units["renewable"]), dtype=bool)
    emitting[segments["unit_index"][segments["co2_kg_per_mwh"] > 0]] = True
    output = np.maximum(run.values("unit_mw"), 0.0)
    total = output.sum(axis=1)
    return {
        "carbon_free": ratio_or_zero(output[:, ~emitting].sum(axis=1), total),
        "renewable": ratio_or_zero(output[:, units["renewable"]].sum(axis=1), total),
    }


def _account(labels: list[str], values: FloatArray, unit: str, colour: str, axes: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "x": values, "y": labels, "marker": {"color": colour},
        "text": [f"{number(value)} {unit}" for value in values], "textposition": "auto",
        "hovertemplate": f"%{{y}}: %{{x:,.5~g}} {unit}<extra></extra>", **axes,
    }  # fmt: skip


def _regions(run: SavedRun) -> tuple[tuple[str, ...], np.ndarray]:
    """Regions that hold sites, and the region of each site (site,); each site is one where the model names none."""
    area = run.inputs("buses")["area"][run.inputs("sites")["bus_index"]].astype(str)
    if not all(area):
        area = np.array(run.facts.coords["site"], dtype=str)
    names, index = np.unique(area, return_inverse=True)
    return tuple(names.tolist()), index


def _attributed(run: SavedRun) -> tuple[dict[str, FloatArray], FloatArray]:
    """Energy of the sites in MWh: of each technology to each region (region,), and of each region to each class."""
    regions, region = _regions(run)
    region_mwh = sum_at(np.maximum(run.values("site_mw"), 0.0) * run.step_h, region, len(regions))
    units = run.inputs("units")
    names, index = np.unique(units["technology"].astype(str), return_inverse=True)
    output = sum_at(np.maximum(run.values("unit_mw"), 0.0), index, len(names))
    share = ratio_or_zero(output, output.sum(axis=1, keepdims=True))
    by_region = share.T @ region_mwh
    weight = _class_w(run)
    site_mwh = np.maximum(run.values("site_mw"), 0.0) * run.step_h
    split = ratio_or_zero(weight, weight.sum(axis=2, keepdims=True))
    site_class = (site_mwh[:, :, None] * split).sum(axis=0)
    by_class = sum_at(site_class.T, region, len(regions)).T
    return {str(name): by_region[place] for place, name in enumerate(names)}, by_class


def _class_w(run: SavedRun) -> FloatArray:
    """Draw of the nodes of each class (time, site, class) by idle and peak power: an estimate."""
    pools = run.inputs("pools")
    shape = len(run.facts.coords["site"]), len(run.facts.coords["compute_class"])
    table = {name: np.zeros(shape) for name in ("capacity_nodes", "idle_w", "peak_w", "service_utilization")}
    for name, values in table.items():
        values[pools["site_index"], pools["class_index"]] = pools[name]
    busy = (
        run.values("busy_node_s") / (run.step_h * HOUR_S) + run.values("service_nodes") * table["service_utilization"]
    )
    return np.asarray(table["capacity_nodes"] * table["idle_w"] + busy * (table["peak_w"] - table["idle_w"]))


def _faded(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.38)"
