"""What a difference in CO2 is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.arrays import ratio_or_zero
from gridtwin.compare.records import OTHER_STEPS, Decomposition, Part
from gridtwin.compare.series import Alignment, RunSeries
from gridtwin.units import KG_PER_T, FloatArray, IntArray

__all__ = ["LoadShift", "co2_by_technology", "co2_decomposition", "load_shift"]

TITLE: Final = "CO2, by cause"
JOBS_LABEL: Final = "jobs in steps that only one run has"
OTHER_LABEL: Final = "all else in steps that only one run has"


@dataclass(frozen=True, slots=True, eq=False)
class LoadShift:
    """A change of the sites' draw as volume, moves in time and moves in place, each valued at marginal rates.

    Parameters
    ----------
    volume_kg, time_kg, place_kg : float, kg
    curtailment_kg : float, kg
        Of the moves in time and place, what met or made curtailment; not part of those two.
    volume_mwh, time_mwh, place_mwh, curtailment_mwh : float, MWh
        More drawn; drawn in another step; drawn elsewhere in the same step; of these what met less (+) or made more
        (-) curtailment.
    """

    volume_kg: float
    time_kg: float
    place_kg: float
    curtailment_kg: float
    volume_mwh: float
    time_mwh: float
    place_mwh: float
    curtailment_mwh: float


def load_shift(
    base_mwh: FloatArray, change_mwh: FloatArray, rate_kg_per_mwh: FloatArray, spared_mwh: FloatArray
) -> LoadShift:
    """Split a change of draw and value each part.

    Parameters
    ----------
    base_mwh, change_mwh : ndarray (step, bus), MWh
        Draw of the sites.
    rate_kg_per_mwh : ndarray (step, bus), kg/MWh
        Emissions per MWh of further load.
    spared_mwh : ndarray (step,), MWh
        Wind and sun curtailed in the base and not in the change.

    Notes
    -----
    With L the draw, D its sum over buses and E over all steps, k the mean of both runs' shares of a bus in its step,
    κ the mean of their shares of a step in all and M = Σ_bus k · rate::

        ΔL = k κ ΔE  +  k (ΔD - κ ΔE)  +  (ΔL - k ΔD)
             volume     time, Σ_t = 0     place, Σ_bus = 0

    The midpoints make each a Shapley value where no draw is negative: place of L = D · (share of the bus in its step),
    time and volume of D = E · (share of the step). A move adds nothing up, so its value counts from the mean: M less
    the mean of M for time, rate less M for place. The three add up to Σ rate · ΔL.
    """
    delta, k = change_mwh - base_mwh, _mean_share(base_mwh, change_mwh, axis=1)
    of_step = delta.sum(axis=1)
    kappa = _mean_share(base_mwh.sum(axis=1), change_mwh.sum(axis=1), axis=0)
    rate = (k * rate_kg_per_mwh).sum(axis=1)
    mean = float(kappa @ rate)
    moved, elsewhere = of_step - kappa * of_step.sum(), delta - k * of_step[:, None]
    time_kg = (rate - mean) * moved
    place_kg = ((rate_kg_per_mwh - rate[:, None]) * elsewhere).sum(axis=1)
    place_mwh = np.abs(elsewhere).sum(axis=1) / 2
    in_time = _met(spared_mwh, moved, time_kg)
    left = spared_mwh - in_time * moved
    in_place = _met(left, np.copysign(place_mwh, left), place_kg)
    return LoadShift(
        volume_kg=mean * float(of_step.sum()),
        time_kg=float(((1 - in_time) * time_kg).sum()),
        place_kg=float(((1 - in_place) * place_kg).sum()),
        curtailment_kg=float((in_time * time_kg + in_place * place_kg).sum()),
        volume_mwh=float(of_step.sum()),
        time_mwh=float(np.abs(moved).sum()) / 2,
        place_mwh=float(place_mwh.sum()),
        curtailment_mwh=float((in_time * moved + in_place * np.copysign(place_mwh, left)).sum()),
    )


def co2_decomposition(base: RunSeries, change: RunSeries, steps: Alignment) -> Decomposition:
    """Split the difference of all direct emissions by cause.

    Moves of the sites, of stores, of other load and of available wind and sun are valued at the mean of both runs'
    marginal emissions at their bus and step. What finite changes do beyond that is a line of its own, taken from the
    output of each unit along its segments; the total is that of the summaries.
    """
    total = _total(base, change)
    reason = steps.overlap.reason or ("" if base.buses == change.buses else "the runs have different buses")
    if reason:
        return Decomposition("co2", TITLE, "t", (), total, unavailable=f"{reason}: no step or bus can be matched")
    return Decomposition("co2", TITLE, "t", tuple(_parts(base, change, steps)), total)


def co2_by_technology(base: RunSeries, change: RunSeries, steps: Alignment) -> Decomposition:
    """Split the difference of all direct emissions by who emitted; steps that only one run has stand apart."""
    old, old_apart = _by_technology(base, steps.base, usable=steps.usable)
    new, new_apart = _by_technology(change, steps.change, usable=steps.usable)
    parts = [
        Part(f"co2:{name}", name, new.get(name, 0.0) - old.get(name, 0.0), old.get(name, 0.0), new.get(name, 0.0))
        for name in sorted(old | new)
        if old.get(name) or new.get(name)
    ]
    if steps.usable and not steps.overlap.same:
        before, after = _jobs_apart_t(base, steps.base), _jobs_apart_t(change, steps.change)
        parts.append(Part("other_jobs", JOBS_LABEL, after - before, before, after, note="at marginal rates"))
        before, after = old_apart - before, new_apart - after
        parts.append(Part(OTHER_STEPS, OTHER_LABEL, after - before, before, after, note=steps.overlap.text))
    return Decomposition("co2_by_technology", "CO2, by technology", "t", tuple(parts), _total(base, change))


def _by_technology(run: RunSeries, shared: IntArray, *, usable: bool) -> tuple[dict[str, float], float]:
    """Return t of CO2 by technology over the shared steps, all of them where none is, and of the other steps."""
    inside = shared if usable else np.arange(run.card.steps)
    others = run.outside(inside)
    by_technology = (run.co2_kg[inside].sum(axis=0) / KG_PER_T).tolist()
    apart = float(run.co2_kg[others].sum()) / KG_PER_T
    return dict(zip(run.technologies, by_technology, strict=True)), apart


def _jobs_apart_t(run: RunSeries, shared: IntArray) -> float:
    """What jobs add to CO2 in steps that only this run has, at its marginal rates, t."""
    others = run.outside(shared)
    return float((run.v["marginal_co2_kg_per_mwh"][others] * run.work_mwh[others]).sum()) / KG_PER_T


def _total(base: RunSeries, change: RunSeries) -> Part:
    old, new = (float(run.run.kpis["co2_t"] or 0.0) for run in (base, change))
    return Part("co2_t", "direct CO2 of all generation", new - old, old, new)


def _parts(base: RunSeries, change: RunSeries, steps: Alignment) -> Iterator[Part]:
    """Yield causes in t; the last is what is left in the steps that both runs have."""
    union, here, there = _union(steps, base.card.steps, change.card.steps)
    rate = _mean_rate(
        _spread(base.v["marginal_co2_kg_per_mwh"], here, union, np.nan),
        _spread(change.v["marginal_co2_kg_per_mwh"], there, union, np.nan),
    )
    sites = [
        _spread(run.compared_mwh(shared), places, union, 0.0)
        for run, shared, places in ((base, steps.base, here), (change, steps.change, there))
    ]
    spared = np.zeros(union)
    shared = here[steps.base]
    spared[shared] = base.curtailed_mwh[steps.base] - change.curtailed_mwh[steps.change]
    shift = load_shift(sites[0], sites[1], rate, spared)
    yield _t("volume", "volume: more or less drawn by the sites", shift.volume_kg, _mwh(shift.volume_mwh))
    yield _t("time", "time: drawn in other hours", shift.time_kg, f"{shift.time_mwh:,.0f} MWh moved")
    yield _t("place", "place: drawn at other sites", shift.place_kg, f"{shift.place_mwh:,.0f} MWh moved")
    yield _t("curtailment", "curtailment: spared by these moves", shift.curtailment_kg, _mwh(shift.curtailment_mwh))
    explained = rate[shared] * (sites[1] - sites[0])[shared]
    for name, label, series, sign in (
        ("stores", "stores of the grid", "charged_mwh", 1.0),
        ("load", "load of others that was served", "load_mwh", 1.0),
        ("reservoirs", "water and heat taken from stores", "reservoir_mwh", -1.0),
        ("links", "HVDC links", "link_mwh", -1.0),
        ("weather", "wind, sun and water available", "available_mwh", -1.0),
    ):
        delta = getattr(change, series)[steps.change] - getattr(base, series)[steps.base]
        valued = sign * rate[shared] * delta
        explained = explained + valued
        yield _t(name, label, float(valued.sum()), _mwh(float(delta.sum())))
    emitted = [run.co2_kg.sum(axis=1) for run in (base, change)]
    if not steps.overlap.same:
        yield _apart(emitted, steps, rate, sites, shared)
    beyond = emitted[1][steps.change] - emitted[0][steps.base] - explained.sum(axis=1)
    yield _t(
        "redispatch",
        "redispatch beyond the margin",
        float(beyond.sum()),
        "what finite changes do beyond marginal rates",
    )


def _apart(
    emitted: list[FloatArray], steps: Alignment, rate: FloatArray, sites: list[FloatArray], shared: np.ndarray
) -> Part:
    """What the grid emitted in steps that only one run has, less what is put down to its jobs."""
    outside = emitted[1].sum() - emitted[1][steps.change].sum() - emitted[0].sum() + emitted[0][steps.base].sum()
    others = np.setdiff1d(np.arange(len(rate)), shared)
    charged = (rate * (sites[1] - sites[0]))[others].sum()
    return _t(OTHER_STEPS, OTHER_LABEL, float(outside - charged), steps.overlap.text)


def _t(name: str, label: str, kg: float, note: str) -> Part:
    return Part(name, label, kg / KG_PER_T, note=note)


def _mwh(energy_mwh: float) -> str:
    return f"{energy_mwh:+,.0f} MWh" if round(energy_mwh) else "0 MWh"


def _union(steps: Alignment, base: int, change: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Return how many steps either run has, and where the steps of both are among them."""
    here = np.arange(base)
    there = np.full(change, -1)
    there[steps.change] = steps.base
    alone = there < 0
    there[alone] = base + np.arange(alone.sum())
    return base + int(alone.sum()), here, there


def _spread(values: FloatArray, places: np.ndarray, union: int, fill: float) -> FloatArray:
    """Put the steps of a run at their places among those of both runs, and `fill` in those it does not have."""
    spread = np.full((union, values.shape[1]), fill)
    spread[places] = values
    return spread


def _mean_rate(base: FloatArray, change: FloatArray) -> FloatArray:
    """Mean of both runs' rates; the one there is where only one run has the step."""
    return np.where(np.isnan(base), change, np.where(np.isnan(change), base, (base + change) / 2))


def _mean_share(base: FloatArray, change: FloatArray, axis: int) -> FloatArray:
    """Mean of both runs' shares along an axis; even where neither draws, that of the other where one does not."""
    drawn = [np.maximum(values, 0.0) for values in (base, change)]
    totals = [values.sum(axis=axis, keepdims=True) for values in drawn]
    shares = [ratio_or_zero(values, total) for values, total in zip(drawn, totals, strict=True)]
    counted = sum((total > 0).astype(float) for total in totals)
    even = np.full(base.shape, 1.0 / base.shape[axis])
    return np.where(counted > 0, ratio_or_zero(shares[0] + shares[1], counted), even)


def _met(spared_mwh: FloatArray, moved_mwh: FloatArray, value_kg: FloatArray) -> FloatArray:
    """Share of a move (step,) that met or made curtailment: as far as both go, and where its value says the same."""
    together = (spared_mwh * moved_mwh > 0) & (spared_mwh * value_kg < 0)
    met = np.where(together, np.minimum(np.abs(spared_mwh), np.abs(moved_mwh)), 0.0)
    return ratio_or_zero(met, np.abs(moved_mwh))
