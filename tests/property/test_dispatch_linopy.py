"""Our programs against the same mathematics written a second time with linopy.

The second writing shares nothing with the first but the problem: units one by one instead of groups, segments under
one limit, voltage angles instead of sensitivities, every line limit from the start, cumulative starts between envelopes
instead of backlogs, WAN columns for every pair.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import linopy
import numpy as np
import pytest
import xarray as xr

from gridtwin.dispatch import dispatch_grid, dispatch_pooled
from gridtwin.dispatch.preemptible_block import ROUNDING_NODES

SEEDS = range(24)
RELATIVE = 1e-6


@pytest.mark.parametrize("seed", SEEDS)
def test_co_dispatch(small_system, seed):
    """Starts of later steps are decided for one to three steps at once."""
    system = small_system(seed)
    system = replace(system, compute=replace(system.compute, coarse_after=seed % 4, coarse_steps=1 + seed % 3))
    plan, _ = dispatch_pooled(system.grid, system.compute)
    assert plan.solver.objective == pytest.approx(Oracle(system, sites=True).with_work().optimum(), rel=RELATIVE)


@pytest.mark.parametrize("seed", SEEDS)
def test_grid_only(small_system, seed):
    system = small_system(seed)
    plan = dispatch_grid(system.grid)
    assert plan.solver.objective == pytest.approx(Oracle(system).optimum(), rel=RELATIVE)


def test_the_systems_are_stressed(small_system):
    """Otherwise equal objectives would say little."""
    seen = Counter()
    for seed in SEEDS:
        system = small_system(seed)
        plan, work = dispatch_pooled(system.grid, system.compute)
        rate = system.grid.network.rate_mw
        seen.update(
            shed=bool(plan.shed_mw.max() > 1e-3),
            spill=bool(plan.spill_mw.max() > 1e-3),
            overload=bool(plan.overload_mw.max() > 1e-3),
            congestion=bool((np.abs(np.abs(plan.flow_mw) - rate) < 1e-6).any()),
            added_lazily=bool((plan.binding & ~system.grid.watched).any()),
            late=bool(work.overbooked_nodes.max() > 1e-3),
            several_sites=int((work.moved_nodes.sum(axis=(0, 1, 2)) > 1e-3).sum()) > 1,
            ramp=_ramp_binds(system, plan),
            bandwidth=_bandwidth_binds(system.compute, work),
            connection=_over_connection(system.compute, work),
            preempted=_gives_up(system.compute, work),
            postponed=_postpones(system, work),
            charge=bool(plan.charge_mw.max(initial=0) > 1e-3),
            discharge=bool(plan.discharge_mw.max(initial=0) > 1e-3),
            full=bool((plan.stored_mwh > system.grid.stores.energy_mwh - 1e-6).any()),
            empty=bool((plan.stored_mwh < 1e-6).any()),
            let_go=bool(plan.store_spill_mw.max(initial=0) > 1e-3),
            fed=bool((plan.group_mw[:, system.grid.groups.store >= 0] > 1e-3).any()),
            both_ways=bool((plan.link_mw > 1e-3).any() and (plan.link_mw < -1e-3).any()),
            integers=plan.solver.binaries > 0,
            reserve=bool((plan.reserve_price_per_mwh > 1e-3).any()),
            reserve_short=bool(plan.reserve_short_mw.max() > 1e-3),
        )
    assert {name: times for name, times in seen.items() if times < 2} == {}


def _ramp_binds(system, plan):
    limit = system.grid.groups.ramp_mw_per_h * system.grid.step_h
    return bool((np.abs(np.diff(plan.group_mw, axis=0)) > limit - 1e-6).any())


def _bandwidth_binds(compute, work):
    gb = np.einsum("bocs,c->bos", work.moved_nodes, compute.route_gb)
    length = np.diff(np.append(np.arange(0, len(work.busy_nodes), compute.block_steps), len(work.busy_nodes)))
    return bool((gb > compute.bandwidth_gb * length[:, None, None] - 1e-6).any())


def _gives_up(compute, work):
    """Priced interruptions happen where work is left."""
    given_up = np.maximum(-np.diff(work.run_nodes, axis=0), 0.0) * (compute.preemptible.interruption_cost > 0)
    return bool(given_up.max(initial=0.0) > 1e-3)


def _postpones(system, work):
    """Less is done by some time than could be."""
    could = np.cumsum(system.compute.preemptible.arriving_node_h.sum(axis=1), axis=0)
    return bool((could - np.cumsum(work.done_nodes, axis=0) * system.grid.step_h).max() > 1e-3)


def _over_connection(compute, work):
    nodes = compute.committed_nodes + work.busy_nodes
    return bool((compute.base_mw + (compute.node_mw * nodes).sum(axis=2) > compute.connection_mw + 1e-3).any())


def _most_of_sites(work, buses):
    nodes = np.maximum(work.available_nodes, work.committed_nodes)
    drawn = work.base_mw + (work.node_mw * nodes).sum(axis=2)
    return drawn @ (np.asarray(work.site_bus)[:, None] == np.arange(buses))


def _array(values, *dims):
    """Values labelled 0, 1, … along each axis."""
    values = np.asarray(values, dtype=float)
    return xr.DataArray(values, dims=dims, coords={dim: range(n) for dim, n in zip(dims, values.shape, strict=True)})


class Oracle:
    """The mathematics of a window, dense."""

    def __init__(self, system, *, sites=False):
        self.system, self.grid, self.hours = system, system.grid, system.grid.step_h
        self.most_of_sites = _most_of_sites(system.compute, system.grid.load_mw.shape[1]) if sites else 0.0
        self.model = linopy.Model()
        self.steps, self.buses = self.grid.load_mw.shape
        self.injection = self._generation() + self._slacks() + self._links()
        if len(self.grid.stores.bus):
            self.injection = self.injection + self._stores()
        self._reserve()
        self.fixed = _array(self.grid.injection_mw, "time", "bus")

    def optimum(self) -> float:
        self._network()
        self.model.add_objective(sum(self.cost))
        self.model.solve(solver_name="highs", io_api="direct", output_flag=False, progress=False, mip_rel_gap=1e-9)
        return self.model.objective.value

    def variable(self, name, lower, upper, **sizes):
        shape = tuple(sizes.values())
        low, high = (_array(np.broadcast_to(bound, shape), *sizes) for bound in (lower, upper))
        return self.model.add_variables(low, high, name=name)

    def require(self, name, constraint):
        self.model.add_constraints(constraint, name=name)

    def _generation(self):
        units, grid = self.system.units, self.grid
        lower = self.system.floor_mw
        sizes = {"time": self.steps, "unit": len(units.unit)}
        output = self.variable("output", lower, self.system.available_mw, **sizes)
        segment = self.variable("segment", 0.0, units.segment_mw, time=self.steps, segment=len(units.segment_mw))
        of_unit = np.arange(len(units.unit))[:, None] == units.segment_unit
        filled = (_array(of_unit, "unit", "segment") * segment).sum("segment")
        self.require("segments fill", output - filled == _array(lower, "time", "unit"))
        price = units.segment_cost_per_mwh + grid.penalties.carbon_per_t / 1000 * units.segment_co2_kg_per_mwh
        self.cost = [(_array(price * grid.step_h, "segment") * segment).sum()]
        self._ramps(output)
        self.output = output
        at_bus = np.arange(self.buses)[:, None] == units.bus
        return (_array(at_bus, "bus", "unit") * output).sum("unit")

    def _ramps(self, output):
        limit = self.system.units.ramp_mw_per_h * self.grid.step_h
        limited = np.flatnonzero(np.isfinite(limit))
        if len(limited) == 0:
            return
        most, own = _array(limit, "unit").isel(unit=limited), output.isel(unit=limited)
        change = self._matrix(np.eye(self.steps)[1:] - np.eye(self.steps)[:-1], own, "time")
        self.require("ramp up", change <= most)
        down = np.maximum(limit, self._forced_falls())
        self.require("ramp down", change >= -_array(down[1:], "row", "unit").isel(unit=limited))
        if self.grid.initial_mw is not None:
            before = _array(self.system.initial_mw, "unit").isel(unit=limited)
            self.require("first ramp up", own.isel(time=0) <= before + most)
            self.require("first ramp down", own.isel(time=0) >= before - _array(down[0], "unit").isel(unit=limited))

    def _forced_falls(self):
        """What units lose (time, unit) where their store runs empty although they go down along their ramps."""
        units, stores, hours = self.system.units, self.grid.stores, self.grid.step_h
        falls = np.zeros((self.steps, len(units.unit)))
        if self.grid.initial_mw is None:
            return falls
        for s, initial_mwh in enumerate(stores.initial_mwh):
            own = units.store == s
            level, output = initial_mwh, self.system.initial_mw[own]
            for t in range(self.steps):
                slowest = np.maximum(output - units.ramp_mw_per_h[own] * hours, self.system.floor_mw[t, own])
                there = level * stores.kept_share[s] + stores.inflow_mw[t, s] * hours
                needed = slowest.sum() * hours / stores.efficiency_discharge[s]
                after = slowest if needed <= there else slowest * there / needed
                level = min(max(there - needed, 0.0), stores.energy_mwh[s])
                falls[t, own], output = output - after, after
        return falls

    def _matrix(self, matrix, variable, dim):
        """matrix @ variable along `dim`; the result's axis is called `row`."""
        return (_array(matrix, "row", dim) * variable).sum(dim)

    def _slacks(self):
        grid, penalties = self.grid, self.grid.penalties
        shed = self.variable("shed", 0.0, grid.load_mw + self.most_of_sites, time=self.steps, bus=self.buses)
        spill = self.variable("spill", 0.0, np.inf, time=self.steps)
        total = grid.load_mw.sum(axis=1, keepdims=True)
        share = np.where(total > 0, grid.load_mw / np.where(total > 0, total, 1), 1 / self.buses)
        self.cost += [
            penalties.shed_per_mwh * grid.step_h * shed.sum(),
            penalties.spill_per_mwh * grid.step_h * spill.sum(),
        ]
        return shed - _array(share, "time", "bus") * spill

    def _stores(self):
        """Levels as the sum of all that went in and out before, each MWh with what is kept of it until then."""
        stores, steps = self.grid.stores, self.steps
        number = len(stores.bus)
        sizes = {"time": steps, "store": number}
        self.charge = charge = self.variable("charge", 0.0, stores.charge_mw, **sizes)
        self.discharge = discharge = self.variable("discharge", 0.0, stores.discharge_mw, **sizes)
        spill = self.variable("let go", 0.0, stores.inflow_mw, **sizes)
        self.level = self.variable("level", 0.0, stores.energy_mwh, **sizes)
        self.fed = _array(np.arange(number)[:, None] == self.system.units.store, "store", "unit")
        generated = (self.fed * self.output).sum("unit")
        gone = 1 / _array(stores.efficiency_discharge, "store")
        gained = _array(stores.efficiency_charge, "store") * charge - gone * (discharge + generated) - spill
        age = np.subtract.outer(np.arange(steps), np.arange(steps))
        kept = np.where(age[..., None] >= 0, stores.kept_share ** np.maximum(age, 0)[..., None], 0.0)
        kept = _array(kept * self.hours, "row", "time", "store")
        first = stores.kept_share ** np.arange(1, steps + 1)[:, None] * stores.initial_mwh
        given = _array(first, "row", "store") + (kept * _array(stores.inflow_mw, "time", "store")).sum("time")
        self.require("levels", self.level.rename({"time": "row"}) - (kept * gained).sum("time") == given)
        part = self.variable("part", 0.0, stores.value_mwh, store=number, part=stores.value_mwh.shape[1])
        self.require("last level", part.sum("part") - self.level.isel(time=-1) == 0)
        self.cost.append(-(_array(stores.value_per_mwh, "store", "part") * part).sum())
        room = self.system.available_mw - self.system.floor_mw
        most = _array(stores.discharge_mw + room @ self.fed.to_numpy().T, "time", "store")
        above = generated - (self.fed * _array(self.system.floor_mw, "time", "unit")).sum("unit")
        self._one_way("store", charge, _array(stores.charge_mw, "time", "store"), discharge + above, most)
        at_bus = np.arange(self.buses)[:, None] == stores.bus
        return (_array(at_bus, "bus", "store") * (discharge - charge)).sum("store")

    def _links(self):
        links = self.grid.links
        number = len(links.from_bus)
        if number == 0:
            return 0.0
        rate, sizes = _array(links.rate_mw, "time", "link"), {"time": self.steps, "link": number}
        there, back = (self.variable(name, 0.0, links.rate_mw, **sizes) for name in ("there", "back"))
        self._one_way("link", there, rate, back, rate)
        arriving = _array(1 - links.loss, "link")
        at_from, at_to = (
            _array(np.arange(self.buses)[:, None] == bus, "bus", "link") for bus in (links.from_bus, links.to_bus)
        )
        return (at_from * (arriving * back - there)).sum("link") + (at_to * (arriving * there - back)).sum("link")

    def _one_way(self, name, into, into_most, out, out_most):
        """One integer for every step and every item."""
        is_into = self.model.add_variables(coords=into_most.coords, binary=True, name=f"{name} takes")
        self.require(f"{name} in", into - into_most * is_into <= 0)
        self.require(f"{name} out", out + out_most * is_into <= out_most)

    def _reserve(self):
        units, stores, grid = self.system.units, self.grid.stores, self.grid
        ten_minutes = np.broadcast_to(units.ramp_mw_per_h / 6, self.system.available_mw.shape)
        held = self.variable("held", 0.0, ten_minutes, time=self.steps, unit=len(units.unit))
        self.require("headroom", held + self.output <= _array(self.system.available_mw, "time", "unit"))
        short = self.variable("reserve short", 0.0, np.inf, time=self.steps)
        total = held.isel(unit=np.flatnonzero(units.store < 0)).sum("unit") + short
        if len(stores.bus):
            lasting = self.variable("lasting", 0.0, np.inf, time=self.steps, store=len(stores.bus))
            more = self.charge - self.discharge + (self.fed * held).sum("unit")
            self.require("stores add", lasting - more <= _array(stores.discharge_mw, "time", "store"))
            self.require("for an hour", lasting - _array(stores.efficiency_discharge, "store") * self.level <= 0)
            total = total + lasting.sum("store")
        self.require("reserve", total >= _array(grid.reserve_mw, "time"))
        self.cost.append(grid.penalties.reserve_per_mwh * self.hours * short.sum())

    def _network(self):
        grid, losses, network = self.grid, self.grid.losses, self.grid.network
        injected = self.injection + self.fixed
        factor = _array(losses.factor, "time", "bus")
        reference = _array(losses.reference_injection_mw, "time", "bus")
        drawn = _array(losses.losses_mw, "time") + (factor * (injected - reference)).sum("bus")
        self.require("balance", injected.sum("bus") - drawn == 0)
        at_slack = np.arange(self.buses) == network.slack
        bound = np.where(at_slack, 0.0, np.inf)
        angle = self.variable("angle", -bound, bound, time=self.steps, bus=self.buses)
        lines = len(network.line)
        flow = self.variable("flow", -np.inf, np.inf, time=self.steps, line=lines)
        bus = np.arange(self.buses)
        leaves = (bus == network.line_from[:, None]).astype(float) - (bus == network.line_to[:, None])
        incidence = _array(leaves, "line", "bus")
        self.require("flow", flow - (_array(self.system.susceptance, "line") * incidence * angle).sum("bus") == 0)
        left = (incidence * flow).sum("line") - injected + _array(losses.bus_losses_mw, "time", "bus")
        self.require("nodes", left.isel(bus=np.flatnonzero(~at_slack)) == 0)
        limited = np.flatnonzero(np.isfinite(network.rate_mw))
        if len(limited) == 0:
            return
        over = self.variable("over", 0.0, np.inf, time=self.steps, line=lines).isel(line=limited)
        rate = _array(network.rate_mw, "line").isel(line=limited)
        self.require("forward", flow.isel(line=limited) - over <= rate)
        self.require("backward", flow.isel(line=limited) + over >= -rate)
        self.cost.append(grid.penalties.overload_per_mwh * self.grid.step_h * over.sum())

    def with_work(self):
        work = self.system.compute
        _, classes, _, bins = work.shape
        sites = len(work.site_bus)
        start = self._queues(work)
        asked = work.released_nodes.sum(axis=0).reshape(work.shape).sum(axis=(2, 3)) > 0
        hosted = (work.route_allowed & asked[:, :, None]).any(axis=0)[:, None, :]
        placed = self.variable(
            "placed", 0.0, np.where(hosted, np.inf, 0.0), time=self.steps, cls=classes, bin=bins, site=sites
        )
        self.require("placement", placed.sum("site") - start.sum("delay") == 0)
        self._place_alike(work, placed)
        run, undone = self._preemptible(work)
        self._sites(work, self._busy(work, placed, run))
        self._wan(work, placed, run)
        self._terminal(work, start, placed, undone)
        return self

    def _place_alike(self, work, placed):
        alike = [step for step in range(1, self.steps) if not self._begins_slot(work, step)]
        if alike:
            change = self._matrix((np.eye(self.steps) - np.eye(self.steps, k=-1))[alike], placed, "time")
            self.require("placed alike", change == 0)

    def _preemptible(self, work):
        """Cumulative work lies between the envelopes; nodes that it gives up pay."""
        parted = work.preemptible
        arriving, due = (node_h.sum(axis=1) for node_h in (parted.arriving_node_h, parted.due_node_h))
        most, least = (np.cumsum(node_h, axis=0) for node_h in (arriving, due))
        sizes = dict(zip(("time", "cls", "delay"), most.shape, strict=True))
        done = self.variable("done", 0.0, parted.width_nodes + ROUNDING_NODES, **sizes)
        node_h = self._matrix(np.tri(self.steps) * self.hours, done, "time")
        dims = ("row", "cls", "delay")
        self.require("earliest runs", node_h <= _array(most, *dims))
        self.require("latest runs", node_h >= _array(np.minimum(least, most), *dims))
        supplied = parted.arriving_node_h.sum(axis=(0, 3)) > 0
        hosted = (parted.route_allowed & supplied[:, :, None]).any(axis=0).T
        sizes = dict(zip(("time", "site", "cls"), work.node_mw.shape, strict=True))
        run = self.variable("run", 0.0, np.where(hosted, np.inf, 0.0), **sizes)
        self.require("somewhere", run.sum("site") - done.sum("delay") == 0)
        priced = (np.arange(self.steps) < work.coarse_after) | (work.coarse_steps == 1)
        given_up = self.variable("given up", 0.0, np.inf, **sizes).rename({"time": "row"})
        change = self._matrix(np.eye(self.steps) - np.eye(self.steps, k=-1), run, "time")
        before = np.zeros(work.node_mw.shape)
        before[0] = parted.held_nodes
        self.require("giving up", given_up + change >= _array(before, "row", "site", "cls"))
        self.cost.append((_array(np.outer(priced, parted.interruption_cost), "row", "cls") * given_up).sum())
        return run, _array(most[-1], "cls", "delay") - node_h.isel(row=-1)

    def _queues(self, work):
        """Cumulative starts lie between what is due and released at the end of each slot, in which all are alike."""
        released, due = (
            np.cumsum(nodes.reshape(self.steps, *work.shape).sum(axis=1), axis=0)
            for nodes in (work.released_nodes, work.due_nodes)
        )
        dims = ("time", "cls", "delay", "bin")
        start = self.variable("start", 0.0, np.inf, **dict(zip(dims, released.shape, strict=True)))
        alike = [step for step in range(1, self.steps) if not self._begins_slot(work, step)]
        if alike:
            change = self._matrix((np.eye(self.steps) - np.eye(self.steps, k=-1))[alike], start, "time")
            self.require("alike", change == 0)
        ends = [step for step in range(self.steps) if step + 1 == self.steps or self._begins_slot(work, step + 1)]
        started = self._matrix(np.tri(self.steps)[ends], start, "time")
        dims = ("row", *dims[1:])
        self.require("released", started <= _array(released[ends], *dims))
        self.require("due", started >= _array(np.minimum(due, released)[ends], *dims))
        return start

    def _begins_slot(self, work, step):
        return step <= work.coarse_after or (step - work.coarse_after) % work.coarse_steps == 0

    def _busy(self, work, placed, run):
        classes, bins, lags = work.occupancy.shape
        share = np.zeros((self.steps, self.steps, classes, bins))
        for step in range(self.steps):
            for since in range(max(0, step - lags + 1), step + 1):
                share[step, since] = work.occupancy[:, :, step - since]
        wanted = (_array(share, "row", "time", "cls", "bin") * placed).sum(["time", "bin"])
        room = np.maximum(work.available_nodes - work.committed_nodes, 0.0)
        sizes = dict(zip(("row", "site", "cls"), room.shape, strict=True))
        busy = self.variable("busy", 0.0, room, **sizes)
        late = self.variable("late", 0.0, np.inf, **sizes)
        self.require("hosting", busy + late - wanted - run.rename({"time": "row"}) == 0)
        penalties = self.grid.penalties
        price = penalties.late_per_node_h + penalties.shed_per_mwh * work.node_mw
        self.cost.append(self.hours * (_array(price, "row", "site", "cls") * late).sum())
        return busy

    def _sites(self, work, busy):
        node = _array(work.node_mw, "row", "site", "cls")
        fixed = _array(work.base_mw + (work.node_mw * work.committed_nodes).sum(axis=2), "row", "site")
        draw = (node * busy).sum("cls")
        meter = draw + self._behind_meters(len(work.site_bus))
        over = self.variable("beyond", 0.0, np.inf, row=self.steps, site=len(work.site_bus))
        limited = np.flatnonzero(np.isfinite(work.connection_mw))
        if len(limited):
            limit = (_array(work.connection_mw, "site") - fixed).isel(site=limited)
            self.require("connection", meter.isel(site=limited) - over.isel(site=limited) <= limit)
            least = (-_array(work.connection_mw, "site") - fixed).isel(site=limited)
            self.require("connection out", meter.isel(site=limited) >= least)
        self.cost.append(self.grid.penalties.connection_per_mwh * self.hours * over.sum())
        at_bus = _array(np.arange(self.buses)[:, None] == work.site_bus, "bus", "site")
        self.injection = self.injection - (at_bus * draw).sum("site").rename({"row": "time"})
        self.fixed = self.fixed - (at_bus * fixed).sum("site").rename({"row": "time"})

    def _behind_meters(self, sites):
        site = self.grid.stores.site
        if not len(site):
            return 0.0
        own = _array(np.arange(sites)[:, None] == site, "site", "store")
        return (own * (self.charge - self.discharge)).sum("store").rename({"time": "row"})

    def _wan(self, work, placed, run):
        """In blocks: origins give between what is due and released, sites take what is placed, links carry the data."""
        origins, classes, _, _ = work.shape
        begins = [step for step in range(self.steps) if self._begins_slot(work, step)]
        blocks = [max(first for first in begins if first <= step) // work.block_steps for step in range(self.steps)]
        block_of_step = np.searchsorted(np.unique(blocks), blocks)
        first = np.flatnonzero(np.diff(blocks, prepend=-1))
        last = np.append(first[1:], self.steps) - 1
        upper = np.where(work.route_allowed, np.inf, 0.0)
        sizes = {"block": len(first), "origin": origins, "cls": classes, "site": len(work.site_bus)}
        moved = self.variable("moved", 0.0, upper, **sizes)
        released, due = (
            np.cumsum(nodes.reshape(self.steps, *work.shape).sum(axis=(3, 4)), axis=0)[last]
            for nodes in (work.released_nodes, work.due_nodes)
        )
        given = self._matrix(np.tri(len(first)), moved.sum("site"), "block")
        self.require("origin released", given <= _array(released, "row", "origin", "cls"))
        self.require("origin due", given >= _array(np.minimum(due, released), "row", "origin", "cls"))
        in_block = (np.arange(len(first))[:, None] == block_of_step).astype(float)
        taken = self._matrix(in_block, placed.sum("bin"), "time").rename({"row": "block"})
        self.require("sites take", moved.sum("origin") - taken == 0)
        carried = self._carried(work, run, in_block, last)
        length = np.bincount(block_of_step)
        data = (_array(work.route_gb, "cls") * moved).sum("cls")
        data += (_array(work.preemptible.route_gb, "cls") * carried.isel(origin=slice(origins))).sum("cls")
        room = work.bandwidth_gb * length[:, None, None]
        for origin, site in np.argwhere(np.isfinite(work.bandwidth_gb)):
            own = data.isel(origin=origin, site=site)
            over = self.variable(f"behind {origin} {site}", 0.0, np.inf, block=len(first))
            self.require(f"link {origin} {site}", own - over <= _array(room[:, origin, site], "block"))
            dearest_gb = max(work.route_gb.max(), work.preemptible.route_gb.max())
            self.cost.append(self.grid.penalties.late_per_node_h / dearest_gb * over.sum())
        self.cost.append((_array(work.route_cost, "origin", "cls", "site") * moved).sum())

    def _carried(self, work, run, in_block, last):
        """The same for preemptible work; it comes from origins or from where it has begun."""
        parted = work.preemptible
        arriving, due = (
            np.cumsum(node_h.sum(axis=3), axis=0)[last] for node_h in (parted.arriving_node_h, parted.due_node_h)
        )
        upper = np.where(parted.route_allowed, np.inf, 0.0)
        sizes = dict(zip(("block", "origin", "cls", "site"), (len(last), *upper.shape), strict=True))
        carried = self.variable("carried", 0.0, upper, **sizes)
        given = self._matrix(np.tri(len(last)), carried.sum("site"), "block")
        self.require("whence at most", given <= _array(arriving, "row", "origin", "cls"))
        self.require("whence at least", given >= _array(np.minimum(due, arriving), "row", "origin", "cls"))
        taken = self._matrix(in_block * self.hours, run, "time").rename({"row": "block"})
        self.require("sites run", carried.sum("origin") - taken == 0)
        self.cost.append((_array(parted.route_cost, "origin", "cls", "site") * carried).sum())
        return carried

    def _terminal(self, work, start, placed, undone):
        classes, _, lags = work.occupancy.shape
        released = work.released_nodes.sum(axis=0).reshape(work.shape).sum(axis=0)
        runtime = _array(work.mean_runtime_h, "cls", "bin")
        waiting = (runtime * (_array(released, "cls", "delay", "bin") - start.sum("time"))).sum(["delay", "bin"])
        after = np.array([[lag >= self.steps - step for lag in range(lags)] for step in range(self.steps)])
        tail = np.einsum("cpl,tl->tcp", work.occupancy, after) * self.hours
        running = (_array(tail, "time", "cls", "bin") * placed).sum(["time", "bin", "site"])
        width = work.terminal.width_node_h
        left = self.variable("left", 0.0, width, cls=classes, part=width.shape[1])
        self.require("end", left.sum("part") - waiting - running - undone.sum("delay") == 0)
        self.cost.append((_array(work.terminal.price_per_node_h, "cls", "part") * left).sum())
