"""The tables of a model folder: what their columns hold and how they refer to each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from gridtwin.errors import Issue
from gridtwin.located import Document, Field, Table, did_you_mean, overlaid, read_csv, read_yaml, shown
from gridtwin.profiles.files import Clock, Series, read_series
from gridtwin.scenario.check import Checked, check
from gridtwin.scenario.model import Model, ProfileTables, RealTimeTables, SeriesFile
from gridtwin.units import FloatArray

__all__ = ["ModelFolder", "numbers", "read_model"]

_NAMES: Final = (Field("name", "text", optional=True, empty=""), Field("name_zh", "text", optional=True, empty=""))
_PLACE: Final = (Field("lat", optional=True, empty=math.nan), Field("lon", optional=True, empty=math.nan))

FIELDS: Final[Mapping[str, tuple[Field, ...]]] = {
    "buses": (
        Field("bus", "text"),
        *_NAMES,
        Field("vn_kv", above=0),
        Field("area", "text"),
        Field("region", "text", optional=True, empty=""),
        Field("load_mw", at_least=0),
        Field("load_mvar"),
        Field("load_share", at_least=0),
        Field("shunt_mw", optional=True, empty=0.0),
        Field("shunt_mvar", optional=True, empty=0.0),
        Field("vm_min_pu", above=0),
        Field("vm_max_pu", above=0),
        *_PLACE,
    ),
    "branches": (
        Field("line", "text"),
        Field("from_bus", "text"),
        Field("to_bus", "text"),
        Field("r_pu", at_least=0),
        Field("x_pu"),
        Field("b_pu"),
        Field("tap_ratio", above=0, optional=True, empty=1.0),
        Field("is_transformer", "flag", optional=True, empty=False),
        Field("rate_mw", above=0, empty=math.inf),
        Field("rate_long_mw", above=0, optional=True, empty=math.inf),
        Field("rate_short_mw", above=0, optional=True, empty=math.inf),
        Field("length_km", at_least=0, optional=True, empty=0.0),
    ),
    "links": (
        Field("link", "text"),
        *_NAMES,
        Field("kind", "text", optional=True, empty="dc"),
        Field("from_bus", "text"),
        Field("to_bus", "text"),
        Field("p_nom_mw", above=0),
        Field("p_nom_back_mw", at_least=0, optional=True, empty=math.inf),
        Field("p_min_mw", at_least=0, optional=True, empty=0.0),
        Field("hold_h", at_least=0, optional=True, empty=0.0),
        Field("contract", "text", optional=True, empty=""),
        Field("deviation_price_per_mwh", at_least=0, optional=True, empty=math.inf),
        Field("cost_per_mwh", at_least=0, optional=True, empty=0.0),
        Field("schedule_mw", optional=True, empty=0.0),
        Field("dispatched", "flag", optional=True, empty=False),
        Field("loss_share", at_least=0, optional=True, empty=0.0),
    ),
    "units": (
        Field("unit", "text"),
        *_NAMES,
        Field("bus", "text"),
        Field("technology", "text"),
        Field("p_min_mw", at_least=0),
        Field("p_max_mw", at_least=0),
        Field("q_min_mvar"),
        Field("q_max_mvar"),
        Field("vm_set_pu", above=0),
        Field("ramp_mw_per_h", above=0, empty=math.inf),
        Field("holds_voltage", "flag"),
        Field("always_committed", "flag"),
        Field("quick_start", "flag"),
        Field("renewable", "flag"),
        Field("curtailable", "flag"),
        Field("profile", "text", empty=""),
        Field("store", "text", optional=True, empty=""),
        Field("minimum", "text", optional=True, empty=""),
        Field("commitment", "text", optional=True, empty=""),
        Field("link", "text", optional=True, empty=""),
    ),
    "segments": (
        Field("unit", "text"),
        Field("p_from_mw", at_least=0),
        Field("p_to_mw", above=0),
        Field("cost_per_mwh"),
        Field("co2_kg_per_mwh", at_least=0),
    ),
    "stores": (
        Field("store", "text"),
        *_NAMES,
        Field("bus", "text"),
        Field("technology", "text"),
        Field("site", "text", optional=True, empty=""),
        Field("charge_mw", at_least=0),
        Field("discharge_mw", at_least=0),
        Field("energy_mwh", above=0),
        Field("efficiency_charge", above=0),
        Field("efficiency_discharge", above=0),
        Field("standing_loss_per_h", at_least=0, optional=True, empty=0.0),
        Field("initial_share", at_least=0),
        Field("inflow", "text", optional=True, empty=""),
        Field("cost_per_mwh", at_least=0, optional=True, empty=0.0),
    ),
    "sites": (
        Field("site", "text"),
        *_NAMES,
        Field("bus", "text"),
        Field("station", "text"),
        Field("cooling", "text"),
        Field("power_factor", above=0),
        Field("connection_mw", above=0, empty=math.inf),
        Field("region", "text", optional=True, empty=""),
        Field("tier", "text", optional=True, empty=""),
        Field("hub", "text", optional=True, empty=""),
        Field("side", "text", optional=True, empty=""),
        Field("racks", at_least=0, optional=True, empty=math.nan),
        Field("pue", at_least=1, optional=True, empty=math.nan),
        Field("pue_limit", at_least=1, optional=True, empty=math.nan),
        Field("rack_use_min", at_least=0, optional=True, empty=math.nan),
        Field("green_share_min", at_least=0, optional=True, empty=math.nan),
        Field("tariff", "text", optional=True, empty=""),
        Field("labour_cost_per_rack_year", at_least=0, optional=True, empty=math.nan),
        *_PLACE,
    ),
    "nodes": (
        Field("site", "text"),
        Field("compute_class", "text"),
        Field("hardware", "text"),
        Field("nodes", "whole", at_least=0),
        Field("vintage", "whole", at_least=0, optional=True, empty=0),
    ),
    "origins": (
        Field("origin", "text"),
        *_NAMES,
        Field("region", "text", optional=True, empty=""),
        Field("population", at_least=0, optional=True, empty=math.nan),
        Field("gdp", at_least=0, optional=True, empty=math.nan),
        *_PLACE,
    ),
    "wan": (
        Field("origin", "text"),
        Field("site", "text"),
        Field("latency_oneway_ms", at_least=0),
        Field("bandwidth_gbps", above=0, empty=math.inf),
        Field("price_per_gb", at_least=0),
        Field("settlement_per_gb", at_least=0, optional=True, empty=0.0),
    ),
    "tariffs": (
        Field("tariff", "text"),
        Field("month", "whole", at_least=1),
        Field("period", "text"),
        Field("from_h", at_least=0),
        Field("to_h", above=0),
    ),
    "tariff_prices": (
        Field("tariff", "text"),
        Field("period", "text"),
        Field("price_per_mwh"),
    ),
    "supply": (
        Field("contract", "text"),
        Field("site", "text"),
        Field("kind", "text"),
        Field("unit", "text"),
        Field("p_mw", above=0),
        Field("price_per_mwh"),
        Field("name_zh", "text", optional=True, empty=""),
    ),
}

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "buses": ("bus",),
    "branches": ("line",),
    "links": ("link",),
    "units": ("unit",),
    "segments": ("unit", "p_from_mw"),
    "stores": ("store",),
    "sites": ("site",),
    "nodes": ("site", "compute_class"),
    "origins": ("origin",),
    "wan": ("origin", "site"),
    "tariffs": (),  # what stands there twice overlaps
    "tariff_prices": ("tariff", "period"),
    "supply": ("contract", "site", "unit"),
}

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "buses": ("grid", "buses"),
    "branches": ("grid", "branches"),
    "links": ("grid", "links"),
    "units": ("units", "table"),
    "segments": ("units", "segments"),
    "stores": ("stores", "table"),
    "sites": ("compute", "sites"),
    "nodes": ("compute", "nodes"),
    "origins": ("compute", "origins"),
    "wan": ("compute", "wan"),
    "tariffs": ("tariffs", "periods"),
    "tariff_prices": ("tariffs", "prices"),
    "supply": ("supply", "table"),
}

_REFERENCES: Final = (
    ("branches", "from_bus", "buses", "bus"),
    ("branches", "to_bus", "buses", "bus"),
    ("links", "from_bus", "buses", "bus"),
    ("links", "to_bus", "buses", "bus"),
    ("units", "bus", "buses", "bus"),
    ("units", "link", "links", "link"),
    ("segments", "unit", "units", "unit"),
    ("stores", "bus", "buses", "bus"),
    ("stores", "site", "sites", "site"),
    ("sites", "bus", "buses", "bus"),
    ("nodes", "site", "sites", "site"),
    ("wan", "origin", "origins", "origin"),
    ("wan", "site", "sites", "site"),
    ("tariff_prices", "tariff", "tariffs", "tariff"),
    ("sites", "tariff", "tariffs", "tariff"),
    ("supply", "site", "sites", "site"),
    ("supply", "unit", "units", "unit"),
)

_ORDERED: Final = (
    ("buses", "vm_min_pu", "vm_max_pu"),
    ("units", "p_min_mw", "p_max_mw"),
    ("units", "q_min_mvar", "q_max_mvar"),
    ("segments", "p_from_mw", "p_to_mw"),
    ("branches", "rate_mw", "rate_long_mw"),
    ("branches", "rate_long_mw", "rate_short_mw"),
)

# least and greatest possible value of each profile; the temperatures bracket all ever measured outdoors
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "load": (0.0, math.inf),
    "availability": (0.0, math.inf),
    "inflow": (0.0, math.inf),
    "minimum": (0.0, math.inf),
    "contract": (-math.inf, math.inf),
    "reserve": (0.0, math.inf),
    "temperature": (-90.0, 60.0),
}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model as read; tables and series that could not be used are absent."""

    folder: Path
    model: Checked[Model]
    tables: Mapping[str, Table]
    series: Mapping[str, Series]  # as scheduled
    real_time: Mapping[str, Series]  # columns that came true otherwise
    files: tuple[Path, ...]

    @property
    def spec(self) -> Model:
        """What the model file says."""
        assert self.model.value is not None
        return self.model.value

    @property
    def came_true(self) -> ModelFolder:
        """The same model with the series that came true in the place of those that were scheduled."""
        replaced = {name: self.series[name].overlaid(actual) for name, actual in self.real_time.items()}
        return replace(self, series={**self.series, **replaced})

    def has(self, *names: str) -> bool:
        """Whether all these tables were read."""
        return all(name in self.tables for name in names)


def numbers(table: Table, column: str) -> FloatArray:
    """Return a column as an array."""
    return np.asarray(table.columns[column], dtype=np.float64)


def read_model(folder: Path, issues: list[Issue], variants: Sequence[str] = ()) -> ModelFolder | None:
    """Read a model folder with all tables and series it names; what is wrong is appended to `issues`.

    Parameters
    ----------
    folder : Path
    issues : list of Issue
    variants : sequence of str
        Of the model, laid over its file one after the other; unknown ones are left out.
    """
    path = folder / "model.yaml"
    document = read_yaml(path, issues)
    model = None if document is None else check(Model, _varied(document, variants), issues)
    if model is None or model.value is None:
        return None
    spec, files = model.value, [path]

    def place(name: str | None, *key: str) -> Path | None:
        if name is None or not model.sound(*key):
            return None
        files.append(folder / name)
        return folder / name if _is_there(folder / name, model, key, issues) else None

    tables: dict[str, Table] = {}
    for name, (part, key) in _FILES.items():
        file = place(getattr(getattr(spec, part), key, None), part, key)
        table = read_csv(file, FIELDS[name], _KEYS[name], issues) if file else None
        tables |= {name: table} if table else {}
    clock = Clock(spec.profiles.start, spec.profiles.step)

    def read_all(part: ProfileTables | RealTimeTables, *key: str) -> dict[str, Series]:
        found = {}
        for name, bounds in _RANGES.items():
            source: SeriesFile | None = getattr(part, name, None)
            file = place(source.file if source else None, *key, name, "file")
            if columns := read_series(file, clock, issues, *bounds) if file else None:
                found[name] = columns
        return found

    series = read_all(spec.profiles, "profiles")
    real_time = read_all(spec.profiles.real_time, "profiles", "real_time")
    issues.extend([*_references(tables), *_ordered(tables)])
    return ModelFolder(folder, model, tables, series, real_time, tuple(files))


def _varied(document: Document, variants: Sequence[str]) -> Document:
    """Lay variants over a model file; what is no mapping is the schema's business."""
    for name in variants:
        known = document.value.get("variants") if isinstance(document.value, dict) else None
        if isinstance(known, dict) and isinstance(known.get(name), dict):
            document = overlaid(document, ("variants", name))
    return document


def _is_there(file: Path, model: Checked[Model], key: tuple[str, ...], issues: list[Issue]) -> bool:
    """Whether a file that the model names exists; otherwise an issue says what does."""
    if file.is_file():
        return True
    there = sorted(str(place.relative_to(file.parent)) for place in file.parent.glob(f"*{file.suffix}"))
    issues.append(model.issue(f"file {shown(file)} does not exist{did_you_mean(file.name, there)}", *key))
    return False


def _references(tables: Mapping[str, Table]) -> list[Issue]:
    """Return names in one table that the other does not define."""
    return [
        issue
        for name, column, other, key in _REFERENCES
        if name in tables and other in tables
        for issue in tables[name].unknown(column, tables[other].text(key), key)
    ]


def _ordered(tables: Mapping[str, Table]) -> list[Issue]:
    """Return rows whose lower bound lies above their upper one."""
    return [
        table.at(row, lower).issue(f"{lower} = {low:g} is above {upper} = {high:g}")
        for name, lower, upper in _ORDERED
        if (table := tables.get(name))
        for row, (low, high) in enumerate(zip(table.columns[lower], table.columns[upper], strict=True))
        if low > high
    ]
