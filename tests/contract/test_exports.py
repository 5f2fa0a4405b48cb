"""Every format is read back by its own tool, and says what the run says: names that are formulas and all."""

import csv
import gzip
import json
import math
import re
import warnings
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import psycopg
import pyarrow.dataset as ds
import pytest
import xarray as xr

from gridtwin.errors import ResultsError
from gridtwin.exports import postgresql, sheets, xlsx
from gridtwin.exports.export import export
from gridtwin.exports.iamc import fuel_of
from gridtwin.exports.registry import FORMATS
from gridtwin.exports.selection import Selection, choose
from gridtwin.exports.sheets import DANGEROUS, defused
from gridtwin.results.saved_run import SavedRun, open_run
from gridtwin.results.variables import tables, variables

ELSEWHERE = {"pypsa", "pandapower", "matpower"}  # these have tests of their own
EVERYTHING = Selection()
BY_DAY = Selection(
    start=datetime(2020, 1, 2, 6, tzinfo=UTC), resample_s=86_400, zone="Asia/Shanghai", convention="pandapower"
)
TEXTS = ("bus", "unit", "site", "store", "line", "link", "origin")
ROUNDING = 1e-12  # relative; where a sum is taken in another order


@pytest.fixture(scope="module")
def run(hostile) -> SavedRun:
    return hostile.run


@dataclass
class Read:
    """What a tool read: series as they are in the run, records as tables."""

    series: dict[str, np.ndarray]
    records: dict[str, pd.DataFrame]


def arrays(table: str, frame: pd.DataFrame, chosen, spelled=lambda text: text) -> dict[str, np.ndarray]:
    """Put rows of a long table at their places; a missing or double row shows."""
    dims = tables()[table][0].dims
    places = []
    for dim in dims:
        if dim == "time":
            known, given = pd.DatetimeIndex(chosen.time).as_unit("ms"), pd.to_datetime(frame["time"], utc=True)
            places.append(known.get_indexer(pd.DatetimeIndex(given).tz_localize(None).as_unit("ms")))
        else:
            known = [spelled(label) if isinstance(label, str) else label for label in chosen.labels(dim)]
            places.append(pd.Index(known).get_indexer(frame[dim]))
    found = {}
    for variable in chosen.tables[table]:
        if variable.name in frame:
            shape = chosen.shape(variable)
            flat = np.ravel_multi_index(places, shape)
            assert sorted(flat) == list(range(math.prod(shape)))
            values = np.empty(math.prod(shape))
            values[flat] = frame[variable.name].to_numpy(dtype=float, na_value=np.nan)
            found[variable.name] = values.reshape(shape)
    return found


def long(frames: dict[str, pd.DataFrame], chosen, spelled=lambda text: text) -> Read:
    series = {}
    for table in chosen.tables:
        series |= arrays(table, frames[table], chosen, spelled)
    return Read(series, {name: frames[name] for name in chosen.records if name in frames})


def read_csv(target: Path, chosen) -> Read:
    frames = {}
    for file in target.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            head, units = next(rows := csv.reader(lines)), next(rows)
        texts = {name: str for name in head if name in {*TEXTS, "party", "name", "kind", "element"}}
        frames[file.stem] = pd.read_csv(
            file, skiprows=[1], dtype=texts, keep_default_na=False, na_values=[""], float_precision="round_trip"
        )
        frames[file.stem].attrs = dict(zip(head, units, strict=True))
    assert frames["bus"].attrs["price_per_mwh"] == "EUR/MWh"
    assert frames["jobs"].attrs["wait_s"] == "s"
    return long(frames, chosen, defused)


def read_parquet(target: Path, chosen) -> Read:
    frames = {
        name: ds.dataset(target / f"table={name}", partitioning="hive").to_table().to_pandas()
        for name in (*chosen.tables, *chosen.records)
    }
    with duckdb.connect() as session:
        for name, frame in frames.items():
            query = f"SELECT count(*) FROM read_parquet('{target}/table={name}/**/*.parquet', hive_partitioning=true)"
            assert session.execute(query).fetchone() == (len(frame),)
    field = ds.dataset(target / "table=site", partitioning="hive").schema.field("pue")
    assert field.metadata[b"unit"] == b"1"
    return long(frames, chosen)


def read_dataset(dataset: xr.Dataset, chosen) -> Read:
    for dim in {dim for name in dataset.data_vars for dim in dataset[name].dims} - {"time", "bounds"}:
        assert dataset[dim].to_numpy().tolist() == list(chosen.labels(dim))
    if "time" in dataset.dims:
        assert np.array_equal(dataset["time"].to_numpy(), chosen.time.astype("datetime64[ns]"))
        assert np.array_equal(dataset["time_bounds"].to_numpy()[:, 1], chosen.ends.astype("datetime64[ns]"))
        assert dataset["load_mw"].attrs["cell_methods"] == "time: mean"
    assert dataset["price_per_mwh"].attrs["units"] == "EUR/MWh"
    for name in dataset.data_vars:
        assert dataset[name].dims == variables()[name].dims
    return Read({str(name): dataset[name].to_numpy() for name in dataset.data_vars}, {})


def read_netcdf(target: Path, chosen) -> Read:
    with xr.open_dataset(target, engine="h5netcdf") as dataset:
        return read_dataset(dataset, chosen)


def read_zarr(target: Path, chosen) -> Read:
    assert json.loads((target / "zarr.json").read_text())["zarr_format"] == 3
    with xr.open_dataset(target, engine="zarr", consolidated=False) as dataset:
        return read_dataset(dataset, chosen)


def read_xlsx(target: Path, chosen) -> Read:
    book = openpyxl.load_workbook(target, read_only=True)
    assert book.sheetnames[0] == "summary"
    assert ("run", chosen.run.run_id, None) in list(book["summary"].values)
    series, records = {}, {}
    for name in book.sheetnames:
        rows = list(book[name].values)
        if name in chosen.tables:
            head, columns = rows[0], list(zip_longest(*rows[2:])) or [()] * len(rows[0])
            columns += [(None,) * len(rows[2:])] * (len(head) - len(columns))  # a reader drops empty ends of rows
            for variable in chosen.tables[name]:
                mine = [
                    column for column, text in zip(columns, head, strict=True) if text.split(" | ")[0] == variable.name
                ]
                values = np.array(mine, dtype=float).T  # None becomes NaN, "inf" infinite
                series[variable.name] = values.reshape(chosen.shape(variable))
        elif name in chosen.records:
            records[name] = pd.DataFrame(rows[2:], columns=rows[0])
    return Read(series, records)


def read_duckdb(target: Path, chosen) -> Read:
    with duckdb.connect(str(target), read_only=True) as session:
        frames = {name: session.execute(f'SELECT * FROM "{name}"').df() for name in (*chosen.tables, *chosen.records)}
        comment = "SELECT comment FROM duckdb_columns() WHERE table_name = 'bus' AND column_name = 'price_per_mwh'"
        assert session.execute(comment).fetchone()[0].endswith("[EUR/MWh]")
    return long(frames, chosen)


def read_postgresql(url: str, chosen) -> Read:
    frames = {}
    with psycopg.connect(url) as connection:
        for name in (*chosen.tables, *chosen.records):
            cursor = connection.execute(f'SELECT * FROM "{chosen.run.run_id}"."{name}"'.encode())
            frames[name] = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
        comment = "SELECT col_description('site'::regclass, 4)"
        connection.execute(f'SET search_path TO "{chosen.run.run_id}"'.encode())
        assert connection.execute(comment.encode()).fetchone()[0].endswith("[MW]")
    return long(frames, chosen)


LINE = re.compile(r"((?:\\.|[^ ])+) ((?:\\.|[^ ])+) (-?\d+)")
PART = re.compile(r"((?:\\[,= ]|[^,=])+)=((?:\\[,= ]|[^,=])*)(?:,|$)")


def plain(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def read_influx(target: Path, chosen) -> Read:
    """Read line protocol as its description says; fields that are missing are NaN."""
    raw = target.read_bytes()
    lines = (gzip.decompress(raw) if target.suffix == ".gz" else raw).decode().splitlines()
    rows = defaultdict(list)
    for line in lines[:-1]:
        series, fields, stamp = LINE.fullmatch(line).groups()
        measurement, _, tags = series.partition(",")
        found = {plain(key): plain(value) for key, value in PART.findall(tags)}
        assert found.pop("run") == chosen.run.run_id
        numbers = {key: int(text[:-1]) if text.endswith("i") else float(text) for key, text in PART.findall(fields)}
        rows[measurement].append(found | numbers | {"time": np.datetime64(int(stamp), "ns")})
    frames = {}
    for table, members in chosen.tables.items():
        columns = [*members[0].dims, *(variable.name for variable in members)]
        frames[table] = pd.DataFrame(rows[table])
        if "window" in columns:
            step = np.timedelta64(chosen.run.facts.window_steps * chosen.run.facts.step_s, "s")
            frames[table]["window"] = (frames[table]["time"] - chosen.run.time[0]) // step
        frames[table] = frames[table].reindex(columns=columns)
    missing = sum(int((~np.isfinite(chosen.values(name))).sum()) for name in chosen.names)
    assert lines[-1] == f"# {missing} values that are NaN or infinite were left out"
    return partly(frames, chosen)


def partly(frames: dict[str, pd.DataFrame], chosen) -> Read:
    """Rows without any value are not there in line protocol: they come back as NaN."""
    whole = {}
    for table, frame in frames.items():
        dims = list(tables()[table][0].dims)
        labels = [pd.DatetimeIndex(chosen.time) if dim == "time" else chosen.labels(dim) for dim in dims]
        every = pd.MultiIndex.from_product(labels, names=dims).to_frame(index=False)
        whole[table] = every.merge(frame, how="left", on=dims, validate="one_to_one")
        assert len(frame) <= len(every)
    return long(whole, chosen)


LONG = {
    "csv": read_csv,
    "parquet": read_parquet,
    "netcdf": read_netcdf,
    "zarr": read_zarr,
    "xlsx": read_xlsx,
    "duckdb": read_duckdb,
    "postgresql": read_postgresql,
    "influx": read_influx,
}
OTHERS = {"iamc", "geojson", "swf"}


def test_every_format_has_its_test():
    assert LONG.keys() | OTHERS | ELSEWHERE == FORMATS.keys()


@pytest.mark.parametrize("selection", [EVERYTHING, BY_DAY], ids=["everything", "by day"])
@pytest.mark.parametrize("to", LONG)
def test_what_is_read_back_is_what_the_run_has(run, to, selection, tmp_path, request):
    place = request.getfixturevalue("database") if to == "postgresql" else tmp_path / f"out{FORMATS[to].suffix}"
    done = export(run, place if to == "postgresql" else to, place, selection, replace=True)
    chosen = choose(run, selection)
    read = LONG[to](place, chosen)
    assert read.series.keys() == set(variables())
    unlike = [name for name, values in read.series.items() if not same(values, chosen.values(name), to)]
    assert unlike == []
    for name, frame in read.records.items():
        assert_same_record(name, frame, run, selection)
    if FORMATS[to].records:
        whole = {"jobs", "money", "findings", "n1"}
        assert read.records.keys() == (whole if selection.whole_time else whole - {"money"})
        assert done.left_out == (() if selection.whole_time else ("money",))
        assert done.rows["jobs"] == len(read.records["jobs"])


def same(read: np.ndarray, own: np.ndarray, to: str) -> bool:
    """Whether every bit is the same; line protocol cannot hold what is infinite."""
    known = np.where(np.isinf(own), np.nan, own) if to == "influx" else own
    return np.array_equal(read.astype(float), known.astype(float), equal_nan=True)


def assert_same_record(name: str, frame: pd.DataFrame, run: SavedRun, selection: Selection) -> None:
    own = {"jobs": run.jobs, "money": run.money, "findings": run.findings, "n1": run.outages}[name]()
    own = pd.DataFrame(dict(own))
    start = np.datetime64((selection.start or datetime(2000, 1, 1, tzinfo=UTC)).replace(tzinfo=None))
    if name == "jobs":
        own = own[run.time[0] + own["submit_s"].to_numpy() * np.timedelta64(1, "s") >= start]
    elif "time" in own:
        own = own[own["time"].to_numpy() >= start]
    assert len(frame) == len(own) > 0
    for column in own.columns.drop("time", errors="ignore"):
        mine, theirs = own[column].to_numpy(), frame[column].to_numpy()
        if own[column].dtype.kind in "iufb":
            assert np.array_equal(mine, theirs.astype(mine.dtype), equal_nan=mine.dtype.kind == "f"), column
        else:
            texts = {(None if pd.isna(text) else str(text).removeprefix("'")) for text in theirs}
            assert texts == {(None if pd.isna(text) else text.removeprefix("'")) for text in mine}, column


# --- iamc -------------------------------------------------------------------------------------------------------------


def test_pyam_reads_the_long_table_and_its_parts_add_up(run, pyam, tmp_path):
    export(run, "iamc", tmp_path / "a.csv", Selection(zone="Asia/Shanghai"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pyam.IamDataFrame(tmp_path / "a.csv")
        assert frame.scenario == [run.run_id]
        areas = {defused(name) for name in run.inputs("buses")["area"]}
        assert set(frame.region) == {*areas, "System"}
        for whole in ("Secondary Energy|Electricity", "Secondary Energy|Electricity|Solar", "Final Energy|Electricity"):
            assert frame.check_aggregate(whole) is None
        for whole in ("Secondary Energy|Electricity", "Emissions|CO2", "Final Energy|Electricity"):
            assert frame.check_aggregate_region(whole, region="System") is None
        data = frame.data
    assert data["time"].min().isoformat() == "2020-01-02T08:00:00+08:00"
    system = data[data["region"] == "System"].pivot_table(index="time", columns="variable", values="value")
    unit_mwh = run.values("unit_mw") * run.step_h
    generated = system["Secondary Energy|Electricity"].to_numpy()
    assert generated == pytest.approx(unit_mwh.sum(axis=1), rel=ROUNDING)
    assert system["Emissions|CO2"].to_numpy() == pytest.approx(run.values("co2_kg") / 1000, rel=ROUNDING)
    assert system["Emissions|CO2"].sum() == pytest.approx(run.kpis["co2_t"], rel=ROUNDING)
    assert system["Curtailment|Electricity"].sum() == pytest.approx(run.kpis["curtailment_mwh"], rel=ROUNDING)
    wind = [fuel_of(name) == "Wind" for name in run.inputs("units")["technology"]]
    from_wind = system["Secondary Energy|Electricity|Wind"].to_numpy()
    assert from_wind == pytest.approx(unit_mwh[:, wind].sum(axis=1), rel=ROUNDING)
    price = run.values("price_per_mwh")
    assert (system["Price|Electricity"].to_numpy() <= price.max(axis=1) * (1 + ROUNDING)).all()
    assert (system["Price|Electricity"].to_numpy() >= price.min(axis=1) * (1 - ROUNDING)).all()


# --- geojson ----------------------------------------------------------------------------------------------------------


def test_the_map_holds_every_place_and_what_it_did(run, tmp_path):
    export(run, "geojson", tmp_path / "a.geojson")
    found = json.loads((tmp_path / "a.geojson").read_text(), parse_constant=pytest.fail)
    assert found["type"] == "FeatureCollection"
    assert "crs" not in found  # RFC 7946 knows but one
    by_kind = defaultdict(list)
    for feature in found["features"]:
        assert feature["type"] == "Feature"
        by_kind[feature["properties"]["kind"]].append(feature)
    for kind, features in by_kind.items():
        assert [feature["properties"][kind] for feature in features] == list(run.facts.coords[kind])
    (first, *_), buses = by_kind["site"], by_kind["bus"]
    assert first["geometry"] == {"type": "Point", "coordinates": [101.0, 41.0]}  # longitude first
    ends = [buses[place]["geometry"]["coordinates"] for place in (0, 1)]
    assert by_kind["line"][0]["geometry"] == {"type": "LineString", "coordinates": ends}
    told = np.array([feature["properties"]["load_mw_mean"] for feature in buses])
    assert told == pytest.approx(run.values("load_mw").mean(axis=0), rel=ROUNDING)
    assert [f["properties"]["loading_percent_max"] for f in by_kind["line"]] == pytest.approx(
        run.values("loading_percent").max(axis=0), rel=0
    )
    for place, label in enumerate(run.facts.coords["compute_class"]):
        busy = [feature["properties"][f"busy_node_s_sum_{label}"] for feature in by_kind["site"]]
        assert busy == run.values("busy_node_s")[:, :, place].sum(axis=0).tolist()


def test_a_model_without_coordinates_has_no_map(pocket_run, tmp_path):
    with pytest.raises(ResultsError, match="no coordinates; give lat and lon"):
        export(open_run(pocket_run("asap").path), "geojson", tmp_path / "a.geojson")
    assert list(tmp_path.iterdir()) == []


# --- swf --------------------------------------------------------------------------------------------------------------


def test_a_time_without_jobs_is_a_log_without_lines(run, tmp_path):
    done = export(run, "swf", tmp_path / "a.swf", Selection(start=datetime(2020, 1, 4, tzinfo=UTC)))
    assert done.rows == {"jobs": 0}
    assert {line[0] for line in (tmp_path / "a.swf").read_text().splitlines()} == {";"}


def test_a_reader_of_workload_logs_finds_the_jobs(run, tmp_path):
    export(run, "swf", tmp_path / "a.swf")
    lines = (tmp_path / "a.swf").read_text().splitlines()
    told = [line[1:].partition(":") for line in lines if line.startswith(";")]
    header = {key.strip(): value.strip() for key, _, value in told}
    table = np.array([line.split() for line in lines if not line.startswith(";")], dtype=int)
    own = run.jobs()
    assert lines[0] == "; Version: 2.2"
    assert header["MaxJobs"] == str(len(table)) == str(len(own["job"]))
    assert header["UnixStartTime"] == str(int(run.time[0].astype("datetime64[s]").astype(int)))
    assert table.shape[1] == 18
    number, submit, wait, length, nodes = table[:, :5].T
    assert number.tolist() == list(range(1, len(table) + 1))
    assert (np.diff(submit) >= 0).all()
    order = np.argsort(own["submit_s"], kind="stable")
    ended = own["end_s"][order] >= 0
    assert ended.any()
    assert np.array_equal(nodes, own["nodes"][order])
    assert np.array_equal((submit + wait + length)[ended], own["end_s"][order][ended])
    assert np.array_equal(table[:, 10] == 1, ended)
    partitions = [value.strip().partition(" ")[2] for key, _, value in told if key.strip() == "Partition"]
    assert partitions[table[0, 15] - 1] == f"{own['class'][order][0]} at {own['site'][order][0]}"
    assert {tuple(row) for row in table[:, [5, 6, 9, 11, 13, 16, 17]].tolist()} == {(-1,) * 7}


# --- what a spreadsheet would run -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["csv", "iamc"])
def test_no_cell_is_a_formula(hostile, to, tmp_path):
    export(hostile.run, to, tmp_path / "out")
    files = list((tmp_path / "out").glob("*.csv")) if to == "csv" else [tmp_path / "out"]
    seen = set()
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            for cell in {cell for row in csv.reader(lines) for cell in row}:
                seen.add(cell.removeprefix("'"))
                assert not DANGEROUS.match(cell) or (is_number(cell) and cell not in hostile.formulas)
    wanted = hostile.formulas if to == "csv" else hostile.names["area"].values()
    assert seen >= set(wanted)


def is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def test_no_cell_of_a_workbook_is_a_formula(run, tmp_path):
    export(run, "xlsx", tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)
    cells = [cell for page in book for row in page.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d", "inlineStr"}
    assert {cell.value for cell in cells} >= {f"loading_percent | {name}" for name in run.facts.coords["line"]}


def test_a_workbook_that_would_be_too_long_is_refused_before_anything_is_read(run, tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "MAX_ROWS", 10)
    monkeypatch.setattr(sheets, "MAX_ROWS", 10)
    monkeypatch.setattr(xlsx, "_summary", pytest.fail)
    with pytest.raises(ResultsError, match=r"'jobs' would have .* rows, the format allows 10; select fewer"):
        export(run, "xlsx", tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()[0]


def test_a_schema_that_is_there_is_not_touched_without_leave(run, database):
    few = Selection(variables=("site_mw",))
    export(run, database, None, EVERYTHING, replace=True)
    before = count(database, f'"{run.run_id}"."bus"')
    with pytest.raises(ResultsError, match="is there already; replace it with --replace"):
        export(run, database, None, few)
    assert count(database, f'"{run.run_id}"."bus"') == before
    export(run, database, None, few, replace=True)
    with pytest.raises(psycopg.errors.UndefinedTable):
        count(database, f'"{run.run_id}"."bus"')


def test_after_an_error_nothing_is_there(run, database, monkeypatch):
    export(run, database, None, Selection(variables=("site_mw",)), replace=True)
    before = count(database, f'"{run.run_id}"."site"')

    def broken(*_):
        raise psycopg.errors.DiskFull("no room")

    monkeypatch.setattr(postgresql, "comments", broken)
    with pytest.raises(ResultsError, match="nothing was written: no room"):
        export(run, database, None, EVERYTHING, replace=True)
    assert count(database, f'"{run.run_id}"."site"') == before


def test_a_schema_of_somebody_else_is_never_dropped(run, database):
    with psycopg.connect(database) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{run.run_id}" CASCADE; CREATE SCHEMA "{run.run_id}"'.encode())
    with pytest.raises(ResultsError, match="was not written by gridtwin"):
        export(run, database, replace=True)
    with psycopg.connect(database) as connection:
        connection.execute(f'DROP SCHEMA "{run.run_id}"'.encode())


def test_series_become_hypertables_where_there_are_such(run, database, monkeypatch):
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS made (name text); TRUNCATE made")
        connection.execute(
            "CREATE OR REPLACE FUNCTION create_hypertable(what regclass, along text) RETURNS void LANGUAGE sql "
            "AS 'INSERT INTO public.made VALUES (what::text || along)'"
        )
    monkeypatch.setattr(postgresql, "_has_timescaledb", lambda _: True)
    export(run, database, None, EVERYTHING, replace=True)
    assert count(database, "made") == sum(members[0].dims[0] == "time" for members in tables().values())


def test_no_password_is_told(run):
    with pytest.raises(ResultsError) as raised:
        export(run, "postgresql://me:s3cret@127.0.0.1:1/runs?connect_timeout=1")
    assert "nothing was written" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_name_too_long_for_a_schema_is_shortened_and_still_its_own():
    names = {postgresql.schema_name("北" * 30 + str(number)) for number in range(20)}
    assert len(names) == 20
    assert all(len(name.encode()) <= 63 for name in names)
    assert postgresql.schema_name("a_run") == "a_run"
