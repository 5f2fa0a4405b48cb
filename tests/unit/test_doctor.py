import builtins
import json
from importlib.metadata import PackageNotFoundError, PackagePath
from types import SimpleNamespace

import pytest

from gridtwin import doctor
from gridtwin.cli import main
from gridtwin.optim.solver import Session

NAMES = ["python", "libraries", "extra view", "extra exports", "files", "models", "linear programs", "power flow"]
NAMES += ["disk", "text", "time zones", "threads"]


def found(check, *arguments):
    (finding,) = doctor._unbroken("check", lambda: check(*arguments))
    return finding


@pytest.fixture
def metadata(monkeypatch, tmp_path):
    """Pretend that gridtwin is installed with these requirements and files."""

    def pretend(requires=(), files=(), python=">=3.11"):
        own = SimpleNamespace(metadata={"Requires-Python": python}, requires=list(requires), files=list(files))
        own.locate_file = lambda path: tmp_path / path
        for file in files:
            file.dist = own
        monkeypatch.setattr(doctor, "_own", lambda: own)

    return pretend


def noted(name, digest):
    path = PackagePath(name)
    path.hash = SimpleNamespace(mode="sha256", value=digest)
    return path


def test_this_installation_is_sound(tmp_path):
    steps = []
    findings = doctor.examine(tmp_path, steps.append)
    assert [finding.name for finding in findings] == NAMES
    assert {finding.name: finding.found for finding in findings if finding.level == "fail"} == {}
    assert all(finding.advice for finding in findings if finding.level != "ok")
    assert len(steps) == 11


def test_another_python(metadata):
    metadata(python=">=4")
    finding = found(doctor._python)
    assert (finding.level, finding.advice) == ("fail", "use Python >=4")


def test_libraries_out_of_range_or_missing(metadata):
    metadata(["numpy<1", "nothing-of-that-name>=2", "scipy>=1", "absent-too; extra == 'view'"])
    finding = found(doctor._libraries)
    assert finding.level == "fail"
    assert "numpy 2" in finding.found
    assert "wanted <1" in finding.found
    assert "nothing-of-that-name is missing" in finding.found
    assert "absent-too" not in finding.found
    assert finding.advice == "pip install 'numpy<1' 'nothing-of-that-name>=2'"


def test_extras_that_are_missing_are_no_fault_but_named_with_what_needs_them(metadata):
    metadata(["absent-one>=1; extra == 'view'", "numpy; extra == 'exports'", "absent-two"])
    view, exports = doctor._extras()
    assert (view.level, view.found) == ("note", "absent-one is missing")
    assert view.advice == "for gridtwin view: pip install 'gridtwin[view]'"
    assert exports.level == "ok"


def test_altered_and_missing_files(metadata, tmp_path):
    (tmp_path / "gridtwin").mkdir()
    for name in ("good", "bad"):
        (tmp_path / "gridtwin" / name).write_text(name)
    good = noted("gridtwin/good", doctor._digest(tmp_path / "gridtwin" / "good"))
    metadata(files=[good])
    assert found(doctor._files).level == "ok"
    metadata(
        files=[good, noted("gridtwin/bad", good.hash.value), noted("gridtwin/gone", "x"), noted("other/gone", "x")]
    )
    finding = found(doctor._files)
    assert finding.level == "fail"
    assert "bad" in finding.found
    assert "gridtwin/gone" in finding.found
    assert "good" not in finding.found
    assert "other" not in finding.found


def test_not_installed(monkeypatch):
    def none(_):
        raise PackageNotFoundError("gridtwin")

    monkeypatch.setattr(doctor, "distribution", none)
    finding = found(doctor._python)
    assert finding.level == "fail"
    assert "not installed" in finding.found


def test_a_solver_that_is_wrong(monkeypatch):
    solve = Session.solve

    def wrong(self):
        solved = solve(self)
        object.__setattr__(solved, "objective", -35.0)
        return solved

    monkeypatch.setattr(Session, "solve", wrong)
    finding = found(doctor._linear_programs)
    assert (finding.level, finding.advice) == ("fail", "pip install 'highspy>=1.15.1'")
    assert "finds 35, known 36" in finding.found


def test_a_power_flow_that_is_off(monkeypatch):
    monkeypatch.setattr(doctor, "VM_TOLERANCE_PU", 0.0)
    assert found(doctor._power_flow).level in {"ok", "fail"}
    monkeypatch.setattr(doctor, "VM_TOLERANCE_PU", -1.0)
    assert found(doctor._power_flow).level == "fail"


def test_a_library_that_cannot_be_imported_is_a_finding(monkeypatch, tmp_path):
    real = builtins.__import__

    def refuse(name, *arguments, **named):
        if name.startswith("gridtwin.grid"):
            raise ImportError("libklu.so: cannot open shared object file")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    findings = {finding.name: finding for finding in doctor.examine(tmp_path)}
    assert findings["power flow"].level == "fail"
    assert "libklu.so" in findings["power flow"].found
    assert findings["linear programs"].level == "ok"


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    finding = found(doctor._disk, tmp_path / "not" / "yet")
    assert finding.level == "fail"
    assert f"cannot write in {tmp_path}: Read-only file system" in finding.found
    assert not (tmp_path / "not").exists()


def test_a_disk_that_is_nearly_full(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=1e8))
    assert found(doctor._disk, tmp_path).level == "note"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252", None])
def test_text_that_cannot_be_printed(monkeypatch, encoding):
    monkeypatch.setattr(doctor.sys, "getfilesystemencoding", lambda: encoding)
    assert found(doctor._text).level == ("ok" if encoding == "utf-8" else "note")


def test_zones_that_are_missing(monkeypatch):
    monkeypatch.setattr(doctor, "ZONE", "Asia/Nowhere")
    assert found(doctor._time_zones).level == "fail"


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", *arguments])
    return ended.value.code


def test_the_command(capsys, monkeypatch, tmp_path):
    findings = [doctor.Finding("a", "ok", "well"), doctor.Finding("b", "note", "odd", "mend it")]
    monkeypatch.setattr(doctor, "examine", lambda *_: findings)
    assert run() == 0
    out = capsys.readouterr().out
    assert "ok    a  well" in out
    assert "→ mend it" in out
    findings.append(doctor.Finding("c", "fail", "broken", "install [x] again"))
    assert run("--json", "--out", str(tmp_path)) == 8
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is False
    assert told["checks"][2] == {"name": "c", "level": "fail", "found": "broken", "advice": "install [x] again"}
    assert run("--quiet") == 8
    assert capsys.readouterr() == ("", "")
    assert run() == 8
    assert "install [x] again" in capsys.readouterr().out
