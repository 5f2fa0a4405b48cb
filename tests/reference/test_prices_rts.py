"""Prices and marginal CO2 of a day of RTS-GMLC against dispatching it again for other loads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from gridtwin.dispatch import GridProblem, dispatch_grid
from gridtwin.dispatch.grid_block import GridColumns, InjectionMap, add_balance, add_grid
from gridtwin.dispatch.lazy import solve_lazily
from gridtwin.dispatch.network_rows import LineLimits
from gridtwin.dispatch.prices import load_rows
from gridtwin.inputs.load import load_study
from gridtwin.optim import Basis, Program, Session
from gridtwin.results.store import RunFolder
from gridtwin.twin import settle
from gridtwin.twin.build import build, initial_twin_state

SCENARIO = Path(__file__).parents[2] / "scenarios" / "rts_gmlc_day.yaml"
WINDOW = 2  # of the shipped day, when lines are full and its work drains
STEP_MW = 0.25  # of further load; less where a price stands for less
TOLERANCE = 1e-6  # of a price, or of 1


@pytest.fixture(scope="module")
def problem(tmp_path_factory) -> GridProblem:
    """Return the redispatch problem that settles a day."""
    posed = []
    with pytest.MonkeyPatch.context() as patch:
        dispatched = settle.dispatch_grid
        patch.setattr(settle, "dispatch_grid", lambda p, **options: posed.append(p) or dispatched(p, **options))
        study = load_study(SCENARIO, ())
        build(study, RunFolder(tmp_path_factory.mktemp("day"))).run(initial_twin_state(study), until=WINDOW)
    return posed[-1]


@dataclass(frozen=True)
class Redispatch:
    """The problem with the line limits that its optimum needs, held by a solver that can go on from there."""

    session: Session
    columns: GridColumns
    optimum: Basis
    right: np.ndarray  # (case, row)

    def change(self, case: int, load_mw: float) -> np.ndarray:
        """Change of all columns as load changes in one (time, bus), all line limits kept."""
        with self.session.moved(load_mw * self.right[case]):
            self.session._optimise()
            return (
                np.asarray(self.session._highs.getSolution().col_value) - self.optimum.value[: len(self.session.cost)]
            )


@pytest.fixture(scope="module")
def redispatch(problem) -> Redispatch:
    program, injection = Program(), InjectionMap.fixed(problem.injection_mw)
    columns = add_grid(program, problem, injection)
    balance = add_balance(program, problem, injection)
    limits = LineLimits(problem, injection.matrix(program.n_columns), injection.constant)
    session = Session(program)
    limits.begin(session)
    solve_lazily(session, limits)
    optimum = session.basis()
    right = load_rows(problem, balance, limits.written_rows, len(optimum.basic)).toarray()
    return Redispatch(session, columns, optimum, right)


def with_load(problem, case, load_mw):
    injection = problem.injection_mw.copy()
    injection.flat[case] -= load_mw
    return replace(problem, injection_mw=injection)


@pytest.mark.slow
def test_every_price_is_the_cost_of_a_redispatch(problem, redispatch):
    prices = dispatch_grid(problem, explain=True).prices
    why, price = prices.explanation, prices.total_per_mwh.ravel()
    one_price = np.flatnonzero(~why.degenerate.ravel())
    apart = (why.high_per_mwh - why.low_per_mwh)[why.degenerate].max(initial=0)
    print(f"\n{why.degenerate.mean():.2%} of {price.size} bus-hours degenerate, up to {apart:.6g} apart")  # noqa: T201
    assert len(one_price) > 0.9 * price.size
    assert why.reach_mw.ravel()[one_price].min() > 1e-3
    cost = redispatch.session.cost
    co2_rate = np.zeros_like(cost)
    co2_rate[redispatch.columns.segment] = problem.groups.segment_co2_kg_per_mwh
    for case in one_price:
        step_mw = min(STEP_MW, 0.5 * why.reach_mw.flat[case])
        slope = (redispatch.change(case, step_mw) - redispatch.change(case, -step_mw)) / (2 * step_mw)
        for rate, expected in ((cost, price[case]), (co2_rate, why.marginal_co2_kg_per_mwh.flat[case])):
            assert abs(rate @ slope - expected) <= TOLERANCE * max(1.0, abs(expected)), (case, rate @ slope, expected)


def test_some_prices_from_the_very_beginning(problem):
    """The same, each time with a program built and solved anew."""
    prices = dispatch_grid(problem, explain=True).prices
    rng = np.random.default_rng(4)
    for case in rng.choice(problem.load_mw.size, 8, replace=False):
        why = prices.explanation
        step_mw = min(STEP_MW, 0.5 * why.reach_mw.flat[case])
        more, less = (dispatch_grid(with_load(problem, case, sign * step_mw)).solver.objective for sign in (1, -1))
        found, expected = (more - less) / (2 * step_mw), prices.total_per_mwh.flat[case]
        assert abs(found - expected) <= 5 * TOLERANCE * max(1.0, abs(expected)), (case, found, expected)
