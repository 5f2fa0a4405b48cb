"""The model file: where the tables of a grid and a fleet are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, WithJsonSchema

from gridtwin.catalogue.identifiers import UNKNOWN_COUNTRY
from gridtwin.scenario.kinds import NAME_SCHEMA, Instant, Name, Positive, Schema, Span
from gridtwin.units import HOUR_S

__all__ = [
    "ComputeTables",
    "GridTables",
    "Model",
    "ModelClass",
    "ProfileTables",
    "RealTimeTables",
    "SeriesFile",
    "StoreTables",
    "SupplyTables",
    "TariffTables",
    "UnitTables",
]

FOLDER = r"^\w[\w. -]*$"


class GridTables(Schema):
    """Tables of the network."""

    base_mva: Positive = Field(default=100.0, description="Base of the per-unit values, MVA.")
    power_flow: Literal["ac", "transport"] = Field(
        default="ac",
        description="AC of every step; or corridors that carry what is sent over them, as far as their limits allow.",
    )
    buses: Name = Field(examples=["?", "buses.csv"], description="CSV file, one row per bus.")
    branches: Name | None = Field(
        default=None, examples=["branches.csv"], description="CSV file of lines and transformers; transport has none."
    )
    links: Name | None = Field(default=None, description="HVDC links, and corridors where the power flow is transport.")
    slack_bus: Name = Field(examples=["?"], description="Reference bus of the power flow.")
    slack_vm_pu: Positive = Field(default=1.0, description="Its voltage.")


class UnitTables(Schema):
    """Tables of generating units."""

    table: Name = Field(examples=["?", "units.csv"], description="CSV file, one row per unit.")
    segments: Name = Field(examples=["?", "segments.csv"], description="CSV file of cost and CO2 by output.")


class StoreTables(Schema):
    """Tables of stores of energy."""

    table: Name = Field(examples=["?", "stores.csv"], description="CSV file, one row per store.")


class SeriesFile(Schema):
    """A Parquet or CSV file with one column per name and one row per step."""

    file: Name = Field(examples=["?", "load.parquet"], description="Relative to the model folder.")


class RealTimeTables(Schema):
    """What came true: columns of a scheduled series that turned out differently, under the same names."""

    load: SeriesFile | None = Field(default=None, description="MW by area.")
    availability: SeriesFile | None = Field(default=None, description="MW by profile of units.")
    inflow: SeriesFile | None = Field(default=None, description="MW by inflow of stores.")

    @property
    def files(self) -> tuple[SeriesFile, ...]:
        """The files that are given."""
        return tuple(file for file in (self.load, self.availability, self.inflow) if file)


class ProfileTables(Schema):
    """Series of the model; all start together and have the same step."""

    start: Instant = Field(examples=["2020-01-01T00:00:00+00:00"], description="Of the first row, with its zone.")
    step: Span = Field(default=HOUR_S, description="From one row to the next.")
    load: SeriesFile = Field(description="One column per area, MW.")
    availability: SeriesFile | None = Field(default=None, description="One column per profile of units, MW.")
    inflow: SeriesFile | None = Field(default=None, description="Energy that flows into stores, MW.")
    minimum: SeriesFile | None = Field(default=None, description="Output that units must give, MW by minimum.")
    contract: SeriesFile | None = Field(default=None, description="Contracted flow of links, MW, from -> to.")
    reserve: SeriesFile | None = Field(default=None, description="One column, up_mw: spinning reserve of the system.")
    temperature: SeriesFile = Field(description="One column per station, degC.")
    real_time: RealTimeTables = Field(default=RealTimeTables(), description="What came true otherwise.")


class ModelClass(Schema):
    """A compute class of the model."""

    service: StrictBool = Field(default=False, description="Hosts services only; batch jobs never go there.")
    max_latency_oneway_ms: Positive | None = Field(default=None, description="Farther sites do not serve an origin.")


class ComputeTables(Schema):
    """Tables of the fleet and of what reaches it."""

    classes: Annotated[dict[Name, ModelClass], Field(min_length=1)] = Field(
        examples=[{"?": {}}], description="Kinds of computing that do not stand in for each other."
    )
    sites: Name = Field(examples=["?", "sites.csv"], description="CSV file, one row per data centre.")
    nodes: Name = Field(examples=["?", "nodes.csv"], description="CSV file of machines by site and class.")
    origins: Name = Field(examples=["?", "origins.csv"], description="CSV file of where work is submitted.")
    wan: Name = Field(examples=["?", "wan.csv"], description="CSV file of data links from origins to sites.")


class TariffTables(Schema):
    """Tables of what sites pay for electricity by month and hour."""

    periods: Name = Field(examples=["?", "tariffs.csv"], description="CSV file: the period of each hour by month.")
    prices: Name = Field(examples=["?", "tariff_prices.csv"], description="CSV file: the price of each period.")


class SupplyTables(Schema):
    """Tables of green electricity under contract."""

    table: Name = Field(examples=["?", "supply.csv"], description="CSV file: which site takes how much of which unit.")


class Model(Schema):
    """A model file. A variant overrides keys of it; a scenario names those that it wants, the last one wins."""

    name: Annotated[Name, Field(pattern=FOLDER), WithJsonSchema(NAME_SCHEMA | {"pattern": FOLDER})] = Field(
        examples=["model"], description="Also the folder in which a run keeps its copy."
    )
    title: str = Field(default="", description="A line for people.")
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = Field(
        default=UNKNOWN_COUNTRY,
        description="ISO 3166 code, with which identifiers of compute begin; ZZ where it is none.",
    )
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = Field(examples=["USD"], description="ISO 4217 code.")
    grid: GridTables
    units: UnitTables
    stores: StoreTables | None = Field(default=None, description="Batteries and reservoirs, where there are any.")
    profiles: ProfileTables
    compute: ComputeTables
    tariffs: TariffTables | None = Field(default=None, description="Tariffs that sites name; others pay nodal prices.")
    supply: SupplyTables | None = Field(default=None, description="Green electricity under contract.")
    variants: dict[Name, dict[str, Any]] = Field(default={}, description="Keys of this file with other values.")
