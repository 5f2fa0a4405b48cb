"""Co-dispatch as linear programs: pure functions from frozen problems to frozen plans."""

from gridtwin.dispatch.fluid import advance_fluid, first_steps, kept_cost, roll_fluid
from gridtwin.dispatch.groups import UnitGroups, group_units
from gridtwin.dispatch.problem import (
    ComputePrices,
    ComputeProblem,
    DispatchPlan,
    GridPlan,
    GridProblem,
    LinkProblem,
    NodalPrices,
    Penalties,
    PooledWork,
    PreemptibleProblem,
    PriceExplanation,
    SolverRecord,
    StoreProblem,
    TerminalValue,
)
from gridtwin.dispatch.solve import co_dispatch, dispatch_grid, dispatch_pooled

__all__ = [
    "ComputePrices",
    "ComputeProblem",
    "DispatchPlan",
    "GridPlan",
    "GridProblem",
    "LinkProblem",
    "NodalPrices",
    "Penalties",
    "PooledWork",
    "PreemptibleProblem",
    "PriceExplanation",
    "SolverRecord",
    "StoreProblem",
    "TerminalValue",
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
