"""The table of result variables: name, dimensions, unit and meaning, read by code, files and documentation alike.

Column `resample` says what a variable is over several steps: their mean, their sum, the value of the last, the greatest
or the least. A NaN among them makes a NaN, but for the last. It is empty where a variable does not run along time.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias, cast

__all__ = ["Resample", "Variable", "tables", "variables"]

Resample: TypeAlias = Literal["mean", "sum", "last", "max", "min", ""]


@dataclass(frozen=True, slots=True)
class Variable:
    """One quantity that every run stores."""

    table: str
    name: str
    dims: tuple[str, ...]
    unit: str  # {currency} stands for the model's ISO code
    resample: Resample  # over several steps
    meaning: str
    meaning_zh: str = ""


@cache
def variables() -> dict[str, Variable]:
    """Return all variables by name, in the order of the table."""
    text = files("gridtwin.results").joinpath("variables.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["variable"]: Variable(
            table=row["table"],
            name=row["variable"],
            dims=tuple(row["dims"].split()),
            unit=row["unit"],
            resample=cast("Resample", row["resample"]),
            meaning=row["meaning"],
            meaning_zh=row["meaning_zh"],
        )
        for row in rows
    }


@cache
def tables() -> dict[str, tuple[Variable, ...]]:
    """Return the variables of each table; those of one table share their dimensions."""
    names = dict.fromkeys(variable.table for variable in variables().values())
    return {name: tuple(v for v in variables().values() if v.table == name) for name in names}
