"""A finished run opened from its folder."""

import numpy as np
import pytest

from gridtwin.errors import ResultsError
from gridtwin.results.saved_run import open_run, saved_runs


def test_it_gives_what_the_run_stored(pocket_run):
    run = pocket_run("asap")
    saved = open_run(run.path)
    assert saved.run_id == run.path.name
    assert saved.kpis == run.summary["kpis"]
    assert saved.scenario["policy"] == "asap"
    assert np.array_equal(saved.values("site_mw"), run.data.variables["site_mw"])
    assert len(saved.time) == saved.summary["steps"]
    assert saved.inputs("sites")["site"].tolist() == list(saved.facts.coords["site"])
    assert saved.money()["paid_cost"].sum() == pytest.approx(0, abs=1e-6)
    assert saved.jobs(["nodes"]).keys() == {"nodes"}
    assert saved.manifest["ledgers"].keys() == saved.summary["ledgers"].keys()
    assert saved.outages() is None
    assert saved.regret() is None
    assert set(saved.findings()) >= {"kind", "element"}


def test_the_electrical_data_of_the_grid_are_kept(pocket_run):
    run = pocket_run("asap")
    buses, grid = open_run(run.path).inputs("buses"), run.study.grid
    assert np.array_equal(buses["vn_kv"], grid.vn_kv)
    drawn = run.study.profiles.load_mw * buses["load_mvar_per_mw"]
    assert drawn == pytest.approx(run.study.profiles.load_mvar, rel=1e-12)


def test_an_unknown_variable_is_named_with_the_nearest(pocket_run):
    with pytest.raises(ResultsError, match="did you mean 'site_mw'"):
        open_run(pocket_run("asap").path).values("sitemw")


def test_the_nearest_run_is_offered(pocket_run):
    path = pocket_run("asap").path
    with pytest.raises(ResultsError, match=f"did you mean .*{path.name}"):
        open_run(path.with_name(path.name + "x"))


def test_a_run_that_has_not_ended_says_how_to_go_on(stopped):
    folder = stopped()
    with pytest.raises(ResultsError, match="gridtwin resume"):
        open_run(folder)
    assert list(saved_runs(folder.parent)) == [folder]
