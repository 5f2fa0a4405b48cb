"""Weeks of RTS-GMLC with and without co-dispatch, at two carbon prices: the table of the README.

Usage: python benchmarks/weeks.py [--days 0 90 180] [--prices 0 50]

Both policies of a pair run the same jobs on the same weather. A pair whose completed work differs by more than 1e-6 is
refused, because whoever does less work saves for the wrong reason; so is one in which the second leaves more undone:
late jobs, unserved load or services, surplus dumped, lines overloaded.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gridtwin import api
from gridtwin.errors import CheckError

SCENARIO = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_week.yaml"
FIRST_DAY = datetime.fromisoformat("2020-01-01T00:00:00-07:00")
WORK_TOLERANCE = 1e-6
NO_MORE_OF = {
    "jobs_late": 0,
    "unserved_mwh": 1e-3,
    "overload_mwh": 1e-3,
    "spill_mwh": 1e-3,
    "unserved_service_node_h": 0,
    "ac_steps_not_converged": 0,
}
HEAD = (
    "| week from | carbon price | policy | settled cost, M$ | CO2, kt | all costs, M$ | saved | CO2 "
    "| curtailed, MWh | jobs late | p95 wait, h |"
)


def main() -> None:
    """Run all pairs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="+", default=[0, 90, 180])
    parser.add_argument("--prices", type=float, nargs="+", default=[0.0, 50.0])
    wanted = parser.parse_args()
    print(HEAD)
    print("|" + " --- |" * (HEAD.count("|") - 1))
    with tempfile.TemporaryDirectory() as folder:
        for day in wanted.days:
            for price in wanted.prices:
                pair = {policy: run(day, price, policy, Path(folder)) for policy in ("asap", "co_dispatch")}
                require_equal_work(pair["asap"], pair["co_dispatch"])
                print_pair(day, price, pair)


def run(day: int, price: float, policy: str, folder: Path) -> Mapping[str, Any]:
    """Return the summary of one run."""
    start = FIRST_DAY + timedelta(days=day)
    overrides = [
        f"time.start={start.isoformat()}",
        f"dispatch.carbon_price_per_t={price}",
        f"policy={policy}",
    ]
    summary = api.run(api.load_study(SCENARIO, overrides), folder).summary
    if not all(ledger["pass"] for ledger in summary["ledgers"].values()):
        raise CheckError(f"day {day}, {policy}: a ledger does not close; see {folder / summary['run_id']}")
    return summary


def require_equal_work(base: Mapping[str, Any], change: Mapping[str, Any]) -> None:
    """Refuse a pair that did not complete the same work over the same time, or that leaves more undone."""
    done, also = (summary["kpis"]["completed_node_s"] for summary in (base, change))
    if abs(done - also) > WORK_TOLERANCE * done or base["steps"] != change["steps"]:
        raise CheckError(
            f"{base['run_id']} completed {done} node-s in {base['steps']} steps, {change['run_id']} {also} in "
            f"{change['steps']}: not comparable"
        )
    for name, tolerance in NO_MORE_OF.items():
        before, after = base["kpis"][name], change["kpis"][name]
        if after > before + tolerance:
            raise CheckError(f"{change['run_id']}: {name} rises from {before} to {after}: not a saving")


def print_pair(day: int, price: float, pair: Mapping[str, Mapping[str, Any]]) -> None:
    """Print two rows, the second with its change against the first."""
    base = pair["asap"]["kpis"]
    for policy, summary in pair.items():
        kpis = summary["kpis"]
        saved, co2 = (1 - total(kpis) / total(base)), (kpis["co2_t"] / base["co2_t"] - 1)
        change = ["", ""] if policy == "asap" else [f"{saved:.2%}", f"{co2:+.2%}"]
        cells = [
            f"{FIRST_DAY + timedelta(days=day):%d %b}",
            f"{price:g}",
            policy,
            f"{kpis['system_cost'] / 1e6:.3f}",
            f"{kpis['co2_t'] / 1e3:.1f}",
            f"{total(kpis) / 1e6:.3f}",
            *change,
            f"{kpis['curtailment_mwh']:,.0f}",
            f"{kpis['jobs_late']}",
            f"{kpis['wait_p95_s'] / 3600:.1f}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


def total(kpis: Mapping[str, Any]) -> float:
    """Settled production cost, carbon and the moving of data."""
    return float(kpis["system_cost"] + kpis["carbon_cost"] + kpis["wan_cost"])


if __name__ == "__main__":
    try:
        main()
    except CheckError as error:
        sys.exit(str(error))
