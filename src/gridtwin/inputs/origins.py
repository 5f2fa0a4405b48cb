"""Origins as queues know them: work that may not go wherever the rest of its origin's may is a part of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridtwin.catalogue.requirements import Requirement
from gridtwin.scenario.schema import Batch, Workload

__all__ = ["Part", "parts", "parts_of", "shares_by_part"]

RESIDENT = "resident"
ANYTHING = Requirement()


@dataclass(frozen=True, slots=True)
class Part:
    """Batch work of an origin that may go to the same sites.

    Parameters
    ----------
    origin : str
    requires : Requirement
        What the hardware of its jobs must speak.
    resident : bool
        Whether it may not leave the region of the origin.
    """

    origin: str
    requires: Requirement = ANYTHING
    resident: bool = False

    @property
    def name(self) -> str:
        """Label along the origins of a queue index.

        Examples
        --------
        >>> Part("Beijing", Requirement(stack=frozenset({"cuda"})), resident=True).name
        'Beijing/cuda/resident'
        """
        wanted = [*sorted(self.requires.instruction_set), *sorted(self.requires.stack)]
        return "/".join([self.origin, *(["+".join(wanted)] if wanted else []), *([RESIDENT] if self.resident else [])])


def parts(origins: Sequence[str], workload: Workload) -> tuple[Part, ...]:
    """Return every origin, each followed by the parts that the batch streams of a scenario make of it."""
    asked = [part for stream in workload.batch for part, share in parts_of(stream).items() if share > 0]
    return tuple(
        dict.fromkeys(
            part for origin in origins for part in (Part(origin), *(part for part in asked if part.origin == origin))
        )
    )


def shares_by_part(stream: Batch) -> dict[str, float]:
    """Return the shares of a stream's jobs by the names of the parts that they belong to; they add up to one."""
    return {part.name: share for part, share in parts_of(stream).items()}


def parts_of(stream: Batch) -> dict[Part, float]:
    """Return what a stream's jobs are parts of, and the share of them in each.

    Parts of an origin follow each other, so that who is resident is drawn without changing anything else of a job.
    """
    requires = Requirement(frozenset(stream.requires.instruction_set), frozenset(stream.requires.stack))
    found: dict[Part, float] = {}
    for origin, share in stream.origin_shares.items():
        if stream.resident_share < 1:
            found[Part(origin, requires)] = share * (1 - stream.resident_share)
        if stream.resident_share > 0:
            found[Part(origin, requires, resident=True)] = share * stream.resident_share
    return found
