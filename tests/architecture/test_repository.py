"""What the repository holds: no path of one machine, no registry address, no data without a source, no dead link."""

import csv
import re
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

REPO = Path(__file__).parents[2]
FOLDERS = (".ci", "benchmarks", "constraints", "docs", "models", "scenarios", "src", "tests", "traces")
NOT_IGNORED = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".csv", ".json", ".typed", ""}
MACHINE_PATH = re.compile(r"(?<![\w./:*~-])/(?:home|root|work|tmp|opt|Users|private|mnt)/[\w.]")
REGISTRY = re.compile(r"(?:py" r"pi\.org|python" r"hosted\.org|anaconda" r"\.org|anaconda" r"\.com|mirrors?\.[\w-]+\.)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def files() -> list[Path]:
    """What git tracks, or would if it were added; outside a clone whatever is there."""
    if (REPO / ".git").exists():
        listed = subprocess.run(NOT_IGNORED, cwd=REPO, capture_output=True, text=True, check=True).stdout
        paths = {REPO / name for name in listed.split("\0") if name}
        return sorted(path for path in paths if path.is_file())
    inside = (path for folder in FOLDERS for path in sorted((REPO / folder).rglob("*")))
    roots = (path for path in sorted(REPO.iterdir()) if path.name != ".git")
    return [path for path in (*inside, *roots) if path.is_file() and "__pycache__" not in path.parts]


TEXTS = [path for path in files() if path.suffix in TEXT]
MODELS = sorted(path.parent for path in REPO.glob("models/*/model.yaml"))
PAGES = [path for path in TEXTS if path.suffix == ".md"]


def names(paths) -> list[str]:
    return [path.relative_to(REPO).as_posix() for path in paths]


@pytest.mark.parametrize("path", TEXTS, ids=names(TEXTS))
def test_no_path_of_one_machine_and_no_registry(path):
    text = path.read_text(encoding="utf-8")
    assert not MACHINE_PATH.findall(text)
    assert not REGISTRY.findall(text)


def test_the_patterns_find_what_they_look_for():
    assert MACHINE_PATH.search("see " + "/ho" + "me/me/data.csv")
    assert MACHINE_PATH.search('"' + "/tm" + 'p/x"')
    assert not MACHINE_PATH.search("models/work/data.csv")
    assert REGISTRY.search("https://files.python" + "hosted.org/packages")


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_links_inside_the_repository_lead_somewhere(path):
    targets = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in targets if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("folder", [*MODELS, REPO / "traces"], ids=names([*MODELS, REPO / "traces"]))
def test_every_data_file_and_column_has_a_source(folder):
    sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
    data = [path for path in folder.iterdir() if path.suffix in {".csv", ".parquet"}]
    assert data
    assert [path.name for path in data if path.name not in sources] == []
    missing = {f"{path.name}: {column}" for path in data for column in columns(path) if f"`{column}`" not in sources}
    assert missing == set()


def columns(path: Path) -> list[str]:
    """Columns of a table; columns named after a unit's profile have their source as a group."""
    if path.suffix == ".csv":
        return next(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    units = path.with_name("units.csv")
    rows = csv.DictReader(units.read_text(encoding="utf-8").splitlines()) if units.exists() else ()
    profiled = {row["profile"] for row in rows}
    return [column for column in pq.read_schema(path).names if column not in profiled]


@pytest.mark.parametrize("folder", MODELS, ids=names(MODELS))
def test_the_notice_travels_with_the_data(folder):
    sources = (folder / "SOURCES.md").read_text(encoding="utf-8")
    for notice in re.findall(r"\]\((\w*DISCLAIMER\.md|NOTICE\.\w+)\)", sources):
        assert (folder / notice).read_text(encoding="utf-8").strip()


def test_constraints_are_exact_versions_and_nothing_else():
    lines = (REPO / "constraints" / "py311.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", line)] == []
    assert "gridtwin" not in {line.split("==")[0].lower() for line in lines}
