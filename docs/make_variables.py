"""Writes docs/variables.md from the table of result variables: `python docs/make_variables.py`."""

from __future__ import annotations

from pathlib import Path

from gridtwin.results.variables import Variable, tables

PAGE = Path(__file__).with_name("variables.md")
HEAD = """\
# Result variables

Made from `src/gridtwin/results/variables.csv` by `docs/make_variables.py`; edit that table, not this page.

Every run stores all of them: in `results.nc` together, and in `windows/` as one Parquet file per window and table, in
long form. A value at t covers [t, t + step); times are UTC. Money is in the model's currency.
"""


def page() -> str:
    """Return the page that the table gives."""
    return HEAD + "".join(_section(name, members) for name, members in tables().items())


def _section(table: str, members: tuple[Variable, ...]) -> str:
    dims = ", ".join(members[0].dims)
    rows = "".join(f"| `{v.name}` | {v.unit.format(currency='money')} | {v.meaning} |\n" for v in members)
    return f"\n## {table} ({dims})\n\n| variable | unit | meaning |\n| --- | --- | --- |\n{rows}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
