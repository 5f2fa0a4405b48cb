"""What a shell may complete; quick, for it is asked at every press of the key."""

# ruff: noqa: PLC0415 - imported where it runs, so that --help stays quick
from __future__ import annotations

from pathlib import Path

__all__ = ["overrides", "runs", "scenarios"]

POLICIES = ("asap", "co_dispatch", "customer")
KEYS = (
    *(f"policy={policy}" for policy in POLICIES),
    "compute.discipline=",
    "dispatch.carbon_price_per_t=",
    "forecast=",
    "security.n1=report",
    "seed=",
    "series=",
    "time.duration=",
    "time.start=",
)


def scenarios(incomplete: str) -> list[str]:
    """Names of shipped scenarios, and files and folders that begin so."""
    from gridtwin.inputs.places import scenario_names

    named = [name for name in scenario_names(Path()) if name.startswith(incomplete)]
    there = [path for path in _beginning(incomplete) if path.is_dir() or path.suffix in {".yaml", ".yml"}]
    return [*named, *map(_shown, there)]


def runs(incomplete: str) -> list[str]:
    """Folders of runs that begin so; those of `outputs` where nothing is given yet."""
    near = [*Path().glob("*/journal.jsonl"), *Path("outputs").glob("*/journal.jsonl")]
    known = {file.parent for file in near} | {path for path in _beginning(incomplete) if path.is_dir()}
    return sorted(_shown(path) for path in known if str(path).startswith(incomplete))


def overrides(incomplete: str) -> list[str]:
    """Keys that are often set."""
    return [key for key in KEYS if key.startswith(incomplete)]


def _beginning(incomplete: str) -> list[Path]:
    """Files and folders whose path begins so; none that are hidden."""
    given = Path(incomplete)
    parent, start = (given, "") if incomplete.endswith("/") else (given.parent, given.name)
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.name.startswith(start or "") and path.name[0] != ".")


def _shown(path: Path) -> str:
    is_run = (path / "journal.jsonl").exists()
    return f"{path}/" if path.is_dir() and not is_run else str(path)
