"""Co-dispatch as linear programs: pure functions from frozen problems to frozen plans."""

from gridtwin.dispatch.bill import Bill, minimise_bill
from gridtwin.dispatch.fluid import advance_fluid, first_steps, kept_cost, roll_fluid
from gridtwin.dispatch.groups import UnitGroups, group_units
from gridtwin.dispatch.problem import (
    ComputePrices,
    ComputeProblem,
    DispatchPlan,
    FleetPlan,
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
from gridtwin.dispatch.solve import co_dispatch, dispatch_grid, dispatch_pooled, fleet_plan

__all__ = [
    "Bill",
    "ComputePrices",
    "ComputeProblem",
    "DispatchPlan",
    "FleetPlan",
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
    "fleet_plan",
    "group_units",
    "kept_cost",
    "minimise_bill",
    "roll_fluid",
]
