"""The compute half of the model of China is what its builder writes, and adds up to what has been published."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from modelling.east_west_china.build_fleet import build
from modelling.east_west_china.scenarios import SCENARIOS, scenario_text
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
BUILT = [
    *(f"{table}{suffix}.csv" for table in ("sites", "nodes") for suffix in ("", "_local", "_cross", "_2030")),
    *(f"wan{suffix}.csv" for suffix in ("", "_cross", "_stranded", "_2030")),
    *("sites_green.csv", "origins.csv", "tariffs.csv", "tariff_prices.csv", "data_centre_energy_2023.csv"),
]


def column(file: str, name: str) -> list[str]:
    with (ROOT / "models" / "east_west_china" / file).open(encoding="utf-8") as rows:
        return [row[name] for row in csv.DictReader(rows)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.mark.parametrize("file", BUILT)
def test_tables_are_those_that_the_builder_writes(built: Path, file: str) -> None:
    assert (built / file).read_bytes() == (ROOT / "models" / "east_west_china" / file).read_bytes()


def test_temperatures_are_those_that_the_builder_writes(built: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    ours, theirs = (pq.read_table(f / "temperature.parquet") for f in (built, ROOT / "models" / "east_west_china"))
    assert ours.equals(theirs)


def test_scenarios_are_those_that_the_builder_writes() -> None:
    for written in SCENARIOS:
        assert (ROOT / "scenarios" / f"{written.name}.yaml").read_text(encoding="utf-8") == scenario_text(written)


def test_racks_and_electricity_are_those_published() -> None:
    racks = [float(cell) for cell in column("sites.csv", "racks")]
    tier = column("sites.csv", "tier")
    of = {name: sum(r for r, t in zip(racks, tier, strict=True) if t == name) for name in set(tier)}
    assert of["hub"] == pytest.approx(1_460_000)
    assert sum(of.values()) - of["super"] == pytest.approx(8_100_000, rel=1e-4)
    assert sum(map(float, column("data_centre_energy_2023.csv", "twh"))) == pytest.approx(150, abs=0.05)


@pytest.mark.parametrize("layout", ["_local", "_cross"])
def test_layouts_have_the_same_nodes_of_each_class(layout: str) -> None:
    def totals(file: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, nodes in zip(column(file, "compute_class"), column(file, "nodes"), strict=True):
            found[name] = found.get(name, 0) + int(nodes)
        return found

    base, other = totals("nodes.csv"), totals(f"nodes{layout}.csv")
    assert other == pytest.approx(base, rel=2e-3)


@pytest.mark.parametrize(("scenario", "layout", "twh"), [("east_west_week", "", 150), ("east_west_2030", "_2030", 300)])
def test_a_year_of_a_scenario_takes_the_stated_electricity(scenario: str, layout: str, twh: float) -> None:
    from modelling.east_west_china import build_fleet, fleet, scenarios  # noqa: PLC0415
    from modelling.east_west_china.fleet_sources import read_sources  # noqa: PLC0415

    found = build_fleet.layouts(read_sources(fleet.MODEL / "sources"))[layout]
    core_h = {stream.trace: stream.core_h_per_job for stream in scenarios.STREAMS}
    work = YAML(typ="safe").load((ROOT / "scenarios" / f"{scenario}.yaml").read_text(encoding="utf-8"))["workload"]
    busy_nodes = dict.fromkeys(fleet.CLASSES, 0.0)
    for stream in work["batch"]:
        array_h = core_h[stream["trace"]] * stream["nodes_per_core"]
        busy_nodes[stream["compute_class"]] += stream["jobs_per_day"] * array_h / 24
    for service in work["services"]:
        requests_per_s = sum(service["requests_per_s"].values())
        busy_nodes[service["compute_class"]] += requests_per_s / service["throughput_per_node"]
    busy = {name: nodes / found.total(name) for name, nodes in busy_nodes.items()}
    assert sum(sum(of.values()) for of in fleet.energy_twh(found, busy).values()) == pytest.approx(twh, rel=2e-3)
