"""Writes docs/variables.md from the tables of variables and key figures: `python docs/make_variables.py`."""

from __future__ import annotations

from pathlib import Path

from gridtwin.economics.kpi_table import KPIS
from gridtwin.results.variables import Variable, tables

PAGE = Path(__file__).with_name("variables.md")
HEAD = """\
# Result variables

Made by `docs/make_variables.py` from `src/gridtwin/results/variables.csv` and `src/gridtwin/economics/kpi_table.py`;
edit those, not this page.

Every run stores all variables: in `results.nc` together, and in `windows/` as one Parquet file per window and table, in
long form. A value at t covers [t, t + step); times are UTC. Money is in the model's currency.

*Over steps* says what a variable is over several steps, as `gridtwin export --resample` gives it: their mean, their
sum, the value of the last, the greatest or the least. Energy is the mean power times the hours. A NaN among them makes
a NaN, but for the last.
"""


def page() -> str:
    """Return the page that the tables give."""
    return HEAD + "".join(_section(name, members) for name, members in tables().items()) + _key_figures()


def _section(table: str, members: tuple[Variable, ...]) -> str:
    dims = ", ".join(members[0].dims)
    rows = "".join(f"| `{v.name}` | {_shown(v.unit)} | {v.resample or '-'} | {v.meaning} |\n" for v in members)
    return f"\n## {table} ({dims})\n\n| variable | unit | over steps | meaning |\n| --- | --- | --- | --- |\n{rows}"


def _key_figures() -> str:
    rows = "".join(f"| `{name}` | {_shown(kpi.unit)} | {kpi.label} |\n" for name, kpi in KPIS.items())
    return f"\n## Key figures (summary.json, `kpis`)\n\n| figure | unit | meaning |\n| --- | --- | --- |\n{rows}"


def _shown(unit: str) -> str:
    return unit.format(currency="money") or "1"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
