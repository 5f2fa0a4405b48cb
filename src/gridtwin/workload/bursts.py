"""Bursts: spans in which more is asked than usual, or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridtwin.units import BoolArray, FloatArray, IntArray

__all__ = ["Burst", "factor_at", "mean_factor", "surroundings"]


@dataclass(frozen=True, slots=True, eq=False)
class Burst:
    """A factor on what some origins ask in a span of time; those of bursts that overlap multiply.

    Parameters
    ----------
    start_s, end_s : int, s
        After the start of the run, the second excluded; may lie outside it.
    factor : float
        Above 0.
    origin : ndarray (origin,) of bool
        Where it holds.
    """

    start_s: int
    end_s: int
    factor: float
    origin: BoolArray


def factor_at(bursts: Sequence[Burst], time_s: IntArray, origin: IntArray) -> FloatArray:
    """Return the product of the factors that hold at some instants and origins, (…), which broadcast.

    Examples
    --------
    >>> everywhere = np.array([True])
    >>> bursts = [Burst(10, 30, 2.0, everywhere), Burst(20, 40, 3.0, everywhere)]
    >>> factor_at(bursts, np.array([0, 10, 20, 30, 40]), np.array(0)).tolist()
    [1.0, 2.0, 6.0, 3.0, 1.0]
    """
    factor = np.ones(np.broadcast(time_s, origin).shape)
    for burst in bursts:
        holds = (time_s >= burst.start_s) & (time_s < burst.end_s) & burst.origin[origin]
        factor = np.where(holds, factor * burst.factor, factor)
    return factor


def mean_factor(bursts: Sequence[Burst], steps: int, step_s: int, origins: int) -> FloatArray:
    """Return the mean of `factor_at` over each step (step, origin); steps that a burst enters midway count in part."""
    end_s = steps * step_s
    edge = np.unique(np.concatenate([np.arange(steps + 1) * step_s, _edges(bursts)]))
    edge = edge[(edge >= 0) & (edge <= end_s)]
    factor = factor_at(bursts, edge[:-1, None], np.arange(origins))
    first = np.searchsorted(edge, np.arange(steps) * step_s)
    weighted: FloatArray = np.add.reduceat(factor * np.diff(edge)[:, None], first, axis=0)
    return weighted / step_s


def surroundings(bursts: Sequence[Burst], time_s: IntArray) -> tuple[IntArray, IntArray]:
    """Return the last beginning or end of a burst up to each instant, and the first after it: the factor holds between.

    Before the first and after the last these are as far away as integers reach.
    """
    far = np.iinfo(np.int64)
    edge = np.concatenate([[far.min], _edges(bursts), [far.max]])
    after = np.searchsorted(edge, time_s, side="right")
    return edge[after - 1], edge[after]


def _edges(bursts: Sequence[Burst]) -> IntArray:
    return np.unique(np.array([second for burst in bursts for second in (burst.start_s, burst.end_s)], np.int64))
