"""Where a run comes from: ledgers, versions, seed, checksums, and the estimates that its model rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gridtwin.economics.kpi_table import KPIS
from gridtwin.report.first_screen import shown
from gridtwin.report.language import Words
from gridtwin.report.style import number
from gridtwin.results.saved_run import SavedRun

__all__ = ["Estimate", "LedgerRow", "Provenance", "estimates", "provenance"]

MARK: Final = re.compile(r"\*(estimate|assumed|synthetic)\*", re.IGNORECASE)
MARKUP: Final = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Estimate:
    """One thing that a model's SOURCES.md marks as estimated, assumed or synthetic."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One ledger as people read it."""

    name: str
    holds: bool
    residual: str
    tolerance: str
    unit: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What stands at the end of a report, for one run.

    Parameters
    ----------
    facts : tuple of (label, value)
    ledgers : tuple of LedgerRow
    figures : tuple of (label, value, unit)
        All key figures.
    findings : tuple of (kind, count)
    estimates : tuple of Estimate
    versions, hashes, counts : tuple of (name, value)
    """

    facts: tuple[tuple[str, str], ...]
    ledgers: tuple[LedgerRow, ...]
    figures: tuple[tuple[str, str, str], ...]
    findings: tuple[tuple[str, str], ...]
    estimates: tuple[Estimate, ...]
    versions: tuple[tuple[str, str], ...]
    hashes: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str], ...]


def provenance(run: SavedRun, words: Words) -> Provenance:
    """Collect where a run comes from."""
    facts, scenario = run.facts, run.scenario
    forecast = scenario.get("forecast", {})
    kinds = ", ".join(f"{name} {told.get('kind', '?')}" for name, told in forecast.items() if isinstance(told, dict))
    told = {
        "run": run.run_id,
        "scenario": facts.scenario,
        "policy": facts.policy,
        "model": str(scenario.get("model", "")),
        "seed": str(facts.seed),
        "forecast": kinds,
        "start": f"{facts.step_start(0):%Y-%m-%d %H:%M} UTC",
        "steps": words("provenance.steps_of", steps=number(run.summary["steps"]), hours=number(run.step_h)),
        "wrapped": number(run.summary.get("steps_wrapped", 0)),
    }
    return Provenance(
        facts=tuple((words(f"provenance.{name}"), value) for name, value in told.items() if value),
        ledgers=tuple(_ledgers(run, words)),
        figures=tuple(_figures(run, words)),
        findings=tuple(
            (words.named("finding", kind), number(count)) for kind, count in run.summary["findings"].items()
        ),
        estimates=tuple(estimates(run)),
        versions=tuple(facts.versions.items()),
        hashes=tuple(facts.model_hashes.items()),
        counts=tuple((name.replace("_", " "), number(count)) for name, count in facts.counts.items()),
    )


def estimates(run: SavedRun) -> Iterator[Estimate]:
    """Yield what the SOURCES.md of model and traces mark as estimated, assumed or synthetic."""
    for file in sorted((run.path / "inputs").glob("**/SOURCES.md")):
        heading = file.parent.name
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                heading = line.strip("# ").strip()
            elif MARK.search(line):
                yield Estimate(_unmarked(heading), _unmarked(_told(line)))


def _told(line: str) -> str:
    """Return a line of text as it is, a row of a table as its first cell and its explanation."""
    if not line.startswith("|"):
        return line.strip()
    cells = [cell.strip() for cell in line.strip("| ").split("|")]
    return ": ".join(filter(None, [cells[0], " · ".join(cell for cell in cells[2:] if cell)]))


def _unmarked(text: str) -> str:
    return MARKUP.sub(r"\1", text)


def _ledgers(run: SavedRun, words: Words) -> Iterator[LedgerRow]:
    for name, ledger in run.summary["ledgers"].items():
        residual, tolerance = (
            number(None) if ledger[key] is None else f"{ledger[key]:.2g}" for key in ("residual", "tolerance")
        )
        yield LedgerRow(words.named("ledger", name), bool(ledger["pass"]), residual, tolerance, str(ledger["unit"]))


def _figures(run: SavedRun, words: Words) -> Iterator[tuple[str, str, str]]:
    for name, value in run.kpis.items():
        unit = KPIS[name].unit.format(currency=run.facts.currency) if name in KPIS else ""
        yield words.kpi(name), *shown(name, unit, value, words)
