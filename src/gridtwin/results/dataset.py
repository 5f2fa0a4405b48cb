"""Results as a labelled dataset, and back from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from gridtwin.errors import ResultsError
from gridtwin.results.files import write_atomically
from gridtwin.results.store import RunData
from gridtwin.results.variables import variables

__all__ = ["open_results", "to_dataset", "write_dataset"]


def to_dataset(run: RunData, currency: str, attrs: dict[str, str]) -> xr.Dataset:
    """Return all variables with dimensions, units and CF attributes.

    Parameters
    ----------
    run : RunData
    currency : str
        ISO code that money is in.
    attrs : dict
        Global attributes.
    """
    arrays = {
        name: xr.DataArray(
            run.variables[name],
            dims=variable.dims,
            attrs={"units": variable.unit.format(currency=currency), "long_name": variable.meaning},
        )
        for name, variable in variables().items()
    }
    coords: dict[str, object] = {dim: list(labels) for dim, labels in run.coords.items()}
    coords["time"] = run.time.astype("datetime64[ns]")
    coords["window"] = np.arange(len(run.variables["objective"]))
    dataset = xr.Dataset(arrays, coords=coords, attrs={"Conventions": "CF-1.11", **attrs})
    dataset["time"].attrs |= {"standard_name": "time", "long_name": "start of the step, UTC"}
    return dataset


def write_dataset(dataset: xr.Dataset, path: Path) -> None:
    """Write netCDF-4, compressed."""
    encoding = {str(name): {"zlib": True, "complevel": 4} for name in dataset.data_vars}
    content = dataset.to_netcdf(None, engine="h5netcdf", encoding=encoding)
    write_atomically(path, lambda file: file.write(content))


def open_results(path: Path | str) -> xr.Dataset:
    """Open a run folder or its `results.nc`.

    Raises
    ------
    ResultsError
        If there are no results at `path`, or the file is no dataset.
    """
    place = Path(path)
    file = place / "results.nc" if place.is_dir() else place
    if not file.is_file():
        raise ResultsError(f"{file}: no results here; pass the folder that `gridtwin run` printed")
    try:
        return xr.open_dataset(file, engine="h5netcdf")
    except OSError as error:
        raise ResultsError(f"{file}: cannot be read as netCDF ({error}); run the scenario again") from error
