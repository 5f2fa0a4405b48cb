"""The summary of a run as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from gridtwin.economics.kpi_table import KPIS, Kpi

__all__ = ["print_regret", "print_summary"]


REGRET_ROWS = {
    "bound": "lower bound: all foresight, work in any pieces",
    "horizon": "+ decided window by window",
    "execution": "+ whole jobs, margins, settled in real time",
    "settled_perfect": "= settled with perfect forecast",
    "forecast_error": "+ forecasts that do not come true",
    "settled": "= settled",
}


def _number(value: object) -> str:
    """Write a number with separators and as many decimals as its size leaves meaning for."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if isinstance(value, int) or abs(value) >= 1e5:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:,.4g}" if abs(value) < 100 else f"{value:,.1f}"  # noqa: PLR2004


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print figures, ledgers and timings of a run on stdout."""
    console = Console()
    title = " · ".join(str(summary[key]) for key in ("scenario", "policy", "run_id") if summary.get(key))
    figures = Table(title=title, title_justify="left")
    figures.add_column("figure")
    figures.add_column("value", justify="right")
    figures.add_column("unit")
    for name, value in summary["kpis"].items():
        kpi = KPIS.get(name, Kpi(name.replace("_", " "), ""))
        figures.add_row(kpi.label, _number(value), kpi.unit.format(currency=summary.get("currency", "")))
    console.print(figures)
    ledgers = Table("ledger", "holds")
    for column in ("residual", "tolerance"):
        ledgers.add_column(column, justify="right")
    ledgers.add_column("unit")
    for name, ledger in summary.get("ledgers", {}).items():
        holds = "pass" if ledger["pass"] else "[bold red]FAIL[/]"
        row = ("-" if ledger[key] is None else f"{ledger[key]:.3g}" for key in ("residual", "tolerance"))
        ledgers.add_row(name.replace("_", " "), holds, *row, str(ledger.get("unit", "")))
    if ledgers.row_count:
        console.print(ledgers)
    if findings := summary.get("findings"):
        console.print(
            "AC findings: " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in findings.items())
        )
    timing_s: Mapping[str, float] = summary.get("timing_s", {})
    if timing_s:
        sessions = summary.get("sessions", 1)
        label = "time" if sessions == 1 else f"time of {sessions} sessions"
        console.print(
            f"{label}: " + ", ".join(f"{name.replace('_', ' ')} {value:.2f} s" for name, value in timing_s.items())
        )


def print_regret(found: Mapping[str, Any]) -> None:
    """Print what a run cost beyond its lower bound, and why, on stdout."""
    total, currency = found["total"], found["currency"]
    where = f"{len(found['spans'])} sampled weeks" if found["sampled"] else "the whole run"
    table = Table("cost and regret", currency, "of the bound", title=f"regret of {where}", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, label in REGRET_ROWS.items():
        table.add_row(label, _number(total[name]), f"{total[name] / total['bound']:.3%}" if total["bound"] else "-")
    console = Console()
    console.print(table)
    if not all(span["bound_holds"] for span in found["spans"]):
        console.print("a span settled below its bound: what the bound takes as means matters there")
