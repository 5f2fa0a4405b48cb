"""The two commands that README prints are one line each and name what is there; `.ci/run` takes the second from it."""

import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
README = (REPO / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python3 -m venv .*$", README, flags=re.MULTILINE)


def test_there_are_two_commands():
    assert len(COMMANDS) == 2
    assert COMMANDS[0].endswith("gridtwin run scenarios/east_west_week.yaml")
    assert COMMANDS[1].endswith(".venv/bin/pytest")


@pytest.mark.parametrize("command", COMMANDS, ids=["run", "test"])
def test_what_a_command_names_is_there(command):
    for path in re.findall(r"(?:constraints|scenarios)/\S+", command):
        assert (REPO / path).is_file()


@pytest.mark.parametrize(("ending", "found"), [("/pytest", COMMANDS[-1]), ("/nothing", "")])
def test_ci_takes_its_command_from_here(ending, found):
    script = (REPO / ".ci" / "run").read_text(encoding="utf-8")
    function = re.search(r"^readme_command\(\).*?^}$", script, flags=re.MULTILINE | re.DOTALL)
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{function[0]}\nreadme_command {ending}"],
        cwd=REPO, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout.strip() == found
    assert (ended.returncode == 0) == bool(found)
