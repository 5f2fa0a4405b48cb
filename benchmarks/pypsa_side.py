"""The same weeks in PyPSA: reads the tables that `pypsa_peer.py` wrote, rolls over them, prints cost and time as JSON.

Runs in an environment of its own with PyPSA 1.2.4. It knows nothing of gridtwin.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pypsa


def network(tables: dict[str, np.ndarray]) -> pypsa.Network:
    """Lines and buses, units in segments behind a link that ramps, work as a store that sites run down."""
    t = tables
    n = pypsa.Network(snapshots=pd.RangeIndex(len(t["load_mw"])))
    buses = [f"b{b}" for b in range(t["load_mw"].shape[1])]
    n.add("Bus", [*buses, "work"], v_nom=1.0)
    lines = [f"l{line}" for line in range(len(t["x_pu"]))]
    ends = ([buses[b] for b in t[end]] for end in ("line_from", "line_to"))
    n.add("Line", lines, **dict(zip(("bus0", "bus1"), ends, strict=True)), x=t["x_pu"], r=1e-9, s_nom=t["rate_mw"])
    used = np.flatnonzero(t["load_mw"].max(axis=0) > 0)
    n.add("Load", [f"d{b}" for b in used], bus=[buses[b] for b in used])
    n.loads_t.p_set = series(n, [f"d{b}" for b in used], t["load_mw"][:, used])
    n.add(
        "Generator", [f"shed{b}" for b in used], bus=[buses[b] for b in used], p_nom=1e5, marginal_cost=float(t["shed"])
    )
    add_units(n, t, buses)
    add_work(n, t, buses)
    return n


def add_units(n: pypsa.Network, t: dict[str, np.ndarray], buses: list[str]) -> None:
    """One bus per group of units: segments feed it, a link with the ramp of the group leads to the grid."""
    groups = [f"g{g}" for g in range(len(t["group_bus"]))]
    n.add("Bus", groups, v_nom=1.0)
    ramp = np.where(np.isfinite(t["ramp_share"]), t["ramp_share"], np.nan)
    to_grid = [buses[b] for b in t["group_bus"]]
    n.add("Link", groups, bus0=groups, bus1=to_grid, p_nom=t["group_mw"], ramp_limit_up=ramp, ramp_limit_down=ramp)
    owner = t["segment_group"]
    names = [f"s{s}" for s in range(len(owner))]
    own = [groups[g] for g in owner]
    n.add("Generator", names, bus=own, p_nom=t["segment_mw"], marginal_cost=t["segment_cost"])
    n.generators_t.p_max_pu = series(n, names, t["segment_max_pu"])
    n.generators_t.p_min_pu = series(n, names, t["segment_min_pu"])


def add_work(n: pypsa.Network, t: dict[str, np.ndarray], buses: list[str]) -> None:
    """Node-hours arrive as a load; what is not run yet is missing from a store that may run down until it is due."""
    largest = float(t["room_node_h"].max())
    n.add("Load", "arrivals", bus="work")
    n.loads_t.p_set["arrivals"] = t["arriving_nodes"]
    n.add("Store", "backlog", bus="work", e_nom=largest, e_initial=largest)
    n.stores_t.e_min_pu = series(n, ["backlog"], (1.0 - t["room_node_h"] / largest)[:, None])
    sites = [f"site{s}" for s in range(len(t["site_bus"]))]
    at = [buses[b] for b in t["site_bus"]]
    node_mw, nodes = t["node_mw"], t["nodes"]
    n.add("Link", sites, bus0=at, bus1="work", p_nom=(node_mw * nodes).max(axis=0))
    n.links_t.efficiency = series(n, sites, 1.0 / node_mw)
    n.links_t.p_max_pu = series(n, sites, node_mw * nodes / (node_mw * nodes).max(axis=0))


def series(n: pypsa.Network, names: list[str], values: np.ndarray) -> pd.DataFrame:
    """Return a table with one row per snapshot."""
    return pd.DataFrame(values, index=n.snapshots, columns=names)


def main() -> None:
    """Roll over the week and print one JSON object."""
    warnings.simplefilter("ignore")
    tables = dict(np.load(Path(sys.argv[1])))
    horizon, overlap = int(sys.argv[2]), int(sys.argv[3])
    n = network(tables)
    starts = range(0, max(len(n.snapshots) - overlap, 1), horizon - overlap)
    begun = perf_counter()
    n.optimize.optimize_with_rolling_horizon(
        horizon=horizon, overlap=overlap, solver_name="highs", log_to_console=False, include_objective_constant=False
    )
    seconds = (perf_counter() - begun) / len(starts)
    paid = n.generators_t.p.mul(n.generators.marginal_cost, axis=1).to_numpy().sum()
    print(json.dumps({"cost": float(paid), "seconds": seconds, "windows": len(starts), "pypsa": pypsa.__version__}))


if __name__ == "__main__":
    main()
