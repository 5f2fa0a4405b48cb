import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridtwin import __version__
from gridtwin.cli import main
from gridtwin.cli.completion import overrides, runs, scenarios
from gridtwin.policies.registry import POLICIES

SHELL = "import sys; sys.argv[0] = 'gridtwin'; from gridtwin.cli import main; main()"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in ("outputs/day_asap_1", "outputs/day_co_2", "mine"):
        Path(run).mkdir(parents=True)
        (Path(run) / "journal.jsonl").touch()
    Path("studies").mkdir()
    for name in ("studies/east.yaml", "studies/notes.txt", "rts_mine.yaml", ".hidden.yaml"):
        Path(name).touch()
    return tmp_path


@pytest.mark.usefixtures("home")
def test_scenarios_by_name_and_by_path():
    assert scenarios("rts") == ["rts_gmlc_day", "rts_gmlc_week", "rts_gmlc_year", "rts_mine.yaml"]
    assert scenarios("stu") == ["studies/"]
    assert scenarios("studies/") == ["studies/east.yaml"]
    assert scenarios("nowhere/x") == []
    assert "starter" in scenarios("")
    assert ".hidden.yaml" not in scenarios("")


@pytest.mark.usefixtures("home")
def test_runs_here_and_in_outputs():
    assert {"mine", "outputs/day_asap_1", "outputs/day_co_2"} <= set(runs(""))
    assert runs("outputs/day_a") == ["outputs/day_asap_1"]
    assert runs("st") == ["studies/"]


def test_keys_that_are_often_set():
    assert overrides("policy") == [f"policy={policy}" for policy in POLICIES]
    assert overrides("zzz") == []


def test_the_shell_asks_without_importing_numpy(home):
    asked = {"_GRIDTWIN_COMPLETE": "complete_bash", "COMP_WORDS": "gridtwin show outputs/day_c", "COMP_CWORD": "2"}
    script = f"import atexit, sys; atexit.register(lambda: print('numpy' in sys.modules, file=sys.stderr)); {SHELL}"
    call = [sys.executable, "-c", script]
    done = subprocess.run(call, env=os.environ | asked, cwd=home, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["outputs/day_co_2"]
    assert done.stderr.strip() == "False"


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"gridtwin {__version__}\n")
