"""What a run cost, and who paid."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.exports.sheets import Sheet
from gridtwin.report.figure import Figure
from gridtwin.report.language import Words
from gridtwin.report.style import ACCENT, MUTED, SITES, axis, layout, number, plain, technologies
from gridtwin.results.saved_run import SavedRun

__all__ = ["costs", "payments"]

SLACKS: Final = ("shed", "overload", "spill")
COST_SOURCES: Final = (
    "unit_mw", "segments", "co2_kg", "moved_gb", "wan", "stored_mwh", "price_per_mwh", "penalties", "jobs.parquet",
)  # fmt: skip
LEAST_SHARE: Final = 1e-6


def costs(run: SavedRun, words: Words) -> Figure:
    """Production cost by technology, carbon, moving data, energy out of stores, and what gave way, up to their sum."""
    parts = _parts(run, words)
    labels, values = [label for label, _ in parts], np.array([value for _, value in parts])
    money = run.facts.currency
    measure = ["relative"] * len(parts) + ["total"]
    shown = [*labels, words("costs.sum")]
    heights = np.append(values, values.sum())
    trace = {
        "type": "waterfall",
        "orientation": "v",
        "x": [plain(label) for label in shown],
        "y": heights,
        "measure": measure,
        "text": [number(value) for value in heights],
        "textposition": "outside",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "increasing": {"marker": {"color": ACCENT}},
        "decreasing": {"marker": {"color": "#7fb3a0"}},
        "totals": {"marker": {"color": "#1d2730"}},
        "connector": {"line": {"color": "#b8c0c7", "width": 1}},
        "hovertemplate": f"%{{x}}: %{{delta:,.0f}} {money}<extra></extra>",
    }
    return Figure(
        name="costs",
        title=words("costs.title"),
        caption=words("costs.caption"),
        unit=money,
        sources=COST_SOURCES,
        plot={
            "data": [trace],
            "layout": layout(
                380, showlegend=False, margin={"l": 62, "r": 18, "t": 28, "b": 44},
                xaxis=axis("", type="category", showgrid=False, tickangle="auto"),
                yaxis=axis(money, tickformat=",.4~s", zeroline=True, zerolinecolor=MUTED),
            ),
        },
        table=Sheet("costs", {words("table.part"): shown, words("table.cost"): heights},
                    {words("table.cost"): money}),
    )  # fmt: skip


def payments(run: SavedRun, words: Words) -> Figure:
    """What each party pays at locational prices; what all pay together is nothing."""
    paid = {party: value for party, value in run.summary["money_paid"].items() if abs(value) >= 1.0}
    order = sorted(paid, key=lambda party: -paid[party])
    values = np.array([paid[party] for party in order])
    money = run.facts.currency
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": [plain(words.named("party", party)) for party in order],
        "marker": {"color": [SITES if party == "sites" else ACCENT for party in order]},
        "text": [number(value) for value in values],
        "textposition": "auto",
        "hovertemplate": f"%{{y}}: %{{x:,.0f}} {money}<extra></extra>",
    }
    return Figure(
        name="payments",
        title=words("payments.title"),
        caption=words("payments.caption"),
        unit=money,
        sources=("money.parquet", "price_per_mwh"),
        plot={
            "data": [trace],
            "layout": layout(
                90 + 28 * len(order), showlegend=False, bargap=0.3,
                xaxis=axis(money, tickformat=",.4~s", zeroline=True, zerolinecolor=MUTED),
                yaxis=axis("", type="category", autorange="reversed", showgrid=False),
            ),
        },
        table=Sheet(
            "payments",
            {words("table.party"): [words.named("party", party) for party in order], words("table.paid"): values},
            {words("table.paid"): money},
        ),
    )  # fmt: skip


def _parts(run: SavedRun, words: Words) -> list[tuple[str, float]]:
    series = RunSeries(run, run_cards([run])[0])
    fuel = dict(zip(series.technologies, series.fuel_cost.sum(axis=0).tolist(), strict=True))
    least = LEAST_SHARE * max(sum(fuel.values()), 1.0)
    parts = [(kind.label, fuel[kind.name]) for kind in technologies(fuel, words) if abs(fuel[kind.name]) > least]
    late = float(run.scenario["dispatch"]["late_price_per_node_h"])
    parts.append((words("costs.carbon"), float(run.kpis["carbon_cost"] or 0.0)))
    parts += [
        (words("costs.wan"), float(series.wan_cost.sum())),
        (words("costs.stores"), float(series.taken_cost.sum())),
        *((words(f"costs.{name}"), float(series.slack_cost(name).sum())) for name in SLACKS),
        (words("costs.connection"), float(series.connection_cost.sum())),
        (words("costs.late"), late * sum(series.late_node_h(ended=ended) for ended in (True, False))),
    ]
    return [(label, value) for label, value in parts if abs(value) > least]
