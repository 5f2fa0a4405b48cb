"""All series in one Zarr store of version 3."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from gridtwin.exports.netcdf import TIME_ENCODING, cf_dataset, series_rows
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Selection, choose
from gridtwin.results.saved_run import SavedRun

__all__ = ["write"]

TEXT: Final = np.dtypes.StringDType()  # of any length; text of fixed length has no place in version 3


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write a store that xarray reads; it holds what the netCDF file holds."""
    chosen = choose(run, selection)
    dataset = cf_dataset(chosen)
    texts = {name: coord.astype(TEXT) for name, coord in dataset.coords.items() if coord.dtype.kind == "U"}
    dataset = dataset.assign_coords(texts)
    progress(1, 2)
    encoding = {name: dict(TIME_ENCODING) for name in ("time", "time_bounds") if name in dataset.variables}
    dataset.to_zarr(Path(target), mode="w-", zarr_format=3, consolidated=False, encoding=encoding)
    progress(2, 2)
    return series_rows(chosen)
