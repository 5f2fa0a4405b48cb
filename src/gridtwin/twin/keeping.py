"""What a run keeps of its study: copies of every file, the jobs, and tables to check its results with."""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

import gridtwin
from gridtwin.errors import InputError, Issue, ResultsError
from gridtwin.inputs.load import load_study
from gridtwin.inputs.study import Study
from gridtwin.results.files import sha256, write_atomically, write_columns, write_json
from gridtwin.results.journal import INPUTS
from gridtwin.results.reading import SUBMITTED
from gridtwin.results.run_facts import RunFacts, read_facts, write_facts
from gridtwin.results.store import RunFolder
from gridtwin.twin.coordinator import Coordinator
from gridtwin.twin.inputs_kept import Table, input_tables
from gridtwin.twin.recorder import coordinates
from gridtwin.workload.jobs import JobTable

__all__ = ["keep_inputs", "kept_study", "require_same_study", "versions"]

SCENARIO = "scenario.json"
VERSIONED = ("pandapower", "lightsim2grid", "numpy", "scipy", "simpy", "highspy", "pyarrow", "xarray")
NOTICES = ("SOURCES.md", "LICENSE*", "NOTICE*", "*DISCLAIMER*")
COLUMNS = {
    "origin": "origin_index",
    "compute_class": "class_index",
    "delay_class": "delay_class_index",
    "checkpoint_s": "one_checkpoint_s",
    "restart_s": "one_restart_s",
}


def keep_inputs(folder: RunFolder, study: Study, coordinator: Coordinator) -> None:
    """Write everything that the run is made from into `inputs/` and commit it as the first entry of the journal.

    Raises
    ------
    InputError
        If a file of the study changed since it was loaded.
    """
    for name, file in study.files.items():
        _copy(file, folder.inputs, name, study.model_hashes[name])
    write_json(folder.inputs / SCENARIO, study.portable)
    write_json(folder.inputs / "model_hashes.json", dict(study.model_hashes))
    write_facts(folder, _facts(study, coordinator))
    tables = input_tables(study, coordinator.ac_grid) | {SUBMITTED: _submitted(study.jobs)}
    for name, columns in tables.items():
        write_columns(folder.inputs / f"{name}.parquet", columns)
    folder.commit(INPUTS, [path for path in folder.inputs.rglob("*") if path.is_file()])


def kept_study(folder: RunFolder, overrides: Sequence[str] = ()) -> Study:
    """Load the study of a run from its folder alone.

    Parameters
    ----------
    folder : RunFolder
    overrides : sequence of str
        `a.b=value` laid over its scenario.

    Raises
    ------
    ResultsError
        If this version of gridtwin does not take it.
    """
    facts = read_facts(folder)
    try:
        return replace(load_study(folder.inputs / SCENARIO, overrides), name=facts.scenario)
    except InputError as error:
        begun, here = facts.versions["gridtwin"], gridtwin.__version__
        raise ResultsError(
            f"{folder.inputs}: gridtwin {here} does not take the inputs that {begun} kept:\n{error}"
        ) from error


def require_same_study(folder: RunFolder, study: Study) -> None:
    """Check that a study loaded again is the one that a run began with.

    Raises
    ------
    ResultsError
        Naming the parts that differ: the study was changed after it was loaded, or this version reads it otherwise.
    """
    begun, now = read_facts(folder).study, _fingerprints(study)
    if unlike := [part for part in now if now[part] != begun.get(part)]:
        raise ResultsError(
            f"{folder.path}: its inputs no longer give the {', '.join(unlike)} it began with: the study was changed in "
            "memory, or gridtwin or NumPy has another version; run the scenario again"
        )


def versions() -> dict[str, str]:
    """Return the versions of all that a result depends on."""
    libraries = {name: version(name) for name in VERSIONED}
    return {"gridtwin": gridtwin.__version__, "python": platform.python_version(), **libraries}


def _facts(study: Study, coordinator: Coordinator) -> RunFacts:
    return RunFacts(
        scenario=study.name,
        policy=study.scenario.policy,
        currency=study.currency,
        start=study.time.start.isoformat(),
        step_s=study.time.step_s,
        window_steps=study.time.window_steps,
        planned_windows=coordinator.planned_windows,
        model_steps=study.profiles.model_steps,
        seed=study.scenario.seed,
        carbon_price_per_t=study.scenario.dispatch.carbon_price_per_t,
        n1_report=study.scenario.security.n1 == "report",
        coords=coordinates(coordinator.system),
        delay_class=study.fleet.axes.delay_class,
        counts=study.counts,
        model_hashes=study.model_hashes,
        versions=versions(),
        study=_fingerprints(study),
    )


def _copy(file: Path, inputs: Path, name: str, digest: str) -> None:
    """Copy a file of the study under its name, with the notices that travel with it."""
    place = inputs / name
    write_atomically(place, lambda copy: copy.write(file.read_bytes()))
    if sha256(place) != digest:
        raise InputError([Issue(str(file), 0, 0, "changed after the study was loaded; load it again")])
    for notice in _notices(file.parent):
        shutil.copyfile(notice, place.parent / notice.name)


def _notices(folder: Path) -> Iterator[Path]:
    """Yield files of a folder that say where its data are from and on which terms."""
    yield from (path for pattern in NOTICES for path in sorted(folder.glob(pattern)) if path.is_file())


def _submitted(jobs: JobTable) -> Table:
    """All jobs as they are submitted, whole numbers in as few bits as hold them."""
    names = [field.name for field in fields(jobs) if field.name != "axes"]
    return {COLUMNS.get(name, name): _narrow(getattr(jobs, name)) for name in names}


def _narrow(values: np.ndarray) -> np.ndarray:
    if not np.issubdtype(values.dtype, np.integer):
        return values
    least, greatest = int(values.min(initial=0)), int(values.max(initial=0))
    limits = (np.iinfo(kind) for kind in (np.int8, np.int16, np.int32, np.int64))
    return values.astype(next(limit.dtype for limit in limits if limit.min <= least and greatest <= limit.max))


def _fingerprints(study: Study) -> dict[str, str]:
    """SHA-256 of all numbers and names of each part of a study."""
    parts = {field.name: getattr(study, field.name) for field in fields(study)}
    return {name: _fingerprint(part) for name, part in parts.items() if is_dataclass(part)}


def _fingerprint(value: object) -> str:
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()
    if is_dataclass(value):
        value = {field.name: _fingerprint(getattr(value, field.name)) for field in fields(value)}
    return hashlib.sha256(repr(value).encode()).hexdigest()
