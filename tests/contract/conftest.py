"""What the contracts share: a run in which every name is a formula, and a PostgreSQL of its own."""

import csv
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gridtwin import api
from gridtwin.inputs.load import load_study
from gridtwin.located import read_yaml
from gridtwin.results.saved_run import SavedRun, open_run

# --- a copy of the pocket model in which every name is a formula that a spreadsheet would run -------------------------

TESTS = Path(__file__).parents[1]
FORMULAS = (
    "=1+1", '=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+3",
    "@x", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x", "|x", "=", "=A1,B1", "=a b", '="x"', "=1\\2", "='x'!A1",
)  # fmt: skip
COLUMNS = {
    "bus": ("bus", "from_bus", "to_bus"),
    "unit": ("unit",),
    "site": ("site",),
    "store": ("store",),
    "line": ("line",),
    "link": ("link",),
    "origin": ("origin",),
    "area": ("area",),
}
TABLES = {"bus": "buses", "unit": "units", "site": "sites", "store": "stores", "line": "branches", "origin": "origins"}
PLACES = {"buses": (100.0, 40.0), "sites": (101.0, 41.0), "origins": (102.0, 42.0)}


def hostile_names() -> dict[str, dict[str, str]]:
    """New names of everything by kind; each formula is used, most of them for two kinds."""
    renamed, taken = {}, 0
    for kind, table in {**TABLES, "link": "links", "area": "buses"}.items():
        old = dict.fromkeys(row[kind] for row in read(TESTS / "models" / "pocket" / f"{table}.csv"))
        renamed[kind] = {name: FORMULAS[(taken + place) % len(FORMULAS)] for place, name in enumerate(old)}
        taken += len(old)
    return renamed


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, rows[0], lineterminator="\n")
        lines.writeheader()
        lines.writerows(rows)


def make_hostile(folder: Path) -> Path:
    """Write the model and its scenario; returns the scenario."""
    renamed = hostile_names()
    model = folder / "models" / "hostile"
    model.mkdir(parents=True)
    for file in sorted((TESTS / "models" / "pocket").glob("*.csv")):
        rows = [{renamed["area"].get(key, key): cell for key, cell in row.items()} for row in read(file)]
        for kind, columns in COLUMNS.items():
            for row in rows:
                row.update({column: renamed[kind].get(row[column], row[column]) for column in columns if column in row})
        for number, row in enumerate(rows) if file.stem in PLACES else ():
            lon, lat = PLACES[file.stem]
            row |= {"name": FORMULAS[number], "lon": str(lon + number), "lat": str(lat + number / 2)}
        for row in rows if file.stem == "buses" else ():
            row["vm_max_pu"] = "1.005"  # so that there are findings
        write(model / file.name, rows)
    content = read_yaml(TESTS / "models" / "pocket" / "model.yaml", []).value
    content["grid"]["slack_bus"] = renamed["bus"][content["grid"]["slack_bus"]]
    (model / "model.yaml").write_text(json.dumps(content))
    scenario = read_yaml(TESTS / "scenarios" / "pocket.yaml", []).value
    scenario |= {"model": str(model), "policy": "co_dispatch", "security": {"n1": "report"}}
    for stream in scenario["workload"]["batch"]:
        stream["trace"] = str(TESTS / "scenarios" / "pocket_jobs.csv")
        stream["origin_shares"] = {renamed["origin"][name]: share for name, share in stream["origin_shares"].items()}
    for service in scenario["workload"]["services"]:
        wanted = service["requests_per_s"]
        service["requests_per_s"] = {renamed["origin"][name]: rate for name, rate in wanted.items()}
    path = folder / "hostile.yaml"
    path.write_text(json.dumps(scenario))
    return path


@dataclass(frozen=True)
class Hostile:
    """A run of it, and the names."""

    run: SavedRun
    names: dict[str, dict[str, str]]
    formulas: tuple[str, ...]


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Hostile:
    folder = tmp_path_factory.mktemp("hostile")
    result = api.run(load_study(make_hostile(folder), ()), folder / "outputs")
    return Hostile(open_run(result.run_dir), hostile_names(), FORMULAS)


# --- a PostgreSQL of its own: a cluster in a new folder, a socket in there, no network --------------------------------

USER = "postgres"
PATIENCE_S = 60


def programs() -> Path | None:
    """Folder of PostgreSQL's programs; Debian keeps them off the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def cluster(bin_dir: Path) -> Iterator[str]:
    """Yield the address of a fresh database; the server is stopped by its own number."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    as_root = os.geteuid() == 0  # as root PostgreSQL refuses to run
    if as_root:
        shutil.chown(folder, USER)
    before = ["runuser", "-u", USER, "--"] if as_root else []
    data = folder / "data"
    try:
        subprocess.run(
            [
                *before,
                bin_dir / "initdb",
                "-D",
                data,
                "-U",
                USER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*before, bin_dir / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=log,
                stderr=log,
            )
            try:
                number = wait(data / "postmaster.pid", server, folder / "log")
                yield f"postgresql://{USER}@/{USER}?host={folder}"
                os.kill(number, signal.SIGINT)  # in PostgreSQL a fast shutdown
                server.wait(PATIENCE_S)
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait()
    finally:
        shutil.rmtree(folder)


def wait(pid_file: Path, server: subprocess.Popen, log: Path) -> int:
    """Return the number of the server's process when it takes connections."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        lines = pid_file.read_text().splitlines() if pid_file.exists() else []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return int(lines[0])
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    bin_dir = programs()
    if bin_dir is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    assert bin_dir, "PostgreSQL is not installed"
    with cluster(bin_dir) as url:
        yield url


# --- a library that warns as it is imported ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pyam():
    with warnings.catch_warnings():  # its own imports warn
        warnings.simplefilter("ignore")
        try:
            import pyam as module  # noqa: PLC0415
        except TypeError as error:  # an ixmp4 that does not know its SQLAlchemy
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"pyam cannot be imported here: {error}")
        yield module
