"""What links carried, how long they were full, and what that was worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.units import BoolArray, FloatArray

__all__ = ["AT_LIMIT", "Corridors", "corridors", "full_steps", "link_rent", "share_percent"]

ROUNDING_MW: Final = 1e-6  # a flow that is nearer to its contract keeps it
AT_LIMIT: Final = 1e-3  # share of its limit within which a link is full


@dataclass(frozen=True, slots=True, eq=False)
class Corridors:
    """What each link (link,) did in a run."""

    link: tuple[str, ...]
    kind: tuple[str, ...]
    sent_mwh: FloatArray  # from -> to, at the from end
    returned_mwh: FloatArray  # to -> from, at the to end
    full_h: FloatArray  # at its limit from -> to
    full_back_h: FloatArray  # at its limit to -> from
    apart_per_mwh: FloatArray  # mean gain of price along the flow while it is full; NaN where it never is
    rent_cost: FloatArray  # what arrives at the price there, less what is sent at the price here
    contract_mwh: FloatArray  # net from -> to; NaN where it keeps to none
    deviation_mwh: FloatArray  # absolute, off the contract; NaN where there is none


def corridors(variables: Mapping[str, np.ndarray], links: Mapping[str, np.ndarray], step_h: float) -> Corridors:
    """Draw up an account of each link.

    Parameters
    ----------
    variables : mapping of arrays
        `link_mw`, `contract_mw` (time, link) and `price_per_mwh` (time, bus), as stored by the run.
    links : mapping of arrays
        The table of the run's inputs.
    step_h : float, h
    """
    sent, contract, price = (variables[name] for name in ("link_mw", "contract_mw", "price_per_mwh"))
    full = full_steps(sent, links)
    gain = np.sign(sent) * (price[:, links["to_index"]] - price[:, links["from_index"]])
    full_steps_of = full.sum(axis=0)
    apart = np.full(len(full_steps_of), np.nan)
    np.divide(np.where(full, gain, 0.0).sum(axis=0), full_steps_of, out=apart, where=full_steps_of > 0)
    kept = ~np.isnan(contract)
    off = np.abs(sent - contract)
    return Corridors(
        link=tuple(links["link"].tolist()),
        kind=tuple(links["kind"].tolist()),
        sent_mwh=np.maximum(sent, 0.0).sum(axis=0) * step_h,
        returned_mwh=np.maximum(-sent, 0.0).sum(axis=0) * step_h,
        full_h=(full & (sent > 0)).sum(axis=0) * step_h,
        full_back_h=(full & (sent < 0)).sum(axis=0) * step_h,
        apart_per_mwh=apart,
        rent_cost=link_rent(sent, price, links, step_h).sum(axis=0),
        contract_mwh=_where_any(kept, contract) * step_h,
        deviation_mwh=_where_any(kept, np.where(off > ROUNDING_MW, off, 0.0)) * step_h,
    )


def full_steps(sent_mw: FloatArray, links: Mapping[str, np.ndarray]) -> BoolArray:
    """Where each (time, link) is at the limit of the direction that it sends in."""
    full: BoolArray = (sent_mw != 0) & (np.abs(sent_mw) >= (1 - AT_LIMIT) * _limit_mw(links, sent_mw))
    return full


def share_percent(links: Mapping[str, np.ndarray], sent_mw: FloatArray) -> FloatArray:
    """Flow of each (time, link) in percent of the limit of its direction; 0 where nothing flows."""
    limit_mw = _limit_mw(links, sent_mw)
    share = np.zeros(sent_mw.shape)
    np.divide(100.0 * np.abs(sent_mw), limit_mw, out=share, where=(sent_mw != 0) & (limit_mw > 0))
    return share


def _limit_mw(links: Mapping[str, np.ndarray], sent_mw: FloatArray) -> FloatArray:
    back_mw = np.where(np.isfinite(links["p_nom_back_mw"]), links["p_nom_back_mw"], links["p_nom_mw"])
    return np.where(sent_mw > 0, links["p_nom_mw"], back_mw)


def link_rent(
    sent_mw: FloatArray, price_per_mwh: FloatArray, links: Mapping[str, np.ndarray], step_h: float
) -> FloatArray:
    """What each (time, link) earns; below 0 where it carries power to where it is worth less."""
    here, there = price_per_mwh[:, links["from_index"]], price_per_mwh[:, links["to_index"]]
    source, sink = np.where(sent_mw > 0, here, there), np.where(sent_mw > 0, there, here)
    return np.asarray((sink * (1 - links["loss"]) - source) * np.abs(sent_mw) * step_h)


def _where_any(known: BoolArray, values: FloatArray) -> FloatArray:
    """Sum of (time, column) where known; NaN for columns in which nothing is."""
    return np.where(known.any(axis=0), np.where(known, values, 0.0).sum(axis=0), np.nan)
