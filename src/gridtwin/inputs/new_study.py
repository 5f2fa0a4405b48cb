"""A study folder to begin with: the smallest shipped scenario with a model and a trace of its own."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gridtwin.errors import InputError
from gridtwin.inputs.places import shipped_file
from gridtwin.located import Position, shown

__all__ = ["NewStudy", "new_study"]

STARTER: Final = "starter"
_NAME: Final = re.compile(r"[^\W_][\w-]{0,63}")
_DEVICES: Final = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)  # no file of Windows may be called so

_README: Final = """\
# {name}

A study for gridtwin: data centres and a power grid on one clock.

| file | what |
| --- | --- |
| `{name}.yaml` | the scenario: what to run |
| `model/` | the grid, its units and the data centres: on what; every value is synthetic, see `model/SOURCES.md` |
| `jobs.csv` | the shape of the jobs (synthetic): when they are submitted, how long and how wide they run |

In this folder:

```sh
gridtwin run {name}.yaml
gridtwin run {name}.yaml --set policy=asap
gridtwin report outputs/*
```

The first run places work, units and lines together; the second starts every job as soon as it fits; the report shows
both side by side. Then change a line of `{name}.yaml` or a table in `model/`, check it with
`gridtwin validate {name}.yaml`, and run again. `gridtwin schema --out schema.json` writes what an editor needs to
complete and check keys.
"""


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A folder that was made."""

    folder: Path
    scenario: Path
    files: tuple[Path, ...]


def new_study(name: str, parent: Path | str = ".") -> NewStudy:
    """Make a study folder that runs as it is.

    Parameters
    ----------
    name : str
        Of the folder, its scenario and its model: letters, digits, `_` and `-`.
    parent : path
        Folder to make it in.

    Returns
    -------
    NewStudy

    Raises
    ------
    InputError
        If the name is none, or something of that name is there already.
    OSError
        If the folder cannot be written; nothing is left of it.
    """
    folder = Path(parent) / _checked(name)
    if folder.exists() or folder.is_symlink():
        raise InputError([Position(shown(folder)).issue("is there already; choose another name, or move it away")])
    folder.mkdir(parents=True)
    try:
        _fill(folder, name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    files = tuple(sorted(path for path in folder.rglob("*") if path.is_file()))
    return NewStudy(folder, folder / f"{name}.yaml", files)


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) and not _DEVICES.fullmatch(name):
        return name
    message = "expected a name of up to 64 letters, digits, _ and -, beginning with a letter or a digit"
    if _DEVICES.fullmatch(name):
        message = "is a device on some systems; choose another name"
    elif re.search(r"[/\\]", name):
        message += "; for a folder elsewhere: --out DIR"
    raise InputError([Position(repr(name)).issue(message)])


def _fill(folder: Path, name: str) -> None:
    model = shipped_file(f"models/{STARTER}/model.yaml").parent
    (folder / "model").mkdir()
    for source in sorted(path for path in model.iterdir() if path.is_file()):
        shutil.copyfile(source, folder / "model" / source.name)
    quoted = json.dumps(name, ensure_ascii=False)  # a study may be called true, or 007
    _write(folder / "model" / "model.yaml", _renamed(model / "model.yaml", {"name": quoted}))
    shutil.copyfile(shipped_file(f"traces/{STARTER}.csv"), folder / "jobs.csv")
    scenario = _renamed(shipped_file(f"scenarios/{STARTER}.yaml"), {"model": "model", "trace": "jobs.csv"})
    _write(folder / f"{name}.yaml", scenario.replace(f"gridtwin run {STARTER} ", f"gridtwin run {name}.yaml "))
    _write(folder / "README.md", _README.format(name=name))


def _renamed(file: Path, names: dict[str, str]) -> str:
    """Return a YAML file in which these keys, where they say `starter`, say something else."""
    text = file.read_text(encoding="utf-8")
    for key, name in names.items():
        text = re.sub(rf"^(\s*{key}: ){STARTER}\b", rf"\g<1>{name}", text, flags=re.MULTILINE)
    return text


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")
