"""The page about exports: its commands and its code run, and its tables say what there is."""

import importlib.util
import re
import shlex
import warnings
from pathlib import Path

import pytest

from gridtwin.cli import main
from gridtwin.exports.registry import FORMATS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "exports.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [
    shlex.split(line)[1:] for line in re.findall(r"^gridtwin export .*", PAGE, flags=re.MULTILINE) if "://" not in line
]


@pytest.fixture(scope="module")
def exported(hostile, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            with pytest.raises(SystemExit) as ended:
                main([str(hostile.run.path) if word == "RUN" else word for word in command])
            assert ended.value.code == 0
    return folder


@pytest.mark.parametrize("code", BLOCKS, ids=[re.findall(r"import (\w+)", block)[0] for block in BLOCKS])
def test_the_code_runs(exported, code, monkeypatch, capsys, request):
    if "pyam" in code:
        request.getfixturevalue("pyam")
    monkeypatch.chdir(exported)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tools
        exec(compile(code, "exports.md", "exec"), {})
    assert capsys.readouterr().out


def test_every_format_has_a_line():
    named = re.findall(r"^\| (`.*?`) \|", PAGE, flags=re.MULTILINE)
    names = {name.partition("://")[0] for cell in named for name in re.findall(r"`([a-z]+(?:://…)?)`", cell)}
    assert names >= FORMATS.keys()


def test_the_table_of_signs_is_up_to_date():
    spec = importlib.util.spec_from_file_location("make_exports", DOCS / "make_exports.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == PAGE, "run: python docs/make_exports.py"
