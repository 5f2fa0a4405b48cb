"""The page: everything in one file, which opens without a network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gridtwin.compare import Comparison, compare
from gridtwin.compare.records import Change
from gridtwin.compare.run_cards import run_cards
from gridtwin.errors import ResultsError
from gridtwin.report import first_screen
from gridtwin.report.clock import local_time, zone
from gridtwin.report.figure import Figure, json_text, payload
from gridtwin.report.figures import FIGURES
from gridtwin.report.figures.several import decomposition, pareto, weekly
from gridtwin.report.language import Words, words_in
from gridtwin.report.provenance import Provenance, provenance
from gridtwin.report.style import number
from gridtwin.results.files import write_atomically
from gridtwin.results.saved_run import SavedRun, open_run

__all__ = ["SECTIONS", "page", "write_report"]

FILE: Final = "report.html"
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "system": ("dispatch", "dispatch_week", "grid_map"),
    "work": ("work_over_time", "work_by_site", "job_wait", "job_margin"),
    "money": ("costs", "payments"),
    "carbon": ("emissions", "energy_flow"),
    "patterns": (
        "load_duration", "price_duration", "flow_duration", "curtailment_duration",
        "price_heat", "site_heat", "co2_heat",
    ),
    "stores": ("stores", "links"),
    "regions": ("region_heat", "moved_work"),
    "network": ("corridors", "binding_lines", "outages"),
}  # fmt: skip
HALF: Final = frozenset(
    {"job_wait", "job_margin", "load_duration", "price_duration", "flow_duration", "curtailment_duration"}
)
SCRIPTS: Final = ("figures.js", "report.js")
BUTTONS: Final = ("download", "zoom", "pan", "zoom_in", "zoom_out", "autoscale", "reset")
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as the template places it."""

    id: str
    figure: Figure
    half: bool
    height: int
    json: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """Figures under one heading; `absent` says what a run does not hold."""

    name: str
    title: str
    figures: tuple[Shown, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunPart:
    """All of a page that is about one run."""

    id: str
    label: str
    sections: tuple[Section, ...]
    provenance: Provenance
    answers: tuple[first_screen.Answer, ...]
    checks: tuple[first_screen.Check, ...]
    headline: str
    span: str


@dataclass(frozen=True, slots=True)
class ComparedPart:
    """All of a page that is about differences."""

    base: str
    ledes: tuple[str, ...]
    changes: tuple[Change, ...]
    rows: tuple[first_screen.Row, ...]
    all_rows: tuple[first_screen.Row, ...]
    figures: tuple[Shown, ...]
    notes: tuple[str, ...]
    shared_checks: tuple[first_screen.Check, ...]


def write_report(
    paths: Sequence[Path | str], out: Path | str | None = None, lang: str = "en", progress: Progress | None = None
) -> Path:
    """Write a report about one run, or about several with the first of them as the base.

    Parameters
    ----------
    paths : sequence of path
        Folders of finished runs.
    out : path, optional
        The file; `report.html` in the folder of the first run by default.
    lang : {"en", "zh"}
    progress : callable, optional
        Called with (figures done, figures in all).

    Returns
    -------
    Path

    Raises
    ------
    ResultsError
        If there is no run, one of them cannot be read, or the language is unknown.
    """
    words = words_in(lang)
    if not paths:
        raise ResultsError("a report needs the folder of a run; got none")
    runs = [open_run(path) for path in paths]
    content = page(runs, words, progress).encode()
    file = Path(out) if out is not None else runs[0].path / FILE
    write_atomically(file, lambda stream: stream.write(content))
    return file


def page(runs: Sequence[SavedRun], words: Words, progress: Progress | None = None) -> str:
    """Return the page as text."""
    count = _counted(progress, len(runs) * len(FIGURES))
    labels = [card.label for card in run_cards(runs)]
    parts = [
        _run_part(place, run, label, words, count) for place, (run, label) in enumerate(zip(runs, labels, strict=True))
    ]
    compared = _compared(runs, parts, words) if len(runs) > 1 else None
    scripts = [get_plotlyjs(), *(_asset(name) for name in SCRIPTS)]
    environment = Environment(
        loader=PackageLoader("gridtwin.report", "assets"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.jinja").render(
        words=words,
        number=number,
        parts=parts,
        compared=compared,
        run=runs[0],
        title=_title(runs, labels),
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - ours, or plotly's own
        style=Markup(_asset("report.css")),  # noqa: S704 - ours
        policy=_policy(scripts),
        settings=_embedded(_settings(words)),
        description=str(runs[0].scenario.get("description") or ""),
    )


def _run_part(place: int, run: SavedRun, label: str, words: Words, count: Callable[[], None]) -> RunPart:
    sections = []
    for name, members in SECTIONS.items():
        figures, absent = [], []
        for member in members:
            figure = FIGURES[member](run, words)
            count()
            if figure is not None:
                figures.append(_shown(figure, f"r{place}-{member}"))
            elif said := _absent(member, run, words):
                absent.append(said)
        if figures or absent:
            sections.append(Section(name, words(f"section.{name}"), tuple(figures), tuple(absent)))
    return RunPart(
        id=f"run{place}",
        label=label,
        sections=tuple(sections),
        provenance=provenance(run, words),
        answers=tuple(first_screen.answers(run, words)),
        checks=tuple(first_screen.checks(run, words)),
        headline=first_screen.headline(run, words),
        span=_span(run),
    )


def _absent(figure: str, run: SavedRun, words: Words) -> str:
    """Say why a run has not got a figure; nothing where that goes without saying."""
    keys = [f"absent.transport.{figure}"] if run.transport else []
    return next((words(key) for key in (*keys, f"absent.{figure}") if key in words.table), "")


def _compared(runs: Sequence[SavedRun], parts: Sequence[RunPart], words: Words) -> ComparedPart:
    comparison = compare(runs)
    base, money = comparison.base.label, comparison.base.currency
    notes = tuple(
        words("compare.overlap", run=change.run.label, only_base=number(change.overlap.only_base),
              only_change=number(change.overlap.only_change))
        for change in comparison.changes if not change.overlap.same
    )  # fmt: skip
    return ComparedPart(
        base=base,
        ledes=tuple(first_screen.lede(change, base, words) for change in comparison.changes),
        changes=comparison.changes,
        rows=tuple(first_screen.compared_rows(comparison, words)),
        all_rows=tuple(first_screen.compared_rows(comparison, words, [f.name for f in comparison.changes[0].figures])),
        figures=tuple(_several(runs, comparison, money, words)),
        notes=notes,
        shared_checks=tuple(check for check in parts[0].checks if all(check in part.checks for part in parts)),
    )


def _several(runs: Sequence[SavedRun], comparison: Comparison, money: str, words: Words) -> Iterator[Shown]:
    drawn = [("pareto", pareto(runs, comparison, words))]
    for place, change in enumerate(comparison.changes):
        label = change.run.label
        drawn += [
            (f"c{place}-cost", decomposition(change.cost, label, words)),
            (f"c{place}-co2", decomposition(change.co2, label, words)),
            (f"c{place}-weekly", weekly(change, money, words)),
        ]
    yield from (_shown(figure, name) for name, figure in drawn if figure is not None)


def _shown(figure: Figure, name: str) -> Shown:
    return Shown(name, figure, figure.name in HALF, int(figure.plot["layout"]["height"]), _embedded(payload(figure)))


def _title(runs: Sequence[SavedRun], labels: Sequence[str]) -> str:
    return f"{runs[0].facts.scenario} · {' · '.join(labels)}"


def _span(run: SavedRun) -> str:
    local = local_time(run)
    until = local[-1] + (local[-1] - local[-2] if len(local) > 1 else 0)
    shown = [str(instant.astype("datetime64[m]")).replace("T", " ") for instant in (local[0], until)]
    return f"{shown[0]} – {shown[1]} {zone(run)[1]}"  # noqa: RUF001 - a span of time


def _settings(words: Words) -> dict[str, Any]:
    """Return what the scripts say to people."""
    return {
        "lang": words.lang,
        "rows": words("page.rows"),
        "buttons": {name: words(f"button.{name}") for name in BUTTONS},
    }


def _embedded(content: object) -> Markup:
    return Markup(json_text(content))  # noqa: S704 - json_text leaves nothing that could end a script


def _policy(scripts: Sequence[str]) -> str:
    """Return a content security policy: these scripts, styles of the page, pictures made in it; nothing from outside.

    Plotly writes style elements of its own, so styles cannot be told by their checksum.
    """
    allowed = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return files("gridtwin.report").joinpath("assets", name).read_text(encoding="utf-8")


def _counted(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return count
