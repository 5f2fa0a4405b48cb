"""The folder is what PyPSA reads, whatever things are called."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

from gridtwin.errors import ResultsError
from gridtwin.exports.network import saved_grid
from gridtwin.exports.pypsa import Components, components, unique, write
from gridtwin.exports.redispatch import redispatch
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import open_run


@pytest.fixture(scope="module")
def run(pocket_run):
    return open_run(pocket_run("asap").path)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    target = tmp_path_factory.mktemp("pypsa") / "network"
    write(run, target, Selection())
    return target


def rows(file):
    return list(csv.DictReader(file.read_text().splitlines()))


@pytest.mark.parametrize("name", ["101", "0", "bus 1", "北京", "1e5x", "O'Hara"])
def test_a_name_is_kept(name):
    assert unique(name, {}) == name


@pytest.mark.parametrize("name", ["", "NA", "nan", "007", "1e5", "1.0", "-3", "True", "inf", "1_000", "9" * 20])
def test_what_a_reader_takes_for_no_text_is_called_a_name(name):
    assert unique(name, {}) == f"name {name}"


def test_what_is_taken_gets_a_number():
    network = Components()
    names = [network.add("loads", "a", {}) for _ in range(3)]
    assert names == ["a", "a #2", "a #3"]


def test_every_component_stands_on_a_bus_that_is_there(folder):
    buses = {row["name"] for row in rows(folder / "buses.csv")}
    for file in ("links", "lines", "generators", "loads", "stores"):
        named = {row[end] for row in rows(folder / f"{file}.csv") for end in row if end.startswith("bus") and row[end]}
        assert named, file
        assert named <= buses


def test_series_belong_to_components_and_cover_the_run(run, folder):
    for file in folder.glob("*-*.csv"):
        series = pd.read_csv(file, index_col="snapshot", parse_dates=True)
        members = pd.read_csv(folder / f"{file.name.split('-')[0]}.csv", dtype={"name": str})
        assert set(series.columns) <= set(members["name"]), file.name
        assert len(series) == len(run.time)
        assert np.isfinite(series.to_numpy()).all(), file.name
        assert series.index[0] == run.time[0]


def test_loads_and_sites_are_what_the_run_served(run, folder):
    loads = pd.read_csv(folder / "loads-p_set.csv", index_col="snapshot")
    np.testing.assert_allclose(loads[list(run.facts.coords["site"])], run.values("facility_mw"), rtol=1e-15)
    loaded = [bus for bus, drawn in zip(run.facts.coords["bus"], run.values("load_mw").T, strict=True) if drawn.any()]
    expected = run.values("load_mw")[:, [run.facts.coords["bus"].index(bus) for bus in loaded]]
    np.testing.assert_allclose(loads[loaded], expected, rtol=1e-15)


def test_the_run_is_named(run, folder):
    about = json.loads((folder / "meta.json").read_text())
    assert (about["run_id"], about["currency"]) == (run.run_id, "EUR")


def test_a_target_that_is_there_is_refused(run, folder):
    with pytest.raises(ResultsError, match="is there already"):
        write(run, folder, Selection())


def test_losses_are_those_of_the_dispatch(run):
    """Factors from prices give back the part of the losses that does not depend on injection."""
    steps = np.arange(len(run.time))
    program = redispatch(run, saved_grid(run), steps)
    fixed = program.rest_losses_mw + program.bus_losses_mw.sum(axis=1)
    np.testing.assert_allclose(fixed, run.values("fixed_losses_mw"), rtol=0, atol=1e-6)


def test_hydro_and_batteries_balance(run):
    """What links take out of a store and bring into it moves its level as the run says."""
    network = components(run, saved_grid(run), np.arange(len(run.time)))
    p_set, level = network.series["links", "p_set"], network.series["stores", "e"]["battery"]
    stores = run.inputs("stores")
    place = list(stores["store"]).index("battery")
    charged = stores["efficiency_charge"][place] * p_set["battery charge"] - p_set["battery discharge"]
    kept = 1 - stores["standing_loss_per_h"][place]
    before = np.concatenate([[stores["initial_mwh"][place]], level[:-1]])
    np.testing.assert_allclose(level, kept * before + charged, atol=1e-9)
