"""Solve exported networks as they are; runs in an environment of its own with PyPSA and knows nothing of gridtwin.

Usage: python pypsa_solve.py FOLDER…; writes one JSON object per folder.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pypsa


def solve(folder: Path) -> dict[str, object]:
    n = pypsa.Network(str(folder))
    settled = pd.read_csv(folder / "buses-marginal_price.csv", index_col=0)
    status = n.optimize(solver_name="highs", log_to_console=False, include_objective_constant=False)
    price = n.buses_t.marginal_price[settled.columns].to_numpy()
    burnt = n.generators_t.p.mul(n.snapshot_weightings.generators, axis=0) / n.generators.efficiency
    co2 = n.generators.carrier.map(n.carriers.co2_emissions)
    stored = n.stores_t.e.to_numpy() - pd.read_csv(folder / "stores-e.csv", index_col=0).to_numpy()
    return {
        "status": list(status),
        "cost": float(n.objective),
        "price_difference": np.abs(price - settled.to_numpy()).max(axis=1).tolist(),
        "stored_difference": float(np.abs(stored).max()),
        "shed_mwh": float(n.generators_t.p.filter(like="shed ").to_numpy().sum()),
        "co2_t": float((burnt * co2).to_numpy().sum()),
        "names": {kind: sorted(n.components[kind].static.index) for kind in ("Bus", "Load", "Line", "Store")},
    }


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    pypsa.options.general.allow_network_requests = False
    for folder in sys.argv[1:]:
        sys.stdout.write(json.dumps(solve(Path(folder))) + "\n")


if __name__ == "__main__":
    main()
