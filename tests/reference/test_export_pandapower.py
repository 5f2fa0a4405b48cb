"""pandapower reads an exported step and a plain `runpp` finds the voltages that the run stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridtwin.exports.pandapower import write
from gridtwin.exports.selection import Selection
from gridtwin.results.saved_run import SavedRun, open_run

STEPS = 8  # each takes a second to write and to read; the whole day agrees as well
SAME_PU, SAME_DEG, SAME_MW = 1e-8, 1e-6, 1e-5


def first_steps(run: SavedRun) -> Selection:
    return Selection(start=run.facts.step_start(0), end=run.facts.step_start(STEPS))


@pytest.fixture(scope="module")
def day(day_run) -> SavedRun:
    (folder,) = day_run("asap").out_dir.iterdir()
    return open_run(folder)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def solved(folder: Path, *, enforce_q_lims: bool = False) -> Iterator[tuple[int, pp.pandapowerNet]]:
    for step, file in enumerate(sorted(folder.iterdir())):
        net = pp.from_json(str(file))
        pp.runpp(net, numba=False, lightsim2grid=False, enforce_q_lims=enforce_q_lims)
        yield step, net


def assert_as_stored(run: SavedRun, step: int, net: pp.pandapowerNet) -> None:
    np.testing.assert_allclose(net.res_bus["vm_pu"], run.values("vm_pu")[step], rtol=0, atol=SAME_PU)
    np.testing.assert_allclose(net.res_bus["va_degree"], run.values("va_deg")[step], rtol=0, atol=SAME_DEG)
    given_mw = net.res_ext_grid["p_mw"].sum()
    assert given_mw == pytest.approx(run.values("slack_excess_mw")[step], abs=SAME_MW), "the slack moves nothing"
    losses_mw = net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum() + net.res_shunt["p_mw"].sum()
    assert losses_mw == pytest.approx(run.values("losses_mw")[step], abs=SAME_MW)


@pytest.mark.slow
def test_steps_of_the_day(day, tmp_path):
    write(day, tmp_path / "day", first_steps(day))
    steps = [step for step, net in solved(tmp_path / "day") if assert_as_stored(day, step, net) is None]
    assert steps == list(range(STEPS))


def test_steps_of_the_pocket_run_with_limits_enforced(pocket_run, tmp_path):
    """Flat and dispatched HVDC, stores behind meters; nothing is left for reactive limits to change."""
    run = open_run(pocket_run("co_dispatch").path)
    write(run, tmp_path / "pocket", first_steps(run))
    for step, net in solved(tmp_path / "pocket", enforce_q_lims=True):
        assert_as_stored(run, step, net)


def test_elements_are_named_and_add_up(pocket_run, tmp_path):
    run = open_run(pocket_run("asap").path)
    write(run, tmp_path / "peak.json", Selection())
    net = pp.from_json(str(tmp_path / "peak.json"))
    demand_mw = run.values("load_mw").sum(axis=1) + run.values("facility_mw").sum(axis=1)
    peak = int(demand_mw.argmax())
    assert net.name == f"{run.run_id} {run.facts.step_start(peak):%Y-%m-%dT%H:%M:%SZ}"
    assert tuple(net.bus["name"]) == run.facts.coords["bus"]
    assert net.load["p_mw"].sum() == pytest.approx(demand_mw[peak], abs=1e-9)
    sites = net.load[net.load["type"] == "data_centre"]
    assert tuple(sites["name"]) == run.facts.coords["site"]
    np.testing.assert_allclose(sites["p_mw"], run.values("facility_mw")[peak])
    factor = sites["p_mw"] / np.hypot(sites["p_mw"], sites["q_mvar"])
    np.testing.assert_allclose(factor, run.inputs("sites")["power_factor"])
    store_mw = dict(zip(net.storage["name"], net.storage["p_mw"], strict=True))
    stored = run.values("charge_mw")[peak] - run.values("discharge_mw")[peak]
    expected = dict(zip(run.facts.coords["store"], stored, strict=True))
    assert store_mw == {name: pytest.approx(expected[name]) for name in ("battery", "backup")}
    units = {*net.gen["name"], *net.sgen["name"]}
    assert units == {*run.facts.coords["unit"], *(f"{link} {end}" for link in ("dc", "tie") for end in ("from", "to"))}


@pytest.mark.slow
def test_buses_have_places_and_lines_their_length(day, tmp_path):
    write(day, tmp_path / "peak.json", Selection())
    net = pp.from_json(str(tmp_path / "peak.json"))
    buses, lines = day.inputs("buses"), day.inputs("lines")
    assert net.bus["geo"].str.startswith('{"type": "Point"').all()
    assert tuple(net.bus["long_name"]) == tuple(buses["name"])
    np.testing.assert_allclose(net.line["length_km"], lines["length_km"][~lines["is_transformer"]])
