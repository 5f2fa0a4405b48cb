"""The series of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridtwin.units import FloatArray, IntArray

__all__ = ["Profiles"]

SERIES = (
    *("load_mw", "load_mvar", "available_mw", "inflow_mw", "minimum_mw", "contract_mw"),
    *("reserve_mw", "area_reserve_mw", "pue", "service_nodes"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Series from the first step of a run to the end of the shortest profile of its model.

    They reach beyond the run, so that the last decisions have a horizon. Steps from `model_steps` on repeat the model's
    series from their beginning (`time.wrap`).
    """

    profile: tuple[str, ...]  # names along the profile axis
    load_mw: FloatArray  # (step, bus) >= 0, data centres excluded
    load_mvar: FloatArray  # (step, bus) positive when drawn
    available_mw: FloatArray  # (step, profile) >= 0
    inflow_mw: FloatArray  # (step, inflow) >= 0, energy that flows into stores
    minimum_mw: FloatArray  # (step, minimum) >= 0, output that must be given
    contract_mw: FloatArray  # (step, contract) flow of links, signed from -> to
    reserve_mw: FloatArray  # (step,) upward reserve that is required
    area_reserve_mw: FloatArray  # (step, area) room above output that each area keeps online
    pue: FloatArray  # (step, site) >= 1
    service_nodes: IntArray  # (step, site, class) nodes that services ask for
    requests_gb: FloatArray  # (window, origin, site) that requests of services move over the WAN
    model_steps: int  # steps until the model's series end; all of them without `time.wrap`

    @property
    def steps(self) -> int:
        """Number of steps that the series cover."""
        return len(self.load_mw)

    def at(self, step: IntArray) -> Profiles:
        """Return the series at the given steps alone."""
        return replace(self, **{name: getattr(self, name)[step] for name in SERIES})
