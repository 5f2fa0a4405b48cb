"""Where scenarios, models and traces are found."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from gridtwin.errors import InputError
from gridtwin.located import Position, did_you_mean

__all__ = ["find_model", "find_scenario", "find_trace", "model_names", "scenario_names", "shipped_file", "trace_names"]

MODEL_FILE = "model.yaml"
TRACE_SUFFIXES = (".parquet", ".csv")
SCENARIO_SUFFIXES = (".yaml", ".yml")


def _roots(near: Path) -> Iterator[Path]:
    """Yield folders that may hold `models/`, `scenarios/` and `traces/`.

    Upwards from `near`, then what the wheel ships, then upwards from this file, which is the checkout of an
    editable installation.
    """
    yield from (near.absolute(), *near.absolute().parents)
    yield from _own_roots()


def _own_roots() -> Iterator[Path]:
    """Yield folders that may hold what ships with gridtwin, whatever the user has of the same name."""
    yield Path(str(files("gridtwin"))) / "_data"
    yield from Path(__file__).absolute().parents


def _shipped(kind: str, names: list[str], near: Path) -> Path | None:
    """Return the first of `<root>/<kind>/<name>` that is there."""
    places = (root / kind / name for root in _roots(near) for name in names)
    return next((place for place in places if place.is_file()), None)


def find_model(given: str, near: Path) -> Path | None:
    """Return the folder of a model: one relative to the scenario's folder `near`, or a shipped one by name."""
    if (near / given / MODEL_FILE).is_file():
        return near / given
    found = _shipped("models", [f"{given}/{MODEL_FILE}"], near)
    return found.parent if found else None


def find_trace(given: str, near: Path) -> Path | None:
    """Return the file of a trace: one relative to the scenario's folder `near`, or a shipped one by name."""
    if (near / given).is_file():
        return near / given
    return _shipped("traces", [given + suffix for suffix in TRACE_SUFFIXES], near)


def find_scenario(given: str | Path) -> Path:
    """Return a scenario file by path, with or without its ending, or by the name of a shipped one.

    Raises
    ------
    InputError
        Naming what is there instead.
    """
    path = Path(given)
    names = [str(given), *(f"{given}{suffix}" for suffix in SCENARIO_SUFFIXES)]
    found = next((Path(name) for name in names if Path(name).is_file()), None)
    found = found or _shipped("scenarios", names, Path())
    if found:
        return found
    near = [place for suffix in SCENARIO_SUFFIXES for place in sorted(path.parent.glob(f"*{suffix}"))]
    close = difflib.get_close_matches(str(path), [str(place) for place in near], n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else did_you_mean(path.stem, scenario_names(Path()))
    what = "is a folder, not a scenario file" if path.is_dir() else "no such scenario file"
    raise InputError([Position(str(given)).issue(f"{what}{hint}")])


def shipped_file(place: str) -> Path:
    """Return a file that ships with gridtwin, such as `models/starter/model.yaml`.

    Raises
    ------
    FileNotFoundError
        If this installation does not hold it.
    """
    found = next((root / place for root in _own_roots() if (root / place).is_file()), None)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, "missing from this installation of gridtwin; install it again", place)
    return found


def scenario_names(near: Path) -> list[str]:
    """Return the names of all scenarios in sight of a folder, those that ship among them."""
    return sorted({place.stem for root in _roots(near) for place in (root / "scenarios").glob("*.yaml")})


def model_names(near: Path) -> list[str]:
    """Return the names of all models in sight."""
    return sorted({place.parent.name for root in _roots(near) for place in root.glob(f"models/*/{MODEL_FILE}")})


def trace_names(near: Path) -> list[str]:
    """Return the names of all traces in sight."""
    places = (place for root in _roots(near) for suffix in TRACE_SUFFIXES for place in root.glob(f"traces/*{suffix}"))
    return sorted({place.stem for place in places})
