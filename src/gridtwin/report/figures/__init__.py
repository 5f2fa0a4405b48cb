"""The figures of one run by name: each reads a finished run and returns a `Figure`, None where the run holds none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gridtwin.report.figure import Figure
from gridtwin.report.figures.carbon import emissions, energy_flow
from gridtwin.report.figures.corridors import corridors
from gridtwin.report.figures.dispatch import dispatch, dispatch_week
from gridtwin.report.figures.durations import curtailment_duration, flow_duration, load_duration, price_duration
from gridtwin.report.figures.heatmaps import co2_heat, price_heat, site_heat
from gridtwin.report.figures.money import costs, payments
from gridtwin.report.figures.network import binding_lines, grid_map, outages
from gridtwin.report.figures.regions import moved_work, region_heat
from gridtwin.report.figures.stores import links, stores
from gridtwin.report.figures.work import job_margin, job_wait, work_by_site, work_over_time
from gridtwin.report.language import Words
from gridtwin.results.saved_run import SavedRun

__all__ = ["FIGURES", "Maker"]

Maker: TypeAlias = Callable[[SavedRun, Words], Figure | None]

FIGURES: Mapping[str, Maker] = {
    "dispatch": dispatch,
    "dispatch_week": dispatch_week,
    "grid_map": grid_map,
    "work_over_time": work_over_time,
    "work_by_site": work_by_site,
    "job_wait": job_wait,
    "job_margin": job_margin,
    "costs": costs,
    "payments": payments,
    "emissions": emissions,
    "energy_flow": energy_flow,
    "load_duration": load_duration,
    "price_duration": price_duration,
    "flow_duration": flow_duration,
    "curtailment_duration": curtailment_duration,
    "price_heat": price_heat,
    "site_heat": site_heat,
    "co2_heat": co2_heat,
    "stores": stores,
    "links": links,
    "region_heat": region_heat,
    "moved_work": moved_work,
    "corridors": corridors,
    "binding_lines": binding_lines,
    "outages": outages,
}
