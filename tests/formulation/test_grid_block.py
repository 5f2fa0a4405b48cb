"""The blocks of the grid, one linear program each."""

from dataclasses import replace

import numpy as np

from gridtwin.dispatch.grid_block import InjectionMap, add_balance, add_grid
from gridtwin.dispatch.network_rows import LineLimits
from gridtwin.optim import Program, Session
from gridtwin.records import LossEstimate


def written(problem):
    """Grid and balance of a problem, and the names of their columns."""
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    columns = add_grid(program, problem, injection)
    add_balance(program, problem, injection)
    shed = np.full(problem.load_mw.shape, -1)
    shed[:, columns.shed_bus] = columns.shed
    return program, injection, {"segment": columns.segment, "shed": shed, "spill": columns.spill[:, 0]}


def test_segments_and_floor(hand_units, hand_grid, check_golden):
    """segment[time, segment]: two steps of half an hour, carbon at 20 per t.

    Unit 0 has a floor of 20 MW and segments of 40 MW (10 per MWh, 500 kg) and 30 MW (18 per MWh, 600 kg); in step 1
    only 75 MW are available, so 15 MW of its second segment. Unit 1 has 50 MW at 25 per MWh and no CO2.
    Nothing is drawn, so that each balance says: floor + segments - spill = 0.
    """
    units = hand_units([(0, 20.0, np.inf, [(40, 10, 500), (30, 18, 600)]), (1, 0.0, np.inf, [(50, 25, 0)])])
    problem = hand_grid(units, steps=2, step_h=0.5, load_mw=np.zeros((2, 3)), injection_mw=np.zeros((2, 3)))
    problem = replace(
        problem,
        penalties=replace(problem.penalties, carbon_per_t=20.0),
        upper_mw=np.array([[90.0, 50.0], [75.0, 50.0]]),
    )
    program, _, names = written(problem)
    check_golden(program, names)


def test_balance_with_losses(hand_grid, check_golden):
    """segment[time, unit], shed[time, bus], spill[time]: one step, 120 MW of load at bus 2.

    Losses are 4 MW when 90 MW enter at bus 0 and 110 MW leave at bus 2, 5 % of further injection at bus 0, -2 % at
    bus 1, none at the slack: 0.95 u0 + 1.02 u1 + shed - spill - 120 = 4 - 0.05 * 90.
    """
    losses = LossEstimate(
        losses_mw=np.array([4.0]),
        factor=np.array([[0.05, -0.02, 0.0]]),
        reference_injection_mw=np.array([[90.0, 0.0, -110.0]]),
        bus_losses_mw=np.array([[2.0, 0.0, 2.0]]),
    )
    program, _, names = written(hand_grid(losses=losses))
    check_golden(program, names)


def test_shed_and_spill(hand_units, hand_grid, check_golden):
    """shed[time, bus], spill[time]: two steps of a quarter of an hour, loads 30 and 90 MW, then 0 and 60 MW.

    Shedding is bounded by the load and costs 1000 per MWh, spilling 100 per MWh. Spilled power leaves where the load
    is, a quarter at bus 0 and the rest at bus 2, then all at bus 2; factors of losses show where: 4 % at bus 0.
    """
    units = hand_units([(0, 0.0, np.inf, [(100, 10, 0)])])
    load = np.array([[30.0, 0.0, 90.0], [0.0, 0.0, 60.0]])
    factor = np.tile([0.04, 0.0, 0.0], (2, 1))
    losses = LossEstimate(np.zeros(2), factor, np.zeros((2, 3)), np.zeros((2, 3)))
    program, _, names = written(hand_grid(units, steps=2, step_h=0.25, load_mw=load, injection_mw=-load, losses=losses))
    check_golden(program, names)


def test_ramps(hand_units, hand_grid, check_golden):
    """segment[time, segment]: three steps of half an hour; no load, so the balances say output = spill.

    Unit 0 has segments 40 + 30 MW over a floor of 10, 10, 15 MW, gave 30 MW before, and moves by 50 MW/h, 25 MW a step:
    its first step ends between 5 and 55 MW, that is -5 to 45 above the floor; at step 2 the floor rises by 5 MW.
    Unit 1 could move by more than it has and gets no row.
    """
    units = hand_units([(0, 10.0, 50.0, [(40, 10, 0), (30, 18, 0)]), (1, 0.0, 120.0, [(50, 25, 0)])])
    zero = np.zeros((3, 3))
    problem = hand_grid(
        units,
        steps=3,
        step_h=0.5,
        load_mw=zero,
        injection_mw=zero,
        initial_mw=np.array([30.0, 20.0]),
        lower_mw=np.array([[10.0, 0.0], [10.0, 0.0], [15.0, 0.0]]),
    )
    program, _, names = written(problem)
    check_golden(program, names)


def test_line_row(hand_grid, check_golden):
    """segment[time, unit], shed[time, bus], spill[time], over[...]: the limit of line bc, written from the start.

    A third of what unit 0 gives and two thirds of what unit 1 gives take line bc, rated 60 MW; losses of 3 MW are drawn
    at bus 1, which takes 2 MW off the line: |1/3 u0 + 2/3 u1 - 2 -+ over| <= 60. Overload costs 500 per MWh.
    """
    zero = np.zeros((1, 3))
    problem = hand_grid(
        rate_mw=60.0,
        watched=np.array([[False, False, True]]),
        losses=LossEstimate(np.array([3.0]), zero, zero, np.array([[0.0, 3.0, 0.0]])),
    )
    program, injection, names = written(problem)
    session = Session(program)
    limits = LineLimits(problem, injection.matrix(program.n_columns), injection.constant)
    limits.begin(session)
    check_golden(session, names, rest="over")
