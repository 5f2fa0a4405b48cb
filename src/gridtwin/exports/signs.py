"""Signs as other tools have them: one table, read by the exports, their documentation and its test."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias, get_args

__all__ = ["CONVENTIONS", "Convention", "Sign", "signs"]

Convention: TypeAlias = Literal["gridtwin", "pandapower", "pypsa"]
CONVENTIONS: tuple[str, ...] = get_args(Convention)


@dataclass(frozen=True, slots=True)
class Sign:
    """How another tool counts one variable."""

    factor: int  # -1 where it counts the other way
    theirs: str  # its name there
    meaning: str  # of the variable with that sign


@cache
def signs(convention: Convention) -> Mapping[str, Sign]:
    """Return the variables that a convention speaks of; none for our own, and the others keep their sign."""
    text = files("gridtwin.exports").joinpath("signs.csv").read_text(encoding="utf-8")
    return {
        row["variable"]: Sign(int(row["factor"]), row["theirs"], row["meaning"])
        for row in csv.DictReader(text.splitlines())
        if row["convention"] == convention
    }
