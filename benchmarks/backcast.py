"""The grid of `models/east_west_china` against what China published for a year: generation, peak, curtailment, carbon.

Usage: python benchmarks/backcast.py [--year 2023] [--run RUN_FOLDER ...]

Without --run each province is solved alone, with its contracts as they stand (`balancing: province`), for one week of
each month: minutes instead of hours, because under contracts the provinces do not depend on each other. With --run the
results of `gridtwin run` are read instead; give runs of a few days or weeks spread over the year.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.optimize import linprog

MODEL = Path(__file__).parents[1] / "models" / "east_west_china"
SOURCES = MODEL / "sources"
WEEK = 168
STARTS = [24 * day for day in (10, 41, 69, 100, 130, 161, 191, 222, 253, 283, 314, 344)]
SERIES = ("load", "availability", "inflow", "minimum", "contract", "reserve")
GROUPS = {
    "Coal": "coal", "Coal CHP": "coal", "Coal captive": "coal", "Gas": "gas", "Other thermal": "other",
    "Nuclear": "nuclear", "Hydro": "hydro", "Wind": "wind", "Offshore wind": "wind", "PV": "pv", "Distributed PV": "pv",
}  # fmt: skip
Value = float | np.ndarray
SHED, DUMP, BOUGHT = 10_000.0, 2_000.0, 700.0  # CNY/MWh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--year", type=int, default=2023)
    parser.add_argument("--run", type=Path, nargs="*", default=[])
    wanted = parser.parse_args()
    model = read(wanted.year)
    output, share = from_runs(model, wanted.run) if wanted.run else from_weeks(model)
    report(model, output, share, wanted.year)


def read(year: int) -> dict[str, pd.DataFrame]:
    """Tables and series of a year."""
    suffix = "" if year == 2023 else f"_{year}"
    model = {name: pd.read_parquet(MODEL / f"{name}{suffix}.parquet").astype(float) for name in SERIES}
    model |= {name: pd.read_csv(MODEL / f"{name}{suffix}.csv") for name in ("units", "segments", "stores", "links")}
    model["units"] = model["units"].fillna({"profile": "", "store": "", "minimum": ""})
    model["units"]["home"] = model["units"]["bus"].str.removesuffix("_Renewables")
    centres = pd.read_csv(MODEL / "data_centre_energy_2023.csv").groupby("bus")["twh"].sum()
    model["load"] = model["load"] + centres.reindex(model["load"].columns).fillna(0.0) * (1e6 / 8760)
    return model


def imports_mw(model: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Net import of each bus by its contracts."""
    found = pd.DataFrame(0.0, index=model["contract"].index, columns=model["load"].columns)
    for row in model["links"].dropna(subset=["contract"]).itertuples():
        sent, kept = model["contract"][row.contract], 1.0 - row.loss_share
        found[row.from_bus] -= sent.where(sent > 0, sent * kept)
        found[row.to_bus] += sent.where(sent < 0, sent * kept)
    return found


class Week:
    """A linear program of one bus and one week: columns by name and hour, rows appended."""

    def __init__(self, hours: int) -> None:
        self.hours, self.names, self.cost, self.lower, self.upper = hours, [], [], [], []
        self.equal, self.target, self.below, self.limit = [], [], [], []

    def column(
        self, name: str, lower: Value = 0.0, upper: Value = np.inf, cost: Value = 0.0, size: int | None = None
    ) -> None:
        size = self.hours if size is None else size
        self.names.append((name, size))
        for store, value in ((self.lower, lower), (self.upper, upper), (self.cost, cost)):
            store.append(np.broadcast_to(np.asarray(value, dtype=float), (size,)))

    def row(self, terms: dict[str, object], target: Value, equal: bool = True) -> None:
        """Sum of coefficient (number or matrix) times column = target, or <= it."""
        eye = sp.identity(self.hours, format="csr")
        parts = [
            sp.csr_matrix((self.hours, size)) if (term := terms.get(name)) is None
            else term if sp.issparse(term) else float(term) * eye
            for name, size in self.names
        ]  # fmt: skip
        rows, right = (self.equal, self.target) if equal else (self.below, self.limit)
        rows.append(sp.hstack(parts))
        right.append(np.broadcast_to(np.asarray(target, dtype=float), (self.hours,)))

    def solve(self) -> dict[str, np.ndarray]:
        bounds = np.column_stack([np.concatenate(self.lower), np.concatenate(self.upper)])
        found = linprog(
            np.concatenate(self.cost), A_ub=sp.vstack(self.below).tocsc(), b_ub=np.concatenate(self.limit),
            A_eq=sp.vstack(self.equal).tocsc(), b_eq=np.concatenate(self.target), bounds=bounds, method="highs",
        )  # fmt: skip
        if found.x is None:
            raise RuntimeError(found.message)
        ends = np.cumsum([size for _, size in self.names])
        return {name: part for (name, _), part in zip(self.names, np.split(found.x, ends[:-1]), strict=True)}


def solve_week(  # noqa: C901 - one program, column by column
    model: dict[str, pd.DataFrame], bought: np.ndarray, bus: str, start: int
) -> dict[str, float]:
    """Return MWh by technology of a bus in a week, given and available."""
    hours = slice(start, start + WEEK)
    units = model["units"][model["units"]["home"] == bus]
    cost = model["segments"].groupby("unit")["cost_per_mwh"].mean()

    def of(technology: str) -> pd.DataFrame:
        return units[units["technology"] == technology]

    def series(kind: str, names: pd.Series) -> np.ndarray:
        return sum((model[kind][name].to_numpy()[hours] for name in names if name), np.zeros(WEEK))

    fixed = {
        name: series("availability", of(name)["profile"]) for name in ("Nuclear", "Other thermal", "Distributed PV")
    }
    free = {name: series("availability", of(name)["profile"]) for name in ("Wind", "Offshore wind", "PV")}
    stores = model["stores"][model["stores"]["bus"] == bus].groupby("technology")[["charge_mw", "energy_mwh"]].sum()
    week, days = Week(WEEK), sp.kron(sp.identity(WEEK // 24), np.ones((24, 1))).tocsr()
    online = {}
    for name in ("Coal", "Coal CHP", "Coal captive", "Gas", "Hydro"):
        mine = of(name)
        most = float(mine["p_max_mw"].sum())
        least = np.minimum(series("minimum", mine["minimum"]), most)
        price = float((cost.reindex(mine["unit"]).to_numpy() * mine["p_max_mw"]).sum() / most) if most else 0.0
        week.column(name, least, most, price)
        if name in ("Coal", "Coal CHP"):
            online[name] = (most, float(mine["p_min_mw"].sum()) / max(most, 1.0))
    for name, available in free.items():
        week.column(name, 0.0, available, float(cost.reindex(of(name)["unit"]).mean()) if len(of(name)) else 0.0)
    sizes = {name: stores.loc[name] if name in stores.index else pd.Series(0.0, index=stores.columns) for name in
             ("Reservoir", "Pumped storage", "Battery")}  # fmt: skip
    week.column("level", 0.0, sizes["Reservoir"]["energy_mwh"])
    week.column("spill")
    for name in ("Pumped storage", "Battery"):
        for part in ("charge", "discharge"):
            week.column(f"{name} {part}", 0.0, sizes[name]["charge_mw"], 0.1)
        week.column(f"{name} level", 0.0, sizes[name]["energy_mwh"])
    for name, price in (("shed", SHED), ("dump", DUMP), ("bought", BOUGHT)):
        week.column(name, cost=price)
    for name, (most, _) in online.items():
        week.column(f"{name} online", 0.0, most, size=WEEK // 24)
    last = sp.csr_matrix((np.ones(WEEK), (np.arange(WEEK), (np.arange(WEEK) - 1) % WEEK)), shape=(WEEK, WEEK))
    change = (sp.identity(WEEK) - last).tocsr()
    giving = ("Coal", "Coal CHP", "Coal captive", "Gas", "Hydro", *free, "shed", "bought")
    balance: dict[str, object] = dict.fromkeys(giving, 1.0) | {"dump": -1.0}
    for name, one_way in (("Pumped storage", 0.866), ("Battery", 0.93)):
        balance |= {f"{name} charge": -1.0, f"{name} discharge": 1.0}
        week.row({f"{name} level": change, f"{name} charge": -one_way, f"{name} discharge": 1 / one_way}, 0.0)
    load = model["load"][bus].to_numpy()[hours]
    week.row(balance, load - bought[hours] - sum(fixed.values()))
    week.row({"level": change, "Hydro": 1.0, "spill": 1.0}, series("inflow", of("Hydro")["store"]))
    for name, (_, share) in online.items():
        week.row({name: 1.0, f"{name} online": -days}, 0.0, equal=False)
        week.row({name: -1.0, f"{name} online": share * days}, 0.0, equal=False)
    headroom = {"Coal": 1.0, "Coal CHP": 1.0, "Hydro": 1.0} | {f"{name} online": -days for name in online}
    reserve = model["reserve"][bus].to_numpy()[hours]
    week.row(headroom, float(of("Hydro")["p_max_mw"].sum()) - reserve, equal=False)
    limits = model["links"].set_index("link")["p_nom_mw"]
    if f"{bus}_Collection" in limits:
        week.row(dict.fromkeys(free, 1.0), limits[f"{bus}_Collection"], equal=False)
    found = {name: float(values.sum()) for name, values in week.solve().items()}
    found |= {name: float(values.sum()) for name, values in fixed.items()}
    available = {f"available {name}": float(values.sum()) for name, values in (free | fixed).items()}
    return found | available | {"bus": bus, "load": float(load.sum())}


def from_weeks(model: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, float]:
    """MWh by bus of one week a month, and the share of the year that they are."""
    bought = imports_mw(model)
    rows = [solve_week(model, bought[bus].to_numpy(), bus, start) for bus in bought for start in STARTS]
    return pd.DataFrame(rows).groupby("bus").sum(), len(STARTS) * WEEK / 8760


def from_runs(model: dict[str, pd.DataFrame], folders: list[Path]) -> tuple[pd.DataFrame, float]:
    """The same from runs of the engine."""
    import xarray as xr  # noqa: PLC0415

    units, total, hours = model["units"].set_index("unit"), [], 0
    for folder in folders:
        with xr.open_dataset(folder / "results.nc") as data:
            hours += data.sizes["time"]
            given, available = (data[name].sum("time").to_pandas() for name in ("unit_mw", "available_mw"))
        table = pd.DataFrame({"bus": units["home"], "technology": units["technology"], "mwh": given, "up": available})
        wide = table.pivot_table(index="bus", columns="technology", values=["mwh", "up"], aggfunc="sum").fillna(0.0)
        wide.columns = [name if kind == "mwh" else f"available {name}" for kind, name in wide.columns]
        total.append(wide)
    return sum(total[1:], total[0]).fillna(0.0), hours / 8760


def report(model: dict[str, pd.DataFrame], output: pd.DataFrame, share: float, year: int) -> None:
    """Print all comparisons."""
    buses = pd.read_csv(SOURCES / "grid_buses.csv").set_index("bus")
    by_group = pd.DataFrame(
        {group: output[[n for n, g in GROUPS.items() if g == group and n in output]].sum(axis=1) for group in
         dict.fromkeys(GROUPS.values())}
    ) / share / 1e6  # fmt: skip
    by_group = by_group.reindex(buses.index).fillna(0.0)
    national(by_group, year)
    peak = model["load"].sum(axis=1).max() / 1e3
    published = pd.read_csv(SOURCES / "grid_years.csv").set_index("year").loc[year, "peak_gw"]
    print(f"\nPeak {peak:.0f} GW, published {published:.0f} ({peak / published - 1:+.1%}); calibrated")
    provinces(by_group, buses, year)
    curtailment(output, buses, year)
    carbon(model, by_group, output, buses, share)


def national(by_group: pd.DataFrame, year: int) -> None:
    """Generation of the nation by technology."""
    years = pd.read_csv(SOURCES / "grid_years.csv").set_index("year").loc[year]
    figures = pd.read_csv(SOURCES / "national_power.csv")
    figures = figures[(figures["year"] == year) & (figures["quantity"] == "generation_nbs_large_enterprises")]
    nbs = figures.set_index("technology")["value"]
    rows = {
        "thermal": (by_group[["coal", "gas", "other"]].to_numpy().sum(), nbs["thermal"]),
        "hydro without pumped": (by_group["hydro"].sum(), years["hydro_twh"] - years["pumped_twh"]),
        "nuclear": (by_group["nuclear"].sum(), nbs["nuclear"]),
        "wind": (by_group["wind"].sum(), years["wind_national_twh"]),
        "PV": (by_group["pv"].sum(), years["solar_twh"]),
    }
    print(f"| {year} | model, TWh | official, TWh | off |\n| --- | --- | --- | --- |")
    for name, (mine, official) in rows.items():
        print(f"| {name} | {mine:.0f} | {official:.0f} | {mine / official - 1:+.1%} |")


def provinces(by_group: pd.DataFrame, buses: pd.DataFrame, year: int) -> None:
    """Thermal generation by province against NBS; hydro is not compared, its small plants are in no public table."""
    table = pd.read_csv(SOURCES / "generation.csv")
    official = table[(table["year"] == year) & (table["technology"] == "thermal")].set_index("province")[
        "generation_twh"
    ]
    mine = by_group[["coal", "gas", "other"]].sum(axis=1).groupby(buses["province"]).sum()
    off = (mine / official - 1).reindex(mine.index)
    print(f"\nThermal within 15 % in {int((off.abs() <= 0.15).sum())} of {len(off)} provinces; not in: "
          + ", ".join(f"{name} {value:+.0%}" for name, value in off[off.abs() > 0.15].items()))  # fmt: skip


def curtailment(output: pd.DataFrame, buses: pd.DataFrame, year: int) -> None:
    """Utilisation of wind and PV by province against the published one."""
    table = pd.read_csv(SOURCES / "renewable_utilisation.csv")
    table = table[table["year"] == year].set_index("region")
    if table.empty:
        return
    kinds = {"wind": ("Wind", "Offshore wind"), "pv": ("PV", "Distributed PV")}
    mine, official = {}, {}
    for kind, names in kinds.items():
        given, up = (output[[prefix + n for n in names]].sum(axis=1) for prefix in ("", "available "))
        print(f"\n{kind}: utilisation {given.sum() / up.sum():.1%}, published "
              f"{table.loc['China', f'{kind}_utilisation_pct']:.1f} %")  # fmt: skip
        region = [bus if bus in table.index else buses.loc[bus, "province"] for bus in output.index]
        mine[kind] = (up - given).groupby(region).sum(), up.groupby(region).sum()
        official[kind] = table.loc[mine[kind][0].index, f"{kind}_utilisation_pct"] / 100
    lost, up = (mine["wind"][i] + mine["pv"][i] for i in (0, 1))
    taken = 1 - lost / up
    should = 1 - sum((1 - official[kind]) * mine[kind][1] for kind in kinds) / up
    worst = should.nsmallest(10)
    print("\n| ten worst | published, wind and PV together | model | wind, published | wind | PV, published | PV |")
    print("|" + " --- |" * 7)
    for name in worst.index:
        each = [x for k in kinds for x in (official[k][name], 1 - mine[k][0][name] / mine[k][1][name])]
        print(f"| {name} | {should[name]:.1%} | {taken[name]:.1%} | " + " | ".join(f"{x:.1%}" for x in each) + " |")
    same = len(set(worst.index) & set(taken.nsmallest(10).index))
    rank = np.corrcoef(should[worst.index].rank(), taken[worst.index].rank())[0, 1]
    print(f"\n{same} of the ten worst are among the model's ten worst; rank correlation within the ten {rank:.2f}")


def carbon(
    model: dict[str, pd.DataFrame], by_group: pd.DataFrame, output: pd.DataFrame, buses: pd.DataFrame, share: float
) -> None:
    """Consumption-based emission factors, net imports at the factor of the sender, against MEE 2022."""
    units = model["units"].set_index("unit")
    rate = model["segments"].groupby("unit")["co2_kg_per_mwh"].mean()
    weight = units["p_max_mw"] * rate.reindex(units.index).fillna(0.0)
    key = [units["home"], units["technology"]]
    rate_at = (weight.groupby(key).sum() / units["p_max_mw"].groupby(key).sum().clip(lower=1.0)).unstack().fillna(0.0)  # noqa: PD010
    names = [name for name in rate_at if name in output]
    emitted = (output[names] * rate_at[names]).sum(axis=1) / share / 1e9  # Mt
    province = buses["province"]
    own, emitted = by_group.sum(axis=1).groupby(province).sum(), emitted.groupby(province).sum()
    order = list(own.index)
    flow = pd.DataFrame(0.0, index=order, columns=order)  # TWh from row to column
    for row in model["links"].dropna(subset=["contract"]).itertuples():
        ends = province[row.from_bus], province[row.to_bus]
        twh = model["contract"][row.contract].sum() / 1e6
        if ends[0] != ends[1]:
            flow.loc[ends if twh > 0 else ends[::-1]] += abs(twh)
    net = (flow - flow.T).clip(lower=0.0)
    system = np.diag(own.to_numpy() + net.sum(axis=0).to_numpy()) - net.to_numpy().T
    factor = pd.Series(np.linalg.solve(system, emitted.reindex(order).to_numpy()), index=order)
    mee = pd.read_csv(SOURCES / "emission_factors_mee.csv").query("level == 'province'").set_index("name")
    mee = mee["kgco2_per_kwh_2022"]
    off = (factor / mee - 1).dropna()
    print(f"\nEmission factor within 15 % of MEE 2022 in {int((off.abs() <= 0.15).sum())} of {len(off)} provinces")
    print("; ".join(f"{name} {factor[name]:.3f} ({value:+.0%})" for name, value in off.items()))
    print(f"Nation {emitted.sum() / own.sum():.4f} kg/kWh generated")


if __name__ == "__main__":
    main()
