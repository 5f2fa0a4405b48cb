"""Linear programs of the shipped week: seconds, columns and rows of each window.

Usage: python benchmarks/dispatch.py [SCENARIO]

The first window solves twice, since losses and the value of leftover work are not known yet; each solve is a line.
`share` is that of the whole run, building and settling included.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from gridtwin import api
from gridtwin.dispatch import DispatchPlan
from gridtwin.policies import co_dispatch as policy

SCENARIO = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_week.yaml"


def main() -> None:
    """Run the scenario and print a line per program."""
    scenario = Path(sys.argv[1]) if len(sys.argv) > 1 else SCENARIO
    solved: list[tuple[float, DispatchPlan]] = []
    solve = policy.co_dispatch

    def timed(*problem: object) -> DispatchPlan:
        begun = perf_counter()
        plan = solve(*problem)
        solved.append((perf_counter() - begun, plan))
        return plan

    policy.co_dispatch = timed
    begun = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        api.run(api.load_study(scenario, ["policy=co_dispatch"]), folder)
    total_s = perf_counter() - begun
    print("| program | seconds | columns | rows | rounds | iterations |")
    print("| --- | --- | --- | --- | --- | --- |")
    for number, (seconds, plan) in enumerate(solved):
        solver = plan.grid.solver
        size = f"{solver.columns:,} | {solver.rows:,} | {solver.rounds} | {solver.iterations:,}"
        print(f"| {number} | {seconds:.2f} | {size} |")
    busy = [seconds for seconds, plan in solved if plan.grid.solver.columns > max_columns(solved) / 2]
    print(f"\nmedian of programs with work: {statistics.median(busy):.2f} s, largest {max(busy):.2f} s")
    print(f"share of the run: {sum(seconds for seconds, _ in solved) / total_s:.0%} of {total_s:.1f} s")


def max_columns(solved: list[tuple[float, DispatchPlan]]) -> int:
    """Columns of the largest program."""
    return max(plan.grid.solver.columns for _, plan in solved)


if __name__ == "__main__":
    main()
