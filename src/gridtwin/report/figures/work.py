"""What the fleet computed, where and when, and how long jobs waited."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gridtwin.exports.sheets import Sheet
from gridtwin.report.clock import bins, zone
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.language import Words
from gridtwin.report.style import INK, SERIES, axis, layout, line, plain, time_axis
from gridtwin.results.saved_run import Columns, SavedRun
from gridtwin.units import HOUR_S, FloatArray

__all__ = ["job_margin", "job_wait", "work_by_site", "work_over_time"]

QUANTILES: Final = np.linspace(0.0, 100.0, 201)
LEAST_WAIT_H: Final = 1.0 / HOUR_S  # of the logarithmic axis
DASHES: Final = ("solid", "dot", "dash", "dashdot")
SOURCES: Final = ("busy_node_s", "service_nodes", "planned_busy_nodes")


def work_over_time(run: SavedRun, words: Words) -> Figure:
    """Nodes at work by class and site against the plan."""
    spans = bins(run)
    busy, planned = (spans.mean(values) for values in _nodes(run))
    sites, classes = run.called("site", words.lang), run.facts.coords["compute_class"]
    columns: dict[str, Any] = {"time_utc": spans.utc}
    data: list[dict[str, Any]] = []
    for row, kind in enumerate(classes):
        axes = {"xaxis": "x", "yaxis": f"y{row + 1 if row else ''}"}
        for place, site in enumerate(sites):
            colour = SERIES[place % len(SERIES)]
            columns[f"{kind}: {site}"] = rounded(busy[:, place, row])
            data.append(
                line(spans.local, columns[f"{kind}: {site}"], site, colour, stackgroup=f"c{row}", fillcolor=colour,
                     line={"width": 0, "shape": "hv", "color": colour}, showlegend=row == 0, legendgroup=f"s{place}",
                     hovertemplate="%{y:,.0f}", **axes)
            )  # fmt: skip
        total = rounded(planned[:, :, row].sum(axis=1))
        columns[words("work.planned_of", kind=kind)] = total
        data.append(
            line(spans.local, total, words("work.planned"), INK, showlegend=row == 0, legendgroup="plan",
                 line={"color": INK, "width": 1.3, "dash": "dot", "shape": "hv"}, hovertemplate="%{y:,.0f}", **axes)
        )  # fmt: skip
    return Figure(
        name="work_over_time",
        title=words("work_over_time.title"),
        caption=" ".join(filter(None, [words("work_over_time.caption"), spans.note(words)])),
        unit=words("unit.nodes"),
        sources=SOURCES,
        plot={"data": data, "layout": _stacked_rows(run, words, classes)},
        table=Sheet(
            "work_over_time", columns, {column: words("unit.nodes") for column in columns if column != "time_utc"}
        ),
    )


def work_by_site(run: SavedRun, words: Words) -> Figure:
    """Node-hours of each class at each site, executed and planned."""
    busy, planned = (values.sum(axis=0) * run.step_h for values in _nodes(run))
    sites, classes = run.called("site", words.lang), run.facts.coords["compute_class"]
    data: list[dict[str, Any]] = []
    for place, kind in enumerate(classes):
        colour = SERIES[place % len(SERIES)]
        shared = {"x": [plain(site) for site in sites], "offsetgroup": str(place), "name": plain(kind)}
        data += [
            {"type": "bar", "y": rounded(busy[:, place]), "marker": {"color": colour},
             "hovertemplate": "%{x}: %{y:,.0f}", **shared},
            {"type": "bar", "y": rounded(planned[:, place]), "base": 0, "marker": {"color": "rgba(0,0,0,0)",
             "line": {"color": INK, "width": 1.2}}, "hovertemplate": "%{x}: %{y:,.0f}", **shared,
             "name": words("work.planned"), "showlegend": place == 0},
        ]  # fmt: skip
    index = [(site, kind) for site in range(len(sites)) for kind in range(len(classes))]
    return Figure(
        name="work_by_site",
        title=words("work_by_site.title"),
        caption=words("work_by_site.caption"),
        unit="node-h",
        sources=SOURCES,
        plot={
            "data": data,
            "layout": layout(
                340,
                barmode="group",
                bargap=0.25,
                xaxis=axis("", type="category", showgrid=False),
                yaxis=axis("node-h", tickformat=",.4~s"),
            ),
        },
        table=Sheet(
            "work_by_site",
            {
                words("table.site"): [sites[site] for site, _ in index],
                words("table.class"): [classes[kind] for _, kind in index],
                words("table.executed"): rounded(busy.ravel()),
                words("table.planned"): rounded(planned.ravel()),
            },
            {words("table.executed"): "node-h", words("table.planned"): "node-h"},
        ),
    )


def job_wait(run: SavedRun, words: Words) -> Figure | None:
    """How long jobs waited for their start, by class; None where none started."""
    jobs = run.jobs(["wait_s", "start_s", "class", "delay_class"])
    started = jobs["start_s"] >= 0
    return _distribution("job_wait", run, words, jobs, started, jobs["wait_s"] / HOUR_S, logarithmic=True)


def job_margin(run: SavedRun, words: Words) -> Figure | None:
    """How long before they were due jobs ended, late ones below zero; None where none ended."""
    jobs = run.jobs(["due_s", "end_s", "class", "delay_class"])
    margin_h = (jobs["due_s"].astype(np.int64) - jobs["end_s"]) / HOUR_S
    return _distribution("job_margin", run, words, jobs, jobs["end_s"] >= 0, margin_h, logarithmic=False)


def _nodes(run: SavedRun) -> tuple[FloatArray, FloatArray]:
    """Nodes at work and as planned (time, site, class), services in both."""
    services = run.values("service_nodes")
    busy = run.values("busy_node_s") / float(run.summary["step_s"]) + services
    return busy, run.values("planned_busy_nodes") + services


def _stacked_rows(run: SavedRun, words: Words, classes: tuple[str, ...]) -> dict[str, Any]:
    """One row for each class, the first on top, over one time axis."""
    height, gap = 1.0 / len(classes), 0.06
    rows = {}
    for row, kind in enumerate(classes):
        top = 1.0 - row * height
        rows[f"yaxis{row + 1 if row else ''}"] = axis(
            plain(kind), domain=[max(top - height + gap, 0.0), top], tickformat=",.4~s", nticks=5, rangemode="tozero"
        )
    last = f"y{len(classes)}" if len(classes) > 1 else "y"
    return layout(
        150 + 150 * len(classes),
        hovermode="x unified",
        xaxis=time_axis(words, plain(zone(run)[1]), anchor=last),
        **rows,
    )


def _distribution(
    name: str,
    run: SavedRun,
    words: Words,
    jobs: Columns,
    kept: np.ndarray,
    hours: FloatArray,
    *,
    logarithmic: bool,
) -> Figure | None:
    """Draw for each compute class and delay class the share of jobs below a number of hours."""
    if not kept.any():
        return None
    kinds = [kind for kind in run.facts.coords["compute_class"] if (kept & (jobs["class"] == kind)).any()]
    data: list[dict[str, Any]] = []
    columns: dict[str, Any] = {words("table.share_of_jobs"): rounded(QUANTILES)}
    for order, kind in enumerate(kinds):
        for place, delay in enumerate(run.facts.delay_class):
            chosen = hours[kept & (jobs["class"] == kind) & (jobs["delay_class"] == delay)]
            if not len(chosen):
                continue
            label = f"{kind} · {delay}"
            columns[label] = rounded(np.percentile(chosen, QUANTILES))
            x = np.maximum(columns[label], LEAST_WAIT_H) if logarithmic else columns[label]
            colour, dash = SERIES[place % len(SERIES)], DASHES[order % len(DASHES)]
            text = words("jobs.hover", share="%{y:.1f}", hours="%{x:,.3~g}", name=plain(label))
            curve = line(x, rounded(QUANTILES), f"{label} ({len(chosen):,})", colour)
            data.append(
                curve
                | {"line": {"color": colour, "width": 1.7, "dash": dash}, "hovertemplate": f"{text}<extra></extra>"}
            )
    x_axis = axis(words(f"{name}.axis"), zeroline=not logarithmic, zerolinecolor="#c0392b")
    if logarithmic:
        ticks = [1 / 3600, 1 / 60, 1 / 6, 1, 6, 24, 168, 720]
        x_axis |= {"type": "log", "tickvals": ticks, "ticktext": words("jobs.ticks").split("|")}
    return Figure(
        name=name,
        title=words(f"{name}.title"),
        caption=words(f"{name}.caption"),
        unit="h",
        sources=("jobs.parquet",),
        plot={
            "data": data,
            "layout": layout(
                400, xaxis=x_axis, yaxis=axis(words("axis.share_of_jobs"), range=[0, 101], ticksuffix=" %"),
            ),
        },
        table=Sheet(name, columns, {column: "h" if place else "%" for place, column in enumerate(columns)}),
    )  # fmt: skip
