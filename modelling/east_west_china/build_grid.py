"""Build the grid half of `models/east_west_china` from `sources/`.

`python -m modelling.east_west_china.build_grid` writes the tables and series of all years and prints their balances.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from modelling.east_west_china.grid_balance import Year, year_of
from modelling.east_west_china.grid_flows import flows_of
from modelling.east_west_china.grid_series import (
    availability_of,
    inflow_of,
    load_of,
    minimum_of,
    monthly_load,
    monthly_sum,
    reserve_of,
)
from modelling.east_west_china.grid_sources import HOURS, MODEL, YEARS, Sources, read_sources
from modelling.east_west_china.grid_tables import buses_table, store_table, unit_tables

__all__ = ["build", "main"]

PUMPED_TRIP, BATTERY_TRIP = 0.75, 0.865
BATTERY_CYCLES = 200  # a year
BASE = 2023


def build(sources: Sources, year: int) -> dict[str, pd.DataFrame]:
    """Build all tables and series of a year; by file name without its ending."""
    balance = year_of(sources, year)
    availability, inflow = availability_of(sources, balance), inflow_of(sources, balance)
    storage_loss = _storage_loss(sources, balance)
    flows = flows_of(sources, balance, _monthly(sources, balance, availability, inflow), storage_loss)
    load = load_of(sources, flows.load_twh, float(sources.years.loc[year, "peak_gw"]))
    minimum = minimum_of(sources, balance, inflow)
    units, segments = unit_tables(sources, balance, availability, minimum)
    tables = {
        "units": units,
        "segments": segments,
        "stores": store_table(sources, balance),
        "links": flows.table.reset_index(names="link"),
        "load": load,
        "availability": availability,
        "inflow": inflow,
        "minimum": minimum,
        "contract": flows.contract,
        "reserve": reserve_of(load, availability),
    }
    return tables | ({"buses": buses_table(sources, load)} if year == BASE else {})


def _storage_loss(sources: Sources, balance: Year) -> pd.Series[float]:
    """TWh lost in a year in pumped storage and batteries, by bus."""
    pumped = balance.capacity["pumped"] / balance.capacity["pumped"].sum()
    pumped_twh = float(sources.years.loc[balance.year, "pumped_twh"])
    battery_twh = balance.capacity["battery_mwh"] * BATTERY_CYCLES / 1e6
    return pumped * pumped_twh * (1 / PUMPED_TRIP - 1) + battery_twh * (1 / BATTERY_TRIP - 1)


def _monthly(
    sources: Sources, balance: Year, availability: pd.DataFrame, inflow: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """TWh by bus and month: what is consumed, what weather and water give, and the thermal rest."""
    index, taken = balance.given.index, {}
    for technology in ("wind", "offshore", "pv_utility", "pv_distributed"):
        share = balance.given[technology] / balance.energy[technology].where(balance.energy[technology] > 0, 1.0)
        taken[technology] = share
    fixed = pd.DataFrame(0.0, index=index, columns=range(12))
    by_month = monthly_sum(availability)
    for bus in index:
        for technology in ("wind", "offshore", "pv_utility", "pv_distributed", "nuclear", "other"):
            name = f"{bus}_{technology}"
            if name in by_month.index:
                fixed.loc[bus] += by_month.loc[name] * (taken[technology][bus] if technology in taken else 1.0)
    water = monthly_sum(inflow)
    for group in balance.hydro.itertuples():
        fixed.loc[group.bus] += water.loc[f"{group.bus}_{group.basin}"]
    thermal = balance.given[["coal", "chp", "captive", "gas"]]
    return {"load": monthly_load(sources, balance.consumption), "fixed": fixed, "thermal": thermal}


def write(folder: Path, year: int, tables: dict[str, pd.DataFrame]) -> None:
    """Write the files of a year; those of the base year have no year in their name."""
    suffix = "" if year == BASE else f"_{year}"
    for name, table in tables.items():
        if len(table) == HOURS:
            _write_series(folder / f"{name}{suffix}.parquet", table)
        else:
            table.to_csv(folder / f"{name}{suffix}.csv", index=False, lineterminator="\n")


def _write_series(path: Path, table: pd.DataFrame) -> None:
    """Whole MW; differences from hour to hour are packed, which keeps the files small."""
    columns = {str(name): table[name].to_numpy().round().astype("int32") for name in table}
    packed = dict.fromkeys(columns, "DELTA_BINARY_PACKED")
    pq.write_table(
        pa.table(columns), path, compression="zstd", compression_level=19, use_dictionary=False, column_encoding=packed
    )


def main() -> int:
    """Write all years."""
    sources = read_sources()
    for year in [int(text) for text in sys.argv[1:]] or YEARS:
        tables = build(sources, year)
        write(MODEL, year, tables)
        load = tables["load"].sum(axis=1)
        print(f"{year}: load {load.sum() / 1e6:.0f} TWh, peak {load.max() / 1e3:.0f} GW, {len(tables['units'])} units")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
