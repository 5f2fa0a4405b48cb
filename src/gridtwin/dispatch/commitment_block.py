"""Online capacity of groups that start and stop by the day, reserve of zones, and plants that serve one link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridtwin.dispatch.link_block import LinkColumns
from gridtwin.dispatch.problem import Commitment, GridProblem
from gridtwin.dispatch.store_block import StoreColumns
from gridtwin.optim import Program
from gridtwin.units import BoolArray, IntArray

__all__ = ["OnlineColumns", "add_bundles", "add_commitment"]


@dataclass(frozen=True, slots=True, eq=False)
class OnlineColumns:
    """Where the online capacity stands."""

    online: IntArray  # (time, group), -1 where it is not decided; steps of a block share theirs
    short: IntArray  # (time, zone) reserve that is missing


def add_commitment(program: Program, problem: GridProblem, segment: IntArray, stores: StoreColumns) -> OnlineColumns:
    """Keep the output of committed groups between a share of their online capacity and all of it.

    Parameters
    ----------
    program : what is being written
    problem : GridProblem
    segment : ndarray (time, segment)
        Columns of output above the floor.
    stores : StoreColumns
    """
    steps, groups = problem.lower_mw.shape
    columns = np.full((steps, groups), -1, dtype=np.int64)
    commitment = problem.commitment
    if commitment is None:
        return OnlineColumns(columns, np.full((steps, 0), -1, dtype=np.int64))
    blocks = int(commitment.block.max(initial=-1)) + 1
    most = np.zeros((blocks, len(commitment.group)))
    np.maximum.at(most, commitment.block, problem.upper_mw[:, commitment.group])
    columns[:, commitment.group] = program.columns(most.shape, upper=most)[commitment.block]
    _limit_output(program, problem, commitment, segment, columns)
    return OnlineColumns(columns, _hold_reserve(program, problem, commitment, segment, columns, stores))


def _limit_output(
    program: Program, problem: GridProblem, commitment: Commitment, segment: IntArray, online: IntArray
) -> None:
    """Share · online <= floor + segments <= online."""
    place = np.full(len(problem.groups), -1, dtype=np.int64)
    place[commitment.group] = np.arange(len(commitment.group))
    own = np.flatnonzero(place[problem.groups.segment_group] >= 0)
    of_own = place[problem.groups.segment_group[own]]
    floor = problem.lower_mw[:, commitment.group]
    for share, lower, upper in (
        (np.ones(len(commitment.group)), -np.inf, -floor),
        (commitment.least_share, -floor, np.inf),
    ):
        rows = program.rows(floor.shape, lower, upper)
        program.entries(rows[:, of_own], segment[:, own], 1.0)
        program.entries(rows, online[:, commitment.group], -share)


def _hold_reserve(
    program: Program,
    problem: GridProblem,
    commitment: Commitment,
    segment: IntArray,
    online: IntArray,
    stores: StoreColumns,
) -> IntArray:
    """Online capacity, and all that needs no commitment, less output + shortfall >= reserve, in zones that ask for it.

    Groups that the weather limits hold none. What a store adds is not bounded by its energy.
    """
    groups, zone = problem.groups, commitment.zone
    asked: BoolArray = np.any(commitment.reserve_mw > 0, axis=0)
    committed = np.zeros(len(groups), dtype=np.bool_)
    committed[commitment.group] = True
    ready = ~groups.profiled & ~committed
    room = problem.upper_mw - problem.lower_mw
    needed = commitment.reserve_mw.copy()
    for z in np.flatnonzero(asked):
        here = zone[groups.bus] == z
        needed[:, z] -= room[:, ready & here].sum(axis=1) - problem.lower_mw[:, committed & here].sum(axis=1)
        needed[:, z] -= problem.stores.discharge_mw[:, zone[problem.stores.bus] == z].sum(axis=1)
    rows = np.full(needed.shape, -1, dtype=np.int64)
    rows[:, asked] = program.rows((len(needed), int(asked.sum())), needed[:, asked], np.inf)
    short = np.full(needed.shape, -1, dtype=np.int64)
    short[:, asked] = program.columns(
        (len(needed), int(asked.sum())), cost=problem.penalties.reserve_per_mwh * problem.step_h
    )
    program.entries(rows, short, 1.0)
    program.entries(rows[:, zone[groups.bus]], online, 1.0)
    holds = (committed | ready)[groups.segment_group]
    program.entries(rows[:, zone[groups.bus[groups.segment_group[holds]]]], segment[:, holds], -1.0)
    for flow, sign in ((stores.charge, 1.0), (stores.discharge, -1.0)):
        program.entries(rows[:, zone[problem.stores.bus]], flow, sign)
    return short


def add_bundles(program: Program, problem: GridProblem, segment: IntArray, links: LinkColumns) -> None:
    """Output of all groups that serve one link <= what that link sends from -> to."""
    bundles = problem.bundles
    if bundles is None or not len(bundles.group):
        return
    groups = problem.groups
    for carrier in np.unique(groups.link[bundles.group]):
        own = bundles.group[groups.link[bundles.group] == carrier]
        first = int(np.flatnonzero(bundles.group == own[0])[0])
        place, floor = int(bundles.link[first]), problem.lower_mw[:, own].sum(axis=1)
        known = bundles.sent_mw[:, first] if place < 0 else 0.0
        rows = program.rows(floor.shape, -np.inf, np.maximum(known - floor, 0.0) if place < 0 else -floor)
        columns = np.flatnonzero(np.isin(groups.segment_group, own))
        program.entries(rows[:, None], segment[:, columns], 1.0)
        if place >= 0:
            program.entries(rows, links.forward[:, place], -1.0)
            program.entries(rows, links.backward[:, place], 1.0)
