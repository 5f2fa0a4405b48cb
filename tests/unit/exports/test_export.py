"""Where exports go: never into a run, over something else, or anywhere that was not asked for."""

import json
import os
from pathlib import Path

import pytest

from gridtwin.errors import ResultsError
from gridtwin.exports import csv_folder
from gridtwin.exports.export import MARK, database, export, find_format
from gridtwin.exports.registry import FORMATS, Format
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import SavedRun, open_run

FEW = Selection(variables=("site_mw",))
ESCAPES = (
    "..", "../", "../..", "../../x", "..\\..\\x", "/etc/passwd", "/dev/null/x", "//x", "~/x", "~root/x", "$HOME/x",
    "%2e%2e/x", "%2e%2e%2fx", "..%2fx", "..%5cx", "....//x", "..;/x", ".../x", "./../x", "x/../../y", "C:\\x",
    "\\\\host\\x", "file:///etc/passwd", "x\0y", "\0", "..\0", "a\nb", "*", "site_mw/../../x", "\u2025/x",
    "\uff0e\uff0e/x", "-x",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(pocket_run) -> SavedRun:
    return open_run(pocket_run("asap").path)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Work in a folder within a folder, so that what climbs out is seen."""
    (tmp_path / "outer" / "here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "outer" / "here")
    return tmp_path


def test_by_default_it_is_called_after_the_run(run, here):
    done = export(run, "netcdf", selection=FEW)
    assert done.target == f"exports/{run.run_id}.nc"
    assert everything(here).keys() == {f"outer/here/exports/{run.run_id}.nc"}
    assert done.bytes == Path(done.target).stat().st_size
    assert done.rows == {"site": len(run.time) * 2}


@pytest.mark.usefixtures("here")
def test_snapshots_of_several_steps_make_a_folder(run):
    start = run.facts.step_start(0)
    one, two = (Selection(start=start, end=run.facts.step_start(steps)) for steps in (1, 2))
    assert export(run, "matpower", selection=one).target == f"exports/{run.run_id}.m"
    done = export(run, "matpower", selection=two)
    assert done.target == f"exports/{run.run_id}_matpower"
    assert sum(name.endswith(".m") for name in done.files) == 2


@pytest.mark.parametrize("text", ESCAPES)
def test_no_pattern_format_or_zone_is_a_path(run, here, text):
    before = everything(run.path)
    for given in ({"to": text}, {"to": "csv", "selection": Selection(variables=(text,))}):
        if given.get("selection") and text == "*":
            continue
        with pytest.raises(ResultsError):
            export(run, **given)
    with pytest.raises(ResultsError):
        Selection(zone=text)
    assert everything(here) == {}
    assert everything(run.path) == before


@pytest.mark.parametrize("text", [text for text in ESCAPES if "/" not in text and "\0" not in text and text != ".."])
def test_a_run_of_any_name_stays_in_the_folder_of_exports(run, here, text):
    elsewhere = here / "runs" / text
    elsewhere.parent.mkdir()
    elsewhere.symlink_to(run.path)
    odd = SavedRun(elsewhere, run.facts, run.summary)
    object.__setattr__(odd, "path", NamedPath(elsewhere))
    export(odd, "swf")
    written = {path for path in (here / "outer").rglob("*") if path.is_file()}
    assert written == {here / "outer" / "here" / "exports" / f"{text}.swf"}


class NamedPath(type(Path())):
    """A path that is not resolved: the run folder is a link here, its name that of the link."""

    def resolve(self, strict=False):  # noqa: ARG002
        return self


@pytest.mark.parametrize("text", ["x\0y", "\0", "..\0"])
def test_a_name_that_no_file_can_have_is_refused(run, here, text):
    with pytest.raises(ResultsError, match="is no name of a file"):
        export(run, "csv", Path(text), FEW)
    assert everything(here) == {}


@pytest.mark.parametrize(
    "inside", ["x.csv", "inputs/x.csv", "windows", "results.nc", "summary.json", "a/b/../../x", "."]
)
def test_a_run_is_never_written_into(run, inside):
    before = everything(run.path)
    with pytest.raises(ResultsError, match="lies in the folder of run"):
        export(run, "csv", run.path / inside, FEW, replace=True)
    assert everything(run.path) == before


def test_nor_through_a_link(run, here):
    before = everything(run.path)
    (here / "folder").symlink_to(run.path)
    (here / "file").symlink_to(run.path / "results.nc")
    for name, says in (("folder/x", "lies in the folder"), ("folder", "lies in the folder"), ("file", "is a link")):
        with pytest.raises(ResultsError, match=says):
            export(run, "csv", here / name, FEW, replace=True)
    assert everything(run.path) == before


@pytest.mark.parametrize("to", ["csv", "netcdf", "zarr"])
def test_what_is_there_stays_unless_it_may_be_replaced(run, here, to):
    target = here / "x"
    export(run, to, target, FEW)
    before = everything(here)
    with pytest.raises(ResultsError, match="is there already; replace it with --replace"):
        export(run, to, target, Selection(variables=("load_mw",)))
    assert everything(here) == before
    export(run, to, target, Selection(variables=("load_mw",)), replace=True)
    assert everything(here) != before
    assert [path.name for path in here.iterdir() if path.name != "outer"] == ["x"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_of_somebody_else_is_never_replaced(run, here, replace):
    (here / "mine").mkdir()
    (here / "mine" / "thesis.txt").write_text("all of it")
    for place in (here / "mine", here, Path(), Path("..")):
        with pytest.raises(ResultsError, match="a folder that no export has written"):
            export(run, "csv", place, FEW, replace=replace)
    assert everything(here) == {"mine/thesis.txt": b"all of it"}


def test_a_device_is_no_place(run, here):
    os.mkfifo(here / "pipe")
    with pytest.raises(ResultsError, match="link or a device"):
        export(run, "csv", here / "pipe", FEW, replace=True)


def test_after_an_error_what_was_there_is_there_still(run, here, monkeypatch):
    export(run, "csv", here / "x", FEW)
    before = everything(here)

    def broken(_folder):
        raise OSError("no space left")

    monkeypatch.setattr(csv_folder, "long_tables", broken)
    with pytest.raises(OSError, match="no space left"):
        export(run, "csv", here / "x", FEW, replace=True)
    assert everything(here) == before


def test_a_folder_says_what_it_holds(run, here):
    export(run, "csv", here / "x", FEW)
    told = json.loads((here / "x" / MARK).read_text())
    assert (told["run"], told["format"], told["selection"]["variables"]) == (run.run_id, "csv", ["site_mw"])


@pytest.mark.parametrize(("to", "hint"), [("parket", "parquet"), ("postgresql", "postgresql://user@host"), ("", "csv")])
def test_an_unknown_format_is_answered_with_those_there_are(to, hint):
    with pytest.raises(ResultsError, match=hint):
        find_format(to)


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgres://u@h:1/d"])
def test_an_address_is_a_database(url):
    assert find_format(url) is FORMATS["postgresql"]


def test_an_address_is_told_without_what_is_secret():
    told = [database("postgresql://me:pw@h:1/d?password=pw"), database("postgres://me:p@w@h/d")]
    assert told == ["postgresql://me@h:1/d", "postgres://me@h/d"]


def test_a_library_that_is_missing_is_named_with_the_way_to_get_it(run, here):
    with pytest.raises(ResultsError, match=r"needs no_such_library: pip install 'gridtwin\[exports\]'"):
        Format("x", "", "", needs=("no_such_library",)).write(run, here / "x", FEW)


def test_progress_ends_where_it_should(run, here):
    for to in ("csv", "parquet", "netcdf", "xlsx", "iamc", "swf", "duckdb", "influx"):
        told = []
        export(run, to, here / to, progress=lambda *step, told=told: told.append(step))
        assert told[-1][0] == told[-1][1] > 0
        assert [done for done, _ in told] == sorted(done for done, _ in told)
