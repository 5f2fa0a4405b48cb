"""The indicators of regions: unit, name and definition for people, in English and Chinese (`indicators.csv`)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Indicator", "indicator_table"]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator.

    Parameters
    ----------
    name, unit : str
        `{currency}` in the unit stands for the model's ISO code.
    label, label_zh : str
    definition, definition_zh : str
    """

    name: str
    unit: str
    label: str
    label_zh: str
    definition: str
    definition_zh: str

    def called(self, lang: str) -> str:
        """Return the label in a language."""
        return self.label_zh if lang == "zh" else self.label

    def defined(self, lang: str) -> str:
        """Return the definition in a language."""
        return self.definition_zh if lang == "zh" else self.definition


@cache
def indicator_table() -> Mapping[str, Indicator]:
    """Return all indicators by name, in the order of the table."""
    text = files("gridtwin.economics").joinpath("indicators.csv").read_text(encoding="utf-8")
    return {row["name"]: Indicator(**row) for row in csv.DictReader(text.splitlines())}
