"""Differences of the model files and traces that two runs kept with their inputs, and of the versions that ran them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gridtwin.compare.records import InputChange, InputKind
from gridtwin.compare.scenario_diff import scenario_changes, tree_changes
from gridtwin.compare.table_diff import read_table, table_changes
from gridtwin.located import parse_yaml
from gridtwin.results.files import read_json
from gridtwin.results.saved_run import SavedRun

__all__ = ["input_changes"]

TABLES = (".csv", ".parquet")


def input_changes(base: SavedRun, change: SavedRun) -> tuple[InputChange, ...]:
    """Return all that differs in what two runs were made from: the scenario, the model, the traces, the versions.

    Raises
    ------
    ResultsError
        If an input that differs cannot be read.
    """
    files = list(_file_changes(base, change))
    return (
        *scenario_changes(base.scenario, change.scenario),
        *(found for found in files if found.kind == "model"),
        *(found for found in files if found.kind == "trace"),
        *tree_changes(_versions(base), _versions(change), "version"),
    )


def _versions(run: SavedRun) -> dict[str, object]:
    manifest = run.manifest
    return {"gridtwin": manifest["gridtwin"], "python": manifest["python"], **manifest["libraries"]}


def _file_changes(base: SavedRun, change: SavedRun) -> Iterator[InputChange]:
    """Yield the differences of all files whose checksums differ."""
    old, new = _files(base), _files(change)
    for name in dict.fromkeys([*old, *new]):
        kind: InputKind = "model" if name.startswith("model/") else "trace"
        shown = name.removeprefix("model/")
        if name not in old or name not in new:
            yield InputChange(kind, shown, None, None, "file added" if name in new else "file removed")
        elif old[name][1] != new[name][1]:
            yield from _content_changes(kind, shown, old[name][0], new[name][0])


def _files(run: SavedRun) -> dict[str, tuple[Path, str]]:
    """Return kept path and checksum of each file; those of the model are named from its own folder."""
    hashes: Mapping[str, str] = read_json(run.path / "inputs" / "model_hashes.json")
    model = f"{run.scenario['model']}/"
    return {
        f"model/{name.removeprefix(model)}" if name.startswith(model) else name: (run.path / "inputs" / name, checksum)
        for name, checksum in hashes.items()
    }


def _content_changes(kind: InputKind, name: str, base: Path, change: Path) -> Iterator[InputChange]:
    found: list[InputChange] = []
    if base.suffix in {".yaml", ".yml"}:
        old, new = (parse_yaml(path.read_text(encoding="utf-8"), str(path), []) for path in (base, change))
        if old and new:
            found = list(tree_changes(old.value, new.value, kind, name))
    elif base.suffix in TABLES and change.suffix in TABLES:
        cells = table_changes(read_table(base), read_table(change))
        found = [InputChange(kind, f"{name}: {place}", was, now, detail) for place, was, now, detail in cells]
    yield from found or [InputChange(kind, name, None, None, "other bytes, the same values")]
