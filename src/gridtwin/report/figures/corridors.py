"""What links carried between the buses: how long they were full, what that earned, what contracts held."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gridtwin.economics.corridors import Corridors, share_percent
from gridtwin.economics.corridors import corridors as accounts
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure, rounded
from gridtwin.report.language import Words
from gridtwin.report.style import axis, layout, number, plain
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import FloatArray

__all__ = ["KIND_COLOURS", "corridors", "link_share_percent"]

MOST_BARS: Final = 20
KIND_COLOURS: Final = {"interface": "#0a5c8a", "dc": "#7a4f9a", "back_to_back": "#e69f00"}


def link_share_percent(run: SavedRun) -> FloatArray:
    """Flow of each (time, link) in percent of the limit of its direction; 0 where nothing flows."""
    return share_percent(run.inputs("links"), run.values("link_mw"))


def corridors(run: SavedRun, words: Words) -> Figure | None:
    """The links that earned most, by kind, and a table of all of them; None where there are none."""
    if not run.facts.coords["link"]:
        return None
    variables = {name: run.values(name) for name in ("link_mw", "contract_mw", "price_per_mwh")}
    found, names, money = accounts(variables, run.inputs("links"), run.step_h), _named(run, words), run.facts.currency
    order = np.argsort(-np.abs(found.rent_cost), kind="stable")
    shown = order[:MOST_BARS]
    data = [_bars(found, names, shown, kind, words, money) for kind in KIND_COLOURS if kind in found.kind]
    labels = [plain(names[place]) for place in shown]
    return Figure(
        name="corridors",
        title=words("corridors.title"),
        caption=words("corridors.caption", links=len(names), shown=len(shown)),
        unit=money,
        sources=("link_mw", "contract_mw", "price_per_mwh", "links"),
        plot={
            "data": data,
            "layout": layout(
                110 + 26 * len(shown),
                bargap=0.28,
                barmode="overlay",
                xaxis=axis(money, tickformat=",.4~s", zeroline=True, zerolinecolor="#b8c0c7"),
                yaxis=axis("", type="category", categoryorder="array", categoryarray=labels, autorange="reversed",
                           showgrid=False),
                showlegend=len(data) > 1,
            ),
        },
        table=_table(run, found, names, order, words),
        tabular=True,
    )  # fmt: skip


def _named(run: SavedRun, words: Words) -> list[str]:
    """Links with the buses that they join."""
    links, buses = run.inputs("links"), run.called("bus", words.lang)
    ends = zip(links["from_index"].tolist(), links["to_index"].tolist(), strict=True)
    return [f"{name}: {buses[here]} → {buses[there]}"
            for name, (here, there) in zip(run.called("link", words.lang), ends, strict=True)]  # fmt: skip


def _bars(found: Corridors, names: list[str], shown: np.ndarray, kind: str, words: Words, money: str) -> dict[str, Any]:
    mine = [place for place in shown.tolist() if found.kind[place] == kind]
    return {
        "type": "bar",
        "orientation": "h",
        "name": words(f"corridors.{kind}"),
        "x": found.rent_cost[mine],
        "y": [plain(names[place]) for place in mine],
        "marker": {"color": KIND_COLOURS[kind]},
        "text": [
            words("corridors.bar", hours=number(found.full_h[place] + found.full_back_h[place])) for place in mine
        ],
        "textposition": "auto",
        "hovertemplate": f"%{{y}}: %{{x:,.5~g}} {money}<extra></extra>",
    }


def _table(run: SavedRun, found: Corridors, names: list[str], order: np.ndarray, words: Words) -> Sheet:
    money = run.facts.currency
    columns: dict[str, tuple[FloatArray, str]] = {
        "sent": (found.sent_mwh, "MWh"),
        "returned": (found.returned_mwh, "MWh"),
        "full": (found.full_h, "h"),
        "full_back": (found.full_back_h, "h"),
        "apart": (found.apart_per_mwh, f"{money}/MWh"),
        "rent": (found.rent_cost, money),
        "contract": (found.contract_mwh, "MWh"),
        "deviation": (found.deviation_mwh, "MWh"),
    }
    return Sheet(
        "corridors",
        {
            words("table.link"): [names[place] for place in order],
            words("table.kind"): [words(f"corridors.{found.kind[place]}") for place in order],
            **{words(f"corridors.{name}"): rounded(values[order]) for name, (values, _) in columns.items()},
        },
        {words(f"corridors.{name}"): unit for name, (_, unit) in columns.items()},
    )
