"""Where the grid binds: lines and links at their limit, links held by a contract, by hours and rent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from gridtwin.compare.reinforcement import reinforcement
from gridtwin.compare.series import RunSeries
from gridtwin.economics.corridors import AT_LIMIT, full_steps, link_rent
from gridtwin.units import BoolArray, FloatArray

__all__ = ["Binding", "bindings"]

WORTH: Final = 0.01  # share of the mean price above which another MWh over a contract would be worth something

HeldBy: TypeAlias = Literal["limit", "contract"]


@dataclass(frozen=True, slots=True)
class Binding:
    """A line or link that was held in some hour.

    Parameters
    ----------
    name : str
    kind : str
        `line`, or the kind of the link: `dc`, `interface`, `back_to_back`.
    held_by : {"limit", "contract"}
        A contract holds a link where one MWh more or less over it would lower the cost.
    hours : float, h
    rent : float, money
        Of a line: shadow price times what it may carry; of a link: what arrives at the price there less what is sent at
        the price here, in those hours; below 0 where a contract sends power to where it is worth less.
    """

    name: str
    kind: str
    held_by: HeldBy
    hours: float
    rent: float


def bindings(run: RunSeries) -> tuple[Binding, ...]:
    """Return all that held a run back, the largest rent first."""
    lines = (Binding(one.line, "line", "limit", one.binding_h, one.rent_cost) for one in reinforcement(run).lines)
    found = [one for one in (*lines, *_links(run)) if one.hours > 0]
    return tuple(sorted(found, key=lambda one: (-abs(one.rent), -one.hours)))


def _links(run: RunSeries) -> Iterator[Binding]:
    links, sent, price = run.inputs["links"], run.v["link_mw"], run.v["price_per_mwh"]
    here, there = price[:, links["from_index"]], price[:, links["to_index"]]
    rent = link_rent(sent, price, links, run.step_h)
    contract = _kept(run.v["contract_mw"], sent, links["p_nom_mw"]) & _worth_leaving(here, there, links["loss"])
    full = full_steps(sent, links)
    held: tuple[tuple[HeldBy, BoolArray], ...] = (("limit", full), ("contract", contract & ~full))
    for place, name in enumerate(links["link"].tolist()):
        for held_by, steps in held:
            hours = float(steps[:, place].sum()) * run.step_h
            yield Binding(
                str(name), str(links["kind"][place]), held_by, hours, float(rent[steps[:, place], place].sum())
            )


def _kept(contract_mw: FloatArray, sent_mw: FloatArray, rating_mw: FloatArray) -> BoolArray:
    """Where a link keeps to a contract; nowhere without one."""
    kept: BoolArray = np.abs(sent_mw - contract_mw) <= AT_LIMIT * rating_mw
    return kept


def _worth_leaving(here: FloatArray, there: FloatArray, loss: FloatArray) -> BoolArray:
    """Where one more MWh in either direction would be worth more at its end than at its start."""
    gain = np.maximum(there * (1 - loss) - here, here * (1 - loss) - there)
    worth: BoolArray = gain > WORTH * (np.abs(here) + np.abs(there)) / 2
    return worth
