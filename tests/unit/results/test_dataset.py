import numpy as np
import pytest

from gridtwin.errors import ResultsError
from gridtwin.results.dataset import open_results, to_dataset, write_dataset
from gridtwin.results.store import RunData
from gridtwin.results.variables import variables


@pytest.fixture
def data(coords, window):
    time, values, _ = window(0, 4)
    return RunData(step_s=3600, coords=coords, time=time, variables=values, jobs={}, events={}, inputs={})


@pytest.fixture
def saved(data, tmp_path):
    write_dataset(to_dataset(data, "EUR", {"title": "a run"}), tmp_path / "results.nc")
    return tmp_path


def test_what_is_saved_is_opened(saved, data):
    with open_results(saved) as opened:
        assert opened.sizes["time"] == 4
        for name, array in data.variables.items():
            np.testing.assert_array_equal(opened[name].to_numpy(), array, err_msg=name)
            assert opened[name].dtype == array.dtype, name
        np.testing.assert_array_equal(opened["time"].to_numpy().astype("datetime64[s]"), data.time)
        assert opened["bus"].to_numpy().tolist() == ["1", "2", "3"]
    with open_results(saved / "results.nc") as same:
        assert same.sizes["bus"] == 3


def test_units_and_conventions(saved):
    with open_results(str(saved)) as opened:
        assert opened.attrs == {"Conventions": "CF-1.11", "title": "a run"}
        assert opened["time"].attrs["standard_name"] == "time"
        assert set(opened.data_vars) == set(variables())
        for name, variable in variables().items():
            assert opened[name].dims == variable.dims
            assert opened[name].attrs == {
                "units": variable.unit.replace("{currency}", "EUR"),
                "long_name": variable.meaning,
            }
        assert opened["price_per_mwh"].attrs["units"] == "EUR/MWh"


def test_no_results(tmp_path):
    with pytest.raises(ResultsError, match=r"results\.nc: no results here; pass the folder"):
        open_results(tmp_path)


def test_a_file_that_is_no_dataset(tmp_path):
    (tmp_path / "results.nc").write_bytes(b"not HDF5")
    with pytest.raises(ResultsError, match=r"results\.nc: "):
        open_results(tmp_path)
