"""The pocket model with names that try to become markup, script, links or formulas."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

TESTS = Path(__file__).parents[1]

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
            attack = ATTACKS[number % len(ATTACKS)]
            self._given[kind, name] = attack if number < len(ATTACKS) else f"{attack} {number}"
        return self._given[kind, name]

    def of(self, kind: str) -> list[str]:
        return [attack for (known, _), attack in self._given.items() if known == kind]

    @property
    def used(self) -> set[str]:
        return set(self._given.values())


def hostile_study(folder: Path) -> tuple[Path, Names]:
    """Write the model and a scenario; returns the scenario's file and the names."""
    names, model = Names(), folder / "models" / "pocket"
    shutil.copytree(TESTS / "models" / "pocket", model)
    for file in sorted(model.glob("*.csv")):
        _rewrite(file, names)
    settings = _read(model / "model.yaml")
    settings["grid"]["slack_bus"] = names("bus", settings["grid"]["slack_bus"])
    settings["compute"]["classes"] = _keys(settings["compute"]["classes"], "class", names)
    (model / "model.yaml").write_text(json.dumps(settings))
    scenario = _read(TESTS / "scenarios" / "pocket.yaml")
    scenario["description"] = " ".join(ATTACKS)
    work = scenario["workload"]
    work["delay_classes"] = _keys(work["delay_classes"], "delay", names)
    for batch in work["batch"]:
        batch["compute_class"] = names("class", batch["compute_class"])
        batch["origin_shares"] = _keys(batch["origin_shares"], "origin", names)
        batch["delay_shares"] = _keys(batch["delay_shares"], "delay", names)
    for service in work["services"]:
        service["compute_class"] = names("class", service["compute_class"])
        service["requests_per_s"] = _keys(service["requests_per_s"], "origin", names)
    file = folder / "scenarios" / "<img src=x onerror=window.hit=99>.yaml"
    file.parent.mkdir()
    file.write_text(json.dumps(scenario))
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
