"""Readings: a user's table of what machines were measured to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

from gridtwin.catalogue.hardware import Hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.meter import PRECISIONS, Precision, Throughput
from gridtwin.catalogue.pools import Pool, Reading
from gridtwin.errors import InputError, Issue, RegistryError
from gridtwin.located import Field, Table, did_you_mean, read_csv, rows

__all__ = ["with_readings"]

FIELDS: Final = (
    Field("identifier", "text"),
    Field("precision", "text"),
    Field("measured_tflops", above=0),
    Field("date", "text"),
    Field("method", "text"),
)
Key: TypeAlias = tuple[str, ...]  # what the machines of a pool share


def with_readings(pools: Sequence[Pool], path: Path) -> tuple[Pool, ...]:
    """Attach a table of readings to the pools that were measured; peaks are kept beside them.

    Parameters
    ----------
    pools : sequence of Pool
    path : Path
        CSV file with the columns identifier, precision, measured_tflops (of each machine, TOP/s where the precision is
        int8), date and method. Where several readings speak of a machine, the last day counts.

    Raises
    ------
    InputError
        With all faults at `file:line:column`: machines that the model does not have, precisions in which a machine has
        no peak, readings above a published peak, two readings of one day, dates that are none.
    """
    issues: list[Issue] = []
    table = read_csv(path, FIELDS, ("identifier", "precision", "date"), issues)
    known = {pool.identifier.pool: pool for pool in pools}
    readings = list(_readings(table, known, issues)) if table else []
    if issues or table is None:
        raise InputError(issues)
    return tuple(
        replace(pool, readings=tuple(reading for reading in readings if reading.identifier in pool.identifier))
        for pool in pools
    )


def _readings(table: Table, known: Mapping[Key, Pool], issues: list[Issue]) -> Iterator[Reading]:
    """Yield the readings of rows without faults; faults are appended to `issues`."""
    days: dict[tuple[Key, type[Precision], date], list[Identifier]] = {}
    for row, cells in enumerate(rows(table)):
        faults = dict(_faults(cells, known))
        issues += [table.at(row, column).issue(message) for column, message in faults.items()]
        if faults:
            continue
        reading = _reading(cells)
        same_day = days.setdefault((reading.identifier.pool, reading.each.precision, reading.day), [])
        for other in same_day:
            if reading.identifier.first <= other.last and other.first <= reading.identifier.last:
                message = f"{other} has a reading of the same day; say which machines gave which"
                issues.append(table.at(row, "identifier").issue(message))
        same_day.append(reading.identifier)
        yield reading


def _faults(cells: Mapping[str, Any], known: Mapping[Key, Pool]) -> Iterator[tuple[str, str]]:
    """Yield the columns of a row that cannot be used, and why."""
    pool = None
    try:
        identifier = Identifier.parse(cells["identifier"])
        pool = known.get(identifier.pool)
        if pool is None or identifier not in pool.identifier:
            hint = did_you_mean(str(identifier), [str(other.identifier) for other in known.values()])
            yield "identifier", f"the model has no {identifier}{hint}"
    except RegistryError as error:
        yield "identifier", str(error)
    try:
        date.fromisoformat(cells["date"])
    except ValueError:
        yield "date", f"date is {cells['date']!r}; expected YYYY-MM-DD"
    if cells["precision"] not in PRECISIONS:
        yield "precision", f"unknown precision {cells['precision']!r}{did_you_mean(cells['precision'], PRECISIONS)}"
    elif pool:
        yield from _beyond(pool.hardware, cells["precision"], cells["measured_tflops"])


def _beyond(hardware: Hardware, precision: str, tflops: float) -> Iterator[tuple[str, str]]:
    """Yield what a reading says that the machine cannot do."""
    peak = hardware.peak(precision)
    if peak is None:
        yield "precision", f"{hardware.name} has no peak in {precision}"
    elif _throughput(precision, tflops).per_s > peak.per_s and not hardware.estimated(precision):
        yield "measured_tflops", f"{tflops:g} is above the published peak of one {hardware.name}, {peak}"


def _reading(cells: Mapping[str, Any]) -> Reading:
    each = _throughput(cells["precision"], cells["measured_tflops"])
    return Reading(Identifier.parse(cells["identifier"]), each, date.fromisoformat(cells["date"]), cells["method"])


def _throughput(precision: str, tflops: float) -> Throughput[Precision]:
    kind: type[Precision] = PRECISIONS[precision]
    return Throughput.of(tflops, f"T{kind.operation}/s", kind)
