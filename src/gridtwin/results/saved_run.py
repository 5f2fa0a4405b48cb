"""A finished run, opened to be looked at: what compare, report, exports and the page read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gridtwin.errors import ResultsError
from gridtwin.located import did_you_mean
from gridtwin.results.dataset import open_results
from gridtwin.results.files import read_columns, read_json
from gridtwin.results.run_facts import RunFacts, read_facts
from gridtwin.results.store import RunFolder

__all__ = ["SavedRun", "open_run", "read_summary", "saved_runs"]

SUMMARY = "summary.json"
CHINESE = {"bus": "bus_facts", "site": "site_facts", "origin": "origin_facts", "unit": "units", "link": "links"}
Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class SavedRun:
    """A run that has ended, read from its folder as it is asked for.

    Parameters
    ----------
    path : Path
        Folder of the run.
    facts : RunFacts
        What stays the same during the run: names, clock, currency, labels.
    summary : mapping
        Key figures, ledgers, findings, seconds: `summary.json`.
    """

    path: Path
    facts: RunFacts
    summary: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        """Name of the folder."""
        return self.path.resolve().name

    @property
    def kpis(self) -> Mapping[str, float | int | None]:
        """Key figures by name, those of `KPIS`."""
        kpis: Mapping[str, float | int | None] = self.summary["kpis"]
        return kpis

    @property
    def step_h(self) -> float:
        """Length of a step, h."""
        return float(self.summary["step_s"]) / 3600.0

    @cached_property
    def dataset(self) -> xr.Dataset:
        """All series by the names of the table of variables; values are read when they are used."""
        return open_results(self.path)

    @cached_property
    def scenario(self) -> Mapping[str, Any]:
        """The scenario with all defaults, as it was run."""
        scenario: Mapping[str, Any] = read_json(self.path / "inputs" / "scenario.json")
        return scenario

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        """Versions, checksums, solver figures of each window, ledgers."""
        manifest: Mapping[str, Any] = read_json(self.path / "manifest.json")
        return manifest

    @property
    def time(self) -> np.ndarray:
        """First instants of the steps (time,), UTC, datetime64[ns]."""
        return np.asarray(self.dataset["time"].to_numpy())

    def values(self, name: str) -> np.ndarray:
        """Return one variable as an array, with the dimensions of the table of variables.

        Raises
        ------
        ResultsError
            If there is no such variable.
        """
        if name not in self.dataset:
            names = [str(known) for known in self.dataset.data_vars]
            raise ResultsError(f"{self.path}: no variable {name!r}{did_you_mean(name, names)}")
        return np.asarray(self.dataset[name].to_numpy())

    def at(self, name: str, steps: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return one variable in some steps; one of nothing, such as lines where there are none, has no values."""
        series = self.dataset[name]
        if series.size == 0:
            return np.zeros((len(steps), *series.shape[1:]), dtype=series.dtype)
        return np.asarray(series[steps].to_numpy())

    @property
    def transport(self) -> bool:
        """Whether no power flow was solved: links carry what is sent over them, and there are no voltages."""
        return not (self.path / "inputs" / "admittance.parquet").is_file()

    def called(self, kind: str, lang: str = "en") -> tuple[str, ...]:
        """Return what everything of a kind is called: in Chinese by its Chinese name, where the model has one.

        Parameters
        ----------
        kind : str
            A dimension, such as bus, site, origin, unit or link.
        lang : {"en", "zh"}

        Notes
        -----
        A name that several have is followed by what tells them apart, and a part of an origin by which part it is.
        """
        names = self.facts.coords[kind]
        if lang != "zh" or kind not in CHINESE:
            return names
        rows = self.inputs(CHINESE[kind])
        chinese = dict(zip(rows[kind].tolist(), rows["name_zh"].tolist(), strict=True))
        found = [(chinese.get(whole), name) for name, whole in zip(names, self._wholes(kind), strict=True)]
        parts = [name.removeprefix(whole) for name, whole in zip(names, self._wholes(kind), strict=True)]
        told = [f"{text}{part}" if text else name for (text, name), part in zip(found, parts, strict=True)]
        return tuple(f"{text} ({name})" if told.count(text) > 1 else text
                     for text, name in zip(told, names, strict=True))  # fmt: skip

    def _wholes(self, kind: str) -> Sequence[str]:
        """Names of what each name is a part of; itself but for parts of origins."""
        return tuple(self.inputs("origins")["whole"].tolist()) if kind == "origin" else self.facts.coords[kind]

    def inputs(self, table: str) -> Columns:
        """Return one table of `inputs/`, such as buses, lines, units, segments, sites, pools or wan."""
        return read_columns(self.path / "inputs" / f"{table}.parquet")

    def jobs(self, names: Sequence[str] | None = None) -> Columns:
        """Return columns of `jobs.parquet`, all by default; -1 where a job never started or ended."""
        return read_columns(self.path / "jobs.parquet", names)

    def findings(self) -> Columns:
        """Return what AC broke, one row each."""
        return read_columns(self.path / "findings.parquet")

    def money(self) -> Columns:
        """Return what everybody pays at locational prices: columns party, name, energy_mwh, paid_cost."""
        return read_columns(self.path / "money.parquet")

    def account(self, table: str) -> Columns:
        """Return one of the tables drawn up at the end: accounts, carbon, rules, supply or wan_settlement."""
        return read_columns(self.path / f"{table}.parquet")

    def outages(self) -> Columns | None:
        """Return N-1, one row for each outage of each step; None where it was not asked for."""
        file = self.path / "n1.parquet"
        return read_columns(file) if file.is_file() else None

    def regret(self) -> Mapping[str, Any] | None:
        """Return the comparison with a bound; None where it was not asked for."""
        file = self.path / "regret.json"
        return read_json(file) if file.is_file() else None


def open_run(path: Path | str) -> SavedRun:
    """Open the folder of a finished run.

    Raises
    ------
    ResultsError
        If it is none, has not ended, or was written by another version. The message says what runs are near.
    """
    folder = Path(path)
    summary = read_summary(folder)
    return SavedRun(folder, read_facts(RunFolder(folder)), summary)


def read_summary(path: Path | str) -> Mapping[str, Any]:
    """Read what a finished run says of itself; `path` is its folder or its `summary.json`.

    Raises
    ------
    ResultsError
        As `open_run`.
    """
    place = Path(path)
    file = place if place.is_file() else place / SUMMARY
    if not file.is_file():
        raise ResultsError(f"{place}: {_why_not(place)}")
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultsError(f"{file}: not the summary of a run: {error}") from None
    if not isinstance(summary, dict) or "kpis" not in summary:
        raise ResultsError(f"{file}: not the summary of a run: it has no 'kpis'")
    return summary


def saved_runs(parent: Path | str) -> Iterator[Path]:
    """Yield the folders of all runs in a folder, finished or not, the oldest first."""
    yield from sorted((file.parent for file in Path(parent).glob("*/journal.jsonl")), key=_age)


def _age(run: Path) -> tuple[float, str]:
    return (run / "inputs").stat().st_mtime if (run / "inputs").is_dir() else 0.0, run.name


def _why_not(folder: Path) -> str:
    if (folder / "journal.jsonl").is_file():
        return f"this run has not ended; go on with: gridtwin resume {folder}"
    near = [file.parent for place in (folder, folder.parent) for file in sorted(place.glob(f"*/{SUMMARY}"))]
    return f"expected the folder of a finished run{did_you_mean(folder, [str(place) for place in near])}"
