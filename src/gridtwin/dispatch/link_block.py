"""Columns of links: what is sent at either end, less of which arrives at the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.problem import LinkProblem
from gridtwin.optim import Program
from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["LinkColumns", "add_links"]


@dataclass(frozen=True, slots=True, eq=False)
class LinkColumns:
    """Where the links' columns are; -1 for a direction without one. Steps of one slot share theirs.

    A link without losses and cost has one signed column, `forward`.
    """

    forward: IntArray  # (time, dispatched) sent at the from end
    backward: IntArray  # (time, dispatched) sent at the to end


@dataclass(frozen=True, slots=True, eq=False)
class _Limits:
    """What each (time, dispatched) sends at least and at most at the from end, and at most at the to end."""

    least_mw: FloatArray
    most_mw: FloatArray
    back_mw: FloatArray


def add_links(program: Program, links: LinkProblem, injection: InjectionMap, step_h: float) -> LinkColumns:
    """Add the power sent in either direction; what leaves and arrives goes into `injection`.

    A contract holds exactly, or costs its price for every MWh by which the flow leaves it.
    """
    limits = _limits(links)
    columns = _columns(program, links, limits, step_h)
    arriving = 1.0 - links.loss
    for sent, here, there in (
        (columns.forward, links.from_bus, links.to_bus),
        (columns.backward, links.to_bus, links.from_bus),
    ):
        injection.add(sent, here, -1.0)
        injection.add(sent, there, arriving)
    _price_deviations(program, links, columns, step_h)
    return columns


def _limits(links: LinkProblem) -> _Limits:
    """Return the limits, closed to the contract where that may not be left."""
    shape = links.rate_mw.shape
    least = np.zeros(shape) if links.least_mw is None else links.least_mw
    back = links.rate_mw if links.back_mw is None else links.back_mw
    back = np.where(least > 0, 0.0, back)
    if links.contract_mw is None:
        return _Limits(least, links.rate_mw, back)
    firm = _is_firm(links)
    sent, returned = (np.maximum(sign * np.nan_to_num(links.contract_mw), 0.0) for sign in (1.0, -1.0))
    return _Limits(
        least_mw=np.where(firm, sent, least),
        most_mw=np.where(firm, sent, links.rate_mw),
        back_mw=np.where(firm, returned, back),
    )


def _may_deviate(links: LinkProblem) -> BoolArray:
    """Whether each (time, dispatched) has a contract that may be left at a price."""
    if links.contract_mw is None or links.deviation_per_mwh is None:
        return np.zeros(links.rate_mw.shape, dtype=np.bool_)
    priced: BoolArray = np.isfinite(links.deviation_per_mwh)
    return ~np.isnan(links.contract_mw) & priced


def _is_firm(links: LinkProblem) -> BoolArray:
    """Whether each (time, dispatched) has a contract that may not be left."""
    if links.contract_mw is None:
        return np.zeros(links.rate_mw.shape, dtype=np.bool_)
    return ~np.isnan(links.contract_mw) & ~_may_deviate(links)


def _columns(program: Program, links: LinkProblem, limits: _Limits, step_h: float) -> LinkColumns:
    """One column for each slot and direction that can be used."""
    shape = links.rate_mw.shape
    steps = np.broadcast_to(np.arange(shape[0])[:, None], shape)
    slot = steps if links.slot is None else links.slot
    cost = np.broadcast_to(0.0 if links.cost_per_mwh is None else links.cost_per_mwh * step_h, shape)
    lossless = np.broadcast_to((links.loss == 0), shape) & (limits.least_mw == 0) & (cost == 0)
    firm_back = np.where(_is_firm(links), limits.back_mw, 0.0)
    least = np.where(lossless, limits.least_mw - limits.back_mw, limits.least_mw)
    most = np.where(lossless, limits.most_mw - firm_back, limits.most_mw)
    backward = np.where(lossless, 0.0, limits.back_mw)
    return LinkColumns(
        forward=_shared(program, slot, least, most, cost, np.ones(shape, dtype=np.bool_)),
        backward=_shared(program, slot, np.where(lossless, 0.0, firm_back), backward, cost, backward > 0),
    )


def _shared(
    program: Program, slot: IntArray, least: FloatArray, most: FloatArray, cost: FloatArray, used: BoolArray
) -> IntArray:
    """Return one column for each used (slot, link), within the limits of all its steps and at the cost of them all."""
    columns = np.full(slot.shape, -1, dtype=np.int64)
    step, link = np.nonzero(used)
    if not len(step):
        return columns
    key, first, place = np.unique(np.stack([slot[step, link], link]), axis=1, return_index=True, return_inverse=True)
    low, high, dear = np.full(key.shape[1], -np.inf), np.full(key.shape[1], np.inf), np.zeros(key.shape[1])
    np.add.at(dear, place.ravel(), cost[step, link])
    np.maximum.at(low, place.ravel(), least[step, link])
    np.minimum.at(high, place.ravel(), most[step, link])
    order = np.argsort(first, kind="stable")
    number = np.empty_like(order)
    number[order] = program.columns(order.shape, lower=low[order], upper=high[order], cost=dear[order])
    columns[step, link] = number[place.ravel()]
    return columns


def _price_deviations(program: Program, links: LinkProblem, columns: LinkColumns, step_h: float) -> None:
    """Sent - returned + less - more = contract, where a contract may be left."""
    step, link = np.nonzero(_may_deviate(links))
    if links.contract_mw is None or links.deviation_per_mwh is None or not len(step):
        return
    contract = links.contract_mw[step, link]
    apart = program.columns((2, len(step)), cost=links.deviation_per_mwh[link] * step_h)
    rows = program.rows(step.shape, contract, contract)
    program.entries(rows, columns.forward[step, link], 1.0)
    program.entries(rows, columns.backward[step, link], -1.0)
    program.entries(rows, apart, np.array([[1.0], [-1.0]]))
