"""Writes the table of signs into docs/exports.md from the data that the exports read: `python docs/make_exports.py`."""

from __future__ import annotations

import re
from pathlib import Path

from gridtwin.exports.signs import CONVENTIONS, signs

PAGE = Path(__file__).with_name("exports.md")
TOLD = {1: "the same", -1: "turned"}
PLACE = re.compile(r"(<!-- signs -->\n).*(<!-- end of signs -->)", re.DOTALL)


def page() -> str:
    """Return the page with the table that the data give."""
    rows = "".join(
        f"| {convention} | `{name}` | {TOLD[sign.factor]} | `{sign.theirs}`: {sign.meaning} |\n"
        for convention in CONVENTIONS
        for name, sign in signs(convention).items()
    )
    table = f"| convention | variable | sign | there |\n| --- | --- | --- | --- |\n{rows}"
    return PLACE.sub(lambda found: f"{found[1]}{table}{found[2]}", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
