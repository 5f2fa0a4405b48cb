"""The summary of a run as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table

__all__ = ["print_summary", "unit_of"]

# endings of names and the unit they state, longest first where one ends another
_UNITS: Final = {
    "_kg_per_mwh": "kg/MWh",
    "_per_mwh": "per MWh",
    "_node_s": "node s",
    "_node_h": "node h",
    "_gb": "GB",
    "_mwh": "MWh",
    "_mw": "MW",
    "_percent": "%",
    "_pu": "pu",
    "_share": "",
    "_t": "t",
    "_s": "s",
}
_COUNTS: Final = ("jobs_", "ac_steps_")


def unit_of(name: str, currency: str = "") -> tuple[str, str]:
    """Split a name that ends in its unit into words and the unit.

    Examples
    --------
    >>> unit_of("curtailment_mwh"), unit_of("system_cost", "USD"), unit_of("jobs_late")
    (('curtailment', 'MWh'), ('system cost', 'USD'), ('jobs late', ''))
    """
    if name.endswith("_cost"):
        return name.replace("_", " "), currency
    ending = "" if name.startswith(_COUNTS) else next((end for end in _UNITS if name.endswith(end)), "")
    words = name if ending in ("", "_share") else name.removesuffix(ending)
    return words.replace("_", " "), _UNITS.get(ending, "")


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
        words, unit = unit_of(name, str(summary.get("currency", "")))
        figures.add_row(words, _number(value), unit)
    console.print(figures)
    ledgers = Table("ledger", "holds")
    for column in ("residual", "tolerance"):
        ledgers.add_column(column, justify="right")
    ledgers.add_column("unit")
    for name, ledger in summary.get("ledgers", {}).items():
        holds = "pass" if ledger["pass"] else "[bold red]FAIL[/]"
        row = (f"{ledger[key]:.3g}" for key in ("residual", "tolerance"))
        ledgers.add_row(name.replace("_", " "), holds, *row, str(ledger.get("unit", "")))
    if ledgers.row_count:
        console.print(ledgers)
    timing_s: Mapping[str, float] = summary.get("timing_s", {})
    if timing_s:
        console.print(
            "time: " + ", ".join(f"{name.replace('_', ' ')} {value:.2f} s" for name, value in timing_s.items())
        )
