"""Where the grid binds: lines and links at their limit, by hours and rent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.compare.reinforcement import reinforcement
from gridtwin.compare.series import RunSeries

__all__ = ["Binding", "bindings"]

AT_LIMIT: Final = 1e-3  # share of the limit within which a link is full


@dataclass(frozen=True, slots=True)
class Binding:
    """A line or link that was at its limit in some hour.

    Parameters
    ----------
    name : str
    kind : str
        `line`, or the kind of the link: `dc`, `interface`, `back_to_back`.
    hours : float, h
    rent : float, money
        Of a line: shadow price times what it may carry; of a link: what arrives at the price there less what is sent at
        the price here, in those hours.
    """

    name: str
    kind: str
    hours: float
    rent: float


def bindings(run: RunSeries) -> tuple[Binding, ...]:
    """Return all that bound in a run, the dearest first."""
    lines = (Binding(one.line, "line", one.binding_h, one.rent_cost) for one in reinforcement(run).lines)
    found = [one for one in (*lines, *_links(run)) if one.hours > 0]
    return tuple(sorted(found, key=lambda one: (-one.rent, -one.hours)))


def _links(run: RunSeries) -> Iterator[Binding]:
    links, sent, price = run.inputs["links"], run.v["link_mw"], run.v["price_per_mwh"]
    kinds = links["kind"] if "kind" in links else np.full(len(links["link"]), "dc")
    back_mw = links.get("p_nom_back_mw", links["p_nom_mw"])
    limit_mw = np.where(sent > 0, links["p_nom_mw"], np.where(np.isfinite(back_mw), back_mw, links["p_nom_mw"]))
    full = (np.abs(sent) >= (1 - AT_LIMIT) * limit_mw) & (sent != 0)
    arrives = np.abs(sent) * (1 - links["loss"])
    here, there = price[:, links["from_index"]], price[:, links["to_index"]]
    at_source, at_sink = np.where(sent > 0, here, there), np.where(sent > 0, there, here)
    rent = (np.where(full, at_sink * arrives - at_source * np.abs(sent), 0.0) * run.step_h).sum(axis=0)
    for place, name in enumerate(links["link"].tolist()):
        yield Binding(str(name), str(kinds[place]), float(full[:, place].sum()) * run.step_h, float(rent[place]))
