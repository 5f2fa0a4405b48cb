"""A workbook: a summary, a wide sheet for each table of series, and the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from gridtwin.economics.kpi_table import KPIS
from gridtwin.exports.long import LongTable, long_tables
from gridtwin.exports.registry import Progress, Rows
from gridtwin.exports.selection import Chosen, Selection, choose
from gridtwin.exports.sheets import MAX_ROWS, Sheet, require_room, write_workbook
from gridtwin.results.saved_run import SavedRun

__all__ = ["write"]

BETWEEN: Final = " | "  # between the parts of a column's name


def write(run: SavedRun, target: Path | str, selection: Selection, progress: Progress) -> Rows:
    """Write one workbook: down the steps, across variable and place; times are local, UTC beside them.

    Raises
    ------
    ResultsError
        If a sheet would have more rows or columns than the format allows.
    """
    chosen = choose(run, selection)
    for table in long_tables(chosen):
        if table.name not in chosen.tables and table.rows > MAX_ROWS:  # before they are read as a whole
            rows = sum(batch.num_rows for batch in table.batches())
            require_room(f"{Path(target).name}: sheet {table.name!r}", rows + 2, len(table.columns))
    sheets = [_summary(chosen), *_sheets(chosen)]
    write_workbook(Path(target), sheets, progress)
    return {sheet.name: sheet.rows for sheet in sheets}


def _summary(chosen: Chosen) -> Sheet:
    run, facts = chosen.run, chosen.run.facts
    known = [(KPIS[name].label, run.kpis[name], KPIS[name].unit) for name in KPIS if name in run.kpis]
    ledgers = [
        (f"ledger {name}", "holds" if found["pass"] else "DOES NOT HOLD", "")
        for name, found in run.summary["ledgers"].items()
    ]
    rows: list[tuple[str, object, str]] = [
        ("run", run.run_id, ""),
        ("scenario", facts.scenario, ""),
        ("policy", facts.policy, ""),
        ("first step", facts.step_start(0).astimezone(chosen.selection.tz).isoformat(), ""),
        ("end", facts.step_start(len(run.time)).astimezone(chosen.selection.tz).isoformat(), ""),
        ("step", facts.step_s, "s"),
        ("sign convention", chosen.selection.convention, ""),
        ("gridtwin", facts.versions["gridtwin"], ""),
        *((label, value, unit.format(currency=facts.currency)) for label, value, unit in known),
        *ledgers,
    ]
    names, values, units = zip(*rows, strict=True)
    return Sheet("summary", {"figure": names, "value": values, "unit": units})


def _sheets(chosen: Chosen) -> Iterator[Sheet]:
    """Yield a wide sheet for each table of series, then the others as they are."""
    for table in long_tables(chosen):
        if table.name in chosen.tables:
            yield _wide(chosen, table.name)
        elif table.name != "key_figures":
            yield _as_it_is(table, chosen)


def _wide(chosen: Chosen, table: str) -> Sheet:
    members = chosen.tables[table]
    dims = members[0].dims
    if dims[0] == "window":
        index: dict[str, Sequence[object]] = {"window": chosen.labels("window")}
    else:
        index = _times(chosen.time, chosen)
        if chosen.selection.resample_s is not None:
            index["steps"] = chosen.steps.tolist()
    places = [BETWEEN.join(map(str, labels)) for labels in product(*(chosen.labels(dim) for dim in dims[1:]))]
    columns: dict[str, Sequence[object] | np.ndarray] = dict(index)
    units = {name: chosen.selection.zone for name in index if name == "time"}
    for variable in members:
        values = chosen.values(variable.name).reshape(len(next(iter(index.values()))), -1)
        for place, column in zip(places, values.T, strict=True):
            name = BETWEEN.join(filter(None, (variable.name, place)))
            columns[name] = column
            units[name] = chosen.unit(variable)
    return Sheet(table, columns, units)


def _as_it_is(table: LongTable, chosen: Chosen) -> Sheet:
    read = pa.Table.from_batches(table.batches(), schema=table.schema)
    columns: dict[str, Sequence[object] | np.ndarray] = {}
    for column in read.column_names:
        if pa.types.is_timestamp(read.schema.field(column).type):
            columns |= _times(np.asarray(read[column].cast(pa.timestamp("s"))), chosen)
        else:
            columns[column] = read[column].to_pylist()
    units = {column.name: column.unit for column in table.columns}
    return Sheet(table.name, columns, units | ({"time": chosen.selection.zone} if "time" in units else {}))


def _times(instants: np.ndarray, chosen: Chosen) -> dict[str, Sequence[object]]:
    """Return local times as a spreadsheet has them, without zone; UTC beside them where that is another."""
    seconds = instants.astype("datetime64[s]").astype(np.int64).tolist()
    zones: dict[str, tzinfo] = {"time": chosen.selection.tz}
    if chosen.selection.zone != "UTC":
        zones["time_utc"] = UTC
    return {
        name: [datetime.fromtimestamp(second, zone).replace(tzinfo=None) for second in seconds]
        for name, zone in zones.items()
    }
