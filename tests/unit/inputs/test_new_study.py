import shutil
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from gridtwin.cli import main
from gridtwin.errors import InputError
from gridtwin.inputs import new_study as module
from gridtwin.inputs.load import load_study
from gridtwin.inputs.new_study import new_study
from gridtwin.inputs.places import find_scenario, shipped_file

ESCAPES = [
    *(
        "../x",
        "a/b",
        "/x",
        "..",
        ".",
        "",
        "a\\b",
        "..\\x",
        "C:\\x",
        "~",
        "~root",
        "%2e%2e",
        "a\0b",
        "a\nb",
        "x/../..",
        ".",
    ),
    *("a b", " a", "-x", "--help", "_x", ".hidden", "a.b", "$HOME", "`id`", "a;b", "a:b", "*", "a" * 65, "\u202eabc"),
]


def same(one, other) -> bool:
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f") if isinstance(one, np.ndarray) else one == other


@pytest.mark.parametrize("name", ["east-west_2", "东数西算", "true", "007", "null"])
def test_the_folder_holds_the_starter_study_under_a_name_of_its_own(tmp_path, name):
    made = new_study(name, tmp_path)
    study, starter = load_study(made.scenario), load_study(find_scenario("starter"))
    assert (made.folder, made.scenario) == (tmp_path / name, tmp_path / name / f"{name}.yaml")
    assert study.name == name
    for part in ("grid", "units", "stores", "fleet", "jobs", "profiles", "time", "geography"):
        assert same(getattr(study, part), getattr(starter, part)), part
    assert all(file.is_relative_to(made.folder) for file in study.files.values())
    assert (made.folder / "model" / "SOURCES.md").is_file()
    assert sorted(path for path in made.folder.rglob("*") if path.is_file()) == list(made.files)


def test_a_model_of_the_users_called_starter_is_not_copied(tmp_path, monkeypatch):
    (tmp_path / "models" / "starter").mkdir(parents=True)
    (tmp_path / "models" / "starter" / "model.yaml").write_text("mine: true")
    monkeypatch.chdir(tmp_path)
    assert (new_study("fresh").folder / "model" / "buses.csv").is_file()


def test_readme_names_the_files_and_the_next_commands(tmp_path):
    made = new_study("fresh", tmp_path)
    readme = (made.folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}" in readme for name in ("fresh.yaml", "model/", "jobs.csv"))
    assert readme.count("\ngridtwin ") == 3
    assert "gridtwin run starter" not in made.scenario.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ESCAPES)
def test_odd_names_are_refused_and_nothing_is_written(tmp_path, name):
    parent = tmp_path / "a" / "b"
    parent.mkdir(parents=True)
    with pytest.raises(InputError, match="expected a name of"):
        new_study(name, parent)
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "a", parent]


@pytest.mark.parametrize("name", ["con", "NUL", "Lpt1"])
def test_names_of_devices_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="is a device"):
        new_study(name, tmp_path)


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_is_there_is_not_overwritten(tmp_path, kind):
    place = tmp_path / "mine"
    if kind == "folder":
        place.mkdir()
    elif kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is there already"):
        new_study("mine", tmp_path)
    assert list(tmp_path.iterdir()) == [place]


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.shutil, "copyfile", stop)
    with pytest.raises(KeyboardInterrupt):
        new_study("mine", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_says_what_to_do_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["new", "mine"])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.err) == (0, "")
    assert "cd mine" in printed.out
    assert "gridtwin run mine.yaml" in printed.out
    shutil.rmtree(Path("mine"))
    with pytest.raises(SystemExit):
        main(["new", "mine", "--quiet", "--out", "deep/er"])
    assert capsys.readouterr() == ("", "")
    assert Path("deep/er/mine/mine.yaml").is_file()


def test_what_ships_is_named_where_it_is_missing():
    with pytest.raises(FileNotFoundError, match="install it again"):
        shipped_file("models/nothing/model.yaml")
