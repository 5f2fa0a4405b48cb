"""Turns what happened in a window into tables of the run folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from gridtwin.arrays import link_injection_mw, ratio_or_zero, sum_at
from gridtwin.dispatch import ComputePrices, DispatchPlan, GridPlan, ReviewRecord, SolverRecord
from gridtwin.dispatch.elements import Elements
from gridtwin.economics.production import production_co2_kg_per_h, production_cost_per_h
from gridtwin.economics.tariffs import charged_per_mwh, energy_prices
from gridtwin.grid.findings import find_violations
from gridtwin.policies import Forecast, Observation, System
from gridtwin.records import AcInjections, ComputeRecord, Finding
from gridtwin.results.store import FINDING, JOB_END, JOB_START, JOB_STOP, RunFolder
from gridtwin.timegrid import TimeGrid
from gridtwin.twin.schedule import Schedule
from gridtwin.twin.settle import Settled
from gridtwin.twin.state import TwinState, state_writer
from gridtwin.units import HOUR_S, FloatArray

__all__ = ["Recorder", "coordinates"]


def coordinates(system: System) -> dict[str, tuple[str, ...]]:
    """Labels of every dimension but time and window."""
    axes = system.fleet.axes
    bins = [f"<={upper_s / HOUR_S:g}h" for upper_s in axes.bin_upper_s]
    queues = tuple(
        f"{origin}/{compute_class}/{delay}/{length}"
        for origin in axes.origin
        for compute_class in axes.compute_class
        for delay in axes.delay_class
        for length in bins
    )
    return {
        "site": system.fleet.site,
        "compute_class": axes.compute_class,
        "origin": axes.origin,
        "queue": queues,
        "bus": system.grid.bus,
        "line": system.grid.line,
        "unit": system.units.unit,
        "element": Elements.of(system.groups, len(system.grid.line)).names(system.groups, system.grid.line),
        "store": system.stores.store,
        "link": system.grid.link,
    }


@dataclass(slots=True, eq=False)
class Recorder:
    """Writes each window once; remembers nothing of it."""

    folder: RunFolder
    time: TimeGrid
    system: System

    def write(
        self,
        told: Forecast,
        kept: Observation,
        plan: DispatchPlan,
        after: TwinState,
        record: ComputeRecord,
        settled: Settled,
    ) -> None:
        """Write the tables of the window that was `told` so and ended in state `after`, and that state."""
        window, steps = after.window - 1, kept.forecast.steps
        instants = self.time.instants(window * self.time.window_steps, steps)
        values = {
            **self._compute_values(kept, plan, record, settled),
            **self._unit_values(plan, settled),
            **self._bus_values(settled),
            **_price_values(settled.redispatch, self.system.step_h),
            **_schedule_values(settled.schedule),
            "contract_mw": kept.forecast.contract_mw,
            **self._system_values(settled),
            **_forecast_values(told.head(steps)),
            **_solver_values(plan.grid.solver, settled.redispatch.solver),
            **_review_values(plan.review),
            "waiting_jobs": np.array([len(after.compute.waiting_row)]),
            "running_jobs": np.array([len(after.compute.running_row)]),
            "suspended_jobs": np.array([len(after.compute.suspended_row)]),
        }
        found = find_violations(
            settled.ac, self.system.grid, instants, units=self.system.units, injections=settled.injections
        )
        events = {**_job_events(record), FINDING: _finding_columns(found)}
        self.folder.write_window(window, coordinates(self.system), instants, values, events, state_writer(after))

    def _compute_values(
        self, kept: Observation, plan: DispatchPlan, record: ComputeRecord, settled: Settled
    ) -> dict[str, np.ndarray]:
        steps = kept.forecast.steps
        return {
            "site_mw": settled.site_mw,
            "it_mw": settled.it_mw,
            "pue": kept.forecast.pue,
            "facility_mw": settled.facility_mw,
            "planned_facility_mw": plan.fleet.site_mw[:steps],
            **self._charges(kept, plan, settled),
            "busy_node_s": record.busy_node_s,
            "checkpoint_node_s": record.checkpoint_node_s,
            "restart_node_s": record.restart_node_s,
            "service_nodes": record.service_nodes,
            "unserved_service_nodes": record.unserved_service_nodes,
            "planned_busy_nodes": plan.fleet.busy_nodes[:steps],
            "suspended_nodes": record.suspended_nodes,
            "forced_nodes": record.forced_nodes,
            "overrun_nodes": record.overrun_nodes,
            "waiting_nodes": record.waiting_nodes,
            "moved_gb": record.moved_gb,
            "migrated_gb": record.migrated_gb,
            **self._work_prices(plan.fleet.prices, steps),
        }

    def _work_prices(self, prices: ComputePrices | None, steps: int) -> dict[str, np.ndarray]:
        """Prices of the plan; those of preemptible work hold for every duration bin."""
        fleet = self.system.fleet
        if prices is None:
            by_queue = np.full((steps, fleet.axes.size), np.nan)
            by_pool = np.full((steps, *fleet.capacity_nodes.shape), np.nan)
            return {
                "capacity_price_per_node_h": by_pool,
                "job_price_per_node_h": by_queue,
                "preemptible_price_per_node_h": by_queue,
            }
        parted, bins = prices.preemptible_per_node_h[:steps], fleet.axes.shape[-1]
        return {
            "capacity_price_per_node_h": prices.capacity_per_node_h[:steps],
            "job_price_per_node_h": prices.job_per_node_h[:steps],
            "preemptible_price_per_node_h": parted.reshape(steps, -1).repeat(bins, axis=1),
        }

    def _charges(self, kept: Observation, plan: DispatchPlan, settled: Settled) -> dict[str, np.ndarray]:
        """What the sites pay by their tariff, as settled and as expected."""
        system, bus = self.system, self.system.fleet.bus
        energy = energy_prices(system.tariff, kept.instants, system.zone_s, system.step_s)
        co2_kg = production_co2_kg_per_h(settled.unit_mw, system.units).sum(axis=1)
        mean = ratio_or_zero(co2_kg, settled.unit_mw.sum(axis=1))
        nodal = {
            "charged_per_mwh": settled.redispatch.price_per_mwh,
            "expected_charge_per_mwh": plan.expected_price_per_mwh[: kept.forecast.steps],
        }
        return {name: charged_per_mwh(system.tariff, price[:, bus], mean, energy) for name, price in nodal.items()}

    def _unit_values(self, plan: DispatchPlan, settled: Settled) -> dict[str, np.ndarray]:
        return {
            "unit_mw": settled.unit_mw,
            "planned_unit_mw": plan.unit_mw[: len(settled.unit_mw)],
            "available_mw": settled.available_mw,
            "online_mw": settled.online_mw,
            "committed": settled.committed.astype(np.int8),
        }

    def _bus_values(self, settled: Settled) -> dict[str, np.ndarray]:
        ac = settled.ac
        return {
            "load_mw": settled.load_mw,
            "shed_mw": settled.shed_mw,
            "dumped_mw": settled.dumped_mw,
            "net_injection_mw": _net_injection_mw(settled.injections, self.system),
            "vm_pu": ac.vm_pu,
            "va_deg": ac.va_deg,
            "bus_mw": ac.bus_mw,
            "bus_mvar": ac.bus_mvar,
            "dispatched_injection_mw": settled.redispatch.injection_mw,
            "dispatched_losses_mw": settled.posed.losses.bus_losses_mw,
            "holds_voltage": ac.holds_voltage.astype(np.int8),
            "price_per_mwh": settled.redispatch.price_per_mwh,
            "from_mw": ac.from_mw,
            "to_mw": ac.to_mw,
            "from_mvar": ac.from_mvar,
            "to_mvar": ac.to_mvar,
            "loading_percent": ac.loading_percent,
            "rate_mw": settled.redispatch.rate_mw,
            "overload_mw": settled.redispatch.overload_mw,
        }

    def _system_values(self, settled: Settled) -> dict[str, np.ndarray]:
        units, hours, losses = self.system.units, self.system.step_h, settled.posed.losses
        return {
            "losses_mw": settled.ac.losses_mw,
            "fixed_losses_mw": losses.losses_mw - (losses.factor * losses.reference_injection_mw).sum(axis=1),
            "spill_mw": settled.dumped_mw.sum(axis=1),
            "moved_mw": settled.moved_mw,
            "slack_excess_mw": settled.ac.slack_excess_mw,
            "ac_converged": settled.ac.converged.astype(np.int8),
            "production_cost": production_cost_per_h(settled.unit_mw, units).sum(axis=1) * hours,
            "co2_kg": production_co2_kg_per_h(settled.unit_mw, units).sum(axis=1) * hours,
        }


def _forecast_values(told: Forecast) -> dict[str, np.ndarray]:
    return {
        "forecast_load_mw": told.load_mw.sum(axis=1),
        "forecast_available_mw": told.unit_available_mw,
        "forecast_clipped": told.clipped,
    }


def _price_values(redispatch: GridPlan, step_h: float) -> dict[str, np.ndarray]:
    """Prices of the redispatch; what is told only of some prices is NaN for the others."""
    prices, why = redispatch.prices, redispatch.prices.explanation
    assert why is not None
    return {
        "energy_price_per_mwh": prices.energy_per_mwh,
        "price_per_mwh": prices.total_per_mwh,
        "cut_rent_cost": prices.cut_rent_per_h * step_h,
        "congestion_price_per_mwh": prices.congestion_per_mwh,
        "loss_price_per_mwh": prices.loss_per_mwh,
        "shadow_price_per_mwh": prices.shadow_price_per_mwh,
        "marginal_co2_kg_per_mwh": why.marginal_co2_kg_per_mwh,
        "price_set_by": why.set_by.astype(np.int32),
        "price_degenerate": why.degenerate.astype(np.int8),
        "price_low_per_mwh": np.where(why.degenerate, why.low_per_mwh, np.nan),
        "price_high_per_mwh": np.where(why.degenerate, why.high_per_mwh, np.nan),
        "price_slack_fixed_per_mwh": np.where(why.penalised, why.slack_fixed_per_mwh, np.nan),
        "marginal": why.marginal.astype(np.int8),
    }


def _schedule_values(schedule: Schedule) -> dict[str, np.ndarray]:
    return {
        "charge_mw": schedule.charge_mw,
        "discharge_mw": schedule.discharge_mw,
        "inflow_mw": schedule.inflow_mw,
        "store_spill_mw": schedule.spill_mw,
        "stored_mwh": schedule.stored_mwh,
        "link_mw": schedule.link_mw,
    }


def _job_events(record: ComputeRecord) -> dict[str, dict[str, np.ndarray]]:
    """What jobs did, one row each; a job that is resumed starts again."""
    return {
        JOB_START: {
            "row": record.started_row,
            "site_index": record.started_site,
            "start_s": record.start_s,
            "restart_s": record.restart_s,
        },
        JOB_STOP: {
            "row": record.stopped_row,
            "stop_s": record.stop_s,
            "checkpoint_s": record.checkpoint_s,
            "left_s": record.stopped_left_s,
        },
        JOB_END: {"row": record.finished_row, "end_s": record.finish_s},
    }


def _net_injection_mw(injections: AcInjections, system: System) -> FloatArray:
    """Return what AC was asked to carry at each bus (time, bus), signed into the grid."""
    grid, buses = system.grid, len(system.grid.bus)
    links = link_injection_mw(injections.link_mw, grid.link_from, grid.link_to, grid.link_loss, buses)
    return sum_at(injections.unit_mw, system.units.bus, buses) + links - injections.load_mw


def _finding_columns(findings: Iterable[Finding]) -> dict[str, np.ndarray]:
    """All that AC broke, one row each, in order of time."""
    rows = tuple(findings)
    kinds = (("kind", str), ("element", str), ("value", float), ("limit", float), ("unit", str))
    return {
        "time": np.array([finding.instant for finding in rows], dtype="datetime64[s]"),
        **{name: np.array([getattr(finding, name) for finding in rows], dtype=kind) for name, kind in kinds},
    }


def _solver_values(planned: SolverRecord, redispatch: SolverRecord) -> Mapping[str, np.ndarray]:
    counts = ("columns", "rows", "rounds")
    figures = ("objective", "dual_objective", "primal_residual")
    return {
        **{name: np.array([getattr(planned, name)]) for name in (*figures, *counts)},
        **{f"redispatch_{name}": np.array([getattr(redispatch, name)]) for name in figures},
    }


def _review_values(review: ReviewRecord | None) -> Mapping[str, np.ndarray]:
    """What became of the review of a plan; nothing was found where nobody looked."""
    return {f"review_{field.name}": np.array([getattr(review, field.name, 0)]) for field in fields(ReviewRecord)}
