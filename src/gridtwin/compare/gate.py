"""Limits that a comparison must keep, for continuous integration."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from gridtwin.compare.comparison import Comparison
from gridtwin.compare.figures import FIGURES
from gridtwin.compare.records import Figure
from gridtwin.located import did_you_mean

__all__ = ["Breach", "Limit", "breaches", "parse_limit"]

Sign: TypeAlias = Literal["+", "-", ">", "<"]

FORMS: Final = "expected name:+2%, name:-5%, name:+100, name:>0 or name:<1.05, such as co2_t:+2%"
LIMIT: Final = re.compile(
    r"(?P<name>\w+):(?P<sign>[+\-<>])(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?P<percent>%?)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Limit:
    """What fails a comparison.

    Parameters
    ----------
    text : str
        As the user wrote it.
    name : str
        Of a figure.
    sign : {"+", "-", ">", "<"}
        Rises by more, falls by more, is above, is below.
    size : float
    percent : bool
        `size` is a share of the base; only with + and -.
    """

    text: str
    name: str
    sign: Sign
    size: float
    percent: bool = False

    def broken(self, figure: Figure) -> bool:
        """Whether a figure is beyond the limit; one that has no value is, as nobody can tell."""
        if figure.change is None or (self.sign in "+-" and figure.delta is None):
            return True
        if self.sign == ">":
            return figure.change > self.size
        if self.sign == "<":
            return figure.change < self.size
        allowed = self.size / 100.0 * abs(figure.base or 0.0) if self.percent else self.size
        risen = figure.delta or 0.0
        return (risen if self.sign == "+" else -risen) > allowed


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that one run does not keep."""

    limit: Limit
    label: str  # of the run
    figure: Figure

    @property
    def text(self) -> str:
        """Figure, base, change and limit in one line."""
        figure = self.figure
        if figure.base is None or figure.change is None:
            return f"{figure.name} of {self.label}: no value to hold against {self.limit.text}"
        percent = "" if figure.percent is None else f", {figure.percent:+.3g} %"
        return (
            f"{figure.name} of {self.label}: base {figure.base:,.10g}, change {figure.change:,.10g} "
            f"({figure.change - figure.base:+,.6g} {figure.unit}{percent}) breaks {self.limit.text}"
        )


def parse_limit(text: str) -> Limit:
    """Read a limit.

    Raises
    ------
    ValueError
        If it has another form, or there is no such figure.

    Examples
    --------
    >>> parse_limit("co2_t:+2%")
    Limit(text='co2_t:+2%', name='co2_t', sign='+', size=2.0, percent=True)
    """
    found = LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r}: {FORMS}")
    name, sign, size, percent = found["name"], found["sign"], float(found["number"]), bool(found["percent"])
    if name not in FIGURES:
        raise ValueError(f"{text!r}: no figure {name!r}{did_you_mean(name, FIGURES)}")
    if (percent and sign in "<>") or (size < 0 and sign in "+-") or not math.isfinite(size):
        raise ValueError(f"{text!r}: {FORMS}")
    return Limit(text.strip(), name, sign, size, percent)  # type: ignore[arg-type] # one of the four by the pattern


def breaches(comparison: Comparison, limits: Sequence[Limit]) -> Iterator[Breach]:
    """Yield every limit that a run does not keep against the base."""
    for change in comparison.changes:
        for limit in limits:
            figure = change.figure(limit.name)
            if limit.broken(figure):
                yield Breach(limit, change.run.label, figure)
