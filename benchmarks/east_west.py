"""Five layouts of China's computing in one week: the tables and pictures of docs/east_west.md.

Usage: python benchmarks/east_west.py [--out DIR] [--set KEY=VALUE …] [--write]

Runs the paired scenarios `east_west_{local,as_is,cross,cross_green,stranded}` and three further runs of the first in
another order of the solver, two at a time; those that DIR has are not run again. Prints the tables; `--write` puts them
between the marks of the tutorial and draws its pictures.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

import gridtwin

REPO: Final = Path(__file__).parents[1]
TUTORIAL: Final = REPO / "docs" / "east_west.md"
LAYOUTS: Final = ("local", "as_is", "cross", "cross_green", "stranded")
NOISE: Final = (1, 2, 3)
LINES: Final = (
    "all_costs", "grid_cost", "electricity_cost", "wan_cost", "supply_cost", "labour_cost", "co2_t", "grid_co2_t",
    "market_based_co2_t", "curtailment_mwh", "latency_ms", "wait_h", "late_share", "unserved_service_node_h",
    "moved_mwh", "raising_mwh", "moves_average_t", "moves_marginal_t", "wan_dependence", "pue", "green_share_hourly",
    "binding_h", "binding_rent",
)  # fmt: skip
FUELS: Final = {
    "Nuclear": "#8e6bbf", "Coal": "#4d4d4d", "Coal CHP": "#6b6259",
    "Coal captive": "#8a8178", "Gas": "#d9a066", "Other thermal": "#a0855b",
    "Hydro": "#4f8fc0", "Wind": "#6fbf9f", "Offshore wind": "#3f9f7f", "PV": "#f2c14e", "Distributed PV": "#f7dc8c",
}  # fmt: skip


def run_all(out: Path, overrides: list[str]) -> dict[str, Path]:
    """Run what is not there yet, two at a time. Returns the folder of each layout and of each run by chance."""
    wanted = {name: [f"east_west_{name}"] for name in LAYOUTS}
    wanted |= {f"noise_{n}": [f"east_west_{LAYOUTS[0]}", "--set", f"solver.permute={n}"] for n in NOISE}
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(wanted, pool.map(lambda key: _run(out / key, wanted[key], overrides), wanted), strict=True))


def _run(parent: Path, arguments: list[str], overrides: list[str]) -> Path:
    finished = [file.parent for file in parent.glob("*/summary.json")]
    if not finished:
        options = [part for pair in overrides for part in ("--set", pair)]
        command = [sys.executable, "-m", "gridtwin", "run", *arguments, *options, "--out", str(parent), "--quiet"]
        ended = subprocess.run(command, check=False).returncode
        finished = [file.parent for file in parent.glob("*/summary.json")]
        print(f"{parent.name}: exit code {ended}", file=sys.stderr)
    return finished[0]


def content(runs: dict[str, Path]) -> dict[str, Any]:
    """Return what `gridtwin layout --json` says of all runs."""
    noise = [part for key, path in runs.items() if key.startswith("noise") for part in ("--noise", str(path))]
    command = [sys.executable, "-m", "gridtwin", "layout", *(str(runs[name]) for name in LAYOUTS), *noise, "--json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def shown(value: float | None) -> str:
    """Return a number with about four digits."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def layout_table(found: dict[str, Any], labels: dict[str, str]) -> str:
    """Every line: the base, then what each layout changes; what chance would do as well is said so."""
    base, *others = found["layouts"]
    rows = [["line", "unit", *(LAYOUTS), "noise floor"], ["---", "---", *(["---:"] * (len(LAYOUTS) + 1))]]
    rows += [_line(name, labels[name], base, others) for name in LINES]
    return _markdown([row for row in rows if row])


def _line(name: str, label: str, base: dict[str, Any], others: list[dict[str, Any]]) -> list[str]:
    of_base, *of_others = (
        next(line for line in layout["differences"] if line["name"] == name) for layout in (base, *others)
    )
    if all(line["value"] is None for line in (of_base, *of_others)):
        return []
    return [
        label,
        of_base["unit"],
        shown(of_base["value"]),
        *map(_change, of_others),
        shown(of_others[0]["noise_floor"]),
    ]


def _change(line: dict[str, Any]) -> str:
    if line["delta"] is None:
        return shown(line["value"])
    text = f"{shown(line['value'])} ({'+' if line['delta'] > 0 else ''}{shown(line['delta'])})"
    return f"{text}, not distinguishable" if line["distinguishable"] is False else text


def per_mwh_table(found: dict[str, Any], labels: dict[str, str]) -> str:
    """Differences per MWh that runs elsewhere than in the base."""
    _, *others = found["layouts"]
    rows = [["per MWh moved", *LAYOUTS[1:]], ["---", *(["---:"] * len(others))]]
    rows.append(["MWh moved against the base", *(shown(layout["moved_mwh"]) for layout in others)])
    for name in ("all_costs", "grid_cost", "wan_cost", "grid_co2_t", "curtailment_mwh"):
        lines = [next(line for line in layout["differences"] if line["name"] == name) for layout in others]
        cells = [
            "not distinguishable" if line["distinguishable"] is False else shown(line["per_mwh_moved"])
            for line in lines
        ]
        unit = {"grid_co2_t": "kg", "curtailment_mwh": "MWh"}.get(name, "CNY")
        rows.append([f"{labels[name]}, {unit}", *cells])
    return _markdown(rows)


def published_table(found: dict[str, Any]) -> str:
    """Moves that a study has published beside what each layout gives."""
    rows = [["move", "published", "basis", *LAYOUTS], ["---", "---:", "---", *(["---:"] * len(LAYOUTS))]]
    keys = [
        (one["published"]["origin"], one["published"]["site"], one["basis"]) for one in found["layouts"][0]["published"]
    ]
    for origin, site, basis in keys:
        cells, percent = [], 0.0
        for layout in found["layouts"]:
            one = next(
                one for one in layout["published"]
                if (one["published"]["origin"], one["published"]["site"], one["basis"]) == (origin, site, basis)
            )  # fmt: skip
            percent = one["published"]["percent"]
            cells.append(f"{one['percent']:+.1f} %, {'agrees' if one['agrees'] else 'differs'}")
        rows.append([f"{origin} → {site}", f"{percent:+.1f} %", basis, *cells])
    return _markdown(rows)


def binding_table(found: dict[str, Any]) -> str:
    """Where the grid binds, by rent."""
    rows = [
        ["layout", "corridor", "kind", "held by", "hours", "rent, M CNY"],
        ["---", "---", "---", "---", "---:", "---:"],
    ]
    for name, layout in zip(LAYOUTS, found["layouts"], strict=True):
        largest = sorted(layout["bindings"], key=lambda one: -one["rent"])[:4]
        rows += [
            [name, one["name"], one["kind"], one["held_by"], shown(one["hours"]), shown(one["rent"] / 1e6)]
            for one in largest
        ]
    return _markdown(rows)


def raising_table(found: dict[str, Any]) -> str:
    """The largest moves of the cross-region layout, those that raise CO2 flagged."""
    moves = sorted(found["layouts"][LAYOUTS.index("cross")]["moves"], key=lambda one: -one["energy_mwh"])[:12]
    rows = [
        ["from", "to", "MWh", "CO2 by average, t", "by marginal, t", ""],
        ["---", "---", "---:", "---:", "---:", "---"],
    ]
    rows += [
        [
            one["origin"], one["site"], shown(one["energy_mwh"]), f"{one['average_change_kg'] / 1e3:+,.0f}",
            f"{one['marginal_change_kg'] / 1e3:+,.0f}", "**raises CO2**" if one["raises_co2"] else "",
        ]
        for one in moves
    ]  # fmt: skip
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def draw_dispatch(run: Path, file: Path) -> None:
    """National output by technology over the week."""
    import matplotlib as mpl  # noqa: PLC0415 - only for pictures

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "gridtwin"
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the choice of a canvas

    results = gridtwin.open_results(run)
    output_gw = results["unit_mw"].groupby("unit_technology").sum() / 1e3
    hours = np.arange(min(168, results.sizes["time"]))
    names = [name for name in FUELS if name in output_gw["unit_technology"]]
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    stack = [output_gw.sel(unit_technology=name).to_numpy()[: len(hours)] for name in names]
    axes.stackplot(hours, stack, labels=names, colors=[FUELS[name] for name in names])
    axes.set(xlabel="hours from Monday 10 April 2023, 00:00 Beijing time", ylabel="GW", xlim=(0, len(hours) - 1))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("outputs") / "east_west")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    runs = run_all(options.out, options.overrides)
    found = content(runs)
    from gridtwin.compare.layout.lines import line_table  # noqa: PLC0415 - imports the numpy stack of compare

    labels = {name: line.label for name, line in line_table().items()}
    tables = {
        "layouts": layout_table(found, labels),
        "per_mwh": per_mwh_table(found, labels),
        "published": published_table(found),
        "moves": raising_table(found),
        "bindings": binding_table(found),
    }
    for name, table in tables.items():
        print(f"\n{name}\n{table}")
    if options.write:
        text = TUTORIAL.read_text(encoding="utf-8")
        for name, table in tables.items():
            marks = f"<!-- table:{name} -->", f"<!-- /table:{name} -->"
            text = re.sub(f"{marks[0]}.*?{marks[1]}", f"{marks[0]}\n{table}\n{marks[1]}", text, flags=re.DOTALL)
        TUTORIAL.write_text(text, encoding="utf-8")
        draw_dispatch(runs["as_is"], REPO / "docs" / "images" / "east_west_dispatch.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
