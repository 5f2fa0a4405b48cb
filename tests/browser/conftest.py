"""A browser without a network, and the reports that it opens."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from ruamel.yaml import YAML

from gridtwin import api

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip


@dataclass
class Visit:
    """A page, and what went on while it was open."""

    page: Page
    requests: list[str] = field(default_factory=list)  # addresses asked for, in order
    complaints: list[str] = field(default_factory=list)  # errors and warnings of the console, errors thrown, dialogs

    def draw_all(self) -> None:
        self.page.evaluate("gridtwin.drawAll()")


@pytest.fixture(scope="module")  # one tool at a time: Playwright refuses a second in its thread
def chromium() -> Iterator[Browser]:
    """Debian's chromium; skipped where there is none, but never in CI."""
    if PROGRAM is None:
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail("CI must have chromium: install the package `chromium`")
        pytest.skip("no chromium on PATH: install the package `chromium` to test pages in a browser")
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=PROGRAM, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium) -> Iterator[Callable[..., Visit]]:
    """Open an address (or a file) in a window of its own; without a network unless told otherwise."""
    contexts = []

    def go(address: str | Path, width: int = 1440, height: int = 900, *, offline: bool = True, **options: Any) -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": height}, offline=offline, **options)
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("pageerror", lambda error: seen.complaints.append(f"thrown: {error}"))
        seen.page.on("dialog", lambda dialog: (seen.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        seen.page.on(
            "console",
            lambda told: (
                seen.complaints.append(f"{told.type}: {told.text}") if told.type in {"error", "warning"} else None
            ),
        )
        seen.page.goto(address.resolve().as_uri() if isinstance(address, Path) else address)
        return seen

    yield go
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def reports(pocket_run, day_run, tmp_path_factory) -> Callable[[str, str], Path]:
    """Write the report of `pocket`, `compared` (two pocket runs) or `day` in a language, once a session."""
    folder, written = tmp_path_factory.mktemp("reports"), {}

    def report(name: str, lang: str = "en") -> Path:
        if (name, lang) not in written:
            written[name, lang] = api.report(runs(name), folder / f"{name}_{lang}.html", lang)
        return written[name, lang]

    def runs(name: str) -> list[Path]:
        if name == "day":
            done = day_run("co_dispatch")
            return [done.out_dir / done.summary["run_id"]]
        return [
            pocket_run(policy).path for policy in (("asap", "co_dispatch") if name == "compared" else ("co_dispatch",))
        ]

    return report


TESTS = Path(__file__).parents[1]

# names that try to become markup, script, links or formulas
ATTACKS = (
    "<script>window.hit=1</script>",
    "</script><script>window.hit=2</script>",
    "<img src=x onerror=window.hit=3>",
    "<svg onload=window.hit=4>",
    '"><script>window.hit=5</script>',
    "'><img src=x onerror=window.hit=6>",
    '<a href="javascript:window.hit=7">go</a>',
    "<b onmouseover=window.hit=8>bold</b>",
    '<iframe srcdoc="<script>parent.hit=9</script>">',
    "{{ 7 * 7 }}{% raw %}",
    "${window.hit=11}",
    "%{x}<extra>hit</extra>",
    "</style><script>window.hit=13</script>",
    "<!--<script>window.hit=14",
    "]]><script>window.hit=15</script>",
    "<details open ontoggle=window.hit=16>",
    "javascript:window.hit=17",
    "\\u003cscript\\u003ewindow.hit=18\\u003c/script\\u003e",
    "&lt;img src=x onerror=window.hit=19&gt;",
    '" autofocus onfocus=window.hit=20 x="',
    "<base href=https://other.example/>",
    "<meta http-equiv=refresh content='0;url=https://other.example/'>",
    "<link rel=stylesheet href=https://other.example/x.css>",
    "line\u2028separator\u2029window.hit=24",
    '<a href="https://other.example">click</a>',
    '=HYPERLINK("https://other.example")',
)

# columns of the pocket model that hold names, by what they name
COLUMNS = {
    "bus": "bus", "from_bus": "bus", "to_bus": "bus", "site": "site", "unit": "unit", "technology": "technology",
    "store": "store", "origin": "origin", "line": "line", "link": "link", "compute_class": "class", "area": "area",
}  # fmt: skip


IN_TABLES = tuple(attack for attack in ATTACKS if not set(attack) & set('",\u2028\u2029'))  # what a cell may hold
IN_SCENARIO = tuple(attack for attack in ATTACKS if attack not in IN_TABLES)


class Names:
    """Gives every name of a kind an attack of its own."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}
        self._numbers: Iterator[int] = count()

    def __call__(self, kind: str, name: str) -> str:
        if not name:
            return name
        if (kind, name) not in self._given:
            number = next(self._numbers)
            attack = IN_TABLES[number % len(IN_TABLES)]
            self._given[kind, name] = attack if number < len(IN_TABLES) else f"{attack} {number}"
        return self._given[kind, name]

    def of(self, kind: str) -> list[str]:
        return [attack for (known, _), attack in self._given.items() if known == kind]

    @property
    def used(self) -> set[str]:
        return {*self._given.values(), *IN_SCENARIO}


def write_hostile_study(folder: Path) -> tuple[Path, Names]:
    """Write the model and a scenario; returns the scenario's file and the names."""
    names, model = Names(), folder / "models" / "pocket"
    shutil.copytree(TESTS / "models" / "pocket", model)
    for file in sorted(model.glob("*.csv")):
        _rewrite(file, names)
    settings = _read(model / "model.yaml")
    settings["grid"]["slack_bus"] = names("bus", settings["grid"]["slack_bus"])
    settings["compute"]["classes"] = _keys(settings["compute"]["classes"], "class", names)
    (model / "model.yaml").write_text(json.dumps(settings, default=str))
    scenario = _read(TESTS / "scenarios" / "pocket.yaml")
    scenario["description"] = " ".join(ATTACKS)
    work = scenario["workload"]
    work["delay_classes"] = dict.fromkeys(IN_SCENARIO, "24h")
    for batch in work["batch"]:
        batch["compute_class"] = names("class", batch["compute_class"])
        batch["origin_shares"] = _keys(batch["origin_shares"], "origin", names)
        batch["delay_shares"] = dict.fromkeys(IN_SCENARIO, 1.0 / len(IN_SCENARIO))
    for service in work["services"]:
        service["compute_class"] = names("class", service["compute_class"])
        service["requests_per_s"] = _keys(service["requests_per_s"], "origin", names)
    file = folder / "scenarios" / "<img src=x onerror=window.hit=99>.yaml"
    file.parent.mkdir()
    file.write_text(json.dumps(scenario, default=str))
    shutil.copy(TESTS / "scenarios" / "pocket_jobs.csv", file.parent)
    return file, names


def _read(file: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def _keys(held: Mapping[str, Any], kind: str, names: Names) -> dict[str, Any]:
    return {names(kind, name): value for name, value in held.items()}


def _rewrite(file: Path, names: Names) -> None:
    head, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
    if file.name == "load.csv":
        head = [names("area", name) for name in head]
    kinds = [COLUMNS.get(name) if name != "technology" or file.name == "units.csv" else None for name in head]
    rows = [[names(kind, cell) if kind else cell for kind, cell in zip(kinds, row, strict=True)] for row in rows]
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])


@pytest.fixture(scope="session")
def attacks() -> tuple[str, ...]:
    """Names that must never be anything but text."""
    return ATTACKS


@pytest.fixture(scope="session")
def hostile_study() -> Callable[[Path], tuple[Path, Names]]:
    """Write the pocket study with such names into a folder; returns its scenario and the names."""
    return write_hostile_study
