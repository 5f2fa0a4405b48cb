"""What policies are told of the hours to come: the keys below `forecast`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gridtwin.scenario.kinds import Positive, Schema

__all__ = ["ArrivalForecast", "Forecasts", "RuntimeForecast", "SeriesForecast"]

RelativeError: TypeAlias = Annotated[float, Field(strict=True, gt=0, le=1)]


def _kind(given: Any) -> Any:  # noqa: ANN401 - a file holds any value
    """Let a kind that needs no figures be written as its name."""
    return {"kind": given} if isinstance(given, str) else given


@dataclass(frozen=True)
class _OrName:
    """Tells editors that a kind may be written as its name."""

    kinds: tuple[str, ...]

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(self.kinds)}, handler(schema)]}


def _series(given: Any) -> Any:  # noqa: ANN401 - a file holds any value
    """Let a kind for the series of the grid alone be written as its name."""
    return {"series": given} if isinstance(given, str) else given


class _Stated(Schema):
    """A kind of forecast; `noisy` states all figures of its error, the others have none."""

    needed: ClassVar[tuple[str, ...]]
    example: ClassVar[str]

    @model_validator(mode="after")
    def _figures_fit_kind(self) -> Self:
        given = {name: value for name, value in self if name != "kind" and value is not None}
        kind = getattr(self, "kind")  # noqa: B009 - every subclass has one, with kinds of its own
        if kind == "noisy" and (missing := [name for name in self.needed if name not in given]):
            raise ValueError(f"noisy needs {' and '.join(missing)}, such as {self.example}")
        if kind != "noisy" and given:
            raise ValueError(f"{kind} takes no {' or '.join(given)}; leave that out, or choose noisy")
        return self


class SeriesForecast(_Stated):
    """Load, availability and inflow."""

    needed = ("error", "correlation_h")
    example = "{kind: noisy, error: 0.15, load_error: 0.02, correlation_h: 6}"

    kind: Literal["perfect", "persistence", "file", "noisy"] = Field(
        default="perfect",
        description="What comes true, yesterday's, the model's scheduled series, or what comes true with errors.",
    )
    error: RelativeError | None = Field(
        default=None, description="Standard deviation far ahead, as a share of what comes true."
    )
    load_error: RelativeError | None = Field(default=None, description="The same for load; none: as `error`.")
    correlation_h: Positive | None = Field(
        default=None, description="Time over which errors are alike (autocorrelation 1/e); they grow as slowly."
    )


class ArrivalForecast(_Stated):
    """Jobs that have not been submitted yet."""

    needed = ("error", "correlation_h")
    example = "{kind: noisy, error: 0.2, correlation_h: 6}"

    kind: Literal["perfect", "persistence", "noisy"] = Field(
        default="perfect", description="What comes true, yesterday's, or what comes true with errors."
    )
    error: RelativeError | None = Field(default=None, description="Of the number of jobs in a step, as for series.")
    correlation_h: Positive | None = Field(default=None, description="As for series.")


class RuntimeForecast(_Stated):
    """How long a job is believed to run before it has ended."""

    needed = ("sigma",)
    example = "{kind: noisy, sigma: 0.5}"

    kind: Literal["perfect", "noisy"] = Field(default="perfect", description="What comes true, or that with errors.")
    sigma: Annotated[float, Field(strict=True, gt=0, le=3)] | None = Field(
        default=None, description="Standard deviation of the logarithm of estimate / runtime."
    )


class Forecasts(Schema):
    """What policies are told; a name alone is the kind for `series`."""

    series: Annotated[SeriesForecast, BeforeValidator(_kind), _OrName(("perfect", "persistence", "file"))] = Field(
        default=SeriesForecast(), description="Of load, availability and inflow."
    )
    arrivals: Annotated[ArrivalForecast, BeforeValidator(_kind), _OrName(("perfect", "persistence"))] = Field(
        default=ArrivalForecast(), description="Of jobs that have not been submitted yet."
    )
    runtimes: Annotated[RuntimeForecast, BeforeValidator(_kind), _OrName(("perfect",))] = Field(
        default=RuntimeForecast(), description="Of jobs that have not ended."
    )

    @property
    def perfect(self) -> bool:
        """Whether everything is told as it comes true."""
        return self.series.kind == self.arrivals.kind == self.runtimes.kind == "perfect"


Forecast: TypeAlias = Annotated[Forecasts, BeforeValidator(_series), _OrName(("perfect", "persistence", "file"))]
