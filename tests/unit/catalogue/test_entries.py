import json
from dataclasses import replace
from datetime import date

import pytest

from gridtwin.catalogue.entries import entry, tables
from gridtwin.catalogue.hardware import load_hardware
from gridtwin.catalogue.identifiers import Identifier
from gridtwin.catalogue.meter import FP32, Throughput
from gridtwin.catalogue.pools import Pool, Reading
from gridtwin.catalogue.registry import Registry
from gridtwin.errors import RegistryError

GENERAL = Identifier("CN", "Gansu", "qingyang", "general", "kunpeng_block_40kw", 1, 100)
READING = Reading(replace(GENERAL, last=40), Throughput.of(300, "TFLOP/s", FP32), date(2024, 5, 1), "HPL")
MODEL = Registry(
    model="national",
    pools=(
        Pool(GENERAL, load_hardware()["kunpeng_block_40kw"], 2021, readings=(READING,)),
        Pool(
            replace(GENERAL, compute_class="super", unit="sunway_block_40kw", last=5),
            load_hardware()["sunway_block_40kw"],
            2021,
        ),
    ),
)


def test_a_model_gives_pools_totals_and_readings():
    found = tables(MODEL)
    assert list(found) == ["pools", "totals_by_class", "totals_by_region", "totals_by_vintage", "readings"]
    assert [row["class"] for row in found["totals_by_class"]] == ["general", "super"]
    general = found["totals_by_class"][0]
    assert (general["units"], general["measured_units"], general["estimated_units"]) == (100, 40, 60)
    assert general["measured_fp32_tflops"] == 40 * 300
    assert general["peak_fp32_tflops"] == pytest.approx(100 * 340.7)
    assert general["metered_fp32_tflops"] == pytest.approx(40 * 300 + 60 * 340.7)
    assert general["uses"] == "measured 40, estimated peak 60"
    assert found["totals_by_region"][0]["region"] == "Gansu"
    assert found["readings"][0]["method"] == "HPL"


def test_each_speed_stands_in_the_column_of_its_precision_alone():
    for rows in (tables(MODEL)["pools"], tables(MODEL)["totals_by_class"]):
        for row in rows:
            filled = [name for name, value in row.items() if name.startswith("metered_fp") and value is not None]
            assert filled == [f"metered_{row['metered_in']}_tflops"]


def test_without_a_model_what_ships():
    found = tables(Registry())
    assert list(found) == ["systems", "units"]
    assert found["systems"][0]["per_standard_rack"] == 5.0
    assert "NaN" not in json.dumps(found)


def test_machines_are_shown_with_their_unit_system_and_readings():
    found = entry(MODEL, "CN-Gansu-qingyang/general/kunpeng_block_40kw#31-#50")
    assert (found["units"], found["measured_units"]) == (20, 10)
    assert found["readings"][0]["identifier"] == "CN-Gansu-qingyang/general/kunpeng_block_40kw#31-#40"
    assert found["unit_figures"]["name_zh"] == "通用算力单元 40 kW(鲲鹏 920)"
    assert found["system_figures"]["vendor"] == "Huawei"
    assert found["system_figures"]["source"]


def test_units_and_systems_are_shown_by_name():
    assert entry(Registry(), "cpu_node")["system_figures"]["system"] == "amd_epyc_9654"
    system = entry(Registry(), "huawei_ascend_910b")
    assert system["units"] == ["ascend_block_40kw"]
    assert system["fp64_tflops"] is None
    assert "fp16_tflops" in system["estimates"]


@pytest.mark.parametrize(
    ("registry", "name", "message"),
    [
        (MODEL, "CN-Gansu-qingyang/general/kunpeng_block_40kw#101", "did you mean 'CN-Gansu-qingyang/general/kunpeng"),
        (Registry(), "CN-Gansu-qingyang/general/kunpeng_block_40kw#1", "give the model with --model"),
        (MODEL, "ascend_blok_40kw", r"the registry has no 'ascend_blok_40kw' \(did you mean 'ascend_block_40kw'\?\)"),
        (MODEL, "a#b", "is no identifier"),
    ],
)
def test_what_is_unknown_gives_a_hint(registry, name, message):
    with pytest.raises(RegistryError, match=message):
        entry(registry, name)
