"""What regions pay each other for the work that crosses between them (跨区算力结算)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["wan_settlement_table"]

Arrays = Mapping[str, np.ndarray]
Inputs = Mapping[str, Arrays]


def wan_settlement_table(variables: Arrays, inputs: Inputs) -> dict[str, np.ndarray]:
    """List what the region that sends data pays to the one that receives it; inside a region nothing is settled.

    Counted when everything has happened; no dispatch weighs it.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.

    Returns
    -------
    dict
        Columns `from_region`, `to_region`, `moved_gb`, `paid_cost`; pairs between which data moved. What one pays the
        other receives.
    """
    wan = inputs["wan"]
    moved_gb = variables["moved_gb"].sum(axis=0).ravel()
    sender = inputs["origins"]["region"][wan["origin_index"]]
    receiver = inputs["site_terms"]["region"][wan["site_index"]]
    paid = moved_gb * wan["settlement_per_gb"]
    between = (sender != receiver) & (moved_gb > 0)
    pairs = sorted(set(zip(sender[between].tolist(), receiver[between].tolist(), strict=True)))
    mine = [between & (sender == start) & (receiver == end) for start, end in pairs]
    return {
        "from_region": np.array([start for start, _ in pairs], dtype=str),
        "to_region": np.array([end for _, end in pairs], dtype=str),
        "moved_gb": np.array([moved_gb[rows].sum() for rows in mine]),
        "paid_cost": np.array([paid[rows].sum() for rows in mine]),
    }
