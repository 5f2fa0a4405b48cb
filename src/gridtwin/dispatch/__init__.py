"""Co-dispatch as linear programs: pure functions from frozen problems to frozen plans."""

from gridtwin.dispatch.fluid import advance_fluid, first_steps, kept_cost, roll_fluid
from gridtwin.dispatch.groups import UnitGroups, group_units
from gridtwin.dispatch.problem import (
    ComputeProblem,
    DispatchPlan,
    GridPlan,
    GridProblem,
    GridReview,
    InjectionCuts,
    LinkProblem,
    Penalties,
    PooledWork,
    Review,
    ReviewRecord,
    SolverRecord,
    StoreProblem,
    TerminalValue,
    Tightening,
)
from gridtwin.dispatch.solve import co_dispatch, dispatch_grid, dispatch_pooled

__all__ = [
    "ComputeProblem",
    "DispatchPlan",
    "GridPlan",
    "GridProblem",
    "GridReview",
    "InjectionCuts",
    "LinkProblem",
    "Penalties",
    "PooledWork",
    "Review",
    "ReviewRecord",
    "SolverRecord",
    "StoreProblem",
    "TerminalValue",
    "Tightening",
    "UnitGroups",
    "advance_fluid",
    "co_dispatch",
    "dispatch_grid",
    "dispatch_pooled",
    "first_steps",
    "group_units",
    "kept_cost",
    "roll_fluid",
]
