"""The grid: where it is full, what that costs, what outages would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gridtwin.economics.corridors import AT_LIMIT, link_rent
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.figures.corridors import link_share_percent
from gridtwin.report.figures.places import Places, places
from gridtwin.report.language import Words
from gridtwin.report.style import INK, SEQUENTIAL, SITES, axis, colorbar, layout, number, plain
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import FloatArray

__all__ = ["binding_lines", "grid_map", "outages"]

LEAST_SHADOW: Final = 1e-6  # money per MWh
MOST_LINES: Final = 12
MOST_PAIRS: Final = 15
FULL_PERCENT: Final = (50.0, 80.0, 100.0)
LINE_COLOURS: Final = ("#c5ccd3", "#8fa1b0", "#e69f00", "#b3261e")
WIDTHS: Final = (1.4, 3.0, 5.5)
LINK_PERCENT: Final = (50.0, 80.0, 100.0 * (1 - AT_LIMIT))
MOST_LABELS: Final = 20  # of sites; of more only those pointed at are named
LINK_WIDTH: Final = 3.0
DASHES: Final = {"interface": "solid", "dc": "dash", "back_to_back": "dot"}  # by kind of link
TIER_SYMBOLS: Final = {"edge": "circle-open", "provincial": "square-open", "hub": "diamond-open", "super": "star-open"}
RENT_SHARES: Final = (0.005, 0.05)  # of all rent, from which on a line is drawn wider


def line_rent(run: SavedRun, steps: slice = slice(None)) -> FloatArray:
    """What each line (line,) earns: shadow price times what the redispatch let it carry."""
    shadow = run.values("shadow_price_per_mwh")[steps]
    rate = np.where(shadow > 0, run.values("rate_mw")[steps], 0.0)
    return np.asarray((shadow * rate).sum(axis=0) * run.step_h)


def grid_map(run: SavedRun, words: Words, steps: slice = slice(None)) -> Figure:
    """Sites, lines with loading and rent, and prices at the buses; all of the run or some steps of it."""
    where = places(run)
    price = run.values("price_per_mwh")[steps].mean(axis=0)
    carriers = _corridors(run, words, where, steps) if run.transport else _lines(run, words, where, steps)
    data = [
        *carriers.traces,
        _bus_trace(run, words, where, price),
        *_site_traces(run, words, where, run.values("site_mw")[steps]),
    ]
    hidden: dict[str, Any] = {"showgrid": False, "showticklabels": False, "ticks": "", "linecolor": "#ffffff"}
    scale = {"scaleanchor": "x", "scaleratio": where.stretch, "constrain": "domain"}
    ends, title, caption = carriers.ends, "grid_map.title", "grid_map.caption"
    if run.transport:
        title, caption = "grid_map.title.transport", "grid_map.corridors"
    buses = np.array(run.called("bus", words.lang), dtype=object)
    return Figure(
        name="grid_map",
        title=words(title),
        caption=" ".join(
            [words(caption), words("grid_map.schematic") if where.schematic else words("grid_map.places")]
        ),
        unit=f"{run.facts.currency}/MWh, %",
        sources=("price_per_mwh", "site_mw", "buses", *carriers.sources),
        plot={
            "data": data,
            "layout": layout(
                620,
                margin={"l": 8, "r": 8, "t": 8, "b": 8},
                hovermode="closest",
                xaxis=axis(**hidden),
                yaxis=axis(**hidden | scale),
            ),
        },
        table=Sheet(
            "grid_map",
            {
                words(carriers.heading): list(carriers.names),
                words("table.from"): buses[ends["from_index"]].tolist(),
                words("table.to"): buses[ends["to_index"]].tolist(),
                words("table.loading"): rounded(carriers.full_percent),
                words("table.rent"): rounded(carriers.rent),
                words("table.price_from"): rounded(price[ends["from_index"]]),
                words("table.price_to"): rounded(price[ends["to_index"]]),
            },
            {
                words("table.loading"): "%",
                words("table.rent"): run.facts.currency,
                words("table.price_from"): f"{run.facts.currency}/MWh",
                words("table.price_to"): f"{run.facts.currency}/MWh",
            },
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Carriers:
    """What carries power between the buses of a map."""

    heading: str  # key of a word
    names: Sequence[str]
    ends: Mapping[str, np.ndarray]
    full_percent: FloatArray  # at the fullest step
    rent: FloatArray
    sources: tuple[str, ...]
    traces: list[dict[str, Any]]


def _lines(run: SavedRun, words: Words, where: Places, steps: slice) -> _Carriers:
    full = np.nan_to_num(np.nanmax(run.values("loading_percent")[steps], axis=0, initial=0.0))
    rent = line_rent(run, steps)
    traces = _line_traces(run, words, where, full, rent)
    if (hvdc := _link_trace(run, where)) is not None:
        traces.append(hvdc)
    text = [
        words("grid_map.line", name=plain(name), percent=number(percent), rent=number(money),
              currency=run.facts.currency)
        for name, percent, money in zip(run.facts.coords["line"], full, rent, strict=True)
    ]  # fmt: skip
    ends = run.inputs("lines")
    traces.append(_hover(where, ends, text))
    sources = ("loading_percent", "shadow_price_per_mwh", "rate_mw", "lines")
    return _Carriers("table.line", run.facts.coords["line"], ends, full, rent, sources, traces)


def _corridors(run: SavedRun, words: Words, where: Places, steps: slice) -> _Carriers:
    """Links by kind and by their fullest hour."""
    ends, names = run.inputs("links"), run.called("link", words.lang)
    full = link_share_percent(run)[steps].max(axis=0, initial=0.0)
    rent = link_rent(run.values("link_mw")[steps], run.values("price_per_mwh")[steps], ends, run.step_h).sum(axis=0)
    colour = np.searchsorted(LINK_PERCENT, full, side="right")
    traces = []
    for shade, painted in enumerate(LINE_COLOURS):
        for first, (kind, dash) in enumerate(DASHES.items()):
            chosen = (colour == shade) & (ends["kind"] == kind)
            x, y = _segments(where, ends["from_index"][chosen], ends["to_index"][chosen])
            path = _path(x, y, words(f"corridor.{shade}"), painted, LINK_WIDTH, f"l{shade}", first=first == 0)
            traces.append(path | {"line": {"color": painted, "width": LINK_WIDTH, "dash": dash}})
    text = [
        words("grid_map.link", name=plain(name), kind=words(f"corridors.{kind}"), percent=number(percent),
              rent=number(money), currency=run.facts.currency)
        for name, kind, percent, money in zip(names, ends["kind"].tolist(), full, rent, strict=True)
    ]  # fmt: skip
    traces.append(_hover(where, ends, text))
    return _Carriers("table.link", names, ends, full, rent, ("link_mw", "links"), traces)


def binding_lines(run: SavedRun, words: Words) -> Figure | None:
    """The lines whose limits earned most; None where no limit bound."""
    shadow = run.values("shadow_price_per_mwh")
    binding = shadow > LEAST_SHADOW
    hours = binding.sum(axis=0) * run.step_h
    if not hours.any():
        return None
    rent = line_rent(run)
    mean = np.where(hours > 0, shadow.sum(axis=0) * run.step_h / np.maximum(hours, run.step_h), 0.0)
    top = [place for place in np.argsort(-rent, kind="stable")[:MOST_LINES] if hours[place] > 0]
    names = [run.facts.coords["line"][place] for place in top]
    text = [words("binding.bar", hours=number(hours[place]), price=number(mean[place], 3)) for place in top]
    money = run.facts.currency
    return Figure(
        name="binding_lines",
        title=words("binding_lines.title"),
        caption=words("binding_lines.caption", lines=int((hours > 0).sum()), shown=len(top)),
        unit=money,
        sources=("shadow_price_per_mwh", "rate_mw"),
        plot={"data": [_bars(names, rent[top], text, money)], "layout": _bar_layout(len(top), money)},
        table=Sheet(
            "binding_lines",
            {
                words("table.line"): names,
                words("table.hours"): hours[top],
                words("table.shadow_price"): mean[top],
                words("table.rent"): rent[top],
            },
            {words("table.hours"): "h", words("table.shadow_price"): f"{money}/MWh", words("table.rent"): money},
        ),
        tabular=True,
    )


def outages(run: SavedRun, words: Words) -> Figure | None:
    """What outages overload most, and which part the grid or have no solution; None where N-1 was not asked for."""
    report: Mapping[str, Any] | None = run.summary.get("n1")
    if report is None:
        return None
    rating = dict(zip(run.facts.coords["line"], run.inputs("lines")["rate_long_mw"].tolist(), strict=True))
    pairs = report["worst_pairs"]
    shown = sorted(pairs[:MOST_PAIRS], key=lambda pair: -pair["worst_percent"])
    apart = [
        *(
            (outage, words("n1.islanded", buses=", ".join(map(str, buses))))
            for outage, buses in report["islanded"].items()
        ),
        *((outage, words("n1.failed", steps=steps)) for outage, steps in report["failed"].items()),
    ]
    nothing: list[float | None] = [None] * len(apart)
    names = [f"{pair['outage']} → {pair['line']}" for pair in shown]
    text = [words("n1.bar", percent=number(pair["worst_percent"]), steps=number(pair["steps"])) for pair in shown]
    status = report["status"]
    return Figure(
        name="outages",
        title=words("outages.title"),
        caption=words(
            "outages.caption",
            outages=report["outages"], steps=number(report["steps"]), ok=number(status["ok"]),
            islanded=number(status["islanded"]), failed=number(status["failed"]),
            with_overload=report["outages_with_overload"], unrated=len(report["unrated"]),
        ),
        unit="%",
        sources=("n1.parquet", "n1.json", "lines"),
        plot={
            "data": [_bars(names, np.array([pair["worst_percent"] for pair in shown]), text, "%")],
            "layout": _bar_layout(
                len(shown), words("n1.axis"), shapes=[{"type": "line", "x0": 100, "x1": 100, "y0": 0, "y1": 1,
                                                       "yref": "paper", "line": {"color": INK, "width": 1}}],
            ),
        },
        table=Sheet(
            "outages",
            {
                words("table.outage"): [*(pair["outage"] for pair in pairs), *(outage for outage, _ in apart)],
                words("table.monitored"): [*(pair["line"] for pair in pairs), *(what for _, what in apart)],
                words("table.emergency"): [*(_known(rating.get(pair["line"])) for pair in pairs), *nothing],
                words("table.worst"): [*(pair["worst_percent"] for pair in pairs), *nothing],
                words("table.steps"): [*(pair["steps"] for pair in pairs), *nothing],
            },
            {words("table.emergency"): "MW", words("table.worst"): "%"},
        ),
        tabular=True,
    )  # fmt: skip


def _known(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value


def _bars(names: list[str], values: FloatArray, text: list[str], unit: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": [plain(name) for name in names],
        "marker": {"color": "#0a5c8a"},
        "text": [plain(item) for item in text],
        "textposition": "auto",
        "insidetextanchor": "end",
        "hovertemplate": f"%{{y}}: %{{x:,.5~g}} {unit}<extra></extra>",
    }


def _bar_layout(bars: int, unit: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return layout(
        90 + 26 * bars,
        bargap=0.28,
        xaxis=axis(unit, tickformat=",.4~s"),
        yaxis=axis("", type="category", autorange="reversed", showgrid=False),
        **changes,
    )


def _line_traces(
    run: SavedRun, words: Words, where: Places, full: FloatArray, rent: FloatArray
) -> list[dict[str, Any]]:
    """Draw lines in four colours by their fullest hour and three widths by their share of all rent."""
    ends = run.inputs("lines")
    colour = np.searchsorted(FULL_PERCENT, full, side="left")
    width = np.searchsorted(RENT_SHARES, rent / max(float(rent.sum()), 1e-9), side="right")
    traces = []
    for shade in range(len(LINE_COLOURS)):
        label = words(f"loading.{shade}")
        for wide in range(len(WIDTHS)):
            chosen = (colour == shade) & (width == wide)
            x, y = _segments(where, ends["from_index"][chosen], ends["to_index"][chosen])
            traces.append(_path(x, y, label, LINE_COLOURS[shade], WIDTHS[wide], f"l{shade}", first=wide == 0))
    return traces


def _path(
    x: list[float | None], y: list[float | None], label: str, colour: str, width: float, group: str, *, first: bool
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x or [None],
        "y": y or [None],
        "name": label,
        "legendgroup": group,
        "showlegend": first,
        "line": {"color": colour, "width": width},
        "hoverinfo": "skip",
    }


def _segments(where: Places, start: np.ndarray, end: np.ndarray) -> tuple[list[float | None], list[float | None]]:
    sides = (where.x, where.y)
    x, y = ([value for a, b in zip(start, end, strict=True) for value in (side[a], side[b], None)] for side in sides)
    return x, y


def _link_trace(run: SavedRun, where: Places) -> dict[str, Any] | None:
    links = run.inputs("links")
    if not len(links["from_index"]):
        return None
    x, y = _segments(where, links["from_index"], links["to_index"])
    path = _path(x, y, "HVDC", "#7a4f9a", 2.2, "hvdc", first=True)
    return path | {"line": {"color": "#7a4f9a", "width": 2.2, "dash": "dash"}}


def _hover(where: Places, ends: Mapping[str, np.ndarray], text: list[str]) -> dict[str, Any]:
    """Put invisible points in the middle of lines, which alone Plotly can point at."""
    middle = [(side[ends["from_index"]] + side[ends["to_index"]]) / 2 for side in (where.x, where.y)]
    return {
        "type": "scatter", "mode": "markers", "x": middle[0], "y": middle[1], "text": text, "showlegend": False,
        "marker": {"size": 12, "opacity": 0}, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def _bus_trace(run: SavedRun, words: Words, where: Places, price: FloatArray) -> dict[str, Any]:
    names = run.inputs("buses")["name"].tolist()
    labels = [f"{bus} {name}".strip() if name and name != bus else bus
              for bus, name in zip(run.called("bus", words.lang), names, strict=True)]  # fmt: skip
    unit = f"{run.facts.currency}/MWh"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": where.x,
        "y": where.y,
        "name": words("grid_map.buses"),
        "text": [f"{plain(label)}<br>{number(value)} {unit}" for label, value in zip(labels, price, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 11,
            "color": rounded(price),
            "colorscale": [list(stop) for stop in SEQUENTIAL],
            "line": {"color": "#48545f", "width": 0.8},
            "colorbar": colorbar(unit) | {"len": 0.5, "x": 1.0},
        },
    }


def _site_traces(run: SavedRun, words: Words, where: Places, site_mw: FloatArray) -> list[dict[str, Any]]:
    """Sites, by tier where the model has tiers."""
    tiers = run.inputs("site_facts")["tier"]
    whole = _site_trace(run, words, where, site_mw)
    if not (tiers != "").any():
        return [whole]
    return [
        _of_tier(whole, np.flatnonzero(tiers == tier), words.named("tier", tier) if tier else words("table.sites"),
                 TIER_SYMBOLS.get(tier, "square-open"))
        for tier in dict.fromkeys(tiers.tolist())
    ]  # fmt: skip


def _of_tier(whole: dict[str, Any], chosen: np.ndarray, label: str, symbol: str) -> dict[str, Any]:
    marker = whole["marker"] | {"symbol": symbol, "size": whole["marker"]["size"][chosen]}
    texts = {name: [whole[name][place] for place in chosen] for name in ("text", "hovertext")}
    return whole | texts | {"x": whole["x"][chosen], "y": whole["y"][chosen], "name": label, "marker": marker}


def _site_trace(run: SavedRun, words: Words, where: Places, site_mw: FloatArray) -> dict[str, Any]:
    sites = run.inputs("sites")
    mean = site_mw.mean(axis=0)
    size = 16 + 16 * np.sqrt(np.maximum(mean, 0.0) / max(float(mean.max(initial=0.0)), 1e-9))
    names = run.called("site", words.lang)
    return {
        "type": "scatter",
        "mode": "markers+text" if len(names) <= MOST_LABELS else "markers",
        "x": where.x[sites["bus_index"]],
        "y": where.y[sites["bus_index"]],
        "name": words("table.sites"),
        "text": [f"<b>{plain(name)}</b>" for name in names],
        "textposition": "top center",
        "textfont": {"color": SITES, "size": 12},
        "hovertext": [f"{plain(name)}<br>{words('grid_map.mean_draw', mw=number(mw))}"
                      for name, mw in zip(names, mean, strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"symbol": "square-open", "size": size, "color": SITES, "line": {"width": 2.6}},
    }  # fmt: skip
