"""Layouts as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gridtwin.compare.layout import Layouts
from gridtwin.compare.layout.layouts import Difference, LayoutRun
from gridtwin.economics.indicator_table import indicator_table
from gridtwin.economics.indicators import NATION
from gridtwin.economics.moves import Verdict
from gridtwin.report.language import Words

__all__ = ["print_layouts"]

SHOWN: Final = 8  # moves and links of each run
ACROSS: Final = 8  # regions side by side
WHOLE: Final = 1e4  # from here on numbers are written whole
PAPER: Final = 160  # characters of a line where the output is no terminal


def print_layouts(found: Layouts, words: Words, *, regions: bool = False, every: bool = False) -> None:
    """Print layouts side by side on stdout.

    Parameters
    ----------
    found : Layouts
    words : Words
        Of the language.
    regions : bool
        Indicators of each region, too.
    every : bool
        Lines without a value, too, and all moves and links.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=PAPER)
    console.print(_head(found, words))
    console.print(*_lines(found, words, every=every), sep="\n")
    if found.changes:
        console.print(_per_mwh(found, words))
    noise = words("layout.measured", count=len(found.noise)) if found.noise else words("layout.unmeasured")
    console.print(Text(noise, style="dim"))
    for name, run in _named(found):
        none = _safe(f"{name}: {words('layout.no_moves')}")
        console.print(_moves(name, run, found, words, every=every) if run.moves else none)
    if verdicts := [(name, one) for name, run in _named(found) for one in run.verdicts]:
        console.print(_published(verdicts, found, words))
    console.print(_bindings(found, words, every=every))
    if regions:
        console.print(*(table for name, run in _named(found) for table in _regions(name, run, found, words)), sep="\n")


def _named(found: Layouts) -> list[tuple[str, LayoutRun]]:
    """Return the layouts with short names for the heads of columns: A is the base."""
    letters = [*ascii_uppercase, *(str(place + 1) for place in range(len(ascii_uppercase), len(found.runs)))]
    return list(zip(letters, found.runs, strict=False))


def _head(found: Layouts, words: Words) -> Table:
    head = Table.grid(padding=(0, 2))
    for name, run in _named(found):
        role = words("layout.base") if run is found.base else f"{words('layout.moved')} {_number(run.moved_mwh)}"
        head.add_row(_safe(name, "bold"), _safe(run.run.label), _safe(run.run.run_id), _safe(role))
    return head


def _lines(found: Layouts, words: Words, *, every: bool) -> Iterator[Table | Text]:
    table, hidden = _table(words("layout.title")), 0
    table.add_column(words("layout.indicator"), overflow="fold", min_width=24)
    base, *changes = _named(found)
    table.add_column(base[0], justify="right", no_wrap=True)
    for name, _ in changes:
        table.add_column(name, justify="right", no_wrap=True)
        table.add_column(f"Δ {name}", justify="right", no_wrap=True)
    if found.noise:
        table.add_column(words("layout.floor"), justify="right", no_wrap=True)
    for place, own in enumerate(found.base.differences):
        others = [run.differences[place] for run in found.changes]
        if own.base is None and all(one.change is None for one in others) and not every:
            hidden += 1
            continue
        cells = [cell for one in others for cell in (_number(one.change), _delta(one, words))]
        floor = [_number(own.floor)] if found.noise else []
        table.add_row(_safe(_label(own, words)), _number(own.base), *cells, *floor)
    yield table
    if hidden:
        yield Text(words("layout.undefined", count=hidden), style="dim")


def _label(one: Difference, words: Words) -> str:
    unit = "" if one.unit == "1" else f", {one.unit}"
    return f"{one.line.called(words.lang)}{_of_class(one.compute_class, words)}{unit}"


def _of_class(compute_class: str, words: Words) -> str:
    """Write which class a line is about; nothing where it is about all."""
    called = words.named("class", compute_class)
    return f" · {called}" if compute_class else ""


def _region(name: str, found: Layouts, words: Words) -> str:
    """Return what a region is called."""
    if name == NATION:
        return words("layout.nation")
    return found.region_names_zh.get(name, name) if words.lang == "zh" else name


def _delta(one: Difference, words: Words) -> Text:
    """Write a difference; one below the noise floor says so."""
    if one.delta is None:
        return Text("-")
    if one.distinguishable is False:
        return Text(f"{_signed(one.delta)} ({words('layout.chance')})", style="dim")
    return Text(_signed(one.delta))


def _per_mwh(found: Layouts, words: Words) -> Table:
    table = _table(words("layout.per_mwh"))
    table.add_column(words("layout.indicator"), overflow="fold", min_width=24)
    for name, _ in _named(found)[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    for place, own in enumerate(found.base.differences):
        if own.per_mwh_unit:
            unit = own.per_mwh_unit.format(currency=found.base.run.currency)
            cells = (_per_mwh_cell(run.differences[place], words) for run in found.changes)
            table.add_row(_safe(f"{own.line.called(words.lang)}, {unit}"), *cells)
    return table


def _per_mwh_cell(one: Difference, words: Words) -> Text:
    if one.per_mwh is None or one.distinguishable is False:
        return Text(words("layout.chance") if one.distinguishable is False else "-", style="dim")
    return Text(_signed(one.per_mwh))


def _moves(name: str, run: LayoutRun, found: Layouts, words: Words, *, every: bool) -> Table:
    table = _table(f"{name}: {words('layout.moves')}")
    heads = [words(f"layout.{name}") for name in ("from", "to", "energy", "average", "marginal", "raises")]
    for head, unit in zip(heads, ("", "", ", MWh", ", t", ", t", ""), strict=True):
        table.add_column(f"{head}{unit}", justify="right" if unit else "left")
    for move in run.moves if every else run.moves[:SHOWN]:
        changes = (None if kg is None else kg / 1000.0 for kg in (move.average_change_kg, move.marginal_change_kg))
        flag = {None: "-", True: words("layout.raises"), False: ""}[move.raises]
        cells = ("-" if change is None else _signed(change) for change in changes)
        ends = (_safe(_region(end, found, words)) for end in (move.origin, move.site))
        table.add_row(*ends, _number(move.energy_mwh), *cells, _safe(flag, "red"))
    return table


def _published(verdicts: Sequence[tuple[str, Verdict]], found: Layouts, words: Words) -> Table:
    table = _table(words("layout.published"))
    for head in ("", "", words("layout.publication"), "", "%", "", words("layout.factors"), "PUE"):
        table.add_column(head)
    for name, one in verdicts:
        told = {None: "-", True: words("layout.agrees"), False: words("layout.differs")}[one.agrees]
        table.add_row(
            name,
            _safe(" → ".join(_region(end, found, words) for end in (one.published.origin, one.published.site))),
            f"{one.published.percent:+.1f} %",
            words(f"layout.basis.{one.basis}"),
            "-" if one.percent is None else f"{one.percent:+.1f}",
            told,
            f"{_number(one.there_kg_per_mwh)} / {_number(one.home_kg_per_mwh)}",
            f"{_number(one.there_pue)} / {_number(one.home_pue)}",
        )
    return table


def _bindings(found: Layouts, words: Words, *, every: bool) -> Table:
    table = _table(words("layout.binding"))
    heads = ("", "", "", "", f"{words('layout.hours')}, h", f"{words('layout.rent')}, {found.base.run.currency}")
    for head in heads:
        table.add_column(_safe(head), justify="right" if head else "left")
    for name, run in _named(found):
        for one in run.bindings if every else run.bindings[:SHOWN]:
            table.add_row(
                name,
                _safe(one.name),
                _safe(words.named("kind", one.kind)),
                words(f"layout.by.{one.held_by}"),
                _number(one.hours),
                _number(one.rent),
            )
        table.add_section()
    return table


def _regions(name: str, run: LayoutRun, found: Layouts, words: Words) -> Iterator[Table]:
    """Indicators down, regions across, as many in a table as a line holds; what is defined nowhere is left out."""
    values = {(one.indicator, one.compute_class, one.region): one.value for one in run.readings}
    rows = dict.fromkeys((one.indicator, one.compute_class) for one in run.readings if one.value is not None)
    regions = list(dict.fromkeys(one.region for one in run.readings))
    for first in range(0, len(regions), ACROSS):
        across = regions[first : first + ACROSS]
        table = _table(f"{name}: {words('layout.regions')}")
        table.add_column(words("layout.indicator"), overflow="fold", min_width=24)
        for region in across:
            table.add_column(_safe(_region(region, found, words)), justify="right", no_wrap=True)
        for indicator, compute_class in rows:
            known = indicator_table()[indicator]
            unit = "" if known.unit == "1" else f", {known.unit.format(currency=run.run.currency)}"
            label = f"{known.called(words.lang)}{_of_class(compute_class, words)}{unit}"
            table.add_row(_safe(label), *(_number(values[indicator, compute_class, region]) for region in across))
        yield table


def _table(title: str) -> Table:
    return Table(title=_safe(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1),
                 show_edge=False)  # fmt: skip


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= WHOLE else f"{value:.4g}"


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+,.0f}" if abs(value) >= WHOLE else f"{value:+.3g}"


def _safe(text: str, style: str = "") -> Text:
    """Return a text that holds no control of the terminal and no markup."""
    return Text("".join(letter if letter.isprintable() else "\ufffd" for letter in text), style)
