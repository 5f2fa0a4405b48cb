"""How figures look: colours, axes, and names that nothing interprets."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from gridtwin.report.language import Words
from gridtwin.units import FloatArray

__all__ = [
    "ACCENT",
    "GRID",
    "INK",
    "MINUS",
    "MUTED",
    "SEQUENTIAL",
    "SERIES",
    "SITES",
    "Technology",
    "axis",
    "colorbar",
    "layout",
    "line",
    "number",
    "plain",
    "technologies",
    "time_axis",
]

INK: Final = "#1d2730"
MUTED: Final = "#5c6873"
GRID: Final = "#e7eaed"
ACCENT: Final = "#0a5c8a"
SITES: Final = "#c8501e"  # data centres, in every figure
SERIES: Final = ("#0a5c8a", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#6b7280")
SEQUENTIAL: Final = ((0.0, "#f3f7fa"), (0.25, "#b5d3e3"), (0.5, "#62a3c4"), (0.75, "#1f6f9c"), (1.0, "#06304a"))
FONT: Final = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", '
    '"Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif'
)
MINUS: Final = "\u2212"
NOTHING: Final = "\u2013"
UNKNOWN_ORDER: Final = 80
UNKNOWN_COLOUR: Final = "#9aa3ab"


@dataclass(frozen=True, slots=True)
class Technology:
    """How a kind of unit or store is shown.

    Parameters
    ----------
    name : str
        As the model has it.
    label : str
        In the language of the reader where it is known.
    order : int
        Place in a stack, from the bottom.
    colour : str
    """

    name: str
    label: str
    order: int
    colour: str


@cache
def _known() -> tuple[Mapping[str, str], ...]:
    text = files("gridtwin.report").joinpath("technologies.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def technologies(names: Iterable[str], words: Words) -> list[Technology]:
    """Describe technologies, in the order of a stack from its bottom."""
    found = [_technology(name, words) for name in dict.fromkeys(names)]
    return sorted(found, key=lambda technology: (technology.order, technology.name))


def _technology(name: str, words: Words) -> Technology:
    row = next((row for row in _known() if row["contains"] in name.lower().replace("_", " ")), None)
    if row is None:
        return Technology(name, name, UNKNOWN_ORDER, UNKNOWN_COLOUR)
    return Technology(name, row["zh"] if words.lang == "zh" else name, int(row["order"]), row["colour"])


def plain(text: object) -> str:
    """Return a text that Plotly shows as it is: its labels understand a little HTML, and names are nobody's markup.

    Examples
    --------
    >>> plain("<a href='x'>bus & line</a>")
    "&lt;a href='x'&gt;bus &amp; line&lt;/a&gt;"
    """
    return html.escape(str(text), quote=False)


def number(value: float | None, digits: int = 4) -> str:
    """Write a number for people: thousands apart, as many digits as its size leaves meaning for.

    Examples
    --------
    >>> number(43957262.75), number(1146.35), number(0.327482), number(-12.0), number(None)
    ('43,957,263', '1,146', '0.3275', '−12', '–')
    """
    if value is None or not np.isfinite(value):
        return NOTHING
    if abs(value) >= 10 ** (digits - 1) or value == int(value):
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:,.{digits}g}".replace("-", MINUS)


def layout(height: int = 380, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what Plotly takes
    """Return what all figures share, with changes."""
    shared: dict[str, Any] = {
        "height": height,
        "margin": {"l": 62, "r": 18, "t": 14, "b": 44},
        "font": {"family": FONT, "size": 12.5, "color": INK},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "colorway": list(SERIES),
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "bgcolor": "#ffffff", "bordercolor": GRID},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "traceorder": "normal",
            "font": {"size": 11.5},
        },
        "dragmode": "zoom",
    }
    return shared | changes


def axis(title: str = "", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what Plotly takes
    """Return an axis with sparing lines."""
    shared: dict[str, Any] = {
        "title": {"text": title, "font": {"size": 12, "color": MUTED}, "standoff": 8},
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": "#b8c0c7",
        "tickfont": {"size": 11.5, "color": MUTED},
        "automargin": True,
    }
    return shared | changes


def colorbar(title: str) -> dict[str, Any]:
    """Return a slim scale of colours."""
    small = {"size": 11, "color": MUTED}
    return {
        "thickness": 10,
        "outlinewidth": 0,
        "ticklen": 3,
        "tickfont": small,
        "title": {"text": title, "font": small},
    }


def time_axis(words: Words, zone: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what Plotly takes
    """Return an axis of local time; `zone` such as UTC−07:00."""
    stops = [
        {"dtickrange": [None, 43_200_000], "value": words("axis.hours")},
        {"dtickrange": [43_200_000, None], "value": words("axis.days")},
    ]
    return axis(
        words("axis.time", zone=zone), type="date", showgrid=False, ticks="outside", tickcolor="#b8c0c7",
        tickformatstops=stops, hoverformat="%Y-%m-%d %H:%M", **changes,
    )  # fmt: skip


def line(
    x: np.ndarray | Sequence[object],
    y: FloatArray,
    name: str,
    colour: str,
    **changes: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Return a line; `name` is any text."""
    shared: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "name": plain(name),
        "line": {"color": colour, "width": 1.6},
    }
    return shared | changes
