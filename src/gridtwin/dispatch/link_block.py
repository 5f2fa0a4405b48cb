"""Columns of HVDC links: what is sent at either end, less of which arrives at the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.dispatch.grid_block import InjectionMap
from gridtwin.dispatch.problem import LinkProblem
from gridtwin.optim import Program
from gridtwin.units import IntArray

__all__ = ["LinkColumns", "add_links"]


@dataclass(frozen=True, slots=True, eq=False)
class LinkColumns:
    """Where the links' columns are; a link without losses has one signed column and -1 for the other direction."""

    forward: IntArray  # (time, dispatched) sent at the from end
    backward: IntArray  # (time, dispatched) sent at the to end


def add_links(program: Program, links: LinkProblem, injection: InjectionMap) -> LinkColumns:
    """Add the power sent in either direction; what leaves and arrives goes into `injection`."""
    lossy = np.broadcast_to(links.loss > 0, links.rate_mw.shape)
    forward = program.columns(links.rate_mw.shape, lower=np.where(lossy, 0.0, -links.rate_mw), upper=links.rate_mw)
    backward = np.full(forward.shape, -1, dtype=np.int64)
    backward[lossy] = program.columns((int(lossy.sum()),), upper=links.rate_mw[lossy])
    arriving = 1.0 - links.loss
    for sent, here, there in ((forward, links.from_bus, links.to_bus), (backward, links.to_bus, links.from_bus)):
        injection.add(sent, here, -1.0)
        injection.add(sent, there, arriving)
    return LinkColumns(forward, backward)
