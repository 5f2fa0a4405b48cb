"""All series in one netCDF-4 file that follows the CF conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from gridtwin.errors import ResultsError
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Chosen, Selection, choose
from gridtwin.results.saved_run import SavedRun

__all__ = ["TIME_ENCODING", "cf_dataset", "series_rows", "write"]

TIME_ENCODING: Final = {"units": "seconds since 1970-01-01", "calendar": "standard", "dtype": "int64"}


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write one file, compressed; times are UTC, `time_local` beside them where another zone was asked for."""
    chosen = choose(run, selection)
    dataset = cf_dataset(chosen)
    progress(1, 2)
    encoding: dict[str, dict[str, object]] = {str(name): {"zlib": True, "complevel": 4} for name in dataset.data_vars}
    for name in ("time", "time_bounds"):
        if name in dataset.variables:
            encoding[name] = dict(TIME_ENCODING)
    dataset.to_netcdf(Path(target), engine="h5netcdf", encoding=encoding)
    progress(2, 2)
    return series_rows(chosen)


def cf_dataset(chosen: Chosen) -> xr.Dataset:
    """Return the chosen series with what CF asks for: bounds of the steps, and local time.

    Raises
    ------
    ResultsError
        If no series was chosen: other tables have no place in a dataset.
    """
    if not chosen.names:
        raise ResultsError("only series can be written in this format; take csv, parquet or duckdb for other tables")
    dataset = chosen.dataset()
    if "time" not in dataset.dims:
        return dataset
    dataset["time"].attrs["bounds"] = "time_bounds"
    ends = chosen.ends.astype("datetime64[ns]")
    bounds = np.stack([dataset["time"].to_numpy(), ends], axis=1)
    coords: dict[str, object] = {"time_bounds": (("time", "bounds"), bounds)}
    if chosen.selection.zone != "UTC":
        about = {"long_name": f"start of the step in {chosen.selection.zone}"}
        coords["time_local"] = ("time", chosen.local_texts(), about)
    return dataset.assign_coords(coords)


def series_rows(chosen: Chosen) -> Rows:
    """Return the rows that each table of series would have in long form."""
    return {table: chosen.rows(table) for table in chosen.tables}
