"""What lines would have to carry more, and how much of their connections the sites use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from gridtwin.compare.records import Connection, LineNeed, Reinforcement
from gridtwin.compare.series import RunSeries
from gridtwin.units import FloatArray

__all__ = ["reinforcement"]

FULL_PERCENT: Final = 100.0
YEAR_H: Final = 8760.0


def reinforcement(run: RunSeries, cost_per_mw_km: float | None = None) -> Reinforcement:
    """Find the lines at or beyond their limits and the peaks of the sites.

    Parameters
    ----------
    run : RunSeries
    cost_per_mw_km : float, optional
        Annuity of a MW of line over a km, money per MW·km and year; counted for the span of the run.
    """
    found = Reinforcement(tuple(_needs(run)), tuple(_connections(run)), _without_load(run))
    if cost_per_mw_km is None or found.mw_km is None:
        return found
    years = run.card.steps * run.step_h / YEAR_H
    return Reinforcement(found.lines, found.connections, found.without_load, cost_per_mw_km * found.mw_km * years)


def _needs(run: RunSeries) -> Iterator[LineNeed]:
    """Yield the lines that are short of capacity or at their limit, the worst first."""
    lines, v = run.inputs["lines"], run.v
    loading, shadow = v["loading_percent"], v["shadow_price_per_mwh"]
    over = np.nan_to_num(loading - FULL_PERCENT, nan=0.0)
    rating_mw = np.where(np.isfinite(lines["rate_mw"]), lines["rate_mw"], 0.0)
    beyond_mw = np.where(over > 0, over, 0.0).max(axis=0) / FULL_PERCENT * rating_mw
    binding = shadow > 0
    rent = np.where(binding, shadow * np.where(binding, v["rate_mw"], 0.0), 0.0).sum(axis=0) * run.step_h
    at = np.flatnonzero((beyond_mw > 0) | binding.any(axis=0))
    for place in sorted(at, key=lambda line: (-beyond_mw[line], -rent[line])):
        hours = binding[:, place].sum()
        yield LineNeed(
            line=str(lines["line"][place]),
            beyond_mw=float(beyond_mw[place]),
            beyond_h=float((over[:, place] > 0).sum()) * run.step_h,
            binding_h=float(hours) * run.step_h,
            shadow_price_per_mwh=float(shadow[:, place].sum() / max(hours, 1)),
            rent_cost=float(rent[place]),
            length_km=_known(lines["length_km"][place]),
        )


def _connections(run: RunSeries) -> Iterator[Connection]:
    sites = run.inputs["sites"]
    peak: FloatArray = run.v["site_mw"].max(axis=0)
    for site, most, limit in zip(sites["site"].tolist(), peak.tolist(), sites["connection_mw"].tolist(), strict=True):
        yield Connection(site, most, _known(limit))


def _without_load(run: RunSeries) -> bool:
    """Whether nothing is asked of the data centres, so that they draw no more than idle power."""
    return run.run.kpis["jobs_submitted"] == 0 and not run.v["service_nodes"].any()


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
