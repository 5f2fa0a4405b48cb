"""Is this installation sound: libraries, solvers, data, disk and text, one small check each.

Each check imports what it looks at, so that a library that is missing or broken is a finding and no more.
"""

# ruff: noqa: PLC0415
from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from gridtwin.inputs.study import Study
    from gridtwin.records import AcInjections

__all__ = ["Finding", "examine"]

Level: TypeAlias = Literal["ok", "note", "fail"]

AGAIN: Final = "install again: pip install --force-reinstall gridtwin"
NAMED: Final = 5  # of a longer list
FREE_GB: Final = 2.0  # the shipped year takes 1.3 GB under co_dispatch
GB: Final = 1e9
VM_TOLERANCE_PU: Final = 1e-8
HIGHS_FROM: Final = ">=1.15.1"  # 1.14.0 gives wrong optima of mixed programs as optimal
ZONE: Final = "Asia/Shanghai"
CHINA_H: Final = 8
OPTIMUM: Final = 36.0
OPTIMUM_TOLERANCE: Final = 1e-9
SAMPLE: Final = "算力 · ²"
EXTRAS: Final[Mapping[str, str]] = {  # what is not there without it
    "view": "gridtwin view",
    "exports": "gridtwin export to zarr, duckdb and postgresql",
}
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `advice` says what to do unless all is well."""

    name: str
    level: Level
    found: str
    advice: str = ""


Check: TypeAlias = Callable[[], Iterator[Finding]]


def examine(out_dir: Path, step: Callable[[str], None] | None = None) -> list[Finding]:
    """Check everything that a run needs.

    Parameters
    ----------
    out_dir : Path
        Folder that runs would be written to, or would be made in.
    step : callable, optional
        Told the name of each check when it begins.

    Returns
    -------
    list of Finding
        A check that breaks is a finding too.
    """
    checks: Mapping[str, Check] = {
        "python": _python,
        "libraries": _libraries,
        "extras": _extras,
        "files": _files,
        "models": _models,
        "linear programs": _linear_programs,
        "power flow": _power_flow,
        "disk": partial(_disk, out_dir),
        "text": _text,
        "time zones": _time_zones,
        "threads": _threads,
    }
    found = []
    for name, check in checks.items():
        if step is not None:
            step(name)
        found += _unbroken(name, check)
    return found


def _unbroken(name: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:  # noqa: BLE001 - whatever breaks is what the user wants to know
        return [Finding(name, "fail", f"{type(error).__name__}: {error}", AGAIN)]


def _own() -> Distribution:
    try:
        return distribution("gridtwin")
    except PackageNotFoundError:
        raise PackageNotFoundError(
            "gridtwin has no metadata here: it is imported from a folder, not installed"
        ) from None


def _python() -> Iterator[Finding]:
    from packaging.specifiers import SpecifierSet

    here, wanted = platform.python_version(), _own().metadata["Requires-Python"]
    fits = here in SpecifierSet(wanted)
    yield Finding(
        "python", "ok" if fits else "fail", f"{here}, wanted {wanted}", "" if fits else f"use Python {wanted}"
    )


def _libraries() -> Iterator[Finding]:
    """Compare what is installed with the ranges that gridtwin was tested in."""
    wanted = [need for need in _needs() if need.marker is None or need.marker.evaluate({"extra": ""})]
    wrong = [fault for need in wanted if (fault := _fault(need))]
    if wrong:
        names = " ".join(f"'{need.name}{need.specifier}'" for need in wanted if _fault(need))
        yield Finding("libraries", "fail", "; ".join(wrong), f"pip install {names}")
    else:
        yield Finding("libraries", "ok", f"{len(wanted)} within the ranges of gridtwin {version('gridtwin')}")


def _extras() -> Iterator[Finding]:
    for extra, use in EXTRAS.items():
        needs = [need for need in _needs() if need.marker and _only_of(need, extra)]
        missing = [fault for need in needs if (fault := _fault(need))]
        advice = f"for {use}: pip install 'gridtwin[{extra}]'"
        yield Finding(
            f"extra {extra}", "note" if missing else "ok", "; ".join(missing) or use, advice if missing else ""
        )


def _needs() -> list[Requirement]:
    from packaging.requirements import Requirement

    return [Requirement(text) for text in _own().requires or ()]


def _only_of(need: Requirement, extra: str) -> bool:
    assert need.marker is not None
    return need.marker.evaluate({"extra": extra}) and not need.marker.evaluate({"extra": ""})


def _fault(need: Requirement) -> str:
    """Say what is wrong with a library; nothing if it is there in a version that fits."""
    try:
        here = version(need.name)
    except PackageNotFoundError:
        return f"{need.name} is missing"
    return "" if need.specifier.contains(here, prereleases=True) else f"{need.name} {here}, wanted {need.specifier}"


def _files() -> Iterator[Finding]:
    """Compare the files of the installation with the checksums that its installer noted."""
    noted = {
        Path(str(file.locate())): file.hash.value
        for file in _own().files or ()
        if file.parts[0] == "gridtwin" and file.hash is not None and file.hash.mode == "sha256"
    }
    altered = [str(file) for file, digest in noted.items() if not file.is_file() or _digest(file) != digest]
    if altered:
        yield Finding("files", "fail", f"altered or missing: {', '.join(altered[:NAMED])}", AGAIN)
    elif noted:
        yield Finding("files", "ok", f"{len(noted)} as installed")
    else:
        yield Finding("files", "ok", "run from a checkout; nothing to compare with")


def _digest(file: Path) -> str:
    """SHA-256 as installers write it."""
    return base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode()


def _models() -> Iterator[Finding]:
    """Read every scenario and every model that ships."""
    from gridtwin.errors import Issue
    from gridtwin.inputs.places import shipped_file
    from gridtwin.inputs.tables import read_model
    from gridtwin.scenario.load import load_scenario

    scenarios = sorted(shipped_file("scenarios/starter.yaml").parent.glob("*.yaml"))
    models = sorted(shipped_file("models/starter/model.yaml").parents[1].glob("*/model.yaml"))
    for file in scenarios:
        load_scenario(file)
    issues: list[Issue] = []
    for file in models:
        read_model(file.parent, issues)
    if issues:
        yield Finding("models", "fail", "; ".join(str(issue) for issue in issues[:NAMED]), AGAIN)
    else:
        yield Finding("models", "ok", f"{len(scenarios)} scenarios and {len(models)} models can be read")


def _linear_programs() -> Iterator[Finding]:
    """Maximise 3 x + 5 y where x ≤ 4, 2 y ≤ 12 and 3 x + 2 y ≤ 18: 36 at (2, 6)."""
    import numpy as np
    from packaging.specifiers import SpecifierSet

    from gridtwin.optim.program import Program
    from gridtwin.optim.solver import Session

    here = version("highspy")
    program = Program()
    column = program.columns((2,), cost=[-3.0, -5.0], upper=[4.0, 6.0])
    row = program.rows((1,), -np.inf, 18.0)
    program.entries(row, column, [3.0, 2.0])
    solved = Session(program).solve()
    right = abs(solved.objective + OPTIMUM) < OPTIMUM_TOLERANCE and here in SpecifierSet(HIGHS_FROM)
    yield Finding(
        "linear programs",
        "ok" if right else "fail",
        f"HiGHS {here} finds {-solved.objective:.9g}, known {OPTIMUM:g}",
        "" if right else f"pip install 'highspy{HIGHS_FROM}'",
    )


def _power_flow() -> Iterator[Finding]:
    """Solve an hour of the starter grid with lightsim2grid and with pandapower alone."""
    import numpy as np

    from gridtwin.grid.ac import AcGrid
    from gridtwin.grid.network import build_net, run_step
    from gridtwin.inputs.load import load_study
    from gridtwin.inputs.places import shipped_file

    study = load_study(shipped_file("scenarios/starter.yaml"))
    injections = _one_hour(study)
    solved = AcGrid(study.grid, study.units).solve(injections, enforce_q_limits=False)
    holds = study.units.holds_voltage
    at_bus = np.bincount(study.units.bus, weights=injections.unit_mw[0], minlength=len(study.grid.bus))
    injection_mw = at_bus - injections.load_mw[0]
    net = build_net(study.grid, study.units)
    by_pandapower = run_step(net, injection_mw, -injections.load_mvar[0], holds[holds], enforce_q_limits=False)
    assert by_pandapower is not None, "pandapower does not converge"
    apart_pu = float(np.abs(np.abs(by_pandapower) - solved.vm_pu[0]).max())
    right = solved.method == ("batch",) and apart_pu < VM_TOLERANCE_PU
    versions = f"lightsim2grid {version('lightsim2grid')} and pandapower {version('pandapower')}"
    yield Finding(
        "power flow",
        "ok" if right else "fail",
        f"{versions} are {apart_pu:.1g} pu apart on {len(study.grid.bus)} buses",
        "" if right else AGAIN,
    )


def _one_hour(study: Study) -> AcInjections:
    """The first hour of the study, and every unit in proportion to its size."""
    import numpy as np

    from gridtwin.records import AcInjections

    load_mw = study.profiles.load_mw[:1]
    share = study.units.p_max_mw / study.units.p_max_mw.sum()
    return AcInjections(
        load_mw=load_mw,
        load_mvar=study.profiles.load_mvar[:1],
        unit_mw=(load_mw.sum() * share)[None],
        committed=study.units.holds_voltage[None],
        link_mw=np.zeros((1, len(study.grid.link))),
    )


def _disk(out_dir: Path) -> Iterator[Finding]:
    place = next(folder for folder in (out_dir.absolute(), *out_dir.absolute().parents) if folder.is_dir())
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"gridtwin")
    except OSError as error:
        yield Finding("disk", "fail", f"cannot write in {place}: {error.strerror}", "choose another folder: --out DIR")
        return
    free_gb = shutil.disk_usage(place).free / GB
    enough = free_gb >= FREE_GB
    advice = "" if enough else f"a year takes up to {FREE_GB:g} GB; free some, or choose another folder: --out DIR"
    yield Finding("disk", "ok" if enough else "note", f"{free_gb:,.1f} GB free in {place}", advice)


def _text() -> Iterator[Finding]:
    """Can names in any script be printed and be names of files."""
    streams = {"stdout": sys.stdout.encoding, "stderr": sys.stderr.encoding, "file names": sys.getfilesystemencoding()}
    wrong = {name: encoding for name, encoding in streams.items() if not _holds_any_script(encoding)}
    found = ", ".join(f"{name} {encoding}" for name, encoding in (wrong or streams).items())
    advice = "set PYTHONUTF8=1, or a locale such as C.UTF-8: export LC_ALL=C.UTF-8"
    yield Finding("text", "note" if wrong else "ok", found, advice if wrong else "")


def _holds_any_script(encoding: str | None) -> bool:
    try:
        SAMPLE.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _time_zones() -> Iterator[Finding]:
    offset = datetime(2026, 7, 1, tzinfo=UTC).astimezone(ZoneInfo(ZONE)).utcoffset()
    hours = offset.total_seconds() / 3600 if offset is not None else float("nan")
    right = hours == CHINA_H
    yield Finding(
        "time zones", "ok" if right else "fail", f"{ZONE} is UTC{hours:+g}", "" if right else "pip install tzdata"
    )


def _threads() -> Iterator[Finding]:
    """What the linear algebra may use; results do not depend on it beyond rounding."""
    set_to = ", ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
    yield Finding("threads", "ok", f"{os.cpu_count()} cores; {set_to or 'no limit set'}; gridtwin solves on one core")
