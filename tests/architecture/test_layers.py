"""The contracts of import-linter hold, and notice when they are broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PLANTED = {
    "an import upwards": ("units.py", "import gridtwin.results.files", "layers"),
    "an import of a sibling": ("grid/losses.py", "import gridtwin.dispatch.problem", "layers"),
    "a room that no layer names": ("attic.py", "", "layers"),
    "pandapower outside grid": ("compute/power.py", "import pandapower", "rooms"),
    "simpy outside compute": ("twin/state.py", "import simpy", "rooms"),
}


def lint_imports(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    config = str(REPO / "pyproject.toml")
    return subprocess.run(
        [program, "--no-cache", "--config", config, *options],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_hold():
    ended = lint_imports(REPO)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_is_found(tmp_path, file, line, contract):
    shutil.copytree(REPO / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    with (tmp_path / "src" / "gridtwin" / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    ended = lint_imports(tmp_path, "--contract", contract)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "0 kept, 1 broken" in ended.stdout or "attic" in ended.stdout
