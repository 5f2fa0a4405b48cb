"""A comparison as tables for people: what changed, by how much, whether to trust it; then what it is made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gridtwin.compare import Change, Comparison, Decomposition, Figure
from gridtwin.compare.records import OTHER_STEPS, Part, Period, Reinforcement, Trust
from gridtwin.compare.side_by_side import Row, grouped, rows, subtotal

__all__ = ["print_comparison"]

HEADLINES = ("all_costs", "co2_t", "curtailment_mwh", "loads_paid", "jobs_late")
SHORT = {
    "all_costs": "all costs",
    "co2_t": "CO2",
    "curtailment_mwh": "curtailed",
    "loads_paid": "other customers pay",
    "jobs_late": "jobs late",
}
LABEL_WIDTH = 14
WIDE = 110
MAKERS = 3
WEEK_H = 168
SHOWN_INPUTS = 12
SHOWN_PERIODS = 13
SHOWN_LINES = 5
DUST = 1e-9  # of the larger of two values: no difference
NUMERIC = 1_000.0


def print_comparison(comparison: Comparison, *, every: bool = False) -> None:
    """Print a comparison on stdout.

    Parameters
    ----------
    comparison : Comparison
    every : bool
        Show figures and lines without a change too.
    """
    console = Console(highlight=False)
    console.print(_head(comparison))
    names = _names(comparison)
    for place, table in enumerate(comparison.changes[0].decompositions):
        console.print()
        tables = [change.decompositions[place] for change in comparison.changes]
        with_base = len(names) == 1 or all(change.overlap.same for change in comparison.changes)
        console.print(_decomposition(table.title, tables, names, with_base=with_base, every=every))
        for note in dict.fromkeys(_notes(tables, names)):
            console.print(_safe(note, style="dim"))
    console.print()
    console.print(_network(comparison, names))
    for note in _at_stake(comparison, names):
        console.print(_safe(note, style="dim"))
    for change, name in zip(comparison.changes, names, strict=True):
        if change.periods:
            console.print()
            console.print(_periods(change, name))
    console.print()
    console.print(_figures(comparison, names, every=every, shares=len(names) == 1 or console.width >= WIDE))


def _names(comparison: Comparison) -> list[str]:
    """Return short heads of columns: letters where there are several changes; the base is A."""
    if len(comparison.changes) == 1:
        return ["change"]
    return list(ascii_uppercase[1 : len(comparison.changes) + 1]) + [
        change.run.label for change in comparison.changes[len(ascii_uppercase) - 1 :]
    ]


def _head(comparison: Comparison) -> Table:
    head = Table.grid(padding=(0, 2))
    head.add_column(style="bold", no_wrap=True)
    head.add_column()
    names = _names(comparison)
    one = len(names) == 1
    for name, card in zip(["base" if one else "A, base", *names], comparison.runs, strict=True):
        when = f"{card.steps * card.step_h:,.0f} h from {card.start[:16].replace('T', ' ')} UTC"
        head.add_row(_safe(name), _safe(f"{card.run_id}, {when}"))
    for change, name in zip(comparison.changes, names, strict=True):
        head.add_row("", "")
        head.add_row(_safe("what changed" if one else f"{name}: what changed"), _safe("\n".join(_inputs(change))))
        head.add_row("by how much", _safe("\n".join(_deltas(change))))
        head.add_row("what makes it", _safe("\n".join(_makers(change))))
        head.add_row("may I trust it", _trust(comparison, change))
    return head


def _inputs(change: Change) -> Iterator[str]:
    yield from (found.text for found in change.inputs[:SHOWN_INPUTS])
    if len(change.inputs) > SHOWN_INPUTS:
        yield f"and {len(change.inputs) - SHOWN_INPUTS} more; --xlsx, --csv and --json have all"
    if not change.inputs:
        yield "nothing: scenario, model, traces, seed and versions are the same"


def _deltas(change: Change) -> Iterator[str]:
    if not change.overlap.same:
        yield f"the runs do not cover the same time: {_overlap(change)}"
        for table, what in ((change.cost, "all costs"), (change.co2_by_technology, "CO2")):
            if change.overlap.common and (shared := table.shared):
                share = _percent(shared.delta, shared.base)
                yield f"what can be compared: {what} {_signed(shared.delta, shared.base)} {table.unit}{share}"
    for name in HEADLINES:
        figure = change.figure(name)
        if figure.delta is not None:
            sides = f"{SHORT[name]} {_number(figure.base)} → {_number(figure.change)}"
            delta = f"{_signed(figure.delta, figure.base)}{_percent(figure.delta, figure.base)}{_chance(figure)}"
            yield f"{sides} {figure.unit}".rstrip() + (f": {delta}" if figure.delta else "")


def _makers(change: Change) -> Iterator[str]:
    """Name the largest parts of cost and CO2."""
    for table, what in ((change.cost, "cost"), (change.co2, "CO2")):
        causes = (part for part in table.parts if part.name != OTHER_STEPS)
        parts = sorted(causes, key=lambda part: -abs(part.delta))[:MAKERS]
        told = (f"{_name(part)} {_signed(part.delta, table.largest)}" for part in parts if part.delta)
        yield f"{what}, {table.unit}: {', '.join(told) or table.unavailable or 'nothing'}"


def _name(part: Part) -> str:
    """Return what stands before the colon, and the first word of the group."""
    return part.label.partition(":")[0] + (f" ({part.group.split()[0]})" if part.group else "")


def _overlap(change: Change) -> str:
    overlap = change.overlap
    return overlap.reason or f"{overlap.common:,} steps shared, {overlap.text}"


def _trust(comparison: Comparison, change: Change) -> Text:
    told = Text()
    for sound, line in _reasons(comparison, change):
        told.append("" if not told.plain else "\n")
        told.append(line, style="" if sound else "bold red")
    return told


def _reasons(comparison: Comparison, change: Change) -> Iterator[tuple[bool, str]]:
    """Yield what speaks for the figures and against them, and whether it does the former."""
    sides = [trust for trust in comparison.trust if trust.label in {comparison.base.label, change.run.label}]
    broken = [f"{side.label}: {name}" for side in sides for name in side.broken]
    if broken:
        yield False, f"ledgers BROKEN: {', '.join(broken)}"
    else:
        yield True, f"all {sides[0].ledgers} ledgers of both runs hold"
    apart = [table.title for table in change.decompositions if table.holds is False]
    if apart:
        yield False, f"parts do not add up: {', '.join(apart)}"
    else:
        yield True, "every table below adds up to its total"
    yield True, f"AC findings: {', '.join(_findings(sides)) or 'none'}"
    for side in sides:
        if side.steps_not_converged:
            yield False, f"{side.label}: AC did not converge in {side.steps_not_converged:,} steps"
        if side.jobs_unfinished:
            yield False, f"{side.label}: {side.jobs_unfinished:,} jobs have not ended"
    yield _noise(change)


def _findings(sides: Sequence[Trust]) -> Iterator[str]:
    for kind in dict.fromkeys(kind for side in sides for kind in side.findings):
        counts = " → ".join(f"{side.findings.get(kind, 0):,}" for side in sides)
        yield f"{kind.replace('_', ' ')} {counts}"


def _noise(change: Change) -> tuple[bool, str]:
    if change.seed_alone:
        return True, "only the seed differs: these differences are chance"
    noise = change.figure("all_costs").noise
    if any(found.path == "seed" for found in change.inputs):
        return False, "the seed differs too: part of the difference is chance"
    if noise is None:
        return True, "chance was not measured: add the base with another seed to see it"
    return True, f"chance alone changed all costs by {_number(noise)}"


def _chance(figure: Figure) -> str:
    return ", within chance" if figure.beyond_noise is False and figure.delta else ""


def _decomposition(
    title: str, tables: Sequence[Decomposition], names: Sequence[str], *, with_base: bool, every: bool
) -> Table:
    """Lay parts of several runs side by side; groups with their sum first."""
    unit = next((table.unit for table in tables if table.unit), "")
    lines = list(rows(tables))
    parts = [row for row in lines if row.kind == "part"]
    amounts = any(row.base is not None for row in parts) and with_base
    shown = _table(f"{title}, {unit}" if unit else title)
    for head in _heads(names, amounts=amounts):
        shown.add_column(_safe(head), justify="right", no_wrap=True)
    noted = len(tables) == 1 and not amounts
    if noted:
        shown.add_column("")
    dust = max(table.tolerance for table in tables)
    for group, members in grouped(parts):
        if group and (every or any(not row.below(dust) for row in members)):
            shown.add_row(*_cells(subtotal(members), amounts, noted, dust))
        for row in (row for row in members if every or not row.below(dust)):
            shown.add_row(*_cells(row, amounts, noted, dust, indent="  " if group else ""))
    shown.add_section()
    for row in lines:
        if row.kind == "total":
            shown.add_row(*_cells(row, amounts, noted, dust), style="bold")
    if beside := [row for row in lines if row.kind == "beside"]:
        shown.add_section()
        shown.add_row(Text("beside it, transfers:", style="dim"))
        for row in beside:
            shown.add_row(*_cells(row, amounts, noted, dust))
    return shown


def _heads(names: Sequence[str], *, amounts: bool) -> Iterator[str]:
    if amounts:
        yield "base"
    if len(names) == 1:
        yield from ("change", "delta", "%") if amounts else ("delta",)
        return
    for name in names:
        yield f"{name}: delta"


def _cells(row: Row, amounts: bool, noted: bool, dust: float, indent: str = "") -> Iterator[Text]:
    """Write a line; what is smaller than `dust` is rounding."""
    yield _safe(f"{indent}{row.label}")
    if amounts:
        yield Text(_number(_kept(row.base, dust)))
    for part in row.parts:
        if part is None:
            yield Text("-")
            continue
        base, delta = _kept(part.base, dust), _kept(part.delta, dust) or 0.0
        if amounts and len(row.parts) == 1:
            yield Text(_number(_kept(part.change, dust)))
            yield Text(_signed(delta, base))
            yield Text(_share(delta, base))
        else:
            yield Text(_signed(delta, base))
    if noted:
        yield Text(row.parts[0].note if row.parts[0] else "", style="dim")


def _kept(value: float | None, dust: float) -> float | None:
    return 0.0 if value is not None and abs(value) <= dust else value


def _notes(tables: Sequence[Decomposition], names: Sequence[str]) -> Iterator[str]:
    """Say what a table leaves out, what is noted on its lines, and how well it adds up."""
    for table, name in zip(tables, names, strict=True):
        of = f"{name}: " if len(tables) > 1 else ""
        if table.unavailable:
            yield f"{of}no parts: {table.unavailable}"
            continue
        amounts = any(part.base is not None for part in table.parts)
        yield from (f"{part.label}: {part.note}" for part in table.parts if part.note and amounts and _worth(part))
        yield from table.notes
        if table.residual is not None:
            yield f"{of}parts less total: {table.residual:.1e} {table.unit}"


def _worth(part: Part) -> bool:
    """Whether a note says something here: of lines with a value, and of what is not modelled."""
    return bool(part.base or part.change or part.name == "start")


def _network(comparison: Comparison, names: Sequence[str]) -> Table:
    shown = _table("network and connections")
    sides = [comparison.reinforcement, *(change.reinforcement for change in comparison.changes)]
    for name in ("base", *names):
        shown.add_column(_safe(name), justify="right")
    for label, values in _network_rows(comparison.base.currency, sides):
        shown.add_row(label, *values)
    return shown


def _network_rows(currency: str, sides: Sequence[Reinforcement]) -> Iterator[tuple[str, list[str]]]:
    yield "lines beyond their rating in AC", [str(sum(line.beyond_mw > 0 for line in side.lines)) for side in sides]
    yield "  MW beyond, each line at its worst", [_number(side.beyond_mw) for side in sides]
    yield "  times length, MW·km", [_number(side.mw_km) for side in sides]
    if any(side.cost is not None for side in sides):
        yield f"  cost of that over the run, {currency}", [_number(side.cost) for side in sides]
    yield "lines with a shadow price", [str(sum(line.binding_h > 0 for line in side.lines)) for side in sides]
    yield "  hours of all of them", [_number(math.fsum(line.binding_h for line in side.lines)) for side in sides]
    yield f"  their rent, {currency}", [_number(math.fsum(line.rent_cost for line in side.lines)) for side in sides]
    yield "peaks of the sites, MW", [_number(_peaks(side)) for side in sides]
    yield "their connections, MW", [_number(_connected(side)) for side in sides]


def _peaks(side: Reinforcement) -> float:
    return math.fsum(site.peak_mw for site in side.connections)


def _connected(side: Reinforcement) -> float | None:
    sizes = [site.connection_mw for site in side.connections]
    return None if None in sizes else math.fsum(size for size in sizes if size is not None)


def _at_stake(comparison: Comparison, names: Sequence[str]) -> Iterator[str]:
    """Say what would be stranded if the load did not come, as far as these runs tell."""
    if not comparison.reinforcement.without_load:
        yield (
            "if the load does not come, its connections are stranded; what lines lack for it alone is told only "
            "where the base is a run without jobs and services"
        )
        return
    for change, name in zip(comparison.changes, names, strict=True):
        more = _more(change.reinforcement.mw_km, comparison.reinforcement.mw_km)
        yield (
            f"{name}: the base has neither jobs nor services, so {_number(more)} MW·km of lines are "
            "lacking for the data centres alone; that and their connections are stranded if they do not come"
        )


def _more(change: float | None, base: float | None) -> float | None:
    return None if change is None or base is None else change - base


def _periods(change: Change, name: str) -> Table:
    """Months where there are many weeks, weeks otherwise."""
    weeks = [period for period in change.periods if period.kind == "week"]
    chosen = weeks if len(weeks) <= SHOWN_PERIODS else [one for one in change.periods if one.kind == "month"]
    kind = chosen[0].kind
    cheaper = sum((_more(week.change_cost, week.base_cost) or 0.0) < 0 for week in weeks)
    shown = _table(f"{name} by {kind}: {cheaper} of {len(weeks)} weeks cheaper; without lateness")
    for head in (f"cost, {change.cost.unit}", "delta", "%", "CO2, t", "delta", "%"):
        shown.add_column(head, justify="right")
    for period in chosen:
        days = f" ({period.hours / 24:g} d)" if kind == "week" and period.hours < WEEK_H else ""
        shown.add_row(f"{period.label}{days}", *_period_cells(period))
    return shown


def _period_cells(period: Period) -> Iterator[str]:
    for base, change in ((period.base_cost, period.change_cost), (period.base_co2_t, period.change_co2_t)):
        delta = _more(change, base)
        yield _number(base)
        yield "-" if delta is None else _signed(delta, base)
        yield _share(delta, base)


def _figures(comparison: Comparison, names: Sequence[str], *, every: bool, shares: bool) -> Table:
    places = [
        place
        for place in range(len(comparison.changes[0].figures))
        if every or any(_differs(change.figures[place]) for change in comparison.changes)
    ]
    left = len(comparison.changes[0].figures) - len(places)
    same = f" ({left} more are the same; --all shows them)" if left else ""
    shown = _table(f"key figures that differ{same}" if not every else "key figures")
    for head in ("base", *_figure_heads(names, shares=shares)):
        shown.add_column(_safe(head), justify="right", no_wrap=True)
    for place in places:
        figures = [change.figures[place] for change in comparison.changes]
        shown.add_row(*_figure_cells(figures, shares=shares))
    return shown


def _figure_heads(names: Sequence[str], *, shares: bool) -> Iterator[str]:
    for name in names:
        yield name
        if len(names) == 1:
            yield "delta"
        if shares:
            yield "%"


def _figure_cells(figures: Sequence[Figure], *, shares: bool) -> Iterator[Text]:
    first = figures[0]
    yield _safe(f"{first.label}, {first.unit}" if first.unit else first.label)
    yield Text(_number(first.base))
    for figure in figures:
        yield Text(_number(figure.change))
        if len(figures) == 1:
            yield Text("-" if figure.delta is None else _signed(figure.delta, figure.base))
        if shares:
            yield Text(_share(figure.delta, figure.base))


def _differs(figure: Figure) -> bool:
    if figure.base is None or figure.change is None:
        return figure.base != figure.change
    return abs(figure.change - figure.base) > DUST * max(abs(figure.base), abs(figure.change), 1.0)


def _table(title: str) -> Table:
    table = Table(
        title=_safe(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        show_edge=False,
    )
    table.add_column("", overflow="fold", min_width=LABEL_WIDTH)
    return table


def _number(value: float | None) -> str:
    """Write a number with separators, whole from a thousand on, five digits below."""
    if value is None:
        return "-"
    if isinstance(value, int) or abs(value) >= NUMERIC:
        return f"{value:,.0f}"
    return f"{value:.5g}"


def _signed(delta: float, beside: float | None) -> str:
    """Write a difference with its sign; what is only rounding of the base is 0."""
    if abs(delta) <= DUST * max(abs(beside or 0.0), 1.0):
        return "0"
    return f"{delta:+,.0f}" if abs(delta) >= NUMERIC else f"{delta:+.4g}"


def _percent(delta: float | None, base: float | None) -> str:
    """Write the same in brackets behind a difference; nothing where there is none."""
    share = _share(delta, base)
    return "" if share in {"", "-"} or not delta else f" ({share})" if share == "new" else f" ({share} %)"


def _share(delta: float | None, base: float | None) -> str:
    """Write a difference as a share of the base, in percent; a first value is new."""
    if delta is None:
        return "-"
    if not base:
        return "new" if delta else ""
    percent = 100.0 * delta / abs(base)
    if abs(percent) < 0.005:  # noqa: PLR2004 - two decimals
        return "0.00"
    return f"{percent:+,.0f}" if abs(percent) >= NUMERIC else f"{percent:+.2f}"


def _safe(text: str, style: str = "") -> Text:
    """Return a text that holds no control of the terminal and no markup."""
    return Text("".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text), style)
