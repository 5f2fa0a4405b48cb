"""Rules that sites are held to, and whether they were kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.economics.accounts import SiteAccounts, racks_used
from gridtwin.units import FloatArray

__all__ = ["RULES", "rule_counts", "rules_table"]

PUE, RACK_USE, GREEN_SHARE = RULES = ("pue", "rack_use", "green_share")

Arrays = Mapping[str, np.ndarray]
Inputs = Mapping[str, Arrays]


def rules_table(variables: Arrays, inputs: Inputs, accounts: SiteAccounts) -> dict[str, np.ndarray]:
    """List each rule of each site that has one.

    Parameters
    ----------
    variables, inputs : mappings of arrays
        As stored by the run.
    accounts : SiteAccounts

    Returns
    -------
    dict
        Columns `site`, `rule`, `limit`, `value`, `met`. The PUE may not exceed its limit; the others may not fall below
        theirs. A value that cannot be told is NaN and meets nothing.
    """
    facts = inputs["site_facts"]
    energy = variables["facility_mw"].sum(axis=0), variables["it_mw"].sum(axis=0)
    claimed = accounts.kind_mwh.sum(axis=1)
    rules = {
        PUE: (facts["pue_limit"], _ratio(*energy), -1.0),
        RACK_USE: (facts["rack_use_min"], _ratio(racks_used(inputs), facts["racks"]), 1.0),
        GREEN_SHARE: (inputs["site_terms"]["green_share_min"], _ratio(claimed, accounts.energy_mwh), 1.0),
    }
    rows = [
        (str(site), rule, float(limit[index]), float(value[index]), bool(sign * (value - limit)[index] >= 0))
        for index, site in enumerate(inputs["sites"]["site"])
        for rule, (limit, value, sign) in rules.items()
        if np.isfinite(limit[index])
    ]
    kinds = (("site", str), ("rule", str), ("limit", float), ("value", float), ("met", bool))
    return {name: np.array([row[place] for row in rows], dtype=kind) for place, (name, kind) in enumerate(kinds)}


def rule_counts(table: Arrays) -> dict[str, dict[str, int]]:
    """Return how many sites keep and break each rule that any has."""
    return {
        rule: {"met": int(table["met"][mine].sum()), "broken": int((~table["met"][mine]).sum())}
        for rule in RULES
        if (mine := table["rule"] == rule).any()
    }


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """`part / whole`, NaN where there is no whole."""
    return np.where(whole > 0, ratio_or_zero(part, whole), np.nan)
