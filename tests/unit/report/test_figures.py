"""Figures say what the run folder says."""

import numpy as np
import pytest

from gridtwin.compare.costs import all_costs
from gridtwin.compare.run_cards import run_cards
from gridtwin.compare.series import RunSeries
from gridtwin.economics.kpi_table import KPIS
from gridtwin.report.clock import Bins, bins, zone
from gridtwin.report.figure import json_text, payload
from gridtwin.report.figures import FIGURES
from gridtwin.report.figures.durations import mean_price
from gridtwin.report.figures.places import schematic
from gridtwin.report.language import words_in
from gridtwin.results.saved_run import open_run
from gridtwin.results.variables import variables

EN = words_in("en")
ALWAYS = ("dispatch", "grid_map", "work_over_time", "work_by_site", "job_wait", "costs", "payments", "emissions")
TABLES = {"units", "segments", "sites", "buses", "lines", "links", "stores", "pools", "wan", "penalties"}


@pytest.fixture(scope="module")
def run(pocket_run):
    return open_run(pocket_run("co_dispatch").path)


def made(name, run, words=EN):
    return FIGURES[name](run, words)


@pytest.mark.parametrize("policy", ["asap", "co_dispatch"])
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_complete(pocket_run, name, policy):
    figure = made(name, open_run(pocket_run(policy).path))
    if figure is None:
        assert name not in ALWAYS
        return
    assert figure.name == name
    assert figure.title
    assert figure.caption
    assert figure.unit
    assert figure.plot["layout"]["height"] > 100
    assert len({len(column) for column in figure.table.columns.values()}) == 1
    assert set(figure.table.units) <= set(figure.table.columns)
    for source in figure.sources:
        assert source in variables() or source in TABLES or source in KPIS or source.endswith((".parquet", ".json")), (
            source
        )
    assert json_text(payload(figure))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_changes_its_words_and_not_its_numbers(run, name):
    english, chinese = made(name, run), made(name, run, words_in("zh"))
    if english is not None:
        assert english.title != chinese.title
        assert english.table.rows == chinese.table.rows
        for one, other in zip(english.table.columns.values(), chinese.table.columns.values(), strict=True):
            if isinstance(one, np.ndarray):
                assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def test_dispatch_balances(run):
    columns = made("dispatch", run).table.columns
    technologies = {str(name) for name in run.inputs("units")["technology"]}
    made_mw = sum(values for name, values in columns.items() if name in technologies)
    drawn = columns["other demand"] + columns["data centres"]
    stores = columns["stores, discharging"] + columns["stores, charging"]
    losses = np.asarray(made_mw + stores - drawn)
    assert np.abs(losses).max() < 0.1 * drawn.max()
    assert (losses > -1e-2).all()


def test_costs_add_up_to_all_costs(run):
    columns = made("costs", run).table.columns
    *parts, total = columns["cost"]
    wanted = all_costs(RunSeries(run, run_cards([run])[0]))
    assert total == pytest.approx(sum(parts))
    assert total == pytest.approx(wanted, rel=1e-5)


def test_payments_add_up_to_nothing(run):
    paid = made("payments", run).table.columns["paid"]
    assert abs(sum(paid)) < 1e-3 * np.abs(paid).sum()


def test_energy_flows_through_regions(run):
    columns = made("energy_flow", run).table.columns
    regions = {str(area) for area in run.inputs("buses")["area"]}
    to, into = np.array(columns["to"], dtype=object), np.array(columns["from"], dtype=object)
    energy = np.asarray(columns["energy"])
    reached, left = (sum(energy[side == region].sum() for region in regions) for side in (to, into))
    assert reached == pytest.approx(left)
    assert reached == pytest.approx(np.maximum(run.values("site_mw"), 0).sum() * run.step_h)


def test_location_based_emissions_are_bounded_by_the_dirtiest_hour(run):
    columns = made("emissions", run).table.columns
    average_t, mean_t, _, cfe, renewable = columns["value"]
    energy = run.values("site_mw").sum() * run.step_h
    intensity = run.values("co2_kg") / (run.values("unit_mw").sum(axis=1) * run.step_h)
    assert intensity.min() * energy / 1000 <= average_t <= intensity.max() * energy / 1000
    assert mean_t == pytest.approx(run.values("co2_kg").sum() / run.values("unit_mw").sum() * energy / 1000)
    assert 0 <= renewable <= cfe + 1e-9 <= 100 + 1e-6


def test_work_adds_up_to_what_the_meter_says(run):
    columns = made("work_by_site", run).table.columns
    services = run.values("service_nodes").sum() * run.step_h
    assert columns["executed"].sum() == pytest.approx(run.values("busy_node_s").sum() / 3600 + services, rel=1e-5)


def test_waits_are_those_of_the_jobs(run):
    figure, jobs = made("job_wait", run), run.jobs(["wait_s", "class", "delay_class", "start_s"])
    chosen = (jobs["class"] == "general") & (jobs["delay_class"] == "day") & (jobs["start_s"] >= 0)
    median = figure.table.columns["general · day"][100]
    assert median == pytest.approx(np.median(jobs["wait_s"][chosen]) / 3600, rel=1e-5)


def test_mean_price_lies_between_the_buses(run):
    price = run.values("price_per_mwh")
    assert (mean_price(run) >= price.min(axis=1) - 1e-9).all()
    assert (mean_price(run) <= price.max(axis=1) + 1e-9).all()


def test_binding_lines_are_those_with_a_shadow_price(run):
    figure, shadow = made("binding_lines", run), run.values("shadow_price_per_mwh")
    if not (shadow > 1e-6).any():
        assert figure is None
        return
    first = run.facts.coords["line"].index(figure.table.columns["line"][0])
    assert figure.table.columns["hours"][0] == (shadow[:, first] > 1e-6).sum() * run.step_h


def test_outages_are_none_unless_asked_for(run):
    assert run.outages() is None
    assert made("outages", run) is None


def test_neighbours_lie_near_each_other():
    x, y = schematic(np.arange(5), np.arange(1, 6), 6)  # a path
    assert np.allclose(np.hypot(np.diff(x), np.diff(y)), 1.0, atol=1e-6)


def test_the_map_says_that_it_is_a_scheme(run):
    assert "Schematic" in made("grid_map", run).caption


def test_bins_are_means_of_whole_days_of_local_time(run):
    spans = bins(run, most=5)
    values = np.arange(len(run.time), dtype=float)
    assert not spans.whole
    assert spans.mean(values) @ np.diff(spans.first, append=spans.steps) == pytest.approx(values.sum())
    assert "mean of" in spans.note(EN)


def test_bins_of_few_steps_are_the_steps(run):
    spans = bins(run)
    assert isinstance(spans, Bins)
    assert spans.whole
    assert np.array_equal(spans.mean(run.values("co2_kg")), run.values("co2_kg"))
    assert spans.note(EN) == ""


def test_the_zone_is_that_of_the_scenario(run):
    assert zone(run) == (0, "UTC+00:00")
