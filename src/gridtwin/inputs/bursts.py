"""Bursts of a scenario in the terms of its run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from gridtwin.records import QueueAxes
from gridtwin.scenario import schema
from gridtwin.workload.bursts import Burst

__all__ = ["bursts_of"]


def bursts_of(bursts: Sequence[schema.Burst], start: datetime, axes: QueueAxes) -> tuple[Burst, ...]:
    """Return bursts in seconds after the start of the run; one of an origin holds for all parts of it."""
    found = []
    for burst in bursts:
        start_s = round((burst.start - start).total_seconds())
        origin = np.array([not burst.origins or axes.origin[of] in burst.origins for of in axes.link_origin.tolist()])
        found.append(Burst(start_s, start_s + burst.duration, burst.factor, origin))
    return tuple(found)
