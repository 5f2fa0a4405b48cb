"""Work that runs in another region than it comes from: how much, and whether that raises CO2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gridtwin.economics.regions import Fleet
from gridtwin.units import HOUR_S, W_PER_MW, FloatArray, IntArray

__all__ = ["PUBLISHED", "Move", "PublishedMove", "Rates", "Verdict", "mean_over_jobs", "moves", "verdicts"]


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """What one MWh of computing equipment takes and emits, by step.

    Parameters
    ----------
    pue : ndarray (time, site)
    average, marginal : ndarray (time, bus), kg/MWh
        NaN where not known.
    site_bus : ndarray (site,)
    home_bus : mapping of int to ndarray
        Buses of each region by its place; a region without an entry has none, and its moves no effect that is known.
    """

    pue: FloatArray
    average: FloatArray
    marginal: FloatArray
    site_bus: IntArray
    home_bus: Mapping[int, IntArray]


@dataclass(frozen=True, slots=True)
class Move:
    """Work of one region that ran in another.

    Parameters
    ----------
    origin, site : str
        Regions.
    node_h, class_mwh : mapping of str to float
        Node-hours and energy by class; of the two only energies may be added.
    energy_mwh : float, MWh
        That the jobs added at the meters of the sites.
    home_mwh : float or None, MWh
        The same at the PUE of the sites at home, or at that of the site where home has none.
    average_kg, average_home_kg, marginal_kg, marginal_home_kg : float or None, kg
        CO2 of that energy there and at home, in the hours in which the jobs ran, by average and by marginal factors;
        None where no factor is known in one of those hours.
    """

    origin: str
    site: str
    node_h: Mapping[str, float]
    class_mwh: Mapping[str, float]
    energy_mwh: float
    home_mwh: float
    average_kg: float | None
    average_home_kg: float | None
    marginal_kg: float | None
    marginal_home_kg: float | None

    @property
    def average_change_kg(self) -> float | None:
        """CO2 there less that at home, by average factors."""
        return _less(self.average_kg, self.average_home_kg)

    @property
    def marginal_change_kg(self) -> float | None:
        """CO2 there less that at home, by marginal factors."""
        return _less(self.marginal_kg, self.marginal_home_kg)

    @property
    def raises(self) -> bool | None:
        """Whether the move raises CO2 by average or by marginal factors; None where neither is known."""
        known = [change for change in (self.average_change_kg, self.marginal_change_kg) if change is not None]
        return any(change > 0 for change in known) if known else None


@dataclass(frozen=True, slots=True)
class PublishedMove:
    """What a study published of moving the same work.

    Parameters
    ----------
    origin, site : str
        Regions, or what their names begin with.
    percent : float
        Change of CO2.
    source : str
    """

    origin: str
    site: str
    percent: float
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One published move against what a run gives for it.

    Parameters
    ----------
    published : PublishedMove
    basis : {"average", "marginal"}
    percent : float or None
        Change of CO2 of moving the same work; None where a factor is not known or nothing of the two regions is there.
    home_kg_per_mwh, there_kg_per_mwh : float or None
        Factors of the two ends, PUE apart.
    home_pue, there_pue : float or None
    moved_mwh : float
        That the run did move this way; the percentage is that of all its hours where it moved none.
    """

    published: PublishedMove
    basis: str
    percent: float | None
    home_kg_per_mwh: float | None
    there_kg_per_mwh: float | None
    home_pue: float | None
    there_pue: float | None
    moved_mwh: float

    @property
    def agrees(self) -> bool | None:
        """Whether the sign is the published one."""
        return None if self.percent is None else (self.percent > 0) == (self.published.percent > 0)


STUDY: Final = "2025 study of moving work between Chinese provinces, as reported"
PUBLISHED: Final = (
    PublishedMove("Shanghai", "Sichuan", -79.6, STUDY),
    PublishedMove("Beijing", "InnerMongolia", 24.9, STUDY),
)


def mean_over_jobs(series: FloatArray, column: IntArray, start_s: IntArray, end_s: IntArray, step_s: int) -> FloatArray:
    """Mean of a series over the time from start to end of each job.

    Parameters
    ----------
    series : ndarray (time, column)
        NaN where not known.
    column : ndarray (job,)
    start_s, end_s : ndarray (job,), s
        After the start of the run; end above start.
    step_s : int, s

    Returns
    -------
    ndarray (job,)
        NaN where the series is in some of that time.

    Examples
    --------
    >>> hours = np.array([[1.0], [3.0], [np.nan]])
    >>> ends = np.array([5400, 7201])
    >>> mean_over_jobs(hours, np.array([0, 0]), np.array([1800, 0]), ends, 3600)
    array([ 2., nan])
    """
    known = ~np.isnan(series)
    start, end = (np.minimum(instant / step_s, len(series)) for instant in (start_s, end_s))
    value, held = (
        _integral(part, end, column) - _integral(part, start, column)
        for part in (np.where(known, series, 0.0), known.astype(np.float64))
    )
    length = end - start
    return np.where(held >= length - 1e-9, value / np.where(length > 0, length, np.nan), np.nan)


def _integral(series: FloatArray, until: FloatArray, column: IntArray) -> FloatArray:
    """Integral of steps from the first to `until`, in steps, linear within one."""
    cumulated = np.vstack([np.zeros(series.shape[1]), np.cumsum(series, axis=0)])
    whole = np.minimum(until.astype(np.int64), len(series) - 1)
    return np.asarray(cumulated[whole, column] + (until - whole) * series[whole, column])


def moves(
    fleet: Fleet, rates: Rates, jobs: Mapping[str, np.ndarray], step_s: int, *, abroad: bool = True
) -> list[Move]:
    """Return the work that ran in each region for each other one, the largest energy first.

    Parameters
    ----------
    fleet : Fleet
    rates : Rates
    jobs : mapping of arrays (job,)
        `origin_index`, `class_index`, `site_index`, `nodes`, `runtime_s`, `start_s`, `end_s`. Those that have not ended
        are left out; one that was suspended counts with the mean of all the time from its start to its end.
    step_s : int, s
    abroad : bool
        False: the work that stayed in its region, too.
    """
    site, origin = jobs["site_index"].astype(np.int64), jobs["origin_index"].astype(np.int64)
    home, there = fleet.origin_region[origin], fleet.site_region[site]
    counted = (jobs["end_s"] >= 0) & (site >= 0) & (home >= 0) & (there >= 0) & (~abroad | (home != there))
    rows = np.flatnonzero(counted)
    if len(rows) == 0:
        return []
    chosen = {name: jobs[name][rows].astype(np.int64) for name in jobs}
    amounts = _amounts(fleet, rates, chosen, home[rows], step_s)
    regions = len(fleet.regions)
    pair, which = np.unique(home[rows] * regions + there[rows], return_inverse=True)
    sums = {name: np.bincount(which, weights=values, minlength=len(pair)) for name, values in amounts.items()}
    node_h, class_mwh = np.zeros((2, len(pair), len(fleet.classes)))
    np.add.at(node_h, (which, chosen["class_index"]), chosen["nodes"] * chosen["runtime_s"] / HOUR_S)
    np.add.at(class_mwh, (which, chosen["class_index"]), amounts["energy_mwh"])
    found = [
        Move(
            fleet.regions[number // regions],
            fleet.regions[number % regions],
            dict(zip(fleet.classes, node_h[place].tolist(), strict=True)),
            dict(zip(fleet.classes, class_mwh[place].tolist(), strict=True)),
            **{name: _known(values[place]) for name, values in sums.items()},  # type: ignore[arg-type]
        )
        for place, number in enumerate(pair.tolist())
    ]
    return sorted(found, key=lambda move: -move.energy_mwh)


def _amounts(
    fleet: Fleet, rates: Rates, jobs: Mapping[str, np.ndarray], home: IntArray, step_s: int
) -> dict[str, FloatArray]:
    """Energy and CO2 of each job where it ran and at home."""
    site, during = jobs["site_index"], (jobs["start_s"], jobs["end_s"], step_s)
    it_mwh = fleet.added_w[site, jobs["class_index"]] * jobs["nodes"] * jobs["runtime_s"] / HOUR_S / W_PER_MW
    found = {"energy_mwh": it_mwh * mean_over_jobs(rates.pue, site, *during)}
    own_pue, known_pue = _home(
        rates.pue, {r: np.flatnonzero(fleet.site_region == r) for r in range(len(fleet.regions))}
    )
    away = ~known_pue[home]
    pue = mean_over_jobs(np.hstack([own_pue, rates.pue]), np.where(away, own_pue.shape[1] + site, home), *during)
    found["home_mwh"] = it_mwh * pue
    for name, rate in (("average", rates.average), ("marginal", rates.marginal)):
        at_site = rates.pue * rate[:, rates.site_bus]
        found[f"{name}_kg"] = it_mwh * mean_over_jobs(at_site, site, *during)
        own_rate, _ = _home(rate, {r: rates.home_bus.get(r, _NONE) for r in range(len(fleet.regions))})
        together = mean_over_jobs(own_pue * own_rate, home, *during)
        apart = pue * mean_over_jobs(own_rate, home, *during)
        found[f"{name}_home_kg"] = it_mwh * np.where(away, apart, together)
    return found


_NONE: Final = np.zeros(0, dtype=np.int64)


def _home(series: FloatArray, columns: Mapping[int, IntArray]) -> tuple[FloatArray, np.ndarray]:
    """Mean of the columns of each region (time, region), NaN where it has none, and whether it has some."""
    table = np.full((len(series), len(columns)), np.nan)
    for region, own in columns.items():
        if len(own) > 0:
            table[:, region] = series[:, own].mean(axis=1)
    return table, np.array([len(own) > 0 for own in columns.values()], dtype=bool)


def verdicts(
    fleet: Fleet, rates: Rates, found: Sequence[Move], published: Sequence[PublishedMove] = PUBLISHED
) -> Iterator[Verdict]:
    """Yield each published move twice, by average and by marginal factors.

    The change of CO2 is that of the work that the run moved this way, in its hours; where it moved none, that of even
    work in all hours.
    """
    for one in published:
        home, there = (_region(name, fleet.regions) for name in (one.origin, one.site))
        taken = [move for move in found if (home, there) == (move.origin, move.site)]
        for basis in ("average", "marginal"):
            yield _verdict(fleet, rates, one, basis, (home, there), taken)


def _region(name: str, regions: Sequence[str]) -> str | None:
    """The region of a name, or the first that begins with it, spaces apart: InnerMongolia, Inner Mongolia West."""
    plain = {region: region.replace(" ", "").replace("-", "").replace("_", "").lower() for region in regions}
    return next((region for region, text in plain.items() if text.startswith(name.lower())), None)


def _verdict(
    fleet: Fleet,
    rates: Rates,
    published: PublishedMove,
    basis: str,
    ends: tuple[str | None, str | None],
    taken: Sequence[Move],
) -> Verdict:
    rate = rates.average if basis == "average" else rates.marginal
    (home, home_pue), (there, there_pue) = (_end(fleet, rates, rate, end) for end in ends)
    percent = None
    if taken:
        move = taken[0]
        kg, home_kg = getattr(move, f"{basis}_kg"), getattr(move, f"{basis}_home_kg")
        percent = None if kg is None or not home_kg else 100.0 * (kg / home_kg - 1.0)
    elif home and there is not None:
        more = there_pue / home_pue if home_pue and there_pue else 1.0
        percent = 100.0 * (there / home * more - 1.0)
    energy_mwh = sum(move.energy_mwh for move in taken)
    return Verdict(published, basis, percent, home, there, home_pue, there_pue, energy_mwh)


def _end(fleet: Fleet, rates: Rates, rate: FloatArray, region: str | None) -> tuple[float | None, float | None]:
    """Mean factor and mean PUE of one end."""
    if region is None:
        return None, None
    place = fleet.regions.index(region)
    bus, site = rates.home_bus.get(place, _NONE), np.flatnonzero(fleet.site_region == place)
    factor = float(rate[:, bus].mean()) if len(bus) else np.nan
    pue = float(rates.pue[:, site].mean()) if len(site) else np.nan
    return _known(factor), _known(pue)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _less(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else value - other
