"""The two commands that README prints are one line each and name what is there; `.ci/run` takes the second from it.

The Chinese README has the same commands, code, names in tables, figures and links; no link leads nowhere.
"""

import re
import subprocess
from pathlib import Path

import pytest

import gridtwin

REPO = Path(__file__).parents[2]
READMES = {name: (REPO / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")}
README, CHINESE = READMES.values()
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


def code(text: str) -> list[str]:
    return re.findall(r"^```.*?^```$", text, flags=re.MULTILINE | re.DOTALL)


def links(text: str) -> set[str]:
    """Relative targets of links and pictures."""
    return {target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}


def anchors(text: str) -> set[str]:
    """What the headings of a page can be linked by."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: str, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = REPO / path if path else REPO / page
    if not file.exists():
        return True
    return bool(anchor) and anchor not in anchors(file.read_text(encoding="utf-8"))


def keys(text: str) -> list[str]:
    """Return the first cells of the rows of tables, where they are code: commands, files, keys of a scenario."""
    return re.findall(r"^\| (`.*?`) \| ", text[: text.index("<!-- table:year -->")], flags=re.MULTILINE)


def year_figures(text: str) -> list[list[str]]:
    """Return the rows of the table of the year without their names."""
    table = text[text.index("<!-- table:year -->") : text.index("<!-- /table:year -->")]
    return [[cell.strip() for cell in row.split("|")[2:]] for row in table.splitlines()[3:]]


def test_both_readmes_have_the_same_commands_and_code():
    assert re.findall(r"^python3 -m venv .*$", CHINESE, flags=re.MULTILINE) == COMMANDS
    assert code(CHINESE) == code(README)
    assert len(code(README)) > 4


def test_both_readmes_have_the_same_parts_in_the_same_order():
    assert [len(re.findall(rf"^{level} ", CHINESE, re.MULTILINE)) for level in ("##", "###")] == [
        len(re.findall(rf"^{level} ", README, re.MULTILINE)) for level in ("##", "###")
    ]
    assert keys(CHINESE) == keys(README)
    assert len(keys(README)) > 20


def test_the_chinese_readme_has_the_figures_of_the_year():
    assert year_figures(CHINESE) == year_figures(README)
    assert len(year_figures(README)) > 5


def test_the_chinese_readme_links_to_whatever_the_other_does():
    outside = {target for target in links(README) if not target.startswith(("#", "README"))}
    assert outside - links(CHINESE) == set()
    assert "README.md" in links(CHINESE)
    assert "README.zh-CN.md" in links(README)


@pytest.mark.parametrize("page", READMES)
def test_no_link_leads_nowhere(page):
    found = links(READMES[page])
    assert len(found) > 20
    assert sorted(target for target in found if leads_nowhere(page, target)) == []


@pytest.mark.parametrize("target", ["docs/nothing.md", "#nothing", "docs/glossary.md#nothing"])
def test_a_link_that_leads_nowhere_is_noticed(target):
    assert leads_nowhere("README.md", target)


def test_the_chinese_readme_says_which_version_it_follows():
    assert f"gridtwin {gridtwin.__version__}" in CHINESE.splitlines()[2]
