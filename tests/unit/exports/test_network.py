"""What network formats share: which steps, where they go, what is refused."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import xarray as xr

from gridtwin.errors import ResultsError
from gridtwin.exports import matpower, pandapower, pypsa
from gridtwin.exports.network import carried, saved_grid, snapshot_files, snapshot_steps
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import open_run


@pytest.fixture(scope="module")
def run(pocket_run):
    return open_run(pocket_run("asap").path)


def changed(run, name, value):
    """The run with one series replaced."""
    opened = replace(run)
    data = run.dataset.load().copy()
    data[name] = (data[name].dims, value)
    opened.__dict__["dataset"] = data
    return opened


def test_the_greatest_demand_is_taken_where_no_time_is_chosen(run):
    demand = run.values("load_mw").sum(axis=1) + run.values("facility_mw").sum(axis=1)
    assert snapshot_steps(run, Selection()).tolist() == [int(np.argmax(demand))]


def test_a_range_is_taken_whole(run):
    start, end = run.facts.step_start(2), run.facts.step_start(5)
    assert snapshot_steps(run, Selection(start=start, end=end)).tolist() == [2, 3, 4]


def test_one_step_is_a_file_and_several_are_a_folder(run, tmp_path):
    target = tmp_path / "a.m"
    assert snapshot_files(run, target, np.array([3]), ".m") == [target]
    first, second = snapshot_files(run, target, np.array([0, 1]), ".m")
    assert first.parent == second.parent == target
    assert [first.name, second.name] == ["a_20200102T000000Z.m", "a_20200102T010000Z.m"]
    target.touch()
    with pytest.raises(ResultsError, match="is there already"):
        snapshot_files(run, target, np.array([3]), ".m")


@pytest.mark.parametrize(("module", "name"), [(pandapower, "pandapower"), (matpower, "matpower"), (pypsa, "pypsa")])
def test_only_time_can_be_chosen(run, tmp_path, module, name):
    other = "pypsa" if name == "pandapower" else "pandapower"
    for selection in (Selection(variables=("vm_pu",)), Selection(resample_s=7200), Selection(convention=other)):
        with pytest.raises(ResultsError, match=f"{name} holds a whole network"):
            module.write(run, tmp_path / "a", selection)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("module", [pandapower, matpower])
def test_a_step_without_solution_is_refused_by_name(run, tmp_path, module):
    converged = run.values("ac_converged").copy()
    converged[1] = 0
    broken = changed(run, "ac_converged", converged)
    chosen = Selection(end=datetime(2020, 1, 2, 3, tzinfo=UTC))
    with pytest.raises(ResultsError, match=r"did not converge in 1 of 3 steps \(2020-01-02T01:00:00Z\)"):
        module.write(broken, tmp_path / "a", chosen)
    assert not (tmp_path / "a").exists()


def test_parts_that_do_not_add_up_are_refused(run):
    output = run.values("unit_mw").copy()
    output[2, 0] += 1e-3
    with pytest.raises(ResultsError, match=r"2020-01-02T02:00:00Z .* at bus 'a', but .* gridtwin verify"):
        carried(changed(run, "unit_mw", output), saved_grid(run), np.array([1, 2]))


def test_shed_takes_reactive_load_along(run):
    """Load served at bus b is what is asked less shed, loads and sites in proportion."""
    saved, steps = saved_grid(run), np.array([0])
    shed, injection = run.values("shed_mw").copy(), run.values("net_injection_mw").copy()
    shed[0, 1] += 5.0
    injection[0, 1] += 5.0
    opened = changed(changed(run, "shed_mw", shed), "net_injection_mw", injection)
    before, after = carried(run, saved, steps), carried(opened, saved, steps)
    drawn = before.load_mw[0, 1] + before.site_mw[0, 0]
    share = (drawn - 5.0) / drawn
    assert after.load_mw[0, 1] == pytest.approx(share * before.load_mw[0, 1])
    assert after.site_mvar[0, 0] == pytest.approx(share * before.site_mvar[0, 0])


def test_the_dataset_of_a_changed_run_is_one(run):
    assert isinstance(changed(run, "unit_mw", run.values("unit_mw")).dataset, xr.Dataset)
