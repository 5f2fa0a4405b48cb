"""One run written in one format: where to, what may be replaced, and what was written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gridtwin.errors import ResultsError
from gridtwin.exports.network import chosen_steps
from gridtwin.exports.registry import FORMATS, Format, Progress, Rows
from gridtwin.exports.selection import UNCUT, Selection
from gridtwin.located import did_you_mean, shown
from gridtwin.results.files import write_json
from gridtwin.results.saved_run import SavedRun

__all__ = ["Exported", "database", "export", "find_format"]

HOME: Final = Path("exports")  # where exports go by default
MARK: Final = "_export.json"  # in every folder that is written, so that it can be replaced; readers pass over it
ZARR: Final = "zarr.json"  # is that in a store
JOURNAL: Final = "journal.jsonl"  # in the folder of every run
SCHEMES: Final = ("postgresql://", "postgres://")
POSTGRESQL: Final = "postgresql"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Parameters
    ----------
    format : str
    target : str
        File, folder or database.
    files : mapping of str to int
        Files and their bytes; empty for a database.
    rows : mapping of str to int, optional
        Rows by table; None where the format has none.
    left_out : tuple of str
        Tables that were not asked for by name and cannot be cut to the time chosen.
    """

    format: str
    target: str
    files: dict[str, int]
    rows: Rows | None
    left_out: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(self.files.values())


def find_format(to: str) -> Format:
    """Return a format by its name, or that of a database by its address.

    Raises
    ------
    ResultsError
        If there is none.
    """
    name = POSTGRESQL if to.startswith(SCHEMES) else to
    if name not in FORMATS or (name == POSTGRESQL and name == to):
        known = [f"{POSTGRESQL}://user@host/database" if known == POSTGRESQL else known for known in FORMATS]
        raise ResultsError(f"unknown format {to!r}{did_you_mean(to, known)}; there are: {', '.join(known)}")
    return FORMATS[name]


def database(url: str) -> str:
    """Return the address of a database without password.

    Examples
    --------
    >>> database("postgresql://me:secret@host:5432/runs?password=x")
    'postgresql://me@host:5432/runs'
    """
    parts = urlsplit(url)
    user, host = parts.netloc.rpartition("@")[::2]
    return f"{parts.scheme}://{user.partition(':')[0]}{'@' if user else ''}{host}{parts.path}"


def export(
    run: SavedRun,
    to: str,
    out: Path | None = None,
    selection: Selection | None = None,
    *,
    replace: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Exported:
    """Write a run in a format; a file or folder is there as a whole or not at all.

    Parameters
    ----------
    run : SavedRun
    to : str
        Name of the format, or address of a database.
    out : Path, optional
        File or folder to write; by default one in `exports/`, called after the run.
    selection : Selection, optional
        By default everything.
    replace : bool
        Whether an export that is there may be replaced.
    progress : callable
        Told how much is done, and of how much.

    Raises
    ------
    ResultsError
        If the format is not known, the place is taken or may not be, or the run cannot be written so.
    """
    form, selection = find_format(to), selection or Selection()
    cut = form.records and not selection.variables and not selection.whole_time
    left_out = UNCUT if cut else ()
    if form.name == POSTGRESQL:
        rows = form.write(run, to, selection, progress, replace=replace)
        return Exported(form.name, database(to), {}, rows, left_out)
    target = out or HOME / _name(run, form, selection)
    _require_free(target, replace=replace)
    with _placed(target) as temporary:
        rows = form.write(run, temporary, selection, progress)
        if temporary.is_dir() and not (temporary / ZARR).is_file():
            write_json(temporary / MARK, {"run": run.run_id, "format": form.name, "selection": _told(selection)})
    files = sorted(target.rglob("*")) if target.is_dir() else [target]
    sizes = {shown(file): file.stat().st_size for file in files if file.is_file()}
    return Exported(form.name, shown(target), sizes, rows, left_out)


def _name(run: SavedRun, form: Format, selection: Selection) -> str:
    """Call an export after its run."""
    several = form.snapshots and not selection.whole_time and len(chosen_steps(run, selection)) > 1
    return f"{run.run_id}_{form.name}" if several else f"{run.run_id}{form.suffix}"


def _require_free(target: Path, *, replace: bool) -> None:
    """Refuse a place where an export must not be written."""
    if "\0" in str(target):
        raise ResultsError(f"{str(target)!r} is no name of a file; pass another with --out")
    place = target.parent.resolve() / target.name
    if run := next((folder for folder in (place, *place.parents) if (folder / JOURNAL).is_file()), None):
        raise ResultsError(f"{target} lies in the folder of run {run.name}, which is left alone; pass another --out")
    if target.is_symlink() or (target.exists() and not (target.is_file() or target.is_dir())):
        raise ResultsError(f"{target} is a link or a device; pass another --out")
    if not target.exists():
        return
    if target.is_dir() and not any((target / name).is_file() for name in (MARK, ZARR)):
        raise ResultsError(f"{target} is a folder that no export has written; pass another --out, or one inside it")
    if not replace:
        raise ResultsError(f"{target} is there already; replace it with --replace, or pass another --out")


@contextmanager
def _placed(target: Path) -> Iterator[Path]:
    """Yield a path to write to; what is there at the end takes the place of the target, after an error nothing does."""
    target.parent.mkdir(parents=True, exist_ok=True)
    holding = Path(tempfile.mkdtemp(prefix=".gridtwin-export-", dir=target.parent))
    try:
        temporary, old = holding / target.name, holding / "old"
        yield temporary
        if target.exists():
            target.rename(old)
        temporary.rename(target)
    finally:
        shutil.rmtree(holding)


def _told(selection: Selection) -> dict[str, object]:
    """Return a selection as JSON has it."""
    told = asdict(selection).items()
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in told}
