"""The words of reports, in English and Chinese."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from gridtwin.economics.kpi_table import KPIS, Kpi
from gridtwin.errors import ResultsError
from gridtwin.located import did_you_mean
from gridtwin.results.variables import variables

__all__ = ["LANGUAGES", "Words", "words_in"]

LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Words:
    """Everything that a page says in one language.

    Parameters
    ----------
    lang : {"en", "zh"}
    table : mapping of str to str
        Texts by key, as in `words.csv`.
    """

    lang: str
    table: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text, its placeholders filled.

        Raises
        ------
        KeyError
            If there is no such text.
        """
        text = self.table[key]
        return text.format(**values) if values else text

    def named(self, group: str, name: str) -> str:
        """Return the text `group.name`; for a name that nobody foresaw, the name itself."""
        return self.table.get(f"{group}.{name}", name.replace("_", " "))

    def kpi(self, name: str) -> str:
        """Return what a key figure is called."""
        foreign = name.replace("_", " ")
        kpi = KPIS.get(name, Kpi(foreign, "", foreign))
        return kpi.label_zh if self.lang == "zh" else kpi.label

    def variable(self, name: str) -> str:
        """Return what a variable of the table of variables means; nothing where it is none."""
        variable = variables().get(name)
        if variable is None:
            return ""
        return variable.meaning_zh if self.lang == "zh" else variable.meaning


@cache
def words_in(lang: str) -> Words:
    """Return the words of a language.

    Raises
    ------
    ResultsError
        If there is no such language.
    """
    if lang not in LANGUAGES:
        raise ResultsError(f"no words in {lang!r}: expected {' or '.join(LANGUAGES)}{did_you_mean(lang, LANGUAGES)}")
    text = files("gridtwin.report").joinpath("words.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return Words(lang, {row["key"]: row[lang].replace("\\n", "\n") for row in rows})
