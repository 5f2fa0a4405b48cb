import shutil
import subprocess
import sys

import numpy as np
import pytest

import gridtwin
from gridtwin import api
from gridtwin.errors import ResultsError
from gridtwin.results.dataset import open_results
from gridtwin.results.variables import variables


@pytest.fixture(scope="module")
def results(pocket_run):
    with gridtwin.open_results(pocket_run("co_dispatch").path) as dataset:
        yield dataset


def test_labels_know_what_they_are(results, pocket):
    study = pocket("policy=co_dispatch")
    grid, units = study.grid, study.units
    assert results["unit_bus"].to_numpy().tolist() == [grid.bus[bus] for bus in units.bus]
    assert results["unit_technology"].to_numpy().tolist() == list(units.technology)
    assert results["unit_area"].sel(unit="coal").item() == "west"
    assert results["line_from_bus"].to_numpy().tolist() == [grid.bus[bus] for bus in grid.line_from]
    assert results["link_to_bus"].sel(link="tie").item() == "b"
    assert results["site_bus"].sel(site="west").item() == "c"
    assert results["site_area"].sel(site="west").item() == "east"
    assert results["store_site"].to_numpy().tolist() == ["", "west", ""]
    assert np.isnan(results["bus_lat"]).all()


def test_queues_are_split_into_their_parts(results):
    names = ("queue", "queue_origin", "queue_compute_class", "queue_delay_class")
    rows = list(zip(*(results[name].to_numpy().tolist() for name in names), strict=True))
    assert all(label.rsplit("/", 1)[0] == "/".join(parts) for label, *parts in rows)
    assert rows[0][1:] == ("coast", "general", "prompt")


def test_everything_has_a_meaning_and_every_number_a_unit(results):
    for name, array in {**results.data_vars, **results.coords}.items():
        assert array.attrs.get("long_name"), name
        if array.dtype.kind == "f":
            assert array.attrs.get("units"), name
    assert "EUR" in results["price_per_mwh"].attrs["units"]
    told = {name: results.attrs[name] for name in ("currency", "policy", "scenario")}
    assert told == {"currency": "EUR", "policy": "co_dispatch", "scenario": "pocket"}


def test_values_are_those_of_the_file(results, pocket_run):
    with open_results(pocket_run("co_dispatch").path) as raw:
        assert set(raw.data_vars) == set(results.data_vars) == set(variables())
        assert not set(raw.data_vars) & set(results.coords)
        for name in raw.data_vars:
            np.testing.assert_array_equal(raw[name], results[name])


def test_groups_add_up(results):
    by_technology = results["unit_mw"].groupby("unit_technology").sum()
    np.testing.assert_allclose(by_technology.sum("unit_technology"), results["unit_mw"].sum("unit"))
    assert by_technology.sizes["unit_technology"] == 7


def test_the_file_alone_is_opened_too(pocket_run, tmp_path):
    run = pocket_run("asap")
    with api.open_results(run.path / "results.nc") as inside:
        assert "unit_technology" in inside.coords
    with api.open_results(shutil.copy(run.path / "results.nc", tmp_path)) as alone:
        assert "unit_technology" not in alone.coords
        assert alone["unit"].attrs["long_name"]
    with pytest.raises(ResultsError, match="no results here"):
        api.open_results(tmp_path / "nothing")


def test_it_is_written_as_netcdf_again(results, tmp_path):
    results.to_netcdf(tmp_path / "copy.nc", engine="h5netcdf")
    with open_results(tmp_path / "copy.nc") as copy:
        assert copy["unit_technology"].to_numpy().tolist() == results["unit_technology"].to_numpy().tolist()


def test_the_package_is_light_until_something_is_used():
    script = (
        "import sys, gridtwin; assert not {'numpy', 'xarray', 'pydantic'} & set(sys.modules); "
        "assert callable(gridtwin.open_results) and gridtwin.run is gridtwin.api.run; print(dir(gridtwin))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "open_results" in done.stdout
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        gridtwin.runn  # noqa: B018
