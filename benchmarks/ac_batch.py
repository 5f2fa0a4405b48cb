"""AC steps per second: the batch solver against pandapower's `run_timeseries`, measured in the same run.

    python benchmarks/ac_batch.py [--repeats 5]

All solve the same steps without reactive limits, every load and generator scaled by a factor of its own, to 1e-10 pu.
The batch ends with voltages and with power at both ends of all branches. `run_timeseries` is shown three times:

    flows    as it comes, logging voltages and power at both ends of lines
    batch    logging what its batch reader can read (voltages, loadings): fast, but it never flags a diverged step
    safe     with `recycle=False`, the way that does flag it

Medians of the repeats; the first run of each, which compiles, is thrown away.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

import numpy as np
import pandapower as pp
import pandapower.networks
import pandas as pd
from pandapower.control import ConstControl
from pandapower.timeseries import DFData, OutputWriter, run_timeseries
from scipy import sparse

from gridtwin.grid.newton import bus_injection, line_injection, solve_batch

PEER_STEPS = 25
BATCH_STEPS = 400
CASES = ("case14", "case89pegase", "case118")  # RTS-GMLC has 73 buses
RUNPP = {"lightsim2grid": True, "numba": True, "tolerance_mva": 1e-8}
READABLE = [("res_bus", "vm_pu"), ("res_line", "loading_percent")]
FLOWS = [
    ("res_bus", "vm_pu"),
    *(("res_line", name) for name in ("p_from_mw", "q_from_mvar", "p_to_mw", "q_to_mvar")),
    ("res_load", "p_mw"),  # a table that the batch reader does not know, or it takes over and knows no flows
]
PEERS = {"flows": (FLOWS, {}), "batch": (READABLE, {}), "safe": (FLOWS, {"recycle": False})}


def factors(steps: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.9, 1.05, (steps, width))


def peer_seconds(name: str, peer: str) -> tuple[float, np.ndarray]:
    net = getattr(pandapower.networks, name)()
    logged, options = PEERS[peer]
    for table, columns in (("load", ("p_mw", "q_mvar")), ("gen", ("p_mw",))):
        for column in columns:
            values = net[table][column].to_numpy() * factors(PEER_STEPS, len(net[table]))
            source = DFData(pd.DataFrame(values, columns=[f"{row}" for row in net[table].index]))
            ConstControl(net, table, column, net[table].index, [f"{row}" for row in net[table].index], source)
    writer = OutputWriter(net, range(PEER_STEPS), output_path=None, log_variables=logged)
    start = time.perf_counter()
    run_timeseries(net, range(PEER_STEPS), verbose=False, **RUNPP, **options)
    return (time.perf_counter() - start) / PEER_STEPS, np.asarray(writer.output["res_bus.vm_pu"])


def batch_problem(name: str) -> tuple[dict, np.ndarray]:
    """Matrices in pandapower's order, and the injections of all steps."""
    net = getattr(pandapower.networks, name)()
    pp.runpp(net, **(RUNPP | {"lightsim2grid": False}))
    internal, order = net._ppc["internal"], net._pd2ppc_lookups["bus"]  # noqa: SLF001
    injection = np.zeros((BATCH_STEPS, len(internal["V"])), dtype=complex)
    for table, column, sign in (("load", "p_mw", -1), ("load", "q_mvar", -1j), ("gen", "p_mw", 1)):
        values = net[table][column].to_numpy() * factors(BATCH_STEPS, len(net[table]))
        np.add.at(injection, (slice(None), order[net[table]["bus"].to_numpy()]), sign * values)
    if len(net.sgen):
        fixed = net.sgen["p_mw"].to_numpy() + 1j * net.sgen["q_mvar"].to_numpy()
        np.add.at(injection, (slice(None), order[net.sgen["bus"].to_numpy()]), fixed)
    holds = np.zeros(injection.shape, dtype=bool)
    holds[:, internal["pv"]] = True
    return internal | {"order": order[net.bus.index], "holds": holds}, injection / internal["baseMVA"]


def batch_seconds(internal: dict, injection_pu: np.ndarray) -> tuple[float, np.ndarray]:
    ybus, y_from, y_to = (sparse.csr_matrix(internal[name]) for name in ("Ybus", "Yf", "Yt"))
    ends = [internal["branch"][:, column].real.astype(int) for column in (0, 1)]
    start = time.perf_counter()
    flows = solve_batch(ybus, internal["V"], injection_pu, internal["holds"], int(internal["ref"][0]))
    bus_injection(ybus, flows.v_pu)
    line_injection(y_from, flows.v_pu, ends[0])
    line_injection(y_to, flows.v_pu, ends[1])
    seconds = time.perf_counter() - start
    assert flows.converged.all()
    return seconds / BATCH_STEPS, np.abs(flows.v_pu)[:, internal["order"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")
    print(
        f"{'case':<18}{'run_timeseries':>16}{'ms a step':>11}{'our ms':>9}{'steps/s':>9}{'ratio':>7}{'max |dV| pu':>13}"
    )
    for name in CASES:
        internal, injection = batch_problem(name)
        for peer in PEERS:
            runs = [(peer_seconds(name, peer), batch_seconds(internal, injection)) for _ in range(repeats + 1)]
            theirs_ms, ours_ms = (1e3 * statistics.median(run[side][0] for run in runs[1:]) for side in (0, 1))
            difference = np.abs(runs[0][1][1][:PEER_STEPS] - runs[0][0][1]).max()
            speed = f"{theirs_ms:>11.2f}{ours_ms:>9.3f}{1e3 / ours_ms:>9.0f}{theirs_ms / ours_ms:>6.0f}x"
            print(f"{name:<18}{peer:>16}{speed}{difference:>13.1e}")


if __name__ == "__main__":
    main()
