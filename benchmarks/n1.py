"""N-1 hours per second: every line and transformer out in every settled hour, with all that the report stores.

    python benchmarks/n1.py [RUN_DIR] [--hours 24]

RUN_DIR is the folder of a finished run; without it, the shipped day is run first. Beside it stand lightsim2grid's
`ContingencyAnalysis`, on the grid that its converter makes of pandapower's net of record and of one hour's injections,
and how far its voltages are from ours. The extrapolation is to the 8,784 hours of a leap year.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandapower as pp
from lightsim2grid.contingencyAnalysis import ContingencyAnalysisCPP
from lightsim2grid.network import init_from_pandapower

from gridtwin import api
from gridtwin.grid.contingency import OK, BranchNetwork, OperatingPoints, OutageFlows, solve_outages
from gridtwin.grid.network import build_net
from gridtwin.results.store import RunFolder
from gridtwin.twin.n1 import read_network, read_points

YEAR_HOURS = 8784
DAY = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_day.yaml"
REPEATS = 20


def settled(run_dir: Path, hours: int) -> tuple[BranchNetwork, OperatingPoints]:
    folder = RunFolder(run_dir)
    parts = [read_points(folder, window)[1] for window in range(folder.read_journal().windows)]
    names = ("v_pu", "injection_mva", "holds_voltage")
    return read_network(folder), OperatingPoints(
        *(np.concatenate([getattr(p, name) for p in parts])[:hours] for name in names)
    )


def peer(study: api.Study, points: OperatingPoints) -> tuple[float, np.ndarray]:
    """Processor seconds of all outages of the first hour, and voltages (outage, bus), lines first; 0: not solved."""
    net = build_net(study.grid, study.units)
    net.load["p_mw"], net.load["q_mvar"] = -points.injection_mva[0].real, -points.injection_mva[0].imag
    at = net.gen["bus"].to_numpy()
    net.sgen["p_mw"] = net.gen["p_mw"] = 0.0
    net.gen["vm_pu"], net.gen["in_service"] = np.abs(points.v_pu[0, at]), points.holds_voltage[0, at]
    pp.runpp(net, init="dc", lightsim2grid=False, numba=False, tolerance_mva=1e-8)
    start_pu = points.v_pu[0].copy()
    analysis = ContingencyAnalysisCPP(init_from_pandapower(net))
    analysis.add_all_n1()
    analysis.compute(start_pu, 20, 1e-10)
    begun = time.process_time()
    for _ in range(REPEATS):
        analysis.compute(start_pu, 20, 1e-10)
    return (time.process_time() - begun) / REPEATS, np.asarray(analysis.get_voltages())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", type=Path, nargs="?")
    parser.add_argument("--hours", type=int, default=24)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    study = api.load_study(DAY, ["policy=asap"])
    with tempfile.TemporaryDirectory() as folder:
        network, points = settled(options.run_dir or api.run(study, folder).run_dir, options.hours)
    hours, outages = len(points.v_pu), len(network.line_from)
    wall, cpu = time.perf_counter(), time.process_time()
    found = solve_outages(network, points)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{hours} hours x {outages} outages: {np.count_nonzero(found.status == OK)} solved")
    for clock, seconds in (("wall", wall), ("processor", cpu)):
        year = f"a year in {YEAR_HOURS * seconds / hours / 60:.1f} min"
        print(
            f"{clock:<10}{hours / seconds:>8.0f} hours/s{1e6 * seconds / hours / outages:>8.0f} us an outage   {year}"
        )
    if options.run_dir is None:
        seconds, theirs = peer(study, points)
        order = np.argsort(study.grid.is_transformer, kind="stable")
        solved = np.flatnonzero(found.status[0] == OK)
        flows = OutageFlows(network)
        injection_pu = points.injection_mva[0] / network.base_mva
        ours = flows.solve(points.v_pu[0], injection_pu, points.holds_voltage[0], solved)
        off = np.abs(theirs[np.argsort(order)[solved]] - ours).max()
        print(
            f"lightsim2grid ContingencyAnalysis, voltages only: {1e6 * seconds / outages:.0f} us of processor time an "
            f"outage, max |dV| {off:.1e} pu"
        )


if __name__ == "__main__":
    main()
