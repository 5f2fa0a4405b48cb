"""The model file: where the tables of a grid and a fleet are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from gridtwin.scenario.kinds import Instant, Name, Positive, Schema, Span
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
    "UnitTables",
]


class GridTables(Schema):
    """Tables of the network."""

    base_mva: Positive = 100.0
    buses: Name = Field(examples=["?"])
    branches: Name = Field(examples=["?"])
    links: Name | None = Field(default=None, description="HVDC links, where there are any.")
    slack_bus: Name = Field(examples=["?"])
    slack_vm_pu: Positive = 1.0


class UnitTables(Schema):
    """Tables of generating units."""

    table: Name = Field(examples=["?"])
    segments: Name = Field(examples=["?"])


class StoreTables(Schema):
    """Tables of stores of energy."""

    table: Name = Field(examples=["?"])


class SeriesFile(Schema):
    """A Parquet or CSV file with one column per name and one row per step."""

    file: Name = Field(examples=["?"])


class RealTimeTables(Schema):
    """What came true: columns of a scheduled series that turned out differently, under the same names."""

    load: SeriesFile | None = None
    availability: SeriesFile | None = None
    inflow: SeriesFile | None = None

    @property
    def files(self) -> tuple[SeriesFile, ...]:
        """The files that are given."""
        return tuple(file for file in (self.load, self.availability, self.inflow) if file)


class ProfileTables(Schema):
    """Series of the model; all start together and have the same step."""

    start: Instant = Field(examples=["2020-01-01T00:00:00+00:00"])
    step: Span = HOUR_S
    load: SeriesFile
    availability: SeriesFile | None = None
    inflow: SeriesFile | None = Field(default=None, description="Energy that flows into stores, MW.")
    reserve: SeriesFile | None = Field(default=None, description="One column, up_mw: spinning reserve of the system.")
    temperature: SeriesFile
    real_time: RealTimeTables = RealTimeTables()


class ModelClass(Schema):
    """A compute class of the model."""

    service: StrictBool = Field(default=False, description="Hosts services only; batch jobs never go there.")
    max_latency_oneway_ms: Positive | None = Field(default=None, description="Farther sites do not serve an origin.")


class ComputeTables(Schema):
    """Tables of the fleet and of what reaches it."""

    classes: Annotated[dict[Name, ModelClass], Field(min_length=1)] = Field(examples=[{"?": {}}])
    sites: Name = Field(examples=["?"])
    nodes: Name = Field(examples=["?"])
    origins: Name = Field(examples=["?"])
    wan: Name = Field(examples=["?"])


class Model(Schema):
    """A model file."""

    name: Annotated[Name, Field(pattern=r"^\w[\w. -]*$")] = Field(
        examples=["model"], description="Also the folder in which a run keeps its copy."
    )
    title: str = ""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = Field(examples=["USD"], description="ISO 4217 code.")
    grid: GridTables
    units: UnitTables
    stores: StoreTables | None = Field(default=None, description="Batteries and reservoirs, where there are any.")
    profiles: ProfileTables
    compute: ComputeTables
