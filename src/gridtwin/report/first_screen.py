"""What the first screen says: what it cost, emitted and served, what changed by how much, and whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from gridtwin.compare import Comparison
from gridtwin.compare.costs import all_costs
from gridtwin.compare.records import Change
from gridtwin.compare.records import Figure as Compared
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.compare.trust import trust
from gridtwin.economics.kpi_table import KPIS
from gridtwin.report.figures.carbon import location_based_t
from gridtwin.report.language import Words
from gridtwin.report.style import number
from gridtwin.results.saved_run import SavedRun
from gridtwin.units import HOUR_S

__all__ = [
    "Answer", "Check", "Row", "answers", "checks", "compared_rows", "duration", "headline", "lede", "scaled", "shown",
]  # fmt: skip

State: TypeAlias = Literal["good", "note", "bad"]

COMPARED: Final = (
    "all_costs", "system_cost", "carbon_cost", "co2_t", "electricity_cost", "loads_paid", "curtailment_mwh",
    "renewable_share", "jobs_late", "wait_p95_s", "unserved_mwh", "corridor_rent_cost", "corridor_full_h",
    "deviation_mwh", "max_line_loading_percent",
)  # fmt: skip
LESS_IS_BETTER: Final = frozenset({
    "all_costs", "system_cost", "carbon_cost", "wan_cost", "co2_t", "electricity_cost", "loads_paid", "curtailment_mwh",
    "jobs_late", "jobs_unfinished", "wait_p50_s", "wait_p95_s", "unserved_mwh", "overload_mwh", "spill_mwh",
    "unserved_service_node_h", "ac_steps_not_converged",
})  # fmt: skip
MORE_IS_BETTER: Final = frozenset({"renewable_share", "jobs_completed", "completed_node_s"})
SLACKS: Final = ("unserved_mwh", "overload_mwh", "spill_mwh")
MINUTE_S: Final = 60.0
SLACK_MWH: Final = 1e-3
LEAST_PERCENT: Final = 0.01
PERCENT: Final = ("renewable_share",)


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of the first screen.

    Parameters
    ----------
    title, value, unit : str
        The figure that answers it.
    rows : tuple of (label, value)
        What it is made of.
    """

    title: str
    value: str
    unit: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One reason to trust a run, or not."""

    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A key figure of several runs.

    Parameters
    ----------
    label, unit, base : str
    changes : tuple of (value, delta, percent, direction)
        Of each run but the base, as people read them; direction is "better", "worse" or "" where neither can be said.
    """

    label: str
    unit: str
    base: str
    changes: tuple[tuple[str, str, str, str], ...]


def scaled(value: float, words: Words) -> str:
    """Write a large number with a word for its size.

    Examples
    --------
    >>> from gridtwin.report.language import words_in
    >>> scaled(74020733.8, words_in("en")), scaled(74020733.8, words_in("zh")), scaled(812.4, words_in("en"))
    ('74.02 million', '7,402 万', '812.4')
    """
    for step in words("number.scale").split("|"):
        size, _, name = step.partition(":")
        if abs(value) >= float(size):
            return f"{number(value / float(size))} {name}"
    return number(value)


def duration(seconds: float | None) -> str:
    """Write a duration in the unit that fits it.

    Examples
    --------
    >>> duration(4.0), duration(1762.0), duration(195657.8)
    ('4 s', '29 min', '54 h')
    """
    if seconds is None:
        return number(None)
    for size, unit in ((2.0 * HOUR_S, "h"), (2.0 * MINUTE_S, "min")):
        if seconds >= size:
            return f"{number(seconds / (HOUR_S if unit == 'h' else MINUTE_S), 2)} {unit}"
    return f"{number(seconds, 2)} s"


def shown(name: str, unit: str, value: float | None, words: Words) -> tuple[str, str]:
    """Return a key figure and its unit as people read them: shares in percent, seconds in hours."""
    if value is None:
        return number(None), unit
    if name in PERCENT:
        return number(100.0 * value), "%"
    if unit == "s":
        return number(value / HOUR_S, 3), "h"
    return number(value), unit or words("unit.none")


def answers(run: SavedRun, words: Words) -> list[Answer]:
    """Say what a run cost, emitted and served."""
    k, money = run.kpis, run.facts.currency
    series = RunSeries(run, run_cards([run])[0])
    cost = [(words.kpi(name), f"{scaled(float(k[name] or 0.0), words)} {money}")
            for name in ("system_cost", "carbon_cost", "wan_cost", "electricity_cost")]  # fmt: skip
    site_t = location_based_t(run)
    emitted = [
        (words("first.site_co2"), f"{scaled(site_t, words)} t"),
        (words.kpi("renewable_share"), _percent(k["renewable_share"])),
        (words.kpi("curtailment_mwh"), f"{number(k['curtailment_mwh'])} MWh"),
        (words("first.carbon_price"), f"{number(run.facts.carbon_price_per_t)} {money}/t"),
    ]
    served = [
        (words.kpi("jobs_late"), number(k["jobs_late"])),
        (words.kpi("jobs_unfinished"), number(k["jobs_unfinished"])),
        (words.kpi("wait_p95_s"), duration(k["wait_p95_s"])),
        (words("first.sites_drew"), f"{number(k['energy_mwh'])} MWh"),
    ]
    return [
        Answer(words("first.cost"), scaled(all_costs(series), words), money, tuple(cost)),
        Answer(words("first.emitted"), scaled(float(k["co2_t"] or 0.0), words), "t CO2", tuple(emitted)),
        Answer(words("first.served"), number(k["jobs_completed"]),
               words("first.of_jobs", jobs=number(k["jobs_submitted"])), tuple(served)),
    ]  # fmt: skip


def checks(run: SavedRun, words: Words) -> list[Check]:
    """Say why to trust a run, or why not."""
    k, found = run.kpis, trust(RunSeries(run, run_cards([run])[0]))
    slack = {name: value for name in SLACKS if (value := float(k[name] or 0.0)) > SLACK_MWH}
    broken = [words.named("ledger", name) for name in found.broken]
    findings = ", ".join(f"{words.named('finding', kind)} {number(count)}" for kind, count in found.findings.items())
    drawn = float(k["energy_mwh"] or 0.0)
    gap = float(k["fluid_gap_mwh"] or 0.0)
    told = [
        Check("bad", words("trust.broken", broken=", ".join(broken), ledgers=found.ledgers))
        if broken
        else Check("good", words("trust.ledgers", ledgers=found.ledgers)),
        Check("note", words("trust.transport", links=len(run.facts.coords["link"])))
        if run.transport
        else Check("bad", words("trust.not_converged", steps=number(found.steps_not_converged)))
        if found.steps_not_converged
        else Check("good", words("trust.converged", steps=number(run.summary["steps"]))),
        Check("bad", words("trust.slack", slack=", ".join(f"{words.kpi(n)} {number(v)} MWh" for n, v in slack.items())))
        if slack
        else Check("good", words("trust.no_slack")),
    ]
    if found.jobs_unfinished:
        told.append(Check("bad", words("trust.unfinished", jobs=number(found.jobs_unfinished))))
    if not run.transport:
        told.append(Check("note", words("trust.findings", findings=findings)) if findings
                    else Check("good", words("trust.no_findings")))  # fmt: skip
    percent = 100.0 * gap / drawn if drawn else 0.0
    told.append(Check("note" if percent >= LEAST_PERCENT else "good", words("trust.gap", percent=number(percent, 3))))
    if not run.transport:
        told += _n1_check(run, words)
    return told


def headline(run: SavedRun, words: Words) -> str:
    """Say in a sentence whom a run served at what cost."""
    k = run.kpis
    return words(
        "first.lede",
        days=number(run.summary["steps"] * run.step_h / 24.0, 3),
        jobs=number(k["jobs_completed"]),
        energy=scaled(float(k["energy_mwh"] or 0.0), words),
        sites=len(run.facts.coords["site"]),
        share=_percent(_site_share(run)),
    )


def lede(change: Change, base: str, words: Words) -> str:
    """Say in a sentence what a run changed."""
    return words("compare.lede", change=change.run.label, base=base, parts=words("compare.and").join(
        _told(change, words)))  # fmt: skip


def compared_rows(comparison: Comparison, words: Words, names: Sequence[str] = COMPARED) -> list[Row]:
    """Put key figures of all runs side by side; those that are nothing everywhere are left out."""
    rows = []
    for name in names:
        figures = [change.figure(name) for change in comparison.changes]
        if any(figure.base or figure.change for figure in figures):
            rows.append(_row(name, figures, words))
    return rows


def _row(name: str, figures: Sequence[Compared], words: Words) -> Row:
    first = figures[0]
    base, unit = shown(name, first.unit, first.base, words)
    return Row(
        label=words.kpi(name) if name in KPIS else words.named("figure", name),
        unit=unit,
        base=base,
        changes=tuple(_difference(name, figure, words) for figure in figures),
    )


def _difference(name: str, figure: Compared, words: Words) -> tuple[str, str, str, str]:
    delta = figure.delta
    value, _ = shown(name, figure.unit, figure.change, words)
    difference = number(None) if delta is None else _signed(shown(name, figure.unit, delta, words)[0], delta)
    percent = number(None) if figure.percent is None else _signed(number(figure.percent, 3), figure.percent)
    if figure.percent is not None and abs(figure.percent) > 999:  # noqa: PLR2004 - many times the base
        percent = words("compare.times", times=number((figure.change or 0.0) / (figure.base or 1.0), 3))
    if figure.beyond_noise is False:
        percent = words("compare.noise")
    return value, difference, percent, _direction(name, delta)


def _direction(name: str, delta: float | None) -> str:
    """Say whether a difference is for the better, where that holds whoever looks."""
    wanted = (name in MORE_IS_BETTER) - (name in LESS_IS_BETTER)
    found = wanted * (delta or 0.0)
    return "better" if found > 0 else "worse" if found < 0 else ""


def _told(change: Change, words: Words) -> Iterator[str]:
    for name, key in (("all_costs", "compare.cost"), ("co2_t", "compare.co2")):
        figure = change.figure(name)
        if figure.delta is not None and figure.percent is not None:
            way = "same" if not figure.delta else "more" if figure.delta > 0 else "less"
            percent, delta = number(abs(figure.percent), 2), _signed(scaled(figure.delta, words), figure.delta)
            yield words(f"{key}.{way}", percent=percent, delta=delta, unit=figure.unit)
    late, wait = change.figure("jobs_late"), change.figure("wait_p95_s")
    if late.delta is not None:
        yield words("compare.late", base=number(late.base), change=number(late.change))
    if wait.base is not None and wait.change is not None:
        yield words("compare.wait", base=duration(wait.base), change=duration(wait.change))


def _n1_check(run: SavedRun, words: Words) -> list[Check]:
    report = run.summary.get("n1")
    if report is None:
        return [Check("note", words("trust.n1_not_asked"))]
    over = report["outages_with_overload"]
    return [Check("note" if over else "good", words("trust.n1", over=over, outages=report["outages"]))]


def _site_share(run: SavedRun) -> float | None:
    sites = float(run.kpis["energy_mwh"] or 0.0)
    other = float((run.values("load_mw") - run.values("shed_mw")).sum()) * run.step_h
    return sites / (sites + other) if sites + other > 0 else None


def _percent(share: float | None) -> str:
    return number(None) if share is None else f"{number(100.0 * share, 3)} %"


def _signed(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else text
