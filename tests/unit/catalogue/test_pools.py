from dataclasses import replace
from datetime import date

import pytest

from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.meter import FP16, FP32, FP64, PRECISIONS, Throughput
from gridtwin.catalogue.pools import Pool, Reading, totals


def pool(
    compute_class: str, unit: str, count: int, *, region: str = "Gansu", site: str = "a", vintage: int = 0
) -> Pool:
    hardware = load_hardware()[unit]
    return Pool(Identifier("CN", region, site, compute_class, unit, 1, count), hardware, vintage or hardware.vintage)


def read(measured: Pool, first: int, last: int, tflops: float, day: str, precision: str = "fp32") -> Pool:
    each = Throughput.of(tflops, "TFLOP/s", PRECISIONS[precision])
    reading = Reading(replace(measured.identifier, first=first, last=last), each, date.fromisoformat(day), "HPL")
    return replace(measured, readings=(*measured.readings, reading))


def tera(rate: Throughput) -> float:
    return rate.to("TFLOP/s")


def test_a_pool_is_so_many_of_its_unit():
    general = pool("general", "cpu_block_40kw", 100)
    assert general.peak == Throughput.of(58_980, "TFLOP/s", FP32)
    assert general.racks == 1600
    assert (general.idle_mw, general.peak_mw) == (1.0, 4.0)
    assert general.metered == general.peak
    assert (general.measured_units, tera(general.measured)) == (0, 0.0)


def test_readings_replace_the_peak_of_the_machines_that_have_one():
    general = read(pool("general", "cpu_block_40kw", 100), 1, 40, 500.0, "2024-01-01")
    assert general.measured_units == 40
    assert tera(general.measured) == pytest.approx(40 * 500)
    assert tera(general.metered) == pytest.approx(40 * 500 + 60 * 589.8)
    assert tera(general.peak) == pytest.approx(100 * 589.8)


def test_the_last_reading_of_a_machine_counts():
    general = read(pool("general", "cpu_block_40kw", 100), 31, 60, 400.0, "2025-01-01")
    general = read(general, 1, 40, 500.0, "2024-01-01")
    assert general.measured_units == 60
    assert tera(general.measured) == pytest.approx(30 * 500 + 30 * 400)


def test_readings_in_another_precision_are_kept_and_not_counted():
    general = read(pool("general", "cpu_block_40kw", 100), 1, 100, 250.0, "2024-01-01", "fp64")
    assert len(general.readings) == 1
    assert general.measured_units == 0
    assert general.metered == general.peak


def test_a_part_of_a_pool_has_its_part_of_the_readings():
    general = read(pool("general", "cpu_block_40kw", 100), 1, 40, 500.0, "2024-01-01")
    part = general.part(replace(general.identifier, first=31, last=50))
    assert (part.measured_units, part.identifier.count) == (10, 20)
    assert tera(part.metered) == pytest.approx(10 * 500 + 10 * 589.8)
    assert general.part(replace(general.identifier, first=41, last=41)).readings == ()


def test_totals_keep_classes_and_precisions_apart():
    pools = [
        pool("general", "cpu_block_40kw", 100),
        pool("general", "kunpeng_block_40kw", 50, site="b"),
        pool("super", "super_cpu_block_40kw", 10),
        pool("edge", "edge_cpu_block_40kw", 2, site="c"),
        pool("edge", "edge_gpu_block_40kw", 3, site="d"),
    ]
    found = totals(pools)
    assert [(total.compute_class, total.precision, total.units) for total in found] == [
        ("edge", "fp16", 3),
        ("edge", "fp32", 2),
        ("general", "fp32", 150),
        ("super", "fp64", 10),
    ]
    assert [total.peak.precision for total in found] == [FP16, FP32, FP32, FP64]
    assert tera(found[2].peak) == pytest.approx(100 * 589.8 + 50 * 340.7)
    assert (found[2].racks, found[2].peak_mw) == (2400, pytest.approx(6.0))


def test_totals_by_region_and_vintage_add_up_to_those_by_class():
    pools = [
        read(pool("general", "cpu_block_40kw", 100), 1, 100, 500.0, "2024-01-01"),
        pool("general", "kunpeng_block_40kw", 50, region="Guizhou", vintage=2024),
        pool("general", "hygon_block_40kw", 20, region="Guizhou", site="b"),
    ]
    whole = totals(pools)[0]
    for by, groups in (("region", ["Gansu", "Guizhou"]), ("vintage", ["2019", "2022", "2024"])):
        parts = totals(pools, by)
        assert [part.group for part in parts] == groups
        assert sum(tera(part.metered) for part in parts) == pytest.approx(tera(whole.metered))
        assert sum(part.units for part in parts) == whole.units == 170


def test_a_total_says_what_it_is_made_of():
    published, measured = (
        pool("general", "cpu_block_40kw", 30),
        read(pool("general", "cpu_block_40kw", 10, site="b"), 1, 10, 500.0, "2024-01-01"),
    )
    guessed = pool("general", "kunpeng_block_40kw", 20, site="c")
    assert totals([published])[0].uses == "published peak"
    assert totals([measured])[0].uses == "measured"
    assert totals([guessed])[0].uses == "estimated peak"
    assert totals([published, measured, guessed])[0].uses == "measured 10, published peak 30, estimated peak 20"
