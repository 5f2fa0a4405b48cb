"""The grid of China: areas from interface rows alone, hydro that adds up, balances, and tables that rebuild."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from modelling.east_west_china import build_grid
from modelling.east_west_china.grid_balance import year_of
from modelling.east_west_china.grid_sources import MODEL, YEARS, read_sources

DAYS = 365


@pytest.fixture(scope="module")
def sources():
    return read_sources()


def rows(name):
    return list(csv.DictReader((MODEL / name).read_text(encoding="utf-8").splitlines()))


def suffix(year):
    return "" if year == build_grid.BASE else f"_{year}"


def areas(links):
    """Connected parts by interface rows alone."""
    near = defaultdict(set)
    for link in links:
        if link["kind"] == "interface":
            near[link["from_bus"]].add(link["to_bus"])
            near[link["to_bus"]].add(link["from_bus"])
    found, seen = set(), set()
    for bus in (row["bus"] for row in rows("buses.csv")):
        if bus not in seen:
            part, open_ = {bus}, [bus]
            while open_:
                new = near[open_.pop()] - part
                part |= new
                open_ += new
            seen |= part
            found.add(frozenset(name for name in part if not name.endswith("_Renewables")))
    return found


@pytest.mark.parametrize("year", YEARS)
def test_ac_interfaces_make_the_synchronous_areas(year):
    expected = defaultdict(set)
    for row in rows("sources/grid_buses.csv"):
        expected[row["area"]].add(row["bus"])
    assert areas(rows(f"links{suffix(year)}.csv")) == {frozenset(part) for part in expected.values()}
    assert sorted(expected) == ["East", "North_Central", "Northeast", "Northwest", "South", "Southwest", "Yunnan"]


def test_one_missing_back_to_back_taken_for_ac_would_show():
    links = [dict(row, kind="interface") if row["link"] == "Gaoling" else row for row in rows("links.csv")]
    assert len(areas(links)) == 6


def test_north_and_central_hang_on_one_interface():
    links = [row for row in rows("links.csv") if row["link"] != "Shanxi_Henan"]
    assert len(areas(links)) == 8


@pytest.mark.parametrize(
    ("year", "hydro_gw", "pumped_gw"), [(2020, 370.2, 31.5), (2023, 421.5, 50.9), (2024, 436.0, 58.7)]
)
def test_hydro_adds_up_once(sources, year, hydro_gw, pumped_gw):
    capacity = year_of(sources, year).capacity
    assert capacity["pumped"].sum() / 1e3 == pytest.approx(pumped_gw, abs=0.1)
    assert capacity[["hydro", "pumped"]].to_numpy().sum() / 1e3 == pytest.approx(hydro_gw, rel=0.003)
    units = pd.read_csv(MODEL / f"units{suffix(year)}.csv")
    assert units.loc[units["technology"] == "Hydro", "p_max_mw"].sum() == pytest.approx(
        capacity["hydro"].sum(), rel=0.001
    )


def test_every_province_is_there_and_split_shares_add_up(sources):
    assert sources.buses["province"].nunique() == 31
    shares = sources.buses.filter(like="_share").drop(columns=["coal_min_share", "heat_share"])
    assert shares.groupby(sources.buses["province"]).sum().to_numpy() == pytest.approx(1.0)


@pytest.mark.parametrize("year", YEARS)
def test_contracts_stay_within_links_and_change_few_times_a_day(year):
    contract = pq.read_table(MODEL / f"contract{suffix(year)}.parquet").to_pandas()
    for row in rows(f"links{suffix(year)}.csv"):
        if row["contract"]:
            mw = contract[row["contract"]]
            assert mw.max() <= float(row["p_nom_mw"])
            assert mw.min() >= -float(row["p_nom_back_mw"])
            assert mw.min() >= float(row["p_min_mw"]) or float(row["p_min_mw"]) == 0
            assert (mw.diff().fillna(0) != 0).sum() <= 6 * DAYS + 12  # peak, flat, valley; and the months


def test_peak_and_energy_of_2023_are_the_published_ones(sources):
    load = pq.read_table(MODEL / "load.parquet").to_pandas()
    total = load.sum(axis=1) + sources.data_centres.sum() * 1e6 / 8760
    assert total.max() / 1e3 == pytest.approx(1345, rel=0.03)
    assert total.sum() / 1e6 == pytest.approx(9224, rel=0.02)


def test_tables_of_the_base_year_are_what_the_builder_writes(sources, tmp_path):
    build_grid.write(tmp_path, build_grid.BASE, build_grid.build(sources, build_grid.BASE))
    for path in sorted(tmp_path.iterdir()):
        if path.suffix == ".csv":
            assert path.read_bytes() == (MODEL / path.name).read_bytes(), path.name
        else:  # bytes of Parquet depend on the version of its library
            fresh, kept = (pq.read_table(folder / path.name) for folder in (tmp_path, MODEL))
            assert fresh.column_names == kept.column_names
            for name in fresh.column_names:
                np.testing.assert_array_equal(fresh[name].to_numpy(), kept[name].to_numpy(), err_msg=name)


def test_files_stay_small():
    size = sum(path.stat().st_size for path in Path(MODEL).rglob("*") if path.is_file())
    assert size < 15e6
