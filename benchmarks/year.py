"""The shipped year with and without co-dispatch: seconds, memory, and the saving of each of its 52 weeks.

Usage: python benchmarks/year.py [--out DIR] [--picture FILE] [--table FILE] [RUN_ASAP RUN_CO_DISPATCH]

Without run folders both policies are run first, one process each, side by side on two cores. Weeks are counted from the
first step; what happens in a week is booked in it, also what a job of the week before still draws. `--picture` writes
an SVG of the savings, `--table` all 52 weeks as Markdown; a summary goes to the terminal.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gridtwin.results.dataset import open_results
from gridtwin.results.files import read_columns

SCENARIO = Path(__file__).parents[1] / "scenarios" / "rts_gmlc_year.yaml"
POLICIES = ("asap", "co_dispatch")
WEEKS, WEEK_S = 52, 7 * 86_400
KG_PER_T = 1000.0
STYLE = 'font-family="sans-serif" font-size="11" fill="#333"'
TITLE = "saved by co_dispatch in each week, share of the grid's settled cost including carbon"


@dataclass(frozen=True)
class Weeks:
    """Sums of one run over each week."""

    cost: np.ndarray  # (week,) production, carbon, moving data, energy taken from stores
    co2_t: np.ndarray  # (week,)


def run_both(out: Path) -> list[Path]:
    """Run the year under both policies at once; print what each took."""
    command = [sys.executable, "-m", "gridtwin", "run", str(SCENARIO), "--out", str(out), "--json", "--set"]
    running = [
        subprocess.Popen([*command, f"policy={policy}"], stdout=subprocess.PIPE, text=True, env=os.environ)
        for policy in POLICIES
    ]
    folders = []
    for process in running:
        summary = json.loads(process.communicate()[0])
        if process.returncode:
            print(f"{summary['run_id']} ended with exit code {process.returncode}", file=sys.stderr)
        folders.append(out / summary["run_id"])
    return folders


def read_weeks(folder: Path) -> Weeks:
    """Add up a run by week."""
    price = json.loads((folder / "inputs" / "scenario.json").read_text())["dispatch"]["carbon_price_per_t"]
    wan = read_columns(folder / "inputs" / "wan.parquet")["price_per_gb"]
    with open_results(folder) as results:
        time = results["time"].to_numpy()
        cost, co2_kg = (results[name].to_numpy() for name in ("production_cost", "co2_kg"))
        data = results["moved_gb"].to_numpy().reshape(len(time), -1) @ wan
        taken = taken_from_stores(folder, results["stored_mwh"].to_numpy(), results["price_per_mwh"].to_numpy())
    week = ((time - time[0]) / np.timedelta64(WEEK_S, "s")).astype(int)

    def weekly(values: np.ndarray) -> np.ndarray:
        return np.bincount(week, values)[:WEEKS]

    co2_t = weekly(co2_kg) / KG_PER_T
    return Weeks(weekly(cost + data + taken) + price * co2_t, co2_t)


def taken_from_stores(folder: Path, stored_mwh: np.ndarray, price_per_mwh: np.ndarray) -> np.ndarray:
    """What each step takes from stores, at the mean price of their bus over the run: no week lives off another."""
    stores = read_columns(folder / "inputs" / "stores.parquet")
    before = np.vstack([stores["initial_mwh"], stored_mwh[:-1]])
    worth = price_per_mwh.mean(axis=0)[stores["bus_index"]] * stores["efficiency_discharge"]
    return (before - stored_mwh) @ worth


def phases(folder: Path) -> str:
    """One row of the table of times."""
    summary = json.loads((folder / "summary.json").read_text())
    timing, kpis = summary["timing_s"], summary["kpis"]
    names = ("build", "decide", "apply", "settle", "record", "close", "total")
    cells = [summary["policy"], f"{kpis['jobs_completed']:,}", *(f"{timing.get(name, 0.0):.0f}" for name in names)]
    return f"| {' | '.join(cells)} |"


def rows(base: Weeks, change: Weeks) -> list[str]:
    """Return all weeks as Markdown."""
    head = ["| week | asap, M$ | co_dispatch, M$ | saved | CO2 |", "| --- | ---: | ---: | ---: | ---: |"]
    saved, co2 = 1 - change.cost / base.cost, change.co2_t / base.co2_t - 1
    return head + [
        f"| {week + 1} | {base.cost[week] / 1e6:.3f} | {change.cost[week] / 1e6:.3f} | {saved[week]:.2%} "
        f"| {co2[week]:+.2%} |"
        for week in range(len(saved))
    ]


def picture(saved: np.ndarray) -> str:
    """Draw a bar for each week."""
    width, height, left, base, bar = 800, 260, 52, 220, 14
    top = max(float(saved.max()), 0.001) * 1.1
    scale = (base - 24) / top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {STYLE}>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="14">{TITLE}</text>',
    ]
    for tick in np.arange(0, top, nice_step(top)):
        y = base - tick * scale
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{width - 8}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.1%}</text>')
    for week, share in enumerate(saved):
        x, tall = left + 2 + week * bar, share * scale
        fill = "#2b7a78" if share > 0 else "#b23a48"
        y = base - max(tall, 0.0)
        parts.append(f'<rect x="{x}" y="{y:.1f}" width="{bar - 3}" height="{abs(tall):.1f}" fill="{fill}"/>')
        if week % 4 == 0:
            parts.append(f'<text x="{x + bar / 2:.0f}" y="{base + 16}" text-anchor="middle">{week + 1}</text>')
    parts.append(f'<text x="{width / 2:.0f}" y="{base + 34}" text-anchor="middle">week</text></svg>')
    return "\n".join(parts) + "\n"


def nice_step(top: float) -> float:
    """Return a round distance between four to eight ticks."""
    power = 10.0 ** np.floor(np.log10(top / 4))
    return float(power * max(factor for factor in (1, 2, 5) if factor * power <= top / 4))


def main() -> None:
    """Run or read both runs and say what the weeks saved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("outputs"))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--table", type=Path)
    wanted = parser.parse_args()
    folders = wanted.runs or run_both(wanted.out)
    print("| policy | jobs | build, s | decide | apply | settle | record | close | total |")
    print("| --- |" + " ---: |" * 8)
    for folder in folders:
        print(phases(folder))
    base, change = (read_weeks(folder) for folder in folders)
    saved = 1 - change.cost / base.cost
    print(f"\n{int((saved > 0).sum())} of {len(saved)} weeks cheaper; median {np.median(saved):.2%}, ", end="")
    print(f"least {saved.min():.2%}, most {saved.max():.2%}; all weeks {1 - change.cost.sum() / base.cost.sum():.2%}, ")
    print(f"CO2 {change.co2_t.sum() / base.co2_t.sum() - 1:+.2%}")
    if wanted.picture:
        wanted.picture.write_text(picture(saved), encoding="utf-8")
    if wanted.table:
        wanted.table.write_text("\n".join(rows(base, change)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
