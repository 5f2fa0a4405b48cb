"""A browser without a network, and the reports that it opens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

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


@pytest.fixture(scope="session")
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
