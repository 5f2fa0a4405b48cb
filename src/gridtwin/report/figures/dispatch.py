"""What generated, and what drew it."""

from __future__ import annotations

from typing import Final

import numpy as np

from gridtwin.arrays import sum_at
from gridtwin.exports.sheets import Sheet
from gridtwin.report.clock import Bins, bins, zone
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.language import Words
from gridtwin.report.style import INK, SITES, axis, layout, line, plain, technologies, time_axis
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import DAY_S, FloatArray

__all__ = ["dispatch", "dispatch_week", "generation_mw"]

LEAST_MW: Final = 1e-6
STORE_COLOURS: Final = ("#cf6aa6", "#e3a9cb")
SOURCES: Final = ("unit_mw", "discharge_mw", "charge_mw", "load_mw", "shed_mw", "site_mw", "units")


def generation_mw(run: SavedRun) -> dict[str, FloatArray]:
    """Output of each technology (time,), MW."""
    technology = run.inputs("units")["technology"]
    names, index = np.unique(technology.astype(str), return_inverse=True)
    output = sum_at(run.values("unit_mw"), index, len(names))
    return {str(name): output[:, place] for place, name in enumerate(names)}


def dispatch(run: SavedRun, words: Words) -> Figure:
    """Generation by technology as a stack; demand with the data centres on top of it."""
    return _stack("dispatch", run, words, bins(run), slice(None))


def dispatch_week(run: SavedRun, words: Words) -> Figure | None:
    """The same, step by step, for the week of the highest demand; None where `dispatch` shows every step."""
    if bins(run).whole:
        return None
    steps = _peak_week(run)
    return _stack("dispatch_week", run, words, bins(run, steps), steps)


def _peak_week(run: SavedRun) -> slice:
    """Seven days around the step of the highest demand."""
    width = int(7 * DAY_S // int(run.summary["step_s"]))
    demand = run.values("load_mw").sum(axis=1) + run.values("site_mw").sum(axis=1)
    day = DAY_S // int(run.summary["step_s"])
    first = (int(demand.argmax()) - width // 2) // day * day
    first = min(max(first, 0), max(len(demand) - width, 0))
    return slice(first, first + width)


def _stack(name: str, run: SavedRun, words: Words, spans: Bins, steps: slice) -> Figure:
    supply = {key: spans.mean(values[steps]) for key, values in generation_mw(run).items()}
    shown = [kind for kind in technologies(supply, words) if np.abs(supply[kind.name]).max(initial=0.0) > LEAST_MW]
    at_grid = run.inputs("stores")["site_index"] < 0
    discharge, charge = (
        spans.mean(run.values(key)[steps][:, at_grid].sum(axis=1)) for key in ("discharge_mw", "charge_mw")
    )
    other = spans.mean((run.values("load_mw") - run.values("shed_mw"))[steps].sum(axis=1))
    sites = spans.mean(run.values("site_mw")[steps].sum(axis=1))
    areas = [(kind.label, supply[kind.name], kind.colour, "up") for kind in shown]
    if discharge.max(initial=0.0) > LEAST_MW or charge.max(initial=0.0) > LEAST_MW:
        areas += [
            (words("dispatch.discharge"), discharge, STORE_COLOURS[0], "up"),
            (words("dispatch.charge"), -charge, STORE_COLOURS[1], "down"),
        ]
    x = spans.local
    step = {"shape": "hv"}
    hover = "%{y:,.0f} MW"
    data = [
        line(x, rounded(values), label, colour, stackgroup=group, fillcolor=colour, hovertemplate=hover,
             line={"width": 0, "color": colour, **step})
        for label, values, colour, group in areas
    ]  # fmt: skip
    data += [
        line(x, rounded(other), words("dispatch.other_load"), INK, line={"color": INK, "width": 1.4, **step},
             hovertemplate=hover),
        line(x, rounded(other + sites), words("dispatch.total_load"), SITES, fill="tonexty",
             fillcolor="rgba(200,80,30,0.30)", line={"color": SITES, "width": 1.8, **step}, hovertemplate=hover),
    ]  # fmt: skip
    columns = {"time_utc": spans.utc} | {label: rounded(values) for label, values, _, _ in areas}
    columns |= {words("dispatch.other_load"): rounded(other), words("table.sites"): rounded(sites)}
    return Figure(
        name=name,
        title=words(f"{name}.title"),
        caption=" ".join(filter(None, [words("dispatch.caption"), spans.note(words)])),
        unit="MW",
        sources=SOURCES,
        plot={
            "data": data,
            "layout": layout(
                460,
                hovermode="x unified",
                xaxis=time_axis(words, plain(zone(run)[1])),
                yaxis=axis("MW", tickformat=",.0f", zeroline=True, zerolinecolor="#b8c0c7"),
            ),
        },
        table=Sheet(name, columns, {column: "MW" for column in columns if column != "time_utc"}),
    )
