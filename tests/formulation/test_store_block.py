"""Stores, links, directions and reserve, one linear program each."""

from dataclasses import fields, replace

import numpy as np

from gridtwin.dispatch.grid_block import InjectionMap, add_grid
from gridtwin.dispatch.link_block import add_links
from gridtwin.dispatch.one_way import one_way
from gridtwin.dispatch.reserve_rows import ReserveRows
from gridtwin.dispatch.store_block import add_stores
from gridtwin.optim import Program, Session


def written(problem):
    """Grid, stores and links of a problem, and the names of their columns; no balance."""
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    columns = add_grid(program, problem, injection)
    stores = add_stores(program, problem, columns.segment, injection)
    links = add_links(program, problem.links, injection, problem.step_h)
    shed = np.full(problem.load_mw.shape, -1)
    shed[:, columns.shed_bus] = columns.shed
    flows = {field.name: getattr(stores, field.name) for field in fields(stores) if field.name != "balance"}
    flows["let_go"] = flows.pop("spill")
    sent = {"forward": links.forward, "backward": links.backward}
    names = {"segment": columns.segment, "shed": shed, "spill": columns.spill[:, 0], **flows, **sent}
    return program, injection, names, (columns.segment, stores, links)


def injected(injection, n_columns):
    """Put the injection into a program of its own: one row per (time, bus), equal to what is fixed."""
    program = Program()
    program.columns((n_columns,))
    matrix = injection.matrix(n_columns).tocoo()
    rows = program.rows(injection.constant.shape, -injection.constant, -injection.constant).ravel()
    program.entries(rows[matrix.row], matrix.col, matrix.data)
    return program


def test_battery(hand_units, hand_grid, hand_stores, check_golden):
    """charge, discharge, level[time, store], part[...]: two steps of half an hour, 20 of 40 MWh at first.

    Of 1 MW for half an hour 0.4 MWh arrive and 0.625 MWh are taken; 1 % is lost in a step. Nothing can be charged in
    step 1, nothing flows in, so that there is nothing to let go. The first 10 MWh left are worth 30 each, 30 more 12.
    """
    stores = hand_stores(
        2,
        charge_mw=np.array([[20.0], [0.0]]),
        kept_share=np.array([0.99]),
        value_mwh=np.array([[10.0, 30.0]]),
        value_per_mwh=np.array([[30.0, 12.0]]),
    )
    units, zero = hand_units([(0, 0.0, np.inf, [(100, 10, 0)])]), np.zeros((2, 3))
    problem = hand_grid(units, steps=2, step_h=0.5, load_mw=zero, injection_mw=zero, stores=stores)
    program, _, names, _ = written(problem)
    check_golden(program, names, rest="part")


def test_reservoir_feeds_units(hand_units, hand_grid, hand_stores, check_golden):
    """segment[time, segment], let_go, level[time, store], part[...]: two steps of one hour, 16 then 0 MW flow in.

    Units 0 and 1 generate from it at 80 %, unit 0 with a floor of 4 MW; unit 2 does not. Level, from 20 MWh:
    level0 + (s0 + s1) / 0.8 + let_go = 20 + 16 - 4 / 0.8. Only what flows in can be let go.
    """
    units = hand_units(
        [(2, 4.0, np.inf, [(30, 1, 0)]), (2, 0.0, np.inf, [(50, 2, 0)]), (0, 0.0, np.inf, [(100, 9, 0)])]
    )
    none = np.zeros((2, 1))
    stores = hand_stores(2, charge_mw=none, discharge_mw=none, inflow_mw=np.array([[16.0], [0.0]]))
    zero = np.zeros((2, 3))
    units = replace(units, store=np.array([0, 0, -1]))
    problem = hand_grid(units, steps=2, load_mw=zero, injection_mw=zero, stores=stores)
    program, _, names, _ = written(problem)
    check_golden(program, names, rest="part")


def test_injection_of_stores_and_links(hand_units, hand_grid, hand_stores, hand_links, check_golden):
    """Injection at buses 0, 1 and 2 of one step: charge and discharge at bus 2, a link from 0 to 2 that loses a tenth.

    A second link, from 1 to 0, loses nothing and has one signed column. (Bounds stand in the program itself.)
    """
    links = hand_links(
        index=np.arange(2),
        from_bus=np.array([0, 1]),
        to_bus=np.array([2, 0]),
        rate_mw=np.array([[50.0, 30.0]]),
        loss=np.array([0.1, 0.0]),
    )
    units, zero = hand_units([(0, 0.0, np.inf, [(100, 10, 0)])]), np.zeros((1, 3))
    problem = hand_grid(units, load_mw=zero, injection_mw=zero, stores=hand_stores(), links=links)
    program, injection, names, _ = written(problem)
    np.testing.assert_array_equal(program.column_bounds[0][names["forward"]], [[0, -30]])
    np.testing.assert_array_equal(program.column_bounds[1][names["forward"]], [[50, 30]])
    np.testing.assert_array_equal(names["backward"][:, 1], -1)
    check_golden(injected(injection, program.n_columns), names, rest="part")


def test_one_direction(hand_units, hand_grid, hand_stores, hand_links, check_golden):
    """is_into[...]: binaries of the pumped hydro and of the link in step 1 of two.

    It draws 20 MW at most or gives 20 MW by its converter and 30 MW by unit 1; the link carries 50 MW either way.
    """
    units = hand_units([(0, 0.0, np.inf, [(100, 10, 0)]), (2, 0.0, np.inf, [(10, 1, 0), (20, 2, 0)])])
    zero = np.zeros((2, 3))
    problem = hand_grid(
        replace(units, store=np.array([-1, 0])),
        steps=2,
        load_mw=zero,
        injection_mw=zero,
        stores=hand_stores(2),
        links=hand_links(2),
    )
    program, _, names, parts = written(problem)
    session = Session(program)
    one_way(problem, np.zeros((2, 1), dtype=int), *parts)._write(session, np.array([1, 3]))
    empty = dict.fromkeys(("part",), np.flatnonzero(~np.isin(np.arange(program.n_columns), _named(names))))
    check_golden(session, names | empty, rest="is_into")


def test_reserve(hand_units, hand_grid, hand_stores, check_golden):
    """short[0], slow[...], lasting[...] as rest[0, 1, 2]: 90 MW of reserve in a step of half an hour.

    Unit 0 has 100 MW and ramps 120 MW/h, 20 MW in ten minutes, so that it gets a column; unit 1 has 40 MW and ramps as
    fast as one likes; unit 2 generates from the store, 15 MW. The store adds 20 - discharge + charge + (15 - u2), for
    an hour at 80 %: rest[2] <= 0.8 level. The row is 90 <= short + slow + (40 - u1) + lasting; shortfall costs 200.
    """
    units = hand_units(
        [(0, 0.0, 120.0, [(60, 10, 0), (40, 12, 0)]), (1, 0.0, np.inf, [(40, 30, 0)]), (2, 0.0, np.inf, [(15, 1, 0)])]
    )
    zero = np.zeros((1, 3))
    problem = hand_grid(
        replace(units, store=np.array([-1, -1, 0])),
        step_h=0.5,
        load_mw=zero,
        injection_mw=zero,
        stores=hand_stores(),
        reserve_mw=np.array([90.0]),
    )
    program, _, names, (segment, stores, _) = written(problem)
    session = Session(program)
    ReserveRows(problem, segment, stores)._write(session, 0)
    part = np.flatnonzero(~np.isin(np.arange(program.n_columns), _named(names)))
    check_golden(session, names | {"part": part}, rest="rest")


def _named(names):
    return np.concatenate([columns.ravel() for columns in names.values()])
