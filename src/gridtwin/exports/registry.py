"""The formats that a run can be exported to; a writer is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

from gridtwin.errors import ResultsError
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import SavedRun

__all__ = ["FORMATS", "Format", "Progress", "Rows"]

Progress: TypeAlias = Callable[[int, int], None]  # done, in all
Rows: TypeAlias = Mapping[str, int]  # rows written, by table


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Parameters
    ----------
    name : str
        As after `--to`.
    description : str
    suffix : str
        Of the default name.
    needs : tuple of str
        Libraries beyond the core.
    records : bool
        Whether it holds jobs, money, findings and outages beside the series.
    snapshots : bool
        Whether a file holds one step, so that several steps make a folder.
    tells : bool
        Whether the writer tells its progress and returns the rows it wrote.
    module : str
        Where its writer is; by default as it is called.
    """

    name: str
    description: str
    suffix: str
    needs: tuple[str, ...] = ()
    records: bool = False
    snapshots: bool = False
    tells: bool = True
    module: str = ""

    def write(
        self,
        run: SavedRun,
        target: Path | str,
        selection: Selection,
        progress: Progress = lambda _done, _total: None,
        **options: bool,
    ) -> Rows | None:
        """Write a run; `target` must not be there yet. Options are those of the writer.

        Raises
        ------
        ResultsError
            If a library is missing, or the run cannot be written in this format.
        """
        self._require()
        module = import_module(f"gridtwin.exports.{self.module or self.name}")
        if not self.tells:
            module.write(run, target, selection)
            return None
        rows: Rows = module.write(run, target, selection, progress, **options)
        return rows

    def _require(self) -> None:
        for library in self.needs:
            try:
                import_module(library)
            except ImportError as error:
                raise ResultsError(f"{self.name} needs {library}: pip install 'gridtwin[exports]' ({error})") from error


_ALL: Final = (
    Format("csv", "a folder of tidy CSV files with a row of units", "_csv", records=True, module="csv_folder"),
    Format("parquet", "a folder in hive layout: table=…/month=…", "_parquet", records=True),
    Format("netcdf", "all series in one file with CF attributes", ".nc"),
    Format("zarr", "all series in one Zarr v3 store", ".zarr", needs=("zarr",)),
    Format("xlsx", "a workbook: summary, then a sheet for each table", ".xlsx", records=True),
    Format("iamc", "long table of model, scenario, region, variable, unit and time, for pyam", "_iamc.csv"),
    Format("geojson", "sites, buses, lines, links and origins on the map, with what they did", ".geojson"),
    Format("swf", "executed jobs in the Standard Workload Format", ".swf"),
    Format("duckdb", "one database file, units as comments", ".duckdb", needs=("duckdb",), records=True),
    Format("postgresql", "a schema of a database, given by its address", "", needs=("psycopg",), records=True),
    Format("influx", "all series in line protocol; packed where --out ends in .gz", ".lp"),
    Format("pypsa", "a network with series", "_pypsa", tells=False),
    Format("pandapower", "a network in JSON", "_pandapower.json", snapshots=True, tells=False),
    Format("matpower", "a case file", ".m", snapshots=True, tells=False),
)
FORMATS: Final[Mapping[str, Format]] = MappingProxyType({format_.name: format_ for format_ in _ALL})
