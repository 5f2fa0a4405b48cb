"""What forecasts cost: settled cost and regret under forecasts of several kinds, as a Markdown table.

Usage: python benchmarks/regret.py [--span day|week] [--policy co_dispatch] [--only "noisy 15%" ...]

Every row is a run of the same jobs; `file` lets the wind come true that the model states for real time, the others what
was scheduled, so its bound and its perfect forecast are those of another truth. Load errs by a fifth of what wind and
sun err by, roughly as day-ahead forecasts do (estimate).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from gridtwin import api

SCENARIOS = Path(__file__).parents[1] / "scenarios"
NOISY = "forecast={{series: {{kind: noisy, error: {error}, load_error: {load_error}, correlation_h: 6}}}}"
CASES = {
    "perfect": ["forecast=perfect"],
    "persistence": ["forecast=persistence"],
    "file (real-time wind)": ["forecast=file", "series=real_time"],
    **{f"noisy {error:.0%}": [NOISY.format(error=error, load_error=error / 5)] for error in (0.05, 0.15, 0.30)},
    "noisy 15%, arrivals and runtimes too": [
        NOISY.format(error=0.15, load_error=0.03)[:-1] + ", arrivals: persistence, runtimes: {kind: noisy, sigma: 0.5}}"
    ],
}
HEAD = (
    "| forecast | error of load, MW | error of weather-led output, MW | settled, M$ | bound, M$ | windows | execution "
    "| forecast error | regret | jobs late | shed, MWh |"
)


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--span", choices=("day", "week"), default="day")
    parser.add_argument("--policy", default="co_dispatch")
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=list(CASES), metavar="CASE")
    wanted = parser.parse_args()
    print(HEAD)
    print("|" + " --- |" * (HEAD.count("|") - 1))
    with tempfile.TemporaryDirectory() as folder:
        for case in wanted.only:
            overrides = [*CASES[case], f"policy={wanted.policy}"]
            study = api.load_study(SCENARIOS / f"rts_gmlc_{wanted.span}.yaml", overrides)
            finished = api.run(study, folder)
            print(row(case, finished.summary["kpis"], api.regret(study, folder, finished)["total"]), flush=True)


def row(case: str, kpis: dict[str, Any], total: dict[str, float]) -> str:
    """Return one line of the table; parts of the regret in thousands and as shares of the bound."""
    parts = (total[name] for name in ("horizon", "execution", "forecast_error", "regret"))
    cells = [
        case,
        f"{kpis['forecast_load_mae_mw']:.0f}",
        f"{kpis['forecast_available_mae_mw']:.0f}",
        f"{total['settled'] / 1e6:.3f}",
        f"{total['bound'] / 1e6:.3f}",
        *(f"{part / 1e3:,.1f} k$ ({part / total['bound']:.3%})" for part in parts),
        f"{kpis['jobs_late']}",
        f"{kpis['unserved_mwh']:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
